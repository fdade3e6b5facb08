"""The GW map made in other ways: of other inputs, of other distances, by another search."""

import numpy as np

import funcsim as fs
from replication.benchmark import map_variants

NAMES = ("a", "b", "c", "d")


def clouds(names, at=()):
    """Layers that stay the same but for fresh clouds where `at` says."""
    rng = np.random.default_rng(0)
    layers, cloud = {}, rng.normal(size=(30, 4))
    for k, name in enumerate(names):
        if k in at:
            cloud = rng.normal(size=(30, 4))
        layers[name] = cloud + 0.01 * rng.normal(size=(30, 4))
    return fs.Representations(layers)


def test_variants_make_maps_of_the_same_layers():
    reps = clouds(NAMES, at=(2,))
    made = {key: make(reps) for key, make in map_variants.VARIANTS.items()}
    usual = fs.compare(reps, progress=False)
    assert all(m.names == usual.names for m in made.values())
    assert (made["gw, from one start"].values >= usual.values - 1e-9).all()
    assert (made["gw, lower bound"].values <= usual.values).all()
    assert made["gw, lower bound"].values[0, 2] > 0
    assert made["gw, raw"].normalize is None
    assert made["gw, a quarter of the inputs"].n_samples == 8
    assert made["gw, without the longest"].n_samples < 30


def test_one_long_sample_is_left_out_of_all_layers():
    reps = clouds(NAMES[:2])
    outlier = {name: np.vstack([x, 100 * np.ones((1, 4))]) for name, x in reps.items()}
    fewer = map_variants.without_longest(fs.Representations(outlier))
    assert fewer.n_samples == 30
    assert all((fewer[name] == reps[name]).all() for name in reps)


def test_the_first_direction_is_taken_away():
    rng = np.random.default_rng(0)
    axis = np.array([0.6, 0.8, 0.0])
    x = rng.normal(size=(50, 3)) + 30 * rng.normal(size=(50, 1)) * axis
    rest = map_variants.without_first_direction(fs.Representations({"a": x}))["a"]
    assert np.linalg.matrix_rank(rest, tol=1e-2) == 2
    assert np.abs(rest @ axis).std() < 0.2
    other = np.cross(axis, [0, 0, 1])
    assert np.corrcoef(rest @ other, x @ other)[0, 1] > 0.9
