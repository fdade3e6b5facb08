"""What readers may well write, and what the check says to it."""

import numpy as np
import torch
from scipy.stats import pearsonr, spearmanr
from torch import nn

import funcsim as fs


def columns(layer):
    return layer.shape[1]


def not_centred(layer):
    return np.linalg.matrix_rank(layer)


def columns_that_vary(layer):
    return np.count_nonzero(layer.std(axis=0) > 1e-6)


def more_than_zero(layer):
    return np.count_nonzero(np.linalg.svd(layer - layer.mean(axis=0), compute_uv=False) > 1e-9)


def every_singular_value(layer):
    return np.count_nonzero(np.linalg.svd(layer - layer.mean(axis=0), compute_uv=False))


def mean_of_each_input(layer):
    return np.linalg.matrix_rank(layer - layer.mean(axis=1, keepdims=True))


def one_less(layer):
    return np.linalg.matrix_rank(layer) - 1


def more_than_a_fixed_number(layer):
    return np.count_nonzero(np.linalg.svd(layer - layer.mean(axis=0), compute_uv=False) > 1e-3)


def most_of_the_variance(layer):
    sizes = np.linalg.svd(layer - layer.mean(axis=0), compute_uv=False) ** 2
    return np.count_nonzero(sizes > 0.01 * sizes.sum())


def rotated(x):
    return x @ np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]


def fresh(x):
    return np.random.default_rng(1).normal(size=x.shape)


def twice_as_large(x):
    return 2 * x[::-1]


def two_exchanged(x):
    return x[[1, 0, *range(2, len(x))]]


def rank(layer):
    return max(1, np.linalg.matrix_rank(layer - layer.mean(axis=0)))


def as_wide(layers, rng):
    return [layers[0] @ rng.normal(size=(layers[0].shape[1], x.shape[1])) for x in layers]


def none_for_a_constant(layers, rng):
    first = layers[0]
    sizes = [np.linalg.matrix_rank(x - x.mean(axis=0)) for x in layers]
    return [first @ rng.normal(size=(first.shape[1], r)) for r in sizes]


def noise(layers, rng):
    return [rng.normal(size=(len(x), rank(x))) for x in layers]


def rank_with_the_mean(layers, rng):
    first = layers[0]
    sizes = [max(1, np.linalg.matrix_rank(x)) for x in layers]
    return [first @ rng.normal(size=(first.shape[1], r)) for r in sizes]


def transposed(layers, rng):
    first = layers[0]
    return [rng.normal(size=(rank(x), first.shape[1])) @ first.T for x in layers]


def constant_for_a_constant(layers, rng):
    found = null_of(layers, rng)
    return [np.ones((len(y), 1)) if np.ptp(x) == 0 else y for x, y in zip(layers, found, strict=True)]


def null_of(layers, rng, first=None):
    first = layers[0] if first is None else first
    return [first @ rng.normal(size=(first.shape[1], rank(x))) for x in layers]


def null_without_the_mean(layers, rng):
    return null_of(layers, rng, layers[0] - layers[0].mean(axis=0))


def null_in_torch(layers, rng):
    return [torch.as_tensor(x) for x in null_of(layers, rng)]


def of_each_itself(layers, rng):
    return [x @ rng.normal(size=(x.shape[1], rank(x))) for x in layers]


def one_after_the_other(layers, rng):
    found = [layers[0] @ rng.normal(size=(layers[0].shape[1], rank(layers[0])))]
    for x in layers[1:]:
        found.append(found[-1] @ rng.normal(size=(found[-1].shape[1], rank(x))))
    return found


def one_projection(layers, rng):
    matrix = rng.normal(size=(layers[0].shape[1], 99))
    return [layers[0] @ matrix[:, : rank(x)] for x in layers]


def first_columns(layers, rng):
    return [np.roll(layers[0], k, axis=1)[:, : rank(x)] for k, x in enumerate(layers)]


def the_first_stays(layers, rng):
    return [layers[0], *(layers[0] @ rng.normal(size=(layers[0].shape[1], rank(x))) for x in layers[1:])]


def without_the_generator(layers, rng):
    return [layers[0] @ np.random.normal(size=(layers[0].shape[1], rank(x))) for x in layers]  # noqa: NPY002


def own():
    return nn.Sequential(*(nn.Linear(*size) for size in ((16, 8), (8, 4), (4, 2), (2, 4), (4, 2), (2, 2))))


def guess():
    return {"agreement": (0, 0.4), "groups": 1}


def changed(**parts):
    return lambda: guess() | parts


def ranks(a, b):
    return spearmanr(a, b).statistic


def by(score=ranks, whole=False, groups=None, **how):
    """What is asked for, of which some may be found otherwise."""

    def beside(model, x, null):
        reps = fs.capture(model, [x])
        one, other = fs.compare(reps, **how), fs.compare(null(reps), **how)
        pairs = np.triu_indices(len(one.names), k=0 if whole else 1)
        counts = groups(one, other) if groups else [fs.partition(m).n_groups for m in (other, one)]
        agreement = score(one.values[pairs], other.values[pairs])
        return {"agreement": agreement, "groups": counts[0], "own groups": counts[1]}

    return beside


def with_itself(model, x, null):
    found = by()(model, x, lambda reps: reps)
    return found | {"groups": 1}


def left_in_evaluation(model, x, null):
    model.eval()
    return by()(model, x, null)


WRONG = {
    "free_numbers": [
        (columns, "Take the mean off first"),
        (not_centred, "Take the mean off first"),
        (columns_that_vary, "you count two"),
        (more_than_zero, "is rounding"),
        (every_singular_value, "leave out what is rounding"),
        (mean_of_each_input, "The mean over the inputs"),
        (one_less, "and no one from the count"),
        (more_than_a_fixed_number, "Rounding is small beside the layer"),
        (most_of_the_variance, "Small is not rounding"),
    ],
    "forgets": [
        (rotated, "kept its place"),
        (two_exchanged, "nearly every input has kept its place"),
        (fresh, "forgives rotations"),
        (twice_as_large, "without scale it is 0.00"),
        (np.zeros_like, "forgives rotations"),
        (lambda x: x[:30], "array of 60 rows"),
    ],
    "width_null": [
        (as_wide, "In its place you have 30"),
        (none_for_a_constant, "has one dimension here"),
        (rank_with_the_mean, "two weights that add up to one, and fills one dimension"),
        (transposed, "has the shape .12, 40.: it should have 40 rows"),
        (constant_for_a_constant, "fills 0 dimensions"),
        (noise, "no projection of the first layer"),
        (of_each_itself, "no projection of the first layer"),
        (one_after_the_other, "not what you made before"),
        (one_projection, "Draw a new one for each layer"),
        (first_columns, "Project at random"),
        (the_first_stays, "also in the first place"),
        (without_the_generator, "Draw with `rng`|Project at random"),
        (lambda layers, rng: layers[0], "a list with an array for each"),
        (lambda layers, rng: [x[:, 0] for x in layers], "Each should be an array"),
    ],
    "predicted": [
        ((lambda: 0.5, own, by()), "First predict: a dictionary"),
        ((changed(agreement=0.5), own, by()), "First predict the rank correlation"),
        ((changed(agreement=(-1, 1)), own, by()), "too wide to be wrong"),
        ((changed(agreement=(20, 60)), own, by()), "both from -1 to 1"),
        ((changed(groups=0), own, by()), "a whole number from 1 to 6"),
        ((guess, lambda: nn.Linear(16, 16), by()), "should return an `nn.Sequential`"),
        ((guess, lambda: own()[:5], by()), "Take 6 to 10"),
        ((guess, lambda: nn.Sequential(*own()[1:], nn.Linear(2, 2)), by()), "should take inputs .n, 16."),
        ((guess, lambda: nn.Sequential(*[nn.Linear(16, 16)] * 6), by()), "three different ones"),
        ((guess, own, by(lambda a, b: pearsonr(a, b)[0])), "Ranks, without scale"),
        ((guess, own, by(spearmanr)), "'agreement' should be one number, and is SignificanceResult"),
        ((guess, own, by(whole=True)), "each pair of different layers once"),
        ((guess, own, by(normalize=None)), "Ranks, without scale"),
        ((guess, own, with_itself), "rank correlation is"),
        (
            (guess, own, by(groups=lambda a, b: [fs.partition(m).n_groups for m in (a, b)])),
            "null comes first",
        ),
        ((guess, own, by(groups=lambda a, b: (1, 1))), "in the map of the network"),
        ((guess, own, by(groups=lambda a, b: (2, 2))), "in the map of its widths"),
        ((guess, own, left_in_evaluation), "Leave it as it was"),
    ],
}

RIGHT = {"width_null": [null_without_the_mean, null_in_torch]}
