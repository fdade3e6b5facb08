"""Your own model: real tokens, looking without a trace, the network untrained, boundaries that come back."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from exercises.asking import Answer, array, call, passed, require


def last_real(answer: Answer) -> None:
    """`last_real(states, mask)`: what a decoder says at the last real token of every text."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(3, 5, 2))
    right_padded = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]])
    found = array(answer, (3, 2), states, right_padded)
    require(
        not np.allclose(found, states[:, -1]),
        "You take the last place. In the second text that is padding.",
    )
    require(
        np.allclose(found, states[[0, 1, 2], [4, 1, 2]]),
        "The last real tokens are at places 4, 1 and 2, counted from 0.",
    )
    left_padded = right_padded[:, ::-1].copy()
    require(
        np.allclose(array(answer, (3, 2), states, left_padded), states[:, -1]),
        "Decoders are often padded on the left. Then the number of tokens is not the place of the last one.",
    )
    passed("It is right for padding on either side.")


def outputs(answer: Answer) -> None:
    """`outputs(model, batches)`: what a model answers, in evaluation mode, left as it was found."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.BatchNorm1d(16), nn.Linear(16, 2))
    batches = list(torch.randn(12, 4).split(5))
    running = model[2].running_mean.clone()
    model.train()
    first = call(answer, model, batches, copies=False)
    require(isinstance(first, torch.Tensor), "Return one tensor, with a row for every input.")
    require(
        tuple(first.shape) == (12, 2),
        f"12 inputs in three batches: (12, 2), and you have {tuple(first.shape)}.",
    )
    second = call(answer, model, batches, copies=False)
    require(
        torch.equal(first, second),
        "Asked twice, your model says two things: dropout is at work. Call `model.eval()` first.",
    )
    require(
        torch.equal(model[2].running_mean, running),
        "The running means of the batch normalisation have moved: the model has learned from being looked "
        "at.",
    )
    require(
        model.training,
        "The model was in training mode, and now it is not. Who trains on will train without dropout.",
    )
    require(
        not first.requires_grad,
        "The answer carries a graph for gradients. `torch.no_grad()` saves the memory.",
    )
    passed("It looked, and left no trace.")


def untrained(answer: Answer) -> None:
    """`untrained(model, seed)`: the same architecture before training, beside the trained model."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8)))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(3)
    before = [p.clone() for p in model.parameters()]
    fresh = call(answer, model, 0, copies=False)
    require(isinstance(fresh, nn.Module), "Return a model.")
    require(
        all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True)),
        "The trained model has changed. Make a copy first.",
    )
    shapes = [tuple(p.shape) for p in fresh.parameters()]
    require(
        shapes == [tuple(p.shape) for p in before], "It should have the same parameters, with other values."
    )
    same = [torch.equal(p, q) for p, q in zip(fresh.parameters(), before, strict=True)]
    require(
        not any(same),
        f"{sum(same)} of {len(same)} parameters have kept their trained values. Modules can hold modules.",
    )
    require(
        all(p.abs().max() <= 1 for p in fresh.parameters()),
        "Its weights are not those with which PyTorch begins. Its layers have a method for that.",
    )
    again, other = (call(answer, model, seed, copies=False) for seed in (0, 1))
    weights = [next(m.parameters()) for m in (fresh, again, other)]
    require(torch.equal(weights[0], weights[1]), "The same seed should give the same weights.")
    require(not torch.equal(weights[0], weights[2]), "Another seed should give other weights.")
    passed("Map this one as well. What it shows, training has not made.")


def how_often(answer: Answer) -> None:
    """`how_often(cuts, n_layers)`: in which share of repetitions each layer begins a group."""
    cuts = [(3,), (3, 6), (), (2, 6), (3,)]
    found = array(answer, (8,), cuts, 8)
    require(
        not np.isclose(found.sum(), 1),
        "Your shares add up to 1: they are shares of all boundaries. It should be a share of repetitions.",
    )
    wanted = np.array([0, 0, 0.2, 0.6, 0, 0, 0.4, 0])
    require(
        not np.allclose(found, np.array([0, 0, 0.25, 0.75, 0, 0, 0.5, 0])),
        "The third repetition found no boundary, and counts too.",
    )
    require(np.allclose(found, wanted), f"It should be {wanted.tolist()}, and is {found.round(2).tolist()}.")
    passed(
        "A boundary that comes back in six of ten halves is a guess; in ten of ten, no luck of the inputs."
    )
