"""Networks before training: every weight drawn anew, nothing else changed, and what their maps say."""

import numpy as np
import pytest
import torch
from torch import nn

import funcsim as fs
from funcsim.nulls import reinitialised
from replication.models.modular_transformer import ModularTransformer, ModularTransformerConfig

transformers = pytest.importorskip("transformers")

IDS = torch.randint(3, 40, (14, 6), generator=torch.Generator().manual_seed(0))
SMALL = {"vocab_size": 40, "attn_implementation": "eager"}


def sequential():
    return nn.Sequential(
        nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), nn.BatchNorm1d(8, affine=False), nn.Linear(8, 3)
    )


def convolutional():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(64, 3)
    )


def bert():
    sizes = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    return transformers.BertModel(transformers.BertConfig(**SMALL, **sizes))


def gpt2():
    config = transformers.GPT2Config(**SMALL, n_embd=16, n_layer=3, n_head=2, n_positions=16)
    return transformers.GPT2LMHeadModel(config)


def t5():
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 3, "num_heads": 2}
    return transformers.T5EncoderModel(transformers.T5Config(**SMALL, **sizes))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LSTM(6, 5, batch_first=True), nn.LSTM(5, 5, batch_first=True)

    def forward(self, x):
        return self.second(self.first(x)[0])[0]


def floats(*shape):
    return torch.randn(14, *shape, generator=torch.Generator().manual_seed(1))


#: A network, what it is shown, and its layers.
CASES = {
    "sequential": (sequential, floats(6), None),
    "convolutional": (convolutional, floats(3, 8, 8), ["0", "3", "5"]),
    "bert": (bert, {"input_ids": IDS}, "encoder.layer.*"),
    "gpt2": (gpt2, {"input_ids": IDS}, "transformer.h.*"),
    "t5": (t5, {"input_ids": IDS}, "encoder.block.*"),
    "lstm": (Recurrent, floats(4, 6), ["first", "second"]),
}


def trained(name):
    """A network whose weights, statistics and marks are those of no initialisation."""
    torch.manual_seed(0)
    model = CASES[name][0]().eval()
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(7.0 + torch.rand_like(tensor))
            vars(tensor)["_is_hf_initialized"] = True  # as a loaded model has it
    for module in model.modules():
        module._is_hf_initialized = True
    return model


def state(model):
    return {key: value.clone() for key, value in model.state_dict().items()}


@pytest.mark.parametrize("name", CASES)
def test_every_weight_is_drawn_as_by_the_network_itself(name):
    """Mean and spread of each weight are those of a network made from scratch."""
    old = trained(name)
    kept, random = state(old), torch.get_rng_state()
    fresh = reinitialised(old, seed=1)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, kept[key]) for key, value in old.state_dict().items())
    assert not fresh.training
    made = CASES[name][0]()
    for key, value in fresh.state_dict().items():
        expected = made.state_dict()[key].float()
        assert float(value.float().abs().max()) <= 2 * float(expected.abs().max()) + 1e-6, key
        assert float(value.float().std(correction=0)) == pytest.approx(
            float(expected.std(correction=0)), rel=0.7
        ), key
    again, other = reinitialised(old, seed=1), reinitialised(old, seed=2)
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in fresh.state_dict().items())
    assert any(not torch.equal(value, other.state_dict()[key]) for key, value in fresh.state_dict().items())


def test_tied_weights_stay_tied_and_statistics_are_reset():
    fresh = reinitialised(trained("gpt2"), 3)
    assert fresh.lm_head.weight is fresh.transformer.wte.weight
    for norm in (reinitialised(trained("sequential"))[3], reinitialised(trained("convolutional"))[1]):
        assert not norm.running_mean.any()
        assert (norm.running_var == 1).all()


def test_a_model_of_the_library_inside_another_network_has_its_own_rule():
    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.attention, self.head = bert(), nn.MultiheadAttention(4, 2), nn.Linear(16, 2)

    fresh = reinitialised(Classifier())
    spread = float(fresh.body.encoder.layer[0].intermediate.dense.weight.detach().std())
    assert spread == pytest.approx(0.02, rel=0.2)
    assert float(fresh.head.weight.detach().abs().max()) > 0.1


def test_bare_parameters_need_to_be_told_how():
    model = ModularTransformer(ModularTransformerConfig(p=5, d_model=8, d_mlp=8))
    with pytest.raises(ValueError, match=r"no reset reaches .*\(in ModularTransformer\).*; pass init="):
        reinitialised(model)
    scaled = nn.Sequential(nn.Linear(3, 3))
    scaled.register_parameter("gain", nn.Parameter(torch.ones(2)))
    with pytest.raises(ValueError, match=r"parameters: gain \(in Sequential\); pass init="):
        fs.untrained_twin(scaled, [floats(3)], n=2)
    seen = []

    def init(copy, seed):
        seen.append((seed, bool((copy.gain == 1).all())))
        for p in copy.parameters():
            nn.init.normal_(p)

    fresh = reinitialised(scaled, 4, init)
    assert seen == [(4, True)]
    assert not torch.equal(fresh.gain, scaled.gain)
    assert (scaled.gain == 1).all()
    with pytest.raises(ValueError, match="init= changed no parameter"):
        reinitialised(scaled, 4, lambda copy, seed: None)


@pytest.mark.parametrize("name", CASES)
def test_a_twin_holds_a_map_for_each_copy(name):
    model, shown, layers = trained(name), CASES[name][1], CASES[name][2]
    pool = "mean" if isinstance(shown, dict) else None
    kept = state(model)
    told = {"layers": layers, "pool": pool, "measure": "rsm", "progress": False}
    twin = fs.untrained_twin(model, iter([shown]), n=3, seed=5, **told)
    assert all(torch.equal(value, kept[key]) for key, value in model.state_dict().items())
    assert twin.maps.shape == (3, len(twin.names), len(twin.names))
    assert len(twin.names) >= 2
    again = fs.untrained_twin(model, [shown], n=4, seed=5, **told)
    assert np.array_equal(again.maps[:3], twin.maps)
    assert not np.array_equal(fs.untrained_twin(model, [shown], n=3, **told).maps, twin.maps)
    for seed, values in zip(twin.seeds, twin.maps, strict=True):
        reps = fs.capture(reinitialised(model, seed), [shown], layers, pool, progress=False)
        assert np.array_equal(fs.compare(reps, measure="rsm").values, values)
    assert len({values.tobytes() for values in twin.maps}) == 3


def twin_of_maps(steps, **changes):
    """A twin whose copies have layers on a line with these steps (n, L - 1)."""
    places = np.cumsum(np.pad(steps, ((0, 0), (1, 0))), axis=1)
    maps = np.abs(places[:, :, None] - places[:, None])
    names = tuple(f"l{k}" for k in range(maps.shape[1]))
    told = {"measure": "gw", "normalize": "mean", "n_samples": 20, "is_similarity": False}
    return fs.UntrainedTwin(names, maps, seeds=tuple(range(len(maps))), **(told | changes))


def layer_map(steps, **changes):
    (values,), names = twin_of_maps(np.array([steps])).maps, tuple(f"l{k}" for k in range(len(steps) + 1))
    told = {"measure": "gw", "normalize": "mean", "n_samples": 20}
    return fs.LayerMap(values, names, names, **(told | changes))


def test_the_band_is_the_smallest_and_the_largest_step_of_all_copies():
    table = twin_of_maps(np.array([[1.0, 2, 3], [3, 2, 1], [2, 2, 5]])).to_frame()
    assert table.columns.tolist() == ["from", "to", "median", "low", "high"]
    assert table["median"].tolist() == [2, 2, 3]
    assert table["low"].tolist() == [1, 2, 1]
    assert table["high"].tolist() == [3, 2, 5]
    assert table["to"].tolist() == ["l1", "l2", "l3"]


def test_steps_stand_among_those_of_the_copies_whatever_their_size():
    twin = twin_of_maps(np.array([[1.0, 1, 2], [4, 1, 5], [10, 20, 10], [1, 1, 8]]))
    table = twin.standing(layer_map([30.0, 10, 60]))
    assert table["share"].to_numpy() == pytest.approx([0.3, 0.1, 0.6])
    assert table["as large"].tolist() == [0.25, 1.0, 0.25]
    assert table["low"].to_numpy() == pytest.approx([0.1, 0.1, 0.25])
    still = twin.standing(layer_map([0.0, 0, 0]))
    assert still["share"].to_numpy() == pytest.approx([1 / 3] * 3)


def test_a_similarity_is_turned_into_steps_on_both_sides():
    twin = twin_of_maps(np.array([[0.1, 0.3], [0.3, 0.1]]))
    alike = fs.UntrainedTwin(twin.names, 1 - twin.maps, "cka", "mean", 20, is_similarity=True, seeds=(0, 1))
    assert alike.steps == pytest.approx(twin.steps)
    m = layer_map([0.1, 0.3])
    m = fs.LayerMap(1 - m.values, m.names, m.names, "cka", "mean", 20, is_similarity=True)
    assert alike.standing(m)["share"].to_numpy() == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize("changes", [{"measure": "rsm"}, {"normalize": None}, {"n_samples": 21}])
def test_a_map_made_in_another_way_is_refused(changes):
    twin = twin_of_maps(np.ones((2, 3)))
    with pytest.raises(ValueError, match=f"{next(iter(changes))}=.*in the same way"):
        twin.standing(layer_map([1.0, 1, 1], **changes))
    with pytest.raises(ValueError, match="names="):
        twin.standing(layer_map([1.0, 1]))


def test_one_copy_makes_no_band():
    with pytest.raises(ValueError, match="n=1 is out of range"):
        fs.untrained_twin(sequential(), [floats(6)], n=1)


def test_copies_that_run_other_layers_are_refused():
    class Fork(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x):
            return self.c((self.a if self.a.weight[0, 0] > 0 else self.b)(x))

    with pytest.raises(ValueError, match="layers of two untrained copies differ"):
        fs.untrained_twin(Fork(), [floats(3)], n=9, layers="*", measure="rsm")
