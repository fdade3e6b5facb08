import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcsim as fs
from funcsim.partition import drift_maps
from funcsim.segmentation import block_scatter, cuts, least_scatter


def as_map(values):
    names = tuple(f"layer{i}" for i in range(len(values)))
    return fs.LayerMap(values, names, names, "gw", "mean", 10)


def noisy(values, noise, seed):
    e = noise * np.random.default_rng(seed).normal(size=values.shape)
    values = np.abs(values + np.triu(e, 1) + np.triu(e, 1).T)
    np.fill_diagonal(values, 0)
    return values


def planted(boundaries, size, noise=0.05, seed=0):
    labels = np.searchsorted(boundaries, np.arange(size), side="right")
    return as_map(noisy(np.where(labels[:, None] == labels, 0.3, 1.0), noise, seed))


def drifting(size, noise=0.05, seed=0):
    lag = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return as_map(noisy(lag / size, noise, seed))


maps = st.tuples(st.integers(1, 9), st.integers(0, 10**6)).map(
    lambda t: noisy(np.zeros((t[0], t[0])), 1.0, t[1])
)


@given(maps)
def test_scatter_is_the_sum_it_says(values):
    scatter = block_scatter(values)
    for i, j in itertools.combinations(range(len(values) + 1), 2):
        inside = values[i:j, i:j]
        assert scatter[i, j] == pytest.approx((inside**2).sum() / 2 / (j - i), abs=1e-9)


@settings(deadline=None)
@given(maps)
def test_the_dynamic_program_finds_the_best_of_all_cuts(values):
    size = len(values)
    scatter = block_scatter(values)
    totals, last = least_scatter(scatter, size)
    for k in range(1, size + 1):
        every = {
            c: sum(scatter[i, j] for i, j in itertools.pairwise((0, *c, size)))
            for c in itertools.combinations(range(1, size), k - 1)
        }
        assert totals[k - 1, size] == pytest.approx(min(every.values()), abs=1e-9)
        assert every[cuts(last, k)] == pytest.approx(min(every.values()), abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 15), st.integers(1, 4), st.integers(0, 10**6))
def test_more_blocks_never_leave_more_scatter(size, width, seed):
    """For Euclidean distances, where cutting a cluster cannot raise its scatter."""
    points = np.random.default_rng(seed).normal(size=(size, width))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    left = least_scatter(block_scatter(distances), size)[0][:, -1]
    assert (np.diff(left) <= 1e-9).all()
    assert left[-1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("boundaries", [(5,), (3, 9), (4, 8, 16)])
def test_planted_blocks_are_found(boundaries):
    p = fs.partition(planted(boundaries, 24))
    assert p.boundaries == boundaries
    assert p.n_blocks == len(boundaries) + 1
    assert p.p_value <= 0.05
    assert [len(b) for b in p.blocks] == list(np.diff([0, *boundaries, 24]))


def test_the_table_has_one_row_per_stretch():
    frame = fs.partition(planted((3, 9), 24)).to_frame()
    assert frame["start"].tolist() == [0, 3, 9]
    assert frame["layers"].tolist() == [3, 6, 15]
    assert frame["first"].tolist() == ["layer0", "layer3", "layer9"]
    assert frame["last"].tolist() == ["layer2", "layer8", "layer23"]
    apart = fs.Partition(("a", "b", "c"), (0, 1, 0), None, "spectral")
    assert apart.to_frame()["block"].tolist() == [0, 1, 0]
    assert fs.Partition(("a",), (0,), None, "spectral").to_frame()["layers"].tolist() == [1]


def test_steady_drift_is_one_block():
    p = fs.partition(drifting(20, seed=3))
    assert (p.n_blocks, p.boundaries, p.labels) == (1, (), (0,) * 20)
    assert p.p_value > 0.05


def test_false_alarms_on_drift_are_as_rare_as_alpha_says():
    """60 maps at alpha = 0.1: more than 13 alarms have a chance below 1 in 200."""
    alarms = sum(fs.partition(drifting(12, 0.2, s), alpha=0.1, seed=s).n_blocks > 1 for s in range(60))
    assert alarms <= 13


def test_a_map_of_zeros_is_one_block():
    p = fs.partition(as_map(np.zeros((6, 6))))
    assert (p.n_blocks, p.p_value) == (1, 1.0)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_very_few_layers_are_one_block(size):
    values = np.ones((size, size)) - np.eye(size)
    assert fs.partition(as_map(values)).n_blocks == 1


def test_same_seed_same_p_value():
    m = drifting(15)
    assert fs.partition(m, seed=4) == fs.partition(m, seed=4)
    assert fs.partition(m, seed=4).p_value != fs.partition(m, seed=5).p_value


def test_one_block_can_be_demanded():
    assert fs.partition(planted((5,), 24), max_blocks=1).n_blocks == 1


def test_null_maps_keep_every_diagonal():
    values = drifting(9).values
    for null in drift_maps(values, 5, seed=1):
        assert (null == null.T).all()
        for lag in range(9):
            assert sorted(np.diag(null, lag)) == sorted(np.diag(values, lag))
    assert not (drift_maps(values, 1, seed=1) == drift_maps(values, 1, seed=2)).all()


def test_spectral_finds_planted_groups_and_may_be_discontiguous():
    assert fs.spectral_partition(planted((7,), 16), 2).boundaries == (7,)
    labels = np.array([0, 0, 0, 1, 1, 1, 0, 0])
    p = fs.spectral_partition(as_map(noisy(np.where(labels[:, None] == labels, 0.1, 1.0), 0.02, 0)), 2)
    assert p.labels == tuple(labels)
    assert (p.n_blocks, p.boundaries, p.p_value) == (2, (3, 6), None)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda m: fs.partition(m, max_blocks=0), "max_blocks=0"),
        (lambda m: fs.partition(m, max_blocks=9), "8 layers form 1 to 8"),
        (lambda m: fs.partition(m, alpha=0.0), "alpha=0.0"),
        (lambda m: fs.spectral_partition(m, 1), "choose from 2 to 7"),
        (lambda m: fs.spectral_partition(m, 8), "choose from 2 to 7"),
    ],
)
def test_bad_options(call, says):
    with pytest.raises(ValueError, match=says):
        call(planted((4,), 8))
