"""Texts from a file, and what a tokenizer makes of them.

Taught in chapter 14.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from funcsim._batches import Batch
from funcsim.errors import InputError, ModelError
from funcsim.report.choice import enough

#: Share of unknown tokens from which a tokenizer does not belong to the texts.
TOO_MANY_UNKNOWN = 0.5


def read_texts(path: Path) -> list[str]:
    """The lines of a file that are not empty: a line ends with a newline and with nothing else.

    Raises
    ------
    InputError
        If it is missing, is not UTF-8, or has fewer than ten.
    """
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read: {why}; name a file of texts") from None
    lines = [line.strip() for line in content.split("\n")]
    return enough([line for line in lines if line], f"{path} has", "texts, one in each line")


def load_tokenizer(place: str, loading: dict[str, Any]) -> Any:
    """The tokenizer of a model.

    Raises
    ------
    ModelError
        If there is none.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(place, **loading)
    except Exception as error:  # whatever a damaged file makes the tokenizer's own code raise
        raise ModelError(
            f"the tokenizer of {place} could not be loaded: {first_line(error)}; save it beside the model "
            "with tokenizer.save_pretrained"
        ) from None
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return tokenizer


def tokenised(tokenizer: Any, texts: Sequence[str], most: int, size: int) -> list[Batch]:
    """Batches of `size` texts, each as ``input_ids`` and ``attention_mask``, padded to its longest."""
    parts = [list(texts[k : k + size]) for k in range(0, len(texts), size)]
    try:
        encoded = [
            tokenizer(part, truncation=True, max_length=most, padding=True, return_tensors="pt")
            for part in parts
        ]
    except (ValueError, IndexError, RuntimeError) as error:
        raise ModelError(f"the tokenizer cannot read these texts: {first_line(error)}") from None
    return [{key: batch[key] for key in ("input_ids", "attention_mask")} for batch in encoded]


def check_tokens(
    place: str, tokenizer: Any, model: nn.Module, texts: Sequence[str], batches: Any
) -> list[str]:
    """What a reader of the report should know of the tokens.

    Raises
    ------
    ModelError
        If the tokenizer tells no text from another, knows hardly any of their words, or counts beyond
        the model's vocabulary.
    """
    rows = [tuple(ids[mask > 0].tolist()) for b in batches for ids, mask in zip(*b.values(), strict=True)]
    way_out = "are the tokenizer's files those that belong to this model, and all there?"
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    tokens = [token for row in rows for token in row if token not in special]
    unknown = tokens.count(tokenizer.unk_token_id) / max(len(tokens), 1)
    if not tokens or len(set(tokens) - {tokenizer.unk_token_id}) < 2 or unknown >= TOO_MANY_UNKNOWN:
        raise ModelError(
            f"the tokenizer of {place} is useless for these texts: it makes {len(set(tokens))} different "
            f"tokens of them, {unknown:.0%} unknown; {way_out}"
        )
    if len(set(rows)) == 1 and len(set(texts)) > 1:
        raise ModelError(f"the tokenizer of {place} makes the same tokens of every text; {way_out}")
    try:
        table: Any = model.get_input_embeddings()  # type: ignore[operator]
    except (AttributeError, NotImplementedError):
        table = None  # this network does not say
    highest = max(map(max, rows))
    if isinstance(table, nn.Embedding) and highest >= table.num_embeddings:
        raise ModelError(
            f"the tokenizer of {place} gives token {highest}, but the model's vocabulary ends at "
            f"{table.num_embeddings - 1}; {way_out}"
        )
    notes = []
    if unknown > 0.1:
        notes.append(f"{unknown:.0%} of the tokens are unknown to the tokenizer.")
    if len(set(rows)) < len(set(texts)) / 2:
        notes.append(f"Of {len(set(texts))} different texts the tokens make only {len(set(rows))}.")
    return notes


def first_line(error: BaseException) -> str:
    """The first line of a message, or the kind of an error that has none."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__


def cut_texts(batches: Sequence[Any], most: int) -> int:
    """How many texts fill all the tokens that there may be."""
    return sum(int((batch["attention_mask"].sum(dim=1) >= most).sum()) for batch in batches)
