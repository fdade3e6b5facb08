"""A network and what it is shown: from a folder, a package, the hub, or a function of the reader's.

Weights are read from safetensors files only unless the reader allows others, code is never fetched,
and the hub is asked only if ``FUNCSIM_HUB=1``.

Taught in chapter 14.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from funcsim._capture import Batch
from funcsim.errors import InputError, ModelError
from funcsim.pooling import Pool
from funcsim.report.hub import find_model, origin_of, quiet

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
FEWEST = 10


@dataclass(frozen=True)
class Network:
    """What :func:`funcsim.capture` needs.

    Attributes
    ----------
    model : nn.Module
    batches : list
        Of tensors, tuples or dicts.
    pool : {"mean"}, callable or None
        What fits these inputs.
    origin, inputs : str
        In one line each, for the record.
    """

    model: nn.Module
    batches: list[Batch]
    pool: Pool
    origin: str
    inputs: str

    @property
    def n_samples(self) -> int:
        return sum(_length(batch) for batch in self.batches)


def load_network(
    name: str,
    texts: Path | None = None,
    images: Path | None = None,
    max_length: int = 128,
    batch_size: int = 32,
    any_weights: bool = False,
) -> Network:
    """A network and the texts or images that it is to be shown.

    Parameters
    ----------
    name : str
        A folder or ``owner/model@revision`` with a model of the transformers library; or
        ``module:function`` for a function that returns a network, a network and its batches, or the path
        of such a folder.
    texts : path, optional
        A file with one text in each line.
    images : path, optional
        A folder of pictures, taken in the order of their names.
    max_length : int
        Tokens; longer texts are cut.
    batch_size : int
    any_weights : bool
        Whether weights in pickle files may be read, which can run code of whoever made them.

    Raises
    ------
    ModelError
        If the network is nowhere to be found, cannot be loaded, or is no network.
    InputError
        If the inputs are missing, too few or damaged.
    """
    folder = name
    if ":" in name and not Path(name).exists():
        made = _call(name)
        if not isinstance(made, str | Path):
            return _of_function(name, made, texts, images, batch_size)
        folder = str(made)
        if not Path(folder).is_dir():
            raise ModelError(f"{name} returns {folder!r}, which is no folder")
    if (texts is None) == (images is None):
        raise InputError(f"{name} needs either texts (a file) or images (a folder)")
    place, loading = find_model(folder)
    if not find_spec("transformers"):
        raise ModelError(f"{name} needs the transformers library: pip install 'funcsim[text]'")
    loading |= {"trust_remote_code": False}
    pool: Pool = "mean"
    if texts is not None:
        lines = read_texts(texts)
        batches, inputs = _tokens(place, loading, lines, max_length, batch_size), f"{len(lines)} texts"
    elif images is not None:
        pictures = read_pictures(images)
        batches, inputs = _pixels(place, loading, pictures, batch_size), f"{len(pictures)} images"
        pool = mean_over_places
    model = _load(name, place, loading, any_weights)
    return Network(model=model, batches=batches, pool=pool, origin=origin_of(place, loading), inputs=inputs)


def mean_over_places(output: Tensor) -> Tensor:
    """(batch, tokens, features) or (batch, channels, height, width) to (batch, features)."""
    return (
        output.mean(dim=1)
        if output.ndim == 3
        else output.flatten(2).mean(dim=2)
        if output.ndim > 3
        else output
    )


def read_texts(path: Path) -> list[str]:
    """The lines of a file that are not empty.

    Raises
    ------
    InputError
        If it is missing, is not UTF-8, or has fewer than ten.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; name a file of texts") from None
    return _enough([line for line in lines if line], f"{path} has", "texts, one in each line")


def read_pictures(folder: Path) -> list[Any]:
    """The pictures in a folder, in colour.

    Raises
    ------
    InputError
        If there is no such folder, a picture is damaged, or there are fewer than ten.
    """
    from PIL import Image

    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name one with pictures ({', '.join(PICTURES)})")
    pictures = []
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES):
        try:
            with Image.open(path) as picture:
                pictures.append(picture.convert("RGB"))
        except OSError as error:
            raise InputError(f"{path} cannot be read as a picture: {error}") from None
    return _enough(pictures, f"{folder} has", f"pictures ({', '.join(PICTURES)})")


def _enough(things: list[Any], where: str, what: str) -> list[Any]:
    if len(things) < FEWEST:
        raise InputError(f"{where} {len(things)} {what}; at least {FEWEST} are needed, 200 are better")
    return things


def _call(name: str) -> Any:
    """What a function named as ``module:function`` returns."""
    module, function = name.split(":", 1)
    sys.path.insert(0, "")  # where the command was given
    try:
        return getattr(importlib.import_module(module), function)()
    except (ImportError, AttributeError) as error:
        raise ModelError(f"{name} cannot be called: {error}; write module:function") from None
    finally:
        sys.path.remove("")


def _of_function(name: str, made: Any, texts: Path | None, images: Path | None, batch_size: int) -> Network:
    model, batches = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if not isinstance(model, nn.Module):
        raise ModelError(
            f"{name} returns {type(model).__name__}; it must return a torch.nn.Module, one and its batches, "
            "or the path of a folder with a model"
        )
    if batches is not None:
        batches = list(batches)
        counted = f"{sum(map(_length, batches))} samples of {name}"
        return Network(model=model, batches=batches, pool=None, origin=name, inputs=counted)
    if texts is not None or images is None:
        raise InputError(
            f"{name} returns a network alone; let it return (network, batches), or name a folder of images"
        )
    pictures = read_pictures(images)
    sizes = {picture.size for picture in pictures}
    if len(sizes) > 1:
        raise InputError(f"{images} holds pictures of {len(sizes)} sizes; {name} needs them of one size")
    pixels = torch.stack([_tensor(picture) for picture in pictures])
    return Network(
        model=model,
        batches=list(pixels.split(batch_size)),
        pool=mean_over_places,
        origin=name,
        inputs=f"{len(pictures)} images",
    )


def _tensor(picture: Any) -> Tensor:
    """(3, height, width), from 0 to 1."""
    import numpy as np

    return torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).float() / 255


def _load(name: str, place: str, loading: dict[str, Any], any_weights: bool) -> nn.Module:
    from transformers import AutoModel

    with quiet():
        try:
            weights = {} if any_weights else {"use_safetensors": True}
            model = AutoModel.from_pretrained(place, **weights, **loading)
        except (OSError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            raise ModelError(
                f"{name} could not be loaded from {place}: {first} (only safetensors weights are read unless "
                "you allow others with --any-weights)"
            ) from None
    return model.get_encoder() if model.config.is_encoder_decoder else model


def _tokens(place: str, loading: dict[str, Any], texts: list[str], most: int, size: int) -> list[Batch]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(place, **loading)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    encoded = [
        tokenizer(part, truncation=True, max_length=most, padding=True, return_tensors="pt")
        for part in _parts(texts, size)
    ]
    return [{key: batch[key] for key in ("input_ids", "attention_mask")} for batch in encoded]


def _pixels(place: str, loading: dict[str, Any], pictures: list[Any], size: int) -> list[Batch]:
    from transformers import AutoImageProcessor

    processor = AutoImageProcessor.from_pretrained(place, **loading)
    return [dict(processor(part, return_tensors="pt")) for part in _parts(pictures, size)]


def _parts(things: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [things[k : k + size] for k in range(0, len(things), size)]


def _length(batch: Batch) -> int:
    if isinstance(batch, Tensor):
        return len(batch)
    return _length(next(iter(batch.values() if isinstance(batch, dict) else batch)))
