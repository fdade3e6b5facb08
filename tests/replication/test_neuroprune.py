"""NeuroPrune and its controls, on hand-built heads and on a tiny BERT."""

import pytest
import torch

from funcsim.errors import ModelError
from replication.models.encoders import load_encoder
from replication.training.fine_tuning import FineTuningConfig
from replication.training.neuroprune import (
    Block,
    _kth_smallest,
    active_heads,
    blocks_of,
    calibrate_strength,
    l1,
    merge_heads,
    model_sparsity,
    prune_smallest,
    redundant_heads,
    shrink,
    sparsifier,
    sparsity,
)

pytest.importorskip("transformers")


def hand_built(reads, width=4):
    """A block whose heads have one dimension each and read what `reads` says: (heads, 3, width)."""
    n_heads = len(reads)
    linears = [torch.nn.Linear(width, n_heads) for _ in range(3)]
    mix = torch.nn.Linear(n_heads, width)
    for k, linear in enumerate(linears):
        linear.weight.data = torch.tensor([head[k] for head in reads])
    mix.weight.data = torch.arange(1.0, 1 + width * n_heads).reshape(width, n_heads)
    for linear in (*linears, mix):
        linear.register_buffer("alive", torch.ones_like(linear.weight, dtype=torch.bool))
    return Block(*linears, mix, torch.nn.Linear(width, 8), torch.nn.Linear(8, width), n_heads)


def largest_weight(model):
    return max(linear.weight.detach().abs().max() for block in blocks_of(model) for linear in block.linears)


def head(value):
    return [[value] * 4] * 3


def test_of_two_equal_heads_the_later_stays_and_writes_for_both():
    block = hand_built([head(1.0), head(5.0), head(1.0)])
    before = block.mix.weight.clone()
    assert merge_heads(block) == [(0, 2)]
    assert (block.mix.weight[:, 2] == before[:, 0] + before[:, 2]).all()
    assert (block.mix.weight[:, 0] == 0).all()
    assert (block.mix.weight[:, 1] == before[:, 1]).all()
    assert (block.query.weight[0] == 0).all()
    assert (block.query.weight[2] == 1).all()
    assert merge_heads(block) == []  # what is gone is not removed again
    assert active_heads(block) == 2
    assert sparsity((block.query, block.key, block.value, block.mix)) == pytest.approx(1 / 3)


def test_what_a_block_computes_is_the_same_without_its_equal_heads():
    torch.manual_seed(0)
    block = hand_built([head(1.0), head(0.5), head(1.0)])

    def write(x):  # heads of one dimension: the value, mixed
        return block.mix(torch.nn.functional.linear(x, block.value.weight))

    x = torch.randn(5, 4)
    before = write(x)
    merge_heads(block)
    assert torch.allclose(write(x), before, atol=1e-5)


def test_a_head_like_one_that_is_like_more_heads_is_dominated():
    # 0 is like 1, and 1 is like 0 and 2: whatever is like 0 or 2 is like 1 as well
    block = hand_built([head(1.0), head(1.1), head(1.2)])
    before = block.mix.weight.clone()
    assert merge_heads(block, theta=0.15) == [(0, 1), (1, 2)]
    assert torch.equal(block.mix.weight[:, 2], before.sum(dim=1))


def test_heads_that_are_alike_in_a_ring_do_not_dominate_one_another():
    near = torch.eye(4, dtype=torch.bool)
    for i in range(4):
        near[i, (i + 1) % 4] = near[(i + 1) % 4, i] = True
    assert redundant_heads(near, [True] * 4) == []
    assert redundant_heads(torch.eye(3, dtype=torch.bool), [True] * 3) == []
    assert redundant_heads(torch.ones(3, 3, dtype=torch.bool), [True, True, False]) == [(0, 1)]


def test_the_blocks_of_a_bert():
    blocks = blocks_of(load_encoder("tiny").model)
    assert len(blocks) == 4
    assert [tuple(linear.weight.shape) for linear in blocks[0].linears] == [
        *[(32, 32)] * 4,
        (64, 32),
        (32, 64),
    ]
    with pytest.raises(ModelError, match="Linear has no blocks like BERT's"):
        blocks_of(torch.nn.Linear(2, 2))


def test_the_blocks_of_an_mpnet():
    from transformers import MPNetConfig, MPNetForSequenceClassification

    config = MPNetConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
    )
    model = MPNetForSequenceClassification(config)
    for block, layer in zip(blocks_of(model), model.mpnet.encoder.layer, strict=True):
        attention = layer.attention.attn
        assert block.linears == (
            *(attention.q, attention.k, attention.v, attention.o),
            *(layer.intermediate.dense, layer.output.dense),
        )
        assert active_heads(block) == 2
    sparsifier(model, "magnitude", 0.5, FineTuningConfig(steps=1))(model, 0, 0.0)
    assert model_sparsity(model) == pytest.approx(0.5, abs=0.01)


def test_shrinking_stops_at_zero():
    model = load_encoder("tiny").model
    before = blocks_of(model)[0].up.weight.clone()
    shrink(model, l1, 0.01)
    after = blocks_of(model)[0].up.weight
    assert torch.allclose(after.abs(), (before.abs() - 0.01).clamp(min=0))
    assert (after * before >= 0).all()
    shrink(model, l1, 10.0)
    assert model_sparsity(model) == 1.0


def test_a_sparse_neuron_and_a_small_group_shrink_faster():
    model = load_encoder("tiny").model
    block = blocks_of(model)[0]
    with torch.no_grad():
        block.up.weight[0] = 0
        block.up.weight[0, 0] = 0.5
        for linear in (block.query, block.key, block.value):
            linear.weight[:, 0] *= 0.1
    up, query = block.up.weight.clone(), block.query.weight.clone()
    step = sparsifier(model, "neuroprune", 1.0, FineTuningConfig(steps=100))
    step(model, 0, 1e-3)
    shrunk = (up - block.up.weight).detach().abs()
    assert shrunk[0, 0].item() == pytest.approx(32e-3, rel=0.01)  # one connection of 32 is left
    assert shrunk[1].median().item() == pytest.approx(1e-3, rel=0.1)
    shrunk = (query - block.query.weight).detach().abs()
    assert shrunk[:, 0].max() > 2.5 * shrunk[:, 1].max()


@pytest.mark.parametrize("share", [0.25, 0.95])
def test_the_smallest_weights_die_and_stay_dead(share):
    model = load_encoder("tiny").model
    config = FineTuningConfig(steps=30)
    step = sparsifier(model, "magnitude", share, config)
    largest = largest_weight(model)
    for k in range(30):
        step(model, k, config.lr_at(k))
        with torch.no_grad():
            for block in blocks_of(model):
                for linear in block.linears:
                    linear.weight += 1e-3  # as training might
    step(model, 29, 0.0)
    assert model_sparsity(model) == pytest.approx(share, abs=0.01)
    assert largest_weight(model) > largest


@pytest.mark.parametrize("method", ["l1", "neuroprune"])
def test_the_strength_that_is_found_gives_the_sparsity_that_was_asked_for(method):
    model, config = load_encoder("tiny").model, FineTuningConfig(steps=60)
    strength = calibrate_strength(model, method, 0.7, config)
    step = sparsifier(model, method, strength, config, merges=1)
    for k in range(59):  # without the last, which merges heads
        step(model, k, config.lr_at(k))
    assert model_sparsity(model) == pytest.approx(0.7, abs=0.04)


def test_wrong_requests_are_refused():
    model, config = load_encoder("tiny").model, FineTuningConfig()
    with pytest.raises(ValueError, match="no method 'x'; there is neuroprune, l1, magnitude"):
        sparsifier(model, "x", 1.0, config)
    with pytest.raises(ValueError, match=r"target=1\.5 is no share"):
        calibrate_strength(model, "l1", 1.5, config)


def test_pruning_all_but_one():
    model = load_encoder("tiny").model
    sparsifier(model, "magnitude", 0.5, FineTuningConfig())
    prune_smallest(model, 1 - 1e-5)
    assert sum(int(linear.alive.sum()) for b in blocks_of(model) for linear in b.linears) <= 1


@pytest.mark.parametrize("n", [1, 7, 5000])
@pytest.mark.parametrize("order", ["mixed", "sorted"])
def test_the_kth_smallest_size_is_the_same_with_ties_zeros_and_a_sample_that_misleads(n, order):
    sizes = torch.randn(n, generator=torch.Generator().manual_seed(n)).abs().round(decimals=2)
    sizes[: n // 3] = 0
    if order == "sorted":
        sizes = sizes.sort().values
    for k in {1, 2, n // 3, n // 3 + 1, n // 2, n - 1, n} & set(range(1, n + 1)):
        assert _kth_smallest(sizes, k) == sizes.kthvalue(k).values


def test_the_kth_smallest_size_is_found_where_the_sample_shows_other_sizes():
    sizes = torch.rand(2_000_001, generator=torch.Generator().manual_seed(0))
    sizes[::2] = 0.5  # all that a sample of every second sees
    for k in (1, 3, 10, 500_000, 1_990_000):
        assert _kth_smallest(sizes, k) == sizes.kthvalue(k).values
