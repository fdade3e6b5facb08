"""Making an encoder sparse while it is fine-tuned (section 5.2, appendix C): NeuroPrune, and two controls.

NeuroPrune (Dhurandhar et al., 2024) has three parts: a weighted l1 on the weights of the MLP,
stronger for neurons that are sparse already; a group penalty on queries, keys and values, a group
being all weights that read one input dimension; and the merging of redundant heads. There is no
public code; this follows its description. The controls are plain l1 and magnitude pruning.

Penalties shrink the weights after each step, by the learning rate times the penalty's gradient and
never beyond zero, as AdamW does with weight decay. As part of the loss they would be divided away:
Adam's steps are equally long whatever the size of the gradient.

Taught in chapter 09.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from funcsim.errors import ModelError
from replication.training.fine_tuning import FineTuningConfig, StepCallback

Method = Literal["neuroprune", "l1", "magnitude"]
METHODS = ("neuroprune", "l1", "magnitude")
EPS = 1e-4  # a weight that is smaller counts as zero
THETA = 0.15  # heads whose weights differ by no more are redundant

#: How fast the weights of each matrix of a block decay, at learning rate 1 and strength 1.
DecayRates = Callable[["Block"], list[Tensor]]


@dataclass(frozen=True)
class Block:
    """The weight matrices (outputs, inputs) of one transformer block, and its number of heads."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    mix: nn.Linear
    up: nn.Linear
    down: nn.Linear
    n_heads: int

    @property
    def linears(self) -> tuple[nn.Linear, ...]:
        return (self.query, self.key, self.value, self.mix, self.up, self.down)


def blocks_of(model: nn.Module) -> list[Block]:
    """The blocks of a BERT or an MPNet.

    Raises
    ------
    ModelError
        If the model is of another make.
    """
    blocks = []
    for name, module in model.named_modules():
        if name.rsplit(".", 1)[-1].isdigit() and hasattr(module, "intermediate"):
            attention = module.attention
            if hasattr(attention, "attn"):  # MPNet's
                parts = [getattr(attention.attn, letter) for letter in "qkvo"]
            else:
                of = attention.self
                parts = [of.query, of.key, of.value, attention.output.dense]
            heads = model.config.num_attention_heads
            blocks.append(Block(*parts, module.intermediate.dense, module.output.dense, heads))
    if not blocks:
        raise ModelError(f"{type(model).__name__} has no blocks like BERT's, whose weights could be pruned")
    return blocks


def model_sparsity(model: nn.Module) -> float:
    """Share of the weights of attention and MLP that count as zero."""
    return sparsity(_linears(model))


def sparsity(linears: Sequence[nn.Linear]) -> float:
    """The same of some matrices."""
    weights = [linear.weight for linear in linears]
    return sum(int((w.abs() < EPS).sum()) for w in weights) / sum(w.numel() for w in weights)


def active_heads(block: Block) -> int:
    """How many heads of a block write anything into the stream."""
    heads = block.mix.weight.abs().unflatten(1, (block.n_heads, -1))
    return int((heads >= EPS).any(dim=(0, 2)).sum())


# ---- what happens after a step ----


def sparsifier(
    model: nn.Module, method: Method, strength: float, config: FineTuningConfig, merges: int = 3
) -> StepCallback:
    """What to do after every step of a fine-tuning so that `model` becomes sparse.

    Parameters
    ----------
    model : nn.Module
        A BERT, before it is fine-tuned. Each matrix gets a buffer `alive`, which says of its weights
        which may still be other than zero.
    method : {"neuroprune", "l1", "magnitude"}
    strength : float
        Of the penalty; for "magnitude" the sparsity to be reached, between 0 and 1.
    config : FineTuningConfig
    merges : int
        How often "neuroprune" looks for redundant heads, the last time after the last step.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}; there is {', '.join(METHODS)}")
    for linear in _linears(model):
        linear.register_buffer("alive", torch.ones_like(linear.weight, dtype=torch.bool))
    every = -(-config.steps // merges)
    decay_rates = l1 if method == "l1" else _neuroprune(model)

    @torch.no_grad()
    def after_step(model: nn.Module, step: int, lr: float) -> None:
        if method == "magnitude":
            prune_smallest(model, strength * _share_at(step, config.steps))
        else:
            shrink(model, decay_rates, lr * strength)
        last = step + 1 == config.steps
        if method == "neuroprune" and (last or (step + 1) % every == 0):
            for block in blocks_of(model):
                merge_heads(block)
        for linear in _linears(model):
            linear.weight *= linear.alive
            if last:
                linear.weight[linear.weight.abs() < EPS] = 0

    return after_step


@torch.no_grad()
def shrink(model: nn.Module, decay_rates: DecayRates, amount: float) -> None:
    """Bring every weight nearer to zero, by its decay rate times `amount`, and not beyond."""
    for block in blocks_of(model):
        for linear, rate in zip(block.linears, decay_rates(block), strict=True):
            w = linear.weight
            w.copy_(w.sign() * (w.abs() - amount * rate).clamp(min=0))


def l1(block: Block) -> list[Tensor]:
    """How fast weights decay under the l1 norm: all equally."""
    return [torch.ones_like(linear.weight) for linear in block.linears]


def _neuroprune(model: nn.Module) -> DecayRates:
    """How fast weights shrink under the penalties of NeuroPrune.

    A row of the MLP's matrices is a neuron, and shrinks the faster the fewer connections it has:
    by one over the share of its weights that are not zero. A group of the attention is a column of
    queries, keys and values together, and shrinks by the gradient of the square root of its l1
    norm, in units of the mean of that over all groups at the start, so that one strength serves
    both. The matrix that mixes the heads, of which the description says nothing, goes with the MLP.
    """

    def by_group(block: Block) -> Tensor:
        size = sum(linear.weight.abs().sum(dim=0) for linear in (block.query, block.key, block.value))
        return size.clamp(min=EPS).rsqrt()

    with torch.no_grad():
        unit = torch.stack([by_group(block) for block in blocks_of(model)]).mean()

    def decay_rates(block: Block) -> list[Tensor]:
        group = by_group(block) / unit.to(block.query.weight.device)
        rates = [group.expand_as(block.query.weight)] * 3
        for linear in (block.mix, block.up, block.down):
            connected = (linear.weight.abs() >= EPS).float().mean(dim=1, keepdim=True)
            rates.append((1 / connected.clamp(min=1 / linear.in_features)).expand_as(linear.weight))
        return rates

    return decay_rates


@torch.no_grad()
def prune_smallest(model: nn.Module, share: float) -> None:
    """Let the smallest weights die, of all matrices together, until `share` of them are dead."""
    linears = _linears(model)
    sizes = torch.cat([(linear.weight.abs() * linear.alive).flatten() for linear in linears])
    n_dead = int(share * len(sizes))
    if n_dead > 0:
        limit = _kth_smallest(sizes, n_dead)
        for linear in linears:
            linear.alive &= linear.weight.abs() > limit


def _kth_smallest(sizes: Tensor, k: int) -> Tensor:
    """As `sizes.kthvalue(k).values`, of sizes that are not negative, and mostly faster.

    A sample says between which sizes it lies, and only those are sorted. Many are zero in a sparse network.
    """
    if k <= len(sizes) - int(sizes.count_nonzero()):
        return sizes.new_zeros(())
    sample = sizes[:: max(len(sizes) // 1_000_000, 1)].sort().values
    at, margin = k / len(sizes) * len(sample), 5 * len(sample) ** 0.5
    low = sample[max(int(at - margin), 0)]
    high = sample[min(int(at + margin) + 1, len(sample) - 1)]
    below = int((sizes < low).sum())
    between = sizes[(sizes >= low) & (sizes <= high)]
    if below < k <= below + len(between):
        return between.kthvalue(k - below).values
    return sizes.kthvalue(k).values


def _share_at(step: int, steps: int) -> float:
    """Quickly at first, then slowly, and done after two thirds, so that the rest is re-training."""
    done = min((step + 1) / (steps * 2 / 3), 1.0)
    return 1 - (1 - done) ** 3


# ---- redundant heads ----


@torch.no_grad()
def merge_heads(block: Block, theta: float = THETA) -> list[tuple[int, int]]:
    """Remove heads that another stands for, which takes over what they write.

    Returns
    -------
    list of (removed, kept)
    """
    rows = [block.query.out_features // block.n_heads * h for h in range(block.n_heads + 1)]
    heads = [slice(a, b) for a, b in itertools.pairwise(rows)]
    reads = torch.stack(
        [torch.cat([part.weight[head] for part in (block.query, block.key, block.value)]) for head in heads]
    )
    alive = [bool(block.value.alive[head].any()) for head in heads]
    flat = reads.flatten(1)
    similar = torch.stack([(flat - one).abs().amax(dim=1) <= theta for one in flat])
    merged = redundant_heads(similar.cpu(), alive)
    for removed, kept in merged:
        block.mix.weight[:, heads[kept]] += block.mix.weight[:, heads[removed]]
        block.mix.alive[:, heads[removed]] = False
        for part in (block.query, block.key, block.value):
            part.alive[heads[removed]] = False
    for linear in (block.query, block.key, block.value, block.mix):
        linear.weight *= linear.alive
    return merged


def redundant_heads(similar: Tensor, alive: Sequence[bool]) -> list[tuple[int, int]]:
    """Which heads can go, and which one stands for each: an approximate minimum dominating set.

    A head dominates another if they are similar and whatever is similar to the other is similar to
    it as well. Of two that dominate one another the later stays.

    Parameters
    ----------
    similar : boolean tensor, shape (H, H)
    alive : sequence of bool
        Heads that were removed before take no part.
    """
    left = {h for h, here in enumerate(alive) if here}
    pairs = []
    for i in sorted(left):
        near = {k for k in left if similar[i, k]}
        for j in sorted(near - {i}, reverse=True):
            also = {k for k in left if similar[j, k]}
            if near < also or (near == also and j > i):
                pairs.append((i, j))
                left.remove(i)
                break
    return pairs


# ---- how strong a penalty must be ----


def calibrate_strength(model: nn.Module, method: Method, target: float, config: FineTuningConfig) -> float:
    """The strength with which the penalty alone, without a task, would make `target` of the weights zero.

    Found by bisection. The task pulls some weights back, so what is reached is somewhat less.

    Raises
    ------
    ValueError
        If `target` is not between 0 and 1.
    """
    if not 0 < target < 1:
        raise ValueError(f"target={target} is no share; it must be between 0 and 1")
    if method == "magnitude":
        return target
    path = sum(config.lr_at(step) for step in range(config.steps))
    low, high = 1e-3, 1e3
    for _ in range(14):
        middle = (low * high) ** 0.5
        trial = copy.deepcopy(model)
        decay_rates = l1 if method == "l1" else _neuroprune(trial)
        for _ in range(30):
            shrink(trial, decay_rates, middle * path / 30)
        low, high = (low, middle) if model_sparsity(trial) > target else (middle, high)
    return (low * high) ** 0.5


def _linears(model: nn.Module) -> list[nn.Linear]:
    return [linear for block in blocks_of(model) for linear in block.linears]
