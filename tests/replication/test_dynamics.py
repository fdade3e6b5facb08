"""A network with snapshots learns what it would have learned alone; snapshots survive a stop."""

import dataclasses

import numpy as np
import pytest
import torch

import funcsim as fs
from funcsim._internal.threads import one_thread
from funcsim.errors import FileFormatError
from replication.__main__ import main
from replication.encoder import dynamics as encoder_dynamics
from replication.encoder.dynamics import mean_gradients, train_and_record
from replication.encoder.inputs import corpora
from replication.models.encoders import load_encoder
from replication.modular_addition import dynamics as modular_dynamics
from replication.modular_addition.plans import PLANS as NETWORKS
from replication.run import Run
from replication.training import modular
from replication.training.equal_updates import blocks_and_start, equal_updates, relative_update_norm
from replication.training.fine_tuning import fine_tune
from replication.training.snapshots import Snapshots, log_steps

pytest.importorskip("transformers")

PLAN = dataclasses.replace(encoder_dynamics.PLANS["sst2"].tiny(), n_snapshots=3)
NETWORK = NETWORKS["model-0"].tiny()
RECORDED = modular_dynamics.SnapshotPlan(
    NETWORK, modular_dynamics.Snapshot(3, 41, ("resid_mid", "resid_post"))
)
RUN = Run("dynamics/some", "smoke", work=None, progress=False, encoder="tiny")


class StopError(Exception):
    pass


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def moved(blocks, start):
    return [
        torch.cat([(p - s).detach().flatten() for p, s in zip(*pair, strict=True)])
        for pair in zip(blocks, start, strict=True)
    ]


def same(one, other):
    return one.keys() == other.keys() and all(
        np.array_equal(one[key], other[key], equal_nan=True) for key in one
    )


def test_steps_evenly_spaced_in_their_logarithm():
    assert log_steps(1000, 4) == (0, 1, 10, 100, 1000)
    assert log_steps(4, 20) == (0, 1, 2, 3, 4)
    steps = log_steps(1500, 20)
    assert (steps[:2], steps[-1], len(steps)) == ((0, 1), 1500, 20)
    for last, n in ((0, 5), (5, 0)):
        with pytest.raises(ValueError, match="ask for at least 1"):
            log_steps(last, n)


def test_snapshots_are_taken_when_it_is_time_and_brought_back(tmp_path):
    values = iter(range(100))
    snapshots = Snapshots((0, 2, 5), lambda: {"a": np.array([next(values)])}, tmp_path)
    for step in range(5):
        snapshots.record(step)
    snapshots.record(4, last=True)
    assert snapshots.stacked()["step"].tolist() == [0, 2, 4]
    again = Snapshots((0, 2, 5), lambda: pytest.fail("taken again"), tmp_path)
    again.restore()
    again.record(2)
    assert again.stacked()["a"].tolist() == [[0], [1], [2]]
    (tmp_path / "after-2.safetensors").unlink()
    poorer = Snapshots((0, 2, 5), dict, tmp_path)
    poorer.restore()
    with pytest.raises(FileFormatError, match="no snapshots after the steps 2, though training went on"):
        poorer.stacked()


def test_snapshots_of_an_encoder_change_nothing_in_its_training():
    texts = corpora("sst2", smoke=True)
    alone, watched = load_encoder("tiny"), load_encoder("tiny")
    fine_tune(alone, texts[0], texts[1].sample(30, seed=0), PLAN.training, progress=False)
    found, _ = train_and_record(watched, texts, PLAN, RUN)
    assert torch.equal(weights(alone.model), weights(watched.model))
    assert found.steps.tolist() == [0, 1, 4, 20]
    assert found.history["moved"][0].tolist() == [0, 0, 0, 0]
    assert (np.diff(found.history["moved"], axis=0) > 0).all()


def test_snapshots_of_a_transformer_change_nothing_in_its_training(monkeypatch):
    alone, networks = NETWORK.network(0), []
    history = modular.train(alone.stages()[0], NETWORK.splits(0)[0], NETWORK.training, progress=False)

    def train(stage, *told):
        networks.append(stage)
        return modular.train(stage, *told)

    monkeypatch.setattr(modular_dynamics, "train", train)
    found, watched = modular_dynamics.train_and_record(RECORDED, RUN)
    assert torch.equal(weights(alone.stages()[0]), weights(networks[0]))
    assert watched.train_loss == history.train_loss
    assert found.history["val_loss"][-1] == history.val_loss[-1]
    assert found.history["val_loss"][2] == history.val_loss[found.steps[2]]


def test_an_encoder_that_was_stopped_shows_the_same_snapshots(tmp_path, monkeypatch):
    texts = corpora("sst2", smoke=True)
    whole, _ = train_and_record(load_encoder("tiny"), texts, PLAN, RUN)
    record, run = Snapshots.record, dataclasses.replace(RUN, work=tmp_path)

    def stop(self, step, last=False):
        if step == 13:
            raise StopError
        record(self, step, last)

    monkeypatch.setattr(Snapshots, "record", stop)
    with pytest.raises(StopError):
        train_and_record(load_encoder("tiny"), texts, PLAN, run)
    monkeypatch.setattr(Snapshots, "record", record)
    assert len(list(tmp_path.rglob("after-*"))) == 3  # the training goes on from step 10
    resumed, _ = train_and_record(load_encoder("tiny"), texts, PLAN, run)
    assert same(whole.history, resumed.history)


def test_a_transformer_that_was_stopped_shows_the_same_snapshots(tmp_path, monkeypatch):
    whole, _ = modular_dynamics.train_and_record(RECORDED, RUN)
    record, run = Snapshots.record, dataclasses.replace(RUN, work=tmp_path)

    def stop(self, step, last=False):
        if step == 17:
            raise StopError
        record(self, step, last)

    monkeypatch.setattr(Snapshots, "record", stop)
    with pytest.raises(StopError):
        modular_dynamics.train_and_record(RECORDED, run)
    monkeypatch.setattr(Snapshots, "record", record)
    resumed, _ = modular_dynamics.train_and_record(RECORDED, run)
    assert same(whole.history, resumed.history)


def test_blocks_whose_updates_are_made_equal_in_norm():
    texts, encoder, free = corpora("sst2", smoke=True), load_encoder("tiny"), load_encoder("tiny")
    blocks, start = blocks_and_start(encoder)
    even_out, seen = equal_updates(encoder), []

    def after_step(model, step, lr):
        before = [[p.detach().clone() for p in block] for block in blocks]
        lengths = relative_update_norm(blocks, start)
        even_out(model, step, lr)
        after = relative_update_norm(blocks, start)
        assert after.tolist() == pytest.approx([lengths.mean().item()] * 4, rel=1e-4)
        moves, evened = (moved(values, start) for values in (before, blocks))
        for one, other in zip(moves, evened, strict=True):  # as long, and in the same direction
            assert torch.cosine_similarity(one, other, dim=0).item() == pytest.approx(1, abs=1e-4)
        seen.append(lengths.std().item())

    config = dataclasses.replace(PLAN.training, steps=6)
    fine_tune(encoder, *texts, config, after_step=after_step, progress=False)
    assert max(seen) > 1e-4  # without it they would not
    blocks, start = blocks_and_start(free)
    fine_tune(free, *texts, config, progress=False)
    assert relative_update_norm(blocks, start).std() > 1e-3


def test_what_was_recorded_comes_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("sst2-equal", "model-0"):
        assert main(["experiments", "--profile", "smoke", "--only", f"dynamics/{name}", "--seed", "0"]) == 0
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "_build/smoke"))
    assert not (tmp_path / "_build/experiments/dynamics").exists()
    for module, name in ((encoder_dynamics, "sst2-equal"), (modular_dynamics, "model-0")):
        with one_thread():
            if module is encoder_dynamics:
                plan, texts = encoder_dynamics.PLANS[name].tiny(), corpora("sst2", smoke=True)
                made, _ = train_and_record(load_encoder("tiny"), texts, plan, RUN)
            else:
                plan = modular_dynamics.SnapshotPlan(NETWORKS[name]).tiny()
                made, _ = modular_dynamics.train_and_record(plan, RUN)
        stored = module.load(name)
        assert same(stored.history, made.history)
        assert module.load(name, "smoke").names == made.names
        assert (stored.names, stored.n_samples) == (made.names, made.n_samples)
        assert "SEED=0" in stored.origin
        upper = np.triu_indices(len(stored.names), k=1)
        assert stored.mean_distance("raw/gw")[-1] == stored.layer_map(-1, "raw/gw").values[upper].mean()
        assert stored.layer_map(0, "mean/cka-debiased").is_similarity
        with pytest.raises(ValueError, match="nothing-such"):
            module.load("nothing-such")


def test_a_snapshot_is_the_map_of_that_moment():
    texts, encoder = corpora("sst2", smoke=True), load_encoder("tiny")
    found, _ = train_and_record(encoder, texts, PLAN, RUN)
    mapped = texts[1][texts[1].draw(PLAN.n_mapped, seed=0)]
    batch = encoder.encode(mapped.texts, 16)
    reps = fs.capture(encoder.model, [batch], f"{encoder.blocks}.*", "cls", progress=False)
    ends = [found.names.index(name) for name in reps.names]
    now = fs.compare(reps, progress=False).values
    assert found.layer_map(-1).values[np.ix_(ends, ends)] == pytest.approx(now, rel=1e-4, abs=1e-5)


def test_gradients_are_those_of_the_parts():
    encoder = load_encoder("tiny")
    parts = encoder.parts
    assert list(parts) == ["embeddings", "block 1", "block 2", "block 3", "block 4", "pooler", "classifier"]
    assert sum(len(part) for part in parts.values()) == len(list(encoder.model.parameters()))
    assert {id(p) for p in parts["classifier"]} == {id(p) for p in encoder.model.classifier.parameters()}
    for p in parts["block 2"]:
        p.grad = torch.full_like(p, -0.25)
    expected = [np.nan, np.nan, 0.25, *[np.nan] * 4]
    assert np.array_equal(mean_gradients(encoder), expected, equal_nan=True)
