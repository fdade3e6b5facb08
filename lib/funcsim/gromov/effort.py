"""How much a search may cost: three places on the curve of cost against time.

Taught in chapter 02.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Effort = Literal["quick", "usual", "thorough"]
EFFORTS = get_args(Effort)

#: Where a search may begin, by name; in "solver" it is said what each is.
StartName = Literal[
    "graduated", "entropic", "entropic, cooler", "entropic, warmer", "product", "identity", "random"
]
STARTS = get_args(StartName)

#: Up to so many points every descent is polished, not only the best one, and some begin at random.
SMALL = 40

#: How long a matching that was made soft again may wander.
REHEATING_STEPS = 5


@dataclass(frozen=True)
class Plan:
    """What is done at an effort.

    Attributes
    ----------
    starts : tuple of str
        Where to begin with equal numbers of points.
    n_random : int
        Starts at random besides, for clouds of at most `SMALL` points.
    product_to_its_end : bool
        Whether the descent from "product", which is POT's, is never given up.
    polishes_all : bool
        Whether every descent is made to its end and improved by exchanges, not only the best.
    reheated : tuple of float
        Temperatures at which the best matching is made soft again, and descended from anew.
    again : bool
        Whether that is repeated as long as it helps.
    """

    starts: tuple[StartName, ...]
    n_random: int
    product_to_its_end: bool = True
    polishes_all: bool = False
    reheated: tuple[float, ...] = ()
    again: bool = False


PLANS: dict[str, Plan] = {
    "quick": Plan(("graduated", "product", "identity"), 8, product_to_its_end=False),
    "usual": Plan(("product", "graduated", "identity"), 8, reheated=(0.005,)),
    "thorough": Plan(
        ("product", "graduated", "identity", "entropic", "entropic, cooler", "entropic, warmer"),
        32,
        polishes_all=True,
        reheated=(0.01, 0.005, 0.0025),
        again=True,
    ),
}


def check_effort(effort: str) -> Plan:
    """The plan of an effort.

    Raises
    ------
    ValueError
        If there is no such effort.
    """
    if effort not in PLANS:
        raise ValueError(f"effort={effort!r} is unknown; use {', '.join(map(repr, EFFORTS))}")
    return PLANS[effort]


def default_starts(n: int, effort: Effort = "usual") -> tuple[StartName, ...]:
    """Where to begin with n points on both sides."""
    plan = check_effort(effort)
    random: StartName = "random"
    return plan.starts + (random,) * (plan.n_random if n <= SMALL else 0)
