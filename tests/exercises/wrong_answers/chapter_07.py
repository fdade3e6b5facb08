"""What readers may well write, and what the check says to it."""

import numpy as np
import torch
from torch import nn

import funcsim as fs


def over_all_places(states, mask):
    return states.mean(axis=1)


def divided_by_places(states, mask):
    return (states * mask[..., None]).mean(axis=1)


def last_token(states, mask):
    return states[:, 0]


def variance(accuracy, n):
    return 1.96 * accuracy * (1 - accuracy) / n


def of_one(accuracy, n):
    return 1.96 * np.sqrt(accuracy * (1 - accuracy))


def standard_error(accuracy, n):
    return np.sqrt(accuracy * (1 - accuracy) / n)


def places(states, mask):
    return torch.ones_like(mask)[..., None].float()


def tokens(states, mask):
    return mask[..., None].to(states.dtype)


def step_by_step(model, batches, real=tokens, mode=False, back=True, late=False, one=False, copy=True):
    """The solution, with a part of it left out."""
    found = {name: [] for name, _ in model.named_children()}
    before = model.training
    model.train(mode)
    with torch.no_grad():
        for states, mask in batches[-1:] if one else batches:
            weight = real(states, mask)
            outputs = {}
            x = states.clone() if copy else states
            for name, module in model.named_children():
                x = module(x)
                outputs[name] = x if late else (x * weight).sum(1) / weight.sum(1)
            for name, x in outputs.items():
                pooled = (x * weight).sum(1) / weight.sum(1) if late else x
                found[name].append(pooled.numpy())
    model.train(before if back else False)
    return {name: np.concatenate(rows) for name, rows in found.items()}


def with_padding(model, batches):
    return step_by_step(model, batches, real=places)


def dropping(model, batches):
    return step_by_step(model, batches, mode=True)


def left_in_evaluation(model, batches):
    return step_by_step(model, batches, back=False)


def always_training(model, batches):
    found = step_by_step(model, batches)
    model.train()
    return found


def pooled_at_the_end(model, batches):
    return step_by_step(model, batches, late=True)


def last_batch_alone(model, batches):
    return step_by_step(model, batches, one=True)


def first_token(model, batches):
    return step_by_step(
        model, batches, real=lambda s, m: (torch.arange(m.shape[1]) == 0).float()[None, :, None]
    )


def backwards(model, batches):
    return step_by_step(model, batches[::-1])


def as_tensors(model, batches):
    return {name: torch.tensor(rows) for name, rows in step_by_step(model, batches).items()}


def own():
    return nn.Sequential(*(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True) for _ in range(3)))


def guess():
    return {"mean": (60, 80), "cls": (20, 40)}


def changed(**parts):
    return lambda: guess() | parts


def by(shuffle=True, undo=True, pools=("mean", "cls"), ends=None, per_cent=100):
    """The solution, with a part of it otherwise."""

    def itself(model, states):
        found = {}
        last = len(model) - 1
        for name, pool in zip(("mean", "cls"), pools, strict=True):
            layers = [str(k) for k in (ends or (0, last))]
            reps = fs.capture(model, [states], layers=layers, pool=pool)
            x, y = reps[layers[0]], reps[layers[1]]
            order = np.random.default_rng(0).permutation(len(x)) if shuffle else np.arange(len(x))
            partner = fs.gw(x, y[order]).plan.argmax(axis=1)
            partner = order[partner] if undo else partner
            found[name] = per_cent * (partner == np.arange(len(x))).mean()
        return found

    return itself


def and_stays(model, states):
    model.eval()
    return by()(model, states)


def no_mixing():
    return nn.Sequential(*(nn.Linear(16, 16) for _ in range(3)))


WRONG = {
    "pool_mean": [
        (over_all_places, "Padding has been counted"),
        (divided_by_places, "Divide by the number of tokens"),
        (last_token, "mean over all tokens"),
    ],
    "margin": [(variance, "a variance"), (of_one, "one answer varies"), (standard_error, "1.96 of them")],
    "clouds": [
        (with_padding, "Padding has been counted"),
        (dropping, "Dropout was at work"),
        (pooled_at_the_end, "Pool before the next module runs"),
        (last_batch_alone, "Join the batches"),
        (first_token, "not the means over the real tokens"),
        (backwards, "in the order of the texts"),
        (as_tensors, "should be an array"),
        (left_in_evaluation, "Leave it as you found it"),
        (always_training, "now it is in training mode"),
    ],
    "predicted": [
        ((lambda: (60, 80), own, by()), "First predict: a dictionary"),
        ((changed(cls=30), own, by()), "First predict the share for 'cls'"),
        ((changed(mean=(0, 100)), own, by()), "too wide to be wrong"),
        ((guess, lambda: own()[:2], by()), "Take 3 to 8"),
        ((guess, lambda: own()[0], by()), "should return an `nn.Sequential`"),
        ((guess, no_mixing, by()), "Let a module mix tokens"),
        ((guess, own, by(undo=False)), "undo it in the partners"),
        ((guess, own, by(shuffle=False)), "Shuffle one side"),
        ((guess, own, by(ends=(0, 1))), "Match the first module with the last"),
        ((guess, own, by(pools=("cls", "mean"))), "at the first token"),
        ((guess, own, by(pools=("cls", "cls"))), "Is it the mean over tokens"),
        ((guess, own, by(per_cent=1)), "in per cent"),
        ((guess, own, and_stays), "Leave it as it was"),
    ],
}
