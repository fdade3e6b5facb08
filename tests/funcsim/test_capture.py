from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

import funcsim as fs
from funcsim.errors import CaptureError, LayerSelectionError, RepresentationError


def hooks(model):
    return sum(len(m._forward_hooks) for m in model.modules())


@pytest.fixture
def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(5, 2))


@pytest.fixture
def x():
    return torch.randn(8, 3, generator=torch.Generator().manual_seed(1))


def test_outputs_are_those_of_a_forward_pass_by_hand(mlp, x):
    reps = fs.capture(mlp, [x[:5], x[5:]])
    with torch.no_grad():
        hidden = mlp[0](x)
        expected = {"0": hidden, "1": hidden.relu(), "2": hidden.relu(), "3": mlp[3](hidden.relu())}
    assert reps.names == ("0", "1", "2", "3")
    for name, value in expected.items():
        assert np.allclose(reps[name], value.numpy(), atol=1e-6), name


def test_in_place_activations_do_not_overwrite_what_was_read(mlp, x):
    assert (fs.capture(mlp, [x])["0"] < 0).any()


def test_the_model_is_left_as_it_was(mlp, x):
    mlp.train()
    mlp[2].eval()
    before = {k: v.clone() for k, v in mlp.state_dict().items()}
    fs.capture(mlp, [x])
    assert [m.training for m in mlp] == [True, True, False, True]
    assert hooks(mlp) == 0
    assert all((mlp.state_dict()[k] == v).all() for k, v in before.items())
    assert all(p.requires_grad for p in mlp.parameters())


def test_a_model_in_training_mode_is_captured_in_evaluation_mode(mlp, x):
    mlp.train()
    first, second = fs.capture(mlp, [x]), fs.capture(mlp, [x])
    assert (first["3"] == second["3"]).all()


class Failing(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        self.layer(x)
        raise RuntimeError("out of memory")


def test_hooks_and_mode_are_restored_when_the_model_raises(x):
    model = Failing().train()
    with pytest.raises(RuntimeError, match="out of memory"):
        fs.capture(model, [x])
    assert hooks(model) == 0
    assert model.training
    assert model.layer.training


class Odd(nn.Module):
    """Returns tuples and dicts inside, and calls one module three times."""

    class Pair(nn.Module):
        def forward(self, x):
            return x * 2, "a note", x * 3

    class Named(nn.Module):
        def forward(self, x):
            return OrderedDict(note=None, last_hidden_state=x + 1, more=x)

    def __init__(self):
        super().__init__()
        self.pair, self.named, self.act = self.Pair(), self.Named(), nn.Tanh()
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        x = self.named(self.pair(x)[0])["last_hidden_state"]
        return self.act(self.act(self.act(x)))


def test_tuples_dicts_and_repeated_modules(x):
    reps = fs.capture(Odd(), [x, x])
    assert reps.names == ("pair", "named", "act", "act#2", "act#3")
    assert np.allclose(reps["pair"][:8], 2 * x)
    assert np.allclose(reps["named"][:8], 2 * x + 1)
    assert np.allclose(reps["act#2"], np.tanh(np.tanh(reps["named"])), atol=1e-6)


def test_execution_order_and_not_the_order_of_definition(x):
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.second, self.first = nn.Tanh(), nn.ReLU()

        def forward(self, x):
            return self.second(self.first(x))

    assert fs.capture(Backwards(), [x]).names == ("first", "second")
    assert fs.capture(Backwards(), [x], layers=["second", "first"]).names == ("first", "second")


class Masked(nn.Module):
    """Takes token ids and a mask by keyword, like a BERT."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10, 4)
        self.mixed = nn.Identity()

    def forward(self, input_ids, attention_mask=None):
        x = self.embed(input_ids)
        weight = attention_mask[..., None].to(x)
        return self.mixed(x + (x * weight).sum(1, keepdim=True))


def text_batches():
    short = {"input_ids": torch.tensor([[1, 2], [3, 4]]), "attention_mask": torch.ones(2, 2).long()}
    longer = {
        "input_ids": torch.tensor([[1, 2, 0], [5, 6, 7]]),
        "attention_mask": torch.tensor([[1, 1, 0], [1, 1, 1]]),
    }
    return short, longer


def test_masks_go_through_and_pooling_respects_them():
    model = Masked()
    for pool in ("cls", "mean", "last"):
        reps = fs.capture(model, text_batches(), layers="mixed", pool=pool)
        # sample 0 and sample 2 are the same text, once without and once with padding
        assert np.allclose(reps["mixed"][0], reps["mixed"][2], atol=1e-6), pool


def test_mean_and_last_are_what_they_say():
    model, batch = Masked(), text_batches()[1]
    with torch.no_grad():
        out = model(**batch)
    mean = fs.capture(model, [batch], "mixed", pool="mean")["mixed"]
    assert np.allclose(mean[0], out[0, :2].mean(0), atol=1e-6)
    assert np.allclose(mean[1], out[1].mean(0), atol=1e-6)
    last = fs.capture(model, [batch], "mixed", pool="last")["mixed"]
    assert np.allclose(last, torch.stack([out[0, 1], out[1, 2]]))
    own = fs.capture(model, [batch], "mixed", pool=lambda output: output.amax(dim=1))["mixed"]
    assert np.allclose(own, out.amax(dim=1))


def test_batches_of_different_length_ask_for_a_pool():
    with pytest.raises(CaptureError, match=r"'mixed' gives rows of 2 lengths.*pool='mean'"):
        fs.capture(Masked(), text_batches(), layers="mixed")


def test_float16_models_take_ordinary_inputs(mlp, x):
    reps = fs.capture(mlp.half(), [x])
    assert reps["3"].dtype == np.float32
    assert mlp[0].weight.dtype == torch.float16


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_gpu_models_stay_on_the_gpu(mlp, x):
    on_cpu = fs.capture(mlp, [x])
    on_gpu = fs.capture(mlp.cuda(), [x])
    assert mlp[0].weight.is_cuda
    assert np.allclose(on_cpu["3"], on_gpu["3"], atol=1e-3)


def test_a_named_device_is_used(mlp, x, monkeypatch):
    """The meta device is on every machine; it computes nothing, so reading from it fails."""
    seen = []
    mlp[0].register_forward_hook(lambda m, i, o: seen.append(o.device.type))
    monkeypatch.setattr("funcsim._state._usable", torch.device)  # which refuses meta
    with pytest.raises(Exception, match="meta"):
        fs.capture(mlp, [x], "0", device="meta")
    assert seen == ["meta"]


def test_globs():
    model = nn.Sequential(OrderedDict(body=nn.Sequential(nn.Tanh(), nn.Tanh()), head=nn.Tanh()))
    x = torch.randn(4, 2)
    assert fs.capture(model, [x], "body.*").names == ("body.0", "body.1")
    assert fs.capture(model, [x], "*").names == ("body", "head")
    assert fs.capture(model, [x], ["**.1", "head"]).names == ("body.1", "head")


def test_no_layer_matched_lists_what_there_is(mlp, x):
    with pytest.raises(LayerSelectionError, match=r"no module matches 'encoder\.\*'.*4 modules"):
        fs.capture(mlp, [x], layers="encoder.*")


def test_a_layer_that_never_ran_is_named(x):
    with pytest.raises(LayerSelectionError, match=r"'unused' matches.*none of them was called"):
        fs.capture(Odd(), [x], layers=["act", "unused"])


def test_when_no_chosen_layer_ran_the_batches_are_not_blamed(x):
    with pytest.raises(LayerSelectionError, match=r"'unused' matches.*none of them was called"):
        fs.capture(Odd(), [x], layers="unused")

    class Bare(nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = nn.Linear(3, 3)

        def forward(self, x):
            return x @ self.weights.weight

    with pytest.raises(LayerSelectionError, match="none of them was called"):
        fs.capture(Bare(), [x])


def test_an_empty_choice_is_explained(mlp, x):
    with pytest.raises(LayerSelectionError, match="layers is empty"):
        fs.capture(mlp, [x], layers=[])


def test_a_layer_that_is_missing_from_the_first_batch_loses_no_samples_in_silence(x):
    class Later(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Tanh()

        def forward(self, x):
            return self.layer(x) if len(x) > 4 else x

    with pytest.raises(CaptureError, match="'layer' ran in some batches"):
        fs.capture(Later(), [x[:3], x[3:]])


@pytest.mark.parametrize("layers", [None, "0"])
def test_empty_batches(mlp, layers):
    with pytest.raises(CaptureError, match="no batch"):
        fs.capture(mlp, [], layers=layers)
    with pytest.raises(CaptureError, match="no batch"):
        fs.capture(mlp, iter(()), layers=layers)


def test_inputs_with_labels_are_explained(mlp, x):
    loader = [(x, torch.zeros(8))]
    with pytest.raises(CaptureError, match="inputs for inputs, _ in loader"):
        fs.capture(mlp, loader)


def test_an_output_without_a_tensor(x):
    class Wordy(nn.Module):
        def forward(self, x):
            return "hello"

    with pytest.raises(CaptureError, match="'0' returns str"):
        fs.capture(nn.Sequential(Wordy()), [x])


def test_a_layer_that_runs_only_sometimes(x):
    class Sometimes(nn.Module):
        def __init__(self):
            super().__init__()
            self.always, self.rarely = nn.Tanh(), nn.ReLU()

        def forward(self, x):
            return self.rarely(self.always(x)) if len(x) > 4 else self.always(x)

    with pytest.raises(CaptureError, match="'rarely' ran in some batches"):
        fs.capture(Sometimes(), [x[:5], x[5:]])


def test_outputs_with_nan_are_named(x):
    class Bad(nn.Module):
        def forward(self, x):
            return x / 0 * 0

    with pytest.raises(RepresentationError, match="'1' holds NaN"):
        fs.capture(nn.Sequential(nn.Tanh(), Bad()), [x])


def test_unknown_pool_and_misfits(mlp, x):
    with pytest.raises(ValueError, match="'cls', 'mean', 'last'"):
        fs.capture(mlp, [x], pool="max")
    image = nn.Sequential(nn.Conv2d(1, 2, 3))
    with pytest.raises(CaptureError, match=r"'0' returns shape \(2, 2, 4, 4\)"):
        fs.capture(image, [torch.zeros(2, 1, 6, 6)], pool="last")
    batch = {"input_ids": torch.tensor([[1, 2], [3, 4]]), "attention_mask": torch.ones(2, 1)}
    with pytest.raises(CaptureError, match="attention mask"):
        fs.capture(Masked(), [batch], pool="mean", layers="mixed")


def test_a_module_without_children_is_one_layer(x):
    assert fs.capture(nn.Linear(3, 2), [x]).names == ("model",)
