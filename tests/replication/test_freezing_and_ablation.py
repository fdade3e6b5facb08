"""Encoders without some of their blocks, or without training in them."""

import dataclasses

import numpy as np
import pytest
import torch

import funcsim as fs
from funcsim._internal.threads import one_thread
from funcsim.errors import ModelError
from replication.__main__ import main
from replication.data.sentiment import toy_corpus
from replication.encoder import block_ablation, freezing, inputs
from replication.encoder.inputs import corpora
from replication.models.block_surgery import (
    drop_block,
    first_blocks,
    predict_rearranged,
    rearranged,
    swap_blocks,
)
from replication.models.encoders import load_encoder
from replication.registry import EXPERIMENTS
from replication.run import Run
from replication.stored import folder_of, load_record
from replication.training import fine_tuning
from replication.training.fine_tuning import fine_tune, predict

pytest.importorskip("transformers")

TEXTS = corpora("sst2", smoke=True)
PLAN = freezing.PLANS["sst2-freeze"].tiny()
RUN = Run("ablations/some", "smoke", work=None, progress=False, encoder="tiny")


def right(encoder):
    return predict(encoder, TEXTS[1], 16).argmax(axis=1) == TEXTS[1].labels


@pytest.fixture(scope="module")
def decided():
    """An encoder of large weights: it says something else of every text, and every block matters."""
    encoder = load_encoder("tiny")
    with torch.no_grad():
        for name, parameter in encoder.model.named_parameters():
            if name.endswith("weight") and "LayerNorm" not in name:
                parameter *= 20
    return encoder


def by_hand(encoder, order, batch):
    """The blocks one after another, then pooler and classifier."""
    bert = encoder.model.bert
    hidden = bert.embeddings(batch["input_ids"])
    mask = (1.0 - batch["attention_mask"][:, None, None, :].float()) * torch.finfo(torch.float32).min
    for k in order:
        hidden = bert.encoder.layer[k](hidden, mask)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
    return encoder.model.classifier(bert.pooler(hidden))


@pytest.mark.parametrize(
    ("cut", "order"),
    [
        (lambda e: first_blocks(e, 0), []),
        (lambda e: first_blocks(e, 2), [0, 1]),
        (lambda e: first_blocks(e, 4), [0, 1, 2, 3]),
        (lambda e: drop_block(e, 1), [0, 2, 3]),
        (lambda e: swap_blocks(e, 2), [0, 1, 3, 2]),
        (lambda e: rearranged(e, [3, 3]), [3, 3]),
    ],
)
@torch.no_grad()
def test_a_rearranged_encoder_passes_just_these_blocks(cut, order):
    encoder = load_encoder("tiny")
    batch = encoder.encode(TEXTS[1].texts[:6], 16)
    whole = encoder.model(**batch).logits
    other = cut(encoder)
    assert other.n_blocks == len(order) == len(other.model.bert.encoder.layer)
    assert torch.allclose(other.model(**batch).logits, by_hand(encoder, order, batch), atol=1e-6)
    assert torch.equal(encoder.model(**batch).logits, whole)  # which is as it was
    assert encoder.n_blocks == 4


def test_blocks_that_are_not_there_are_refused():
    with pytest.raises(ModelError, match="has blocks 0 to 3, and 4 was asked for"):
        first_blocks(load_encoder("tiny"), 5)


@pytest.mark.parametrize("n", [1, 3, 4])
def test_frozen_blocks_do_not_move_and_all_others_do(n):
    encoder = load_encoder("tiny")
    config = dataclasses.replace(PLAN.training, freeze=encoder.frozen_prefixes(n))
    before = {name: [p.clone() for p in part] for name, part in encoder.parts.items()}
    fine_tune(encoder, *TEXTS, config, progress=False)
    frozen = {"embeddings", *(f"block {k + 1}" for k in range(n))}
    for name, part in encoder.parts.items():
        stayed = [torch.equal(p, was) for p, was in zip(part, before[name], strict=True)]
        assert all(stayed) if name in frozen else not any(stayed), name


def test_what_all_blocks_share_is_frozen_with_the_first():
    from transformers import MPNetConfig, MPNetForSequenceClassification

    tiny = load_encoder("tiny")
    config = MPNetConfig(
        vocab_size=tiny.model.config.vocab_size,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        num_labels=2,
        pad_token_id=0,
    )
    mpnet = dataclasses.replace(tiny, model=MPNetForSequenceClassification(config))
    name = "mpnet.encoder.relative_attention_bias.weight"
    for n, stays in ((0, False), (1, True), (3, True)):
        encoder = first_blocks(mpnet, 3)
        training = dataclasses.replace(PLAN.training, steps=2, freeze=encoder.frozen_prefixes(n))
        before = dict(encoder.model.named_parameters())[name].clone()
        fine_tune(encoder, *TEXTS, training, progress=False)
        assert torch.equal(dict(encoder.model.named_parameters())[name], before) == stays


def test_only_the_chosen_rows_are_trained_and_only_so_many_texts_answered(tmp_path):
    plan = dataclasses.replace(PLAN, ns=(1, 4), n_validation=12)
    run = dataclasses.replace(RUN, out=tmp_path)
    made = freezing.read(run.folder, freezing.compute(plan, run))
    assert made.n.tolist() == [1, 4]
    assert made.right.shape == (2, 12)


def test_freezing_and_keeping_are_what_they_say(decided):
    encoder = first_blocks(decided, 4)
    frozen = freezing.fine_tune_all(encoder, TEXTS, PLAN, RUN)
    kept = freezing.fine_tune_all(encoder, TEXTS, dataclasses.replace(PLAN, kind="first"), RUN)
    assert (frozen.n.tolist(), kept.n.tolist()) == ([1, 2, 3, 4], [0, 1, 2, 3, 4])
    for found, n, made in ((frozen, 3, encoder), (kept, 2, first_blocks(encoder, 2))):
        config = PLAN.training
        if found is frozen:
            config = dataclasses.replace(config, freeze=encoder.frozen_prefixes(n))
        alone = first_blocks(made, made.n_blocks)
        fine_tune(alone, *TEXTS, config, progress=False, precision=PLAN.precision)
        row = found.n.tolist().index(n)
        assert np.array_equal(found.right[row], right(alone))
        assert found.accuracy[row] == right(alone).mean()
    assert len({row.tobytes() for row in (*frozen.right, *kept.right)}) > 3


def test_an_ablation_that_was_stopped_does_not_train_anew_what_is_done(tmp_path, monkeypatch):
    encoder, trained = load_encoder("tiny"), []
    run = dataclasses.replace(RUN, work=tmp_path)
    whole = freezing.fine_tune_all(encoder, TEXTS, PLAN, RUN)

    def stop_at_third(*told):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(told)
        return fine_tune(*told)

    monkeypatch.setattr(freezing, "fine_tune", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        freezing.fine_tune_all(encoder, TEXTS, PLAN, run)
    assert sorted(p.name for p in tmp_path.rglob("*.safetensors")) == [
        "answers-1.safetensors",
        "answers-2.safetensors",
    ]
    trained.clear()
    resumed = freezing.fine_tune_all(encoder, TEXTS, PLAN, run)
    assert len(trained) == 2
    assert np.array_equal(whole.right, resumed.right)


def test_interventions_leave_every_weight_alone(decided):
    encoder = first_blocks(decided, 4)
    plan = block_ablation.PLANS["sst2-interventions"].tiny()
    found, _ = block_ablation.fine_tune_and_ablate(encoder, TEXTS, plan, RUN)
    for kind, row, cut in (
        ("whole", None, encoder),
        ("first", 3, first_blocks(encoder, 3)),
        ("without", 0, drop_block(encoder, 0)),
        ("swapped", 2, swap_blocks(encoder, 2)),
    ):
        found_right = getattr(found, kind) if row is None else getattr(found, kind)[row]
        assert np.array_equal(found_right, right(cut)), kind
    assert found.first.shape == (4, 40)
    assert len({row.tobytes() for row in (*found.first, *found.without, *found.swapped)}) > 3
    assert found.readouts.shape == (2, 2, 2, 4)
    assert found.ranges.tolist() == [[a, b] for a in range(4) for b in range(a + 1, 5)]
    middle = found.ranges.tolist().index([1, 3])
    assert np.array_equal(found.left_out[middle], right(rearranged(encoder, [0, 3])))


@pytest.mark.parametrize("order", [[], [0, 1], [0, 1, 2, 3], [1, 3], [0, 2, 1, 3], [3, 3], [0, 0]])
def test_shared_blocks_answer_as_copies_do(decided, order):
    encoder = first_blocks(decided, 4)
    before = encoder.model.state_dict()
    (logits,) = predict_rearranged(encoder, TEXTS[1], [order], 16, batch_size=7)
    alone = predict(rearranged(encoder, order), TEXTS[1], 16, batch_size=7)
    assert np.allclose(logits, alone, atol=1e-6)
    assert encoder.model.state_dict().keys() == before.keys()
    assert np.array_equal(right(encoder), right(first_blocks(decided, 4)))


def test_an_order_with_a_block_that_is_not_there_is_refused():
    with pytest.raises(ModelError, match="has blocks 0 to 3, and 4 was asked for"):
        predict_rearranged(load_encoder("tiny"), TEXTS[1], [[0], [4]], 16)


def test_interventions_begin_where_dynamics_has_ended(tmp_path, monkeypatch):
    told = {"profile": "smoke", "seed": 2, "progress": False}
    interventions = EXPERIMENTS["ablations/sst2-interventions"]
    interventions.run(out=tmp_path / "alone", work=tmp_path / "nothing", **told)
    EXPERIMENTS["dynamics/sst2-equal"].run(out=tmp_path / "after", work=tmp_path / "work", **told)
    assert not (tmp_path / "work/fine-tuned").exists()  # that was another training
    EXPERIMENTS["dynamics/sst2"].run(out=tmp_path / "after", work=tmp_path / "work", **told)
    monkeypatch.setattr(fine_tuning, "_step", None)
    interventions.run(out=tmp_path / "after", work=tmp_path / "work", **told)
    alone, after = (
        (tmp_path / made / folder_of("ablations/sst2-interventions", 2) / block_ablation.FILE).read_bytes()
        for made in ("alone", "after")
    )
    assert alone == after
    with pytest.raises(TypeError):  # another seed has to be trained
        interventions.run(out=tmp_path, work=tmp_path / "work", **told | {"seed": 3})
    monkeypatch.setattr(inputs, "corpora", lambda *told: (toy_corpus(80, seed=5), TEXTS[1]))
    with pytest.raises(TypeError):  # and so have other texts
        interventions.run(out=tmp_path, work=tmp_path / "work", **told)


def test_a_readout_finds_a_word_and_nothing_where_there_is_none():
    encoder = load_encoder("tiny")
    learned, read = TEXTS
    reps = block_ablation._blocks(encoder, learned, read, 16)
    assert block_ablation._readouts(reps, learned, read)[0].min() > 0.9
    shuffled = dataclasses.replace(learned, labels=np.random.default_rng(0).permutation(learned.labels))
    assert block_ablation._readouts(reps, shuffled, read).mean() < 0.75


def test_twelve_blocks_answer_in_the_precision_of_their_plan(monkeypatch):
    plan, seen = block_ablation.PLANS_OF_TWELVE["sst2-interventions"], []
    assert plan.precision == "bfloat16"
    assert plan.training == freezing.SHORTER["sst2"]
    answer = block_ablation.predict_rearranged
    monkeypatch.setattr(
        block_ablation,
        "predict_rearranged",
        lambda *told: seen.append(torch.is_autocast_enabled("cpu")) or answer(*told),
    )
    for precision in ("bfloat16", "float32"):
        tiny = dataclasses.replace(plan.tiny(), precision=precision)
        block_ablation.fine_tune_and_ablate(load_encoder("tiny"), TEXTS, tiny, RUN)
    assert seen == [True, False]


def test_what_was_ablated_comes_back_and_takes_another_encoder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["experiments", "--profile", "smoke", "--seed", "1", "--only"]
    for name in ("sst2-freeze", "yelp-interventions"):
        assert main([*command, f"ablations/{name}", "--encoder", "bert-base"]) == 0
    assert not (tmp_path / "_build/experiments/ablations").exists()
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "_build/smoke"))
    for module, name, array in (
        (freezing, "sst2-freeze", "right"),
        (block_ablation, "yelp-interventions", "swapped"),
    ):
        run, plan = dataclasses.replace(RUN, seed=1), module.PLANS[name].tiny()
        texts, encoder = corpora(plan.task, smoke=True), load_encoder("tiny", 1)
        with one_thread():
            if module is freezing:
                made = freezing.fine_tune_all(encoder, texts, plan, run)
            else:
                made, _ = block_ablation.fine_tune_and_ablate(encoder, texts, plan, run)
        stored, again = module.load(name, seed=1), module.load(name, "smoke", seed=1)
        assert np.array_equal(getattr(stored, array), getattr(made, array))
        assert getattr(again, array).shape == getattr(made, array).shape
        assert load_record(f"ablations/{name}", 1).parameters["encoder"] == "tiny"
        with pytest.raises(ValueError, match="nothing-such"):
            module.load("nothing-such")


def test_a_whole_truncated_encoder_is_captured_like_any_other():
    encoder = first_blocks(load_encoder("tiny"), 2)
    batch = encoder.encode(TEXTS[1].texts[:6], 16)
    reps = fs.capture(encoder.model, [batch], f"{encoder.blocks}.*", "cls", progress=False)
    assert len(reps.names) == 2
