"""Which run of blocks is left out of a decoder: rules and scores, where the right answer is known."""

from dataclasses import replace

import numpy as np
import pytest

import funcsim as fs
from replication.decoder import experiment, proposals

L, N = 10, 40
RUNS = np.array([(first, stop) for first in range(L) for stop in range(first + 1, L + 1)])


def layer_map(places, measure):
    """Of layers on a line."""
    values = np.abs(np.subtract.outer(places, places)).astype(float)
    if similar := measure in ("rsa", "cka-debiased", "cosine"):
        values = np.exp(-values / 20)
    names = tuple(f"blocks.{k}" for k in range(L))
    return fs.LayerMap(
        values, names, names, measure=measure, normalize="mean", is_similarity=similar, n_samples=N
    )


@pytest.fixture
def asked():
    """Without a run the loss grows by how far apart its two ends are on a line with uneven steps."""
    rng = np.random.default_rng(0)
    cheap = np.cumsum([0, 9, 1, 5, 1, 8, 1, 4, 9, 2]).astype(float)
    other = np.cumsum(rng.permutation([0.0, 9, 1, 5, 1, 8, 1, 4, 9, 2])[::-1])
    first, stop = RUNS.T
    cost = np.where(first > 0, np.abs(cheap[first - 1] - cheap[stop - 1]), 99)
    whole = rng.uniform(3, 4, N)
    noise = 0.1 * rng.normal(size=(len(RUNS), N))
    places = {"gw": cheap, "rsm": cheap, "rsa": other, "cka-debiased": other, "cosine": other}
    maps = {
        f"{draw}/{pooling}/{measure}": layer_map(x, measure)
        for draw in "ab"
        for pooling in ("mean", "last")
        for measure, x in places.items()
    }
    states = np.concatenate([[-1.0], other / other.max()])
    return experiment.Asked(
        maps=maps,
        twins=np.stack([layer_map(np.arange(L), "gw").values] * 19),
        seeds=np.arange(19),
        cosines=dict.fromkeys("ab", 1 - np.abs(np.subtract.outer(states, states)) / 2),
        whole=whole,
        runs=RUNS,
        without=whole + cost[:, None] + noise,
        history=None,
        record=None,
    )


def test_a_rule_that_knows_the_cost_scores_1_and_one_that_says_nothing_0(asked):
    cost = proposals.costs(asked).mean(axis=1)
    assert proposals.score(asked, cost, cost) == pytest.approx(1)
    assert proposals.score(asked, np.zeros(len(RUNS)), cost) == pytest.approx(0, abs=1e-12)
    assert proposals.score(asked, -cost, cost) < -0.5


def test_the_first_block_stays(asked):
    """Its cost is not looked at, whatever a rule says of it."""
    cost = proposals.costs(asked).mean(axis=1)
    tempting = np.where(RUNS[:, 0] == 0, -100.0, cost)
    assert proposals.score(asked, tempting, tempting) == pytest.approx(proposals.score(asked, cost, cost))
    assert proposals.candidates(asked, (1, 2)).sum() == (L - 1) + (L - 2)


def test_runs_that_tie_share_the_proposal(asked):
    predicted = np.where(np.isin(RUNS[:, 0], (3, 5)), 0.0, 1.0)
    weight = proposals.proposal(asked, predicted, 2)
    of_length = RUNS[proposals.candidates(asked, (2,))]
    assert weight.sum() == pytest.approx(1)
    assert of_length[weight > 0].tolist() == [[3, 5], [5, 7]]


def test_a_map_is_read_where_a_run_is_entered_and_left(asked):
    found = proposals.predictions(asked, "a")
    values = asked.maps["a/mean/gw"].values
    at = {tuple(run): k for k, run in enumerate(RUNS.tolist())}
    assert found["gw"][at[3, 6]] == pytest.approx(values[2, 5])
    assert np.isnan(found["gw"][at[0, 2]])
    assert found["state cosine"][at[3, 6]] == pytest.approx(1 - asked.cosines["a"][3, 6])
    steps = 1 - np.diag(asked.cosines["a"], 1)
    assert found["block influence"][at[3, 6]] == pytest.approx(steps[3:6].sum())
    assert found["late first"][at[3, 6]] < found["late first"][at[2, 5]]


def test_boundaries_count_if_a_run_reaches_across_them():
    runs = np.array([[2, 4], [3, 4], [4, 6], [1, 3]])
    assert proposals._boundaries_inside((3, 4), runs).tolist() == [1, 1, 1, 0]
    assert proposals._boundaries_inside((), runs).tolist() == [0, 0, 0, 0]


def test_the_table_ranks_rules(asked):
    table = proposals.scores(asked, "a")
    assert table.loc["gw", "score"] > 0.9
    assert table.loc["gw", "low"] <= table.loc["gw", "score"] <= table.loc["gw", "high"]
    assert table.loc["gw", "p"] < 0.05
    assert table.loc["cka-debiased", "score"] < 0.7
    assert table.loc["gw", "over cka low"] > 0
    assert table.loc["cka-debiased", ["over cka low", "over cka high"]].tolist() == [0, 0]
    assert np.isnan(table.loc["late first", "p"])
    assert set(experiment.MEASURES) < set(table.index)


def test_random_rules_are_coherent_and_score_about_0(asked):
    cost = proposals.costs(asked).mean(axis=1)
    found = proposals._random_scores(asked, cost, np.random.default_rng(0), (1,))
    assert found.mean() == pytest.approx(0, abs=0.05)
    both = proposals._random_scores(asked, cost, np.random.default_rng(0), (5, 6))
    one = proposals._random_scores(asked, cost, np.random.default_rng(0), (5,))
    other = proposals._random_scores(asked, cost, np.random.default_rng(0), (6,))
    assert both == pytest.approx((one + other) / 2)
    assert np.corrcoef(one, other)[0, 1] > 0.1  # one set of numbers for all lengths; else near 0


def test_answers_follow_the_protocol(asked):
    assert proposals.answers(asked) == {"C33": "agrees", "C36": "undecided", "D04": "answered"}
    poor = dict(asked.maps)
    for draw in "ab":
        places = asked.maps[f"{draw}/mean/gw"].values[0]
        wrong = -20 * np.log(asked.maps[f"{draw}/mean/rsa"].values[0])
        poor[f"{draw}/mean/gw"] = layer_map(wrong, "gw")
        poor[f"{draw}/mean/cka-debiased"] = layer_map(places, "cka-debiased")
    found = proposals.answers(replace(asked, maps=poor))
    assert (found["C33"], found["D04"]) == ("disagrees", "justified")
    only_one = asked.maps | {"b/mean/gw": poor["b/mean/gw"]}
    found = proposals.answers(replace(asked, maps=only_one))
    assert (found["C33"], found["D04"]) == ("undecided", "open")


def test_a_boundary_counts_only_if_untrained_copies_have_none(asked):
    places = np.cumsum([0, 1.0, 1.1, 0.9, 1, 40, 1.1, 1, 0.9, 1])
    cut = asked.maps | {f"{draw}/mean/gw": layer_map(places, "gw") for draw in "ab"}
    assert proposals.answers(replace(asked, maps=cut))["C36"] == "agrees"
    twins = np.stack([layer_map(places, "gw").values] * 19)
    assert proposals.answers(replace(asked, maps=cut, twins=twins))["C36"] == "undecided"


def test_a_real_run_is_judged():
    tiny = experiment.load("smoke")
    table = proposals.scores(tiny, "b", lengths=(1, 2))
    assert table["score"].notna().all()
    assert (table["score"] <= 1 + 1e-9).all()
