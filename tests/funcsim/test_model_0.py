import dataclasses
import json
import math
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

import funcsim as fs
from funcsim import provenance
from funcsim.cli import main
from funcsim.errors import FileFormatError, FrozenDataError
from funcsim.experiments import model_0
from funcsim.models.modular_transformer import ModularTransformer, ModularTransformerConfig
from funcsim.tasks.modular_sum import all_pairs, modular_sum, split_pairs
from funcsim.training.modular import TrainingConfig, train

TINY = ModularTransformerConfig(p=7, n_heads=2, d_model=16, d_mlp=32)


def test_the_31_names_of_table_1_in_execution_order():
    model = ModularTransformer(ModularTransformerConfig(p=5))
    per_head = [f"{part}.{h}" for part in ("k", "q", "v", "attn_pre", "attn", "z") for h in range(4)]
    tail = ["attn_out", "resid_mid", "pre", "post", "mlp_out", "resid_post"]
    expected = [f"blocks.0.{name}" for name in ["resid_pre", *per_head, *tail]]
    assert len(expected) == 31
    assert list(fs.capture(model, [all_pairs(5)]).names) == expected
    assert expected.index("blocks.0.attn_pre.0") == 13  # where the paper sees its first change
    assert expected.index("blocks.0.attn.0") == 17  # and its second


def test_blocks_pass_the_stream_on_unchanged():
    model = ModularTransformer(dataclasses.replace(TINY, n_blocks=3))
    reps = fs.capture(model, [all_pairs(7)])
    heads = 7 + 6 * 2
    assert len(reps) == 3 * heads
    assert (reps["blocks.0.resid_post"] == reps["blocks.1.resid_pre"]).all()


@pytest.mark.parametrize("causal", [False, True])
def test_representations_agree_with_a_forward_pass_by_hand(causal):
    """The formulas of section 3.2, head by head and token by token, without modules."""
    model = ModularTransformer(dataclasses.replace(TINY, causal=causal), seed=3)
    pairs = all_pairs(7)
    reps = fs.capture(model, [pairs])
    w = {k: v.detach().double() for k, v in model.state_dict().items()}
    for row in (0, 10, 48):
        x = w["embed.weight"][pairs[row]] + w["position"]
        heads = []
        for h in range(2):
            part = slice(8 * h, 8 * h + 8)
            k, q, v = (x @ w[f"blocks.0.to_{n}.weight"][part].T for n in "kqv")
            scores = q @ k.T / math.sqrt(8)
            weights = scores.clone()
            if causal:
                weights[0, 1] = -math.inf
            attn = weights.exp() / weights.exp().sum(dim=1, keepdim=True)
            heads.append(attn @ v)
            values = {"k": k, "q": q, "v": v, "attn_pre": scores, "attn": attn, "z": attn @ v}
            for name, value in values.items():
                got = reps[f"blocks.0.{name}.{h}"][row]
                assert np.allclose(got, value.flatten(), atol=1e-5), name
        mid = x + torch.cat(heads, dim=1) @ w["blocks.0.attn_out.weight"].T
        pre = mid @ w["blocks.0.pre.weight"].T + w["blocks.0.pre.bias"]
        out = pre.clamp(min=0) @ w["blocks.0.mlp_out.weight"].T + w["blocks.0.mlp_out.bias"]
        assert np.allclose(reps["blocks.0.resid_mid"][row], mid.flatten(), atol=1e-5)
        assert np.allclose(reps["blocks.0.pre"][row], pre.flatten(), atol=1e-5)
        assert np.allclose(reps["blocks.0.resid_post"][row], (mid + out).flatten(), atol=1e-5)
        logits = (mid + out)[-1] @ w["unembed.weight"].T
        assert np.allclose(model(pairs[row : row + 1]).detach(), logits, atol=1e-4)


def test_a_width_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match=r"d_model=10 is not a multiple of n_heads=4"):
        ModularTransformerConfig(d_model=10)


def test_the_task_against_counting():
    pairs = all_pairs(7)
    assert pairs.tolist() == [[a, b] for a in range(7) for b in range(7)]
    assert modular_sum(pairs, 7).tolist() == [(a + b) % 7 for a in range(7) for b in range(7)]


def test_the_split_is_a_partition_and_repeatable():
    split = split_pairs(59, seed=5)
    assert (len(split.train_pairs), len(split.val_pairs)) == (2784, 697)
    both = {tuple(p) for p in torch.cat([split.train_pairs, split.val_pairs]).tolist()}
    assert len(both) == 59 * 59
    assert (split_pairs(59, seed=5).val_pairs == split.val_pairs).all()
    assert not (split_pairs(59, seed=6).val_pairs == split.val_pairs).all()
    with pytest.raises(ValueError, match=r"train_fraction=1.0 leaves 49 of 49"):
        split_pairs(7, 1.0)


def same_weights(a, b):
    return all((x == y).all() for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_the_seed_decides_the_weights_and_nothing_else_is_touched():
    state = torch.get_rng_state()
    assert same_weights(ModularTransformer(TINY, 1), ModularTransformer(TINY, 1))
    assert not same_weights(ModularTransformer(TINY, 1), ModularTransformer(TINY, 2))
    assert (torch.get_rng_state() == state).all()


def test_interrupted_training_ends_at_the_same_bits(tmp_path):
    split, config = split_pairs(7), TrainingConfig(epochs=20, save_every=6)
    whole = ModularTransformer(TINY)
    curves = train(whole, split, config).curves()
    state = tmp_path / "state.safetensors"
    train(ModularTransformer(TINY), split, dataclasses.replace(config, epochs=15), state)
    resumed = ModularTransformer(TINY, seed=99)  # whatever it starts with, the state replaces it
    history = train(resumed, split, config, state)
    assert same_weights(whole, resumed)
    assert all((history.curves()[k] == v).all() for k, v in curves.items())


def test_a_damaged_state_is_refused(tmp_path):
    state = tmp_path / "state.safetensors"
    split, config = split_pairs(7), TrainingConfig(epochs=6, save_every=6)
    train(ModularTransformer(TINY), split, config, state)
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(FileFormatError, match="cut off"):
        train(ModularTransformer(TINY), split, config, state)


def test_training_lowers_the_loss():
    model = ModularTransformer(ModularTransformerConfig(p=11))
    curves = train(model, split_pairs(11), TrainingConfig(epochs=60)).curves()
    assert curves["train_loss"][-1] < 0.5 * curves["train_loss"][0]


@pytest.fixture
def frozen(tmp_path, monkeypatch):
    """A smoke run, frozen as if it were the full one."""
    out = tmp_path / "frozen"
    model_0.run("smoke", out=out, work=tmp_path / "work", progress=False)
    monkeypatch.setenv("FUNCSIM_FROZEN", str(out))
    return out / "model-0"


def test_what_is_frozen_is_what_is_loaded(frozen):
    loaded, trained = model_0.load("laptop"), model_0.load("smoke")
    assert same_weights(loaded.model, trained.model)
    assert loaded.accuracies() == trained.accuracies()
    assert (loaded.split.val_pairs == trained.split.val_pairs).all()
    assert loaded.record.results["val_accuracy"] == trained.accuracies()[1]
    assert len(loaded.history) == 30
    assert not loaded.model.training


def test_the_record_says_where_it_came_from(frozen):
    record = json.loads((frozen / "record.json").read_text())
    assert record["command"] == "make experiments PROFILE=smoke ONLY=model-0 DEVICE=cpu SEED=0"
    assert record["parameters"]["model"]["p"] == 7
    assert set(record["files"]) == {"model.safetensors", "training.safetensors"}
    assert set(record["versions"]) == {"python", "numpy", "POT", "safetensors", "scipy", "torch"}
    assert "all 49 pairs" in str(provenance.load_record("model-0"))


def test_a_checkpoint_that_differs_from_its_record_is_refused(frozen):
    path = frozen / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(FrozenDataError, match=r"model.safetensors differs.*make experiments ONLY=model-0"):
        model_0.load("laptop")


def test_missing_and_damaged_records(frozen, tmp_path, monkeypatch):
    (frozen / "training.safetensors").unlink()
    with pytest.raises(FrozenDataError, match=r"training.safetensors is missing"):
        model_0.load("laptop")
    (frozen / "record.json").write_text('{"experiment": "model-0"')
    with pytest.raises(FrozenDataError, match=r"record\.json is damaged"):
        model_0.load("laptop")
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "nowhere"))
    with pytest.raises(FrozenDataError, match=r"no frozen experiment 'model-0'.*FUNCSIM_FROZEN"):
        model_0.load("laptop")


def test_the_frozen_model_of_the_repository_is_perfect_and_small():
    trained = model_0.load("laptop")
    assert trained.accuracies() == (1.0, 1.0)
    assert trained.record.results == {"train_accuracy": 1.0, "val_accuracy": 1.0}
    assert not trained.record.commit.endswith("-dirty")
    assert trained.model.config.p == 59


def test_an_unknown_profile():
    with pytest.raises(ValueError, match="'smoke', 'laptop' or 'full'"):
        model_0.load("fast")


def test_a_finished_run_leaves_no_state_behind(tmp_path):
    model_0.run("smoke", out=tmp_path, work=tmp_path / "work", progress=False)
    assert list((tmp_path / "work").iterdir()) == []


def test_the_command_line_runs_an_experiment(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["experiments", "--profile", "smoke", "--only", "model-0"]) == 0
    assert (tmp_path / "_build/smoke/model-0/record.json").exists()  # and not over data/
    assert "val_accuracy" in capsys.readouterr().out


def test_the_command_line_names_what_there_is(capsys):
    assert main(["experiments", "--only", "model-9"]) == 2
    assert "no experiment 'model-9'; there is model-0" in capsys.readouterr().err


def test_ctrl_c_keeps_the_last_state_and_the_same_command_goes_on(tmp_path):
    """Stop a real run after its first states, then look whether the next one starts there."""
    command = [sys.executable, "-m", "funcsim.cli", "experiments", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    work = tmp_path / "_build" / "experiments"
    deadline = time.monotonic() + 120
    while not list(work.glob("model-0-*.safetensors")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on from the last saved state" in output
    (state,) = work.glob("model-0-*.safetensors")
    assert not (tmp_path / "out").exists()

    shutil.copy(state, tmp_path / "copy.safetensors")
    full = model_0.MODELS["full"], split_pairs(59)
    history = train(
        ModularTransformer(full[0]), full[1], TrainingConfig(epochs=1), tmp_path / "copy.safetensors"
    )
    assert len(history) % 50 == 0
    assert len(history) >= 50
