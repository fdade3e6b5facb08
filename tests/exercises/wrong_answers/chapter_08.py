"""What readers may well write, and what the check says to it."""

import numpy as np
from torch import nn

import funcsim as fs


def summed(n, alpha):
    return n * alpha


def all_of_them(n, alpha):
    return alpha**n


def at_five_per_cent(n, alpha):
    return 1 - 0.95**n


def two_blocks(n):
    group = np.arange(n) >= n // 2
    return (group[:, None] != group[None]).astype(float)


def all_alike(n):
    return 1.0 - np.eye(n)


def one_way(n):
    return np.maximum(np.subtract.outer(np.arange(n), np.arange(n)), 0)


def eigenvector(values, k=1, inverted=True, normal=True):
    affinity = values.max() - values if inverted else values
    degree = affinity.sum(axis=1)
    scaled = np.eye(len(values)) - affinity / np.sqrt(np.outer(degree, degree))
    return np.linalg.eigh(scaled if normal else np.diag(degree) - affinity)[1][:, k]


def the_first(values):
    return eigenvector(values, k=0) > 0


def the_last(values):
    return eigenvector(values, k=-1) > 0


def distances_as_affinities(values):
    return eigenvector(values, inverted=False) > 0


def not_normalised(values):
    return eigenvector(values, normal=False) > 0


def equal_halves(values):
    vector = eigenvector(values)
    return vector > np.median(vector)


def best_cut(values, entries=None):
    rows, columns = np.triu_indices(len(values), k=1)
    return [
        np.corrcoef((rows < k) & (columns >= k), values[rows, columns])[0, 1] ** 2
        for k in range(1, len(values))
    ]


def neighbours_alone(values):
    return np.arange(len(values)) > np.argmax(best_cut(values))


def own():
    return nn.Sequential(*(nn.Linear(16, 16) for _ in range(8)))


def guess():
    return {"cut": 4, "share": (50, 65), "groups": 1}


def by(cut=None, share=None, groups=None, **how):
    """The three numbers, of which some may be found otherwise."""

    def measured(model, x):
        m = fs.compare(fs.capture(model, [x]), **how)
        shares = best_cut(m.values)
        return {
            "cut": cut(m) if cut else int(np.argmax(shares)) + 1,
            "share": share(m) if share else 100 * max(shares),
            "groups": groups(m) if groups else fs.partition(m).n_groups,
        }

    return measured


def counted_from_one(m):
    return int(np.argmax(best_cut(m.values))) + 2


def the_cut_before(m):
    return int(np.argmax(best_cut(m.values)))


def largest_step(m):
    return int(np.argmax(np.diag(m.values, k=1))) + 1


def most_evidence(m):
    return fs.partition_into(m, 2).boundaries[0]


def not_squared(m):
    return 100 * np.sqrt(max(best_cut(m.values)))


def as_a_share(m):
    return max(best_cut(m.values))


def with_the_diagonal(m):
    rows, columns = np.indices(m.values.shape)
    splits = [(rows < k) != (columns < k) for k in range(1, len(m.values))]
    return 100 * max(np.corrcoef(s.ravel(), m.values.ravel())[0, 1] ** 2 for s in splits)


def left_in_evaluation(model, x):
    model.eval()
    return by()(model, x)


def changed(**parts):
    return lambda: guess() | parts


WRONG = {
    "false_alarm": [
        (summed, "at most 1"),
        (all_of_them, "none of them errs"),
        (at_five_per_cent, "depend on alpha"),
    ],
    "no_groups": [
        (two_blocks, "The test finds 2 groups"),
        (all_alike, "equally far"),
        (one_way, "symmetric"),
    ],
    "two_groups": [
        (the_first, "all layers into one group"),
        (the_last, "need be neither"),
        (distances_as_affinities, "need be neither"),
        (equal_halves, "need be neither"),
        (neighbours_alone, "need be neither"),
        (not_normalised, "roots of both degrees"),
        (lambda values: fs.spectral_partition, "should return an array"),
    ],
    "predicted": [
        ((lambda: (4, 50, 1), own, by()), "First predict: a dictionary"),
        ((changed(share=60), own, by()), "First predict the share"),
        ((changed(share=(0, 100)), own, by()), "too wide to be wrong"),
        ((changed(cut=8), own, by()), "First predict 'cut'"),
        ((changed(groups="one"), own, by()), "First predict 'groups'"),
        ((guess, lambda: nn.Linear(16, 16), by()), "should return an `nn.Sequential`"),
        ((guess, lambda: own()[:7], by()), "Take 8 to 12"),
        ((guess, own, by(counted_from_one)), "counted from 0, and yours"),
        ((guess, own, by(the_cut_before)), "counted from 0, and yours"),
        ((guess, own, by(largest_step)), "the cut that explains most"),
        ((guess, own, by(most_evidence)), "the cut that explains most"),
        ((guess, own, by(normalize=None)), "without scale|square the correlation"),
        ((guess, own, by(share=not_squared)), "square the correlation"),
        ((guess, own, by(share=as_a_share)), "Asked for are per cent"),
        ((guess, own, by(share=with_the_diagonal)), "each pair of different modules once"),
        ((guess, own, by(groups=lambda m: 2)), "A cut into two is not a test"),
        ((guess, own, by(groups=lambda m: 1)), "finds 2 groups"),
        ((guess, own, left_in_evaluation), "Leave it as it was"),
    ],
}
