"""What readers may well write, and what the check says to it."""

import numpy as np
import torch
from torch import nn

import funcsim as fs


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


def own():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())


def a_module():
    return "2"


def by(values, capture=None):
    """Steps read off a matrix of distances."""

    def steps(model, images):
        reps = (capture or fs.capture)(model, [images])
        return dict(zip(list(reps)[1:], np.diag(values(reps), k=1), strict=True))

    return steps


def normalised(reps):
    return fs.compare(reps).values


def raw(reps):
    return fs.compare(reps, normalize=None).values


def square(reps):
    return fs.compare(reps).values ** 2


def by_channels(model, batches):
    return fs.capture(model, batches, pool="mean")


def without_a_copy(model, batches):
    kept, handles = {}, []
    for name, module in model.named_children():
        handles.append(module.register_forward_hook(lambda m, i, out, name=name: kept.update({name: out})))
    with torch.no_grad():
        model(*batches)
    for handle in handles:
        handle.remove()
    return fs.Representations({name: out.flatten(1).numpy() for name, out in kept.items()})


def of_the_earlier(model, images):
    reps = fs.capture(model, [images])
    return dict(zip(list(reps)[:-1], np.diag(normalised(reps), k=1), strict=True))


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
    "predicted": [
        ((lambda: "0", own, by(normalised)), "First predict the module"),
        ((lambda: 2, own, by(normalised)), "First predict the module"),
        ((a_module, lambda: nn.Conv2d(1, 1, 3), by(normalised)), "should return an `nn.Sequential`"),
        ((a_module, lambda: nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU()), by(normalised)), "Take 4 to 12"),
        ((a_module, lambda: nn.Sequential(*map(nn.ReLU, [False] * 5)), by(normalised)), "Where is the conv"),
        ((a_module, own, by(raw)), "Without scale that is no step"),
        ((a_module, own, by(normalised, without_a_copy)), "its output with itself"),
        ((a_module, own, by(normalised, by_channels)), "Take whole outputs|changes nothing"),
        ((a_module, own, by(square)), "Take whole outputs|its output with itself"),
        ((a_module, own, of_the_earlier), "each module but the first"),
    ],
}
