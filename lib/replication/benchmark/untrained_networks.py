"""Maps of networks that have learned nothing: every boundary found in them is a false alarm (claim C36)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache

import torch
from torch import nn
from transformers import BertConfig, BertModel, GPT2Config, GPT2Model, LlamaConfig, LlamaModel

import funcsim as fs
from replication.data.modular_addition import all_pairs
from replication.modular_addition.plans import KNOWN_BOUNDARIES

WIDTH, HEADS, VOCABULARY = 128, 4, 512
N_TEXTS, N_TOKENS = 60, 16
#: By architecture: the modules at the ends of blocks, and those after attention.
POINTS = {
    "BERT": ("encoder.layer.*", "encoder.layer.*.attention.output"),
    "GPT-2": ("h.*", "h.*.ln_2"),
    "Llama": ("layers.*", "layers.*.post_attention_layernorm"),
}
CHAINS = ("3", "4")  # one function, three or four blocks: nothing is handed over inside


def network(kind: str, n_blocks: int, seed: int) -> nn.Module:
    """A network of an architecture of :data:`POINTS` with its own random weights."""
    torch.manual_seed(seed)
    if kind == "BERT":
        shape = {"hidden_size": WIDTH, "intermediate_size": 4 * WIDTH, "num_attention_heads": HEADS}
        return BertModel(BertConfig(vocab_size=VOCABULARY, num_hidden_layers=n_blocks, **shape)).eval()
    if kind == "GPT-2":
        ends = {"bos_token_id": None, "eos_token_id": None}  # the usual ones are beyond this vocabulary
        config = GPT2Config(vocab_size=VOCABULARY, n_layer=n_blocks, n_embd=WIDTH, n_head=HEADS, **ends)
        return GPT2Model(config).eval()
    shape = {"hidden_size": WIDTH, "intermediate_size": 3 * WIDTH, "num_attention_heads": HEADS}
    return LlamaModel(LlamaConfig(vocab_size=VOCABULARY, num_hidden_layers=n_blocks, **shape)).eval()


@cache
def representations(kind: str, n_blocks: int, seed: int, pool: str, points: str) -> fs.Representations:
    """Layers of such a network on random tokens, at block ends or after attention too."""
    tokens = torch.randint(VOCABULARY, (N_TEXTS, N_TOKENS), generator=torch.Generator().manual_seed(seed))
    ends, middle = POINTS[kind]
    layers = [ends] if points == "ends" else [ends, middle]
    with torch.random.fork_rng():
        model = network(kind, n_blocks, seed)
    batch = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    return fs.capture(model, [batch], layers=layers, pool=pool, progress=False)


def transformer_maps(
    n_blocks: int, n_seeds: int, measure: str, points: str
) -> Iterator[tuple[str, fs.LayerMap]]:
    """Maps of all architectures and poolings."""
    for kind in POINTS:
        for pool in ("mean", "cls" if kind == "BERT" else "last"):
            for seed in range(n_seeds):
                reps = representations(kind, n_blocks, seed, pool, points)
                yield f"{kind}, {pool}", fs.compare(reps, measure=measure, jobs=1, progress=False)


def chain_maps(n_seeds: int, measure: str, points: str) -> Iterator[tuple[str, fs.LayerMap]]:
    """Maps of the chains of one function before training, at the last position."""
    for name in CHAINS:
        for seed in range(n_seeds):
            plan = KNOWN_BOUNDARIES[name]
            with torch.random.fork_rng():
                model = plan.network(seed).eval()
            pairs = all_pairs(plan.p)
            reps = fs.capture(model, [pairs], pool="last", progress=False)
            names = [n for n in reps.names if "resid" in n and not _is_repeated(n)]
            if points == "ends":
                names = [n for n in names if not n.endswith("resid_mid")]
            chosen = reps.select(names).subsample(min(100, reps.n_samples), seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                yield f"chain {name}", fs.compare(chosen, measure=measure, jobs=1, progress=False)


def _is_repeated(name: str) -> bool:
    """Whether a layer is the same tensor as the end of the block before it."""
    return name.endswith("resid_pre") and ".blocks.0." not in name
