"""A layer made from another: what is answered then, by networks of which that is known."""

import numpy as np
import pytest
import torch
from torch import nn

import funcsim as fs
from funcsim.errors import LayerSelectionError
from funcsim.nulls import spectrum_matched
from funcsim.patching import ActivationPatcher
from funcsim.stitching import fit_affine_stitch, stitch
from replication.modular_addition import trained_networks


class Bump(nn.Module):
    """Is a number between -1 and 1? Two straight layers around a ReLU, weights by hand."""

    def __init__(self):
        super().__init__()
        self.before = nn.Linear(1, 2)
        self.relu = nn.ReLU()
        self.after = nn.Linear(2, 2)
        with torch.no_grad():
            self.before.weight[:] = torch.tensor([[1.0], [-1.0]])
            self.before.bias.zero_()
            self.after.weight[:] = torch.tensor([[0.0, 0.0], [-1.0, -1.0]])  # minus the absolute value
            self.after.bias[:] = torch.tensor([0.0, 1.0])

    def forward(self, x):
        return self.after(self.relu(self.before(x)))


@pytest.fixture
def bump():
    x = torch.linspace(-3, 3, 301)[:, None]
    labels = (x[:, 0].abs() < 1).long().numpy()
    model = Bump()
    rows = np.arange(301) % 2 == 0
    return model, x, labels, fs.capture(model, [x], progress=False), rows


def test_what_is_straight_can_be_replaced_and_what_is_not_cannot(bump):
    _, _, labels, _, rows = bump
    found = stitch(*bump).to_frame()
    assert found.loc["before", "before"] == found.loc["relu", "relu"] == 1.0  # untouched
    assert found.loc["relu", "after"] == 1.0  # a straight layer, made by a straight map
    most_frequent = max(np.bincount(labels[~rows])) / (~rows).sum()
    assert found.loc["before", "relu"] == found.loc["before", "after"] == pytest.approx(most_frequent)


def test_the_map_is_mirrored_and_can_be_cut(bump):
    found = stitch(*bump)
    np.testing.assert_array_equal(found.values, found.values.T)
    assert found.is_similarity
    assert found.n_samples == 150
    assert fs.partition(found).names == ("before", "relu", "after")


def test_a_network_made_from_noise_guesses(bump):
    model, x, labels, reps, rows = bump
    found = stitch(model, x, labels, reps, rows, spectrum_matched(reps, seed=3))
    assert found.values.shape == (3, 3)
    most_frequent = max(np.bincount(labels[~rows])) / (~rows).sum()
    assert found.values.max() < most_frequent + 0.1


def test_another_network_of_the_same_function_can_take_over(bump):
    model, x, labels, reps, rows = bump
    other = Bump()
    with torch.no_grad():  # the same function through other numbers
        other.before.weight *= -2.0
        other.after.weight *= 0.5
    source = fs.capture(other, [x], progress=False)
    found = stitch(model, x, labels, reps, rows, source).to_frame()
    assert found.loc["relu", "relu"] == found.loc["relu", "after"] == 1.0
    assert found.loc["before", "relu"] < 1


def test_a_layer_made_from_itself_changes_no_answer():
    trained = trained_networks.load("known-boundaries/1-1-1", "smoke")
    model, pairs = trained.model.eval(), trained.pairs
    reps = fs.capture(model, [pairs], "parts.*.blocks.*.resid_mid", progress=False)
    patcher = ActivationPatcher(model, pairs)
    for name, state in reps.items():
        assert torch.equal(patcher.logits_with(name, state), patcher.logits)
    assert torch.equal(patcher.logits, model(pairs))


def test_nothing_is_left_changed_when_a_state_does_not_fit(bump):
    model, x, *_ = bump
    there = model(x)
    with pytest.raises(RuntimeError):
        ActivationPatcher(model, x).logits_with("relu", np.zeros((301, 5)))
    ActivationPatcher(model, x).logits_with("relu", np.zeros((301, 2)))
    assert not any(module._forward_hooks or "forward" in vars(module) for module in model.modules())
    assert torch.equal(model(x), there)


class Twice(nn.Module):
    """One ReLU used before and after a layer, and an addition that changes a layer's output in place."""

    def __init__(self):
        super().__init__()
        self.first, self.middle, self.last = (nn.Linear(3, 3) for _ in range(3))
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.first(x)
        y = self.relu(self.middle(self.relu(x)))
        x += y
        return self.last(x)


def test_a_replaced_layer_is_that_of_a_plain_hook_in_every_network():
    torch.manual_seed(0)
    model, x = Twice(), torch.randn(20, 3)
    patcher = ActivationPatcher(model, x)
    for seed, layer in enumerate(["middle", "first", "middle", "last"]):
        state = torch.randn(20, 3, generator=torch.Generator().manual_seed(seed))
        handle = getattr(model, layer).register_forward_hook(lambda *_, state=state: state.clone())
        hooked = model(x)
        handle.remove()
        assert torch.equal(patcher.logits_with(layer, state.numpy()), hooked)
    with pytest.raises(LayerSelectionError, match="'relu' is no layer of this model that runs once"):
        patcher.logits_with("relu", x.numpy())


def test_what_ran_before_a_replaced_layer_is_not_run_again(bump):
    model, x, *_ = bump
    patcher = ActivationPatcher(model, x)

    def refuse(x):
        raise AssertionError("it ran again")

    model.before.forward = refuse
    patcher.logits_with("relu", np.zeros((301, 2)))
    assert model.before.forward is refuse  # and it is left as it was found
    with pytest.raises(AssertionError, match="it ran again"):
        model(x)


def test_the_fit_is_that_of_least_squares():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    y, z = x @ rng.normal(size=(3, 2)) + 5, rng.normal(size=(40, 4))
    rows = np.arange(40) < 25
    made = fit_affine_stitch(x, [y, z], rows)
    np.testing.assert_allclose(made[0], y[~rows])
    ones = np.column_stack([x, np.ones(40)])
    np.testing.assert_allclose(made[1], ones[~rows] @ np.linalg.pinv(ones[rows]) @ z[rows])
    assert fit_affine_stitch(x, [], rows) == []


@pytest.mark.parametrize("rows", [np.zeros(301, bool), np.ones(301, bool)])
def test_some_are_fitted_and_some_are_answered(bump, rows):
    with pytest.raises(ValueError, match="leave some others"):
        stitch(*bump[:4], rows)


def test_samples_must_be_the_same(bump):
    model, x, labels, reps, rows = bump
    with pytest.raises(ValueError, match="labels 300"):
        stitch(model, x, labels[1:], reps, rows)


def test_a_layer_must_be_one_of_the_model(bump):
    model, x, labels, reps, rows = bump
    renamed = fs.Representations({"nowhere": reps["relu"]})
    with pytest.raises(LayerSelectionError, match="'nowhere' is no layer of this model"):
        stitch(model, x, labels, renamed, rows)
