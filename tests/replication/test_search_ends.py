"""Among many equal distances no rounding keeps the search going in circles: layers against sums."""

import signal

import numpy as np
import pytest

import funcsim as fs
from replication.modular_addition import trained_networks

CASES = [
    ("model-e-equal", "blocks.0.k.0"),
    ("model-e-equal", "blocks.2.v.0"),
    ("model-l-equal", "blocks.1.v.1"),
]


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no alarm")
@pytest.mark.parametrize(("network", "layer"), CASES)
def test_the_search_ends_among_equal_distances(network, layer):
    def too_long(*_):
        raise TimeoutError("the search goes round in circles")

    trained = trained_networks.load(network)
    reps = fs.capture(trained.model, [trained.pairs], pool="last", progress=False)
    rows = np.random.default_rng(0).permutation(59 * 59)[:100]
    first, second = np.asarray(trained.pairs)[rows].T
    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(30)
    try:
        found = fs.gw(np.asarray(reps[layer])[rows], np.eye(59)[(first + second) % 59])
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert found.lower_bound <= found.distance < 1
