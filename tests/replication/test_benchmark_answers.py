"""Answers by the rules of the protocol: on rows made for it, and those that chapter 13 says."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replication.benchmark import scores
from replication.benchmark.answers import answers
from replication.errors import StoredResultError

CHAPTER = Path(__file__).resolve().parents[2] / "notebooks" / "13-is-the-boundary-real.py"


def rows(gw, cka, handed=0.0, rsm=0.4, f1=0.8, guess=0.2, alarms=0.0):
    """Designs of four families: skill of three measures, and of GW where no function begins."""
    rng, table = np.random.default_rng(0), []
    for family, n, k in (
        ("chains", 10, 2),
        ("streams", 12, 2),
        ("handed-on", 10, 1),
        ("one-function", 50, 1),
    ):
        for at in range(n):
            about = {
                "family": family,
                "network": str(at),
                "seed": 0,
                "learned": True,
                "layers": "ends",
                "K": k,
            }
            about |= {"parts": 1 if family == "streams" or at >= 6 else 2, "places": 8, "starts": "4"}
            for name, skill in (("gw", gw if k == 2 else handed), ("cka", cka), ("rsm", rsm)):
                noise = 0.02 * rng.normal()
                row = {"sort": "measure", "entrant": name, "skill 0": skill + noise}
                row |= {"f1": f1} if k == 2 else {"alarm": alarms}
                table.append(about | row)
            table.append(about | {"sort": "guess", "entrant": "new parts", "skill 0": 0.0, "f1": guess})
    return pd.DataFrame(table)


def test_a_measure_that_finds_function_alone_gets_all_it_claims():
    found = answers(rows(gw=0.9, cka=0.3))  # with sixty silent designs: fewer cannot bound alarms by 10 %
    assert found == {
        "C33": "agrees",
        "C36": "agrees",
        "D04": "answered",
        "D05": "answered",
        "D11": "answered",
    }


def test_what_is_no_better_than_others_than_chance_or_than_a_guess_does_not():
    found = answers(rows(gw=-0.1, cka=-0.1, f1=0.2, guess=0.2))
    assert found == {
        "C33": "disagrees",
        "C36": "disagrees",
        "D04": "justified",
        "D05": "justified",
        "D11": "justified",
    }


def test_between_the_two_nothing_is_decided():
    found = answers(rows(gw=0.6, cka=0.4, handed=0.6, rsm=0.9, alarms=0.5))
    assert found["C33"] == "agrees"  # one of two others
    assert answers(rows(gw=0.6, cka=0.6, rsm=0.4))["C33"] == "undecided"
    assert (found["C36"], found["D04"], found["D11"]) == ("undecided", "open", "open")
    wide = rows(gw=0.5, cka=0.5)
    wide.loc[wide["entrant"] == "cka", "skill 0"] += np.random.default_rng(1).normal(size=len(wide) // 4)
    assert answers(wide)["D05"] == "open"


def test_the_chapter_says_what_follows():
    try:
        found = answers(scores.load_rows())
    except StoredResultError as missing:
        pytest.skip(str(missing))
    said = dict(re.findall(r"^# \| ([CD]\d\d)[^|]*\| [^|]*\| (\w+)", CHAPTER.read_text(), flags=re.M))
    assert {claim: said[claim] for claim in found} == found
