"""Rival rules that cut a map into groups: what each finds, and what each cannot."""

import doctest
from itertools import combinations, pairwise

import numpy as np
import pytest

import funcsim as fs
from funcsim.simulated_maps import as_map, planted_map
from replication.benchmark import first_edition, rules, segments
from replication.benchmark.rules import ALWAYS_CUT, RULES
from replication.benchmark.segments import merged_segmentations, optimal_segmentations, within


def layer_map(values, **described):
    names = tuple(f"layer {i}" for i in range(len(values)))
    return fs.LayerMap(np.asarray(values), names, names, "rsm", "mean", 100, **described)


def two_groups(size, noise=0.02):
    """Two unequal groups; from six layers on neither is of two layers."""
    first = max(2, size // 2 - size // 6)
    values, starts = planted_map(np.array([first, size - first]), noise, np.random.default_rng(size))
    return layer_map(values), starts


def flat(size, noise=0.02):
    return layer_map(as_map(1 + noise * np.random.default_rng(size).normal(size=(size, size))))


@pytest.mark.parametrize("size", [4, 9, 24, 40])
@pytest.mark.parametrize("name", [name for name in RULES if name not in ALWAYS_CUT])
def test_two_groups_are_found_and_a_flat_map_is_left_whole(name, size):
    found, starts = two_groups(size)
    assert RULES[name](found) == starts
    assert RULES[name](flat(size)) == ()


@pytest.mark.parametrize("size", [4, 9, 24, 40])
@pytest.mark.parametrize("name", ALWAYS_CUT)
def test_two_rules_cannot_answer_one_group(name, size):
    assert RULES[name](flat(size)) != ()
    found, starts = two_groups(size, noise=0.0)
    if size > 4:  # of two and two layers the sums of rows, which SGLP segments, are equal
        assert RULES[name](found) == starts
    assert set(RULES["LoRP"](two_groups(size)[0])) >= set(starts)


def test_sglp_asks_for_many_segments_as_soon_as_there_is_noise():
    found, starts = two_groups(24)
    cuts = RULES["SGLP"](found)
    assert len(cuts) == rules.SGLP_MAX_SEGMENTS - 1
    assert set(starts) < set(cuts)


@pytest.mark.parametrize("name", [*RULES])
def test_boundaries_are_inside_the_chain_and_the_same_each_time(name):
    rng = np.random.default_rng(0)
    for size in (4, 9, 24, 40):
        for noise, drift in ((0.1, 0.0), (0.6, 0.1)):
            values, _ = planted_map(np.array([size // 2, size - size // 2]), noise, rng, drift=drift)
            cuts = RULES[name](layer_map(values))
            assert all(isinstance(cut, int) for cut in cuts)
            assert [*cuts] == sorted({*cuts} & {*range(1, size)})
            assert RULES[name](layer_map(values)) == cuts


@pytest.mark.parametrize("name", [*RULES])
def test_layers_that_are_all_the_same(name):
    assert (RULES[name](layer_map(np.zeros((9, 9)))) == ()) == (name not in ALWAYS_CUT)


@pytest.mark.parametrize("name", [name for name in RULES if name != "SGLP"])
def test_three_groups_and_a_map_of_similarities(name):
    values, starts = planted_map(np.array([7, 9, 8]), 0.02, np.random.default_rng(0))
    similar = layer_map(1 - values / 1.6, is_similarity=True)
    if name == "LoRP":  # the mean similarity, 0.26, asks for two clusters
        assert len(set(RULES[name](similar)) & set(starts)) >= 1
    elif name == "largest step":
        assert len(RULES[name](similar)) == 1
        assert set(RULES[name](similar)) < set(starts)
    else:
        assert RULES[name](similar) == starts


def test_lorp_takes_the_number_of_clusters_from_the_mean_similarity():
    def map_of(mean, k):
        inside = np.kron(np.eye(k), np.ones((12 // k, 12 // k)))
        share = (inside.sum() - 12) / (12 * 11)
        between = (mean - 0.99 * share) / (1 - share)
        return layer_map(np.where(inside > 0, 0.99, between) + 0.01 * np.eye(12), is_similarity=True)

    assert RULES["LoRP"](map_of(0.49, 2)) == (6,)
    assert RULES["LoRP"](map_of(0.55, 3)) == (4, 8)
    assert RULES["LoRP"](map_of(0.65, 4)) == (3, 6, 9)


def test_the_largest_step_has_to_be_twice_the_median():
    def path(steps):
        where = np.append(0, np.cumsum(steps))
        return layer_map(np.abs(np.subtract.outer(where, where)))

    assert RULES["largest step"](path([1, 1, 2.01, 1, 1])) == (3,)
    assert RULES["largest step"](path([1, 1, 1.99, 1, 1])) == ()


def test_shuffles_keep_the_number_of_layers_in_between():
    rows, columns = np.triu_indices(9, 1)
    lags = (columns - rows)[rules._shuffles(9)]
    assert (lags == columns - rows).all()
    assert (np.sort(rules._shuffles(9), axis=1) == np.arange(36)).all()
    assert (rules._shuffles(9) != np.arange(36)).any(axis=1).all()


def test_the_scatter_inside_a_segment_is_that_around_its_mean():
    x = np.random.default_rng(0).normal(size=(7, 3))
    cost = within(((x[:, None] - x) ** 2).sum(axis=-1))
    for a, b in combinations(range(8), 2):
        assert cost[a, b] == pytest.approx(((x[a:b] - x[a:b].mean(axis=0)) ** 2).sum())
    assert np.isinf(cost[np.tril_indices(8)]).all()


@pytest.mark.parametrize("size", [4, 6, 9])
def test_optimal_segmentation_is_the_best_of_all(size):
    cost = within(as_map(np.random.default_rng(size).normal(size=(size, size))))
    found = optimal_segmentations(cost, size)
    assert len(found) == size
    for k, (total, starts) in enumerate(found, start=1):
        every = {
            cuts: sum(cost[a, b] for a, b in pairwise((0, *cuts, size)))
            for cuts in combinations(range(1, size), k - 1)
        }
        assert total == pytest.approx(min(every.values()))
        assert every[starts] == pytest.approx(total)


def test_neighbours_are_merged_where_least_is_added():
    rng = np.random.default_rng(0)
    costs = np.stack([within(as_map(rng.normal(size=(8, 8)))) for _ in range(3)])
    totals, levels = merged_segmentations(costs)
    for cost, total, level in zip(costs, totals, levels, strict=True):
        edges = [*range(9)]
        for left in range(7, 0, -1):
            added = [
                cost[a, c] - cost[a, b] - cost[b, c]
                for a, b, c in zip(edges[:-2], edges[1:-1], edges[2:], strict=True)
            ]
            cut = edges.pop(int(np.argmin(added)) + 1)
            assert level[cut - 1] == left
            assert total[left - 1] == pytest.approx(sum(cost[a, b] for a, b in pairwise(edges)))


@pytest.mark.parametrize("name", [name for name in RULES if name != "first edition"])
def test_too_few_layers_and_holes_are_refused(name):
    with pytest.raises(ValueError, match="3 layers; the rules cut maps of at least 4"):
        RULES[name](layer_map(np.zeros((3, 3))))
    with pytest.raises(ValueError, match="NaN or infinity"):
        RULES[name](layer_map(np.full((5, 5), np.nan)))


def test_the_first_edition_finds_several_groups_and_no_group_in_three_layers():
    values, starts = planted_map(np.array([6, 5, 7, 6]), 0.1, np.random.default_rng(0), drift=0.02)
    assert RULES["first edition"](layer_map(values)) == starts
    assert RULES["first edition"](layer_map(np.zeros((3, 3)))) == ()
    where = np.linspace(0, 1, 24)
    assert RULES["first edition"](layer_map(np.abs(np.subtract.outer(where, where)))) == ()


@pytest.mark.parametrize("module", [first_edition, segments])
def test_examples(module):
    tried = doctest.testmod(module)
    assert tried.attempted > 0
    assert tried.failed == 0
