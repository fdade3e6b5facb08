"""What readers may well write, and what the check says to it."""

import numpy as np


def by_length(layers):
    sizes = np.array([np.linalg.norm(x, axis=1).mean() for x in layers])
    return np.abs(sizes[:, None] - sizes[None])


def sums(layers):
    sizes = np.array([x.std() for x in layers])
    return sizes[:, None] + sizes[None]


def last_of_the_group(values):
    return int(np.argmax(np.diag(values, k=1)))


def farthest_pair(values):
    return int(np.argmax(values) % len(values))


def precision(found, true):
    return len(set(found) & set(true)) / len(found) if found else float(not true)


def recall(found, true):
    return len(set(found) & set(true)) / len(true) if true else float(not found)


def jaccard(found, true):
    both = set(found) | set(true)
    return len(set(found) & set(true)) / len(both) if both else 1.0


def rotated(x):
    return x @ np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]


def fresh(x):
    return np.random.default_rng(1).normal(size=x.shape)


WRONG = {
    "by_scale": [(by_length, "not length"), (sums, "from itself by nothing")],
    "new_group": [(last_of_the_group, "begins with layer 3"), (farthest_pair, "very next")],
    "f1": [(precision, r"\(5,\)|both count"), (recall, "should be|both count"), (jaccard, "should be 0.67")],
    "forgets": [(rotated, "kept its place"), (fresh, "forgives rotations")],
}
