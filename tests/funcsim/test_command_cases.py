"""What people have met with other tools, asked of `funcsim map`: never a false report, never a traceback."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import funcsim as fs
from funcsim._internal import cache
from funcsim.cli import EFFORTS, MOST_INPUTS, main
from funcsim.errors import InputError
from funcsim.gromov import effort
from funcsim.report import load_network
from funcsim.report.choice import MOST
from funcsim.report.pictures import MOST_PIXELS, read_picture
from funcsim.report.texts import read_texts
from funcsim.similarity import gw

transformers = pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.torch")
WORDS = ["good", "fine", "great", "bad", "poor", "dull", "film", "the", "is", "and"]
AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def tokenizer(words=WORDS):
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {word: k for k, word in enumerate(["[PAD]", "[UNK]", *words])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]")


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A folder with a small BERT of three blocks; copied before it is damaged."""
    folder = tmp_path_factory.mktemp("models") / "bert"
    torch.manual_seed(0)
    config = transformers.BertConfig(
        num_hidden_layers=3,
        hidden_size=16,
        num_attention_heads=2,
        intermediate_size=32,
        vocab_size=20,
        max_position_embeddings=32,
    )
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def damaged(bert, tmp_path):
    """Make a copy of the folder whose weights, or whose configuration, are changed."""

    def make(weights=lambda w: w, **config):
        folder = tmp_path / "damaged"
        shutil.copytree(bert, folder)
        kept = safetensors.load_file(bert / "model.safetensors")
        safetensors.save_file(weights(kept), folder / "model.safetensors", metadata={"format": "pt"})
        written = json.loads((folder / "config.json").read_text()) | config
        (folder / "config.json").write_text(json.dumps(written))
        return folder

    return make


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "texts.txt"
    path.write_text(
        "\n".join(f"the {a} film is {b} and {c}" for a in WORDS[:4] for b in WORDS[:6] for c in WORDS[:2])
    )
    return path


@pytest.fixture
def ask(bert, texts, tmp_path, capsys):
    """Run the command; its exit code and what it says on both channels."""

    def run(*more, model=bert, out=tmp_path / "out", inputs=("--texts", texts)):
        code = main(
            [
                "map",
                "--model",
                str(model),
                *map(str, inputs),
                "--halves",
                "2",
                "--out",
                str(out),
                *map(str, more),
            ]
        )
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def refused(answer, says):
    code, _, err = answer
    assert code == 2, err
    assert re.search(says, err), err
    assert err.strip().count("\n") == 0, "more than one line"
    assert "Traceback" not in err


# ---- weights ----


def without(part):
    return lambda weights: {key: value for key, value in weights.items() if part not in key}


@pytest.mark.parametrize(
    ("change", "config", "says"),
    [
        (lambda w: {f"x.{k}": v for k, v in w.items()}, {}, r"39|55.*not in the files.*embeddings"),
        (lambda w: {f"module.{k}": v for k, v in w.items()}, {}, "not in the files.*embeddings"),
        (without("layer.1."), {}, r"16 weights.*encoder\.layer\.1\."),
        (without("word_embeddings"), {}, r"1 weights.*embeddings\.word_embeddings\.weight"),
        (lambda w: w, {"num_hidden_layers": 5}, r"32 weights.*encoder\.layer\.3\."),
        (lambda w: w, {"num_hidden_layers": 2}, r"16 weights.*have no place.*encoder\.layer\.2\."),
        (lambda w: w, {"intermediate_size": 64}, r"another size.*intermediate\.dense"),
        (lambda w: w, {"hidden_size": 32}, "another size"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_weights_that_layers_need_must_be_there(damaged, ask, change, config, says, more):
    refused(ask(*more, model=damaged(change, **config)), says)


def test_weights_may_be_random_if_that_is_allowed_and_then_it_is_said(damaged, ask, tmp_path):
    code, _, err = ask("--allow-missing-weights", model=damaged(without("layer.1.")))
    assert code == 0, err
    told = json.loads((tmp_path / "out/report.json").read_text())
    assert any("are random numbers: encoder.layer.1." in warning for warning in told["warnings"])
    assert "are random numbers" in (tmp_path / "out/report.html").read_text()


def test_what_the_library_says_of_pooling_names_the_option(tmp_path, monkeypatch, ask):
    (tmp_path / "recurrent_mine.py").write_text(
        "import torch\n"
        "class Reader(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.layers = torch.nn.ModuleList(torch.nn.GRU(4, 4, batch_first=True) for _ in range(3))\n"
        "    def forward(self, x):\n"
        "        for layer in self.layers:\n"
        "            x = layer(x)[0]\n"
        "        return x\n"
        "def network():\n"
        "    return Reader(), [torch.randn(6, n, 4) for n in (3, 5)]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    code, _, said = ask(model="recurrent_mine:network", inputs=())
    assert code == 2
    assert "use --pool mean, cls or last to reduce each sample" in said
    assert "pool=" not in said
    assert ask("--pool", "last", model="recurrent_mine:network", inputs=())[0] == 0


def test_weights_that_no_layer_reads_may_be_missing(damaged, ask):
    folder = damaged(without("pooler"))
    assert ask(model=folder)[0] == 0
    with_pooler = ask("--layers", "encoder.layer.*", "pooler", model=folder, out=folder / "out")
    refused(with_pooler, r"2 weights.*pooler\.dense")


def test_only_the_layers_up_to_the_last_that_is_asked_for_need_their_weights(damaged, ask):
    folder = damaged(without("layer.2."))
    assert ask("--layers", "encoder.layer.0", "encoder.layer.1", model=folder)[0] == 0


def test_the_heads_of_another_task_are_named_and_do_no_harm(damaged, ask, tmp_path):
    def with_head(weights):
        return {f"bert.{k}": v for k, v in weights.items()} | {"cls.predictions.bias": torch.zeros(20)}

    assert ask(model=damaged(with_head))[0] == 0
    assert "cls.predictions.bias" in (tmp_path / "out/report.html").read_text()


def test_weights_are_as_they_were_after_the_check(damaged, texts):
    folder = damaged(without("pooler"))
    network = load_network(str(folder), texts)
    assert all(torch.isfinite(value).all() for value in network.model.state_dict().values())


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_truncated_weights_are_named(bert, ask, tmp_path, share):
    folder = tmp_path / "cut"
    shutil.copytree(bert, folder)
    content = (bert / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: int(share * len(content))])
    refused(ask(model=folder), "could not be loaded from .*cut")


def test_an_encoder_needs_no_weights_of_its_decoder(texts, tmp_path, ask):
    config = transformers.T5Config(
        num_layers=3, d_model=16, num_heads=2, d_ff=32, d_kv=8, vocab_size=20, decoder_start_token_id=0
    )
    transformers.T5Model(config).save_pretrained(tmp_path / "t5")
    tokenizer().save_pretrained(tmp_path / "t5")
    assert ask(model=tmp_path / "t5")[0] == 0
    path = tmp_path / "t5/model.safetensors"
    kept = safetensors.load_file(path)
    safetensors.save_file(without("decoder")(kept), path, metadata={"format": "pt"})
    assert ask(model=tmp_path / "t5", out=tmp_path / "second")[0] == 0
    safetensors.save_file(without("encoder.block.1")(kept), path, metadata={"format": "pt"})
    refused(ask(model=tmp_path / "t5", out=tmp_path / "third"), r"encoder\.block\.1")


def test_an_encoder_saved_without_a_decoder_is_read(texts, tmp_path, ask):
    config = transformers.T5Config(num_layers=3, d_model=16, num_heads=2, d_ff=32, d_kv=8, vocab_size=20)
    transformers.T5EncoderModel(config).save_pretrained(tmp_path / "t5")
    tokenizer().save_pretrained(tmp_path / "t5")
    code, _, err = ask(model=tmp_path / "t5")
    assert code == 0, err
    assert "random numbers" not in (tmp_path / "out" / "report.html").read_text()


# ---- tokens ----


def test_a_missing_tokenizer_is_named(damaged, ask):
    folder = damaged()
    for path in folder.glob("*token*"):
        path.unlink()
    refused(ask(model=folder), "tokenizer")


def test_a_tokenizer_that_knows_no_word_is_named(damaged, ask):
    folder = damaged()
    tokenizer(["other", "words"]).save_pretrained(folder)
    refused(ask(model=folder), "tokenizer of .* is useless.*100% unknown")


def test_a_tokenizer_of_another_vocabulary_is_named(damaged, ask):
    folder = damaged()
    tokenizer([*map(str, range(30)), *WORDS]).save_pretrained(folder)
    refused(ask(model=folder), "gives token 41, but the model's vocabulary ends at 19")


def test_the_same_tokens_for_every_text_are_named(damaged, ask, tmp_path):
    lines = tmp_path / "same.txt"
    lines.write_text("\n".join(f"good film {k}" for k in "abcdefghijklmn"))
    refused(ask(model=damaged(), inputs=("--texts", lines)), "same tokens of every text")


# ---- texts and images ----


def test_one_text_per_newline_and_nothing_else(tmp_path):
    path = tmp_path / "t.txt"
    odd = ["a\u2028b", "c\x0cd", "e\x85f", "g\u2029h", "i\x0bj", "k\x1cl", "m\rn"]
    path.write_bytes("\ufeff".encode() + "\r\n".join([*odd, "", "  ", "o", "p", "q"]).encode() + b"\n")
    assert read_texts(path) == [*odd, "o", "p", "q"]


def picture(path, kind=None, pixels=(8, 8)):
    from PIL import Image

    noise = np.random.default_rng(len(path.name)).integers(0, 255, size=(*pixels, 3))
    Image.fromarray(noise.astype(np.uint8)).save(path, kind)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_pictures_are_opened_by_what_they_hold(tmp_path, kind):
    picture(tmp_path / "named.png", kind)
    assert read_picture(tmp_path / "named.png").size == (8, 8)


@pytest.mark.parametrize("kind", ["TIFF", "EPS", "PPM", "TGA", "ICO", "PDF"])
def test_other_formats_are_not_opened_whatever_their_name(tmp_path, kind):
    picture(tmp_path / "named.png", kind, (16, 16))
    with pytest.raises(InputError, match=r"named\.png cannot be read as a picture"):
        read_picture(tmp_path / "named.png")


def test_postscript_starts_no_program(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(subprocess, "check_call", lambda *a, **k: started.append(a))
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(a))
    (tmp_path / "a.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{} loop\n"
    )
    with pytest.raises(InputError):
        read_picture(tmp_path / "a.png")
    assert started == []


@pytest.mark.parametrize("side", [9_000, 15_000, 60_000])
def test_a_bomb_is_refused_by_its_size(tmp_path, side):
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9))
        + chunk(b"IEND", b"")
    )
    (tmp_path / "bomb.png").write_bytes(content)
    assert side**2 > MOST_PIXELS
    with pytest.raises(InputError, match=r"bomb\.png .*(too large|pixels)"):
        read_picture(tmp_path / "bomb.png")


# ---- places and options ----


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--device", "gpu0"), "--device gpu0 cannot be used here"),
        (("--device", "cuda:77"), "--device cuda:77 cannot be used here"),
        (("--device", "meta"), "--device meta"),
        (("--layers", "encoder.layer.0"), "one layer, 'encoder.layer.0', makes no map"),
        (("--layers", "no.such.*"), "no.such"),
        (("--halves", "0"), "--halves 0 is out of range"),
        (("--twin", "-1"), "--twin -1 is out of range"),
        (("--twin", "1"), "one copy makes no band"),
        (("--halves", "1"), "--halves 1 is out of range"),
        (("--halves", "-3"), "--halves -3 is out of range"),
        (("--seed", "-1"), "--seed -1 is out of range"),
        (("--seed", str(2**40)), "--seed .* is out of range"),
        (("--measure", "nope"), "--measure nope is unknown"),
        (("--measure", "cka", "--effort", "quick"), "--effort quick: only gw is searched for"),
        (("--max-length", "0"), "--max-length 0 is out of range"),
        (("--inputs", "3"), "--inputs 3 is out of range"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_computed(ask, monkeypatch, tmp_path, options, says, more):
    monkeypatch.setattr("funcsim.report.command.analyse", lambda *a, **k: pytest.fail("it computed"))
    refused(ask(*options, *more), says)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
@pytest.mark.parametrize("place", ["file/out", "/proc/no/such/out", "x" * 300, "nul\0byte"])
def test_where_nothing_can_be_written_is_said_before_anything_is_loaded(ask, tmp_path, place, more):
    (tmp_path / "file").write_text("not a folder")
    refused(ask(*more, model="no-such-model", out=tmp_path / place), "--out .* cannot be written to")


@pytest.mark.skipif(AS_ROOT, reason="nothing is closed to the administrator")
def test_a_closed_folder_is_named(ask, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    refused(ask(out=tmp_path / "closed/out"), "--out .* cannot be written to: Permission denied")


def test_looking_leaves_nothing_behind(ask, tmp_path):
    assert ask("--dry-run", out=tmp_path / "a/b/c")[0] == 0
    assert not (tmp_path / "a").exists()


def test_an_unwritable_cache_is_off_with_one_warning(ask, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("FUNCSIM_CACHE", str(tmp_path / "file/cache"))
    code, _, err = ask()
    assert code == 0
    assert err.count("FUNCSIM_CACHE") == 1
    assert err.strip().count("\n") == 0


def test_comparing_goes_on_without_a_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("FUNCSIM_CACHE", str(tmp_path / "file/cache2"))
    rng = np.random.default_rng(0)
    reps = fs.Representations({name: rng.normal(size=(8, 3)) for name in "abc"})
    with pytest.warns(UserWarning, match="FUNCSIM_CACHE") as caught:
        values = fs.compare(reps, progress=False).values
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fs.compare(reps, progress=False)
    assert len(caught) == 1
    monkeypatch.setenv("FUNCSIM_CACHE", "off")
    assert np.array_equal(values, fs.compare(reps, progress=False).values)


def test_without_a_home_there_is_no_cache(monkeypatch):
    monkeypatch.delenv("FUNCSIM_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    monkeypatch.setattr(cache, "_refused", set())
    with pytest.warns(UserWarning, match="no home is known"):
        assert cache.cache_dir() is None


def test_what_killed_processes_leave_is_removed(tmp_path):
    old = tmp_path / "ab" / ".abc.json.1234"
    cache.write(tmp_path, "ab" + "0" * 62, [1.0])
    old.write_text("half")
    new = old.with_name(".abc.json.5678")
    new.write_text("half")
    os.utime(old, (time.time() - 7200,) * 2)
    cache._written.clear()
    cache.write(tmp_path, "ab" + "1" * 62, [1.0])
    assert not old.exists()
    assert new.exists()  # perhaps of a process that is writing now
    assert cache.read(tmp_path, "ab" + "0" * 62) == [1.0]


def test_the_oldest_pairs_make_room(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "MOST_PER_FOLDER", 16)
    monkeypatch.setattr(cache, "SWEEP_EVERY", 1)
    keys = [f"ab{k:062d}" for k in range(40)]
    for k, key in enumerate(keys):
        cache.write(tmp_path, key, [float(k)])
        os.utime(tmp_path / "ab" / f"{key}.json", (k, k))
    left = [key for key in keys if cache.read(tmp_path, key)]
    assert 14 <= len(left) <= 16
    assert left == keys[-len(left) :]


@pytest.mark.parametrize("mask", [0o077, 0o022])
def test_files_keep_to_the_mask(ask, tmp_path, mask):
    before = os.umask(mask)
    try:
        assert ask()[0] == 0
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert modes == {0o666 & ~mask}


FAILING = """
import torch
from torch import nn

class Bad(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(5, 4)

    def forward(self, x):
        return self.b(self.a(x))

def stops():
    return Bad(), [torch.zeros(12, 4)]

def fails():
    raise KeyError("what")

def empty():
    return nn.Linear(4, 4), []

def words():
    return nn.Linear(4, 4), [["a", "b"]]

def gone():
    return 1 / 0

seven = 7
"""


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("stops", "stops on these inputs.*shapes cannot be multiplied"),
        ("fails", "fails: KeyError"),
        ("gone", "fails: ZeroDivisionError"),
        ("seven", "is no function"),
        ("empty", "no batch"),
        ("words", "without a tensor"),
        ("a.b", "write module:function"),
        ("", "write module:function"),
    ],
)
def test_a_function_of_the_readers_that_fails_is_named(ask, tmp_path, monkeypatch, function, says):
    (tmp_path / "failing_functions.py").write_text(FAILING)
    monkeypatch.chdir(tmp_path)
    refused(ask(model=f"failing_functions:{function}", inputs=()), says)
    sys.modules.pop("failing_functions", None)


def test_what_nobody_thought_of_is_one_line_too(ask, monkeypatch):
    def surprise(*arguments, **options):
        raise LookupError("surprise\nin two lines")

    monkeypatch.setattr("funcsim.report.command.analyse", surprise)
    code, _, err = ask()
    assert code == 1
    assert err.strip() == "funcsim map: LookupError: surprise in two lines (--debug shows where)"
    with pytest.raises(LookupError):
        ask("--debug")


def test_the_effort_that_is_asked_for_is_the_one_that_is_used(ask, tmp_path, monkeypatch):
    searched, solve = [], gw.solve

    def recording(a, b, effort="usual"):
        searched.append(effort)
        return solve(a, b, effort=effort)

    monkeypatch.setattr(gw, "solve", recording)
    for asked, used in (((), "usual"), (("--effort", "quick"), "quick")):
        searched.clear()
        out = tmp_path / used
        assert ask(*asked, out=out)[0] == 0
        assert set(searched) == {used}
        assert json.loads((out / "report.json").read_text())["record"]["effort"] == used


# ---- forecast ----


def test_the_command_and_the_library_draw_as_many():
    assert MOST_INPUTS == MOST
    assert EFFORTS == effort.EFFORTS


def test_a_forecast_for_many_texts_takes_seconds_and_counts_matrices(ask, tmp_path):
    path = tmp_path / "many.txt"
    rng = np.random.default_rng(0)
    path.write_text("\n".join(" ".join(row) for row in rng.choice(WORDS, size=(100_000, 6))))
    began = time.process_time()
    code, out, err = ask("--dry-run", inputs=("--texts", path))
    assert code == 0, err
    assert time.process_time() - began < 60
    assert "2000 of 100000 texts, drawn at random" in out
    assert "74.5 GiB for each matrix" in out
    assert "30 MiB each" in out or "31 MiB each" in out


def test_more_inputs_than_are_used_are_said(ask, tmp_path):
    code, out, _ = ask("--inputs", "12")
    assert code == 0
    assert "12 of 48 texts, drawn at random" in out
    told = json.loads((tmp_path / "out/report.json").read_text())
    assert any("12 were drawn at random" in warning for warning in told["warnings"])
    assert told["record"]["inputs"] == "12 of 48 texts, drawn at random"
    assert "12 were drawn at random" in (tmp_path / "out/report.html").read_text()


def test_cost_of_shapes_and_of_representations():
    cost = fs.estimate_cost([(100_000, 768)] * 12, n_draws=20)
    assert cost.n_pairs == 66
    assert cost.matrix_bytes == 8 * 100_000**2
    assert cost.memory_bytes > 12 * cost.matrix_bytes
    assert cost.seconds > 1e6
    assert "GiB" in str(cost)
    rng = np.random.default_rng(0)
    reps = fs.Representations({name: rng.normal(size=(60, 5)) for name in "abc"})
    small = fs.estimate_cost(reps, measure="cka")
    assert small.n_samples == 60
    assert fs.estimate_cost({"a": (60, 5), "b": (60, 5)}).n_layers == 2
    for shapes in ([], [(3,)], [(0, 4)], [(5, 3), (6, 3)], "ab", [(1, 5)], 7, {"a": None}):
        with pytest.raises(InputError):
            fs.estimate_cost(shapes)
    with pytest.raises(ValueError, match="unknown"):
        fs.estimate_cost(reps, measure="nope")
    with pytest.raises(ValueError, match="n_draws"):
        fs.estimate_cost(reps, n_draws=-1)
