"""The experiments that start from stored networks: maps and probes."""

import dataclasses
import json

import numpy as np
import pytest

import funcsim as fs
from funcsim.probes import (
    linear_probe,
    linear_probe_r2,
    mlp_probe,
    mlp_probe_r2,
    probe_all,
)
from replication.errors import StoredResultError
from replication.modular_addition import known_targets, maps, trained_networks
from replication.modular_addition.maps import MAPS
from replication.stored import load_record


@pytest.fixture
def few_maps(monkeypatch):
    """Of the tiny networks, compared by a measure that needs no search."""
    names = ("l", "l-raw", "l-width", "l-untrained", "l-stream-100")
    chosen = maps.MapSet({name: MAPS[name] for name in names})
    few = dataclasses.replace(maps.EXPERIMENTS["modular-maps"], plan=chosen)
    monkeypatch.setitem(maps.EXPERIMENTS, "modular-maps", few)
    return chosen.tiny().maps


def run(name, **told):
    module = maps if name in maps.EXPERIMENTS else known_targets
    return module.EXPERIMENTS[name].run("smoke", progress=False, **told)


def test_maps_are_stored_and_loaded(few_maps, tmp_path, monkeypatch):
    made = run("modular-maps", out=tmp_path / "out", work=tmp_path / "work")
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "out"))
    assert set(made.files) == {f"{name}.safetensors" for name in few_maps}
    for name, plan in few_maps.items():
        again = fs.compare(
            plan.representations("smoke"), measure="rsm", normalize=plan.normalize, progress=False
        )
        assert (maps.load(name).values == again.values).all()
        assert (maps.load(name, "smoke").values == again.values).all()
    assert load_record("modular-maps").parameters["l-raw"]["normalize"] is None
    assert maps.origin("l") == str(made)
    with pytest.raises(ValueError, match="no map 'x'; there is l, e, l-raw"):
        maps.load("x")
    (tmp_path / "out/modular-maps/seed-0/l.safetensors").write_bytes(b"")
    with pytest.raises(StoredResultError, match=r"l\.safetensors differs.*ONLY=modular-maps"):
        maps.load("l")


def other_weights(name, profile, seed=0, load=trained_networks.load):
    """A network of the same plan that was trained otherwise: here, not at all."""
    trained = load(name, profile, seed)
    return dataclasses.replace(trained, network=trained.plan.network(seed + 1).eval())


def test_a_finished_map_is_not_computed_again(few_maps, tmp_path, monkeypatch):
    compared = []
    compare = fs.compare

    def counting(*args, **kwargs):
        compared.append(args[0])
        if len(compared) == 3:
            raise KeyboardInterrupt
        return compare(*args, **kwargs)

    monkeypatch.setattr(fs, "compare", counting)
    told = {"out": tmp_path / "out", "work": tmp_path / "work"}
    with pytest.raises(KeyboardInterrupt):
        run("modular-maps", **told)
    assert not (tmp_path / "out/modular-maps/seed-0/record.json").exists()
    first = run("modular-maps", **told)
    assert len(compared) == 3 + 3  # the two finished ones stay
    monkeypatch.setattr(trained_networks, "load", other_weights)
    assert run("modular-maps", **told | {"out": tmp_path / "other"}).files != first.files
    assert len(compared) == 6 + 5  # none of them stays when the networks are others


def test_what_a_map_compares():
    plans = {name: dataclasses.replace(plan, n_samples=45) for name, plan in MAPS.items()}
    reps = {name: plan.representations("smoke") for name, plan in plans.items()}
    trained = trained_networks.load("model-l-equal", "smoke")
    last = fs.capture(trained.model, [trained.pairs], pool="last", progress=False).subsample(45)
    assert all((reps["l"][name] == last[name]).all() for name in last)
    assert reps["l-both"]["blocks.0.resid_pre"].shape[1] == 2 * last["blocks.0.resid_pre"].shape[1]
    assert not np.allclose(reps["l-untrained"]["blocks.0.resid_post"], last["blocks.0.resid_post"])
    assert (reps["l-second"]["blocks.0.resid_pre"] != last["blocks.0.resid_pre"]).any()
    assert [name.split(".", 1)[1] for name in reps["l-stream-100"].names] == [
        "0.resid_pre",
        *(f"{b}.{part}" for b in range(3) for part in ("resid_mid", "resid_post")),
    ]


def test_an_attention_map_at_the_last_position_has_one_free_number():
    null = MAPS["l-width"].representations("smoke")
    assert {null[name].shape[1] for name in null.names if ".attn." in name} == {1}


def test_targets_and_rows_of_the_probes():
    trained = trained_networks.load("model-e-equal", "smoke")
    targets, rows = known_targets.targets_of(trained), known_targets.training_rows(trained)
    a, b = trained.pairs.numpy().T
    assert (targets["c1"] == (a + b) % 7).all()
    assert (targets["c3"] == (a + 3 * b) % 7).all()
    assert (np.sort(targets["control"]) == np.sort(targets["c1"])).all()
    assert (targets["control"] != targets["c1"]).any()
    assert rows.sum() == len(trained.split.train_inputs) == 39
    seen = {tuple(pair) for pair in trained.split.train_inputs.tolist()}
    assert {tuple(pair) for pair in trained.pairs[rows].tolist()} == seen


@pytest.mark.parametrize("probe", [linear_probe, mlp_probe])
def test_a_probe_finds_what_is_there_and_nothing_in_noise(probe):
    rng = np.random.default_rng(0)
    target, rows = rng.integers(0, 4, 400), np.arange(400) < 300
    layer = np.eye(4)[target] + 0.1 * rng.normal(size=(400, 4))
    assert probe(layer, target, rows) == (1.0, 1.0)
    seen, unseen = probe(rng.normal(size=(400, 120)), target, rows)
    assert seen > 0.9  # by heart
    assert unseen < 0.4


def test_only_two_layers_find_an_exclusive_or():
    rng = np.random.default_rng(0)
    layer, rows = rng.normal(size=(600, 2)), np.arange(600) < 400
    target = (layer[:, 0] * layer[:, 1] > 0).astype(int)
    assert linear_probe(layer, target, rows)[1] < 0.7
    assert mlp_probe(layer, target, rows)[1] > 0.9


def test_only_two_layers_regress_on_a_square():
    rng = np.random.default_rng(0)
    layer, rows = rng.uniform(-1, 1, size=(900, 1)), np.arange(900) < 600
    line, square = (50 * layer[:, 0]).astype(int), (50 * layer[:, 0] ** 2).astype(int)
    assert linear_probe_r2(layer, line, rows)[1] > 0.99
    assert linear_probe_r2(layer, square, rows)[1] < 0.1
    assert mlp_probe_r2(layer, square, rows)[1] > 0.95


def test_r2_is_the_share_of_variance_explained():
    rng = np.random.default_rng(0)
    layer, rows = rng.normal(size=(90, 3)), np.arange(90) < 60
    target = rng.integers(0, 9, 90)
    seen, unseen = linear_probe_r2(layer, target, rows)
    with_one = np.c_[layer, np.ones(90)]
    weights = np.linalg.lstsq(with_one[rows], target[rows], rcond=None)[0]
    for part, value in ((rows, seen), (~rows, unseen)):
        residual = target[part] - with_one[part] @ weights
        assert value == pytest.approx(1 - (residual**2).mean() / target[part].var())


def test_every_layer_is_probed_for_every_target():
    rng = np.random.default_rng(0)
    one, two = rng.integers(0, 3, (2, 90))
    reps = fs.Representations({"one": np.eye(3)[one], "two": np.eye(3)[two]})
    found = probe_all(linear_probe, reps, {"one": one, "two": two}, np.arange(90) < 60)
    assert found.shape == (2, 2, 2)
    assert (np.diagonal(found) == 1).all()
    assert found[0, 1, 1] < 0.6


@pytest.mark.parametrize("kind", ["linear-l", "classifier", "regressor"])
def test_probes_are_stored_resumed_and_loaded(kind, tmp_path, monkeypatch):
    name, told = f"known-targets/{kind}", {"out": tmp_path / "out", "work": tmp_path / "work"}
    first = run(name, **told)
    with monkeypatch.context() as finished:
        finished.setattr(known_targets, "fit", None)  # nothing is left to fit
        assert run(name, **told).files == first.files
    with monkeypatch.context() as retrained:
        retrained.setattr(trained_networks, "load", other_weights)
        retrained.setitem(told, "out", tmp_path / "other")
        assert run(name, **told).files != first.files
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "out"))
    scores, origin = known_targets.load(kind)
    plan = known_targets.PLANS[kind].tiny()
    trained = trained_networks.load(plan.network, "smoke")
    reps = fs.capture(trained.model, [trained.pairs], pool="last", progress=False)
    assert (scores == known_targets.fit(plan, trained, reps, 0)).all()
    assert (scores == known_targets.load(kind, "smoke")[0]).all()
    assert scores.shape == (57, 4, 2)
    assert origin == str(first)
    record = json.loads((tmp_path / f"out/known-targets/{kind}/seed-0/record.json").read_text())
    assert record["parameters"]["targets"] == ["c1", "c2", "c3", "control"]
