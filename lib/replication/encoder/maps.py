"""Representations of an encoder's blocks, and their maps (section 5.2, Figures 6, 12 and 13).

Taught in chapters 07 to 09.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np

import funcsim as fs
from funcsim.geometry import principal_coordinates
from funcsim.similarity.cca import FullRankWarning
from replication.data.sentiment import Corpus
from replication.models.encoders import Encoder

POOLINGS = ("cls", "mean", "tokens")


def capture_blocks(encoder: Encoder, corpus: Corpus, max_length: int, pooling: str) -> fs.Representations:
    """The ends of all blocks on texts, pooled."""
    batches = encoder.batches(corpus.texts, max_length)
    return fs.capture(encoder.model, batches, f"{encoder.blocks}.*", pooling, progress=False)


def capture_sublayers(encoder: Encoder, corpus: Corpus, max_length: int, pooling: str) -> fs.Representations:
    """The same, and of every block also what follows its attention, if a layer is named so."""
    names, patterns = dict(encoder.model.named_modules()), [f"{encoder.blocks}.*"]
    for attention in ("attention.output", "attention"):
        if f"{encoder.blocks}.0.{attention}" in names:
            patterns.insert(0, f"{encoder.blocks}.*.{attention}")
            break
    batches = encoder.batches(corpus.texts, max_length)
    return fs.capture(encoder.model, batches, patterns, pooling, progress=False)


def capture_tokens(encoder: Encoder, corpus: Corpus, max_length: int) -> fs.Representations:
    """The ends of all blocks, all tokens flattened, as coordinates with the same distances."""
    flat = encoder.encode(corpus.texts, max_length, fill=True)
    real = np.repeat(flat["attention_mask"].numpy(), encoder.model.config.hidden_size, axis=1)  # no padding
    reps = fs.capture(encoder.model, [flat], f"{encoder.blocks}.*", progress=False)
    return fs.Representations({name: principal_coordinates(x * real) for name, x in reps.items()})


def maps_of(reps: dict[str, fs.Representations], measures: Iterable[str]) -> dict[str, fs.LayerMap]:
    """By pooling, normalisation and measure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FullRankWarning)  # said in chapter 03, and where a map is shown
        return {
            f"{pooling}/{normalize or 'raw'}/{measure}": fs.compare(
                x, measure=measure, normalize=normalize, degenerate="nan", progress=False
            )
            for pooling, x in reps.items()
            for normalize in ("mean", None)
            for measure in measures
        }
