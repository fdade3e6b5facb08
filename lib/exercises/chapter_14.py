"""Your own model: real tokens, the network untrained, boundaries that come back, groups predicted first."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

import funcsim as fs
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


def predicted(prediction: Answer, own: Answer, starts: Answer) -> None:
    """How many groups a test finds in a reader's own network."""
    said = call(prediction)
    torch.manual_seed(0)
    network = call(own)
    require(isinstance(network, nn.Sequential), "`own_network` should return an `nn.Sequential`.")
    n_layers = len(list(network.children()))
    require(
        8 <= n_layers <= 16,
        f"Your network has {n_layers} modules. Take 8 to 16: with fewer the test cannot find much.",
    )
    require(
        isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= n_layers,
        f"First predict how many groups the test finds: a whole number from 1 to {n_layers}.",
    )
    x = torch.randn(60, 16)
    for where in ((5,), ()):
        chain = _chain(where)
        found = _starts(starts, chain, x)
        require(
            not (where and found == [4]),
            "Your groups are counted from the layer before: a group starts at the layer after the step.",
        )
        require(
            found == list(where),
            f"In a network of this check the test finds a new group at {list(where) or 'no layer'}, and you "
            f"have {found}. Capture, compare with everything as it comes, partition.",
        )
    require(chain.training, "The network was in training mode, and now it is not. Leave it as you found it.")
    found = _starts(starts, network, x)
    fresh = untrained_groups(network, x)
    passed(
        f"You predicted {said}, and the test finds {len(found) + 1}"
        + (f", new ones at {', '.join(map(str, found))}" if found else "")
        + f". With other random weights it finds {', '.join(map(str, fresh))}. Before you write 'the "
        "network has groups', compare."
    )


def untrained_groups(network: nn.Module, x: torch.Tensor) -> list[int]:
    """How many groups three untrained networks of the same shape have."""
    counts = []
    for seed in range(3):
        torch.manual_seed(seed)
        fresh = copy.deepcopy(network)
        for module in fresh.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        found = fs.compare(fs.capture(fresh, [x], progress=False), progress=False)
        counts.append(fs.partition(found).n_groups)
    return counts


def _chain(where: tuple[int, ...]) -> nn.Sequential:
    """Ten linear modules that change little, but for those that are named."""
    torch.manual_seed(3)
    chain = nn.Sequential(*(nn.Linear(16, 16, bias=False) for _ in range(10)))
    with torch.no_grad():
        for k, module in enumerate(chain):
            nudge = torch.randn(16, 16)
            module.weight.copy_(3 * nudge if k in where else torch.eye(16) + 0.05 * nudge)
    return chain


def _starts(starts: Answer, network: nn.Sequential, x: torch.Tensor) -> list[int]:
    """The answer for one network, if it is a list of layers."""
    found = call(starts, network, x, copies=False)
    require(
        isinstance(found, list | tuple) and all(isinstance(k, int | np.integer) for k in found),
        "`starts` should return a list of whole numbers, the layers at which a group begins; empty if "
        "there is one group.",
    )
    return [int(k) for k in found]
