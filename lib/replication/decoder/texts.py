"""What a decoder reads (doubt D04 of the reviewers): texts of section 5.2, as windows of tokens.

Texts follow one another with a mark in between, and are cut into windows of equal length, so no token is
padding.

Taught in chapter 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from funcsim.errors import InputError
from replication.data.sentiment import load_sentiment, toy_corpus

END = "<end>"
TASKS = ("sst2", "yelp")


@dataclass(frozen=True)
class Texts:
    """Texts to learn from and held-out ones, and in a line what they are."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    origin: str


def load_texts(smoke: bool = False) -> Texts:
    """All sentences of SST-2 and all reviews of Yelp; a few made on the spot if `smoke`."""
    if smoke:
        train, held_out = toy_corpus(200, seed=0), toy_corpus(200, seed=1)
        return Texts(train.texts, held_out.texts, train.origin)
    splits = [[load_sentiment(task, split) for task in TASKS] for split in ("train", "validation")]
    train, held_out = (tuple(text for corpus in split for text in corpus.texts) for split in splits)
    return Texts(train, held_out, "; ".join(corpus.origin for split in splits for corpus in split))


def byte_pairs(texts: Sequence[str], size: int) -> Any:
    """A tokenizer of transformers that knows `size` byte pairs, learned from texts; the mark is its last."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    learned = ByteLevelBPETokenizer()
    learned.train_from_iterator(
        texts, vocab_size=size, min_frequency=2, special_tokens=[END], show_progress=False
    )
    return PreTrainedTokenizerFast(tokenizer_object=learned._tokenizer, eos_token=END)


def windows(tokenizer: Any, texts: Sequence[str], length: int, seed: int) -> NDArray[np.int64]:
    """Token ids (n, length) of the texts in a random order, one after the other.

    Raises
    ------
    InputError
        If the texts do not fill one window.
    """
    order = np.random.default_rng(seed).permutation(len(texts))
    encoded = tokenizer([texts[k] for k in order], add_special_tokens=False)["input_ids"]
    ids = np.fromiter((i for text in encoded for i in (*text, tokenizer.eos_token_id)), dtype=np.int64)
    if len(ids) < length:
        raise InputError(f"{len(texts)} texts have {len(ids)} tokens, and a window takes {length}")
    return ids[: len(ids) // length * length].reshape(-1, length)
