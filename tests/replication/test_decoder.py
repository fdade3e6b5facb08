"""The small decoder: its texts, its training, and what it loses without some of its blocks."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from funcsim.errors import InputError, ModelError
from replication.decoder import experiment, training
from replication.decoder.model import load_decoder, token_losses, untrained
from replication.decoder.shortened import block_influence, losses_without, state_cosines
from replication.decoder.texts import END, byte_pairs, load_texts, windows
from replication.decoder.training import Recipe, train, window_losses

pytest.importorskip("transformers")
SIZES = experiment.Plan().tiny().sizes


@pytest.fixture(scope="module")
def texts():
    return load_texts(smoke=True)


@pytest.fixture(scope="module")
def tokenizer(texts):
    return byte_pairs(texts.train, SIZES.vocabulary)


@pytest.fixture
def decoder(tokenizer):
    return untrained(SIZES, tokenizer, seed=0)


@pytest.fixture(scope="module")
def ids(tokenizer, texts):
    return windows(tokenizer, texts.train, SIZES.window, seed=0)


def test_windows_hold_the_texts_one_after_the_other(tokenizer, texts, ids):
    order = np.random.default_rng(0).permutation(len(texts.train))
    joined = tokenizer.decode(ids.ravel(), skip_special_tokens=False)
    expected = "".join(texts.train[k] + END for k in order)
    assert expected.startswith(joined.removesuffix("\ufffd"))
    assert len(expected) - len(joined) < 60  # the last window is full or left out
    assert ids.max() < SIZES.vocabulary
    assert not np.array_equal(ids, windows(tokenizer, texts.train, SIZES.window, seed=1))
    with pytest.raises(InputError, match=r"1 texts have \d+ tokens, and a window takes 1000"):
        windows(tokenizer, texts.train[:1], 1000, seed=0)


def test_the_loss_of_a_token_is_that_of_its_prediction():
    logits = torch.zeros(1, 3, 5)
    logits[0, 0, 2] = 100.0
    found = token_losses(logits, torch.tensor([[1, 2, 4]]))
    assert found[0, 0].item() == pytest.approx(0, abs=1e-6)
    assert found[0, 1].item() == pytest.approx(np.log(5))


@pytest.mark.parametrize("run", [(0, 1), (1, 3), (3, 4), (0, 4)])
def test_left_out_blocks_are_left_out(decoder, ids, run):
    """As if the network had never had them."""
    first, stop = run
    judged = ids[:5]
    shorter = copy.deepcopy(decoder.model)
    shorter.transformer.h = torch.nn.ModuleList(
        [*shorter.transformer.h[:first], *shorter.transformer.h[stop:]]
    )
    part = torch.from_numpy(judged)
    with torch.no_grad():
        expected = token_losses(shorter(input_ids=part).logits, part).mean(dim=1)
    found = losses_without(decoder, judged, [run], batch=2)[0]
    assert found == pytest.approx(expected.numpy(), rel=1e-5)
    assert not np.allclose(found, window_losses(decoder, judged), rtol=1e-5)
    assert len(decoder.model.transformer.h) == SIZES.n_blocks


def test_a_block_that_changes_nothing_has_no_influence(decoder, ids):
    block = decoder.model.transformer.h[2]
    with torch.no_grad():
        for out in (block.attn.c_proj, block.mlp.c_proj):
            out.weight.zero_()
            out.bias.zero_()
    cosines = state_cosines(decoder, ids[:6], batch=4)
    influence = block_influence(cosines)
    assert cosines.shape == (SIZES.n_blocks + 1,) * 2
    assert np.diag(cosines) == pytest.approx(np.ones(SIZES.n_blocks + 1), abs=1e-5)
    assert influence[2] == pytest.approx(0, abs=1e-5)
    assert (np.delete(influence, 2) > 1e-4).all()


def test_training_goes_on_to_the_same_bits(tokenizer, ids, tmp_path, monkeypatch):
    recipe = Recipe(steps=6, batch=4, warmup=2, eval_every=2, save_every=2)
    whole, halted = untrained(SIZES, tokenizer, 0), untrained(SIZES, tokenizer, 0)
    expected = train(whole, ids, ids[:3], recipe, seed=0, progress=False)
    save = training.save_state

    def and_stop(*told, **more):
        save(*told, **more)
        raise KeyboardInterrupt

    state = tmp_path / "state.safetensors"
    monkeypatch.setattr(training, "save_state", and_stop)
    with pytest.raises(KeyboardInterrupt):
        train(halted, ids, ids[:3], recipe, seed=0, state=state, progress=False)
    monkeypatch.setattr(training, "save_state", save)
    resumed = untrained(SIZES, tokenizer, 1)  # other weights, which the state replaces
    found = train(resumed, ids, ids[:3], recipe, seed=0, state=state, progress=False)
    assert (found.step, found.train_loss, found.val_loss) == (
        expected.step,
        expected.train_loss,
        expected.val_loss,
    )
    for one, other in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_it_learns(tokenizer, ids):
    small = untrained(SIZES, tokenizer, 0)
    recipe = Recipe(steps=60, batch=16, lr=1e-2, warmup=5, eval_every=60, save_every=60)
    before = window_losses(small, ids[:20]).mean()
    train(small, ids, ids[:20], recipe, seed=0, progress=False)
    assert window_losses(small, ids[:20]).mean() < 0.7 * before


def test_the_learning_rate_rises_and_falls():
    recipe = Recipe(steps=1000, warmup=100)
    rates = [recipe.lr_at(step) for step in range(1000)]
    assert np.argmax(rates) in range(95, 105)
    assert rates[0] == pytest.approx(recipe.lr / 100)
    assert rates[-1] == pytest.approx(recipe.lr / 10, rel=0.01)


def test_what_is_asked_is_stored(tmp_path, monkeypatch):
    record = experiment.EXPERIMENTS["decoder"].run(
        "smoke", out=tmp_path / "out", work=tmp_path / "work", progress=False
    )
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path / "out"))
    again, tiny = experiment.load(), experiment.load("smoke")
    assert record.results["perplexity"] == pytest.approx(np.exp(again.whole.mean()))
    for key in experiment.ARRAYS:
        assert np.array_equal(getattr(again, key), getattr(tiny, key)), key
    assert again.without.shape == (10, 8)
    assert again.history.step == tiny.history.step
    assert again.maps["b/last/gw"].names == again.twin().names
    assert not np.allclose(again.maps["a/mean/gw"].values, again.maps["b/mean/gw"].values)


def test_too_few_texts_are_refused(decoder, texts):
    plan = replace(experiment.Plan().tiny(), n_mapped=10_000)
    run = experiment.Run("decoder", "smoke", progress=False, encoder="tiny")
    with pytest.raises(InputError, match=r"fill \d+ windows, and 20008 are needed"):
        experiment.ask(decoder, None, texts, plan, run)


def test_a_decoder_from_a_folder_is_asked_the_same(decoder, tmp_path):
    decoder.model.save_pretrained(tmp_path / "kept")
    decoder.tokenizer.save_pretrained(tmp_path / "kept")
    loaded = load_decoder(str(tmp_path / "kept"))
    assert (loaded.n_blocks, loaded.blocks) == (SIZES.n_blocks, "transformer.h")
    texts = load_texts(smoke=True)
    plan = experiment.Plan().tiny()
    run = experiment.Run("decoder", "smoke", progress=False, encoder=str(tmp_path / "kept"))
    model, history = experiment._decoder(plan, texts, run, {})
    assert history is None
    result = experiment.ask(model, history, texts, plan, run)
    ids = windows(decoder.tokenizer, texts.held_out, SIZES.window, 0)[: plan.n_judged]
    assert result.whole == pytest.approx(window_losses(decoder, ids), rel=1e-6)
    with pytest.raises(ModelError, match="no model 'nowhere'"):
        load_decoder("nowhere")
