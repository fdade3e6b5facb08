"""What readers may well write, and what the check says to it."""

import numpy as np


def over_channels(layer):
    return layer.mean(axis=1)


def over_images_too(layer):
    return layer.mean(axis=(0, 2, 3))


def largest(layer):
    return layer.max(axis=(2, 3))


def the_middle(layer):
    return layer[:, :, layer.shape[2] // 2, layer.shape[3] // 2]


def as_it_is(x):
    return x


def first_numbers(x):
    return x[:, : len(x)]


def directions_alone(x):
    return np.linalg.svd(x - x.mean(axis=0), full_matrices=False)[0]


def two_axes(x):
    left, sizes, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return left[:, :2] * sizes[:2]


def all_of_it(images):
    return images[..., 0].mean(axis=(1, 2))


def all_colours(images):
    return images[:, :16, :16].mean(axis=(1, 2, 3))


def lower(images):
    return images[:, 16:, :16, 0].mean(axis=(1, 2))


def to_the_right(images):
    return images[:, :16, 16:, 0].mean(axis=(1, 2))


def falls_only(step, steps, peak, highest):
    return highest * (1 - step / steps)


def stays(step, steps, peak, highest):
    return highest * min(step / (peak * steps), 1)


def like_a_cosine(step, steps, peak, highest):
    if step < peak * steps:
        return highest * step / (peak * steps)
    return highest * (1 + np.cos(np.pi * (step - peak * steps) / (steps - peak * steps))) / 2


WRONG = {
    "over_places": [
        (over_channels, "mean over channels"),
        (over_images_too, "Each keeps its own row"),
        (largest, "not the means"),
        (the_middle, "not the means"),
    ],
    "few_numbers": [
        (as_it_is, "at most 12 dimensions"),
        (first_numbers, "distances between points have changed"),
        (directions_alone, "distances between points have changed"),
        (two_axes, "distances between points have changed"),
    ],
    "redness": [
        (all_of_it, "the whole image"),
        (all_colours, "all three colours"),
        (lower, "lower left"),
        (to_the_right, "upper right"),
    ],
    "rise_and_fall": [
        (falls_only, "After a quarter"),
        (stays, "ends at 0"),
        (like_a_cosine, "one bend"),
    ],
}
