"""What readers may well write, and what the check says to it."""

import numpy as np
import torch
from torch import nn

import funcsim as fs


def at_an_even_pace(step, steps, share):
    return share * min(step / (steps * 2 / 3), 1)


def done_at_the_end(step, steps, share):
    return share * (1 - (1 - step / steps) ** 3)


def slowly_at_first(step, steps, share):
    return share * min(step / (steps * 2 / 3), 1) ** 3


def on_and_on(step, steps, share):
    return share * (1 - (1 - step / (steps * 2 / 3)) ** 3)


def more_than_all(step, steps, share):
    return 2 * step / steps


def all_of_them(step, steps, share):
    return 1 - (1 - min(step / (steps * 2 / 3), 1)) ** 3


def what_is_left(step, steps, share):
    return 1 - share * (1 - (1 - min(step / (steps * 2 / 3), 1)) ** 3)


def squared(step, steps, share):
    return share * (1 - (1 - min(step / (steps * 2 / 3), 1)) ** 2)


def changes(before, dense, sparse, order=(0, 1, 1, 2), common=True, diagonal=False, nan=True, sign=1):
    """The solution, with a part of it otherwise."""
    pairs = np.triu_indices(len(before), k=0 if diagonal else 1)
    rows = np.array([m[pairs] for m in (before, dense, sparse)])
    if common:
        rows = rows[:, np.isfinite(rows.sum(axis=0))]
    means = np.nanmean(rows, axis=1) if nan else rows.mean(axis=1)
    found = means[order[1]] - means[order[0]], means[order[3]] - means[order[2]]
    return [sign * x for x in found]


def other(**otherwise):
    return lambda *maps: changes(*maps, **otherwise)


def sizes(before, dense, sparse):
    return [abs(x) for x in changes(before, dense, sparse)]


def of_all_entries_of_a_map(before, dense, sparse):
    return np.diff([np.nanmean(m) for m in (before, dense, sparse)])


def as_ratios(before, dense, sparse):
    pairs = np.triu_indices(len(before), k=1)
    means = [np.nanmean(m[pairs]) for m in (before, dense, sparse)]
    return means[1] / means[0], means[2] / means[1]


def zeros_for_nan(before, dense, sparse):
    return changes(before, dense, np.nan_to_num(sparse))


def by_size(weight):
    return weight.detach().abs()


def pruned(
    model, share, batches, size=by_size, together=True, biases=False, again=True, choose="once", late=False,
    lr=0.01, zero=True, kind=torch.optim.Adam, biases_learn=True, train=True,
):  # fmt: skip
    """The solution, with a part of it otherwise."""
    modules = [m for m in model.modules() if isinstance(m, nn.Linear)]
    matrices = [w for m in modules for w in ((m.weight, m.bias) if biases else (m.weight,))]
    masks = [torch.ones_like(w) for w in matrices]

    def choice():
        groups = [list(range(len(matrices)))] if together else [[k] for k in range(len(matrices))]
        for group in groups:
            sizes = torch.cat([size(matrices[k]).flatten() for k in group])
            limit = sizes.kthvalue(max(1, int(share * len(sizes)))).values
            for k in group:
                masks[k] = (size(matrices[k]) > limit).float()

    def set_zeros():
        with torch.no_grad():
            for weight, mask in zip(matrices, masks, strict=True):
                weight.mul_(mask)

    learn = model.parameters() if biases_learn else [m.weight for m in modules]
    optimizer = kind(learn, lr=lr)
    if not late and choose == "once":
        choice()
        set_zeros()
    for step, (inputs, labels) in enumerate(batches if train else ()):
        if zero:
            optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
        if choose == "after" and step == 0:
            choice()
        if again and not late:
            set_zeros()
    if late:
        choice()
        set_zeros()


def but(**otherwise):
    return lambda *told: pruned(*told, **otherwise)


def own():
    return nn.Sequential(nn.Linear(64, 16), nn.ReLU(inplace=True), nn.Linear(16, 16), nn.Linear(16, 10))


def guess():
    return {"training": (-60, -20), "zeros": (-10, 30)}


def changed(**parts):
    return lambda: guess() | parts


def by(k=1, mean=np.nanmean, distance=None, degenerate="nan", **how):
    """The solution, with a part of it otherwise."""

    def mean_distance(model, x):
        values = fs.compare(fs.capture(model, [x]), degenerate=degenerate, **how).values
        values = distance(values) if distance else values
        return mean(values[np.triu_indices(len(values), k=k)])

    return mean_distance


def of_all_entries(model, x):
    return np.nanmean(fs.compare(fs.capture(model, [x]), degenerate="nan").values)


def of_neighbours(model, x):
    return np.nanmean(np.diag(fs.compare(fs.capture(model, [x]), degenerate="nan").values, k=1))


def silent_ones_alike(model, x):
    values = np.nan_to_num(fs.compare(fs.capture(model, [x]), degenerate="nan").values)
    return values[np.triu_indices(len(values), k=1)].mean()


def left_in_evaluation(model, x):
    model.eval()
    return by()(model, x)


WRONG = {
    "zeros_by": [
        (at_an_even_pace, "a straight line"),
        (done_at_the_end, "pruning should be done"),
        (slowly_at_first, "wrong way round"),
        (on_and_on, "At the end 0.70"),
        (more_than_all, "would be zero"),
        (all_of_them, "Only `share`"),
        (what_is_left, "Before the first step"),
        (squared, "an eighth of the way"),
    ],
    "two_changes": [
        (other(order=(0, 1, 0, 2)), "the dense one of the same rate"),
        (other(sign=-1), "the other sign"),
        (sizes, "the other sign"),
        (of_all_entries_of_a_map, "The diagonal is 0"),
        (other(diagonal=True), "The diagonal is 0"),
        (other(order=(1, 2, 0, 1)), "in this order"),
        (as_ratios, "in this order"),
        (other(common=False, nan=False), "so are your means"),
        (other(common=False), "the same pairs in all three maps"),
        (zeros_for_nan, "over the pairs that all maps have"),
    ],
    "prune_and_train": [
        (but(again=False), "Set them to zero after each step"),
        (but(train=False), "have not learned"),
        (but(late=True), "smallest before the first step, in absolute value. Choose them once"),
        (but(choose="after"), "before the first step"),
        (but(size=lambda w: w.detach()), "in absolute value"),
        (but(size=lambda w: -w.detach().abs()), "the smallest before the first step"),
        (but(together=False), "all matrices together"),
        (but(biases=True), "Prune the matrices alone"),
        (but(biases_learn=False), "not what they should be"),
        (but(zero=False), "old gradients set to zero"),
        (but(kind=torch.optim.SGD), "one step of Adam"),
        (but(lr=0.001), "at the rate 0.01"),
        (lambda model, share, batches: pruned(model, 1 - share, batches), "and 176 should be"),
    ],
    "predicted": [
        ((lambda: (0, 5), own, by()), "First predict: a dictionary"),
        ((changed(zeros=3), own, by()), "First predict the change by zeros"),
        ((changed(training=(-60, 0)), own, by()), "too wide to be wrong"),
        ((guess, lambda: nn.Linear(64, 10), by()), "should return an `nn.Sequential`"),
        ((guess, lambda: own()[:3], by()), "Take 4 to 8"),
        ((guess, lambda: own().append(nn.Linear(10, 9)), by()), "should return \\(2, 10\\)"),
        ((guess, own, by(normalize=None)), "Without scale, please"),
        ((guess, own, of_all_entries), "The diagonal of the map is 0"),
        ((guess, own, by(distance=np.square)), "mean distance is"),
        ((guess, own, of_neighbours), "mean distance is"),
        ((guess, own, by(mean=np.max)), "mean distance is"),
        ((guess, own, by(measure="cka")), "mean distance is|The diagonal"),
        ((guess, own, by(mean=np.mean)), "no finite number"),
        ((guess, own, by(degenerate="raise")), "stopped with"),
        ((guess, own, silent_ones_alike), "a fourth module is silent"),
        ((guess, own, left_in_evaluation), "Leave it as it was"),
    ],
}
