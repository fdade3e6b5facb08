"""What readers may well write, and what the check says to it."""

import copy

import numpy as np
import torch


def last_place(states, mask):
    return states[:, -1]


def by_length(states, mask):
    return states[np.arange(len(states)), mask.sum(axis=1) - 1]


def in_training_mode(model, batches):
    with torch.no_grad():
        return torch.cat([model(batch) for batch in batches])


def left_in_evaluation(model, batches):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(batch) for batch in batches])


def with_gradients(model, batches):
    was = model.training
    model.eval()
    found = torch.cat([model(batch) for batch in batches])
    model.train(was)
    return found


def a_list(model, batches):
    return [model(batch) for batch in batches]


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


WRONG = {
    "last_real": [(last_place, "You take the last place"), (by_length, "padded on the left")],
    "outputs": [
        (in_training_mode, "dropout is at work"),
        (left_in_evaluation, "now it is not"),
        (with_gradients, "graph for gradients"),
        (a_list, "Return one tensor"),
    ],
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
}
