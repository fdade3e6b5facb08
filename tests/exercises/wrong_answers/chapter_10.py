"""What readers may well write, and what the check says to it."""

import numpy as np
import torch
from torch import nn

import funcsim as fs


def evenly(last, n):
    return np.unique(np.linspace(0, last, n).astype(int))


def with_repeats(last, n):
    return np.concatenate([[0], np.geomspace(1, last, n - 1).astype(int)])


def without_zero(last, n):
    return np.unique(np.geomspace(1, last, n).round().astype(int))


def first_found(steps, found, layer):
    return next((step for step, cuts in zip(steps, found, strict=True) if layer in cuts), None)


def ever_after(steps, found, layer):
    missing = [k for k, cuts in enumerate(found) if layer not in cuts]
    return steps[min(missing[-1] + 1, len(steps) - 1)] if missing else steps[0]


def watching(
    model, optimizer, batches, look_at, x, mode=False, back=True, first=0, zero=True, before=False, every=True
):
    """The solution, with a part of it otherwise."""
    seen = {}

    def look(step):
        if step in look_at:
            model.train(mode)
            with torch.no_grad():
                seen[step] = model(x).numpy()
            model.train(back)

    model.train()
    if every:
        look(0)
    for step, (inputs, labels) in enumerate(batches, 1):
        if before:
            look(step)
        if zero:
            optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
        if not before:
            look(step - first)
    return seen


def but(**otherwise):
    return lambda *given: watching(*given, **otherwise)


def left_in_evaluation(model, optimizer, batches, look_at, x):
    seen = watching(model, optimizer, batches, look_at, x)
    model.eval()
    return seen


def after_the_first(model, optimizer, batches, look_at, x):
    """Step 0 is looked at after the first step."""
    seen = watching(model, optimizer, batches, (0, *(k + 1 for k in look_at)), x)
    return {k: seen.get(k + 1, seen[max(seen)]) for k in look_at}


def drawn_from(model, optimizer, batches, look_at, x):
    torch.manual_seed(9)
    return watching(model, optimizer, batches, look_at, x)


def own():
    return nn.Sequential(nn.Linear(64, 8), nn.ReLU(inplace=True), nn.Linear(8, 10), nn.Tanh())


def guess():
    return {"farthest": "2", "first": "0"}


def changed(**parts):
    return lambda: guess() | parts


def by(distance=None, shift=0, capture=fs.capture):
    """Distances of the modules, or of each to a later one."""

    def moved(before, after, x):
        old, new = capture(before, [x]), capture(after, [x])
        names = list(old)
        other = [*names[shift:], *names[-1:] * shift]
        measure = distance or (lambda a, b: fs.gw(a, b).distance)
        return {a: measure(old[a], new[b]) for a, b in zip(names, other, strict=True)}

    return moved


def raw(a, b):
    return fs.gw(a, b, normalize=None).distance


def root_forgotten(a, b):
    return fs.gw(a, b).cost


def plain_difference(a, b):
    return np.abs(a - b).mean()


def step_sizes(before, after, x):
    new = fs.capture(after, [x])
    names = list(new)
    return {b: fs.gw(new[a], new[b]).distance for a, b in zip([names[0], *names], names, strict=False)}


def weights(before, after, x):
    old, new = (dict(m.named_children()) for m in (before, after))
    return {
        k: float(
            sum((p - q).norm().item() for p, q in zip(old[k].parameters(), new[k].parameters(), strict=True))
        )
        for k in old
    }


def stays_in_evaluation(before, after, x):
    before.eval()
    return by()(before, after, x)


WRONG = {
    "when_to_look": [
        (evenly, "logarithm"),
        (with_repeats, "there twice"),
        (without_zero, "before the first step"),
    ],
    "stays_from": [(first_found, "gone again"), (ever_after, "come to stay")],
    "watched": [
        (but(mode=True), "You look in training mode"),
        (but(every=False), "step 0 is before the first"),
        (but(back=False), "ends at other weights"),
        (but(zero=False), "ends at other weights"),
        (drawn_from, "ends at other weights"),
        (but(before=True), "look after them"),
        (after_the_first, "Look once before the loop"),
        (left_in_evaluation, "should be in training mode"),
    ],
    "predicted": [
        ((lambda: "2", own, by()), "First predict: a dictionary"),
        ((changed(first="9"), own, by()), "First predict 'first'"),
        ((changed(farthest=2), own, by()), "First predict 'farthest'"),
        ((guess, lambda: nn.Linear(64, 10), by()), "should return an `nn.Sequential`"),
        ((guess, lambda: own()[:3], by()), "Take 4 to 8"),
        ((guess, lambda: own().append(nn.Linear(10, 9)), by()), "should return \\(2, 10\\)"),
        ((guess, own, by(shift=1)), "with itself in the other state"),
        ((guess, own, step_sizes), "with itself in the other state"),
        ((guess, own, by(raw)), "Without scale that is no distance"),
        ((guess, own, by(plain_difference)), "Without scale that is no distance"),
        ((guess, own, weights), "Without scale that is no distance"),
        ((guess, own, by(root_forgotten)), "its root"),
        ((guess, own, by(lambda a, b: 0.0)), "has new weights"),
        ((guess, own, stays_in_evaluation), "Leave it as it was"),
    ],
}
