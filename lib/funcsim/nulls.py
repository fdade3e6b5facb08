"""Layers without what is to be shown: what a measure says when there is nothing to find.

A measure that matches samples by their index is compared with permuted samples. One that
finds its own matching cannot see a permutation; it is compared with Gaussian clouds of the
same spectrum. Both are compared with the same network at random weights.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from funcsim._internal.typing import Array
from funcsim.geometry import as_array
from funcsim.representations import Representations


def gaussian_surrogate(points: NDArray, seed: int = 0) -> Array:
    """A Gaussian cloud with the mean and the covariance spectrum of another, and nothing else of it.

    Parameters
    ----------
    points : array, shape (n, d)
        Samples in rows.
    seed : int
        Of the cloud and of its orientation.

    Returns
    -------
    array, shape (n, d)
        A Gaussian sample, whitened, stretched by the standard deviations of `points` along
        its principal axes, and rotated at random (Haar). The eigenvalues of its sample
        covariance are those of `points` up to rounding.

    Raises
    ------
    RepresentationError
        If `points` is not numeric or not (n, d), or holds NaN or infinity.
    """
    points = as_array(points, "points").astype(np.float64)
    mean = points.mean(axis=0)
    scales = np.linalg.svd(points - mean, compute_uv=False)[: len(points) - 1]
    rng = np.random.default_rng(seed)
    sample = rng.normal(size=(len(points), len(scales)))
    return (
        _orthonormal(sample - sample.mean(axis=0)) * scales @ _haar(points.shape[1], len(scales), rng).T
        + mean
    )


def _orthonormal(columns: Array) -> Array:
    """The nearest matrix with orthonormal columns; the same space, no column preferred."""
    left, _, right = np.linalg.svd(columns, full_matrices=False)
    return left @ right


def _haar(rows: int, columns: int, rng: np.random.Generator) -> Array:
    """Orthonormal columns of uniformly random orientation."""
    return _orthonormal(rng.normal(size=(rows, columns)))


def spectrum_matched(reps: Representations, seed: int = 0) -> Representations:
    """Every layer replaced by a :func:`gaussian_surrogate` of its own; the null for Gromov-Wasserstein.

    Parameters
    ----------
    reps : Representations
        L layers, (n, d) each.
    seed : int

    Returns
    -------
    Representations
        The same names and shapes; the layers are independent of one another.
    """
    seeds = np.random.SeedSequence(seed).generate_state(len(reps))
    twins = zip(reps.items(), seeds, strict=True)
    return Representations({name: gaussian_surrogate(array, int(s)) for (name, array), s in twins})


def random_projection_null(reps: Representations, seed: int = 0) -> Representations:
    """The first layer in place of every layer, at the dimension that the layer fills.

    The null for "blocks are functions": nothing happens from one layer to the next but that
    the cloud is projected, at random, to as many dimensions as the layer has directions in
    which its samples differ.

    Parameters
    ----------
    reps : Representations
        L layers, (n, d) each.
    seed : int

    Returns
    -------
    Representations
        The same names; each layer (n, r), r the rank of the centred layer, 1 at least.
    """
    rng = np.random.default_rng(seed)
    cloud = next(iter(reps.values())).astype(np.float64)
    projected = {}
    for name, array in reps.items():
        rank = max(1, int(np.linalg.matrix_rank(array - array.mean(axis=0))))
        projected[name] = cloud @ rng.normal(size=(cloud.shape[1], rank)) / np.sqrt(rank)
    return Representations(projected)


def permuted(reps: Representations, seed: int = 0) -> Representations:
    """The samples of every layer in a random order of its own.

    The null for measures that use the correspondence of samples. A measure that finds its
    own matching, such as Gromov-Wasserstein, gives the same value as before.

    Parameters
    ----------
    reps : Representations
        L layers, (n, d) each.
    seed : int

    Returns
    -------
    Representations
        The same names and shapes.
    """
    rng = np.random.default_rng(seed)
    return Representations({name: rng.permutation(array) for name, array in reps.items()})


def reinitialised(
    model: nn.Module, seed: int = 0, init: Callable[[nn.Module, int], object] | None = None
) -> nn.Module:
    """A copy of a network with all of its parameters drawn anew.

    Parameters
    ----------
    model : torch.nn.Module
        It is left as it is.
    seed : int
        Of the new parameters; the global state of PyTorch is left as it is.
    init : callable, optional
        Takes the copy, still with the weights of `model`, and the seed, and draws in place what
        is to be drawn. Without it, every module's own ``reset_parameters`` is called, children
        first, and then, for a model of the transformers library, its ``_init_weights``.

    Returns
    -------
    torch.nn.Module
        On the device and in the mode of `model`. Weights that were tied are tied; what a reset
        reaches beside parameters, such as the running statistics of batch normalisation, is reset.

    Raises
    ------
    ValueError
        Naming the parameters that no reset reaches; give `init`. If `init` changes none.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Linear(2, 2)
    >>> bool((reinitialised(model, 1).weight == model.weight).any())
    False
    """
    fresh = copy.deepcopy(model)
    devices = {p.device for p in fresh.parameters() if p.device.type == "cuda"}
    with torch.random.fork_rng(devices=list(devices)), torch.no_grad():
        torch.manual_seed(seed)
        if init is not None:
            init(fresh, seed)
            pairs = list(zip(fresh.parameters(), model.parameters(), strict=False))
            if pairs and all(torch.equal(new, old) for new, old in pairs):
                raise ValueError("init= changed no parameter of the copy that it was given")
            return fresh
        missed = _draw_anew(fresh)
    if missed:
        raise ValueError(
            f"no reset reaches these parameters: {', '.join(missed)}; pass init=, a function of the copy and "
            "a seed that draws the parameters in place"
        )
    return fresh


def _draw_anew(model: nn.Module) -> list[str]:
    """Call every reset there is; the parameters that none has reached, with the kind of their module."""
    for p in model.parameters():
        if p.is_floating_point() or p.is_complex():
            p.fill_(torch.nan)  # what is not written over can be told
    modules = list(model.modules())[::-1]  # children first
    for module in modules:
        # Attention in PyTorch hides its own.
        reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
        if callable(reset):
            reset()
    for owner, module in _with_owners(model)[::-1]:
        owner._init_weights(module)  # type: ignore[operator]
    return [
        f"{name} (in {type(model.get_submodule(name.rpartition('.')[0])).__name__})"
        for name, p in model.named_parameters()
        if not (p.is_floating_point() or p.is_complex()) or bool(p.isnan().any())
    ]


def _with_owners(module: nn.Module, owner: nn.Module | None = None) -> list[tuple[nn.Module, nn.Module]]:
    """Each module inside a model of the transformers library, after the model that draws its weights."""
    if any(kind.__name__ == "PreTrainedModel" for kind in type(module).__mro__):
        owner = module
    inside = [pair for child in module.children() for pair in _with_owners(child, owner)]
    return inside if owner is None else [(owner, module), *inside]
