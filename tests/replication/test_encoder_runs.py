"""Runs of encoders: what is stored of them, and what is refused."""

import gzip

import numpy as np
import pytest
from scipy.spatial.distance import pdist

import funcsim as fs
from funcsim import viz
from replication import map_files
from replication.__main__ import main
from replication.data.sentiment import toy_corpus
from replication.encoder import fine_tuned, inputs, maps
from replication.encoder.inputs import corpora
from replication.encoder.plans import PLANS
from replication.models.encoders import load_encoder
from replication.run import Run
from replication.stored import load_record

pytest.importorskip("transformers")


def in_memory(name, seed=0):
    """The tiny variant of a run, which never was on disk."""
    run = Run(f"bert/{name}", "smoke", seed, work=None, progress=False, encoder="tiny")
    plan = PLANS[name].tiny()
    return fine_tuned.fine_tune_and_capture(load_encoder("tiny", seed), corpora(plan.task, True), plan, run)


def test_a_run_is_stored_loaded_and_not_made_twice(tmp_path, monkeypatch):
    told = {"profile": "smoke", "out": tmp_path / "out", "work": tmp_path / "work", "progress": False}
    experiment = fine_tuned.EXPERIMENTS["bert/sst2-neuroprune-70"]
    made = experiment.run(**told)
    assert experiment.run(**told).seconds == made.seconds
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "out"))
    stored, again = fine_tuned.load("sst2-neuroprune-70"), in_memory("sst2-neuroprune-70")
    assert stored.origin == str(made)
    assert np.array_equal(stored.logits, again.logits)
    assert stored.scores["accuracy"] == made.results["val_accuracy"]
    assert stored.history.val_loss == again.history.val_loss
    assert stored.sparsity == again.sparsity == pytest.approx(0.7, abs=0.1)
    for pooling, reps in stored.reps.items():
        assert reps.names == tuple(f"bert.encoder.layer.{k}" for k in range(4))
        for name in reps.names:
            assert np.allclose(reps[name], again.reps[pooling][name], atol=2e-3)
    assert {pooling: reps.n_samples for pooling, reps in stored.reps.items()} == {"cls": 30}
    assert stored.maps.keys() == again.maps.keys()
    for key in ("cls/mean/gw", "mean/raw/euclidean", "halves/mean/gw", "cls/mean/cka"):
        a, b = stored.maps[key], again.maps[key]
        assert (a.values == b.values).all()
        assert (a.names, a.measure, a.normalize, a.n_samples) == (b.names, b.measure, b.normalize, 20)
        assert a.is_similarity is (key == "cls/mean/cka")


def test_a_map_is_that_of_the_first_texts():
    made = in_memory("sst2-dense")
    assert {pooling: reps.n_samples for pooling, reps in made.reps.items()} == {
        "cls": 30,
        "mean": 20,
        "tokens": 12,
    }
    for pooling in ("cls", "mean"):
        again = fs.compare(made.reps[pooling].head(20), measure="rsm", progress=False)
        assert np.array_equal(again.values, made.maps[f"{pooling}/mean/rsm"].values)
    distances = [pdist(x).mean() for x in made.reps["cls"].values()]
    assert np.allclose(made.scale, distances)


def test_of_other_seeds_only_maps_are_kept():
    made = fine_tuned.load("sst2-dense", "smoke", seed=1)
    assert made.reps == {}
    assert "cls/mean/gw" in made.maps


def test_a_block_is_captured_after_its_attention_and_at_its_end():
    made = in_memory("sst2-pretrained")
    halves, ends = made.maps["halves/raw/rsm"], made.maps["cls/raw/rsm"]
    names = [f"bert.encoder.layer.{k}" for k in range(4)]
    assert halves.names == tuple(n for name in names for n in (f"{name}.attention.output", name))
    assert np.allclose(halves.values[1::2, 1::2], ends.values)
    assert made.boundary_frequency.shape == (8,)
    assert made.boundary_frequency[0] == 0
    assert set(made.boundary_frequency) <= {0, 0.5, 1}


def test_an_encoder_that_is_not_tuned_has_not_moved():
    came, tuned = (fine_tuned.load(f"yelp-{kind}", "smoke") for kind in ("pretrained", "dense"))
    assert (came.moved == 0).all()
    assert came.zeros.mean() == pytest.approx(came.sparsity)
    assert came.heads.tolist() == [4, 4, 4, 4]
    assert came.history is None
    assert (tuned.moved > 0).all()
    assert came.moved.shape == tuned.moved.shape == (4,)


def test_all_runs_of_a_task_look_at_the_same_texts():
    runs = [fine_tuned.load(f"sst2-{kind}", "smoke") for kind in ("pretrained", "dense")]
    assert np.array_equal(runs[0].rows, runs[1].rows)
    assert np.array_equal(runs[0].lengths, runs[1].lengths)
    assert runs[0].lengths.min() >= 3


def test_the_padding_of_flattened_texts_says_nothing():
    from replication.data.sentiment import Corpus
    from replication.models.encoders import load_encoder

    one = Corpus(("good", "bad"), np.array([1, 0]), "two words")
    encoder = load_encoder("tiny")
    short, long = (maps.capture_tokens(encoder, one, length) for length in (4, 12))
    for name in short.names:
        assert np.linalg.norm(short[name][0] - short[name][1]) == pytest.approx(
            np.linalg.norm(long[name][0] - long[name][1]), rel=1e-4
        )


def test_the_command_line_takes_an_encoder_and_refuses_it_elsewhere(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["experiments", "--profile", "smoke", "--only", "bert/sst2-dense", "--seed", "0"]) == 0
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "_build/smoke"))
    assert load_record("bert/sst2-dense").parameters["encoder"] == "tiny"
    assert main(["experiments", "--only", "model-0", "--encoder", "bert-base"]) == 2
    assert "model-0: takes no encoder" in capsys.readouterr().err


def test_what_is_missing_is_said_before_anything_is_learned(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FUNCSIM_DATA", raising=False)
    monkeypatch.delenv("FUNCSIM_HUB", raising=False)
    command = ["experiments", "--only", "bert/sst2-dense", "--seed", "0"]
    assert main(command) == 2
    assert "bert/sst2-dense: SST-2 is not at hand: set FUNCSIM_DATA" in capsys.readouterr().err
    monkeypatch.setattr(inputs, "corpora", lambda *told: (toy_corpus(8), toy_corpus(500)))
    assert main([*command, "--encoder", "nonsense"]) == 2
    assert "there is no model 'nonsense'" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.safetensors"))


def test_an_unknown_run_is_refused():
    with pytest.raises(
        ValueError, match="no experiment 'bert/sst2'; there is bert/sst2-pretrained, bert/sst2-dense"
    ):
        fine_tuned.load("sst2")


def test_every_plan_knows_how_to_be_small():
    for plan in PLANS.values():
        assert plan.tiny().n_texts == 30
        assert (plan.tiny().training is None) == (plan.training is None)


def test_fewer_texts_than_asked_for_are_refused_before_training(tmp_path, monkeypatch, capsys):
    for name in ("train", "validation"):
        path = tmp_path / f"sst2/{name}.tsv.gz"
        path.parent.mkdir(exist_ok=True)
        with gzip.open(path, "wt") as file:
            file.write("sentence\tlabel\n" + "good\t1\nbad\t0\n" * 20)
    monkeypatch.setenv("FUNCSIM_DATA", str(tmp_path))
    monkeypatch.setattr(fine_tuned, "fine_tune", lambda *args: pytest.fail("training began"))
    command = ["experiments", "--only", "bert/sst2-dense", "--encoder", "tiny"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    assert "500 texts were asked for, and there are 40" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_layer_that_says_the_same_of_all_texts_compares_with_nothing():
    rng = np.random.default_rng(0)
    x = fs.Representations(
        {"a": rng.normal(size=(20, 3)), "mute": np.ones((20, 4)), "b": rng.normal(size=(20, 3))}
    )
    whole, rest = fs.compare(x, measure="rsm", degenerate="nan"), x.drop("mute")
    assert np.isnan(whole.values[1]).all()
    assert np.isnan(whole.values[:, 1]).all()
    defined = fs.compare(rest, measure="rsm", progress=False)
    assert np.array_equal(whole.defined().values, defined.values)
    assert whole.defined().names == ("a", "b")
    across = fs.compare(rest, x, measure="rsm", normalize=None, degenerate="nan")
    assert np.isnan(across.values).tolist() == [[False, True, False]] * 2
    assert across.defined().columns == ("a", "b")
    assert np.isnan(fs.compare(x.select(["mute"]), degenerate="nan").values).all()
    found = map_files.boundary_frequency(x, 2)
    assert found.shape == (3,)
    assert found[1] == 0
    viz.map_grid({"RSM": {"maps": whole}})
    viz.layer_map(whole)


def test_an_encoder_whose_heads_are_dead_is_still_looked_at(monkeypatch):
    def deadly(model, *told):
        def after_step(model, step, lr):
            for block in fine_tuned.blocks_of(model)[:2]:
                block.mix.weight.data.zero_()

        return after_step

    monkeypatch.setattr(fine_tuned, "sparsifier", deadly)
    made = in_memory("sst2-neuroprune-95")
    assert made.heads.tolist() == [0, 0, 4, 4]
    assert np.isnan(made.maps["cls/mean/gw"].values[:2]).all()
    assert np.isfinite(made.maps["cls/mean/gw"].values[2:, 2:]).all()
    assert np.isfinite(made.maps["mean/mean/gw"].values).all()
    assert made.maps["halves/raw/gw"].defined().values.shape == (4, 4)
    assert fs.partition(made.maps["halves/mean/gw"].defined()).p_value > 0


def test_a_boundary_is_counted_at_its_layer_beyond_one_that_is_mute():
    rng = np.random.default_rng(0)
    bases = [rng.normal(size=(40, 5)), rng.normal(size=(40, 5)) ** 3]
    layers = {
        f"{b}{k}": base + 0.05 * rng.normal(size=(40, 5)) for b, base in enumerate(bases) for k in range(4)
    }
    found = map_files.boundary_frequency(fs.Representations({"mute": np.ones((40, 2))} | layers), 3)
    assert found.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0]
