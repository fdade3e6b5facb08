"""What readers may well write, and what the check says to it."""

import copy

import numpy as np
import torch
from torch import nn

import funcsim as fs


def last_place(states, mask):
    return states[:, -1]


def by_length(states, mask):
    return states[np.arange(len(states)), mask.sum(axis=1) - 1]


def the_model_itself(model, seed):
    torch.manual_seed(seed)
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return model


def outer_modules(model, seed):
    torch.manual_seed(seed)
    fresh = copy.deepcopy(model)
    for module in fresh.children():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return fresh


def any_seed(model, seed):
    torch.manual_seed(0)
    fresh = copy.deepcopy(model)
    for module in fresh.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return fresh


def of_boundaries(cuts, n_layers):
    counts = np.bincount([k for one in cuts for k in one], minlength=n_layers)
    return counts / counts.sum()


def of_those_with_one(cuts, n_layers):
    some = [one for one in cuts if one]
    return np.bincount([k for one in some for k in one], minlength=n_layers) / len(some)


def one_layer_early(cuts, n_layers):
    return np.bincount([k - 1 for one in cuts for k in one], minlength=n_layers) / len(cuts)


def own():
    return nn.Sequential(*(nn.Linear(16, 16) for _ in range(8)))


def one_group():
    return 1


def by(cut, capture=fs.capture, **how):
    return lambda model, x: list(cut(fs.compare(capture(model, [x]), **how)))


def boundaries(m):
    return fs.partition(m).boundaries


def the_layer_before(m):
    return [k - 1 for k in boundaries(m)]


def always_two(m):
    return fs.partition_into(m, 2).boundaries


def largest_step(m):
    return [int(np.argmax(np.diag(m.values, k=1))) + 1]


def left_in_evaluation(model, x):
    model.eval()
    return list(boundaries(fs.compare(fs.capture(model, [x]))))


def the_names(m):
    return [m.names[k] for k in boundaries(m)]


WRONG = {
    "last_real": [(last_place, "You take the last place"), (by_length, "padded on the left")],
    "untrained": [
        (the_model_itself, "Make a copy first"),
        (outer_modules, "Modules can hold modules"),
        (any_seed, "Another seed"),
    ],
    "how_often": [
        (of_boundaries, "shares of all boundaries"),
        (of_those_with_one, "counts too"),
        (one_layer_early, "It should be"),
    ],
    "predicted": [
        ((lambda: "one", own, by(boundaries)), "a whole number from 1 to 8"),
        ((lambda: 9, own, by(boundaries)), "a whole number from 1 to 8"),
        ((one_group, lambda: nn.Linear(16, 16), by(boundaries)), "should return an `nn.Sequential`"),
        ((one_group, lambda: own()[:7], by(boundaries)), "Take 8 to 16"),
        ((one_group, own, by(the_layer_before)), "counted from the layer before"),
        ((one_group, own, by(always_two)), "finds a new group at no layer"),
        ((one_group, own, by(largest_step)), "finds a new group at no layer"),
        ((one_group, own, by(lambda m: [])), "finds a new group at \\[5\\]"),
        ((one_group, own, by(the_names)), "a list of whole numbers"),
        ((one_group, own, left_in_evaluation), "now it is not"),
    ],
}
