"""The decoder of claims C33 and C36: a small one that is trained here, or one of the hub.

Taught in chapter 13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from funcsim.errors import ModelError
from funcsim.hub import find_model, origin_of, quiet


@dataclass(frozen=True)
class Sizes:
    """Of a decoder built like GPT-2: blocks, width, heads, byte pairs, and tokens of a window."""

    n_blocks: int = 12
    width: int = 192
    heads: int = 6
    vocabulary: int = 4096
    window: int = 128


@dataclass(frozen=True)
class Decoder:
    """A language model and its tokenizer.

    Attributes
    ----------
    model : nn.Module
        From token ids to logits (n, tokens, vocabulary).
    tokenizer
        Of transformers.
    origin : str
        In a line, what it is.
    """

    model: nn.Module
    tokenizer: Any
    origin: str

    @property
    def blocks(self) -> str:
        """The name of the list of transformer blocks in the model.

        Raises
        ------
        ModelError
            If there is none.
        """
        for name, module in self.model.named_modules():
            if isinstance(module, nn.ModuleList) and len(module) == self.n_blocks:
                return name
        raise ModelError(f"{self.origin} has no list of {self.n_blocks} blocks")

    @property
    def n_blocks(self) -> int:
        return int(self.model.config.num_hidden_layers)


def untrained(sizes: Sizes, tokenizer: Any, seed: int) -> Decoder:
    """A decoder with random weights; without dropout, because it sees each text once or twice."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=sizes.vocabulary,
        n_positions=sizes.window,
        n_embd=sizes.width,
        n_layer=sizes.n_blocks,
        n_head=sizes.heads,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        activation_function="gelu_pytorch_tanh",  # GPT-2's own, in one operation
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        use_cache=False,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GPT2LMHeadModel(config)
    return Decoder(model.eval(), tokenizer, "a small decoder, trained here")


def load_decoder(name: str) -> Decoder:
    """A pre-trained decoder: a folder, or on the hub ``owner/model@revision``.

    Raises
    ------
    ModelError
        If it is nowhere to be found, or has no safetensors weights.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place, options = find_model(name)
    with quiet():
        try:
            tokenizer = AutoTokenizer.from_pretrained(place, trust_remote_code=False, **options)
            model = AutoModelForCausalLM.from_pretrained(
                place, use_safetensors=True, trust_remote_code=False, **options
            )
        except (OSError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            raise ModelError(f"{name} could not be loaded from {place}: {first}") from error
    model.config.use_cache = False
    return Decoder(model.eval(), tokenizer, origin_of(place, options))


def token_losses(logits: Tensor, ids: Tensor) -> Tensor:
    """Cross-entropy in nats of every token but the first (n, tokens - 1), given those before it."""
    predicted = logits[:, :-1].float().flatten(0, 1)
    losses = nn.functional.cross_entropy(predicted, ids[:, 1:].flatten(), reduction="none")
    return losses.unflatten(0, (len(ids), -1))
