"""The test of groups: what it finds, what it must not find, and what must not matter."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

import funcsim as fs
from funcsim import simulated_maps, viz
from funcsim._partition import partition_into
from funcsim.changes import Change, neighbours, runs
from funcsim.kinds import MixedKindsWarning, kinds_from_names
from funcsim.layer_map import dissimilarity
from funcsim.outlying_steps import (
    LEAST_SD,
    MIN_STEPS,
    evidence,
    log_steps,
    null_distribution,
    remove_largest,
    robust_steps,
)


def as_map(values, names=None, **kwargs):
    names = names or tuple(f"layer{i}" for i in range(len(values)))
    return fs.LayerMap(values, names, names, "gw", "mean", 10, **kwargs)


def line(positions):
    return np.abs(np.subtract.outer(positions, positions))


def chain(*strides, names=None):
    """A map of layers on a line, which move on by these strides."""
    return as_map(line(np.cumsum((0.0, *strides))), names)


def uneven(n, sd=0.3, seed=0):
    return np.exp(sd * np.random.default_rng(seed).normal(size=n))


def blocks(sizes, noise=0.03, seed=0, drift=0.0):
    values = simulated_maps.planted_map(np.array(sizes), noise, np.random.default_rng(seed), drift)[0]
    return as_map(values)


# Steps


def test_one_odd_layer_is_forgiven_by_both_of_its_steps():
    at = np.arange(8.0)
    values = line(at)
    values[3] += 20
    values[:, 3] += 20
    values[3, 3] = 0
    assert robust_steps(line(at)).tolist() == [1] * 7
    assert robust_steps(values).max() == 2  # from the layer before the odd one to the layer after it


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=9))
def test_steps_of_layers_on_a_line_are_the_distances(gaps):
    assert robust_steps(line(np.cumsum([0.0, *gaps]))) == pytest.approx(gaps, rel=1e-6)


def test_copies_of_a_tensor_are_no_steps():
    steps = log_steps(line(np.cumsum([0, 1, 2, 0, 3, 1, 2, 1.0])), ["x"] * 8)
    assert steps.into.tolist() == [1, 2, 4, 5, 6, 7]
    assert np.exp(steps.values) == pytest.approx([1, 2, 3, 1, 2, 1])


def test_t_is_the_externally_studentised_residual():
    """Against the definition: fit all others, predict this one, divide by their standard deviation."""
    y = np.random.default_rng(0).normal(size=11)
    y[4] += 3
    kinds = np.array([0, 1] * 5 + [0])
    order, t = remove_largest(y[None], kinds, least_sd=0.0)
    left = np.arange(11)
    for stage in range(3):
        best = {}
        for k in left:
            rest = left[left != k]
            like = rest[kinds[rest] == kinds[k]]
            off = np.concatenate(
                [y[rest[kinds[rest] == g]] - y[rest[kinds[rest] == g]].mean() for g in (0, 1)]
            )
            sd = np.sqrt((off**2).sum() / (len(rest) - 2))
            spread = sd * np.sqrt(1 + 1 / len(like))
            best[k] = (y[k] - y[like].mean()) / spread
        k = max(best, key=best.get)
        assert (order[0, stage], t[0, stage]) == (k, pytest.approx(best[k]))
        left = left[left != k]


def test_the_null_is_free_of_the_mean_of_a_kind_and_of_the_spread():
    y = np.random.default_rng(0).normal(size=(5, 12))
    kinds = np.array([0, 1, 1] * 4)
    t = remove_largest(y, kinds, least_sd=0.0)[1]
    moved = remove_largest(7 * y + np.where(kinds, 30, -4), kinds, least_sd=0.0)[1]
    assert moved == pytest.approx(t)


def test_p_values_are_uniform_under_the_null():
    y = np.random.default_rng(5).normal(size=(2000, 11))
    kinds = np.zeros(11, int)
    null = null_distribution(kinds)
    p = np.array([null.p_values(t).min() for t in remove_largest(y, kinds, least_sd=0.0)[1]])
    for share in (0.01, 0.05, 0.2, 0.5):
        assert (p <= share).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 2000))


def test_no_chain_is_taken_to_be_more_even_than_the_least_spread():
    y = np.zeros((1, 11))
    y[0, 5] = LEAST_SD
    assert remove_largest(y, np.zeros(11, int))[1][0, 0] == pytest.approx(np.sqrt(10 / 11))


def test_evidence_is_largest_where_the_first_outlier_is():
    for seed in range(20):
        steps = log_steps(chain(*uneven(14, seed=seed)).values, ["x"] * 15)
        order, _ = remove_largest(steps.values[None], steps.kinds)
        assert evidence(steps).argmax() == order[0, 0]


# What is there is found


@pytest.mark.parametrize("sizes", [(4, 5), (3, 6), (5, 19), (3, 6, 15), (6, 7, 11), (9, 1), (1, 9)])
def test_flat_groups_are_found(sizes):
    p = fs.partition(blocks(sizes, seed=1))
    assert p.boundaries == tuple(np.cumsum(sizes)[:-1])
    assert [len(b) for b in p.groups] == list(sizes)
    assert p.p_value <= 0.05
    assert len(p.boundary_p_values) == len(sizes) - 1
    assert p.p_value == min(p.boundary_p_values)
    assert [c.kind for c in p.changes] == ["jump"] * (len(sizes) - 1)


def test_the_effect_is_the_step_in_units_of_the_larger_beside_it():
    p = fs.partition(chain(1, 1.1, 0.9, 1, 1.2, 6, 0.8, 1, 1.1, 0.9, 1))
    assert p.changes[0].effect == pytest.approx(6 / 1.2)
    assert p.changes == (Change("jump", 5, 6, 6, p.changes[0].effect, p.p_value),)


def test_a_transition_over_two_steps_is_one_boundary_with_a_width():
    p = fs.partition(chain(1, 1.1, 0.9, 1, 1.2, 5, 6, 1.1, 0.8, 1, 1.1, 0.9, 1))
    assert [(c.kind, c.before, c.after) for c in p.changes] == [("transition", 5, 7)]
    assert p.boundaries == (7,)


def test_a_chain_that_speeds_up_to_its_end_has_no_boundary():
    p = fs.partition(chain(*[1.0, 1.1, 0.9] * 4, *[5.0, 5.5, 4.5] * 2))
    assert (p.n_groups, p.boundaries) == (1, ())
    assert [c.kind for c in p.changes] in ([], ["speed-up"])
    q = fs.partition(chain(*[1.0, 1.1, 0.9] * 5, 7.0, 7.5))
    assert [(c.kind, c.before, c.after) for c in q.changes] == [("speed-up", 15, 17)]
    assert q.n_groups == 1
    assert q.p_value == 1


def test_a_way_there_and_back_is_no_transition():
    """Two long steps whose ends are close: an excursion of one layer, however it is measured."""
    at = np.array([0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10.0])
    away = np.zeros(12)
    away[5] = 6
    values = np.hypot(line(at), line(away))
    assert fs.partition(as_map(values)).n_groups == 1


def test_a_single_layer_at_either_end_may_stand_apart():
    steps = uneven(11, 0.1)
    for k in (0, 10):
        strides = steps.copy()
        strides[k] *= 10
        assert fs.partition(chain(*strides)).boundaries == (k + 1,)


def test_kinds_are_compared_with_their_like():
    steps = uneven(16, 0.1)
    steps[::2] *= 5
    steps[9] *= 4  # large for its kind, and smaller than every step of the other
    names = tuple(f"h.{k // 2}.attn" if k % 2 else f"h.{k // 2}" for k in range(17))
    told = fs.partition(chain(*steps, names=names))
    assert told.boundaries == (10,)
    with pytest.warns(MixedKindsWarning, match="every second step"):
        assert fs.partition(chain(*steps)).boundaries == ()
    kinds = ["attention" if k % 2 else "end" for k in range(17)]
    assert fs.partition(chain(*steps), kinds=kinds).boundaries == (10,)


def test_kinds_come_from_names():
    names = ["embeddings", *(f"encoder.{k}.{part}" for k in range(4) for part in ("attn", "mlp")), "pooler"]
    assert set(kinds_from_names(names)) == {"encoder.#.attn", "encoder.#.mlp"}
    with pytest.warns(MixedKindsWarning, match="of 5 kinds"):
        many = kinds_from_names([f"{part}.{k}" for part in "abcde" for k in range(3)])
    assert len(set(many)) == 1


def test_the_table_has_one_row_per_stretch():
    frame = fs.partition(blocks((3, 6, 15))).to_frame()
    assert frame["start"].tolist() == [0, 3, 9]
    assert frame["layers"].tolist() == [3, 6, 15]
    assert frame["first"].tolist() == ["layer0", "layer3", "layer9"]
    assert frame["last"].tolist() == ["layer2", "layer8", "layer23"]
    apart = fs.Partition(("a", "b", "c"), (0, 1, 0), None, "spectral")
    assert apart.to_frame()["group"].tolist() == [0, 1, 0]
    assert fs.Partition(("a",), (0,), None, "spectral").to_frame()["layers"].tolist() == [1]


@pytest.mark.parametrize(
    ("family", "least"), [("step x10 among .3", 0.9), ("two flat groups", 0.9), ("last layer x10", 0.9)]
)
def test_planted_boundaries_are_found_most_of_the_time(family, least):
    rng, n = np.random.default_rng(7), 40
    found = 0
    for _ in range(n):
        values, true = simulated_maps.planted(family, 13, rng)
        found += fs.partition(as_map(values)).boundaries == true
    assert found >= binom.ppf(0.01, n, least)


# What is not there is not found


@pytest.mark.parametrize("family", simulated_maps.DRIFTS)
@pytest.mark.parametrize("size", [7, 13])
def test_chains_without_a_boundary_are_cut_no_more_often_than_alpha_says(family, size):
    """More alarms than this have a chance below 1 in 200 at a rate of 0.05."""
    rng, n = np.random.default_rng([size, len(family)]), 50
    names = simulated_maps.two_kinds_names(size) if family.startswith("two kinds") else None
    cut = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedKindsWarning)
        for _ in range(n):
            cut += fs.partition(as_map(simulated_maps.DRIFTS[family](size, rng), names)).n_groups > 1
    assert cut <= binom.ppf(0.995, n, 0.05)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_drift_without_noise_is_one_group(power):
    at = np.linspace(0, 1, 30)
    for where in (at, at**2, at + 0.08 * np.sin(2 * np.pi * at)):
        p = fs.partition(as_map(line(where) ** power))
        assert (p.n_groups, p.boundaries, p.labels) == (1, (), (0,) * 30), where
        assert p.boundary_p_values == ()


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-30, 1e30])
def test_a_map_of_equal_distances_is_one_group(value):
    p = fs.partition(as_map(value * (1 - np.eye(6))))
    assert (p.n_groups, p.changes) == (1, ())


def test_a_map_without_layers_has_no_groups():
    assert fs.partition(as_map(np.empty((0, 0)))).groups == ()


@pytest.mark.parametrize("size", range(1, MIN_STEPS + 1))
def test_very_few_layers_are_one_group(size):
    p = fs.partition(as_map(line(np.array([0.0, 0.0, 9.0, 9.0, 9.0])[:size])))
    assert (p.n_groups, p.p_value) == (1, 1.0)


# What must not matter


def test_same_seed_same_p_value():
    m = chain(*uneven(15))
    assert fs.partition(m, seed=4) == fs.partition(m, seed=4)
    weak = chain(*uneven(14), 3.0)
    assert fs.partition(weak, seed=4).p_value != fs.partition(weak, seed=5).p_value


@given(st.integers(0, 10**6), st.floats(1, 3), st.floats(1e-6, 1e6))
@settings(deadline=None, max_examples=30)
def test_neither_units_nor_a_power_of_the_distances_takes_a_boundary_away(seed, power, unit):
    """Only the least spread and the least effect are absolute, and a power above 1 moves both one way."""
    values = chain(*uneven(11, 0.5, seed), 6.0).values
    p, q = fs.partition(as_map(values)), fs.partition(as_map(unit * values**power))
    assert set(p.boundaries) <= set(q.boundaries)
    if p.boundaries:
        assert q.p_value == p.p_value


def test_a_measure_expressed_by_its_square_is_cut_alike():
    rng = np.random.default_rng(0)
    clouds = simulated_maps.planted("step x10 among .3", 10, rng)
    m = as_map(clouds[0])
    squared = replace(m, values=m.values**2, measure="mine", metric_form="root")
    assert fs.partition(squared).labels == fs.partition(m).labels
    assert fs.partition(squared).p_value == fs.partition(m).p_value


def test_similarities_are_turned_into_distances():
    distances = blocks((4, 8)).values / 4
    names = tuple("abcdefghijkl")
    similar = fs.LayerMap(1 - distances, names, names, "cka", "mean", 10, is_similarity=True)
    assert dissimilarity(similar) == pytest.approx(distances)
    assert fs.partition(similar).boundaries == (4,)
    assert fs.spectral_partition(similar).boundaries == (4,)


def test_backwards_is_the_same():
    m = chain(*uneven(6), 6.0, *uneven(7, seed=1))
    back = fs.partition(as_map(m.values[::-1, ::-1]))
    assert tuple(15 - b for b in reversed(back.boundaries)) == fs.partition(m).boundaries == (7,)
    assert back.p_value == fs.partition(m).p_value


# What can be asked for


def test_the_largest_effects_are_kept_if_fewer_groups_are_asked_for():
    m = blocks((5, 9, 10))
    assert fs.partition(m).n_groups == 3
    two = fs.partition(m, max_groups=2)
    assert two.n_groups == 2
    assert len(two.changes) == 1
    assert fs.partition(m, max_groups=1).boundaries == ()


def test_a_number_of_groups_can_be_demanded():
    p = partition_into(blocks((3, 9, 4)), 3)
    assert (p.boundaries, p.p_value, p.changes) == ((3, 12), None, ())
    assert partition_into(chain(*uneven(9)), 4).n_groups == 4
    assert partition_into(chain(*uneven(9)), 1).boundaries == ()


def test_alpha_decides_about_one_and_more():
    m = chain(*uneven(6), 2.8, *uneven(6, seed=1))
    p = fs.partition(m, alpha=0.9).p_value
    assert 0.0002 < p < 0.5
    assert fs.partition(m, alpha=p - 1e-6).n_groups == 1
    assert fs.partition(m, alpha=p + 1e-6).n_groups == 2


def test_runs_of_neighbours():
    beside = neighbours(np.zeros(10, int))
    assert runs({5, 1, 2, 8, 9, 7}, beside) == [[1, 2], [5], [7, 8, 9]]
    assert runs(set(), beside) == []
    kinds = np.array([0, 1] * 5)
    assert runs({1, 3, 8}, neighbours(kinds)) == [[1, 3], [8]]


def test_a_chain_that_slows_down_kind_by_kind_has_no_boundary():
    """Steps into blocks shrink from the first on, those after attention are even in between."""
    shrinking = 1 / np.arange(1, 13)
    steps = np.ravel(np.column_stack([0.1 * uneven(12, 0.03), shrinking]))
    names = tuple(f"h.{k // 2}" if k % 2 == 0 else f"h.{k // 2}.attn" for k in range(25))
    p = fs.partition(chain(*steps, names=names))
    assert p.boundaries == ()


def test_evidence_has_a_number_for_each_layer():
    by_layer = fs.boundary_evidence(blocks((5, 7)))
    assert by_layer.shape == (12,)
    assert by_layer.argmax() == 5
    assert by_layer[0] == -np.inf


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
        (lambda m: fs.partition(m, kinds=["a"]), "does not fit 8 layers"),
        (lambda m: fs.partition(m, kinds="attention"), "give one kind for each"),
        (lambda m: fs.boundary_evidence(m, kinds=["a"] * 9), "does not fit 8 layers"),
        (lambda m: fs.spectral_partition(nan_map(m)), "NaN"),
        (lambda m: partition_into(m, 5), "choose from 1 to 4"),
        (lambda m: partition_into(m, 0), "n_groups=0"),
        (lambda m: fs.spectral_partition(m, 1), "choose from 2 to 7"),
        (lambda m: fs.spectral_partition(m, 8), "choose from 2 to 7"),
        (lambda m: simulated_maps.planted("none", 5, np.random.default_rng()), "step x2"),
        (lambda m: simulated_maps.group_sizes(5, 3, 2, np.random.default_rng()), "do not fit"),
    ],
)
def test_bad_options(call, says):
    with pytest.raises(ValueError, match=says):
        call(blocks((4, 4)))


# Simulated maps


@pytest.mark.parametrize("family", [*simulated_maps.DRIFTS, *simulated_maps.PLANTED])
def test_simulated_maps_are_what_they_say(family):
    rng = np.random.default_rng(0)
    if family in simulated_maps.DRIFTS:
        values, true = simulated_maps.DRIFTS[family](9, rng), ()
    else:
        values, true = simulated_maps.planted(family, 9, rng)
    assert values.shape == (9, 9)
    assert (values == values.T).all()
    assert (values >= 0).all()
    assert not values.diagonal().any()
    assert all(0 < at < 9 for at in true)
    assert true or family in simulated_maps.DRIFTS


def test_f1_of_boundaries():
    assert simulated_maps.boundary_f1((), ()) == 1
    assert simulated_maps.boundary_f1((3,), ()) == 0
    assert simulated_maps.boundary_f1((3, 5), (3, 6)) == 0.5
    for seed in range(20):
        sizes = simulated_maps.group_sizes(11, 3, 2, np.random.default_rng(seed))
        assert sizes.sum() == 11
        assert sizes.min() >= 2


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


def twin_of(maps, names, measure="gw"):
    return fs.UntrainedTwin(names, np.stack(maps), measure, "mean", 10, False, tuple(range(len(maps))))


def test_the_untrained_twin_is_tested_alike():
    m = chain(*uneven(6), 6.0, *uneven(6, seed=1))
    plain = chain(*uneven(13, seed=2))
    p = fs.partition(m, twin=twin_of([plain.values, m.values], m.names))
    assert p.twin_p_values == (fs.partition(plain).p_value, fs.partition(m).p_value)
    assert p.labels == fs.partition(m).labels
    assert fs.partition(m).twin_p_values == ()
    with pytest.raises(ValueError, match="twin has 14 layers under 'rsm', this map has 14 under 'gw'"):
        fs.partition(m, twin=twin_of([m.values], m.names, "rsm"))
