"""Pictures from a folder, opened by what they hold and not by how they are named.

Taught in chapter 14.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from funcsim.errors import InputError, ModelError
from funcsim.report.choice import enough
from funcsim.report.texts import first_line

PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
#: What is decoded: formats that are pictures and nothing else. PostScript is a program.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
#: A picture of more pixels is refused before it is decoded: 64 million take 192 MB.
MOST_PIXELS = 64_000_000


def find_pictures(folder: Path) -> list[Path]:
    """The pictures in a folder, in the order of their names.

    Raises
    ------
    InputError
        If there is no such folder, or there are fewer than ten.
    """
    try:
        inside = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    except (OSError, ValueError):
        raise InputError(f"{folder} is no folder; name one with pictures ({', '.join(PICTURES)})") from None
    return enough(inside, f"{folder} has", f"pictures ({', '.join(PICTURES)})")


def read_picture(path: Path) -> Any:
    """A picture in colour; of a film the first frame.

    Raises
    ------
    InputError
        If it is damaged, too large, or something else.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # refused below, and said
            with Image.open(path, formats=FORMATS) as picture:
                pixels = picture.width * picture.height
                if pixels <= MOST_PIXELS:
                    return picture.convert("RGB")
    except Image.DecompressionBombError:
        raise InputError(f"{path} is too large to be decoded; make it smaller, or leave it out") from None
    except Exception as error:  # whatever a damaged file makes a decoder raise
        raise InputError(
            f"{path} cannot be read as a picture ({', '.join(FORMATS)}): {first_line(error)}"
        ) from None
    raise InputError(
        f"{path} has {pixels:,} pixels, more than the {MOST_PIXELS:,} that are decoded; make it smaller, or "
        "leave it out"
    )


def load_processor(place: str, loading: dict[str, Any]) -> Any:
    """The image processor of a model.

    Raises
    ------
    ModelError
        If there is none.
    """
    from transformers import AutoImageProcessor

    try:
        return AutoImageProcessor.from_pretrained(place, **loading)
    except Exception as error:  # whatever a damaged file makes the processor's own code raise
        raise ModelError(
            f"the image processor of {place} could not be loaded: {first_line(error)}; save it beside the "
            "model with processor.save_pretrained"
        ) from None


def as_tensor(picture: Any) -> Tensor:
    """(3, height, width), from 0 to 1."""
    import numpy as np

    return torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).float() / 255


def mean_over_places(output: Tensor) -> Tensor:
    """(batch, tokens, features) or (batch, channels, height, width) to (batch, features)."""
    return (
        output.mean(dim=1)
        if output.ndim == 3
        else output.flatten(2).mean(dim=2)
        if output.ndim > 3
        else output
    )
