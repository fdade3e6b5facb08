"""What holds for all tests."""

import os
import signal

# Side by side each process has a core of its own, and no use for more threads. NumPy's and PyTorch's
# libraries read this when they are loaded, so it comes before any import of them.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

# A shell makes what it starts in the background deaf to Ctrl-C, and deafness is inherited. Tests that
# interrupt a process of theirs need it to hear.
signal.signal(signal.SIGINT, signal.default_int_handler)


#: Tests of the book share what they build; all others see no number of an earlier run.
SHARED = ("tests/bookkit/", "tests/notebooks/", "tests/site/")
#: Many wrong answers to one question ask for the same maps.
ALIKE = "tests/exercises/"
#: What profile `smoke` stores is computed once for all that only read it. The folder is new in each run,
#: because it would not notice that the code has changed.
READERS = ("tests/notebooks/", "tests/site/", "tests/replication/test_registry.py")


@pytest.fixture(scope="session")
def of_this_run(tmp_path_factory):
    """A folder that all processes of this run share, and no other run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(autouse=True)
def own_cache(request, of_this_run, tmp_path_factory, monkeypatch):
    if request.node.nodeid.startswith(ALIKE):
        monkeypatch.setenv("FUNCSIM_CACHE", str(of_this_run / "maps"))
    elif not request.node.nodeid.startswith(SHARED):
        monkeypatch.setenv("FUNCSIM_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def tiny_results(request, of_this_run, monkeypatch):
    if request.node.nodeid.startswith(READERS):
        folder = of_this_run / "tiny"
        folder.mkdir(exist_ok=True)
        monkeypatch.setenv("FUNCSIM_TINY", str(folder))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Side by side run files, not tests: what a file sets up once is set up once.

    All that run or read the chapters at profile `smoke` share one site, and so one process.
    """
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid):
            smoke = nodeid.startswith(("tests/notebooks/", "tests/site/")) and "BOOK_SITE" not in os.environ
            return "site" if smoke else super()._split_scope(nodeid)

    return Files(config, log)
