"""Layers of a network of convolutions, maps of them, and readouts: for the reviewers' question about vision.

A layer is taken in two ways. *Flat*, all its numbers in a row, as coordinates in which distances and
inner products are the same and which are few: n images span n dimensions at most. And by *channels*,
the mean over the image, which forgets where something is.

Taught in chapter 12.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.progress import progress_bar
from funcsim.geometry import principal_coordinates
from funcsim.nulls import random_projection_null, spectrum_matched
from funcsim.probes import linear_probe, linear_probe_r2
from funcsim.representations import Representations
from replication.data.images import Images, local_properties
from replication.models.resnet import ResNet9

STATES = ("random", "trained")
#: All that compare layers of different widths by distances or inner products.
MEASURES = ("gw", "rsm", "rsa", "msid", "cka", "cka-debiased")
#: As tables and figures name them.
TITLES = dict(zip(MEASURES, ("GW", "RSM", "RSA", "MSID", "CKA", "CKA, debiased"), strict=True))


def flat_layers(model: ResNet9, images: Images, layers: list[str], progress: bool = False) -> Representations:
    """All numbers of each layer in a row, as :func:`funcsim.geometry.principal_coordinates`.

    One layer at a time, because all of them together are a gigabyte for 300 images.
    """
    batches = images.tensor().split(50)
    return Representations(
        {
            name: principal_coordinates(fs.capture(model, batches, name, progress=False)[name], name)
            for name in progress_bar(layers, "layers", progress)
        }
    )


def channels(model: ResNet9, images: Images, layers: list[str], side: int = 1) -> Representations:
    """Each channel's mean over the image, or over each of `side` times `side` parts of it."""

    def pool(output: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(output, side).flatten(1)

    return fs.capture(model, images.tensor().split(50), layers, pool, progress=False)


def all_maps(
    flat: dict[str, Representations], spread: dict[str, Representations], progress: bool
) -> dict[str, fs.LayerMap]:
    """Maps by ``what/normalisation/measure``, from what :func:`flat_layers` and :func:`channels` give.

    What: `random` or `trained` (flat), `random-channels` or `trained-channels`, `twins` (a Gaussian
    cloud of the same spectrum for every layer) and `width` (the first layer, projected at random to
    as many channels as every layer has).
    """
    plans = [(s, reps, "mean", measure) for s, reps in flat.items() for measure in MEASURES]
    plans += [(s, reps, None, measure) for s, reps in flat.items() for measure in MEASURES[:2]]
    plans += [
        (f"{s}-channels", reps, "mean", measure)
        for s, reps in spread.items()
        for measure in (*MEASURES, "agw")
    ]
    plans += [
        ("twins", spectrum_matched(flat["trained"]), "mean", "gw"),
        ("width", random_projection_null(spread["trained"]), "mean", "gw"),
    ]
    return {
        f"{what}/{normalize or 'raw'}/{measure}": fs.compare(
            reps, measure=measure, normalize=normalize, progress=False
        )
        for what, reps, normalize, measure in progress_bar(plans, "maps", progress)
    }


def readouts(
    model: ResNet9, learned: Images, read: Images, layers: list[str]
) -> dict[str, NDArray[np.float64]]:
    """How well the class, and what is local in an image, can be told from each layer (L,).

    From the means over the four quarters of the image, by a logistic regression (accuracy) and by least
    squares (R^2), on images that were not fitted.
    """
    both = Images(
        np.concatenate([learned.pixels, read.pixels]), np.concatenate([learned.labels, read.labels]), ""
    )
    rows = np.arange(len(both)) < len(learned)
    reps = channels(model, both, layers, side=2)
    scores = {"class": np.array([linear_probe(layer, both.labels, rows)[1] for layer in reps.values()])}
    for name, target in local_properties(both).items():
        scores[name] = np.array([linear_probe_r2(layer, target, rows)[1] for layer in reps.values()])
    return scores
