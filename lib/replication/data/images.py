"""Images and what they show: CIFAR-10, which the reviews ask for, from a folder or from the hub.

The folder is named by the environment variable ``FUNCSIM_DATA``; it holds ``cifar10/train-0.npz`` and
so on, and ``cifar10/test.npz``, each with ``x`` (n, 32, 32, 3) and ``y`` (n,), bytes. The hub is asked
only if ``FUNCSIM_HUB=1``.

Taught in chapter 12.
"""

from __future__ import annotations

import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from funcsim.errors import InputError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
REPOSITORY, REVISION = "uoft-cs/cifar10", "0b2714987fa478483af9968de7c934580d0bb9a2"
HUB_FILES = {
    "train": "plain_text/train-00000-of-00001.parquet",
    "test": "plain_text/test-00000-of-00001.parquet",
}
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


@dataclass(frozen=True)
class Images:
    """Images with labels.

    Attributes
    ----------
    pixels : array of bytes, shape (n, 32, 32, 3)
        Red, green and blue, 0 to 255.
    labels : integer array, shape (n,)
        Places in `CLASSES`.
    origin : str
        In one line, what they are.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    origin: str

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, rows: NDArray[np.integer]) -> Images:
        """The images of these rows, in this order."""
        return Images(self.pixels[rows], self.labels[rows], self.origin)

    def sample(self, n: int, seed: int) -> Images:
        """`n` different images, drawn at random.

        Raises
        ------
        InputError
            If there are fewer.
        """
        if n > len(self):
            raise InputError(f"{self.origin}: {n} images were asked for, and there are {len(self)}")
        return self[np.random.default_rng(seed).permutation(len(self))[:n]]

    def tensor(self) -> Tensor:
        """What a network is given: (n, 3, 32, 32), each colour with mean 0 and deviation 1, about."""
        scaled = (self.pixels.astype(np.float32) / 255 - np.float32(MEAN)) / np.float32(STD)
        return torch.from_numpy(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)))


def load_cifar10(split: str = "train") -> Images:
    """Load all images of a split that are at hand.

    Parameters
    ----------
    split : {"train", "test"}

    Raises
    ------
    InputError
        If the images are nowhere to be found, or a file does not hold images and labels.
    ValueError
        If there is no such split.
    """
    if split not in HUB_FILES:
        raise ValueError(f"CIFAR-10 has no split {split!r}; it has {', '.join(HUB_FILES)}")
    folder = os.environ.get("FUNCSIM_DATA")
    if folder:
        files = sorted((Path(folder) / "cifar10").glob("test.npz" if split == "test" else "train-*.npz"))
        if not files:
            name = "test.npz" if split == "test" else "train-0.npz"
            raise InputError(f"FUNCSIM_DATA names {folder}, which has no file cifar10/{name}")
        parts, where = [_read(path) for path in files], "FUNCSIM_DATA"
        pixels, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    elif os.environ.get("FUNCSIM_HUB") == "1":
        (pixels, labels), where = _download(split), f"{REPOSITORY}@{REVISION[:7]}"
    else:
        raise InputError(
            f"CIFAR-10 is not at hand: set FUNCSIM_DATA to a folder with cifar10/{split}*.npz, or set "
            f"FUNCSIM_HUB=1 to allow its download from the Hugging Face hub ({REPOSITORY})"
        )
    return Images(pixels, labels, f"CIFAR-10, {split}, {len(pixels):,} images from {where}")


def toy_images(n: int, seed: int = 0) -> Images:
    """`n` noisy pictures of a bright square, whose height and colour tell the class."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % len(CLASSES))
    pixels = rng.integers(0, 100, size=(n, SIDE, SIDE, 3))
    for picture, label in zip(pixels, labels, strict=True):
        top, left = 5 * (label % 5), rng.integers(SIDE - 12)
        picture[top : top + 12, left : left + 12, label // 5] += 150
    return Images(pixels.astype(np.uint8), labels, f"{n} pictures of squares, made on the spot")


def local_properties(images: Images) -> dict[str, NDArray[np.float64]]:
    """What can be told from a part of an image without knowing what it shows.

    Parameters
    ----------
    images : Images
        n of them.

    Returns
    -------
    dict of str to array (n,)
        ``colour``: red less blue, of 255, in the mean over the upper left quarter. ``edges``: by how
        much, in powers of ten, brightness changes more from left to right than from top to bottom in
        the same quarter.
    """
    quarter = images.pixels[:, : SIDE // 2, : SIDE // 2].astype(np.float64)
    brightness = quarter.mean(axis=-1)
    across, down = (np.abs(np.diff(brightness, axis=axis)).mean(axis=(1, 2)) for axis in (2, 1))
    return {
        "colour": (quarter[..., 0] - quarter[..., 2]).mean(axis=(1, 2)) / 255,
        "edges": np.log10((across + 1) / (down + 1)),
    }


def check_images(pixels: NDArray, labels: NDArray, where: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pixels and labels as they should be.

    Raises
    ------
    InputError
        If they are of another shape, type or range.
    """
    if pixels.dtype != np.uint8:
        raise InputError(f"{where}: the pixels are {pixels.dtype}; they must be bytes (uint8), 0 to 255")
    if pixels.ndim != 4 or pixels.shape[1:] != (SIDE, SIDE, 3):
        raise InputError(
            f"{where}: the images have shape {pixels.shape}; they must be (n, {SIDE}, {SIDE}, 3), the "
            "colours last"
        )
    if labels.shape != (len(pixels),) or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"{where}: {len(pixels)} images have labels of shape {labels.shape} and type {labels.dtype}; "
            "there must be one integer for each"
        )
    for row in np.flatnonzero((labels < 0) | (labels >= len(CLASSES))):
        raise InputError(f"{where}, image {row + 1}: the label is {labels[row]}; it must be 0 to 9")
    return pixels, labels.astype(np.int64)


def _read(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as numpy's .npz: {error}") from None
    for name in ("x", "y"):
        if name not in arrays:
            raise InputError(f"{path} has no array {name!r}; it has {', '.join(map(repr, arrays))}")
    return check_images(arrays["x"], arrays["y"], str(path))


def _download(split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    import pandas as pd
    from huggingface_hub import hf_hub_download
    from PIL import Image

    try:
        path = hf_hub_download(REPOSITORY, HUB_FILES[split], repo_type="dataset", revision=REVISION)
    except Exception as error:
        raise InputError(
            f"{REPOSITORY} could not be fetched ({type(error).__name__}: {error}); without a network, set "
            "FUNCSIM_DATA to a folder with cifar10/train-0.npz and cifar10/test.npz"
        ) from error
    table = pd.read_parquet(path)
    pixels = np.stack(
        [np.asarray(Image.open(io.BytesIO(cell["bytes"])).convert("RGB")) for cell in table["img"]]
    )
    return check_images(pixels, table["label"].to_numpy(), f"{REPOSITORY}, {split}")
