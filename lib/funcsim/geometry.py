"""From a point cloud to its matrix of intra-layer distances.

Two traps are handled here once, for everything above. Distances must not come from
rounding: nearly coincident points are compared coordinate by coordinate. And a layer whose
samples all coincide is *degenerate*: it is reported by name and never normalised, because
dividing rounding noise by its own mean would turn it into a map.

Taught in chapter 02.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from funcsim.errors import DegenerateLayerError, RepresentationError

Normalize = Literal["mean", "max"] | None

#: A cloud is degenerate when its mean distance is below this many units of rounding.
DEGENERATE_ULPS = 32


def as_array(points: ArrayLike, name: str = "X") -> NDArray:
    """Check that `points` can be a representation, and return it as a NumPy array.

    Parameters
    ----------
    points : array or tensor, shape (n_samples, n_features)
        Real numbers, finite, at least two samples. Tensors may live on any device.
    name : str
        What to call it in an error message: the layer's name.

    Returns
    -------
    ndarray, shape (n_samples, n_features)
        Of a floating type; whole numbers and booleans become float64.

    Raises
    ------
    RepresentationError
        Naming the layer, when any of the conditions fails.
    """
    if np.ma.is_masked(points):
        raise RepresentationError(
            f"layer {name!r} is a masked array with {np.ma.count_masked(points)} gaps; leave out its "
            "samples or features that have any, or fill them with x.filled(value)"
        )
    values: Any = points
    if hasattr(values, "detach"):  # a tensor; PyTorch takes seconds to import, and arrays need none of it
        values = values.detach().cpu()
        values = values.float() if str(values.dtype) == "torch.bfloat16" else values
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise RepresentationError(f"layer {name!r} is not an array: {error}") from None
    if array.dtype.kind in "biu":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise RepresentationError(
            f"layer {name!r} holds {array.dtype} values; representations are real numbers, "
            "so convert it to a floating type first"
        )
    if array.ndim != 2:
        raise RepresentationError(
            f"layer {name!r} has shape {array.shape}; it must be (n_samples, n_features), "
            "so flatten or pool the other axes first"
        )
    if array.shape[0] < 2 or array.shape[1] < 1:
        raise RepresentationError(
            f"layer {name!r} has shape {array.shape}; distances need at least 2 samples and 1 feature"
        )
    bad = ~np.isfinite(array)
    if bad.any():
        kind = "NaN" if np.isnan(array).any() else "infinity"
        row, column = np.argwhere(bad)[0]
        raise RepresentationError(
            f"layer {name!r} holds {kind} in {bad.sum()} of {array.size} places, the first "
            f"at sample {row}, feature {column}; find out where the model produced it, or "
            "leave the layer out"
        )
    return array


def pairwise_distances(points: ArrayLike, name: str = "X") -> NDArray[np.float64]:
    """Euclidean distances between all samples of one layer.

    Parameters
    ----------
    points : array or tensor, shape (n_samples, n_features)
    name : str
        The layer's name, for error messages.

    Returns
    -------
    ndarray, shape (n_samples, n_samples), float64
        Symmetric, exactly zero on the diagonal and between identical samples, in the units
        of `points`.

    Raises
    ------
    RepresentationError
        If `points` is not a representation (see :func:`as_array`), or its distances overflow.

    Notes
    -----
    ``|x|^2 + |y|^2 - 2xy`` is one matrix product, but for close points it subtracts large
    equal numbers and leaves noise. The cloud is therefore centred first, and every pair
    closer than a thousandth of the cloud's radius is measured again by subtracting
    coordinates.
    """
    x = as_array(points, name).astype(np.float64)
    x -= x.mean(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.einsum("ij,ij->i", x, x)
        squared = norms[:, None] + norms[None, :] - 2.0 * (x @ x.T)
    if not np.isfinite(squared).all():
        raise RepresentationError(
            f"layer {name!r} has distances too large for float64; divide it by a constant first"
        )
    rows, columns = np.nonzero(np.triu(squared <= 1e-6 * norms.max(), k=1))
    for part in np.array_split(np.arange(len(rows)), 1 + len(rows) * x.shape[1] // 10**7):
        i, j = rows[part], columns[part]
        squared[i, j] = ((x[i] - x[j]) ** 2).sum(axis=1)
    upper = np.triu(np.sqrt(np.maximum(squared, 0.0)), k=1)
    return upper + upper.T


def mean_distance(distances: NDArray[np.float64]) -> float:
    """Mean over pairs of different samples, of a distance matrix (n, n)."""
    n = len(distances)
    return float(distances.sum() / (n * (n - 1)))


def is_degenerate(points: ArrayLike, name: str = "X") -> bool:
    """Whether the samples of a layer coincide up to the rounding of its number type.

    Parameters
    ----------
    points : array or tensor, shape (n_samples, n_features)
    name : str
        The layer's name, for error messages.

    Returns
    -------
    bool
        True when the mean distance is at most `DEGENERATE_ULPS` units of rounding of the
        root mean square norm. The [CLS] vector at a text encoder's embedding layer is
        the classic case: it is the same for every input.
    """
    array = as_array(points, name)
    return _coincide(array, pairwise_distances(array, name))


def _coincide(array: NDArray, distances: NDArray[np.float64]) -> bool:
    size = np.sqrt((array.astype(np.float64) ** 2).sum(axis=1).mean())
    return mean_distance(distances) <= DEGENERATE_ULPS * np.finfo(array.dtype).eps * size


def normalised_points(
    points: ArrayLike, normalize: Normalize = "mean", name: str = "X"
) -> NDArray[np.float64]:
    """The points of a layer, brought to a common scale.

    Parameters
    ----------
    points : array or tensor, shape (n_samples, n_features)
    normalize : {"mean", "max"} or None
        Divide by the mean distance between different samples, by the largest, or not at all.
    name : str
        The layer's name, for error messages.

    Returns
    -------
    ndarray, shape (n_samples, n_features), float64
        Not centred; without unit when normalised, otherwise in the units of `points`.

    Raises
    ------
    DegenerateLayerError, RepresentationError, ValueError
        As for :func:`distance_matrix`.
    """
    array = as_array(points, name)
    if normalize is None:
        return array.astype(np.float64)
    return array.astype(np.float64) / _scale(array, pairwise_distances(array, name), normalize, name)


def distance_matrix(points: ArrayLike, normalize: Normalize = "mean", name: str = "X") -> NDArray[np.float64]:
    """The distance matrix of a layer, brought to a common scale.

    Parameters
    ----------
    points : array or tensor, shape (n_samples, n_features)
    normalize : {"mean", "max"} or None
        Divide by the mean distance between different samples, by the largest, or not at
        all (the paper's raw distances).
    name : str
        The layer's name, for error messages.

    Returns
    -------
    ndarray, shape (n_samples, n_samples), float64
        Without unit when normalised, otherwise in the units of `points`.

    Raises
    ------
    DegenerateLayerError
        If the samples coincide and a normalisation is asked for.
    RepresentationError
        If `points` is not a representation.
    ValueError
        If `normalize` is not one of the three.
    """
    array = as_array(points, name)
    distances = pairwise_distances(array, name)
    if normalize is None:
        return distances
    return distances / _scale(array, distances, normalize, name)


def principal_coordinates(points: ArrayLike, name: str = "X") -> NDArray[np.float64]:
    """The same cloud about its mean, in at most as many dimensions as there are points.

    All distances stay as they are, and so do all inner products about the mean.

    Parameters
    ----------
    points : array, shape (n, d)
    name : str
        For error messages.

    Returns
    -------
    array, shape (n, min(n, d))
        The first dimension varies most.
    """
    array = as_array(points, name).astype(np.float64)
    array = array - array.mean(axis=0)
    u, s, _ = np.linalg.svd(array, full_matrices=False)
    return u * s


def check_normalize(normalize: Normalize) -> None:
    """Raise a ValueError unless `normalize` is one of the three that there are."""
    if normalize not in ("mean", "max", None):
        raise ValueError(f"normalize={normalize!r} is unknown; use 'mean', 'max' or None")


def _scale(array: NDArray, distances: NDArray[np.float64], normalize: Normalize, name: str) -> float:
    """What to divide a layer by."""
    check_normalize(normalize)
    if _coincide(array, distances):
        raise DegenerateLayerError(
            f"layer {name!r} is degenerate: all {len(array)} samples coincide up to rounding "
            f"(mean distance {mean_distance(distances):.1e}), so there is no scale to divide "
            "by; leave it out with `reps.drop(...)`, or compare raw distances with "
            "normalize=None"
        )
    return mean_distance(distances) if normalize == "mean" else float(distances.max())
