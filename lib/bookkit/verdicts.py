"""One answer for each claim and each doubt, from all rows about it, by a rule that the scorecard states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

#: Whether a row tests what was claimed as it was claimed, or on a network, a task or a scale of our own.
CONDITIONS = ("paper", "ours")
#: The word that a row begins with: what it says of a claim (C) or of a doubt (D).
RESULTS = {"C": ("agrees", "disagrees", "undecided"), "D": ("justified", "answered", "open")}
#: What all rows together say.
ANSWERS = {"C": ("holds", "differs", "cannot tell"), "D": ("justified", "answered", "open")}


@dataclass(frozen=True)
class Verdict:
    """The answer to a claim or a doubt, one of :data:`ANSWERS`, and in a few words why."""

    answer: str
    why: str


def on_claim(rows: Sequence[tuple[str, str]]) -> Verdict:
    """From the conditions and results of all rows about a claim.

    It differs as soon as a row under the paper's own condition disagrees. It holds if one of these agrees and
    no row disagrees. Otherwise we cannot tell.
    """
    as_claimed = [result for condition, result in rows if condition == "paper"]
    contrary = any(result == "disagrees" for _, result in rows)
    if "disagrees" in as_claimed:
        return Verdict("differs", "a row under the paper's own condition disagrees")
    if "agrees" in as_claimed and not contrary:
        return Verdict("holds", "a row under the paper's own condition agrees, and none disagrees")
    if not rows:
        return Verdict("cannot tell", "no chapter tests it")
    if not as_claimed:
        found = Counter(result for _, result in rows)
        under_ours = ", ".join(f"{word} {found[word]}" for word in RESULTS["C"] if found[word])
        return Verdict("cannot tell", f"the paper's own condition was not tested; under ours: {under_ours}")
    if "agrees" in as_claimed:
        return Verdict("cannot tell", "under conditions of our own a row disagrees")
    return Verdict("cannot tell", "the paper's own condition did not decide it")


def on_doubt(results: Sequence[str]) -> Verdict:
    """From the results of all rows about a doubt.

    It is justified as soon as a row bears it out. It is answered if a row answers it and none leaves it open.
    Otherwise it is open.
    """
    if "justified" in results:
        return Verdict("justified", "a row bears it out")
    if "answered" in results and "open" not in results:
        return Verdict("answered", "no row leaves it open")
    return Verdict("open", "a row leaves it open" if results else "no chapter takes it up")
