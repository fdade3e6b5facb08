"""What readers may well write, and what the check says to it."""

import numpy as np
import torch


def squared_correlation(target, predicted):
    return np.corrcoef(target, predicted)[0, 1] ** 2 if np.ptp(predicted) else 0.0


def squared_error(target, predicted):
    return ((target - predicted) ** 2).mean()


def cube(z):
    return z**3


def parabola(z):
    return z**2


def sign(z):
    return np.sign(z * z - 0.5)


def without_a_copy(model, x):
    kept = []
    handle = model[0].register_forward_hook(lambda module, inputs, output: kept.append(output))
    with torch.no_grad():
        model(x)
    handle.remove()
    return kept[0]


def left_hanging(model, x):
    kept = []
    model[0].register_forward_hook(lambda module, inputs, output: kept.append(output.detach().clone()))
    model(x)
    return kept[0]


def on_all_rows(probe, layer, labels, fitted_on):
    return probe.fit(layer, labels).score(layer, labels)


def on_its_own_rows(probe, layer, labels, fitted_on):
    probe.fit(layer[fitted_on], labels[fitted_on])
    return probe.score(layer[fitted_on], labels[fitted_on])


WRONG = {
    "explained": [(squared_correlation, "forgives a wrong scale"), (squared_error, "explains all")],
    "invisible": [(cube, "line explains 8"), (parabola, "parabola"), (sign, "hardly any values")],
    "first_output": [(without_a_copy, "no negative number"), (left_hanging, "still hangs")],
    "held_out": [(on_all_rows, "judged on what it was fitted"), (on_its_own_rows, "judged on what it")],
}
