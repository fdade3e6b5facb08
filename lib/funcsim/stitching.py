"""Stitching: what a network still answers when one of its layers is made from another by a straight map.

The layer that goes in is fitted by least squares to the layer that was there. If nothing is lost, then
whatever the network does between the two is nothing that an affine map cannot do. The idea is Lenc and
Vedaldi's (2015), and Bansal et al.'s (2021), who compare networks with it; here a network is also
stitched to itself.

Taught in chapter 13.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from funcsim._internal.typing import Array
from funcsim.layer_map import LayerMap
from funcsim.patching import ActivationPatcher
from funcsim.representations import Representations


def stitch(
    model: nn.Module,
    inputs: Tensor,
    labels: ArrayLike,
    reps: Representations,
    train_mask: NDArray[np.bool_],
    source: Representations | None = None,
) -> LayerMap:
    """How much a model still answers right when its layers are made from other layers.

    Parameters
    ----------
    model : torch.nn.Module
        From `inputs` to logits (n, classes).
    inputs : Tensor, shape (n, ...)
    labels : array, shape (n,)
        The right answers.
    reps : Representations
        M layers of the model, all their numbers in a row, (n, d) each, as
        :func:`funcsim.capture` gives them without `pool`.
    train_mask : boolean array, shape (n,)
        On which samples the affine maps are fitted. The others are those that are answered.
    source : Representations, optional
        L layers to make them from: of another network, or of none. Without it, each layer is made
        from each one before it.

    Returns
    -------
    LayerMap
        Shares between 0 and 1 of the other samples that are answered right, (L, M), with layer j
        made from layer i. Without `source`, the map of the model with itself: mirrored, since
        layers are only made from earlier ones, and with what the untouched model answers right
        on the diagonal.

    Raises
    ------
    LayerSelectionError
        If a name in `reps` is no module that runs once in a pass and returns a tensor.
    ValueError
        If `inputs`, `labels`, `train_mask`, `reps` and `source` differ in their number of samples, or
        if there is no sample to fit, or none to answer.
    """
    within = source is None
    source = reps if source is None else source
    labels = np.asarray(labels)
    _check(inputs, labels, reps, train_mask, source)
    values = np.empty((len(source), len(reps)))
    untouched, truth = ActivationPatcher(model, inputs[torch.as_tensor(~train_mask)]), labels[~train_mask]
    for name in reps:
        untouched.check(name)
    whole = _share_right(untouched.logits, truth)
    for i, given in enumerate(source.values()):
        ahead = list(reps)[i + 1 :] if within else list(reps)
        made = fit_affine_stitch(given, [reps[name] for name in ahead], train_mask)
        for j, (name, state) in enumerate(zip(ahead, made, strict=True), start=len(reps) - len(ahead)):
            values[i, j] = _share_right(untouched.logits_with(name, state), truth)
            if within:
                values[j, i] = values[i, j]
        if within:
            values[i, i] = whole
    return LayerMap(
        values=values,
        names=source.names,
        columns=reps.names,
        measure="stitching",
        normalize=None,
        n_samples=int((~train_mask).sum()),
        is_similarity=True,
    )


def fit_affine_stitch(
    source: NDArray[np.floating], targets: list[NDArray[np.floating]], train_mask: NDArray[np.bool_]
) -> list[Array]:
    """The best affine image of a layer for each of several others, where nothing was fitted.

    Parameters
    ----------
    source : array, shape (n, d)
    targets : list of array, shape (n, d_k)
    train_mask : boolean array, shape (n,)
        On which m samples to fit.

    Returns
    -------
    list of array, shape (n - m, d_k)
        For the other samples. Among the maps that fit equally well, that of the smallest norm.
    """
    if not targets:
        return []
    whole = np.column_stack([source, np.ones(len(source))]).astype(np.float64)
    weights = np.linalg.lstsq(
        whole[train_mask], np.hstack(targets)[train_mask].astype(np.float64), rcond=None
    )[0]
    ends = np.cumsum([target.shape[1] for target in targets])
    return np.split(whole[~train_mask] @ weights, ends[:-1], axis=1)


def _share_right(logits: Tensor, labels: NDArray[np.int64]) -> float:
    return float((logits.argmax(dim=1).cpu().numpy() == labels).mean())


def _check(
    inputs: Tensor,
    labels: NDArray[np.int64],
    reps: Representations,
    train_mask: NDArray[np.bool_],
    source: Representations,
) -> None:
    counts = {
        "inputs": len(inputs),
        "labels": len(labels),
        "train_mask": len(train_mask),
        "reps": reps.n_samples,
        "source": source.n_samples,
    }
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in counts.items())
        raise ValueError(f"all must have the same number of samples: {listed}")
    if train_mask.all() or not train_mask.any():
        raise ValueError("train_mask must say on which samples to fit and leave some others to be answered")
