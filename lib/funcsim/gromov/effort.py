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
        Where to begin with equal numbers of points. "product" leads to where POT ends, and is always
        descended to its end.
    n_random : int
        Starts at random besides, for clouds of at most `SMALL` points.
    steps : int or None
        At most so many steps from any other start; None for as many as help.
    reheated : tuple of float
        Temperatures at which the best matching is made soft again, and descended from anew.
    polished : bool
        Whether the best matching is improved by exchanges.
    polishes_all : bool
        Whether that is done after each descent, and reheating is repeated as long as it helps.
    """

    starts: tuple[StartName, ...]
    n_random: int
    steps: int | None = None
    reheated: tuple[float, ...] = ()
    polished: bool = True
    polishes_all: bool = False


PLANS: dict[str, Plan] = {
    "quick": Plan(("product", "graduated", "identity"), 8, steps=3, polished=False),
    "usual": Plan(("product", "graduated", "identity"), 8, reheated=(0.005,)),
    "thorough": Plan(
        ("product", "graduated", "identity", "entropic", "entropic, cooler", "entropic, warmer"),
        32,
        reheated=(0.01, 0.005, 0.0025),
        polishes_all=True,
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
