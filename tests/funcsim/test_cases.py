"""Situations that people who compare layers have met, each with its right outcome."""

import numpy as np
import pytest
import torch
from torch import nn

import funcsim as fs
from funcsim.errors import CaptureError, RepresentationError

transformers = pytest.importorskip("transformers")


def capture(model, batches, *more, **options):
    torch.manual_seed(0)
    return fs.capture(model, batches, *more, progress=False, **options)


def test_01_one_tensor_instead_of_a_list_of_batches():
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    x = torch.randn(100, 8)
    with pytest.raises(CaptureError, match=r"pass \[x\]"):
        capture(model, x)
    assert capture(model, [x]).n_samples == 100
    pictures = torch.randn(20, 3, 8, 8)
    with pytest.raises(CaptureError, match=r"pass \[x\]"):
        capture(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), pictures)


SMALL = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2}
SMALL |= {"intermediate_size": 32}
T5 = {"vocab_size": 60, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 3, "num_heads": 2}
KINDS = {
    "GPT2Model": transformers.GPT2Config(n_layer=3, n_embd=16, n_head=2, vocab_size=60),
    "BertModel": transformers.BertConfig(**SMALL),
    "MPNetModel": transformers.MPNetConfig(**SMALL),
    "LlamaModel": transformers.LlamaConfig(**SMALL, num_key_value_heads=2),
    "DistilBertModel": transformers.DistilBertConfig(
        vocab_size=60, dim=16, n_layers=3, n_heads=2, hidden_dim=32
    ),
    "T5EncoderModel": transformers.T5Config(**T5),
}


@pytest.mark.parametrize("kind", KINDS)
def test_02_no_layers_are_named(kind):
    ids = torch.randint(5, 50, (24, 12))
    batches = [{"input_ids": part, "attention_mask": torch.ones_like(part)} for part in ids.split(8)]
    reps = capture(getattr(transformers, kind)(KINDS[kind]), batches, pool="mean")
    assert (len(reps), reps.n_samples) == (3, 24)
    assert {layer.shape[1] for layer in reps.values()} == {16}


def test_05_the_mask_of_the_decoder_for_the_decoder():
    model = transformers.T5Model(transformers.T5Config(**T5)).eval()
    ids = torch.randint(5, 60, (4, 10))
    masks = torch.ones(2, 4, 10).long()
    masks[0, :, 7:], masks[1, :, 3:] = 0, 0
    batch = {"input_ids": ids, "attention_mask": masks[0]}
    batch |= {"decoder_input_ids": ids, "decoder_attention_mask": masks[1]}
    every = capture(model, [batch], "decoder.block.2")["decoder.block.2"].reshape(4, 10, 16)
    pooled = capture(model, [batch], "decoder.block.2", "mean")["decoder.block.2"]
    assert np.allclose(pooled, every[:, :3].mean(1), atol=1e-6)
    every = capture(model, [batch], "encoder.block.2")["encoder.block.2"].reshape(4, 10, 16)
    pooled = capture(model, [batch], "encoder.block.2", "mean")["encoder.block.2"]
    assert np.allclose(pooled, every[:, :7].mean(1), atol=1e-6)


def test_08_a_network_that_runs_on_each_half_of_a_batch():
    class Halves(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(8, 16), nn.ReLU())

        def forward(self, x):
            return torch.cat([self.inner(half) for half in x.chunk(2)])

    with pytest.raises(
        CaptureError, match=r"'inner.*' gives 16 rows for a batch of 32 samples: it ran several"
    ):
        capture(Halves(), [torch.randn(32, 8)])


def test_10_time_comes_before_samples():
    lstm = nn.Sequential(nn.LSTM(4, 6))
    for pool in (None, "last"):
        with pytest.raises(CaptureError, match="'0' gives 7 rows for a batch of 10 samples"):
            capture(lstm, [torch.randn(7, 10, 4)], "0", pool)


def test_10b_a_packed_sequence():
    lstm = nn.LSTM(4, 6, batch_first=True)
    texts = [torch.randn(n, 4) for n in (3, 6, 1)]
    packed = nn.utils.rnn.pack_sequence(texts, enforce_sorted=False)
    out = capture(nn.Sequential(lstm), [packed], "0", "last")["0"]
    with torch.no_grad():
        assert np.allclose(out, torch.cat([lstm(x[None])[0][:, -1] for x in texts]), atol=1e-6)


def test_11_a_mean_over_257_tokens_in_low_precision():
    model = nn.Sequential(nn.Identity(), nn.Linear(2, 2)).bfloat16()
    assert (capture(model, [torch.ones(3, 257, 2)], "0", "mean")["0"] == 1).all()


def test_13_pictures_of_two_sizes():
    model = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU())
    pictures = [torch.randn(2, 3, 16, 16), torch.randn(2, 3, 24, 20)]
    with pytest.raises(CaptureError, match="pass pool='mean'"):
        capture(model, pictures)
    out = capture(model, pictures, pool="mean")["1"]
    with torch.no_grad():
        assert np.allclose(out, torch.cat([model(x).mean((2, 3)) for x in pictures]), atol=1e-6)


def test_17_a_device_or_weights_that_are_not_there():
    model, x = nn.Sequential(nn.Linear(4, 4)), torch.randn(3, 4)
    if not torch.cuda.is_available():
        with pytest.raises(CaptureError, match="device='cuda' cannot be used here"):
            capture(model, [x], device="cuda")
    with pytest.raises(CaptureError, match=r"meta device, first '0.weight'; load the weights"):
        capture(model.to("meta"), [x])


@pytest.mark.parametrize("size", [7e4, 1e-7])
def test_24_half_precision_of_large_and_of_small_values(rng, tmp_path, size):
    saved = fs.Representations({"a": size * rng.normal(size=(20, 4)), "b": rng.normal(size=(20, 4))})
    saved.save(tmp_path / "half", half=True)
    read = fs.Representations.load(tmp_path / "half")
    assert np.allclose(read["a"], saved["a"], rtol=1e-3, atol=1e-3 * size)
    between = fs.compare(saved, read, measure="rsm", progress=False)
    assert np.abs(np.diag(between.values)).max() < 1e-2
    wide = np.zeros((4, 2))
    wide[:2, 0], wide[2:, 1] = [1e30, -1e30], [1, -1]
    with pytest.raises(RepresentationError, match="too many decades"):
        fs.Representations({"a": wide}).save(tmp_path / "wide", half=True)
    assert not (tmp_path / "wide").exists()


def test_27_a_layer_that_is_active_for_3_of_40_samples(rng):
    layers = {name: rng.normal(size=(40, 3)) for name in ("a", "b", "c")}
    layers["b"][3:] = 0
    with pytest.warns(UserWarning, match=r"of 30 halves were left out; in the first layer 'b' is degenerate"):
        found = fs.intervals(fs.Representations(layers), measure="rsm", n_draws=30, progress=False)
    assert 2 <= found.n_draws < 30
    assert np.isfinite(found.low).all()
