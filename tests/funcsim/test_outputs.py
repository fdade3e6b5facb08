"""What comes out of a module, and the state in which a model is run and left."""

import copy
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

import funcsim as fs
from funcsim.errors import CaptureError

transformers = pytest.importorskip("transformers")
X = torch.randn(6, 5, 4, generator=torch.Generator().manual_seed(0))


def capture(model, batches, *more, **options):
    return fs.capture(model, batches, *more, progress=False, **options)


@dataclass
class Said:
    loss: Any = None
    logits: Any = None


Pair = namedtuple("Pair", "score hidden")


class Returning(nn.Module):
    """Holds a part that returns something made of x."""

    class Part(nn.Module):
        def __init__(self, make):
            super().__init__()
            self.make = make

        def forward(self, x):
            return self.make(x)

    def __init__(self, make):
        super().__init__()
        self.part = self.Part(make)

    def forward(self, x):
        self.part(x)
        return x


OUTPUTS = {
    "dataclass": lambda x: Said(loss=x.mean(), logits=x),
    "nested pair": lambda x: ((torch.tensor(1.0), (x, x * 2)), None),
    "named pair": lambda x: Pair(x.sum(), x),
    "dict with another tensor first": lambda x: {"router": torch.ones(7, 3), "out": x},
    "dict with ids first": lambda x: {"ids": torch.arange(6), "out": x},
    "dict with a known key": lambda x: {"other": x * 0, "last_hidden_state": x},
    "all hidden states": lambda x: {"attentions": x[:, :2], "hidden_states": (x * 0, x * 0, x)},
    "list": lambda x: [torch.ones(3), x],
    "sparse": lambda x: x.to_sparse(),
    "quantised": lambda x: torch.quantize_per_tensor(x, 0.001, 0, torch.qint32),
    "dict in a dict": lambda x: {"a": {"b": [None, x]}},
}


@pytest.mark.parametrize("kind", OUTPUTS)
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_outputs_of_all_makes(kind):
    out = capture(Returning(OUTPUTS[kind]), [X, X[:3]], "part")["part"]
    assert np.allclose(out, torch.cat([X, X[:3]]).flatten(1), atol=1e-3)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda x: x * 1j, "'part' returns complex numbers"),
        (lambda x: {"a": x * 1j}, "'part' returns complex numbers"),
        (lambda x: None, "'part' returns NoneType, which holds no tensor"),
        (lambda x: Said(), "'part' returns Said, which holds no tensor"),
        (lambda x: x.sum(), "'part' returns a single number"),
        (lambda x: {"a": torch.ones(7, 3)}, "'part' gives 7 rows for a batch of 6 samples"),
        (lambda x: (), "'part' returns tuple, which holds no tensor"),
        (lambda x: x[:0], "'part' gives 0 rows for a batch of 6 samples"),
        (lambda x: x.to("meta"), "'part' returns a tensor on the meta device"),
    ],
)
def test_outputs_that_are_no_representation(make, says):
    with pytest.raises(CaptureError, match=says):
        capture(Returning(make), [X], "part")


def test_an_output_without_features_is_named():
    with pytest.raises(ValueError, match=r"'part' has shape \(6, 0\)"):
        capture(Returning(lambda x: x[..., :0]), [X], "part")


class Packing(nn.Module):
    """Packs what it is given, as tutorials do."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.lstm = nn.LSTM(4, 3, batch_first=True, bidirectional=True)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return self.lstm(packed)[1][0]


LENGTHS = torch.tensor([2, 5, 1, 4, 3, 5])


@pytest.mark.parametrize("packed_by", ["model", "reader"])
@pytest.mark.parametrize("pool", ["mean", "last", "cls"])
def test_packed_sequences_give_each_sample_its_own_steps(packed_by, pool):
    model = Packing()
    with torch.no_grad():
        each = [model.lstm(x[None, :n])[0][0] for x, n in zip(X, LENGTHS, strict=True)]
    if packed_by == "model":
        out = capture(model, [(X, LENGTHS)], "lstm", pool)["lstm"]
    else:
        packed = pack_sequence([x[:n] for x, n in zip(X, LENGTHS, strict=True)], enforce_sorted=False)
        out = capture(nn.Sequential(model.lstm), [packed], "0", pool)["0"]
    of = {"mean": lambda y: y.mean(0), "last": lambda y: y[-1], "cls": lambda y: y[0]}[pool]
    assert np.allclose(out, torch.stack([of(y) for y in each]), atol=1e-6)


def test_packed_sequences_without_a_pool():
    with pytest.raises(CaptureError, match="'lstm' gives samples of several lengths; pass pool='mean'"):
        capture(Packing(), [(X, LENGTHS)], "lstm")


class TimeFirst(nn.Module):
    def __init__(self, layer, turn=False):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.head, self.turn = layer, nn.Linear(4, 2), turn

    def forward(self, x):
        out = self.layer(x.transpose(0, 1) if self.turn else x)
        return self.head(out[0] if isinstance(out, tuple) else out)


@pytest.mark.parametrize("steps", [7, 10])
@pytest.mark.parametrize("pool", [None, "mean", "last", "cls"])
@pytest.mark.parametrize(
    "layer",
    [nn.LSTM(4, 4), nn.GRU(4, 4), nn.RNN(4, 4), nn.TransformerEncoderLayer(4, 2, 8)],
    ids=lambda layer: type(layer).__name__,
)
def test_time_before_samples_is_refused(steps, pool, layer):
    x = torch.randn(steps, 10, 4)
    with pytest.raises(CaptureError, match=f"'layer' gives {steps} rows for a batch of 10 samples"):
        capture(TimeFirst(layer), [x], "layer", pool)
    with pytest.raises(CaptureError, match=f"'layer' gives {steps} rows for a batch of 10 samples"):
        capture(TimeFirst(layer, turn=True), [x.transpose(0, 1)], "layer", pool)
    last = capture(TimeFirst(layer), [x], "layer", lambda y: y[-1])["layer"]
    assert last.shape == (10, 4)


def test_layers_after_a_time_first_one_are_refused_too():
    with pytest.raises(CaptureError, match="'head' gives 7 rows for a batch of 10 samples"):
        capture(TimeFirst(nn.LSTM(4, 4)), [torch.randn(7, 10, 4)], "head")


# The state of the model.


@pytest.fixture
def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


@pytest.mark.parametrize("device", ["cuda", "nope", "gpu0", "cuda:99", "mps", 7.5, "meta"])
def test_a_device_that_is_not_there(mlp, device):
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has one")
    before = {name: t.clone() for name, t in mlp.state_dict().items()}
    mlp.train()
    with pytest.raises(CaptureError, match=f"device='?{device}'?.*(cannot be used|holds no values)"):
        capture(mlp, [X[:, 0]], device=device)
    assert all(torch.equal(t, before[name]) for name, t in mlp.state_dict().items())
    assert mlp.training


@pytest.mark.parametrize("part", [None, "2"])
def test_weights_without_values_are_named(mlp, part):
    target = mlp if part is None else mlp[2]
    target.to("meta")
    first = "0.weight" if part is None else "2.weight"
    with pytest.raises(CaptureError, match=f"of 4 weights have no values.*{first}"):
        capture(mlp, [X[:, 0]])


def test_a_batch_without_values(mlp):
    with pytest.raises(CaptureError, match="tensor on the meta device"):
        capture(mlp, [X[:, 0].to("meta")])


def gpt2():
    torch.manual_seed(0)
    config = transformers.GPT2Config(n_layer=2, n_embd=16, n_head=2, vocab_size=60, n_positions=32)
    return transformers.GPT2Model(config).eval()


def test_a_batch_that_carries_a_cache_gives_the_same_answer_twice():
    model = gpt2()
    ids = torch.randint(0, 60, (3, 5), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        cache = model(ids[:, :3], use_cache=True).past_key_values
        expected = model(ids).last_hidden_state[:, 3:]
    length = cache.get_seq_length()
    batch = {"input_ids": ids[:, 3:], "past_key_values": cache}
    first = capture(model, [batch], ["h.*", "ln_f"])
    second = capture(model, [batch, batch], ["h.*", "ln_f"])
    assert cache.get_seq_length() == length
    assert np.allclose(first["ln_f"], expected.flatten(1), atol=1e-5)
    assert all((np.concatenate([first[name]] * 2) == second[name]).all() for name in first)


def test_labels_in_place_of_a_cache_are_named():
    ids = torch.randint(0, 60, (3, 5))
    with pytest.raises(CaptureError, match="'past_key_values', where a cache belongs"):
        capture(gpt2(), [(ids, torch.ones(3))])


def test_what_cannot_be_copied_is_refused(mlp):
    class Stubborn:
        def __deepcopy__(self, memo):
            raise TypeError("I am one of a kind")

    with pytest.raises(CaptureError, match="Stubborn that cannot be copied"):
        capture(mlp, [(X, Stubborn())])


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.register_buffer("calls", torch.zeros(1))
        self.register_buffer("last", None)

    def forward(self, x):
        self.calls += 1
        self.last = self.layer(x) + self.calls
        return self.last


def test_what_a_model_remembers_is_put_back():
    model = Counting()
    first = capture(model, [X[:, 0]], "layer")
    assert model.calls == 0
    assert model.last is None
    assert (first["layer"] == capture(model, [X[:, 0]], "layer")["layer"]).all()
    held = model.calls
    capture(model, [X[:, 0]])
    assert model.calls is held


@pytest.mark.parametrize("how", ["whole", "in place", "part"])
def test_compiled_models_are_captured_part_by_part(mlp, how):
    expected = capture(mlp, [X[:, 0]])
    compiled = mlp
    if how == "whole":
        compiled = torch.compile(mlp, backend="eager")
    elif how == "in place":
        compiled.compile(backend="eager")
    else:
        block = nn.Sequential(torch.compile(nn.Sequential(mlp[0], mlp[1]), backend="eager"), mlp[2])
        block(X[:, 0])
        reps = capture(block, [X[:, 0]])
        assert list(reps) == ["0.0", "0.1", "1"]
        assert np.allclose(reps["1"], expected["2"], atol=1e-6)
        return
    compiled(X[:, 0])  # what ran before is compiled without hooks
    reps = capture(compiled, [X[:, 0]])
    assert list(reps) == ["0", "1", "2"]
    assert all(np.allclose(reps[name], expected[name], atol=1e-6) for name in reps)
    assert list(capture(compiled, [X[:, 0]], "2")) == ["2"]


def test_data_parallel_models_have_plain_names(mlp):
    expected = capture(mlp, [X[:, 0]])
    reps = capture(nn.DataParallel(mlp), [X[:, 0]])
    assert reps.names == expected.names
    assert list(capture(nn.DataParallel(mlp), [X[:, 0]], ["module.0", "2"])) == ["0", "2"]
    with pytest.raises(CaptureError, match="inputs for inputs, _ in loader"):
        capture(nn.DataParallel(mlp), [(X[:, 0], torch.zeros(6))])


def test_torchscript_is_refused(mlp):
    with pytest.raises(CaptureError, match="TorchScript, whose parts are not called one by one"):
        capture(torch.jit.trace(mlp, X[:, 0]), [X[:, 0]])


class Hook:
    """As accelerate leaves at a part whose weights it fetches for the time of a call."""

    execution_device = "cpu"

    def __init__(self, layer):
        weights = copy.deepcopy(layer.state_dict())
        layer.to("meta")
        layer._hf_hook = self
        layer.forward = lambda x: nn.functional.linear(x, weights["weight"], weights["bias"])


def test_offloaded_models_fetch_their_own_weights(mlp):
    expected = capture(mlp, [X[:, 0]])
    Hook(mlp[2])
    reps = capture(mlp, [X[:, 0]])
    assert all(np.allclose(reps[name], expected[name], atol=1e-6) for name in expected)
    with pytest.raises(CaptureError, match=r"placed by accelerate.*leave `device` out"):
        capture(mlp, [X[:, 0]], device="cpu")


@pytest.mark.parametrize(
    ("batch", "pool"),
    [
        (X[:, 0, :3], None),
        ((X[:, 0], X), None),
        (X[:, 0] * torch.nan, None),
        (X, lambda output: output[:1]),
        (X, lambda output: 1 / 0),
    ],
)
def test_hooks_are_gone_after_every_refusal(mlp, batch, pool):
    with pytest.raises((RuntimeError, ValueError, ZeroDivisionError)):
        capture(mlp, [batch], pool=pool)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in mlp.modules())
    assert torch.backends.mha.get_fastpath_enabled()
