"""What readers may well write, and what the check says to it."""

import copy

import numpy as np
import torch
from torch import nn

from exercises import chapter_11 as check


def a_share(n, differ):
    return 1.96 * np.sqrt(differ / n)


def a_standard_error(n, differ):
    return 100 * np.sqrt(differ / n)


def the_whole_width(n, differ):
    return 2 * 196 * np.sqrt(differ / n)


def without_a_root(n, differ):
    return 196 * differ / np.sqrt(n)


def of_two_accuracies(n, differ):
    return 196 * np.sqrt(2 * 0.9 * 0.1 / n)


def all_that_differ(n, differ):
    return 100 * differ


def over_n(n, differ):
    return 196 * np.sqrt(differ) / n


def right_for_872(n, differ):
    return 196 * np.sqrt(differ / 872)


def right_for_five_per_cent(n, differ):
    return 196 * np.sqrt(0.05 / n)


def bent(n, lost, sign=1, inner=slice(1, -1), zero=False, spaced=True, squared=False):
    """The solution, with a part of it otherwise."""
    n, lost = (np.asarray(x, dtype=float) for x in (n, lost))
    with np.errstate(invalid="ignore", divide="ignore"):
        behind = (lost[-1] - lost) / (n[-1] - n if spaced else 1)
        since = n if zero == "blocks" else n - n[0]
        before = (lost if zero == "points" else lost - lost[0]) / (since if spaced else 1)
    return np.nan_to_num(sign * (behind - before))[inner]


def bend(**otherwise):
    return lambda n, lost: bent(n, lost, **otherwise)


def to_the_next(n, lost):
    rises = np.diff(lost) / np.diff(n)
    return rises[1:] - rises[:-1]


def as_a_ratio(n, lost):
    behind = (lost[-1] - lost[1:-1]) / (n[-1] - n[1:-1])
    return behind / ((lost[1:-1] - lost[0]) / (n[1:-1] - n[0]) + 1e-9)


def the_largest(n, lost):
    return np.max(bent(n, lost))


def trained(
    model,
    n,
    batches,
    modes="each",
    given="rest",
    lr=0.01,
    zero=True,
    shift=0,
    back=True,
    grads=True,
    kind=None,
):
    """The solution, with a part of it otherwise."""
    n = n + shift
    before = copy.deepcopy(model.state_dict())
    for weight in model[:n].parameters():
        weight.requires_grad_(given == "learns")
    model.train(modes != "evaluation")
    if modes in ("each", "norm"):
        for module in model[:n]:
            module.train(modes == "norm" and not isinstance(module, nn.BatchNorm1d))
    learning = model[n:] if given == "rest" else model
    optimizer = (kind or torch.optim.AdamW)(learning.parameters(), lr=lr)
    for inputs, labels in batches:
        if zero:
            optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        if given == "zeros":
            for weight in model[:n].parameters():
                weight.grad = torch.zeros_like(weight)
        optimizer.step()
    if given == "learns":
        for name, value in model[:n].state_dict().items():
            value.copy_(before[name])
    if back:
        model.train()
    for weight in model.parameters():
        weight.requires_grad_(grads or weight.requires_grad)


def but(**otherwise):
    return lambda *told: trained(*told, **otherwise)


def nothing(model, n, batches):
    model.train()


def own():
    return nn.Sequential(nn.Linear(64, 16), *(check.block(16) for _ in range(4)), nn.Linear(16, 10))


def too_narrow():
    return nn.Sequential(nn.Linear(64, 16), *(nn.Linear(16 - k, 15 - k) for k in range(4)), nn.Linear(12, 10))


def guess():
    return {"frozen": (0, 5), "kept": (0, 5)}


def changed(**parts):
    return lambda: guess() | parts


def by(copied=True, frozen=slice(0, 3), kept="first", last=True, factor=100, still=False, keys=None, short=0):
    """The solution for n blocks, with a part of it otherwise; `frozen` for n = 2."""

    def costs(model, n, fine_tune):
        models = [copy.deepcopy(model) if copied else model for _ in range(3)]
        stop = frozen.stop + n - 2 if frozen.stop and frozen.stop > 0 else frozen.stop
        whole = fine_tune(models[0])
        for module in models[1][frozen.start : stop]:
            module.requires_grad_(False)
        other = models[2]
        blocks = other[: 1 + n - short] if kept == "first" else [other[0], *other[-1 - n : -1]]
        smaller = nn.Sequential(*blocks, *([other[-1]] if last else []))
        if still:
            smaller[:-1].requires_grad_(False)
        rights = {"frozen": fine_tune(models[1]), "kept": fine_tune(smaller)}
        return {keys or key: factor * (whole.mean() - right.mean()) for key, right in rights.items()}

    return costs


def from_the_fine_tuned(model, n, fine_tune):
    whole = copy.deepcopy(model)
    right = fine_tune(whole).mean()
    return by()(whole, n, fine_tune) | {"frozen": 100 * right}


def of_the_two(model, n, fine_tune):
    found = by()(model, n, fine_tune)
    return {"frozen": found["kept"], "kept": found["frozen"]}


def without_the_whole(model, n, fine_tune):
    frozen = copy.deepcopy(model)
    frozen[: 1 + n].requires_grad_(False)
    kept = copy.deepcopy(nn.Sequential(*model[: 1 + n], model[-1]))
    return {"frozen": 100 * (1 - fine_tune(frozen).mean()), "kept": 100 * (1 - fine_tune(kept).mean())}


def fresh_ones(model, n, fine_tune):
    """The shorter network begins with a new last module."""

    def fine_tune_fresh(one):
        if len(one) < len(model):
            one[-1].reset_parameters()
        return fine_tune(one)

    return by()(model, n, fine_tune_fresh)


WRONG = {
    "could_see": [
        (a_share, "Points are per cent"),
        (a_standard_error, "one standard error"),
        (the_whole_width, "whole width"),
        (without_a_root, "the root of the share"),
        (of_two_accuracies, "only one of the two gets right"),
        (all_that_differ, "only one of the two gets right"),
        (over_n, "only one of the two gets right"),
        (right_for_872, "four times as many texts half"),
        (right_for_five_per_cent, "four times as many texts differ"),
    ],
    "bends": [
        (bend(inner=slice(None)), "Leave both out"),
        (bend(sign=-1), "the other sign"),
        (to_the_next, "all that lies behind it"),
        (bend(spaced=False), "what is lost by a block"),
        (as_a_ratio, "you have"),
        (bend(zero="points"), "already with no block frozen"),
        (bend(zero="blocks"), "Count blocks from the first number"),
        (the_largest, "of shape \\(4,\\)"),
    ],
    "train_rest": [
        (nothing, "should learn, and have not"),
        (but(modes="training"), "batch normalisation keeps"),
        (but(given="zeros"), "without a gradient"),
        (but(shift=-1), "weights of module 4"),
        (but(shift=1), "modules \\[5\\] should learn"),
        (but(given="learns"), "has other weights"),
        (but(modes="norm"), "has other weights"),
        (but(modes="evaluation"), "has other weights"),
        (but(zero=False), "has other weights"),
        (but(kind=torch.optim.SGD), "has other weights"),
        (but(lr=0.001), "has other weights"),
        (but(back=False), "Leave all modules in training mode"),
        (but(grads=False), "Leave `requires_grad` as it was"),
    ],
    "predicted": [
        ((lambda: (0, 5), own, by()), "First predict: a dictionary"),
        ((changed(kept=3), own, by()), "First predict the points lost for 'kept'"),
        ((changed(frozen=(0, 6)), own, by()), "too wide to be wrong"),
        ((guess, lambda: nn.Linear(64, 10), by()), "should return an `nn.Sequential`"),
        ((guess, lambda: own()[1:], by()), "Take 4 to 8"),
        ((guess, lambda: own()[:-1].append(nn.Linear(16, 9)), by()), "return \\(2, 10\\)"),
        ((guess, too_narrow, by()), "without its last blocks"),
        ((guess, own, by(copied=False)), "Fine-tune copies"),
        ((guess, own, from_the_fine_tuned), "fine-tuned before"),
        ((guess, own, without_the_whole), "counted from that one"),
        ((guess, own, by(frozen=slice(1, 3))), "freezes the modules \\[1, 2\\]"),
        ((guess, own, by(frozen=slice(0, 2))), "freezes the modules \\[0, 1\\]"),
        ((guess, own, by(frozen=slice(3, None))), "freezes the modules \\[3, 4, 5, 6\\]"),
        ((guess, own, by(frozen=slice(0, 0))), "No network with frozen modules"),
        ((guess, own, by(last=False)), "Yours has 3"),
        ((guess, own, by(short=1)), "Yours has 3"),
        ((guess, own, by(kept="last")), "the first two blocks and the last module"),
        ((guess, own, fresh_ones), "with the weights that they had"),
        ((guess, own, by(still=True)), "all modules should learn"),
        ((guess, own, by(factor=1)), "Points are per cent"),
        ((guess, own, by(factor=-100)), "What is lost is positive"),
        ((guess, own, of_the_two), "5 points are lost"),
        ((guess, own, by(keys="lost")), "a dictionary with 'frozen'"),
    ],
}
