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
    model: nn.Module, seed: int = 0, initialise: Callable[[nn.Module], object] | None = None
) -> nn.Module:
    """A copy of a network with all of its parameters drawn anew.

    Parameters
    ----------
    model : torch.nn.Module
        It is left as it is.
    seed : int
        Of the new parameters; the global state of PyTorch is left as it is.
    initialise : callable, optional
        Draws all parameters of the copy that it is given, in place. Without it, every
        module's own ``reset_parameters`` is called, children first.

    Returns
    -------
    torch.nn.Module
        On the device and in the mode of `model`.

    Raises
    ------
    ValueError
        Naming the modules that hold parameters but cannot reset them; give `initialise`, or
        make a new network as this one was made.
    """
    fresh = copy.deepcopy(model)
    devices = {p.device for p in fresh.parameters() if p.device.type == "cuda"}
    with torch.random.fork_rng(devices=list(devices)), torch.no_grad():
        torch.manual_seed(seed)
        if initialise is not None:
            initialise(fresh)
            return fresh
        modules = [(name or "(the network itself)", m) for name, m in fresh.named_modules()]
        holders = [(name, m) for name, m in modules if next(m.parameters(recurse=False), None) is not None]
        stuck = [f"{name} ({type(m).__name__})" for name, m in holders if _reset(m) is None]
        if stuck:
            raise ValueError(
                f"these modules cannot draw their parameters anew: {', '.join(stuck)}; "
                "pass initialise=, a function that does"
            )
        for _, module in reversed(modules):
            reset = _reset(module)
            if reset is not None:
                reset()
    return fresh


def _reset(module: nn.Module) -> Callable[[], object] | None:
    """The module's own way to draw its parameters; attention in PyTorch hides it."""
    for name in ("reset_parameters", "_reset_parameters"):
        if callable(getattr(module, name, None)):
            return getattr(module, name)
    return None
