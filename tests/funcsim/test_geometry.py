import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from funcsim.errors import DegenerateLayerError, RepresentationError
from funcsim.geometry import (
    distance_matrix,
    is_degenerate,
    mean_distance,
    pairwise_distances,
    principal_coordinates,
)

clouds = arrays(
    np.float64,
    st.tuples(st.integers(2, 12), st.integers(1, 6)),
    elements=st.floats(-1e3, 1e3, allow_nan=False, width=32),
)


@given(clouds)
def test_distances_agree_with_subtracting_coordinates(X):
    expected = cdist(X, X)
    assert np.allclose(pairwise_distances(X), expected, rtol=1e-9, atol=1e-12)


@given(clouds)
def test_distances_are_symmetric_with_a_zero_diagonal(X):
    D = pairwise_distances(X)
    assert (D == D.T).all()
    assert (np.diag(D) == 0).all()


def test_identical_samples_are_exactly_zero_apart_even_far_from_the_origin(rng):
    X = rng.normal(size=(30, 768)).astype(np.float32) + 100
    X[7] = X[3]
    assert pairwise_distances(X)[3, 7] == 0.0


def test_close_samples_are_measured_and_not_rounded(rng):
    """The Gram formula alone is off by more than the distance itself here."""
    X = rng.normal(size=(20, 50))
    X[1] = X[0] + 1e-8
    assert pairwise_distances(X)[0, 1] == pytest.approx(1e-8 * np.sqrt(50), rel=1e-6)


@pytest.mark.parametrize("normalize", ["mean", "max"])
def test_scale_goes_away_when_normalised(rng, normalize):
    X = rng.normal(size=(15, 4))
    assert np.allclose(distance_matrix(X, normalize), distance_matrix(37.5 * X, normalize))


def test_normalising_by_the_mean_makes_the_mean_one(rng):
    assert mean_distance(distance_matrix(rng.normal(size=(9, 3)), "mean")) == pytest.approx(1.0)


def test_the_mean_is_over_pairs_of_different_samples():
    assert mean_distance(pairwise_distances([[0.0, 0.0], [3.0, 4.0]])) == pytest.approx(5.0)


def test_a_constant_layer_has_distances_of_exactly_zero(rng):
    X = np.tile(rng.normal(size=(1, 384)).astype(np.float32), (33, 1))
    assert (pairwise_distances(X) == 0).all()


def test_raw_distances_are_left_alone(rng):
    X = rng.normal(size=(9, 3))
    assert (distance_matrix(X, None) == pairwise_distances(X)).all()


def test_a_constant_layer_is_degenerate():
    assert is_degenerate(np.full((10, 384), 0.1234567, dtype=np.float32))


def test_a_layer_that_differs_only_by_rounding_is_degenerate(rng):
    """What a [CLS] vector looks like when the batch size changes the order of summation."""
    X = np.tile(rng.normal(size=384), (40, 1))
    X = (X * (1 + 1e-7 * rng.normal(size=X.shape))).astype(np.float32)
    assert len(np.unique(X, axis=0)) > 1
    assert is_degenerate(X)


def test_a_small_but_real_spread_is_not_degenerate(rng):
    X = (5 + 1e-3 * rng.normal(size=(40, 384))).astype(np.float32)
    assert not is_degenerate(X)


@pytest.mark.parametrize("normalize", ["mean", "max"])
def test_a_degenerate_layer_is_named_and_never_normalised(normalize):
    with pytest.raises(DegenerateLayerError, match=r"'embeddings'.*drop"):
        distance_matrix(np.ones((5, 3)), normalize, "embeddings")


def test_a_degenerate_layer_has_raw_distances_of_zero():
    assert (distance_matrix(np.ones((5, 3)), None) == 0).all()


def test_tensors_of_any_kind_are_taken():
    X = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    for tensor in (X, X.half(), X.bfloat16(), X.double()):
        assert pairwise_distances(tensor)[0, 1] == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ([[0.0, np.nan], [1.0, 2.0]], "NaN.*sample 0, feature 1"),
        ([[0.0, 1.0], [np.inf, 2.0]], "infinity.*sample 1, feature 0"),
        ([[1.0, 2.0]], "at least 2 samples"),
        (np.zeros((3, 0)), "1 feature"),
        ([1.0, 2.0, 3.0], "flatten or pool"),
        (np.zeros((3, 2, 2)), "flatten or pool"),
        ([["a", "b"], ["c", "d"]], "real numbers"),
        (np.array([[1j, 0], [0, 1]]), "real numbers"),
        ([[1.0, 2.0], [3.0]], "not an array"),
        (np.full((3, 2), 1e300) * [[1], [2], [-3]], "too large"),
    ],
)
def test_bad_clouds_are_named_with_what_is_wrong(bad, says):
    with pytest.raises(RepresentationError, match=f"layer 'block 3'.*{says}"):
        pairwise_distances(bad, "block 3")


def test_an_unknown_normalisation_lists_the_known():
    with pytest.raises(ValueError, match="'mean', 'max' or None"):
        distance_matrix(np.eye(3), "median")


@pytest.mark.parametrize("shape", [(20, 300), (60, 5)])
def test_coordinates_keep_all_distances(rng, shape):
    points = 7 + rng.normal(size=shape) * np.arange(1, shape[1] + 1)
    few = principal_coordinates(points)
    assert few.shape == (shape[0], min(shape))
    assert np.allclose(pairwise_distances(few), pairwise_distances(points))
    centred = points - points.mean(axis=0)
    assert np.allclose(few @ few.T, centred @ centred.T)
    assert (np.diff(few.var(axis=0)) <= 1e-9).all()
