"""A causal modular transformer computed once per number is the same network."""

import pytest
import torch

from replication.data.modular_addition import Step, all_pairs
from replication.models.modular_transformer import ModularTransformer, ModularTransformerConfig
from replication.models.once_per_number import OncePerNumber
from replication.modular_addition.plans import Plan
from replication.training.modular import TrainingConfig, train_layer_by_layer

STEPS = (Step(7), Step(5), Step(3))
TINY = {"p": 7, "n_heads": 2, "d_model": 16, "d_mlp": 32}


def network(blocks):
    return Plan(STEPS, blocks, TrainingConfig(), **TINY).network(0)


@pytest.mark.parametrize(("blocks", "stage"), [((3,), 0), ((1, 1, 1), 0), ((1, 1, 1), 1), ((1, 1, 1), 2)])
def test_logits_and_gradients_are_those_of_the_stage(blocks, stage):
    model, twin = network(blocks), network(blocks)
    pairs = all_pairs(7)[torch.randperm(49, generator=torch.Generator().manual_seed(0))]
    weight = torch.randn(49, 1, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        given = model.read(pairs, stage)
    plain = model.stages()[stage](given)
    (plain.softmax(1) * weight).sum().backward()
    fast = OncePerNumber(twin, stage)(pairs)
    (fast.softmax(1) * weight).sum().backward()
    assert torch.allclose(fast, plain, atol=1e-5)
    moved = 0
    for (name, one), (_, other) in zip(model.named_parameters(), twin.named_parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None), name
        if one.grad is not None:
            assert torch.allclose(one.grad, other.grad, atol=1e-5), name
            moved += one.grad.abs().max() > 0
    assert moved >= 8


def test_training_follows_the_same_path_at_first():
    config = TrainingConfig(epochs=20)
    plan = Plan(STEPS, (1, 1, 1), config, **TINY)
    curves = [
        train_layer_by_layer(plan.network(0), plan.splits(0), config, progress=False, once_per_number=once)
        for once in (False, True)
    ]
    for plain, fast in zip(*curves, strict=True):
        assert fast.train_loss == pytest.approx(plain.train_loss, rel=1e-3)
        assert plain.train_loss[-1] < plain.train_loss[0]


def test_a_first_position_that_sees_b_is_refused():
    with pytest.raises(ValueError, match="without a causal mask"):
        OncePerNumber(ModularTransformer(ModularTransformerConfig(**TINY)), 0)


def test_a_chain_is_refused():
    config = TrainingConfig(epochs=1)
    plan = Plan(STEPS, (1, 1, 1), config, chained=True, **TINY)
    with pytest.raises(ValueError, match="a chain passes answers on"):
        train_layer_by_layer(plan.network(0), plan.splits(0), config, progress=False, once_per_number=True)
