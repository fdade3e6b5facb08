"""Odd calls of the public functions and of the command: a result, or an error of the library's own.

Some 300 calls in the suite; FUNCSIM_FUZZ=5000 makes as many as it says, from the same seed.
"""

import os
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import funcsim as fs
from funcsim.cli import main

CALLS = int(os.environ.get("FUNCSIM_FUZZ", "300"))
#: What a caller may be told: errors of the library's own, of which all are ValueErrors, and wrong types.
ALLOWED = (ValueError, FileNotFoundError)


def cloud(rng):
    """An array that is sometimes no representation."""
    n, d = rng.integers(0, 9, size=2)
    kinds = [
        lambda: rng.normal(size=(n, d)),
        lambda: rng.normal(size=(6, 3)),
        lambda: rng.normal(size=(6, 3)) * 10.0 ** rng.integers(-200, 200),
        lambda: rng.integers(0, 3, size=(6, 3)),
        lambda: np.zeros((6, 3)),
        lambda: np.where(rng.random((6, 3)) < 0.2, np.nan, 1.0),
        lambda: np.where(rng.random((6, 3)) < 0.2, np.inf, rng.normal(size=(6, 3))),
        lambda: rng.normal(size=6),
        lambda: rng.normal(size=(6, 2, 2)),
        lambda: rng.normal(size=(6, 3)) + 1j,
        lambda: np.array([["a", "b"], ["c", "d"]]),
        lambda: [[1.0, 2.0], [3.0]],
        lambda: torch.randn(6, 3, dtype=torch.float64),
        lambda: torch.randn(6, 3).bfloat16(),
        lambda: np.ma.masked_array(rng.normal(size=(6, 3)), rng.random((6, 3)) < 0.3),
        lambda: None,
        lambda: rng.normal(size=(6, 3)).astype(np.float16),
        lambda: np.asfortranarray(rng.normal(size=(6, 3)))[::-1],
        lambda: rng.random((6, 3)) < 0.5,
    ]
    return kinds[rng.integers(len(kinds))]()


def number(rng):
    return [-1, 0, 1, 2, 3, 5, 2**40, 0.5, float("nan"), float("inf")][rng.integers(10)]


def name(rng):
    return ["gw", "cka", "rsa", "cka-debiased", "nope", "", "euclidean"][rng.integers(7)]


def scale(rng):
    return ["mean", "max", None, "nope", ""][rng.integers(5)]


def representations(rng):
    if rng.random() < 0.7:
        return fs.Representations({f"l{k}": rng.normal(size=(8, 3)) for k in range(rng.integers(1, 6))})
    return fs.Representations({f"l{k}": cloud(rng) for k in range(rng.integers(0, 3))})


def layer_map(rng):
    n, m = rng.integers(0, 7, size=2)
    values = rng.normal(size=(n, n if rng.random() < 0.8 else m))
    if rng.random() < 0.2 and values.size:
        values.flat[0] = np.nan
    names = tuple(f"l{k}" for k in range(n))
    return fs.LayerMap(values, names, names[: values.shape[1]], name(rng), scale(rng), 8)


def model(rng):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 2)

        def forward(self, x):
            return self.b(self.a(x))

    return Odd()


def batches(rng):
    x = torch.randn(4, 3)
    odd = [
        [x],
        [x, x],
        x,
        {"x": x},
        [{"x": x}],
        [(x, x)],
        [],
        "abc",
        ["abc"],
        None,
        [None],
        [x[0]],
        7,
        [x.numpy()],
    ]
    return odd[rng.integers(len(odd))]


def shapes(rng):
    odd = [
        [(5, 3)],
        [(5, 3), (6, 3)],
        {"a": (9, 2)},
        [],
        3,
        None,
        "ab",
        [(-1, 2)],
        [(2.5, 3)],
        [(10**6, 8)] * 3,
    ]
    return odd[rng.integers(len(odd))]


def whole(rng):
    return [1, 2, 3, -1, 0, 50][rng.integers(6)]


TARGETS = {
    "gw": lambda r: fs.gw(cloud(r), cloud(r), normalize=scale(r)),
    "Representations": representations,
    "compare": lambda r: fs.compare(representations(r), measure=name(r), normalize=scale(r), progress=False),
    "compare two": lambda r: fs.compare(
        representations(r), representations(r), measure="cka", progress=False
    ),
    "subsample": lambda r: representations(r).subsample(whole(r), abs(whole(r))),
    "select": lambda r: representations(r).select([["l0"], [], ["nope"], ["l0", "l0"]][r.integers(4)]),
    "partition": lambda r: fs.partition(layer_map(r), max_groups=[None, whole(r)][r.integers(2)]),
    "spectral": lambda r: fs.spectral_partition(layer_map(r), whole(r)),
    "intervals": lambda r: fs.intervals(
        representations(r), measure="cka", n_draws=[0, 1, 2, 3][r.integers(4)], progress=False
    ),
    "capture": lambda r: fs.capture(
        model(r),
        batches(r),
        layers=[None, "a", ["a", "b"], "nope", [], "**"][r.integers(6)],
        pool=[None, "mean", "cls", "nope"][r.integers(4)],
        device=[None, None, "cpu", "nope", "meta"][r.integers(5)],
        progress=False,
    ),
    "measure": lambda r: fs.measures()[["gw", "cka", "rsa"][r.integers(3)]](cloud(r), cloud(r), scale(r)),
    "estimate_cost": lambda r: fs.estimate_cost(
        shapes(r), measure=["cka", "nope"][r.integers(2)], n_draws=whole(r)
    ),
}


@pytest.mark.parametrize("target", TARGETS)
def test_an_odd_call_gives_a_result_or_an_error_of_the_librarys_own(target):
    raw = {}
    for k in range(max(1, CALLS // (len(TARGETS) + 1))):
        rng = np.random.default_rng([k, len(target)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                TARGETS[target](rng)
            except ALLOWED:
                continue
            except Exception as error:
                raw.setdefault(f"{type(error).__name__}: {error}"[:120], k)
    assert raw == {}


def test_an_odd_command_never_shows_a_traceback(tmp_path, capsys):
    texts = tmp_path / "t.txt"
    texts.write_text("one\n" * 20)
    odd = {
        "--model": [
            "",
            ".",
            "no",
            "a:b",
            ":",
            "os:getcwd",
            "json:dumps",
            "a/b@" + "0" * 40,
            str(tmp_path),
            "\0",
        ],
        "--texts": [str(texts), str(tmp_path), "no.txt", "", "\0", "/dev/null"],
        "--images": [str(tmp_path), str(texts), "no", ""],
        "--halves": ["0", "2", "-1"],
        "--seed": ["0", "-1", str(2**70)],
        "--measure": ["gw", "", "nope"],
        "--device": ["cpu", "gpu0", "", "cuda:99", "meta"],
        "--max-length": ["8", "0", "-1"],
        "--inputs": ["10", "-1"],
        "--out": [str(tmp_path / "out"), str(texts / "x"), "\0", "x" * 400, str(tmp_path)],
    }
    for k in range(max(5, CALLS // 13)):
        rng = np.random.default_rng(k)
        asked = [] if rng.random() < 0.5 else ["--dry-run"]
        for option, values in odd.items():
            needed = option in ("--model", "--out")
            if option != "--images" and (needed or rng.random() < 0.4):
                asked += [option, values[rng.integers(len(values))]]
        if "--texts" not in asked and rng.random() < 0.5:
            asked += ["--images", odd["--images"][rng.integers(4)]]
        code = main(["map", *asked])
        err = capsys.readouterr().err
        assert code == 2, (asked, err)
        assert err.startswith("funcsim map: "), asked
        assert err.strip().count("\n") == 0, (asked, err)
