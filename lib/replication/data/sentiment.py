"""Texts and their sentiment (section 5.2): SST-2 and Yelp polarity, from a folder or from the hub.

The folder is named by the environment variable ``FUNCSIM_DATA``; it holds ``sst2/train.tsv.gz``,
``sst2/validation.tsv.gz``, ``yelp/train.tsv.gz`` and ``yelp/test.tsv.gz``, tab-separated, one row
per line, with a header and without quotes. The hub is asked only if ``FUNCSIM_HUB=1``.

Taught in chapter 07.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from funcsim.errors import InputError


@dataclass(frozen=True)
class Corpus:
    """Texts with labels: 1 is positive, 0 is negative.

    Attributes
    ----------
    texts : tuple of str
    labels : integer array, shape (n,)
    origin : str
        In one line, what they are.
    """

    texts: tuple[str, ...]
    labels: NDArray[np.int64]
    origin: str

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, rows: NDArray[np.integer]) -> Corpus:
        """The texts of these rows, in this order."""
        return Corpus(tuple(self.texts[i] for i in rows), self.labels[rows], self.origin)

    def draw(self, n: int, seed: int) -> NDArray[np.integer]:
        """The rows (n,) of `n` different texts, drawn at random.

        Raises
        ------
        InputError
            If there are fewer.
        """
        if n > len(self):
            raise InputError(f"{self.origin}: {n} texts were asked for, and there are {len(self)}")
        return np.random.default_rng(seed).permutation(len(self))[:n]

    def sample(self, n: int, seed: int) -> Corpus:
        """The texts in those rows."""
        return self[self.draw(n, seed)]


@dataclass(frozen=True)
class Source:
    """Where a task is found: per split a file in the folder, and one in the hub's repository."""

    title: str
    column: str
    repository: str
    revision: str
    files: dict[str, tuple[str, str]]


SOURCES = {
    "sst2": Source(
        title="SST-2",
        column="sentence",
        repository="stanfordnlp/sst2",
        revision="8d51e7e4887a4caaa95b3fbebbf53c0490b58bbb",
        files={
            "train": ("sst2/train.tsv.gz", "data/train-00000-of-00001.parquet"),
            "validation": ("sst2/validation.tsv.gz", "data/validation-00000-of-00001.parquet"),
        },
    ),
    "yelp": Source(
        title="Yelp polarity",
        column="text",
        repository="fancyzhx/yelp_polarity",
        revision="bbf1c97a1f0cf005e5aded43839fd814654a1557",
        files={
            "train": ("yelp/train.tsv.gz", "plain_text/train-00000-of-00001.parquet"),
            "validation": ("yelp/test.tsv.gz", "plain_text/test-00000-of-00001.parquet"),
        },
    ),
}


def load_sentiment(task: str, split: str = "train") -> Corpus:
    """Load a split of a task.

    Parameters
    ----------
    task : {"sst2", "yelp"}
    split : {"train", "validation"}

    Raises
    ------
    InputError
        If the data are nowhere to be found, or a file does not hold texts and labels.
    ValueError
        If there is no such task or split.
    """
    if task not in SOURCES:
        raise ValueError(f"there is no task {task!r}; there is {', '.join(SOURCES)}")
    source = SOURCES[task]
    if split not in source.files:
        raise ValueError(f"{task} has no split {split!r}; it has {', '.join(source.files)}")
    in_folder, in_repository = source.files[split]
    folder = os.environ.get("FUNCSIM_DATA")
    if folder:
        path = Path(folder) / in_folder
        if not path.exists():
            raise InputError(f"FUNCSIM_DATA names {folder}, which has no file {in_folder}")
        table, where = _read_tsv(path), "FUNCSIM_DATA"
    elif os.environ.get("FUNCSIM_HUB") == "1":
        table, where = _download(source, in_repository), f"{source.repository}@{source.revision[:7]}"
    else:
        raise InputError(
            f"{source.title} is not at hand: set FUNCSIM_DATA to a folder with {in_folder}, or set "
            f"FUNCSIM_HUB=1 to allow its download from the Hugging Face hub ({source.repository})"
        )
    texts, labels = _check(table, source.column, where + "/" + in_folder)
    return Corpus(texts, labels, f"{source.title}, {split}, {len(texts):,} texts from {where}")


def toy_corpus(n: int, seed: int = 0) -> Corpus:
    """`n` short texts of the words that the encoder "tiny" knows; one of them tells the label."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 2)
    words = {0: ("bad", "poor", "dull", "weak"), 1: ("good", "fine", "fun", "great")}
    texts = (
        f"{rng.choice(['a', 'the'])} {rng.choice(['film', 'plot'])} {rng.choice(['is', 'was'])} "
        f"{'the ' * rng.integers(3)}{rng.choice(words[label])}"
        for label in labels
    )
    return Corpus(tuple(texts), labels, f"{n} texts, made on the spot")


def _read_tsv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE, keep_default_na=False)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path} cannot be read as gzipped, tab-separated text: {error}") from None


def _download(source: Source, name: str) -> pd.DataFrame:
    from huggingface_hub import hf_hub_download

    try:
        path = hf_hub_download(source.repository, name, repo_type="dataset", revision=source.revision)
    except Exception as error:
        raise InputError(
            f"{source.repository} could not be fetched ({type(error).__name__}: {error}); without a network, "
            f"set FUNCSIM_DATA to a folder with {source.files['train'][0]}"
        ) from error
    return pd.read_parquet(path)


def _check(table: pd.DataFrame, column: str, where: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Texts and labels, or an error that names the first row that is wrong, counted from 1."""
    for needed in (column, "label"):
        if needed not in table.columns:
            raise InputError(
                f"{where} has no column {needed!r}; it has {', '.join(map(repr, table.columns))}"
            )
    texts, labels = table[column].astype(str), table["label"].astype(str)
    for row in np.flatnonzero(~labels.isin(["0", "1"])):
        raise InputError(f"{where}, row {row + 1}: the label is {labels[row]!r}; it must be 0 or 1")
    for row in np.flatnonzero(texts.str.strip() == ""):
        raise InputError(f"{where}, row {row + 1}: the text is empty")
    return tuple(texts), labels.astype(np.int64).to_numpy()
