"""Functional similarity: scores of a probe, what a line cannot see, hooks, and unseen inputs."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from exercises.asking import Answer, array, call, number, passed, require


def explained(answer: Answer) -> None:
    """`explained(target, predicted)`: the share of variance that a prediction explains."""
    target = np.array([1.0, 2.0, 3.0, 6.0])
    require(
        np.isclose(number(answer, target, target), 1),
        "A prediction that is right everywhere explains all of the variance: 1.",
    )
    mean = np.full(4, target.mean())
    require(
        np.isclose(number(answer, target, mean), 0),
        "Who always predicts the mean explains nothing: 0.",
    )
    require(
        not np.isclose(number(answer, target, 2 * target), 1),
        "Predictions that are twice the target are wrong, and yours calls them perfect. A squared "
        "correlation forgives a wrong scale; a share of explained variance does not.",
    )
    require(
        np.isclose(number(answer, target, 2 * target), 1 - 50 / 14),
        "Compare the squared errors with the squared deviations of the target from its mean. For predictions "
        "twice as large as the target [1, 2, 3, 6] that is 1 - 50/14, less than nothing.",
    )
    passed("It is 1 at best, 0 for the mean, and has no lower limit: a bad prediction is worse than none.")


def invisible(answer: Answer) -> None:
    """`invisible(z)`: a function of z in [-1, 1] of which a line explains next to nothing."""
    z = np.random.default_rng(0).uniform(-1, 1, size=5000)
    values = array(answer, (5000,), z)
    require(
        len(np.unique(values.round(6))) > 10,
        "Your function takes hardly any values; that is too easy to miss.",
    )
    require(
        not np.allclose(values, z**2),
        "That is the parabola of the chapter. Find another one.",
    )
    seen = np.corrcoef(z, values)[0, 1] ** 2
    require(
        seen < 0.02,
        f"A line explains {100 * seen:.0f} % of your function. What goes up on the left must come down on "
        "the right: think of symmetry.",
    )
    passed(f"A line explains {100 * seen:.1f} % of it, and yet z determines every value.")


def first_output(answer: Answer) -> None:
    """`first_output(model, x)`: what the first module of an `nn.Sequential` returns, by a hook."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(inplace=True), nn.Linear(7, 2))
    x = torch.randn(20, 5)
    with torch.no_grad():
        wanted = model[0](x)
    hooked = call(answer, model, x, copies=False)  # this very model: it is looked at afterwards
    require(isinstance(hooked, torch.Tensor), "It should return a tensor.")
    require(
        hooked.shape == wanted.shape,
        f"The first module returns {tuple(wanted.shape)}; you have {tuple(hooked.shape)}.",
    )
    require(
        bool((hooked < 0).any()),
        "There is no negative number in it: you have what the ReLU made of it in place. Copy inside "
        "the hook.",
    )
    require(torch.allclose(hooked, wanted), "These are not the first module's outputs.")
    require(
        not model[0]._forward_hooks,
        "The hook still hangs on the module. Keep its handle, and remove it when you are done.",
    )
    passed("You have a copy of what the linear layer said, and the model is as it was.")


def held_out(answer: Answer) -> None:
    """`held_out(probe, layer, labels, fitted_on)`: accuracy of a probe on what it was not fitted on."""
    rng = np.random.default_rng(0)
    noise, labels = rng.normal(size=(200, 300)), rng.integers(0, 2, size=200)
    rows = np.arange(200) < 100
    learned = number(answer, Nearest(), noise, labels, rows)
    require(
        learned < 0.9,
        f"Of labels that were drawn at random your probe gets {100 * learned:.0f} % right. It has been "
        "judged on what it was fitted on.",
    )
    require(0.3 < learned < 0.7, f"On random labels a probe has about 50 %, and yours {100 * learned:.0f} %.")
    plain = np.column_stack([labels, noise[:, 0] / 100])
    found = number(answer, Nearest(), plain, labels, rows)
    require(
        np.isclose(found, 1), f"Here the label stands in the layer, and your probe has {100 * found:.0f} %."
    )
    passed("It finds what is there, and nothing in noise.")


class Nearest:
    """A probe that knows by heart: the label of the nearest sample that it was fitted on."""

    def fit(self, layer: np.ndarray, labels: np.ndarray) -> Nearest:
        """Remember all samples (n, d) and their labels (n,)."""
        self.layer, self.labels = layer, labels
        return self

    def predict(self, layer: np.ndarray) -> np.ndarray:
        """The labels of samples (m, d)."""
        distances = ((layer[:, None] - self.layer[None]) ** 2).sum(axis=2)
        return self.labels[distances.argmin(axis=1)]

    def score(self, layer: np.ndarray, labels: np.ndarray) -> float:
        """Share of samples (m, d) whose label is predicted."""
        return float((self.predict(layer) == labels).mean())
