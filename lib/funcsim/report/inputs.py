"""A network and what it is shown: from a folder, a package, the hub, or a function of the reader's.

Weights are read from safetensors files only unless the reader allows others, code is never fetched,
and the hub is asked only if ``FUNCSIM_HUB=1``.

Taught in chapter 14.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import nn

from funcsim._batches import Batch
from funcsim._layers import default_layers
from funcsim.errors import InputError, ModelError
from funcsim.hub import find_model, origin_of
from funcsim.pooling import Pool
from funcsim.report import functions
from funcsim.report.choice import MOST, taken
from funcsim.report.pictures import find_pictures, load_processor, mean_over_places, read_picture
from funcsim.report.texts import check_tokens, cut_texts, load_tokenizer, read_texts, tokenised
from funcsim.report.weights import Loaded, check_weights, load_model


@dataclass(frozen=True)
class Draw:
    """How many inputs are drawn, with which seed, how many of them are prepared, and how many at once."""

    n_inputs: int
    seed: int
    n_tried: int | None
    batch_size: int


@dataclass(frozen=True, kw_only=True)
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
    layers : tuple of str
        Names or patterns: those asked for, or those that the network repeats.
    n_offered, n_taken : int
        How many inputs there were, and how many of them a map is made of.
    notes : tuple of str
        What a reader of the report should know of weights and inputs.
    """

    model: nn.Module
    batches: list[Batch]
    pool: Pool
    origin: str
    inputs: str
    layers: tuple[str, ...] = ()
    n_offered: int = 0
    n_taken: int = 0
    notes: tuple[str, ...] = ()

    @property
    def n_samples(self) -> int:
        """How many inputs are in the batches: fewer than `n_taken` if a few were asked for to try."""
        return sum(functions.length(batch) for batch in self.batches)


def load_network(
    name: str,
    texts: Path | None = None,
    images: Path | None = None,
    max_length: int = 128,
    batch_size: int = 32,
    any_weights: bool = False,
    *,
    layers: Sequence[str] | None = None,
    allow_missing: bool = False,
    n_inputs: int = MOST,
    seed: int = 0,
    n_tried: int | None = None,
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
    layers : sequence of str, optional
        Names or patterns as in :func:`funcsim.capture`; without them, what the network repeats.
    allow_missing : bool
        Whether the layers may need weights that are not in the files, which are then random.
    n_inputs : int
        Of more inputs, this many are drawn at random. Of batches that a function returns, all are shown
        to the network, and the draw is left to whoever compares.
    seed : int
        Of the draw.
    n_tried : int, optional
        Prepare only about this many, to try the network and to foretell what the rest costs.

    Raises
    ------
    ModelError
        If the network is nowhere to be found, cannot be loaded, lacks weights or has no use for its
        tokenizer, or is no network.
    InputError
        If the inputs are missing, too few or damaged.
    """
    draw = Draw(n_inputs, seed, n_tried, batch_size)
    folder, made = name, None
    if ":" in name and not Path(name).exists():
        made = functions.call(name)
        if not isinstance(made, str | Path):
            return _of_function(name, made, texts, images, layers, draw)
        folder = str(made)
        if not Path(folder).is_dir():
            raise ModelError(f"{name} returns {folder!r}, which is no folder")
    if (texts is None) == (images is None):
        raise InputError(f"{name} needs either texts (a file) or images (a folder)")
    place, loading = find_model(folder)
    if not find_spec("transformers"):
        raise ModelError(f"{name} needs the transformers library: pip install 'funcsim[text]'")
    loading |= {"trust_remote_code": False}
    if texts is not None:
        return _of_texts(name, place, loading, texts, max_length, any_weights, layers, allow_missing, draw)
    assert images is not None  # one of the two, see above
    return _of_images(name, place, loading, images, any_weights, layers, allow_missing, draw)


def _of_texts(
    name: str,
    place: str,
    loading: dict[str, Any],
    path: Path,
    max_length: int,
    any_weights: bool,
    layers: Sequence[str] | None,
    allow_missing: bool,
    draw: Draw,
) -> Network:
    offered = read_texts(path)
    used = taken(offered, draw.n_inputs, draw.seed)
    tokenizer, shown = load_tokenizer(place, loading), used[: draw.n_tried]
    batches = tokenised(tokenizer, shown, max_length, draw.batch_size)
    loaded = load_model(name, place, loading, any_weights)
    notes = check_tokens(place, tokenizer, loaded.model, shown, batches)
    if cut := cut_texts(batches, max_length):
        notes.append(f"{cut} of {len(shown)} texts fill all {max_length} tokens; what is longer was cut.")
    found = _checked(name, loaded, batches, "mean", layers, allow_missing, notes)
    return _with_counts(found, origin_of(place, loading), len(offered), len(used), "texts")


def _of_images(
    name: str,
    place: str,
    loading: dict[str, Any],
    folder: Path,
    any_weights: bool,
    layers: Sequence[str] | None,
    allow_missing: bool,
    draw: Draw,
) -> Network:
    offered = find_pictures(folder)
    used = taken(offered, draw.n_inputs, draw.seed)
    processor, shown, size = load_processor(place, loading), used[: draw.n_tried], draw.batch_size
    parts = [[read_picture(path) for path in shown[k : k + size]] for k in range(0, len(shown), size)]
    batches: list[Batch] = [dict(processor(part, return_tensors="pt")) for part in parts]
    loaded = load_model(name, place, loading, any_weights)
    found = _checked(name, loaded, batches, mean_over_places, layers, allow_missing, [])
    return _with_counts(found, origin_of(place, loading), len(offered), len(used), "images")


def _checked(
    name: str,
    loaded: Loaded,
    batches: list[Batch],
    pool: Pool,
    layers: Sequence[str] | None,
    allow_missing: bool,
    notes: list[str],
) -> Network:
    """The network with its layers chosen, if they have all their weights."""
    with functions.running(name):
        chosen = tuple(layers or default_layers(loaded.model, batches[0]))
        notes = [*notes, *check_weights(name, loaded, batches[0], chosen, pool, allow_missing)]
    return Network(
        model=loaded.model,
        batches=batches,
        pool=pool,
        origin=name,
        inputs="",
        layers=chosen,
        notes=tuple(notes),
    )


def _of_function(
    name: str,
    made: Any,
    texts: Path | None,
    images: Path | None,
    layers: Sequence[str] | None,
    draw: Draw,
) -> Network:
    model, batches = functions.split_result(name, made)
    pool: Pool = None
    if batches is not None:
        n, what = functions.count(name, batches), f"samples of {name}"
        used = min(n, draw.n_inputs)
        batches = batches if draw.n_tried is None else batches[:1]
    elif texts is not None or images is None:
        raise InputError(
            f"{name} returns a network alone; let it return (network, batches), or name a folder of images"
        )
    else:
        offered = find_pictures(images)
        paths = taken(offered, draw.n_inputs, draw.seed)
        pixels = functions.stacked(name, images, paths[: draw.n_tried])
        batches, pool, what = list(pixels.split(draw.batch_size)), mean_over_places, "images"
        n, used = len(offered), len(paths)
    with functions.running(name):
        chosen = tuple(layers or default_layers(model, batches[0]))
    found = Network(model=model, batches=batches, pool=pool, origin=name, inputs="", layers=chosen)
    return _with_counts(found, name, n, used, what)


def _with_counts(network: Network, origin: str, n_offered: int, n_taken: int, what: str) -> Network:
    """The network, and in words how many inputs there are and how many are used."""
    inputs, notes = f"{n_offered} {what}", network.notes
    if n_taken < n_offered:
        inputs = f"{n_taken} of {n_offered} {what}, drawn at random"
        notes = (f"Of {n_offered} {what}, {n_taken} were drawn at random; the map is of these.", *notes)
    return replace(network, origin=origin, inputs=inputs, n_offered=n_offered, n_taken=n_taken, notes=notes)
