"""Scores of entrants on networks whose boundaries are known, and what they amount to."""

import argparse
import json
import time
from math import comb

import numpy as np
import pandas as pd
import pytest

import funcsim as fs
from replication.benchmark import __main__ as command
from replication.benchmark import judgement, scores
from replication.benchmark.entrants import MEASURES, Found, entrants
from replication.benchmark.map_variants import VARIANTS
from replication.benchmark.precision import average_precision, random_precisions, skill
from replication.known.networks import KnownLayers
from replication.stored import data_dir


def known(functions, stages=None, parts=None, at=()):
    """A network whose layers stay the same but for fresh clouds where `at` says."""
    rng = np.random.default_rng(0)
    layers, cloud = {}, rng.normal(size=(30, 4))
    for k in range(len(functions)):
        cloud = rng.normal(size=(30, 4)) if k in at else cloud
        layers[f"parts.0.blocks.{k}.end"] = cloud + 0.01 * rng.normal(size=(30, 4))
    n = len(functions)
    stages, parts = stages or functions, parts or (0,) * n
    reps = fs.Representations(layers)
    return KnownLayers(
        reps, ("end",) * n, tuple(parts), tuple(stages), tuple(functions), (1.0,), 0, True, 0.0
    )


def test_average_precision_by_hand():
    evidence = np.array([9.0, 1, 5, 4, 0.5, 3])  # places 2, 3, 5, 1, 4; the first entry is no place
    assert average_precision(evidence, (2, 3)) == 1
    assert average_precision(evidence, (5,)) == pytest.approx(1 / 3)
    assert average_precision(evidence, (2, 4)) == pytest.approx((1 + 2 / 5) / 2)
    assert average_precision(evidence, (4,), tolerance=1) == pytest.approx(1 / 2)  # by place 3
    assert average_precision(evidence, (2, 4), tolerance=1) == 1  # place 3 claims the boundary at 4
    # Place 2 claims the boundary at 1; 3 has none left; 5 claims its own.
    assert average_precision(evidence, (1, 5), tolerance=1) == pytest.approx((1 + 2 / 3) / 2)
    # Place 2 claims the nearest boundary, so that the next place, 4, can claim the one at 3.
    assert average_precision(np.array([0, 1.0, 5, 3, 4, 0.5]), (2, 3), tolerance=1) == 1
    assert average_precision(np.array([0.0, 1, 2, -np.inf]), (3,)) == pytest.approx(1 / 3)


def test_a_tie_is_what_chance_makes_of_it():
    flat = average_precision(np.zeros(9), (1,))
    chance = np.mean([1 / rank for rank in range(1, 9)])
    assert flat == pytest.approx(chance, abs=0.1)
    assert random_precisions(8, (3,)).mean() == pytest.approx(chance, abs=0.02)
    assert skill(1.0, 8, (3,)) == 1
    assert skill(random_precisions(8, (3,)), 8, (3,)).mean() == pytest.approx(0, abs=1e-12)


def test_evidence_or_truth_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="NaN at some layer; give minus infinity"):
        average_precision(np.array([0, np.nan, 1.0]), (1,))
    for true in ((), (0,), (3,)):
        with pytest.raises(ValueError, match="boundaries lie at 1 to 2"):
            average_precision(np.array([0, 2.0, 1.0]), true)


def test_the_rows_of_a_network_with_a_boundary_and_of_one_without():
    several, single = known([0] * 4 + [1] * 4), known([0] * 8, stages=[0] * 4 + [1] * 4)
    found = Found(np.array([0, 1.0, 2, 3, 9, 4, 5, 6]), (4, 6), (4,))
    row = scores.row(several, found)
    assert (row["K"], row["skill 0"], row["exact"]) == (2, 1, 0)
    assert row["f1"] == pytest.approx(2 / 3)
    pairs_in_both = comb(4, 2) + 1 + 1  # groups of 4, 2, 2 and of 4, 4
    expected = pairs_in_both * 12 / comb(8, 2)
    assert row["ari"] == pytest.approx((pairs_in_both - expected) / ((8 + 12) / 2 - expected))
    assert row["f1 given K"] == row["ari given K"] == 1
    assert "alarm" not in row
    row = scores.row(single, found)
    assert (row["K"], row["alarm"], row["skill 0"]) == (1, 1, 1)  # as if the stage were a function
    assert "f1" not in row
    assert scores.row(single, Found(cuts=()))["alarm"] == 0
    assert scores.row(known([0] * 8), found)["skill 0"] is None


def test_every_measure_and_rule_takes_part_and_finds_what_is_plain():
    plain = known([0] * 5 + [1] * 5, at=(5,))
    found = {(sort, name): says for sort, name, says in entrants(plain)}
    assert {name for sort, name in found if sort == "measure"} == set(MEASURES)
    assert len(MEASURES) == len(fs.measures()) - 1
    assert {sort for sort, _ in found} == {"measure", "rule", "variant", "guess"}
    assert {name for sort, name in found if sort == "variant"} == set(VARIANTS)
    assert len([1 for sort, _ in found if sort == "rule"]) == 16
    assert found["measure", "rsm"].cuts == found["measure", "gw"].given == (5,)
    assert found["guess", "equal groups"].given == (5,)
    assert found["guess", "one group"].cuts == ()
    assert found["guess", "new parts"].cuts == ()


def table(gaps, entrant="other", families=("a",), score="skill 0"):
    """Rows of two entrants: GW at 0.5, and one that many above it in each design."""
    rows = []
    for k, gap in enumerate(gaps):
        about = {"family": families[k % len(families)], "network": str(k), "seed": 0, "K": 2, "learned": True}
        rows += [about | {"entrant": "gw", score: 0.5}, about | {"entrant": entrant, score: 0.5 + gap}]
    return pd.DataFrame(rows)


def test_an_entrant_is_told_apart_from_gw_if_its_interval_excludes_nothing():
    rng = np.random.default_rng(0)
    verdicts = [
        judgement.against(table(m + 0.1 * rng.normal(size=30)))["verdict"]["other"] for m in (0.2, 0, -0.2)
    ]
    assert verdicts == ["better", "not told apart", "worse"]
    found = judgement.against(table(0.2 + 0.1 * np.tile([-1, 1], 15)))
    spread = np.std(0.1 * np.tile([-1, 1], 15), ddof=1)
    assert found.loc["other", "needed"] == np.ceil(((1.959964 + 0.841621) * spread / 0.2) ** 2)
    assert found.loc["other", "needed for 0.10"] == np.ceil(((1.959964 + 0.841621) * spread / 0.1) ** 2)
    with pytest.raises(ValueError, match="'cka' has no 'skill 0' in these rows; there is gw, other"):
        judgement.against(table([0.1, 0.2]), reference="cka")


def test_intervals_are_wider_for_more_entrants_and_hold_as_often_as_they_say():
    rng, held = np.random.default_rng(1), 0
    index = pd.MultiIndex.from_tuples([("a", str(k)) for k in range(40)], names=judgement.DESIGN)
    for _ in range(100):
        scored = pd.DataFrame(rng.normal(size=(40, 6)), index=index)
        draws = judgement.drawn_means(scored, rng, 500)
        found = judgement.intervals(scored.mean(), draws)
        held += bool(((found["low"] <= 0) & (found["high"] >= 0)).all())
    assert 86 <= held <= 100  # 95 on average, a little less with 40 designs
    alone = judgement.intervals(scored[[0]].mean(), draws[:, [0]])
    assert found.loc[0, "high"] - found.loc[0, "low"] > 1.2 * (alone["high"] - alone["low"]).item()


def test_designs_are_drawn_within_their_family():
    index = pd.MultiIndex.from_tuples([("a", "1"), ("a", "2"), ("b", "3")], names=judgement.DESIGN)
    drawn = judgement.drawn_means(
        pd.DataFrame({"x": [0.0, 0.0, 3.0]}, index=index), np.random.default_rng(0), 50
    )
    assert (drawn == 1).all()


def test_seeds_of_a_design_are_one_unit_and_what_did_not_learn_is_left_out():
    rows = pd.concat(
        [table([0.2, 0.4]), table([0.4, 0.4]).assign(seed=1), table([9, 9]).assign(learned=False)]
    )
    found = judgement.by_design(rows, "skill 0")
    assert found["other"].tolist() == pytest.approx([0.8, 0.9])
    assert len(found) == 2


def test_silence_in_all_networks_has_an_upper_bound():
    rows = table([0] * 10, score="alarm").assign(K=1)
    rows.loc[rows["entrant"] == "gw", "alarm"] = 0.0
    found = judgement.alarms(rows)
    assert found.loc["gw", ["mean", "low"]].tolist() == [0, 0]
    assert found.loc["gw", "high"] == pytest.approx(1 - (0.05 / 4) ** (1 / 10))
    assert found.loc["gw", "high"] < 1


def test_better_than_chance_is_corrected_for_all_entrants():
    rows = table(np.full(20, 0.5)).assign(places=8, starts="3")
    rng = np.random.default_rng(0)
    drawn = skill(rng.choice(random_precisions(8, (3,)), 20), 8, (3,))
    rows.loc[rows["entrant"] == "gw", "skill 0"] = drawn
    found = judgement.beyond_chance(rows)
    assert found.loc["other", "p"] == pytest.approx(1 / 2001)
    assert found.loc["other", "p corrected"] == pytest.approx(2 / 2001)
    assert found.loc["gw", "p corrected"] == found.loc["gw", "p"] > 0.01


def test_what_finds_architecture_is_told_from_what_finds_function():
    parts = []
    for family, n_parts, skills in (
        ("chains", 2, (1.0, 1.0)),
        ("streams", 1, (1.0, 1.0)),
        ("handed-on", 2, (1.0, 0.0)),
        ("handed-on", 1, (1.0, 0.5)),
    ):
        for k in range(6):
            about = {
                "family": family,
                "network": f"{n_parts} {k}",
                "seed": 0,
                "learned": True,
                "parts": n_parts,
            }
            noise = 0.01 * (-1) ** k
            parts += [about | {"entrant": e, "skill 0": s + noise} for e, s in zip("ab", skills, strict=True)]
    found = judgement.function_or_architecture(pd.DataFrame(parts))
    assert list(found) == ["embedded again", "one stream"]
    for gap, expected in zip(found.values(), (1, 0.5), strict=True):
        assert gap.loc["a", "low"] < 0 < gap.loc["a", "high"]  # finds the hand-over, whatever follows
        assert gap.loc["b", "low"] > expected - 0.1
        assert gap.loc["b", "mean"] == pytest.approx(expected)


def test_what_an_entry_returns_is_distances_evidence_or_boundaries():
    plain = known([0] * 4 + [1] * 4)
    apart = (
        np.add.outer(range(8), range(8)) * 0.0
        + np.not_equal.outer(np.arange(8) // 4, np.arange(8) // 4) * 5.0
    )
    line = np.abs(np.subtract.outer(np.arange(8.0), np.arange(8.0))) + apart
    assert command.answer("e", line, plain).given == (4,)
    assert command.answer("e", np.arange(8.0), plain).given == (7,)
    assert command.answer("e", np.arange(8.0), plain).cuts is None
    assert command.answer("e", (6, 4), plain) == Found(cuts=(4, 6))
    assert command.answer("e", [], plain) == Found(cuts=())
    with pytest.raises(command.EntryError, match=r"groups start at \(8,\); with 8 layers that is 1 to 7"):
        command.answer("e", (8,), plain)
    for wrong in (np.zeros(7), np.full((8, 8), np.nan), "4", np.arange(8)):
        with pytest.raises(command.EntryError, match=r"return finite distances \(8, 8\), evidence \(8,\)"):
            command.answer("e", wrong, plain)


def test_an_entry_is_scored_beside_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_own_entry.py").write_text(
        "import numpy as np\n"
        "def late(reps):\n    return np.arange(len(reps), dtype=float)\n"
        "def cut(m):\n    return m.names and (3,)\n"
    )
    told = ["--profile", "smoke", "--seeds", "0", "--families", "chains", "handed-on"]
    assert command.main(["--entry", "my_own_entry:late", *told, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "my_own_entry:late" in printed
    assert "rsm" in printed
    written = json.loads((tmp_path / "out" / "table.json").read_text())
    assert written["my_own_entry:late"]["f1 given K"] == 0
    assert len(pd.read_csv(tmp_path / "out" / "rows.csv")) == 2
    assert command.main(["--entry", "my_own_entry:cut", "--of", "rsm", *told]) == 0
    assert "my_own_entry:cut" in capsys.readouterr().out


def test_without_an_entry_there_is_the_table_of_those_that_are_stored(tmp_path, monkeypatch, capsys):
    told = ["--profile", "smoke", "--seeds", "0", "--families", "chains", "handed-on"]
    assert command.main([*told, "--out", str(tmp_path)]) == 0
    assert "rsm" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "table.csv", index_col=0)
    assert {"rsm", "cka", "middle first", "SGLP, gw"} - {*table.index} == {"SGLP, gw"}
    assert set(json.loads((tmp_path / "table.json").read_text())) == set(table.index)
    assert not (tmp_path / "rows.csv").exists()
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path))
    assert command.main(["--seeds", "0"]) == 2
    said = capsys.readouterr().err
    assert "the other entrants are left out" in said
    assert "there is nothing to show" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "names no function; write module:function"),
        ("no_such_module:f", "is the module in this folder, or installed"),
        ("json:nothing", "'json' has no function 'nothing'"),
    ],
)
def test_an_entry_that_is_not_there_is_named(name, said, capsys):
    assert command.main(["--entry", name]) == 2
    assert said in capsys.readouterr().err


def test_an_entry_that_answers_nonsense_is_told_what_to_return():
    options = argparse.Namespace(families=["chains"], profile="smoke", layers="ends", of=None)
    with pytest.raises(command.EntryError, match="return finite distances"):
        command.score_entry("mine", lambda reps: "at block 4", options, [0])


def test_equal_rows_are_equal_files_whenever_they_are_written(tmp_path):
    rows = pd.DataFrame({"network": ["01"], "starts": ["3 7"], "skill 0": [0.5]})
    once, again = tmp_path / "a.csv.gz", tmp_path / "b.csv.gz"
    scores._write(once, rows)
    time.sleep(1.1)
    scores._write(again, rows)
    assert once.read_bytes() == again.read_bytes()
    pd.testing.assert_frame_equal(scores._read_rows(once), rows)


def test_the_table_that_is_stored_is_that_of_the_rows(tmp_path, capsys):
    stored = data_dir() / scores.NAME / "table.csv"
    if not stored.exists():
        pytest.skip("no scores are stored here")
    assert command.main(["--out", str(tmp_path)]) == 0
    made, kept = (pd.read_csv(path, index_col=0) for path in (tmp_path / "table.csv", stored))
    pd.testing.assert_frame_equal(made, kept, atol=2e-4)
    assert json.loads(stored.with_suffix(".json").read_text()).keys() == set(kept.index)
