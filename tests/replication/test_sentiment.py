"""Texts with labels: what is read, and what is refused."""

import gzip
import os

import numpy as np
import pytest

from funcsim.errors import InputError
from replication.data.sentiment import SOURCES, load_sentiment


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder into which a test writes its own SST-2."""
    monkeypatch.setenv("FUNCSIM_DATA", str(tmp_path))
    (tmp_path / "sst2").mkdir()

    def write(text, name="train"):
        (tmp_path / f"sst2/{name}.tsv.gz").write_bytes(gzip.compress(text.encode()))

    return write


def test_texts_and_labels_are_read_as_they_are(folder):
    folder('sentence\tlabel\n"quoted\t1\nNA\t0\nan é in it \t1\n')
    corpus = load_sentiment("sst2")
    assert corpus.texts == ('"quoted', "NA", "an é in it ")
    assert corpus.labels.tolist() == [1, 0, 1]
    assert corpus.origin == "SST-2, train, 3 texts from FUNCSIM_DATA"


def test_a_sample_is_drawn_without_repetition_and_by_its_seed(folder):
    folder("sentence\tlabel\n" + "".join(f"text {i}\t{i % 2}\n" for i in range(20)))
    corpus = load_sentiment("sst2")
    some = corpus.sample(8, seed=0)
    assert len(set(some.texts)) == len(some) == 8
    assert all(int(text.split()[1]) % 2 == label for text, label in zip(some.texts, some.labels, strict=True))
    assert some.texts == corpus.sample(8, seed=0).texts != corpus.sample(8, seed=1).texts
    with pytest.raises(InputError, match="21 texts were asked for, and there are 20"):
        corpus.sample(21, seed=0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text\tlabel\na\t1\n", "no column 'sentence'; it has 'text', 'label'"),
        ("sentence\nfine\n", "no column 'label'"),
        ("sentence\tlabel\na\t1\nb\t2\n", "row 2: the label is '2'; it must be 0 or 1"),
        ("sentence\tlabel\na\t1\nb\tgood\n", "row 2: the label is 'good'"),
        ("sentence\tlabel\na\t1\n  \t0\n", "row 2: the text is empty"),
    ],
)
def test_a_file_of_another_kind_is_refused_before_anything_is_learned(folder, text, said):
    folder(text)
    with pytest.raises(InputError, match=said):
        load_sentiment("sst2")


def test_a_damaged_file_is_refused(folder, tmp_path):
    (tmp_path / "sst2/train.tsv.gz").write_bytes(b"not gzip")
    with pytest.raises(InputError, match=r"train\.tsv\.gz cannot be read as gzipped"):
        load_sentiment("sst2")


def test_without_data_both_ways_are_told(monkeypatch, tmp_path):
    monkeypatch.delenv("FUNCSIM_DATA", raising=False)
    monkeypatch.delenv("FUNCSIM_HUB", raising=False)
    with pytest.raises(InputError, match=r"set FUNCSIM_DATA to a folder with yelp/test.*FUNCSIM_HUB=1"):
        load_sentiment("yelp", "validation")
    monkeypatch.setenv("FUNCSIM_DATA", str(tmp_path))
    with pytest.raises(InputError, match="has no file yelp/train"):
        load_sentiment("yelp")


def test_the_hub_is_asked_only_if_allowed_and_its_absence_is_explained(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.delenv("FUNCSIM_DATA", raising=False)
    asked = []

    def no_network(*args, **kwargs):
        asked.append((args, kwargs))
        raise ConnectionError("no route")

    monkeypatch.setattr(hub, "hf_hub_download", no_network)
    monkeypatch.setenv("FUNCSIM_HUB", "1")
    with pytest.raises(InputError, match=r"could not be fetched.*no route.*set FUNCSIM_DATA"):
        load_sentiment("sst2")
    ((repository, name), told) = asked[0]
    assert (repository, name) == ("stanfordnlp/sst2", "data/train-00000-of-00001.parquet")
    assert told["revision"] == SOURCES["sst2"].revision


def test_a_parquet_file_from_the_hub(monkeypatch, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    pytest.importorskip("pyarrow")
    import pandas as pd

    table = pd.DataFrame({"idx": [0, 1], "sentence": ["good", "bad"], "label": np.array([1, 0])})
    table.to_parquet(tmp_path / "x.parquet")
    monkeypatch.delenv("FUNCSIM_DATA", raising=False)
    monkeypatch.setenv("FUNCSIM_HUB", "1")
    monkeypatch.setattr(hub, "hf_hub_download", lambda *args, **kwargs: str(tmp_path / "x.parquet"))
    corpus = load_sentiment("sst2")
    assert corpus.texts == ("good", "bad")
    assert corpus.origin == "SST-2, train, 2 texts from stanfordnlp/sst2@8d51e7e"


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="no task 'imdb'; there is sst2, yelp"):
        load_sentiment("imdb")
    with pytest.raises(ValueError, match="sst2 has no split 'test'; it has train, validation"):
        load_sentiment("sst2", "test")


@pytest.mark.skipif("FUNCSIM_DATA" not in os.environ, reason="FUNCSIM_DATA names no folder with the texts")
@pytest.mark.parametrize(
    ("task", "split", "n", "positive"),
    [
        ("sst2", "train", 67_349, 37_569),
        ("sst2", "validation", 872, 444),
        ("yelp", "train", 20_000, 10_000),
        ("yelp", "validation", 4_000, 2_000),
    ],
)
def test_the_texts_that_the_book_uses(task, split, n, positive):
    corpus = load_sentiment(task, split)
    assert (len(corpus), corpus.labels.sum()) == (n, positive)
    assert all(isinstance(text, str) for text in corpus.texts)
