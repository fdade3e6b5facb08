"""Networks from outside this project, all the way to a report."""

import json
import re
import sys
from collections import OrderedDict

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import funcsim as fs
from funcsim.cli import main
from funcsim.errors import FuncsimError, InputError, ModelError
from funcsim.report import analyse, default_layers, load_network, write_report
from funcsim.report.inputs import mean_over_places
from replication.models.encoders import load_encoder

transformers = pytest.importorskip("transformers")
N = 16
SMALL = {"num_hidden_layers": 3, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}


def tokens():
    ids = torch.randint(1, 50, (N, 6), generator=torch.Generator().manual_seed(0))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def noise(*shape):
    return torch.randn(N, *shape, generator=torch.Generator().manual_seed(0))


class Residual(nn.Module):
    """A basic block, as in torchvision."""

    def __init__(self, before, after):
        super().__init__()
        self.conv1, self.bn1, self.relu = (
            nn.Conv2d(before, after, 3, 1, 1),
            nn.BatchNorm2d(after),
            nn.ReLU(True),
        )
        self.downsample = nn.Sequential(nn.Conv2d(before, after, 1), nn.BatchNorm2d(after))

    def forward(self, x):
        return self.relu(self.bn1(self.conv1(x)) + self.downsample(x))


class Stacked(nn.Module):
    """Recurrent layers, each reading the one before."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 8), nn.Linear(8, 2)
        self.first, self.second = nn.LSTM(8, 8, batch_first=True), nn.LSTM(8, 8, batch_first=True)

    def forward(self, x):
        return self.head(self.second(self.first(self.embed(x))[0])[0][:, -1])


class Mixer(nn.Module):
    """Mixes tokens, then channels."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4))
        self.channels = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 8))

    def forward(self, x):
        x = x + self.tokens(x.transpose(1, 2)).transpose(1, 2)
        return x + self.channels(x)


def made(kind, config):
    torch.manual_seed(0)
    return getattr(transformers, kind)(config)


def gpt2():
    config = transformers.GPT2Config(n_layer=3, n_embd=16, n_head=2, vocab_size=50, n_positions=16)
    return made("GPT2Model", config), tokens(), "mean"


def distilbert():
    config = transformers.DistilBertConfig(n_layers=3, dim=16, n_heads=2, hidden_dim=32, vocab_size=50)
    return made("DistilBertModel", config), tokens(), "cls"


def vit():
    config = transformers.ViTConfig(**SMALL, image_size=16, patch_size=8)
    return made("ViTModel", config), {"pixel_values": noise(3, 16, 16)}, mean_over_places


def t5():
    config = transformers.T5Config(num_layers=3, d_model=16, num_heads=2, d_ff=32, d_kv=8, vocab_size=50)
    return made("T5EncoderModel", config), tokens(), "mean"


def whisper():
    config = transformers.WhisperConfig(
        d_model=16,
        encoder_layers=3,
        encoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_layers=1,
        decoder_attention_heads=2,
        num_mel_bins=8,
        max_source_positions=10,
    )
    return made("WhisperModel", config).get_encoder(), {"input_features": noise(8, 20)}, mean_over_places


def resnet():
    torch.manual_seed(0)
    parts = {"stem": nn.Conv2d(3, 4, 3), "layer1": nn.Sequential(Residual(4, 4), Residual(4, 4))}
    parts |= {"layer2": nn.Sequential(Residual(4, 8), Residual(8, 8))}
    return nn.Sequential(OrderedDict(parts)), noise(3, 8, 8), mean_over_places


def lstm():
    torch.manual_seed(0)
    return Stacked(), tokens()["input_ids"], None


def mixer():
    torch.manual_seed(0)
    return nn.Sequential(*(Mixer() for _ in range(3))), noise(4, 8), None


def albert():
    config = transformers.AlbertConfig(**SMALL | {"num_hidden_layers": 4}, embedding_size=8, vocab_size=50)
    return made("AlbertModel", config), tokens(), "mean"


EXPECTED = {
    gpt2: ["h.0", "h.1", "h.2"],
    distilbert: [f"transformer.layer.{k}" for k in range(3)],
    vit: None,  # the list of blocks changed its name between versions of transformers
    t5: [f"encoder.block.{k}" for k in range(3)],
    whisper: [f"layers.{k}" for k in range(3)],
    resnet: ["layer1.0", "layer1.1", "layer2.0", "layer2.1"],
    lstm: ["embed", "first", "second", "head"],
    mixer: ["0", "1", "2"],
    albert: ["encoder.albert_layer_groups.0"],
}


@pytest.mark.parametrize("build", EXPECTED, ids=lambda build: build.__name__)
def test_the_whole_way_on_networks_of_many_kinds(build, tmp_path):
    model, batch, pool = build()
    layers = default_layers(model, batch)
    assert len(layers) == 3 if EXPECTED[build] is None else set(layers) == set(EXPECTED[build])
    reps = fs.capture(model, [batch], layers, pool, progress=False)
    assert len(reps) == (4 if build is albert else len(layers))
    found = analyse(reps, n_draws=2, progress=False)
    write_report(tmp_path / "out", found, build.__name__, {})
    told = json.loads((tmp_path / "out/report.json").read_text())
    assert told["layers"] == list(reps.names)
    assert np.allclose(told["map"], fs.compare(reps, progress=False).values)
    table = pd.read_csv(tmp_path / "out/map.csv", index_col=0)
    assert np.allclose(table.to_numpy(), told["map"])
    page = (tmp_path / "out/report.html").read_text()
    assert reps.names[0] in page
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_a_network_that_names_its_layers_is_believed():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    model.representation_layers = ["1"]
    assert default_layers(model, noise(4)) == ["1"]


def test_blocks_of_a_class_are_preferred_to_plain_sequences():
    pair = [nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in range(2)]
    assert default_layers(nn.Sequential(*pair), noise(4)) == ["0", "1"]
    mixed = nn.Sequential(nn.Sequential(Mixer(), Mixer()), nn.Sequential(Mixer(), Mixer()))
    assert default_layers(mixed, noise(4, 8)) == ["0.0", "0.1", "1.0", "1.1"]


@pytest.fixture
def folder(tmp_path):
    """A tiny BERT on disk."""
    encoder = load_encoder("tiny")
    encoder.model.save_pretrained(tmp_path / "bert")
    encoder.tokenizer.save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


@pytest.fixture
def texts(tmp_path):
    words = ("good", "fine", "great", "bad", "poor", "dull")
    lines = [f"the {a} film is {b}" for a in words for b in words[:4]]
    path = tmp_path / "texts.txt"
    path.write_text("\n\n".join(lines) + "\n")
    return path


def ask(*more):
    return main(["map", "--halves", "2", *map(str, more)])


def test_the_command_writes_what_the_library_finds(folder, texts, tmp_path, capsys):
    out = tmp_path / "out"
    assert ask("--model", folder, "--texts", texts, "--out", out) == 0
    network = load_network(str(folder), texts)
    assert network.n_samples == 24
    layers = [f"encoder.layer.{k}" for k in range(4)]
    reps = fs.capture(network.model, network.batches, layers, "mean", progress=False)
    told = json.loads((out / "report.json").read_text())
    assert np.array_equal(told["map"], fs.compare(reps, progress=False).values)
    assert told["record"]["inputs"] == "24 texts"
    assert told["record"]["layers"] == [layers]
    assert told["p_value"] is None  # of four layers
    said = capsys.readouterr().out
    assert "4 layers, encoder.layer.0 to encoder.layer.3; 24 texts" in said
    assert re.search(r"one group, no test; \d+ s, at most \d+ MiB", said)
    before = (out / "report.html").read_bytes()
    assert ask("--model", "no-such", "--texts", texts, "--out", out) == 2  # said before anything is loaded
    assert "nothing is overwritten" in capsys.readouterr().err
    assert (out / "report.html").read_bytes() == before


def test_untrained_copies_stand_beside_the_network(folder, texts, tmp_path, capsys):
    out = tmp_path / "out"
    asked = ("--model", folder, "--texts", texts, "--measure", "rsm")
    assert ask(*asked, "--twin", 3, "--out", out) == 0
    assert re.search(r"\n  and .* for 3 copies with fresh weights", capsys.readouterr().out)
    network = load_network(str(folder), texts)
    told = {"layers": list(network.layers), "pool": "mean", "measure": "rsm", "progress": False}
    twin = fs.untrained_twin(network.model, network.batches, n=3, **told)
    written = json.loads((out / "report.json").read_text())
    assert np.array_equal(written["untrained_twin"]["steps"], twin.steps)
    assert written["record"]["untrained_copies"] == 3
    page = (out / "report.html").read_text()
    assert page.count('class="twin"') == 1
    assert "grey band holds the steps of 3 copies" in page
    assert "3 copies with fresh weights" in page
    assert "Whether the same network before training" not in page
    assert ask(*asked, "--out", tmp_path / "plain") == 0
    plain = (tmp_path / "plain/report.html").read_text()
    assert 'class="twin"' not in plain
    assert "Whether the same network before training" in plain
    assert json.loads((tmp_path / "plain/report.json").read_text())["untrained_twin"] is None


def test_a_network_without_an_untrained_copy_is_refused_before_anything_is_compared(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "bare.py").write_text(
        "import torch\n"
        "class Scale(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.by = torch.nn.Parameter(torch.ones(3))\n"
        "    def forward(self, x):\n"
        "        return self.by * x\n"
        "def make():\n"
        "    return torch.nn.Sequential(Scale(), Scale()), [torch.randn(12, 3)]\n"
    )
    assert ask("--model", "bare:make", "--twin", 19, "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert "--twin: no reset reaches these parameters: 0.by (in Scale), 1.by (in Scale)" in said
    assert "leave --twin out" in said
    assert not (tmp_path / "out").exists()


def test_a_dry_run_writes_nothing(folder, texts, tmp_path, capsys):
    assert ask("--model", folder, "--texts", texts, "--out", tmp_path / "out", "--dry-run") == 0
    assert not (tmp_path / "out").exists()
    assert re.search(r"memory .*: (\d+|less than 1) MiB\n  time: about \d+ s", capsys.readouterr().out)


def test_two_networks_on_the_same_texts(folder, texts, tmp_path):
    out, other = tmp_path / "out", tmp_path / "other"
    encoder = load_encoder("tiny", seed=1)
    encoder.model.save_pretrained(other)
    encoder.tokenizer.save_pretrained(other)
    more = ("--layers", "encoder.layer.*", "--pool", "cls", "--measure", "cka", "--against", other)
    assert ask("--model", folder, "--texts", texts, "--out", out, *more) == 0
    networks = [load_network(str(place), texts, layers=["encoder.layer.*"]) for place in (folder, other)]
    reps = [fs.capture(n.model, n.batches, list(n.layers), "cls", progress=False) for n in networks]
    expected = fs.compare(*reps, measure="cka", progress=False).values
    assert np.allclose(pd.read_csv(out / "against.csv", index_col=0), expected)
    assert "Against the other network" in (out / "report.html").read_text()


def test_words_from_outside_are_escaped(tmp_path):
    reps = fs.Representations({f"<img src=x>{k}": noise(3).numpy() + k for k in range(2)})
    write_report(tmp_path / "o", analyse(reps, n_draws=2, progress=False), "<script>1</script>", {"a": "<b>"})
    page = (tmp_path / "o/report.html").read_text()
    assert "<img src=x>" not in page
    assert "<script>1" not in page
    assert "<b>" not in page


def test_only_safetensors_are_read_unless_allowed(folder, texts, tmp_path, capsys):
    model = load_encoder("tiny").model
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    ask_for = ("--model", folder, "--texts", texts, "--out", tmp_path / "out", "--dry-run")
    assert ask(*ask_for) == 2
    assert "only safetensors weights are read" in capsys.readouterr().err
    assert ask(*ask_for, "--any-weights") == 0


def test_the_hub_is_not_asked_without_leave(texts, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("FUNCSIM_HUB", raising=False)
    name = "someone/model@" + "0" * 40
    assert ask("--model", name, "--texts", texts, "--out", tmp_path / "out") == 2
    assert "FUNCSIM_HUB=1" in capsys.readouterr().err


FUNCTIONS = """
import torch
from torch import nn

def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))

def with_batches():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), torch.randn(3, 8, 4)

def nothing():
    return 7

def folder():
    return "model"

def no_folder():
    return "nowhere"
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "mine_for_tests.py").write_text(FUNCTIONS)
    monkeypatch.chdir(tmp_path)
    yield "mine_for_tests"
    sys.modules.pop("mine_for_tests", None)


@pytest.fixture
def pictures(tmp_path):
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    for k, pixels in enumerate(np.random.default_rng(0).integers(0, 255, size=(12, 16, 16, 3))):
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{k:02}.png")
    return folder


def test_functions_of_the_reader(mine, pictures, tmp_path):
    assert ask("--model", f"{mine}:network", "--images", pictures, "--out", tmp_path / "a") == 0
    told = json.loads((tmp_path / "a/report.json").read_text())
    assert told["layers"] == ["0", "1", "2"]
    assert told["record"]["inputs"] == "12 images"
    assert ask("--model", f"{mine}:with_batches", "--out", tmp_path / "b") == 0
    told = json.loads((tmp_path / "b/report.json").read_text())
    assert told["record"]["inputs"] == f"24 samples of {mine}:with_batches"
    assert told["boundaries_by_width_alone"] is not None


def test_a_function_may_return_a_folder(mine, folder, texts, tmp_path):
    """As packages do that bring a model along."""
    folder.rename(tmp_path / "model")  # where `mine` looks
    assert ask("--model", f"{mine}:folder", "--texts", texts, "--out", tmp_path / "out") == 0
    told = json.loads((tmp_path / "out/report.json").read_text())
    assert told["record"]["model"] == ["model"]
    with pytest.raises(InputError, match="either texts"):
        load_network(f"{mine}:folder")
    with pytest.raises(ModelError, match="returns 'nowhere', which is no folder"):
        load_network(f"{mine}:no_folder", texts)


def test_what_is_not_installed_is_named(folder, texts, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match=r"pip install 'funcsim\[text\]'"):
        load_network(str(folder), texts)


def test_a_transformer_of_pictures(pictures, tmp_path):
    vit()[0].save_pretrained(tmp_path / "vit")
    size = {"height": 16, "width": 16}
    transformers.ViTImageProcessor(size=size).save_pretrained(tmp_path / "vit")
    assert ask("--model", tmp_path / "vit", "--images", pictures, "--out", tmp_path / "out") == 0
    assert len(json.loads((tmp_path / "out/report.json").read_text())["layers"]) == 3


def test_bad_input_is_named(mine, pictures, folder, tmp_path):
    for name, error, says in (
        (f"{mine}:nothing", ModelError, "returns int"),
        (f"{mine}:missing", ModelError, "write module:function"),
        ("no_such_module:network", ModelError, "no_such_module"),
        (f"{mine}:network", InputError, "a network alone"),
        (str(folder), InputError, "either texts"),
        ("no-such-thing", ModelError, "no-such-thing"),
    ):
        with pytest.raises(error, match=says):
            load_network(name, *(() if "such" not in name else (tmp_path / "t.txt",)))
    few, binary = tmp_path / "few.txt", tmp_path / "binary.txt"
    few.write_text("one\ntwo\n")
    binary.write_bytes(b"\xff\xfe" * 50)
    for path, says in ((few, "has 2 texts"), (binary, "not UTF-8"), (tmp_path / "none.txt", "No such file")):
        with pytest.raises(InputError, match=says):
            load_network(str(folder), path)
    (pictures / "03.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"03\.png cannot be read"):
        load_network(f"{mine}:network", images=pictures)
    with pytest.raises(InputError, match="is no folder"):
        load_network(f"{mine}:network", images=few)
    with pytest.raises(ValueError, match="one layer"):
        analyse(fs.Representations({"a": noise(2).numpy()}))
    with pytest.raises(FuncsimError, match="not empty"):
        write_report(tmp_path, None, "", {})


def test_doubts_are_said():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 12))
    reps = fs.Representations({"a": x, "b": x, "c": x[:, :6], "d": x[:, :6] + 1e-9})
    found = analyse(reps, n_draws=2, progress=False)
    said = " ".join(found.warnings)
    assert "40 samples are few" in said
    assert "The same as the layer before, to rounding: b, d" in said
    assert found.by_width is not None
    assert analyse(reps.select(["a", "b"]), n_draws=2, progress=False).by_width is None
