"""What readers may well write, and what the check says to it."""

import numpy as np


def through_zero(weights, amount):
    return weights - amount * np.sign(weights)


def only_small(weights, amount):
    return np.where(np.abs(weights) < amount, 0, weights)


def by_a_share(weights, amount):
    return weights * (1 - amount)


def mean_of_shares(matrices):
    return np.mean([(m == 0).mean() for m in matrices])


def nearly_zero(matrices):
    flat = np.concatenate([m.ravel() for m in matrices])
    return (np.abs(flat) < 1e-8).mean()


def plain_descent(gradients, lr):
    return -lr * gradients.sum()


def without_correction(gradients, lr):
    m = v = w = 0.0
    for g in gradients:
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= lr * m / (np.sqrt(v) + 1e-8)
    return w


def without_root(gradients, lr):
    m = v = w = 0.0
    for k, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= lr * (m / (1 - 0.9**k)) / (v / (1 - 0.999**k) + 1e-8)
    return w


def only_zeros(layer):
    return bool((layer == 0).all())


def exactly_alike(layer):
    return bool((layer == layer[0]).all())


def within_a_millionth(layer):
    return bool(np.ptp(layer, axis=0).max() < 1e-4)


WRONG = {
    "shrink": [(through_zero, "went through zero"), (only_small, "Large weights"), (by_a_share, "should be")],
    "zeros": [(mean_of_shares, "Count weights"), (nearly_zero, "not small")],
    "adam_moves": [
        (plain_descent, "plain gradient descent"),
        (without_correction, "1 - beta"),
        (without_root, "ten times as large"),
    ],
    "is_silent": [
        (only_zeros, "not zero"),
        (exactly_alike, "rounding alone"),
        (within_a_millionth, "small numbers"),
    ],
}
