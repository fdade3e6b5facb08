import numpy as np
import pytest
from scipy.stats import binom

import funcsim as fs
from funcsim import _intervals
from funcsim._intervals import intervals
from funcsim.errors import DegenerateLayerError
from funcsim.nulls import (
    gaussian_surrogate,
    permuted,
    random_projection_null,
    spectrum_matched,
)


def distances(points):
    return np.linalg.norm(points[:, None] - points, axis=-1)


def toy(pair, n_calls=None, bound=None):
    """A stand-in for fs.compare with a quick measure of two layers (n, d), and a lower bound of it."""

    def compare(reps, measure, normalize, effort, jobs, progress):
        arrays = [a.astype(np.float64) for a in reps.values()]
        values, lower = (
            None if f is None else np.array([[f(x, y) for y in arrays] for x in arrays])
            for f in (pair, bound)
        )
        if n_calls is not None:
            n_calls.append(np.concatenate(arrays, axis=1))
        return fs.LayerMap(values, reps.names, reps.names, measure, normalize, reps.n_samples, lower)

    return compare


def mean_distance(x, y):
    return abs(float((x - y).mean()))


def rsm(x, y):
    return float(np.sqrt(((distances(x) - distances(y)) ** 2).mean()))


def layers(arrays):
    return fs.Representations({f"layer{i}": a for i, a in enumerate(arrays)})


def blocks_of_clouds(sizes, n=40, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(sizes), n, 3))
    return layers(
        [c + noise * rng.normal(size=(n, 3)) for c, k in zip(centres, sizes, strict=True) for _ in range(k)]
    )


def chain_of_clouds(n, rng, at=6, size=10):
    """Layers (n, 4) that move by even steps, and by one that is four times as large."""
    x = np.random.default_rng(0).normal(size=(size, 4, 4)) / 4
    moved, clouds = rng.normal(size=(n, 4)), []
    for k in range(size):
        clouds.append(moved)
        moved = moved + (0.8 if k + 1 == at else 0.2) * np.tanh(moved @ x[k] * 3)
    return layers(clouds)


def test_the_interval_of_an_effect_holds_it_on_other_inputs():
    """By 30 draws of 60 inputs; the effect that counts is that of the mean over many such draws."""
    held, effects = [], []
    for k in range(30):
        reps = chain_of_clouds(60, np.random.default_rng([1, k]))
        found = intervals(reps, measure="rsm", n_draws=12, progress=False).partition
        (change,) = found.changes
        assert (change.kind, change.start) == ("jump", 6)
        effects.append(change.effect)
        held.append(change.effect_interval)
    middle = np.exp(np.mean(np.log(effects)))
    assert 25 <= sum(low <= middle <= high for low, high in held) <= 30
    widths = np.log([high / low for low, high in held])
    assert 2 < np.median(widths) / np.std(np.log(effects)) < 8  # 3.9 is exact, Student's 4.4


def test_without_intervals_an_effect_has_none():
    reps = chain_of_clouds(60, np.random.default_rng(5))
    assert fs.partition(fs.compare(reps, measure="rsm", progress=False)).changes[0].effect_interval is None


def test_intervals_cover_the_truth_as_often_as_they_say(monkeypatch):
    """Difference of two means, whose population value is 2: 95 % of 200 intervals hold it."""
    monkeypatch.setattr(_intervals, "compare", toy(mean_distance))
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = rng.exponential(size=(41, 1))
        y = x + 2 + rng.normal(size=(41, 1))
        b = intervals(layers([x, y]), n_draws=30, seed=seed)
        held += bool(b.low[0, 1] <= 2 <= b.high[0, 1])
    assert binom.ppf(0.005, 200, 0.95) - 4 <= held <= 199  # small samples cover slightly less


def test_intervals_cover_a_function_of_pairs_of_samples(monkeypatch):
    """Mean squared distance between samples; 4 for the difference of the two layers."""
    monkeypatch.setattr(_intervals, "compare", toy(lambda x, y: abs(x.var(ddof=1) - y.var(ddof=1))))
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        b = intervals(layers([rng.normal(size=(60, 1)), np.sqrt(5) * rng.normal(size=(60, 1))]), n_draws=30)
        held += bool(b.low[0, 1] <= 4 <= b.high[0, 1])
    assert 0.89 <= held / 200 <= 0.99


def how_often(pair, truth, n, d, bound=None, monkeypatch=None):
    """In which share of 100 samples interval, spread and the mean over samples hold their numbers."""
    monkeypatch.setattr(_intervals, "compare", toy(pair, bound=bound))
    found, zero = [], np.zeros((n, d))
    for seed in range(100):
        x = np.random.default_rng(seed).normal(size=(n, d)) + np.sqrt(truth / d)
        found.append(intervals(layers([zero, x]), n_draws=20, seed=seed))
    values, low, high, spread = (
        np.array([part[0, 1] for part in parts])
        for parts in zip(*((b.map.values, b.low, b.high, b.spread) for b in found), strict=True)
    )
    held = (low <= truth) & (truth <= high)
    return held.mean(), (abs(values - truth) <= spread).mean(), (abs(values - values.mean()) <= spread).mean()


def test_a_bias_of_one_over_n_is_in_the_interval_and_not_in_the_spread(monkeypatch):
    """The squared length of a mean of 100 dimensions is too large by 100 / n; its true value is 1."""

    def length(x, y):
        return float(((y - x).mean(axis=0) ** 2).sum())

    held, beside, of_this_size = how_often(length, 1.0, 40, 100, monkeypatch=monkeypatch)
    assert held >= 0.9
    assert beside <= 0.3
    assert of_this_size >= 0.85


def test_a_bound_that_depends_less_on_the_number_of_samples_is_the_lower_end(monkeypatch):
    """A value that is too large by n ** -0.25 is held only since there is a bound."""

    def value(x, y):
        return abs(float((y - x).mean())) + 6 * len(x) ** -0.25

    held, _, _ = how_often(value, 2.0, 40, 1, bound=None, monkeypatch=monkeypatch)
    assert held <= 0.3
    held, _, _ = how_often(value, 2.0, 40, 1, bound=mean_distance, monkeypatch=monkeypatch)
    assert held >= 0.93


def test_alpha_is_one_minus_the_level_and_an_old_name(monkeypatch):
    monkeypatch.setattr(_intervals, "compare", toy(rsm))
    reps = blocks_of_clouds((3, 3))
    new = intervals(reps, n_draws=4, level=0.9)
    with pytest.warns(DeprecationWarning, match=r"intervals\(alpha=...\) is now intervals\(level=...\)"):
        old = intervals(reps, n_draws=4, alpha=0.1)
    assert np.array_equal(old.low, new.low)
    assert old.level == new.level == 0.9
    assert new.alpha == pytest.approx(0.1)
    with pytest.raises(TypeError, match="two names of one thing"):
        intervals(reps, alpha=0.1, level=0.9)


def test_all_layers_see_the_same_half_and_no_sample_twice(monkeypatch):
    seen = []
    monkeypatch.setattr(_intervals, "compare", toy(mean_distance, seen))
    index = np.arange(11.0)[:, None]
    intervals(layers([index, index]), n_draws=4)
    assert [len(s) for s in seen] == [11, 5, 5, 5, 5]
    for s in seen:
        assert (s[:, 0] == s[:, 1]).all()
        assert len(set(s[:, 0])) == len(s)
    assert len({tuple(s[:, 0]) for s in seen}) == 5


def test_plain_boundaries_come_back_in_every_half(monkeypatch):
    monkeypatch.setattr(_intervals, "compare", toy(rsm))
    b = intervals(blocks_of_clouds((5, 4, 6)), n_draws=20)
    assert b.partition.boundaries == (5, 9)
    assert (b.boundary_frequency[[5, 9]] > 0.9).all()
    assert (np.delete(b.boundary_frequency, [5, 9]) < 0.1).all()
    assert b.boundary_frequency_given_k[[5, 9]].tolist() == [1, 1]
    assert b.n_groups_frequency[3] > 0.9
    assert sum(b.n_groups_frequency.values()) == pytest.approx(1)
    frame = b.to_frame()
    assert frame["layer"].tolist() == list(b.names)
    assert frame["boundary"].sum() == 2


def test_without_blocks_no_boundary_is_frequent(monkeypatch):
    monkeypatch.setattr(_intervals, "compare", toy(rsm))
    b = intervals(blocks_of_clouds((12,), noise=0.5), n_draws=20)
    assert b.partition.n_groups == 1
    assert b.boundary_frequency.max() <= 0.3
    assert b.boundary_frequency_given_k.max() == 0


def test_intervals_are_intervals_of_a_map(monkeypatch):
    monkeypatch.setattr(_intervals, "compare", toy(rsm))
    reps = blocks_of_clouds((3, 3))
    b, again, other = (intervals(reps, n_draws=10, seed=s) for s in (1, 1, 2))
    assert (b.low == again.low).all()
    assert not (b.low == other.low).all()
    assert (b.low <= b.map.values).all()
    assert (b.map.values <= b.high).all()
    assert (b.low >= 0).all()
    assert (b.high == b.high.T).all()
    assert not b.high.diagonal().any()
    assert (b.map.values - b.low >= b.spread - 1e-12)[b.low > 0].all()
    assert (b.high - b.map.values >= b.spread - 1e-12).all()
    narrow = intervals(reps, n_draws=10, seed=1, level=0.5)
    assert (narrow.high - narrow.low < b.high - b.low)[0, 1]
    assert (narrow.spread < b.spread)[0, 1]


def test_bias_is_what_half_the_samples_add(monkeypatch):
    monkeypatch.setattr(_intervals, "compare", toy(lambda x, y: 60 / len(x)))
    b = intervals(layers([np.eye(24), np.eye(24)]), n_draws=3)
    assert b.bias == pytest.approx(60 / 12 - 60 / 24)


@pytest.mark.parametrize("measure", ["gw", "cka"])
def test_bootstrap_of_a_real_comparison(measure):
    rng = np.random.default_rng(0)
    reps = layers([rng.normal(size=(24, 2)), rng.normal(size=(24, 2)), rng.normal(size=(24, 3))])
    b = intervals(reps, measure=measure, n_draws=4, progress=False)
    assert b.map.values == pytest.approx(fs.compare(reps, measure=measure).values)
    assert (b.high - b.low)[np.triu_indices(3, 1)].min() > 0
    assert b.partition.n_groups == 1
    assert b.low.diagonal() == pytest.approx(b.map.values.diagonal())


@pytest.mark.parametrize(
    ("n", "kwargs", "says"),
    [(3, {}, "at least 4"), (9, {"n_draws": 1}, "n_draws=1"), (9, {"level": 1.0}, "level=1.0")],
)
def test_bad_options_are_refused_before_any_work(monkeypatch, n, kwargs, says):
    monkeypatch.delattr(_intervals, "compare")
    reps = layers([np.eye(n), np.eye(n)])
    with pytest.raises(ValueError, match=says):
        intervals(reps, **kwargs)


# Nulls for measures


@pytest.mark.parametrize("shape", [(30, 4), (5, 12), (12, 12), (2, 3), (30, 1)])
def test_a_gaussian_twin_keeps_mean_and_spectrum_and_nothing_else(shape):
    points = 3 + np.random.default_rng(0).exponential(size=shape) ** 2
    twin = gaussian_surrogate(points, seed=1)
    assert twin.shape == shape
    assert twin.mean(axis=0) == pytest.approx(points.mean(axis=0))
    spectra = [np.linalg.svd(p - p.mean(axis=0), compute_uv=False) for p in (points, twin)]
    assert spectra[1] == pytest.approx(spectra[0], abs=1e-9 * spectra[0].max())
    assert (twin == gaussian_surrogate(points, seed=1)).all()
    assert not np.allclose(np.sort(twin, axis=0), np.sort(points, axis=0))
    if shape != (2, 3):  # two points have one distance
        assert not np.allclose(twin, gaussian_surrogate(points, seed=2))


def test_the_orientation_of_a_twin_is_uniform():
    """The first axis of an elongated cloud points anywhere: its squared entries average 1/3."""
    points = np.random.default_rng(0).normal(size=(10, 3)) * [9, 1, 0.1]
    axes = [np.linalg.svd(t - t.mean(0))[2][0] for t in (gaussian_surrogate(points, s) for s in range(600))]
    assert np.square(axes).mean(axis=0) == pytest.approx(np.full(3, 1 / 3), abs=0.05)


def test_layers_of_a_null_are_independent():
    x = np.random.default_rng(0).normal(size=(200, 3))
    twins = spectrum_matched(layers([x, x]))
    assert abs(np.corrcoef(twins["layer0"].T, twins["layer1"].T)[:3, 3:]).max() < 0.3
    assert twins.names == ("layer0", "layer1")
    assert twins["layer0"].shape == x.shape
    shuffled = permuted(layers([x, x]))
    assert not (shuffled["layer0"] == shuffled["layer1"]).all()
    for name in shuffled:
        assert sorted(map(tuple, shuffled[name])) == sorted(map(tuple, x.astype(np.float32)))
    assert not (permuted(layers([x, x]), 1)["layer0"] == shuffled["layer0"]).all()


def test_gromov_wasserstein_cannot_see_a_permutation_but_sees_a_twin():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(size=(12, 2)), 9 + rng.normal(size=(12, 2))])
    reps = layers([x, x + 0.01 * rng.normal(size=x.shape)])
    assert fs.compare(permuted(reps)).values[0, 1] == pytest.approx(fs.compare(reps).values[0, 1], abs=1e-3)
    assert fs.compare(spectrum_matched(reps)).values[0, 1] > 5 * fs.compare(reps).values[0, 1]


def test_width_matched_layers_hold_the_first_cloud_at_the_rank_of_each():
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(40, 6))
    flat = np.outer(rng.normal(size=40), [1.0, -2.0, 0.5]) + 7.0  # three numbers, one direction
    layers = {"cloud": cloud, "flat": flat, "constant": np.ones((40, 2)), "wide": rng.normal(size=(40, 60))}
    null = random_projection_null(fs.Representations(layers), seed=1)
    assert [layer.shape[1] for layer in null.values()] == [6, 1, 1, 39]
    for layer in null.values():  # each a linear image of the first
        _, residual, rank, _ = np.linalg.lstsq(cloud, layer, rcond=None)
        assert rank == 6
        assert np.allclose(residual, 0, atol=1e-8)
    again, other = (
        random_projection_null(fs.Representations(layers), seed=1),
        random_projection_null(fs.Representations(layers)),
    )
    assert (again["flat"] == null["flat"]).all()
    assert (other["flat"] != null["flat"]).any()


def test_halves_in_which_a_layer_is_silent_are_left_out_and_counted(rng):
    reps = {name: rng.normal(size=(40, 3)) for name in "abcd"}
    reps["c"][3:] = 0  # active for 3 of 40 samples
    with pytest.warns(
        UserWarning, match=r"\d of 12 halves were left out; in the first layer 'c' is degenerate"
    ):
        iv = fs.intervals(fs.Representations(reps), measure="rsm", n_draws=12, progress=False)
    assert 2 <= iv.n_draws < 12
    assert sum(iv.n_groups_frequency.values()) == pytest.approx(1)
    assert np.isfinite(iv.high).all()
    reps["c"][1:] = 0
    with pytest.raises(DegenerateLayerError, match=r"of 2 halves cannot be compared: layer 'c'"):
        fs.intervals(fs.Representations(reps), measure="rsm", n_draws=2, seed=3, progress=False)
