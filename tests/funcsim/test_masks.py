"""Which tokens are pooled: masks of all names and kinds, padding, places, precision."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import funcsim as fs
from funcsim.errors import CaptureError

transformers = pytest.importorskip("transformers")
N, T = 4, 6
LENGTHS = torch.tensor([6, 2, 5, 3])
REAL = torch.arange(T) < LENGTHS[:, None]
X = torch.randn(N, T, 8, generator=torch.Generator().manual_seed(0))
MEAN = torch.stack([x[:n].mean(0) for x, n in zip(X, LENGTHS, strict=True)])
LAST = torch.stack([x[n - 1] for x, n in zip(X, LENGTHS, strict=True)])


def capture(model, batches, layers=None, pool="mean", **options):
    return fs.capture(model, batches, layers, pool, progress=False, **options)


class Taking(nn.Module):
    """Returns what it is given; takes a mask under one name."""

    def __init__(self, name):
        super().__init__()
        self.layer = nn.Identity()
        self.name = name

    def forward(self, x, attention_mask=None, mask=None, key_padding_mask=None, padding_mask=None,
                src_key_padding_mask=None, token_mask=None, src_mask=None):  # fmt: skip
        return self.layer(x)


ADDED = torch.zeros(N, T).masked_fill(~REAL, -torch.inf)
MASKS = {
    "attention_mask": [REAL, REAL.long(), REAL.float(), REAL[:, None, None], ADDED, ADDED[:, None, None]],
    "mask": [REAL, REAL.long(), REAL.float(), REAL[:, None]],
    "token_mask": [REAL, REAL.int()],
    "src_mask": [REAL, REAL[:, None, None]],
    "key_padding_mask": [~REAL, ADDED, (~REAL).float(), (~REAL).long()],
    "padding_mask": [~REAL, (~REAL).int()],
    "src_key_padding_mask": [~REAL, ADDED],
}


@pytest.mark.parametrize(
    ("name", "k"), [(name, k) for name, masks in MASKS.items() for k in range(len(masks))]
)
def test_masks_under_other_names_and_of_other_kinds(name, k):
    batch = {"x": X, name: MASKS[name][k]}
    assert np.allclose(capture(Taking(name), [batch])["layer"], MEAN, atol=1e-6)
    assert np.allclose(capture(Taking(name), [batch], pool="last")["layer"], LAST)


def test_a_mask_of_zeros_to_add_hides_nothing():
    batch = {"x": X, "attention_mask": torch.zeros(N, T)}
    assert np.allclose(capture(Taking("attention_mask"), [batch])["layer"], X.mean(1), atol=1e-6)


def test_left_padding_with_every_pool():
    batch = {"x": X.flip(1), "attention_mask": REAL.flip(1)}
    model = Taking("attention_mask")
    assert np.allclose(capture(model, [batch], pool="cls")["layer"], LAST)  # the first that is real
    assert np.allclose(capture(model, [batch], pool="last")["layer"], X[:, 0])
    assert np.allclose(capture(model, [batch])["layer"], MEAN, atol=1e-6)


def test_what_stands_at_padding_does_not_matter():
    batch = {"x": X.masked_fill(~REAL[..., None], torch.nan), "attention_mask": REAL}
    assert np.allclose(capture(Taking("attention_mask"), [batch])["layer"], MEAN, atol=1e-6)


def test_a_text_without_a_token_is_named():
    mask = REAL.clone()
    mask[2] = False
    with pytest.raises(CaptureError, match="'layer' has no token to pool for sample 2"):
        capture(Taking("mask"), [{"x": X, "mask": mask}])


class Inside(nn.Module):
    """Makes its own mask, and hands it down."""

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Identity()

        def forward(self, x, mask):
            return self.layer(x)

    def __init__(self):
        super().__init__()
        self.encoder = self.Encoder()

    def forward(self, x, lengths):
        return self.encoder(x, torch.arange(x.shape[1]) < lengths[:, None])


def test_a_mask_that_the_model_makes_itself():
    assert np.allclose(capture(Inside(), [(X, LENGTHS)], "encoder.layer")["encoder.layer"], MEAN, atol=1e-6)


def test_a_square_mask_that_says_what_sees_what_is_no_padding():
    x = torch.randn(T, T, 8)  # as many texts as tokens
    causal = nn.Transformer.generate_square_subsequent_mask(T)
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    with pytest.warns(UserWarning, match="'mask' of shape \\(6, 6\\) does not say which tokens are padding"):
        pooled = capture(model, [{"src": x, "mask": causal}])["layers.1"]
    with torch.no_grad():
        assert np.allclose(pooled, model.eval()(x, causal).mean(1), atol=1e-5)


@pytest.mark.parametrize("pool", ["mean", "last", "cls"])
def test_pytorchs_own_encoder_with_padding(pool):
    torch.manual_seed(0)
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2).eval()
    pooled = capture(model, [{"src": X, "src_key_padding_mask": ~REAL}], pool=pool)
    assert list(pooled) == ["layers.0", "layers.1"]
    with torch.no_grad():
        alone = torch.cat([model(x[None, :n])[:, :n] for x, n in zip(X[3:], LENGTHS[3:], strict=True)])
    expected = {"mean": alone.mean(1), "last": alone[:, -1], "cls": alone[:, 0]}[pool]
    assert np.allclose(pooled["layers.1"][3:], expected, atol=1e-5)
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
def test_texts_of_several_lengths_in_one_nested_tensor(layout):
    ragged = torch.nested.nested_tensor([x[:n] for x, n in zip(X, LENGTHS, strict=True)], layout=layout)
    model = nn.Sequential(nn.Linear(8, 3))
    with torch.no_grad():
        each = [model(x[:n]) for x, n in zip(X, LENGTHS, strict=True)]
    for pool, of in {"mean": lambda y: y.mean(0), "last": lambda y: y[-1], "cls": lambda y: y[0]}.items():
        assert np.allclose(
            capture(model, [ragged], pool=pool)["0"], torch.stack([of(y) for y in each]), atol=1e-6
        )
    with pytest.raises(CaptureError, match="samples of several lengths; pass pool='mean'"):
        capture(model, [ragged], pool=None)


def encoder_decoder(name):
    torch.manual_seed(0)
    if name == "T5":
        config = transformers.T5Config(vocab_size=60, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2)
        return transformers.T5Model(config).eval(), "decoder.block.1"
    config = transformers.BartConfig(
        vocab_size=60, d_model=16, encoder_layers=2, decoder_layers=2, encoder_ffn_dim=32, decoder_ffn_dim=32,
        encoder_attention_heads=2, decoder_attention_heads=2, max_position_embeddings=20,
    )  # fmt: skip
    return transformers.BartModel(config).eval(), "decoder.layers.1"


@pytest.mark.parametrize("name", ["T5", "BART"])
@pytest.mark.parametrize("own", [True, False])
def test_the_decoder_is_pooled_under_its_own_mask(name, own):
    model, layer = encoder_decoder(name)
    ids = torch.randint(5, 60, (N, T), generator=torch.Generator().manual_seed(0))
    batch = {"input_ids": ids, "attention_mask": REAL.long(), "decoder_input_ids": ids.flip(1)}
    others = REAL.flip(0)
    if own:
        batch["decoder_attention_mask"] = others.long()
    seen = []
    handle = dict(model.named_modules())[layer].register_forward_hook(lambda m, i, o: seen.append(o))
    with torch.no_grad():
        model(**batch)
    handle.remove()
    out = seen[0][0] if isinstance(seen[0], tuple) else seen[0]
    weights = (others if own else torch.ones_like(REAL)).float()[..., None]
    expected = (out * weights).sum(1) / weights.sum(1)
    assert np.allclose(capture(model, [batch])[layer], expected, atol=1e-5)


def test_pytorchs_own_encoder_and_decoder():
    torch.manual_seed(0)
    model = nn.Transformer(8, 2, 2, 2, 16, batch_first=True).eval()
    others = REAL.flip(0)
    batch = {"src": X, "tgt": X, "src_key_padding_mask": ~REAL, "tgt_key_padding_mask": ~others}
    seen = {}
    for part in ("encoder", "decoder"):
        layer = getattr(model, part).layers[0]
        layer.register_forward_hook(lambda m, i, o, part=part: seen.setdefault(part, []).append(o))
    reps = capture(model, [batch], ["encoder.layers.0", "decoder.layers.0"])
    for part, mask in (("encoder", REAL), ("decoder", others)):
        weights = mask.float()[..., None]
        expected = (seen[part][-1] * weights).sum(1) / weights.sum(1)
        assert np.allclose(reps[f"{part}.layers.0"], expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_sums_over_many_tokens_are_exact(dtype):
    n = 3000
    model = nn.Sequential(nn.Identity()).to(dtype)
    batch = {"input": torch.ones(2, n, 3, dtype=dtype)}
    assert (capture(model, [batch])["0"] == 1).all()
    mask = torch.ones(2, n, dtype=dtype)
    mask[:, 257:] = 0
    taking = Taking("attention_mask")
    values = torch.zeros(2, n, 3, dtype=dtype)
    values[:, :257] = 1
    assert (capture(taking, [{"x": values, "attention_mask": mask}])["layer"] == 1).all()


def test_values_beyond_half_precision_are_summed():
    model = nn.Sequential(nn.Identity())
    assert np.isclose(capture(model, [torch.full((2, 4, 3), 6e4).half()])["0"], 6e4, rtol=1e-3).all()


def bert(**config):
    torch.manual_seed(0)
    small = {"num_hidden_layers": 2, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
    return transformers.BertModel(transformers.BertConfig(vocab_size=60, **small, **config))


class Reading(nn.Module):
    def __init__(self, padding_idx):
        super().__init__()
        self.embed = nn.Embedding(60, 8, padding_idx)
        self.layer = nn.Linear(8, 4)

    def forward(self, ids):
        return self.layer(self.embed(ids))


IDS = torch.randint(5, 60, (N, T), generator=torch.Generator().manual_seed(0)).masked_fill(~REAL, 0)


@pytest.mark.parametrize("model", [bert, lambda: Reading(0)])
@pytest.mark.parametrize(
    ("ids", "wrong"),
    [(IDS, {"mean": 3, "last": 3, "cls": 0}), (IDS.flip(1), {"mean": 3, "last": 0, "cls": 3}), (IDS[:1], {})],
)
def test_pooling_over_padding_without_a_mask_is_warned_of(model, ids, wrong):
    layers = "encoder.layer.*" if model is bert else "layer"
    for pool in ("mean", "last", "cls"):
        batches = [ids, ids] if len(ids) > 1 else [torch.cat([ids, ids])]
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            capture(model(), batches, layers, pool)
        told = [str(w.message) for w in said if "no mask was given" in str(w.message)]
        assert len(told) == (1 if wrong.get(pool) else 0), pool
        assert all(f"{wrong[pool]} of {N} texts begin or end with the padding id" in one for one in told)


def test_without_padding_nothing_is_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        capture(Reading(None), [IDS], "layer")
        capture(Reading(7), [IDS], "layer")
        capture(bert(), [{"input_ids": IDS, "attention_mask": REAL.long()}])


def test_a_function_of_the_output_and_the_batch():
    def by_length(output, batch):
        return torch.stack([y[:n].sum(0) for y, n in zip(output, batch["lengths"], strict=True)])

    batch = {"x": X, "lengths": LENGTHS}
    pooled = capture(Inside(), [batch], "encoder.layer", by_length)["encoder.layer"]
    assert np.allclose(pooled, MEAN * LENGTHS[:, None], atol=1e-5)
    one = capture(Inside(), [batch], "encoder.layer", lambda output, dim=1: output.amax(dim))["encoder.layer"]
    assert np.allclose(one, X.amax(1))
    pairs = capture(Inside(), [(X, LENGTHS)], "encoder.layer", lambda y, batch: y[:, 0] * batch[1][:, None])
    assert np.allclose(pairs["encoder.layer"], X[:, 0] * LENGTHS[:, None])


def test_a_function_that_returns_no_rows():
    with pytest.raises(CaptureError, match="returns float for layer '0'"):
        capture(nn.Sequential(nn.Identity()), [X], pool=lambda output: 1.0)
    with pytest.raises(CaptureError, match="'0' gives 8 rows for a batch of 4 samples"):
        capture(nn.Sequential(nn.Identity()), [X], pool=lambda output: output.mean((0, 1)))


def test_pictures_of_two_sizes_are_averaged_over_places():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU())
    pictures = [torch.randn(4, 3, 16, 16), torch.randn(4, 3, 24, 20)]
    with torch.no_grad():
        expected = torch.cat([model(x).mean((2, 3)) for x in pictures])
    assert np.allclose(capture(model, pictures)["1"], expected, atol=1e-6)
    with pytest.raises(CaptureError, match=r"pass pool='mean'"):
        capture(model, pictures, pool=None)
    film = nn.Sequential(nn.Conv3d(3, 5, 3))
    assert capture(film, [torch.randn(4, 3, 5, 6, 7)])["0"].shape == (4, 5)


class Grid(nn.Module):
    """Tokens on a grid (batch, height, width, features), as in window attention."""

    def __init__(self):
        super().__init__()
        self.norm, self.map = nn.LayerNorm(8), nn.Linear(8, 8)

    def forward(self, x):
        return x + self.map(self.norm(x))


def test_features_on_the_last_axis_of_a_grid():
    x = torch.randn(4, 5, 6, 8)
    model = nn.Sequential(Grid(), Grid()).eval()
    with torch.no_grad():
        assert np.allclose(capture(model, [x])["1"], model(x).mean((1, 2)), atol=1e-6)


def test_the_mask_of_texts_is_not_that_of_the_pictures_beside_them():
    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Identity()

        def forward(self, x, attention_mask):
            return self.layer(x)

    class Pictures(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Identity()

        def forward(self, pixel_values):
            return self.layer(pixel_values)

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.text, self.pictures = Text(), Pictures()

        def forward(self, x, attention_mask, pixel_values):
            return self.text(x, attention_mask), self.pictures(pixel_values)

    seen = torch.randn(N, 9, 8)
    batch = {"x": X, "attention_mask": REAL, "pixel_values": seen}
    reps = capture(Both(), [batch], ["text.layer", "pictures.layer"])
    assert np.allclose(reps["text.layer"], MEAN, atol=1e-6)
    assert np.allclose(reps["pictures.layer"], seen.mean(1), atol=1e-6)


@pytest.mark.parametrize("pool", ["max", b"mean", ["mean"], 3])
def test_an_unknown_pool_is_refused(pool):
    with pytest.raises(ValueError, match="use 'cls', 'mean', 'last' or a function"):
        capture(nn.Sequential(nn.Identity()), [X], pool=pool)
