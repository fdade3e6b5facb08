import dataclasses
import itertools
import json
import math
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from joblib.externals.loky import get_reusable_executor

import funcsim as fs
from funcsim._internal.storage import read_tensors
from funcsim.errors import FileFormatError
from replication import stored
from replication.__main__ import main
from replication.data.modular_addition import EQUAL, NESTED, Step, all_pairs, levels, split_pairs
from replication.errors import StoredResultError
from replication.models.modular_chain import ModularChain
from replication.models.modular_transformer import ModularTransformer, ModularTransformerConfig
from replication.modular_addition import trained_networks
from replication.modular_addition.plans import COMPARISONS, KNOWN_BOUNDARIES, PAPER, PLANS, SEEDS, Plan
from replication.modular_addition.trained_networks import TrainedModel
from replication.registry import EXPERIMENTS
from replication.training.modular import TrainingConfig, train, train_layer_by_layer

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


def test_the_93_names_of_three_blocks_in_execution_order():
    model = ModularTransformer(ModularTransformerConfig(p=5, n_blocks=3))
    names = model.representation_layers
    assert len(names) == 93
    assert [names[i] for i in (0, 30, 31, 61, 62, 92)] == [
        f"blocks.{b}.{end}" for b in range(3) for end in ("resid_pre", "resid_post")
    ]
    one = [name.removeprefix("blocks.0.") for name in names[:31]]
    assert names == [f"blocks.{b}.{name}" for b in range(3) for name in one]
    assert list(fs.capture(model, [all_pairs(5)], progress=False).names) == names


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
    assert split_pairs(7).train_labels.tolist() == [sum(p) % 7 for p in split_pairs(7).train_inputs.tolist()]


def test_the_three_levels_against_counting():
    """c1, c2 and c3 of both variants and of a product, pair by pair in l1 Python."""
    mixed = (Step(59), Step(31, "product"), Step(17))
    found = {steps: levels(all_pairs(59), steps).tolist() for steps in (EQUAL, NESTED, mixed)}
    for row, (a, b) in enumerate((a, b) for a in range(59) for b in range(59)):
        c1 = (a + b) % 59
        assert found[EQUAL][row] == [c1, (c1 + b) % 59, (a + 3 * b) % 59]
        assert found[NESTED][row] == [c1, (c1 + b) % 31, ((c1 + b) % 31 + b) % 17]
        assert found[mixed][row] == [c1, c1 * b % 31, (c1 * b % 31 + b) % 17]


def test_nested_moduli_have_no_short_cut_and_equal_ones_do():
    """With equal moduli the last level is affine in (a, b); with nested ones it is not."""
    pairs = all_pairs(59)

    def affine(labels, modulus):
        grid = labels.reshape(59, 59)
        steps = (grid[1:] - grid[:-1]) % modulus  # what one more a adds
        return bool((steps == steps[0, 0]).all())

    assert affine(levels(pairs, EQUAL)[:, -1], 59)
    assert not affine(levels(pairs, NESTED)[:, -1], 17)


def test_the_split_is_a_partition_and_repeatable():
    split = split_pairs(59, seed=5)
    assert (len(split.train_inputs), len(split.val_inputs)) == (2784, 697)
    both = {tuple(p) for p in torch.cat([split.train_inputs, split.val_inputs]).tolist()}
    assert len(both) == 59 * 59
    assert (split_pairs(59, seed=5).val_inputs == split.val_inputs).all()
    assert not (split_pairs(59, seed=6).val_inputs == split.val_inputs).all()
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


THREE = PLANS["model-l-nested"].tiny()


@pytest.mark.parametrize("name", [name for name, plan in KNOWN_BOUNDARIES.items() if len(plan.steps) > 1])
def test_no_level_of_a_known_boundary_can_be_skipped(name):
    """No sum x a + y b, for any weights, agrees with a level after the first on all pairs."""
    plan = KNOWN_BOUNDARIES[name]
    grids = levels(all_pairs(plan.p), plan.steps).T.reshape(-1, plan.p, plan.p)
    for grid, step in zip(grids[1:], plan.steps[1:], strict=True):
        rises = (grid[1:] - grid[:-1]) % step.modulus
        assert len(rises.unique()) > 1


def test_layer_by_layer_freezes_what_came_before():
    """Not a bit of a finished stage moves, and each stage learns its own answer."""
    model = THREE.network(0)
    splits, config = THREE.splits(0), TrainingConfig(epochs=25)
    first = THREE.network(0)
    train(first.stages()[0], splits[0], config)  # by itself
    before = {k: v.clone() for k, v in model.state_dict().items()}
    train_layer_by_layer(model, splits, config)
    after, alone = model.state_dict(), first.state_dict()
    stage_1 = [k for k in after if k.startswith(("embed", "position", "blocks.0", "readouts.0"))]
    assert len(stage_1) == 11
    assert all((after[k] == alone[k]).all() for k in stage_1)
    assert not any((after[k] == before[k]).all() for k in after if not k.endswith("bias"))


def test_a_stage_sees_what_the_whole_network_computes():
    model = THREE.network(0)
    pairs = all_pairs(7)
    last = model.stages()[-1]
    assert torch.equal(last(model.stream(pairs, last.first)), model(pairs))
    assert model(pairs).shape == (49, THREE.steps[-1].modulus)
    assert [stage.first for stage in model.stages()] == [0, 1, 2]
    assert [stage.readout.out_features for stage in model.stages()] == [s.modulus for s in THREE.steps]


def test_layer_by_layer_resumes_at_the_same_bits(tmp_path):
    splits, config = THREE.splits(0), TrainingConfig(epochs=10, save_every=4)
    whole = THREE.network(0)
    curves = [h.curves() for h in train_layer_by_layer(whole, splits, config)]
    states = [tmp_path / f"{k}.safetensors" for k in range(3)]
    part = THREE.network(0)
    train(part.stages()[0], splits[0], config, states[0])  # stopped in the middle of the second stage
    half = dataclasses.replace(splits[1], train_inputs=part.stream(splits[1].train_inputs, 1).detach(),
                               val_inputs=part.stream(splits[1].val_inputs, 1).detach())  # fmt: skip
    train(part.stages()[1], half, dataclasses.replace(config, epochs=7), states[1])
    resumed = THREE.network(0)
    again = train_layer_by_layer(resumed, splits, config, states)
    assert same_weights(whole, resumed)
    assert all((h.curves()[k] == c[k]).all() for h, c in zip(again, curves, strict=True) for k in c)


CHAIN = dataclasses.replace(PLANS["known-boundaries/1-1-1"], blocks=(2, 1, 1)).tiny()


def test_a_chain_hands_on_nothing_but_the_answer():
    chain, pairs = CHAIN.network(0), all_pairs(7)
    first, second, third = chain.stages()
    answer = second(torch.stack([first(pairs).argmax(1), pairs[:, 1]], 1)).argmax(1)
    assert torch.equal(chain.read(pairs, 2), torch.stack([answer, pairs[:, 1]], 1))
    assert torch.equal(chain(pairs), third(chain.read(pairs, 2)))
    names = chain.representation_layers
    assert [name for name in names if name.endswith("resid_pre")] == [
        f"parts.{part}.resid_pre" for part in ("0.blocks.0", "0.blocks.1", "1.blocks.0", "2.blocks.0")
    ]
    assert list(fs.capture(chain, [pairs], progress=False).names) == names


def test_the_parts_of_a_chain_start_from_different_weights():
    plan = dataclasses.replace(CHAIN, blocks=(1, 1, 1), steps=(Step(7),) * 3)
    networks = [part for seed in (0, 1) for part in plan.network(seed).stages()]
    assert len({float(network.unembed.weight[0, 0].detach()) for network in networks}) == 6


def test_a_chain_whose_answers_the_next_part_does_not_know_is_refused():
    small = ModularTransformerConfig(p=5)
    with pytest.raises(ValueError, match="part 0 has 7 answers and part 1 knows 5 numbers"):
        ModularChain([ModularTransformerConfig(p=7), small])


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_can_be_read_back(name):
    assert Plan.from_dict(json.loads(json.dumps(PLANS[name].to_dict()))) == PLANS[name]


def test_the_learning_rate_rises_stays_and_falls():
    config = TrainingConfig(epochs=100, lr=2.0, warmup=10, cooldown=20)
    rates = [config.lr_at(epoch) for epoch in range(100)]
    assert rates[0] == 0.2
    assert set(rates[9:80]) == {2.0}
    assert all(a > b for a, b in itertools.pairwise(rates[79:]))
    assert 0 < rates[-1] < 0.1
    assert TrainingConfig(epochs=100, lr=2.0).lr_at(99) == 2.0


def test_no_step_follows_a_gradient_longer_than_clip():
    def move(clip):
        model = ModularTransformer(TINY)
        config = TrainingConfig(epochs=1, clip=clip, eps=1e3, weight_decay=0.0, warmup=1)
        before = torch.cat([w.detach().flatten().clone() for w in model.parameters()])
        train(model, split_pairs(7), config)  # so large an eps makes the step follow the gradient
        return torch.cat([w.detach().flatten() for w in model.parameters()]).sub(before).norm()

    assert torch.isclose(move(1e-3) / move(5e-4), torch.tensor(2.0), rtol=0.05)
    assert move(1e9) == move(None)


def test_training_stops_once_it_has_settled():
    class Knows(torch.nn.Module):
        """Right from the start, whatever its one weight."""

        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.tensor(30.0))

        def forward(self, pairs):
            return self.scale * torch.nn.functional.one_hot(pairs.sum(1) % 7, 7).float()

    def epochs(settled):
        return len(train(Knows(), split_pairs(7), TrainingConfig(epochs=40, settled=settled)))

    assert [epochs(None), epochs(10), epochs(80)] == [40, 10, 40]


def test_readouts_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"readouts after \[3\] of 3 blocks"):
        ModularTransformerConfig(n_blocks=3, readouts=((3, 5),))
    with pytest.raises(ValueError, match="2 splits for a network of 3 stages"):
        train_layer_by_layer(THREE.network(0), THREE.splits(0)[:2], TrainingConfig())


def test_training_lowers_the_loss():
    model = ModularTransformer(ModularTransformerConfig(p=11))
    curves = train(model, split_pairs(11), TrainingConfig(epochs=60)).curves()
    assert curves["train_loss"][-1] < 0.5 * curves["train_loss"][0]


STORED_HERE = ("model-0", "model-l-nested", "known-boundaries/1-1-1")


def run(name, seed=0, **told):
    return EXPERIMENTS[name].run("smoke", seed, progress=False, **told)


@pytest.fixture
def stored_here(tmp_path, monkeypatch):
    """A smoke run, stored as if it were the full one."""
    out = tmp_path / "stored"
    for name in STORED_HERE:
        run(name, out=out, work=tmp_path / "work")
    monkeypatch.setenv("FUNCSIM_FROZEN", str(out))
    return out / "model-0" / "seed-0"


@pytest.mark.parametrize("name", STORED_HERE)
def test_what_is_stored_is_what_is_loaded(stored_here, name):
    plan = PLANS[name].tiny()
    network = plan.network(0)
    histories = train_layer_by_layer(network, plan.splits(0), plan.training, progress=False)
    trained, loaded = TrainedModel(network, plan, 0, histories), trained_networks.load(name)
    assert same_weights(loaded.model, trained.model)
    assert loaded.plan == trained.plan
    assert loaded.stage_accuracies() == trained.stage_accuracies()
    for history, again in zip(loaded.histories, histories, strict=True):
        assert history.val_loss == again.val_loss
    assert len(loaded.stage_accuracies()) == len(loaded.plan.blocks)
    assert (loaded.split.val_inputs == trained.split.val_inputs).all()
    assert (loaded.targets == trained.targets).all()
    assert loaded.record.results["val_accuracy"] == trained.accuracies()[1]
    assert [len(h) for h in loaded.histories] == [30] * len(loaded.plan.blocks)
    assert not loaded.model.training


def test_stage_accuracies_against_reading_the_stream_by_hand(stored_here):
    trained = trained_networks.load("model-l-nested")
    split = split_pairs(7, steps=trained.plan.steps[:2])
    stream = trained.model.stream(split.val_inputs, 2)[:, -1]
    right = (trained.model.readouts[1](stream).argmax(1) == split.val_labels).double().mean()
    assert trained.stage_accuracies()[1][1] == float(right)
    last = trained.model(trained.split.val_inputs).argmax(1) == trained.split.val_labels
    assert trained.accuracies()[1] == float(last.double().mean())


def test_of_some_networks_the_predictions_are_stored_and_no_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(trained_networks, "PREDICTIONS_ONLY", (("model-l-nested", 1),))
    for seed in (0, 1):
        run("model-l-nested", seed, out=tmp_path, work=tmp_path / "w")
    monkeypatch.setattr(trained_networks, "PREDICTIONS_ONLY", ())
    run("model-l-nested", 1, out=tmp_path / "whole", work=tmp_path / "w")
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "whole"))
    trained = trained_networks.load("model-l-nested", seed=1)
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path))
    assert trained_networks.load("model-l-nested", seed=0).model is not None
    loaded = trained_networks.load("model-l-nested", seed=1)
    with pytest.raises(StoredResultError, match=r"only the predictions.*model-l-nested.*PREDICTIONS_ONLY"):
        loaded.model  # noqa: B018
    assert not (tmp_path / "model-l-nested/seed-1/model.safetensors").exists()
    assert loaded.stage_accuracies() == trained.stage_accuracies()
    inputs = trained.split.val_inputs
    predicted = trained.model(inputs).argmax(1)
    assert len(set(predicted.tolist())) > 1
    assert (loaded.at(loaded.predictions[-1], inputs) == predicted).all()
    path = tmp_path / "model-l-nested/seed-1/answers.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"7")
    with pytest.raises(StoredResultError, match="answers"):
        trained_networks.load("model-l-nested", seed=1)


def test_the_curves_of_long_training_are_stored_in_single_precision(tmp_path, monkeypatch):
    run("model-l-nested-long", out=tmp_path, work=None)
    path = tmp_path / "model-l-nested-long/seed-0" / trained_networks.CURVES_FILE
    curves, _ = read_tensors(path, trained_networks.CURVES_FORMAT)
    assert {curve.dtype for curve in curves.values()} == {np.dtype(np.float32)}
    plan = PLANS["model-l-nested-long"].tiny()
    histories = train_layer_by_layer(
        plan.network(0), plan.splits(0), plan.training, progress=False, once_per_number=True
    )
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path))
    for loaded, history in zip(
        trained_networks.load("model-l-nested-long").histories, histories, strict=True
    ):
        np.testing.assert_allclose(loaded.val_loss, history.val_loss, rtol=1e-6)


def test_the_record_says_where_it_came_from(stored_here):
    record = json.loads((stored_here / "record.json").read_text())
    assert record["command"] == "make experiments PROFILE=smoke ONLY=model-0 DEVICE=cpu SEED=0"
    assert record["parameters"]["p"] == 7
    assert record["parameters"]["steps"] == [{"modulus": 7, "operation": "sum"}]
    assert set(record["files"]) == {"model.safetensors", "training.safetensors"}
    assert set(record["versions"]) == {"python", "numpy", "POT", "safetensors", "scipy", "torch"}
    assert "all 49 pairs" in str(stored.load_record("model-0"))


def test_a_checkpoint_that_differs_from_its_record_is_refused(stored_here):
    path = stored_here / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        StoredResultError, match=r"model.safetensors differs.*make experiments ONLY=model-0 SEED=0"
    ):
        trained_networks.load("model-0")


def test_missing_and_damaged_records(stored_here, tmp_path, monkeypatch):
    (stored_here / "training.safetensors").unlink()
    with pytest.raises(StoredResultError, match=r"training.safetensors is missing"):
        trained_networks.load("model-0")
    (stored_here / "record.json").write_text('{"experiment": "model-0"')
    with pytest.raises(StoredResultError, match=r"record\.json is damaged"):
        trained_networks.load("model-0")
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "nowhere"))
    with pytest.raises(StoredResultError, match=r"no stored experiment 'model-0' of seed 0.*FUNCSIM_FROZEN"):
        trained_networks.load("model-0")


SHIPPED = [
    pytest.param(name, int(folder.name.removeprefix("seed-")), id=f"{name}-{folder.name}")
    for name in PLANS
    for folder in sorted((stored.data_dir() / name).glob("seed-*"))
]


def test_three_seeds_of_the_networks_of_the_paper_are_shipped():
    shipped = {tuple(param.values) for param in SHIPPED}
    expected = {(f"model-{m}", s) for m in ("0", "e-equal", "l-equal") for s in SEEDS[f"model-{m}"]}
    assert expected <= shipped
    assert len(expected) == 9


@pytest.mark.parametrize(("name", "seed"), SHIPPED)
def test_the_stored_networks_are_what_their_records_say(name, seed):
    trained = trained_networks.load(name, seed=seed)
    results, stages = trained.record.results, trained.stage_accuracies()
    assert trained.plan == PLANS[name]
    assert stages[-1] == (results["train_accuracy"], results["val_accuracy"])
    assert [val for _, val in stages[:-1]] == [
        results[f"val_accuracy_of_stage_{k}"] for k in range(1, len(stages))
    ]
    assert not trained.record.commit.endswith("-dirty")
    if name in ("model-0", "model-l-equal") or name.startswith("known-boundaries/"):
        assert set(stages) == {(1.0, 1.0)}


def test_an_unknown_network_or_profile():
    with pytest.raises(ValueError, match="no experiment 'model-9'; there is model-0, "):
        trained_networks.load("model-9")
    with pytest.raises(ValueError, match="'smoke', 'laptop' or 'full'"):
        trained_networks.load("model-0", "fast")


def test_a_finished_run_is_not_trained_again(tmp_path):
    first, second = (run("model-0", out=tmp_path, work=tmp_path / "work") for _ in range(2))
    assert first.seconds == second.seconds  # time is counted while training only
    assert len(list((tmp_path / "work" / "model-0").rglob("*.safetensors"))) == 1


def test_the_command_line_runs_a_group_at_every_seed_and_tidies_up(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["experiments", "--profile", "smoke", "--only", "modular-sum"]) == 0
    made = {str(p.parent.relative_to(tmp_path)) for p in tmp_path.rglob("record.json")}
    assert made == {  # and nothing over data/
        f"_build/smoke/{name}/seed-{seed}" for name in PAPER | COMPARISONS for seed in EXPERIMENTS[name].seeds
    }
    assert not list((tmp_path / "_build/experiments").iterdir())
    assert "val_accuracy" in capsys.readouterr().out


def test_the_command_line_runs_one_seed_of_one_experiment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["experiments", "--profile", "smoke", "--only", "model-0", "--seed", "5"]) == 0
    assert [p.parent.name for p in tmp_path.rglob("record.json")] == ["seed-5"]


@pytest.fixture
def workers():
    """New ones, which know this test's folder and environment."""
    get_reusable_executor().shutdown()
    yield
    get_reusable_executor().shutdown()


def test_runs_side_by_side_store_the_same_bytes(tmp_path, monkeypatch, capsys, workers):
    monkeypatch.chdir(tmp_path)
    for jobs in ("1", "2"):
        command = ["experiments", "--profile", "smoke", "--only", "model-0", "--jobs", jobs]
        assert main([*command, "--out", jobs]) == 0
    said = capsys.readouterr().out
    assert said.count("val_accuracy") == 6
    assert said.count("model-0: profile smoke") == 3  # the other three were begun by other processes
    for seed in (0, 1, 2):
        for name in ("model.safetensors", "training.safetensors"):
            one, two = (Path(jobs, "model-0", f"seed-{seed}", name).read_bytes() for jobs in ("1", "2"))
            assert one == two


def test_what_fails_beside_others_is_named(tmp_path, monkeypatch, capsys, workers):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FUNCSIM_DATA", raising=False)
    monkeypatch.delenv("FUNCSIM_HUB", raising=False)
    assert main(["experiments", "--only", "bert/sst2-dense", "--jobs", "2"]) == 2
    assert "bert/sst2-dense: SST-2 is not at hand" in capsys.readouterr().err


def test_the_command_line_names_what_there_is(capsys):
    assert main(["experiments", "--only", "model-9"]) == 2
    assert (
        "no experiment 'model-9'; there is modular-sum, modular-sum-long, known-boundaries, modular-maps, "
        in capsys.readouterr().err
    )


def test_ctrl_c_keeps_the_last_state_and_the_same_command_goes_on(tmp_path):
    """Stop a real run after its first states, then look whether the next one starts there."""
    command = [sys.executable, "-m", "replication", "experiments", "--only", "model-0", "--seed", "0"]
    command += ["--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    work = tmp_path / "_build" / "experiments"
    deadline = time.monotonic() + 120
    while not list(work.glob("model-0/*/*/*.safetensors")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on from the last saved state" in output
    (state,) = work.glob("model-0/*/*/*.safetensors")
    assert not (tmp_path / "out").exists()

    shutil.copy(state, tmp_path / "copy.safetensors")
    (model,) = PLANS["model-0"].network(0).stages()
    history = train(model, split_pairs(59), TrainingConfig(epochs=1), tmp_path / "copy.safetensors")
    assert len(history) % 50 == 0
    assert len(history) >= 50


def test_a_stopped_command_leaves_no_process_behind(tmp_path):
    command = [sys.executable, "-m", "replication", "experiments", "--only", "model-0", "--jobs", "2"]
    command += ["--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    work = tmp_path / "_build" / "experiments"
    deadline = time.monotonic() + 120
    while len(list(work.glob("model-0/*/*/*.safetensors"))) < 2 and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.1)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    process.terminate()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on from the last saved state" in output
    assert not psutil.wait_procs(workers, timeout=20)[1]


def test_one_block_trains_the_same_with_and_without_a_causal_mask():
    """The last position sees both numbers either way, and nothing else is asked for."""
    models = [ModularTransformer(dataclasses.replace(TINY, causal=causal)) for causal in (False, True)]
    for model in models:
        train(model, split_pairs(7), TrainingConfig(epochs=10))
    assert all(
        torch.allclose(a, b, atol=1e-6) for a, b in zip(*(m.parameters() for m in models), strict=True)
    )
    seen = [fs.capture(model, [all_pairs(7)], layers="blocks.0.resid_post") for model in models]
    first, last = (
        [reps["blocks.0.resid_post"][:, part] for reps in seen] for part in (slice(16), slice(16, 32))
    )
    assert np.allclose(*last, atol=1e-5)
    assert not np.allclose(*first, atol=1e-2)
