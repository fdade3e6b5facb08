"""Fine-tuning: it learns, it resumes to the same bits, it freezes what it is told to freeze."""

import dataclasses

import numpy as np
import pytest
import torch

from funcsim.errors import FileFormatError, ModelError
from replication.data.sentiment import toy_corpus
from replication.models.encoders import load_encoder
from replication.training.fine_tuning import FineTuningConfig, fine_tune, predict, scores
from replication.training.neuroprune import blocks_of, model_sparsity, sparsifier

pytest.importorskip("transformers")

CONFIG = FineTuningConfig(steps=12, batch_size=8, max_length=16, lr=1e-3, eval_every=5, save_every=4)
TRAIN, VALIDATION = toy_corpus(60, seed=0), toy_corpus(20, seed=1)


def weights(encoder):
    return torch.cat([w.detach().flatten().float() for w in encoder.model.state_dict().values()])


def test_an_encoder_learns_words_that_tell_the_label():
    encoder = load_encoder("tiny")
    config = dataclasses.replace(CONFIG, steps=60, lr=5e-3, freeze=())
    history = fine_tune(encoder, TRAIN, VALIDATION, config, progress=False)
    assert history.val_accuracy[-1] > 0.9 > history.val_accuracy[0]
    assert history.step == [0, *range(5, 61, 5)]
    logits = predict(encoder, VALIDATION, 16)
    assert scores(logits, VALIDATION.labels)["accuracy"] == history.val_accuracy[-1]


@pytest.mark.parametrize(
    ("method", "precision"),
    [(None, "float32"), (None, "bfloat16"), ("neuroprune", "float32"), ("magnitude", "float32")],
)
def test_resumed_fine_tuning_equals_uninterrupted_to_the_bit(tmp_path, method, precision):
    class StopError(Exception):
        pass

    def run(state, stop_at=None):
        encoder = load_encoder("tiny")
        prune = sparsifier(encoder.model, method, 0.5, CONFIG) if method else None

        def after_step(model, step, lr):
            if prune:
                prune(model, step, lr)
            if step == stop_at:
                raise StopError

        told = {"state": state, "after_step": after_step, "precision": precision}
        return encoder, fine_tune(encoder, TRAIN, VALIDATION, CONFIG, progress=False, **told)

    whole, history = run(None)
    with pytest.raises(StopError):
        run(tmp_path / "state", stop_at=9)
    resumed, again = run(tmp_path / "state")
    assert torch.equal(weights(whole), weights(resumed))
    assert again.val_loss == history.val_loss
    assert again.train_loss[1:] == history.train_loss[1:]
    finished, last = run(tmp_path / "state")  # nothing is left to do
    assert torch.equal(weights(whole), weights(finished))
    assert last.val_loss == history.val_loss


def test_what_is_frozen_does_not_move_and_the_rest_does():
    encoder = load_encoder("tiny")
    before = {k: v.clone() for k, v in encoder.model.state_dict().items()}
    config = dataclasses.replace(CONFIG, freeze=("word_embeddings", "layer.0."))
    fine_tune(encoder, TRAIN, VALIDATION, config, progress=False)
    for name, after in encoder.model.state_dict().items():
        frozen = "word_embeddings" in name or "layer.0." in name
        assert torch.equal(before[name], after) == frozen, name


def test_half_precision_is_that_of_the_products_only():
    """The weights move almost as they do in float32, but not quite, and stay float32."""
    start = weights(load_encoder("tiny"))
    moved = {}
    for precision in ("float32", "bfloat16"):
        encoder = load_encoder("tiny")
        fine_tune(encoder, TRAIN, VALIDATION, CONFIG, progress=False, precision=precision)
        assert {w.dtype for w in encoder.model.parameters()} == {torch.float32}
        moved[precision] = weights(encoder) - start
    apart = (moved["float32"] - moved["bfloat16"]).norm() / moved["float32"].norm()
    assert 1e-4 < apart < 0.3
    with pytest.raises(ValueError, match="it can be float32 or bfloat16"):
        fine_tune(encoder, TRAIN, VALIDATION, CONFIG, progress=False, precision="float16")


def test_every_text_is_seen_once_in_an_epoch():
    from replication.training.fine_tuning import _Order

    order = _Order(load_encoder("tiny"), TRAIN, dataclasses.replace(CONFIG, batch_size=6), seed=0)
    batches = [order.batch(k) for k in range(20)]
    labels = torch.cat([labels for _, labels in batches[:10]])
    assert len(labels) == 60
    assert labels.sum() == TRAIN.labels.sum()
    assert sorted(order.rows.ravel().tolist()) == list(range(60))
    first = [row.tolist() for row in order.rows]
    order.batch(0)
    assert first != [row.tolist() for row in order.rows]  # another order in the next epoch


def test_loss_accuracy_and_f1_by_hand():
    logits = np.log(np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]]))
    found = scores(logits, np.array([0, 1, 0, 1]))
    assert found["loss"] == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.3]).mean())
    assert found["accuracy"] == 0.5
    assert found["f1"] == pytest.approx(2 / (2 + 1 + 1))


def test_a_model_made_sparse_while_it_learns():
    encoder = load_encoder("tiny")
    config = dataclasses.replace(CONFIG, steps=30)
    prune = sparsifier(encoder.model, "magnitude", 0.7, config)
    fine_tune(encoder, TRAIN, VALIDATION, config, after_step=prune, progress=False)
    assert model_sparsity(encoder.model) == pytest.approx(0.7, abs=0.01)
    assert all(
        (linear.weight[~linear.alive] == 0).all() for b in blocks_of(encoder.model) for linear in b.linears
    )


def test_wrong_input_is_refused_before_anything_is_learned(tmp_path):
    encoder = load_encoder("tiny")
    with pytest.raises(ModelError, match="at most 32 tokens"):
        fine_tune(encoder, TRAIN, VALIDATION, dataclasses.replace(CONFIG, max_length=64), progress=False)
    (tmp_path / "state").write_bytes(b"nothing")
    with pytest.raises(FileFormatError, match="not a whole safetensors file"):
        fine_tune(encoder, TRAIN, VALIDATION, CONFIG, state=tmp_path / "state", progress=False)


def test_the_learning_rate_falls_linearly_and_is_the_one_that_is_used(monkeypatch):
    assert [CONFIG.lr_at(step) / CONFIG.lr for step in (0, 3, 6, 12)] == [1, 0.75, 0.5, 0]
    told, encoder = [], load_encoder("tiny")
    fine_tune(
        encoder, TRAIN, VALIDATION, CONFIG, after_step=lambda *args: told.append(args[2]), progress=False
    )
    assert told == [CONFIG.lr_at(step) for step in range(CONFIG.steps)]
    monkeypatch.setattr(FineTuningConfig, "lr_at", lambda self, step: 0.0)
    before, still = weights(load_encoder("tiny")), load_encoder("tiny")
    fine_tune(still, TRAIN, VALIDATION, CONFIG, progress=False)
    assert torch.equal(weights(still), before)
    assert not torch.equal(weights(encoder), before)
