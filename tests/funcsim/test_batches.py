"""What comes in to a capture: containers, kinds of batches, numbers of samples."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence
from torch.utils.data import DataLoader, TensorDataset

import funcsim as fs
from funcsim.errors import CaptureError


def capture(model, batches, *more, **options):
    return fs.capture(model, batches, *more, progress=False, **options)


@pytest.fixture
def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))


@pytest.fixture
def x():
    return torch.randn(20, 8, generator=torch.Generator().manual_seed(1))


ONE_BATCH = {
    "tensor": lambda x: x,
    "array": lambda x: x.numpy(),
    "dict": lambda x: {"input": x},
    "packed": lambda x: pack_sequence([x]),
}


@pytest.mark.parametrize("kind", ONE_BATCH)
def test_one_batch_is_refused_with_the_way_out(mlp, x, kind):
    with pytest.raises(CaptureError, match=r"batches is one .*pass \[x\]"):
        capture(mlp, ONE_BATCH[kind](x))


WORDS = {
    "text": "a text",
    "bytes": b"a text",
    "texts": ["a text", "another"],
    "batches of texts": [["a text", "another"], ["one more"]],
    "a generator of texts": (text for text in ("a text", "another")),
    "a dict of texts": [{"text": ["a", "b"]}],
    "tuples of texts": [("a", "b")],
}


@pytest.mark.parametrize("kind", WORDS)
def test_texts_are_refused_with_the_way_out(mlp, kind):
    with pytest.raises(CaptureError, match=r"text; turn .*pass \[x\]"):
        capture(mlp, WORDS[kind])


@pytest.mark.parametrize("batches", [[[0.5, 1.0], [2.0, 3.0]], range(3), [np.float64(1)], [None]])
def test_numbers_without_a_tensor_are_refused(mlp, batches):
    with pytest.raises(CaptureError, match=r"batch 0 is .* without a tensor.*pass \[x\]"):
        capture(mlp, batches)


@pytest.mark.parametrize("batches", [7, None, torch.device("cpu")])
def test_what_is_no_iterable_is_refused(mlp, batches):
    with pytest.raises(CaptureError, match=r"not an iterable of batches; pass \[x\]"):
        capture(mlp, batches)


def test_a_data_set_is_no_loader(mlp, x):
    data = TensorDataset(x)
    with pytest.raises(CaptureError, match=r"TensorDataset, which gives single samples.*DataLoader"):
        capture(mlp, data)
    rows = capture(mlp, DataLoader(data, batch_size=6))["2"]
    assert np.allclose(rows, capture(mlp, [x])["2"], atol=1e-6)


def test_a_loader_that_is_used_up(mlp, x):
    loader = iter(DataLoader(TensorDataset(x), batch_size=6))
    list(loader)
    with pytest.raises(CaptureError, match=r"no batch to run.*already used up"):
        capture(mlp, loader)


SINGLE = {
    "rows": (lambda: nn.Sequential(nn.Linear(8, 8), nn.ReLU()), (20, 8)),
    "an activation first": (lambda: nn.Sequential(nn.ReLU(), nn.Linear(8, 8)), (20, 8)),
    "pictures": (lambda: nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU()), (20, 3, 8, 8)),
    "signals": (lambda: nn.Sequential(nn.Conv1d(3, 3, 3, padding=1), nn.ReLU()), (20, 3, 8)),
    "steps": (lambda: nn.LSTM(4, 8, batch_first=True), (20, 6, 4)),
}


@pytest.mark.parametrize("kind", SINGLE)
def test_single_samples_are_not_taken_for_batches(kind):
    build, shape = SINGLE[kind]
    x = torch.randn(shape)
    with pytest.raises(CaptureError, match=r"for one sample.*x\[None\]"):
        capture(build(), list(x))
    assert capture(build(), [x]).n_samples == 20


@pytest.mark.parametrize("dtype", ["float64", "float32", ">f4", "int64", "float16"])
def test_arrays_inside_batches_are_converted(mlp, x, dtype):
    whole = (10 * x).round()
    expected = capture(mlp, [whole])["2"]
    array = whole.numpy().astype(dtype)
    if dtype == "int64":
        ids = np.abs(array)
        embedded = nn.Sequential(nn.Embedding(50, 4))
        assert (capture(embedded, [ids])["0"] == capture(embedded, [torch.tensor(ids)])["0"]).all()
        return
    for batch in (array, array[::-1][::-1], (array,), {"input": array}):
        assert np.allclose(capture(mlp, [batch])["2"], expected, atol=1e-5)


def test_arrays_that_are_no_numbers_or_have_gaps_are_refused(mlp, x):
    with pytest.raises(CaptureError, match="array of <U1, which is no tensor"):
        capture(mlp, [np.array([["a"]])])
    with pytest.raises(CaptureError, match=r"masked array.*filled\(0\)"):
        capture(mlp, [np.ma.masked_less(x.numpy(), 0)])


def test_a_batch_is_left_as_it_was(x):
    """An in-place activation in front writes into what it is given."""
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(8, 2))
    kept = x.clone()
    first = capture(model, [x])
    assert torch.equal(x, kept)
    assert (first["1"] == capture(model, [x])["1"]).all()
    array = kept.numpy().copy()
    capture(model, [array])
    assert (array == kept.numpy()).all()


class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 4)

    def forward(self, input_ids, attention_mask=None, labels=None):
        x = self.embed(input_ids)
        return x if attention_mask is None else x * attention_mask.reshape(len(x), -1, 1)


@pytest.mark.parametrize(
    "labels",
    [torch.zeros(6), torch.ones(6).long(), torch.ones(6).bool(), torch.full((6, 5), -100), np.ones(6)],
)
def test_labels_are_not_taken_for_a_mask(labels):
    ids = torch.randint(1, 20, (6, 5))
    with pytest.raises(CaptureError, match=r"'attention_mask' is passed.*inputs for inputs, _ in loader"):
        capture(Masked(), [(ids, labels)])


def test_labels_for_each_token_in_place_of_a_mask_are_warned_of():
    ids = torch.randint(1, 20, (6, 5))
    with pytest.warns(UserWarning, match="'attention_mask' are not zeros and ones"):
        capture(Masked(), [(ids, torch.arange(30).reshape(6, 5) % 9)])


def test_a_mask_in_a_tuple_is_a_mask():
    ids, mask = torch.randint(1, 20, (6, 5)), torch.ones(6, 5).long()
    mask[0, 3:] = 0
    model = Masked()
    by_name = capture(model, [{"input_ids": ids, "attention_mask": mask}], pool="mean")["embed"]
    assert np.allclose(capture(model, [(ids, mask)], pool="mean")["embed"], by_name)
    assert not np.allclose(capture(model, [ids], pool="mean")["embed"], by_name)


class Several(nn.Module):
    """Takes more than one tensor."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 4)

    def forward(self, x=None, scale=None, y=None, positions=None, nested=None):
        for value in (nested or {}).values():
            x = value if x is None else x
        x = y if x is None else x
        return self.layer(x)


@pytest.mark.parametrize(
    "more",
    [
        {"scale": torch.tensor(2.0)},
        {"positions": torch.arange(8)},
        {"scale": torch.ones(1)},
        {"y": torch.ones(3, 3)},
    ],
)
def test_what_stands_beside_the_input_is_not_counted(x, more):
    assert capture(Several(), [{"x": x, **more}, {"x": x[:1], **more}])["layer"].shape == (21, 4)


def test_tensors_without_a_customary_name(x):
    assert capture(Several(), [{"y": x, "positions": torch.arange(8)}])["layer"].shape == (20, 4)
    assert capture(Several(), [{"nested": {"a": x}}])["layer"].shape == (20, 4)


class Strange(nn.Module):
    """Each of its parts gives other numbers of rows than there are samples."""

    class Part(nn.Module):
        def __init__(self, change):
            super().__init__()
            self.change = change

        def forward(self, x):
            return self.change(x)

    def __init__(self, change):
        super().__init__()
        self.part = self.Part(change)

    def forward(self, y):
        self.part(y)
        return y


WRONG_ROWS = {
    "a weight matrix": (lambda x: torch.ones(8, 3), 8, 20),
    "one row for all": (lambda x: x.mean(0, keepdim=True), 1, 20),
    "samples and tokens in one axis": (lambda x: x.reshape(-1, 2), 80, 20),
    "a half": (lambda x: x[:10], 10, 20),
    "nothing": (lambda x: x[:0], 0, 20),
    "transposed": (lambda x: x.T, 8, 20),
}


@pytest.mark.parametrize("kind", WRONG_ROWS)
def test_rows_are_counted(x, kind):
    change, rows, samples = WRONG_ROWS[kind]
    with pytest.raises(CaptureError, match=f"'part' gives {rows} rows for a batch of {samples} samples"):
        capture(Strange(change), [x])


def test_a_squeezed_last_batch(x):
    with pytest.raises(CaptureError, match="'part' gives 8 rows for a batch of 1 samples"):
        capture(Strange(torch.squeeze), [x, x[:1]])


def test_an_empty_batch_adds_nothing(mlp, x):
    assert capture(mlp, [x, x[:0]]).n_samples == 20


def test_an_error_of_the_models_own_says_what_it_was_given(mlp, x):
    with pytest.raises(RuntimeError) as caught:
        capture(mlp, [x[:, :3]])
    assert any("on a batch of input (20, 3)" in note for note in caught.value.__notes__)


def test_what_is_no_module_is_refused(x):
    with pytest.raises(CaptureError, match="model is a function"):
        capture(lambda x: x, [x])


def test_a_loader_of_a_stream_has_no_length(mlp, x):
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(x)

    assert np.allclose(
        capture(mlp, DataLoader(Stream(), batch_size=6))["2"], capture(mlp, [x])["2"], atol=1e-6
    )
    with pytest.raises(CaptureError, match=r"for one sample.*x\[None\]"):
        capture(mlp, Stream())


def test_a_table_is_refused_with_the_way_out(mlp, x):
    table = pd.DataFrame(x.numpy())
    with pytest.raises(CaptureError, match=r"a DataFrame, not an iterable of batches"):
        capture(mlp, table)
    with pytest.raises(CaptureError, match=r"holds a DataFrame; pass x.to_numpy\(\)"):
        capture(mlp, [table])


def test_lazy_layers_stay_lazy(x):
    model = nn.Sequential(nn.LazyLinear(3))
    with pytest.raises(CaptureError, match=r"'0.weight' has no shape yet; run the model once"):
        capture(model, [x])
    assert nn.parameter.is_lazy(model[0].weight)
