import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

import funcsim as fs
from benchmarks import partition as bench
from funcsim import simulated_maps, viz
from funcsim._partition import partition_into
from funcsim.change_points import (
    SIDE_LAYERS,
    _fit,
    _positions,
    evidence_table,
    max_statistic,
    null_distribution,
    optimal_change_points,
    studentised_jumps,
    window_shapes,
)
from funcsim.layer_map import dissimilarity


def as_map(values, **kwargs):
    names = tuple(f"layer{i}" for i in range(len(values)))
    return fs.LayerMap(values, names, names, "gw", "mean", 10, **kwargs)


def blocks(sizes, noise=0.1, seed=0, **kwargs):
    return as_map(
        simulated_maps.planted_map(np.array(sizes), noise, np.random.default_rng(seed), **kwargs)[0]
    )


def line(positions):
    return np.abs(np.subtract.outer(positions, positions))


def drifting(size, noise=0.3, seed=0):
    e = noise * np.random.default_rng(seed).normal(size=(size, size))
    return as_map(simulated_maps.as_map(1 + line(np.arange(size)) / size + e))


def p_values(family, size, n, seed=1):
    rng = np.random.default_rng(seed)
    maps = np.stack([simulated_maps.drift_map(family, size, rng) for _ in range(n)])
    null = null_distribution(size, 999, 0)
    return (1 + (null >= max_statistic(maps)[:, None]).sum(axis=1)) / 1000


# The scan of windows


@given(st.lists(st.floats(0, 10), min_size=4, max_size=9), st.integers(0, 10**6))
def test_positions_on_a_line_are_read_back_whatever_layers_add_inside(gaps, seed):
    """An amount that an inner layer adds to all its distances cancels."""
    at = np.cumsum(gaps)
    n = len(at)
    added = np.zeros(n)
    added[1:-1] = np.random.default_rng(seed).normal(size=n - 2)
    values = line(at) + np.add.outer(added, added)
    read = _positions(n) @ values.ravel()
    # the first and the last step have layers on one side only, and see half of it or all
    assert np.diff(read)[2:-2] == pytest.approx(np.diff(at)[2:-2], abs=1e-9)
    assert _positions(n) @ line(at).ravel() == pytest.approx(at - at[0], abs=1e-9)


@pytest.mark.parametrize(("left", "right"), [(2, 2), (2, 5), (8, 6)])
def test_a_line_with_a_jump_is_fitted_exactly(left, right):
    x = np.arange(left + right)
    read, leave, variance = _fit(left, right)
    truth = 3 + 0.7 * x + 2.0 * (x >= left)
    assert read @ truth == pytest.approx([0.7, 2.0])
    assert leave @ truth == pytest.approx(0, abs=1e-9)
    assert leave.shape == (left + right - 3, left + right)
    assert variance > 0


def test_windows_fit_the_map_and_stay_narrow():
    for size in (4, 5, 7, 12, 31, 93):
        shapes = window_shapes(size)
        assert (2, 2) in shapes
        assert all(a + b <= size and {a, b} <= set(SIDE_LAYERS) for a, b in shapes)
        assert max(map(max, shapes)) <= max(3, round((size**2 / 1.83) ** (1 / 3)))


def test_the_t_value_has_the_variance_it_claims():
    """Jump minus slope over its standard error: about 1, for the noise that the fit is for."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(20000, 9, 9))
    noise = np.triu(noise, 1) + np.triu(noise, 1).swapaxes(1, 2)
    centre = np.eye(8) - 1 / 8
    by_pair = centre @ _positions(8) @ _positions(8).T @ centre
    read, leave, variance = _fit(4, 4)
    layers = rng.normal(size=(20000, 8)) * np.sqrt(0.3 / 7 * 8)
    factor = np.linalg.cholesky(0.7 * 8 * by_pair / np.trace(by_pair) + 1e-12 * np.eye(8))
    at = layers + rng.normal(size=(20000, 8)) @ factor.T
    contrast = at @ (read[1] - read[0])
    assert contrast.var() == pytest.approx(variance, rel=0.05)
    assert ((at @ leave.T) ** 2).mean() == pytest.approx(1, rel=0.05)
    # and what noise in pairs alone does stays near it
    pairs = noise[:, :8, :8].reshape(20000, -1) @ _positions(8).T
    ratio = (pairs @ (read[1] - read[0])).var() / ((pairs @ leave.T) ** 2).mean() / variance
    assert 0.6 < ratio < 1.5


def test_support_is_the_best_window_inside():
    values = blocks((4, 5, 3)).values
    gains = evidence_table(values)
    by_window = {(a, b): t[0] for a, b, t in studentised_jumps(values[None])}
    from funcsim.change_points import neg_log_p

    for a, c, b in [(0, 4, 9), (0, 4, 12), (2, 4, 6), (4, 9, 12)]:
        inside = [
            neg_log_p(t[c - left], left, right)
            for (left, right), t in by_window.items()
            if left <= c - a and right <= b - c
        ]
        assert gains[a, c, b] == pytest.approx(max(inside))
    assert gains[3, 4, 9] == -np.inf  # one layer is not a block
    assert gains.max() == pytest.approx(max_statistic(values[None])[0])


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 7), st.integers(0, 10**6), st.floats(0, 0.7))
def test_the_dynamic_program_finds_the_best_of_all_cuts(size, seed, forbidden):
    rng = np.random.default_rng(seed)
    gains = rng.normal(size=(size + 1,) * 3)
    a, c, b = np.indices(gains.shape)
    gains[(a >= c) | (c >= b) | (rng.uniform(size=gains.shape) < forbidden)] = -np.inf
    found = optimal_change_points(gains, size)
    for k in range(1, size):
        every = {
            cut: sum(gains[i, j, m] for i, j, m in zip((0, *cut[:-1]), cut, (*cut[1:], size), strict=True))
            for cut in itertools.combinations(range(1, size), k)
        }
        if max(every.values()) == -np.inf:
            assert len(found) <= k
            break
        assert every[found[k]] == pytest.approx(max(every.values()))


# What is there is found


@pytest.mark.parametrize("sizes", [(3, 4), (2, 3, 2), (5, 19), (3, 6, 15), (4, 4, 8, 8), (6, 3, 5, 4, 6)])
@pytest.mark.parametrize("drift", [0.0, 0.1])
def test_planted_blocks_are_found(sizes, drift):
    p = fs.partition(blocks(sizes, 0.03, seed=1, drift=drift))
    assert [len(b) for b in p.groups] == list(sizes)
    assert p.boundaries == tuple(np.cumsum(sizes)[:-1])
    assert p.p_value <= 0.05
    assert len(p.boundary_p_values) == len(sizes) - 1
    assert p.p_value == pytest.approx(min(p.boundary_p_values), abs=0.01)


@pytest.mark.parametrize(("size", "n_blocks"), [(7, 2), (12, 3), (24, 4), (46, 5), (93, 5)])
def test_the_number_of_blocks_is_exact_when_the_signal_is_strong(size, n_blocks):
    """Blocks of three layers or more, gap ten times the noise: at least 0.95 are exact."""
    rng, n = np.random.default_rng(5), 12 if size == 93 else 30
    exact = 0
    for _ in range(n):
        values, starts = simulated_maps.planted_map(
            simulated_maps.group_sizes(size, n_blocks, 3, rng), 0.1, rng
        )
        exact += fs.partition(as_map(values)).boundaries == starts
    assert exact >= binom.ppf(0.01, n, 0.95)


def test_blocks_made_of_clouds_are_found():
    rng = np.random.default_rng(2)
    values, starts = simulated_maps.planted_map(np.array([5, 7, 4]), 0.2, rng, clouds=True)
    assert fs.partition(as_map(values)).boundaries == starts


def test_the_table_has_one_row_per_stretch():
    frame = fs.partition(blocks((3, 6, 15))).to_frame()
    assert frame["start"].tolist() == [0, 3, 9]
    assert frame["layers"].tolist() == [3, 6, 15]
    assert frame["first"].tolist() == ["layer0", "layer3", "layer9"]
    assert frame["last"].tolist() == ["layer2", "layer8", "layer23"]
    apart = fs.Partition(("a", "b", "c"), (0, 1, 0), None, "spectral")
    assert apart.to_frame()["group"].tolist() == [0, 1, 0]
    assert fs.Partition(("a",), (0,), None, "spectral").to_frame()["layers"].tolist() == [1]


# What is not there is not found


@pytest.mark.parametrize("family", simulated_maps.DRIFTS)
@pytest.mark.parametrize("size", [7, 12, 24])
def test_drift_is_cut_no_more_often_than_alpha_says(family, size):
    """More alarms than this have a chance below 1 in 200 at a rate of 0.05."""
    n = 200
    assert (p_values(family, size, n) <= 0.05).sum() <= binom.ppf(0.995, n, 0.05)


def test_p_values_are_uniform_for_maps_like_the_null_maps_and_larger_for_drift():
    noise = np.random.default_rng(0).standard_t(5, size=(600, 12, 12))
    null = null_distribution(12, 999, 0)
    found = max_statistic(np.stack([simulated_maps.as_map(50 + e) for e in noise]))
    p = (1 + (null >= found[:, None]).sum(axis=1)) / 1000
    for share in (0.05, 0.2, 0.5, 0.8):
        assert (p <= share).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 600))
        for family in ("constant", "uneven", "clouds"):
            assert (p_values(family, 12, 200) <= share).mean() <= share + 0.1


def test_tails_somewhat_heavier_than_gaussian_raise_no_alarms():
    noise = np.random.default_rng(1).standard_t(5, size=(400, 46, 46))
    found = np.concatenate(
        [
            max_statistic(np.stack([simulated_maps.as_map(99 + e) for e in part]))
            for part in np.split(noise, 8)
        ]
    )
    alarms = (found > np.quantile(null_distribution(46, 999, 0), 0.95)).sum()
    assert alarms <= binom.ppf(0.995, 400, 0.05)


def test_faster_drift_never_adds_evidence():
    """The same noise on top of no drift, slow drift and fast drift."""
    noise = np.random.default_rng(3).normal(size=(50, 14, 14))
    maps = [
        np.stack([simulated_maps.as_map(50 + speed * line(np.arange(14)) + e) for e in noise])
        for speed in (0, 0.1, 0.3, 1, 3)
    ]
    strengths = np.array([max_statistic(m) for m in maps])
    assert (np.diff(strengths, axis=0) <= 1e-6).all()
    assert (strengths[0] > strengths[-1]).all()


def test_noise_is_taken_from_the_neighbourhood():
    """Layers before 20 are loud; the cuts from 35 on know nothing of them."""
    e = np.random.default_rng(0).normal(size=(60, 60))
    loud = e * np.where(np.arange(60) < 20, 9, 1)[:, None]
    quiet, mixed = (
        list(studentised_jumps(np.stack([simulated_maps.as_map(99 + x)]) / 99)) for x in (e, loud)
    )
    for (left, _, t), (_, _, u) in zip(quiet, mixed, strict=True):
        assert u[0, 35 - left :] == pytest.approx(t[0, 35 - left :], rel=1e-3)
        assert u[0, 14 - left] != pytest.approx(t[0, 14 - left], rel=1e-3) or t[0, 14 - left] == -np.inf


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_drift_without_noise_is_one_block(power):
    at = np.linspace(0, 1, 30)
    for where in (at, at**2, at + 0.08 * np.sin(2 * np.pi * at)):
        p = fs.partition(as_map(line(where) ** power))
        assert (p.n_groups, p.boundaries, p.labels) == (1, (), (0,) * 30), where
        assert p.boundary_p_values == ()


def test_one_odd_layer_is_not_a_block():
    values = drifting(16, 0.05).values.copy()
    values[6] += 1
    values[:, 6] += 1
    values[6, 6] = 0
    assert fs.partition(as_map(values)).n_groups == 1


def test_a_step_below_twice_the_drift_is_not_a_boundary():
    at = np.arange(20.0)
    for jump, n_blocks in ((0.8, 1), (2.0, 2)):
        e = 0.02 * np.random.default_rng(0).normal(size=(20, 20))
        values = simulated_maps.as_map(5 + line(at + jump * (at >= 9)) + e)
        assert fs.partition(as_map(values)).n_groups == n_blocks


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-30, 1e30])
def test_a_map_of_equal_distances_is_one_block(value):
    p = fs.partition(as_map(value * (1 - np.eye(6))))
    assert (p.n_groups, p.p_value) == (1, 1.0)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_very_few_layers_are_one_block(size):
    values = line(np.array([0.0, 0.0, 9.0])[:size])
    p = fs.partition(as_map(values))
    assert (p.n_groups, p.p_value) == (1, 1.0)


# What must not matter


def test_same_seed_same_p_value():
    m = drifting(15)
    assert fs.partition(m, seed=4) == fs.partition(m, seed=4)
    first = fs.partition(m, seed=4).p_value
    null_distribution.cache_clear()
    assert first == fs.partition(m, seed=4).p_value
    assert first != fs.partition(m, seed=5).p_value


@pytest.mark.parametrize("m", [blocks((4, 6, 5), 0.3), drifting(15)], ids=["blocks", "drift"])
def test_units_do_not_matter_and_neither_does_a_constant(m):
    p = fs.partition(m)
    away = 1 - np.eye(15)
    for values in (1e-6 * m.values, 1e6 * m.values, m.values + 3 * away):
        q = fs.partition(as_map(values))
        assert q.labels == p.labels
        assert q.p_value == pytest.approx(p.p_value, abs=0.002)


def test_backwards_is_the_same():
    m = blocks((4, 6, 5), 0.2)
    back = fs.partition(as_map(m.values[::-1, ::-1]))
    assert tuple(15 - b for b in reversed(back.boundaries)) == fs.partition(m).boundaries
    assert back.p_value == fs.partition(m).p_value


def test_similarities_are_turned_into_distances():
    distances = blocks((4, 8)).values / 4

    class Similar:
        values, names, within_one_model, is_similarity = 1 - distances, tuple("abcdefghijkl"), True, True

    assert dissimilarity(Similar()) == pytest.approx(distances)
    assert fs.partition(Similar()).boundaries == (4,)
    assert fs.spectral_partition(Similar()).boundaries == (4,)


def test_one_block_can_be_demanded():
    assert fs.partition(blocks((5, 19)), max_groups=1).n_groups == 1
    assert fs.partition(blocks((5, 9, 10)), max_groups=2).n_groups == 2


def test_a_number_of_blocks_can_be_demanded_too():
    p = partition_into(blocks((3, 9, 4)), 3)
    assert (p.boundaries, p.p_value) == ((3, 12), None)
    assert partition_into(drifting(9), 4).n_groups == 4
    assert partition_into(drifting(9), 1).boundaries == ()


def test_alpha_decides_about_one_and_more():
    m = blocks((4, 3), 0.35, seed=3)
    p = fs.partition(m, alpha=0.5).p_value
    assert 0.001 < p < 0.5
    assert fs.partition(m, alpha=p - 1e-6).n_groups == 1
    assert fs.partition(m, alpha=p + 1e-6).n_groups == 2


def test_further_cuts_must_be_plainer_than_the_first():
    """Of two weak boundaries the plainer one is taken."""
    for seed in range(40):
        m = blocks((6, 6, 6), 0.6, seed=seed)
        p = fs.partition(m, alpha=0.3)
        if p.n_groups > 2:
            assert max(p.boundary_p_values) <= 0.15


# Spectral clustering


def test_spectral_finds_planted_groups_and_may_be_discontiguous():
    assert fs.spectral_partition(blocks((7, 9)), 2).boundaries == (7,)
    labels = np.array([0, 0, 0, 1, 1, 1, 0, 0])
    values = 0.1 + 0.9 * (labels[:, None] != labels) + 0.02 * np.random.default_rng(0).normal(size=(8, 8))
    p = fs.spectral_partition(as_map(simulated_maps.as_map(values)), 2)
    assert p.labels == tuple(labels)
    assert (p.n_groups, p.boundaries, p.p_value) == (2, (3, 6), None)


def nan_map(m):
    values = m.values.copy()
    values[2, 3] = np.nan
    return as_map(values)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda m: fs.partition(m, max_groups=0), "max_groups=0"),
        (lambda m: fs.partition(m, max_groups=9), "8 layers form 1 to 8"),
        (lambda m: fs.partition(m, alpha=0.0), "alpha=0.0"),
        (lambda m: fs.partition(nan_map(m)), "NaN"),
        (lambda m: fs.spectral_partition(nan_map(m)), "NaN"),
        (lambda m: partition_into(m, 5), "choose from 1 to 4"),
        (lambda m: partition_into(m, 0), "n_groups=0"),
        (lambda m: fs.spectral_partition(m, 1), "choose from 2 to 7"),
        (lambda m: fs.spectral_partition(m, 8), "choose from 2 to 7"),
        (lambda m: simulated_maps.drift_map("none", 5, np.random.default_rng()), "constant, even"),
        (lambda m: simulated_maps.group_sizes(5, 3, 2, np.random.default_rng()), "do not fit"),
        (lambda m: bench.run(profile="none"), "full, smoke"),
    ],
)
def test_bad_options(call, says):
    with pytest.raises(ValueError, match=says):
        call(blocks((4, 4)))


# The benchmark


def test_planted_maps_are_what_they_say():
    rng = np.random.default_rng(0)
    for family in simulated_maps.DRIFTS:
        values = simulated_maps.drift_map(family, 9, rng)
        assert values.shape == (9, 9)
        assert (values == values.T).all()
        assert (values >= 0).all()
        assert not values.diagonal().any()
    speeds = np.diff(simulated_maps.positions(50, rng, 4.0))
    assert 1 < speeds.max() / speeds.min() <= 4.0
    for _ in range(20):
        sizes = simulated_maps.group_sizes(11, 3, 2, rng)
        assert sizes.sum() == 11
        assert sizes.min() >= 2
    assert simulated_maps.boundary_f1((), ()) == 1
    assert simulated_maps.boundary_f1((3,), ()) == 0
    assert simulated_maps.boundary_f1((3, 5), (3, 6)) == 0.5


def test_the_benchmark_writes_its_report(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(bench.PROFILES, "smoke", (20, 2, (7,)))
    report = bench.run(tmp_path / "deep" / "partition.json", "smoke")
    assert json.loads((tmp_path / "deep" / "partition.json").read_text())["seed"] == 0
    assert {r["layers"] for r in report["planted"]} == {7}
    assert {"rate", "interval", "at_most_alpha"} <= set(report["false_positives"][0])
    assert "exact K" in capsys.readouterr().out


def test_the_first_edition_s_keywords_still_work():
    m = blocks((7, 9))
    for old, new in (
        (lambda: fs.partition(m, max_blocks=2), fs.partition(m, max_groups=2)),
        (lambda: partition_into(m, n_blocks=3), partition_into(m, n_groups=3)),
        (lambda: fs.spectral_partition(m, n_blocks=3), fs.spectral_partition(m, n_groups=3)),
    ):
        with pytest.warns(DeprecationWarning, match=r"_blocks=\.\.\.\) is now .*_groups=\.\.\.\)"):
            assert old() == new
    with pytest.warns(DeprecationWarning, match=r"layer_map\(blocks=\.\.\.\) is now layer_map\(groups="):
        viz.layer_map(m, blocks=fs.partition(m))
    with pytest.warns(DeprecationWarning, match=r"plot\(blocks"):
        m.plot(blocks=fs.partition(m))
    with pytest.raises(TypeError, match=r"got 'max_blocks' and 'max_groups', two names of one thing"):
        fs.partition(m, max_blocks=2, max_groups=2)
