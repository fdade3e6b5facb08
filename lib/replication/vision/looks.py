"""What an image becomes in each layer, to be looked at: Figure 9 of the reviews.

Images of the data set are no part of the book, so the image is a drawing.

Taught in chapter 12.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

import funcsim as fs
from replication.data.images import CLASSES, Images
from replication.models.resnet import ResNet9


def ship() -> NDArray[np.uint8]:
    """A ship with mast and sail on water, as bytes (32, 32, 3) of red, green and blue."""
    picture = np.full((32, 32, 3), (150, 190, 230), dtype=np.uint8)
    picture[22:] = (30, 70, 120)
    for row in range(18, 24):
        picture[row, 6 + row - 18 : 27 - (row - 18)] = (110, 60, 40)
    picture[5:18, 15] = (70, 50, 40)
    for row in range(6, 17):
        picture[row, 16 : 16 + (row - 4)] = (240, 240, 235)
    return picture


def channel_means(
    model: ResNet9, picture: NDArray[np.uint8], layers: Sequence[str]
) -> dict[str, NDArray[np.floating]]:
    """The mean over the channels of each layer, a square picture (side, side) again.

    Parameters
    ----------
    model : ResNet9
    picture : array of bytes, shape (32, 32, 3)
    layers : sequence of str
    """
    both = np.stack([picture, picture[:, ::-1]])  # its mirror image too: `fs.capture` asks for two inputs
    images = Images(both, np.full(2, CLASSES.index("ship")), "drawings").tensor()
    flat = fs.capture(model, [images], list(layers), lambda x: x.mean(1).flatten(1), progress=False)
    side = {name: round(len(rows[0]) ** 0.5) for name, rows in flat.items()}
    return {name: rows[0].reshape(side[name], -1) for name, rows in flat.items()}


def alike(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Correlation of the pixels of two square pictures, the larger one shrunk to the size of the other."""
    side = min(len(one), len(other))
    shrink = torch.nn.functional.adaptive_avg_pool2d
    small = [shrink(torch.tensor(picture)[None], side).flatten().numpy() for picture in (one, other)]
    return float(np.corrcoef(*small)[0, 1])
