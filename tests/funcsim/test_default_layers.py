"""Which layers are captured when nobody says, in the library and in the command alike."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import funcsim as fs
from funcsim._layers import default_layers
from funcsim.errors import LayerSelectionError

transformers = pytest.importorskip("transformers")
IDS = torch.randint(5, 50, (6, 7), generator=torch.Generator().manual_seed(0))
TEXT = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}
PIXELS = {"pixel_values": torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))}
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
T5 = {"vocab_size": 60, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}


def model_of(name, **config):
    torch.manual_seed(0)
    return getattr(transformers, f"{name}Model")(getattr(transformers, f"{name}Config")(**config))


MODELS = {
    "GPT2": (lambda: model_of("GPT2", n_layer=2, n_embd=16, n_head=2, vocab_size=60), TEXT, ["h"]),
    "BERT": (lambda: model_of("Bert", vocab_size=60, **SMALL), TEXT, ["encoder.layer"]),
    "MPNet": (lambda: model_of("MPNet", vocab_size=60, **SMALL), TEXT, ["encoder.layer"]),
    "Llama": (lambda: model_of("Llama", vocab_size=60, num_key_value_heads=2, **SMALL), TEXT, ["layers"]),
    "DistilBERT": (
        lambda: model_of("DistilBert", vocab_size=60, dim=16, n_layers=2, n_heads=2, hidden_dim=32),
        TEXT,
        ["transformer.layer"],
    ),
    "T5": (
        lambda: model_of("T5", **T5),
        TEXT | {"decoder_input_ids": IDS},
        ["encoder.block", "decoder.block"],
    ),
    "ViT": (lambda: model_of("ViT", image_size=16, patch_size=8, **SMALL), PIXELS, None),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("pool", [None, "mean"])
def test_the_blocks_of_a_transformer(name, pool):
    build, batch, lists = MODELS[name]
    model = build()
    reps = fs.capture(model, [batch, batch], pool=pool, progress=False)
    assert list(reps) == default_layers(model, batch)
    assert len(reps) == 2 * len(lists or ["the list changed its name between versions of transformers"])
    assert reps.n_samples == 12
    if lists:
        assert list(reps) == [f"{blocks}.{k}" for blocks in lists for k in range(2)]


def test_a_plain_sequence():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    x = torch.randn(6, 4)
    assert list(fs.capture(model, [x], progress=False)) == default_layers(model, x) == ["0", "1", "2"]


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attend, self.out = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(4, 2)
        self.spare = nn.Linear(4, 2)

    def forward(self, x):
        return self.out(self.attend(x, x, x)[0])


def test_an_attention_in_one_kernel_is_a_layer_and_what_never_runs_is_named():
    with pytest.warns(
        UserWarning, match=r"'attend.out_proj' \(inside 'attend', which is captured\), 'spare'"
    ):
        reps = fs.capture(Attention(), [torch.randn(6, 5, 4)], progress=False)
    assert list(reps) == ["attend", "out"]


def test_a_pattern_that_also_matches_what_never_runs_says_so():
    with pytest.warns(UserWarning, match="never called by themselves, and so no layers: 'spare'"):
        reps = fs.capture(Attention(), [torch.randn(6, 5, 4)], "*", progress=False)
    assert list(reps) == ["attend", "out"]


def test_layers_in_whole_numbers():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    with pytest.warns(DeprecationWarning, match="quantization"):
        small = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    reps = fs.capture(small, [torch.randn(6, 4)], progress=False)
    assert list(reps) == ["0", "1", "2"]


def test_what_computes_a_weight_is_no_layer():
    norm = parametrizations.weight_norm
    model = nn.Sequential(norm(nn.Linear(4, 4)), nn.ReLU(), norm(nn.Linear(4, 2)))
    assert list(fs.capture(model, [torch.randn(6, 4)], progress=False)) == ["0", "1", "2"]


def test_a_model_whose_parts_never_run():
    class Bare(nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = nn.Linear(3, 3)

        def forward(self, x):
            return x @ self.weights.weight

    with pytest.raises(LayerSelectionError, match="none of them was called"):
        fs.capture(Bare(), [torch.randn(6, 3)], progress=False)


@pytest.mark.parametrize(
    "layers", [[0], [None], ["0", 2], 0, b"0", nn.Sequential(nn.ReLU()), nn.Linear(1, 1)]
)
def test_layers_are_named_by_words(layers):
    with pytest.raises(LayerSelectionError, match="chosen by name"):
        fs.capture(nn.Sequential(nn.Linear(3, 3)), [torch.randn(6, 3)], layers, progress=False)


@pytest.mark.parametrize("make", [iter, tuple, set, lambda names: dict.fromkeys(names)])
def test_names_may_come_in_any_collection(make):
    reps = fs.capture(
        nn.Sequential(nn.Linear(3, 3), nn.ReLU()), [torch.randn(6, 3)], make(["0", "1"]), progress=False
    )
    assert list(reps) == ["0", "1"]
