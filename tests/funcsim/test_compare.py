import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
import types

import joblib
import numpy as np
import pytest

import funcsim as fs
from funcsim import _pairs, similarity
from funcsim._internal import cache
from funcsim._internal.memory import nbytes
from funcsim._internal.progress import THREAD, progress_bar
from funcsim.errors import DegenerateLayerError, FileFormatError
from funcsim.report import analyse
from funcsim.similarity.agw import agw


@pytest.fixture
def reps(rng):
    x = rng.normal(size=(20, 4))
    layers = {"a": x, "b": np.tanh(x @ rng.normal(size=(4, 7))), "c": 9 * x[:, :2], "d": -x + 3}
    return fs.Representations(layers)


def replaced(monkeypatch, **changes):
    """Let `compare` see another "gw"."""
    known = fs.measures() | {"gw": dataclasses.replace(fs.measures()["gw"], **changes)}
    monkeypatch.setattr(similarity, "measures", lambda: known)


def counted(monkeypatch, **changes):
    """Count how many pairs are really solved, in this process."""
    solved = []
    solve = fs.measures()["gw"].score_with_bound

    def counting(a, b):
        solved.append(1)
        return solve(a, b)

    replaced(monkeypatch, score_with_bound=counting, **changes)
    return solved


def test_the_map_holds_what_gw_gives_pair_by_pair(reps):
    m = fs.compare(reps, jobs=1)
    assert (m.names, m.measure, m.normalize, m.n_samples) == (reps.names, "gw", "mean", 20)
    assert (m.values == m.values.T).all()
    assert (np.diag(m.values) == 0).all()
    for i, j in ((0, 1), (1, 2), (0, 2)):
        r = fs.gw(reps[m.names[i]], reps[m.names[j]])
        assert m.values[i, j] == r.distance
        assert m.lower[i, j] == r.lower_bound
    assert m.values[0, 3] < 1e-6  # -x + 3 is an isometric copy of x
    assert (m.lower <= m.values).all()


def test_the_number_of_processes_changes_nothing(reps, monkeypatch):
    monkeypatch.setenv("FUNCSIM_CACHE", "off")
    one, two = fs.compare(reps, jobs=1), fs.compare(reps, jobs=2)
    assert (one.values == two.values).all()
    assert (one.lower == two.lower).all()


def test_two_models(reps):
    m = fs.compare(reps, reps.select(["c", "a"]), jobs=1)
    assert m.values.shape == (4, 2)
    assert m.columns == ("c", "a")
    assert not m.within_one_model
    assert m.values[0, 1] < 1e-6
    with pytest.raises(ValueError, match="two models"):
        fs.partition(m)
    with pytest.raises(ValueError, match="20 and 10 samples"):
        fs.compare(reps, reps.subsample(10))


def test_a_device_solves_the_same_pairs_in_one_go(reps):
    alone, together = fs.compare(reps, jobs=1), fs.compare(reps, device="cpu")
    assert (together.values == together.values.T).all()
    assert (together.lower <= alone.values + 1e-9).all()
    assert (alone.lower <= together.values + 1e-9).all()
    assert together.values[0, 3] < 1e-6
    crossed = fs.compare(reps, reps.select(["c", "a"]), device="cpu")
    assert crossed.values[0, 1] < 1e-6


def test_a_cluster_is_one_of_joblib_s_backends(reps, monkeypatch):
    """Two workers of dask, in processes of their own, as on a cluster."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("FUNCSIM_CACHE", "off")
    here = fs.compare(reps, jobs=1)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        there = fs.compare(reps)
        tasks = client.run(lambda dask_worker: dask_worker.state.executed_count)
    assert (there.values == here.values).all()
    assert (there.lower == here.lower).all()
    assert len(tasks) == 2
    assert sum(tasks.values()) > 0, "joblib may send several pairs as one task, but it must send some"


def test_raw_and_normalised_are_kept_apart(reps):
    raw, normalised = fs.compare(reps, normalize=None, jobs=1), fs.compare(reps, jobs=1)
    assert raw.values[0, 2] > 3 * normalised.values[0, 2]


def test_a_second_comparison_solves_nothing(reps, monkeypatch):
    solved = counted(monkeypatch)
    first = fs.compare(reps, jobs=1)
    assert len(solved) == 6
    assert (fs.compare(reps, jobs=1).values == first.values).all()
    assert len(solved) == 6


def test_the_cache_goes_by_content(reps, monkeypatch):
    solved = counted(monkeypatch)
    fs.compare(reps, jobs=1)
    renamed = fs.Representations({f"layer {name}": layer for name, layer in reps.items()})
    fs.compare(renamed, jobs=1)
    assert len(solved) == 6
    changed = fs.Representations(dict(reps) | {"a": reps["a"] ** 3})
    fs.compare(changed, jobs=1)
    assert len(solved) == 6 + 3


def test_another_version_of_the_solver_does_not_read_old_numbers(reps, monkeypatch):
    fs.compare(reps, jobs=1)
    solved = counted(monkeypatch, version=fs.measures()["gw"].version + "+")
    fs.compare(reps, jobs=1)
    assert len(solved) == 6


def test_nor_does_another_measure_or_another_scale(reps, monkeypatch):
    fs.compare(reps, measure="rsm", jobs=1)
    fs.compare(reps, normalize=None, jobs=1)
    fs.compare(reps, device="cpu", jobs=1)
    solved = counted(monkeypatch)
    fs.compare(reps, jobs=1)
    assert len(solved) == 6


@pytest.mark.parametrize("damage", ["cut off", "empty", "another number", "not json"])
def test_a_damaged_entry_is_computed_again_and_not_trusted(reps, monkeypatch, damage):
    right = fs.compare(reps, jobs=1)
    entries = sorted(cache.cache_dir().rglob("*.json"))
    assert len(entries) == 6
    text = entries[0].read_text()
    entry = json.loads(text)
    entry["numbers"][0] = (123.0).hex()
    damaged = {"cut off": text[: len(text) // 2], "empty": "", "not json": "[1, 2"}
    entries[0].write_text(damaged.get(damage, json.dumps(entry)))
    solved = counted(monkeypatch)
    assert (fs.compare(reps, jobs=1).values == right.values).all()
    assert len(solved) == 1


def test_the_cache_can_be_switched_off(reps, monkeypatch, tmp_path):
    monkeypatch.setenv("FUNCSIM_CACHE", "off")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    solved = counted(monkeypatch)
    fs.compare(reps, jobs=1)
    fs.compare(reps, jobs=1)
    assert len(solved) == 12
    assert not (tmp_path / "home").exists()


def test_an_error_in_one_pair_keeps_the_others(reps, monkeypatch):
    solved = []
    solve = fs.measures()["gw"].score_with_bound

    def fails_at_the_fourth(a, b):
        solved.append(1)
        if len(solved) == 4:
            raise MemoryError
        return solve(a, b)

    replaced(monkeypatch, score_with_bound=fails_at_the_fourth)
    with pytest.raises(MemoryError):
        fs.compare(reps, jobs=1)
    fs.compare(reps, jobs=1)
    assert len(solved) == 4 + 3


SLOW = """
import numpy as np, funcsim as fs
rng = np.random.default_rng(0)
fs.compare(fs.Representations({str(i): rng.normal(size=(150, 3)) for i in range(12)}), jobs=2)
"""


def test_ctrl_c_loses_no_finished_pair():
    process = subprocess.Popen([sys.executable, "-c", SLOW], stderr=subprocess.PIPE, text=True)
    folder = cache.cache_dir()
    deadline = time.monotonic() + 60
    while len(list(folder.rglob("[0-9a-f]*.json"))) < 5 and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=60)[1]
    keys = [path.stem for path in folder.rglob("[0-9a-f]*.json")]
    assert 5 <= len(keys) < 66
    assert all(cache.read(folder, key) is not None for key in keys)


def test_a_degenerate_layer_is_named(reps):
    constant = fs.Representations(dict(reps) | {"embeddings": np.ones((20, 3))})
    with pytest.raises(DegenerateLayerError, match="'embeddings' is degenerate"):
        fs.compare(constant, jobs=1)
    raw = fs.compare(constant, normalize=None, jobs=1)
    assert np.isfinite(raw.values).all()


def test_unknown_words(reps):
    with pytest.raises(ValueError, match=r"measure 'gromov' is unknown; there is euclidean, .*, gw"):
        fs.compare(reps, measure="gromov")
    with pytest.raises(ValueError, match=r"device='cuda': only 'gw' .* 'cka'"):
        fs.compare(reps, measure="cka", device="cuda")
    with pytest.raises(ValueError, match="normalize='z' is unknown"):
        fs.compare(reps, normalize="z")


def test_a_map_survives_saving(reps, tmp_path):
    m = fs.compare(reps, jobs=1)
    m.save(tmp_path / "map.safetensors")
    loaded = fs.LayerMap.load(tmp_path / "map.safetensors")
    assert (loaded.values == m.values).all()
    assert (loaded.lower == m.lower).all()
    assert loaded.to_frame().equals(m.to_frame())
    assert (loaded.normalize, loaded.n_samples, repr(loaded)) == ("mean", 20, repr(m))


def test_foreign_files_and_shapes_are_refused(reps, tmp_path):
    reps.save(tmp_path / "reps.safetensors")
    with pytest.raises(FileFormatError, match=r"not 'funcsim.layer_map/1'"):
        fs.LayerMap.load(tmp_path / "reps.safetensors")
    with pytest.raises(ValueError, match=r"\(2, 2\) layers cannot hold values of \(3, 3\)"):
        fs.LayerMap(np.eye(3), ("a", "b"), ("a", "b"), "gw", None, 5)


def test_the_table_is_named_on_both_sides(reps):
    frame = fs.compare(reps, jobs=1).to_frame()
    assert frame.loc["a", "d"] < 1e-6
    assert list(frame.index) == list(frame.columns) == ["a", "b", "c", "d"]


def test_progress_is_silent_unless_someone_watches(reps, capfd, monkeypatch):
    fs.compare(reps, jobs=1)
    assert capfd.readouterr().err == ""
    shell = types.SimpleNamespace(kernel="a live notebook")
    with monkeypatch.context() as notebook:
        notebook.setattr("IPython.get_ipython", lambda: shell)
        notebook.setenv("FUNCSIM_CACHE", "off")
        fs.compare(reps, jobs=1)
        assert "compare: 100%" in capfd.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("FUNCSIM_CACHE", "off")
    fs.compare(reps, jobs=1)
    assert "compare: 100%" in capfd.readouterr().err
    fs.compare(reps, jobs=1, progress=False)
    assert capfd.readouterr().err == ""
    monkeypatch.setenv("FUNCSIM_PROGRESS", "off")
    fs.compare(reps, jobs=1)
    assert capfd.readouterr().err == ""


def test_the_clock_of_a_bar_goes_on_before_the_first_pair(capfd, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("funcsim._internal.progress.SECONDS", 0.02)

    def slow():
        time.sleep(1.3)
        yield 1

    assert list(progress_bar(slow(), "slow", total=1)) == [1]
    assert "0/1 [00:01<" in capfd.readouterr().err
    time.sleep(0.1)
    assert THREAD not in [thread.name for thread in threading.enumerate()]


def test_a_long_comparison_says_beforehand_what_it_takes(reps, capfd, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    fs.compare(reps, measure="rsm", jobs=1)
    assert "memory" not in capfd.readouterr().err
    monkeypatch.setattr("funcsim._compare.LONG", 1)
    fs.compare(reps, measure="rsm", jobs=1)
    said = capfd.readouterr().err
    assert said.startswith("compare: time: about 1 s on one core, for 6 pairs of layers; memory: ")
    fs.compare(reps, measure="rsm", jobs=1, progress=False)
    assert capfd.readouterr().err == ""


def shifted(by):
    """A measure made in place, of functions that no module holds."""
    return fs.Measure(name="shifted", score=lambda x, y: float(np.abs(x.mean() - y.mean()) + by))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_measure_of_one_s_own(reps, jobs):
    m = fs.compare(reps, measure=shifted(2.0), normalize=None, jobs=jobs)
    assert m.values[0, 1] == abs(reps["a"].astype(float).mean() - reps["b"].astype(float).mean()) + 2.0
    assert (m.values == m.values.T).all()
    assert (m.measure, m.lower, m.is_similarity) == ("shifted", None, False)
    assert m.plot().axes[1].get_xlabel() == "shifted (raw)"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_measure_of_the_library_with_other_parameters(reps, jobs):
    few = reps.select(["a", "b"])
    third, half, named = (fs.compare(few, measure=m, jobs=jobs) for m in (agw(0.3), agw(0.5), "agw"))
    assert third.measure == "agw-0.3"
    assert third.values[0, 1] == agw(0.3)(few["a"], few["b"])
    assert third.values[0, 1] != half.values[0, 1] == named.values[0, 1]


def test_numbers_of_one_s_own_are_kept_on_disk_only_with_a_version(reps):
    def entries():
        return len(list(cache.cache_dir().rglob("*.json")))

    plain = shifted(0.0)
    fs.compare(reps, measure=plain, jobs=1)
    assert entries() == 0
    fs.compare(reps, measure=dataclasses.replace(plain, version="1"), jobs=1)
    assert entries() == 6
    fs.compare(reps, measure=dataclasses.replace(plain, version="1"), jobs=1)
    assert entries() == 6
    fs.compare(reps, measure=dataclasses.replace(shifted(1.0), version="2"), jobs=1)
    assert entries() == 12


def test_nobody_s_measure_is_taken_for_the_library_s(reps):
    rsm = fs.measures()["rsm"]
    fs.compare(reps, measure="rsm", jobs=1)
    other = dataclasses.replace(rsm, name="other", score=lambda x, y: 7.0)
    assert fs.compare(reps, measure=other, jobs=1).values[0, 1] == 7.0
    with pytest.raises(ValueError, match="measure 'rsm' is one of the library's; give yours another name"):
        fs.compare(reps, measure=dataclasses.replace(other, name="rsm"))
    assert (fs.compare(reps, measure=rsm).values == fs.compare(reps, measure="rsm").values).all()
    keys = [_pairs._identity(m, None) for m in (rsm, other, agw(0.3), agw(0.5))]
    assert len({tuple(key) for key in keys}) == 4


def test_a_measure_goes_wherever_its_name_goes(reps):
    mine = shifted(1.0)
    assert fs.intervals(reps, measure=mine, n_draws=2, progress=False).map.measure == "shifted"
    assert fs.estimate_cost(reps, measure=mine).n_pairs == 6
    assert analyse(reps, measure=mine, n_draws=2, progress=False).map.measure == "shifted"


def test_layers_without_geometry_are_refused_or_left_blank(reps):
    x = fs.Representations(dict(reps) | {"mute": np.ones((20, 3))})
    with pytest.raises(DegenerateLayerError, match="'mute'"):
        fs.compare(x, measure="rsm")
    for device in (None, "cpu"):
        m = fs.compare(x, degenerate="nan", device=device)
        assert np.isnan(m.values[4]).all()
        assert np.isnan(m.lower[:, 4]).all()
        assert (m.defined().values == fs.compare(reps, device=device).values).all()
    alone = fs.compare(x.select(["mute"]), reps, degenerate="nan", device="cpu")
    assert alone.values.shape == (1, 4)
    assert np.isnan(alone.values).all()
    with pytest.raises(ValueError, match="degenerate='zero' is unknown; use 'raise' or 'nan'"):
        fs.compare(reps, degenerate="zero")


def test_a_map_under_other_names_is_the_same_map(reps, rng):
    other = fs.Representations({"e": rng.normal(size=(20, 3)), "f": rng.normal(size=(20, 5))})
    alone, between = fs.compare(reps, progress=False), fs.compare(reps, other, progress=False)
    blocks = [f"block {k + 1}" for k in range(len(reps))]
    assert alone.renamed(blocks).names == alone.renamed(blocks).columns == tuple(blocks)
    assert between.renamed(blocks).columns == ("e", "f")
    assert between.renamed(blocks, ["x", "y"]).columns == ("x", "y")
    assert (alone.renamed(blocks).values == alone.values).all()
    assert alone.names == tuple(reps)
    with pytest.raises(ValueError, match=r"a map of \(3, 3\) layers cannot hold"):
        alone.renamed(blocks[:3])


@pytest.mark.parametrize("held", [0, 1 << 14])
def test_layers_prepared_tile_by_tile_give_the_same_map(reps, rng, monkeypatch, held):
    other = fs.Representations({"e": rng.normal(size=(20, 3)), "f": rng.normal(size=(20, 5))})
    whole = [fs.compare(reps, progress=False), fs.compare(reps, other, progress=False)]
    monkeypatch.setenv("FUNCSIM_CACHE", "off")
    monkeypatch.setattr(_pairs, "HELD_BYTES", held)
    tiled = [fs.compare(reps, progress=False), fs.compare(reps, other, progress=False)]
    for one, same in zip(whole, tiled, strict=True):
        assert np.array_equal(one.values, same.values)
        assert np.array_equal(one.lower, same.lower)


def test_no_more_layers_are_held_than_fit(reps, monkeypatch):
    alive = []

    class Held(np.ndarray):
        def __del__(self):
            alive.remove(id(self))

    def prepare(points, normalize, name):
        made = np.asarray(points, dtype=np.float64).view(Held)
        alive.append(id(made))
        most.append(len(alive))
        return made

    most = []
    layers = fs.Representations({str(k): np.full((4, 2), k) + np.eye(4, 2) for k in range(12)})
    measure = fs.Measure(name="far", score=lambda x, y: abs(float(x[0, 0] - y[0, 0])), prepare=prepare)
    whole = fs.compare(layers, measure=measure, jobs=1, progress=False)
    assert max(most) >= 12
    most.clear()
    monkeypatch.setattr(_pairs, "HELD_BYTES", 2 * 3 * 4 * 2 * 8)  # three layers on each side
    assert np.array_equal(fs.compare(layers, measure=measure, jobs=1, progress=False).values, whole.values)
    assert max(most) <= 2 * 3 + 6  # what is needed next is made before the last is let go


def test_within_leaves_out_far_pairs_and_bounds_them(rng):
    x = rng.normal(size=(20, 4))
    layers = fs.Representations({f"layer {k}": np.tanh(x * k) for k in range(1, 10)})
    whole, near = fs.compare(layers, progress=False), fs.compare(layers, within=2, progress=False)
    i, j = np.indices(whole.values.shape)
    compared = (abs(i - j) <= 2) | ((i % 3 == 0) & (j % 3 == 0))
    assert np.array_equal(near.values[compared], whole.values[compared])
    assert np.isnan(near.values[~compared]).all()
    assert (near.lower <= whole.values + 1e-12).all()
    assert (near.lower[~compared] > 0).any()
    with pytest.raises(ValueError, match="NaN"):
        fs.partition(near)
    for options in ({"within": 0}, {"within": 2, "other": layers}):
        with pytest.raises(ValueError, match="within"):
            fs.compare(layers, progress=False, **options)


def test_a_layer_of_a_tile_is_prepared_once_for_what_is_compared_and_what_is_bounded(rng, monkeypatch):
    prepared = []

    def prepare(points, normalize, name):
        prepared.append(name)
        return similarity.look_up("gw").prepare(points, normalize, name)

    measure = dataclasses.replace(similarity.look_up("gw"), name="counted", prepare=prepare, version=None)
    layers = fs.Representations({str(k): rng.normal(size=(20, 4)) for k in range(12)})
    held = nbytes(similarity.look_up("gw").prepare(layers["0"], "mean", "0"))
    whole = fs.compare(layers, measure=measure, within=2, jobs=1, progress=False)
    assert len(prepared) == 12 + 1  # and the one that tells how many fit
    prepared.clear()
    monkeypatch.setattr(_pairs, "HELD_BYTES", 2 * 3 * held)  # three layers on each side
    tiled = fs.compare(layers, measure=measure, within=2, jobs=1, progress=False)
    made, most = _pairs.preparations(_pairs.compared_pairs(12), held)
    assert len(prepared) == made + 1
    assert most == 6
    assert np.array_equal(tiled.lower, whole.lower)


def test_a_forecast_counts_what_is_compared_and_what_is_held(monkeypatch):
    every, near = (fs.estimate_cost([(20, 4)] * 30, within=within) for within in (None, 2))
    assert every.n_pairs == 435
    assert near.n_pairs == 29 + 28 + 45  # one apart, two apart, and every third with every third
    assert near.seconds < every.seconds
    monkeypatch.setattr(_pairs, "HELD_BYTES", every.memory_bytes // 4)
    assert fs.estimate_cost([(20, 4)] * 30).memory_bytes < every.memory_bytes
    with pytest.raises(ValueError, match="within=0"):
        fs.estimate_cost([(20, 4)] * 3, within=0)


def test_a_forecast_counts_no_first_call_and_no_waiting():
    calls = []

    def score(x, y):
        if not calls:
            until = time.process_time() + 0.5
            while time.process_time() < until:
                pass
        calls.append(1)
        time.sleep(0.5)  # as where others use the processor
        return 0.0

    mine = fs.Measure(name="slow", score=score)
    assert fs.estimate_cost([(20, 4)] * 2, measure=mine).seconds < 0.1
    assert len(calls) > 1


def test_a_backend_that_yields_nothing_until_the_end_will_do(reps, monkeypatch):
    from joblib._parallel_backends import SequentialBackend

    class Whole(SequentialBackend):
        supports_return_generator = False

    joblib.register_parallel_backend("whole", Whole)
    monkeypatch.setenv("FUNCSIM_CACHE", "off")
    expected = fs.compare(reps, jobs=1, progress=False).values
    with joblib.parallel_config(backend="whole"):
        assert np.array_equal(fs.compare(reps, progress=False).values, expected)


def test_workers_end_soon_after_their_process_is_killed(tmp_path):
    psutil = pytest.importorskip("psutil")
    script = tmp_path / "compare.py"
    script.write_text(
        "import numpy as np, funcsim as fs\n"
        "x = np.random.default_rng(0).normal(size=(300, 8))\n"
        "reps = fs.Representations({str(k): np.tanh(x * k) for k in range(1, 40)})\n"
        "fs.compare(reps, jobs=2, progress=False)\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], cwd=tmp_path)
    workers, deadline = [], time.monotonic() + 120
    while len(workers) < 2 and time.monotonic() < deadline:
        workers = [w for w in psutil.Process(process.pid).children(recursive=True) if w.cpu_times().user > 3]
        time.sleep(0.1)
    assert len(workers) >= 2
    process.kill()
    process.wait()
    assert not psutil.wait_procs(workers, timeout=20)[1]
