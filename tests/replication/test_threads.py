"""One thread inside, as many as before outside; and what the command line computes is one of it."""

import json

import pytest
import torch
from threadpoolctl import threadpool_info

from funcsim._internal.threads import one_thread
from replication.__main__ import main


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def counts():
    return [torch.get_num_threads(), *(found["num_threads"] for found in threadpool_info())]


def test_one_thread_inside_as_before_outside(two_threads):
    before = counts()
    assert before[0] == 2
    with one_thread():
        assert set(counts()) == {1}
    assert counts() == before


def test_as_before_after_an_error_too(two_threads):
    before = counts()
    with pytest.raises(KeyboardInterrupt), one_thread():
        raise KeyboardInterrupt
    assert counts() == before


def test_experiments_are_computed_on_one_thread(two_threads, tmp_path, monkeypatch):
    """So their numbers are those of any machine with the same processor, whatever its count of cores."""
    monkeypatch.chdir(tmp_path)
    assert main(["experiments", "--profile", "smoke", "--only", "model-0", "--seed", "0"]) == 0
    (record,) = tmp_path.rglob("record.json")
    assert json.loads(record.read_text())["device"] == "CPU, 1 threads"
    assert torch.get_num_threads() == 2
