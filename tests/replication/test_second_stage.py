"""Block 2 of Model L alone, in eight ways."""

import numpy as np
import pytest
import torch

from replication.errors import StoredResultError
from replication.modular_addition import second_stage, trained_networks
from replication.modular_addition.second_stage import VARIANTS, SecondStage
from replication.training.modular import train


@pytest.fixture
def first():
    return trained_networks.load("model-l-nested", "smoke")


def test_as_handed_on_it_is_the_second_stage_of_model_l(first):
    stage, pairs = SecondStage(first, VARIANTS["as handed on, nothing anew"], 0), first.pairs
    with torch.no_grad():
        expected = first.plan.network(0).stages()[1](first.model.read(pairs, 1))
        assert torch.equal(stage(pairs), expected)


def test_the_numbers_come_anew_at_the_second_position_and_the_stream_at_length_1(first):
    stage = SecondStage(first, VARIANTS["length 1, both anew"], 3)
    seen = []
    stage.stage.blocks[0].register_forward_hook(lambda module, given, output: seen.append(given[0]))
    pairs = torch.tensor([[4, 2], [6, 6]])
    stage(pairs)
    with torch.no_grad():
        stream = first.model.read(pairs, 1)
        expected = stream / stream.square().sum(dim=-1, keepdim=True).sqrt()
        expected[:, 1] += stage.anew["b"].weight[[2, 6]]
        expected[:, 1] += stage.anew["c1"].weight[first.at(first.predictions[0], pairs)]
    torch.testing.assert_close(seen[0].detach(), expected)


def test_every_variant_begins_with_the_same_block_and_trains_it_alone(first):
    before = {key: value.clone() for key, value in first.model.state_dict().items()}
    stages = [SecondStage(first, variant, 1) for variant in VARIANTS.values()]
    starts = [torch.nn.utils.parameters_to_vector(stage.stage.parameters()) for stage in stages]
    assert all(torch.equal(start, starts[0]) for start in starts)
    assert [len(stage.anew) for stage in stages] == [0, 1, 1, 2, 0, 1, 1, 2]
    second_stage.load("smoke", 1)
    assert all(torch.equal(value, before[key]) for key, value in first.model.state_dict().items())


def run(folder):
    told = {"out": folder / "out", "work": folder / "work", "progress": False}
    return second_stage.EXPERIMENTS["second-sum"].run("smoke", **told)


def test_what_is_stored_is_what_is_loaded(first, tmp_path, monkeypatch):
    made = run(tmp_path)
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "out"))
    loaded, origin = second_stage.load()
    assert origin == str(made)
    assert list(loaded) == list(second_stage.load("smoke")[0]) == list(VARIANTS)
    config, split = second_stage.Plan().tiny().config, first.plan.splits(0)[1]
    for name, variant in VARIANTS.items():
        curves = train(SecondStage(first, variant, 0), split, config, progress=False).curves()
        for part in ("train", "val"):
            np.testing.assert_allclose(loaded[name][part], curves[f"{part}_accuracy"], rtol=0, atol=1e-12)
    (tmp_path / "out/second-sum/seed-0/right.safetensors").write_bytes(b"")
    with pytest.raises(StoredResultError, match=r"right\.safetensors differs.*ONLY=second-sum"):
        second_stage.load()


def test_a_stopped_run_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    begun = []

    def stopping(stage, split, config, state, *rest):
        if len(begun) == 2:
            raise KeyboardInterrupt
        begun.append(state.stem)
        return train(stage, split, config, state, *rest)

    monkeypatch.setattr(second_stage, "train", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped")
    kept = [path.stem for path in (tmp_path / "stopped/work").rglob("*.safetensors")]
    assert sorted(kept) == sorted(begun) == sorted(list(VARIANTS)[:2])
    monkeypatch.setattr(second_stage, "train", train)
    assert run(tmp_path / "stopped").files == run(tmp_path / "whole").files
