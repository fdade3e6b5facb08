"""Maps: how wide a layer is, what GW forgets, a null of widths alone, and a map beside its null."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, SupportsFloat

import numpy as np
import torch
from torch import nn

import funcsim as fs
from exercises.asking import (
    Answer,
    NotYetError,
    as_array,
    between,
    call,
    number,
    numbers,
    passed,
    require,
)
from funcsim.nulls import random_projection_null

Array = np.ndarray


def free_numbers(answer: Answer) -> None:
    """`free_numbers(layer)`: in how many directions the inputs of a layer differ."""
    rng = np.random.default_rng(0)
    weight = rng.uniform(size=50)
    found = number(answer, np.column_stack([weight, 1 - weight]))
    require(
        found != 2,
        "Two weights that add up to one have one free number, and you count two. Take the mean off first, "
        "and leave out what is rounding.",
    )
    require(found == 1, f"Two weights that add up to one have one free number, and you count {found:g}.")
    apart = np.random.default_rng(1).normal(size=(50, 2))
    found = number(answer, apart)
    require(
        found == 2,
        f"Two columns of random numbers are two directions, and you count {found:g}. The mean over the "
        "inputs comes off, and no one from the count.",
    )
    wide = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 20)) + 5
    found = number(answer, wide)
    require(
        found == 3,
        f"Here 20 numbers are made of three, and you count {found:g}. Wide is not yet full.",
    )
    rounded = wide.astype(np.float32)
    found = number(answer, rounded)
    require(
        found == 3,
        f"The same layer in single precision fills {found:g} dimensions with you. What is left beyond the "
        "third is rounding, a millionth of the rest.",
    )
    found = number(answer, 1e-7 * wide)
    require(
        found == 3,
        f"The same layer ten million times smaller fills {found:g} dimensions with you. Rounding is small "
        "beside the layer, and not beside a fixed number.",
    )
    small = np.column_stack([rng.normal(size=50), 0.01 * rng.normal(size=50)])
    found = number(answer, small)
    require(
        found == 2,
        f"Two columns, the second a hundredth of the first: two directions, and you count {found:g}. Small "
        "is not rounding.",
    )
    require(number(answer, np.ones((50, 4))) == 0, "A layer that is the same for all inputs has none.")
    few = number(answer, rng.normal(size=(10, 40)))
    passed(f"And ten inputs in 40 dimensions fill {few:g}: they cannot show more.")


def forgets(answer: Answer) -> None:
    """`forgets(x)`: a cloud that GW takes for the same, though its inputs are others."""
    x = np.random.default_rng(0).normal(size=(60, 3))
    y = call(answer, x)
    shape = np.shape(y)
    require(
        len(shape) == 2 and shape[0] == len(x),
        f"Return an array of {len(x)} rows, one for each input. Yours has the shape {shape}.",
    )
    y = as_array(y, shape)
    gw = fs.gw(x, y, normalize=None).distance
    shape_alone = fs.gw(x, y).distance if gw >= 0.05 and np.ptp(y, axis=0).any() else 1
    require(
        shape_alone >= 0.05,
        f"The Gromov-Wasserstein distance is {gw:.2f}, and without scale it is {shape_alone:.2f}. Give y the "
        "size of x.",
    )
    require(
        gw < 0.05,
        f"The Gromov-Wasserstein distance is {gw:.2f}. It forgives rotations, and one thing more.",
    )
    cka = fs.measures()["cka-debiased"](x, y)
    require(
        cka < 0.2,
        f"CKA is still {cka:.2f}: every or nearly every input has kept its place. What if input 3 got "
        "the row of input 7?",
    )
    passed(f"The Gromov-Wasserstein distance is {gw:.2g}, and CKA {cka:.2f}: nothing of x is left in y.")


def width_null(answer: Answer) -> None:
    """`width_null(layers, rng)`: the first layer, projected at random to what each layer fills."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=(40, 12))
    folded = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 30))
    layers = [first, rng.normal(size=(40, 5)), folded, rng.normal(size=(40, 5)), np.ones((40, 4))]
    weight = rng.uniform(size=40)
    layers.append(np.column_stack([weight, 1 - weight]))
    found = _null(answer, layers, 1)
    shapes = [layer.shape for layer in found]
    require(
        shapes[2] != (40, 30),
        "The third layer has 30 columns and fills three dimensions. In its place you have 30.",
    )
    require(
        shapes[5] != (40, 2),
        "The last layer has two weights that add up to one, and fills one dimension. In its place "
        "you have two.",
    )
    wanted = [(40, r) for r in (12, 5, 3, 5, 1, 1)]
    require(
        shapes == wanted,
        f"The arrays should have the shapes {wanted}, and yours have {shapes}. A layer that is the same for "
        "all inputs has one dimension here.",
    )
    source = first - first.mean(axis=0)  # to take the mean off moves the cloud, and changes no distance
    for k, layer in enumerate(found):
        centred = layer - layer.mean(axis=0)
        weights = np.linalg.lstsq(source, centred)[0]
        rest = np.linalg.norm(source @ weights - centred) / max(np.linalg.norm(centred), 1e-9)
        require(
            rest < 1e-4,
            f"The array in place {k}, counted from 0, is no projection of the first layer: "
            f"{100 * rest:.0f} % of it is something else.",
        )
        rank = np.linalg.matrix_rank(centred)
        require(
            rank == layer.shape[1],
            f"The array in place {k} has {layer.shape[1]} columns and fills {rank} dimensions. Project the "
            "first layer each time, not what you made before.",
        )
    require(
        not np.allclose(found[1], found[3]),
        "Two layers of five dimensions have one and the same projection. Draw a new one for each layer.",
    )
    again, other = _null(answer, layers, 1), _null(answer, layers, 2)
    require(
        not any(np.allclose(a, b) for a, b in zip(found, other, strict=True)),
        "With another generator some arrays are the same. Project at random, also in the first place.",
    )
    require(
        all(np.array_equal(a, b) for a, b in zip(found, again, strict=True)),
        "Asked again with the same generator, you give another null. Draw with `rng`, not with `np.random`.",
    )
    passed("Nothing is computed from place to place. What a map of it shows is width, and luck.")


def _null(answer: Answer, layers: list[Array], seed: int) -> list[Array]:
    found = call(answer, layers, np.random.default_rng(seed))
    require(
        isinstance(found, list | tuple) and len(found) == len(layers),
        f"Return a list with an array for each of the {len(layers)} layers.",
    )
    shapes = [np.shape(layer) for layer in found]
    require(all(len(shape) == 2 for shape in shapes), "Each should be an array (n, r).")
    n = len(layers[0])
    for k, shape in enumerate(shapes):
        require(
            shape[0] == n,
            f"The array in place {k}, counted from 0, has the shape {shape}: it should have {n} rows, "
            "one for each input.",
        )
    return [as_array(layer, shape) for layer, shape in zip(found, shapes, strict=True)]


PARTS = ("agreement", "groups", "own groups")


def predicted(prediction: Answer, own: Answer, beside: Answer) -> None:
    """How well widths alone predict the map of a reader's own network."""
    said = call(prediction)
    require(
        isinstance(said, dict) and set(said) == {"agreement", "groups"},
        "First predict: a dictionary with 'agreement' and 'groups'.",
    )
    low, high = between(said["agreement"], "the rank correlation", widest=0.4, least=-1, most=1)
    torch.manual_seed(0)
    network = call(own)
    require(isinstance(network, nn.Sequential), "`own_network` should return an `nn.Sequential`.")
    size = len(network)
    require(6 <= size <= 10, f"Your network has {size} modules. Take 6 to 10.")
    groups = said["groups"]
    require(
        isinstance(groups, int) and not isinstance(groups, bool) and 1 <= groups <= size,
        f"First predict 'groups': a whole number from 1 to {size}.",
    )
    x = torch.randn(24, 16, generator=torch.Generator().manual_seed(0))
    try:
        layers = fs.capture(network, [x], progress=False).values()
    except RuntimeError as error:
        raise NotYetError(f"Your network should take inputs (n, 16), and stopped: {error}") from error
    widths = {layer.shape[1] for layer in layers}
    require(
        len(widths) >= 3,
        f"The layers of your network have the widths {sorted(widths)}. Take three different ones or more.",
    )
    narrowing = _narrowing()
    found = _beside(beside, narrowing, x)
    reps = fs.capture(narrowing, [x], progress=False)
    maps = [fs.compare(r, progress=False) for r in (_widths(reps), reps)]
    one, other = (_pairs(m.values) for m in maps)
    wanted = float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])
    require(
        abs(found["agreement"] - wanted) < 0.02,
        f"For a network of this check the rank correlation is {wanted:.2f}, and you have "
        f"{found['agreement']:.2f}. Ranks, without scale, each pair of different layers once.",
    )
    for name, m, what in zip(PARTS[1:], maps, ("its widths", "the network"), strict=True):
        n = fs.partition(m).n_groups
        require(
            found[name] == n,
            f"The test finds {n} group{'s'[: n != 1]} in the map of {what} of this check, and {name!r} is "
            f"{found[name]:g} with you. The null comes first, then the network itself.",
        )
    require(narrowing.training, "The network was in training mode, and now it is not. Leave it as it was.")
    found = _beside(beside, network, x)
    place = "inside" if low <= found["agreement"] <= high else "outside"
    passed(
        f"You predicted a rank correlation of {low:g} to {high:g}, and it is {found['agreement']:.2f}, "
        f"{place}. The test finds {found['groups']:g} in the map of the widths, you predicted {groups}, and "
        f"{found['own groups']:g} in your own. What both maps show, no computation has made."
    )


def _narrowing() -> nn.Sequential:
    """Eight modules near the identity, but for one that leaves four dimensions."""
    torch.manual_seed(4)
    chain = nn.Sequential(*(nn.Linear(n, m, bias=False) for n, m in pairwise(_WIDTHS)))
    with torch.no_grad():
        for module in chain:
            if module.weight.shape[0] == module.weight.shape[1]:
                module.weight.copy_(torch.eye(len(module.weight)) + 0.05 * torch.randn_like(module.weight))
    return chain


_WIDTHS = (16, 16, 16, 16, 16, 4, 4, 4, 4)


def _widths(reps: fs.Representations) -> fs.Representations:
    return random_projection_null(reps, seed=0)


def _pairs(values: Array) -> Array:
    return values[np.triu_indices(len(values), k=1)]


def _ranks(x: Array) -> Array:
    return np.argsort(np.argsort(x))


def _beside(beside: Answer, network: nn.Sequential, x: torch.Tensor) -> dict[str, float]:
    """The answer for one network, if it is three numbers."""
    found: Any = call(beside, network, x, _widths, copies=False)
    require(
        isinstance(found, dict) and set(found) == set(PARTS),
        f"`beside` should return a dictionary with {', '.join(map(repr, PARTS))}.",
    )
    for name, value in found.items():
        require(
            np.ndim(value) == 0 and isinstance(value, SupportsFloat),
            f"{name!r} should be one number, and is {type(value).__name__}.",
        )
    return numbers(found, beside)
