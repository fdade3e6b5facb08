"""Layers in which one dimension decides, and the same with all dimensions of one size."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import funcsim as fs
from funcsim.dimensions import DominantDimensionWarning, dominant
from funcsim.errors import DegenerateLayerError
from funcsim.report import analyse


def loud(rng, times=30.0, n=40, d=300, at=17):
    """Two layers, the second with one dimension that varies so many times as much as each other."""
    x, y = rng.normal(size=(2, n, d))
    y[:, at] *= times
    return fs.Representations({"even": x + 3, "loud": y})


def test_the_table_names_dimension_and_share(rng):
    reps = loud(rng)
    table = reps.dominant_dimensions()
    assert table["layer"].tolist() == ["even", "loud"]
    assert table["dominant"].tolist() == [False, True]
    variances = reps["loud"].astype(np.float64).var(axis=0)
    assert table.loc[1, "dimension"] == 17 == variances.argmax()
    assert table.loc[1, "share"] == pytest.approx(variances.max() / variances.sum())


def test_standardised_layers_have_no_such_dimension_and_distances_of_all_of_them(rng):
    x = loud(rng).standardised()
    assert not x.dominant_dimensions()["dominant"].any()
    for layer in x.values():
        assert np.allclose(layer.mean(axis=0), 0, atol=1e-6)
        assert np.allclose(layer.std(axis=0), 1, atol=1e-5)


def test_without_the_dominant_dimension_a_map_changes_much_and_a_standardised_one_little(rng):
    layer = loud(rng)["loud"]
    both = fs.Representations({"all": layer, "all but one": np.delete(layer, 17, axis=1)})
    raw, even = (
        fs.compare(r, measure="rsm", progress=False).values[0, 1] for r in (both, both.standardised())
    )
    assert raw > 0.3
    assert even < 0.01


def test_scale_and_shift_of_single_dimensions_are_forgotten(rng):
    x = rng.normal(size=(30, 5))
    changed = x * [1, -2, 1e-2, 1e3, 5] + [0, 1, 2, 3, 100]
    a, b = (fs.Representations({"x": z}).standardised()["x"] for z in (x, changed))
    assert np.allclose(a, b * [1, -1, 1, 1, 1], atol=1e-3)


def test_what_does_not_vary_is_zero_and_not_rounding_made_large(rng):
    x = rng.normal(size=(30, 4))
    x[:, 1] = 7.3
    x[:, 2] = 1e6 + 1e-3 * x[:, 2]  # gone in float32
    x[:, 3] *= 1e-9
    y = fs.Representations({"x": x, "still": np.full((30, 4), 0.1)}).standardised()
    assert np.abs(y["x"]).max(axis=0) == pytest.approx([np.abs(y["x"][:, 0]).max(), 0, 0, 0])
    assert (y["still"] == 0).all()
    assert fs.Representations({"still": np.full((30, 4), 0.1)}).dominant_dimensions()["share"][0] == 0.0
    with pytest.raises(DegenerateLayerError, match="'still'"):
        fs.compare(y, progress=False)


def test_a_narrow_layer_has_no_dominant_dimension(rng):
    x = rng.normal(size=(30, 4)) * [100, 1, 1, 1]
    table = fs.Representations({"x": x}).dominant_dimensions()
    assert table.loc[0, "share"] > 0.99
    assert not table.loc[0, "dominant"]


def test_capture_says_once_which_dimension_of_which_layer():
    model = nn.Sequential(nn.Linear(6, 300), nn.Linear(300, 300))
    with torch.no_grad():
        model[0].weight[5] *= 100
        model[0].bias[5] = 0.0
    batches = [torch.randn(20, 6, generator=torch.Generator().manual_seed(k)) for k in range(3)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fs.capture(model, batches, progress=False)
    said = [str(w.message) for w in caught if w.category is DominantDimensionWarning]
    assert len(said) == 1
    assert said[0].startswith("dimension 5 of layer '0' has ")
    assert "reps.standardised()" in said[0]


def test_an_even_layer_is_captured_without_a_word():
    model = nn.Linear(6, 300)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fs.capture(model, [torch.randn(20, 6)], progress=False)


def test_the_report_says_it_of_arrays_too(rng):
    x = loud(rng, n=12)
    found = analyse(x, n_draws=2, progress=False)
    assert f"D{dominant(x)[1:]}." in found.warnings
    assert "dimension 17" in next(c.what for c in found.checks if c.name == "A dominant dimension")
    assert not any("imension" in w for w in analyse(x.standardised(), n_draws=2, progress=False).warnings)
