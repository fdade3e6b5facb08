"""What readers may well write, and what the check says to it."""

import numpy as np
import torch
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import funcsim as fs


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


def hooked(keep, modules, model, x, *, evaluate=True, graph=False):
    """Hooks on some modules that keep what `keep` makes of an output; removed, and the mode set back."""
    kept, mode, handles = {}, model.training, []
    for name, module in modules(model):
        handles.append(
            module.register_forward_hook(lambda m, i, output, name=name: kept.update({name: keep(output)}))
        )
    try:
        model.train(mode and not evaluate)
        with torch.set_grad_enabled(graph):
            model(x)
    finally:
        model.train(mode)
        for handle in handles:
            handle.remove()
    return kept


def children(model):
    return list(model.named_children())


def copied(output):
    return output.detach().clone()


def by_layers(keep=copied, modules=children, **how):
    return lambda model, x: hooked(keep, modules, model, x, **how)


def left_hanging(model, x):
    kept, mode = {}, model.training
    model.eval()
    for name, module in model.named_children():
        module.register_forward_hook(lambda m, i, output, name=name: kept.update({name: copied(output)}))
    with torch.no_grad():
        model(x)
    model.train(mode)
    return kept


def left_in_evaluation(model, x):
    kept = by_layers()(model, x)
    model.eval()
    return kept


def hanging_after_an_error(model, x):
    kept, mode, handles = {}, model.training, []
    for name, module in model.named_children():
        handles.append(
            module.register_forward_hook(lambda m, i, output, name=name: kept.update({name: copied(output)}))
        )
    model.eval()
    with torch.no_grad():
        model(x)
    model.train(mode)
    for handle in handles:
        handle.remove()
    return kept


def evaluating_after_an_error(model, x):
    mode = model.training
    model.eval()
    kept = by_layers(evaluate=False)(model, x)
    model.train(mode)
    return kept


def without_errors(model, x):
    try:
        return by_layers()(model, x)
    except RuntimeError:
        return {}


def a_guess():
    return 60, 80


def by_probe(fit, judge, capture=None, probe=None):
    """Accuracy (%) of a probe of each module, fitted on some rows and judged on others."""
    capture = capture or (lambda model, images: fs.capture(model, [images]))

    def probed(model, images, digits):
        shares = {}
        for name, layer in capture(model, images).items():
            one = (probe or (lambda: make_pipeline(StandardScaler(), RidgeClassifier())))()
            one.fit(layer[fit], digits[fit])
            shares[name] = 100 * one.score(layer[judge], digits[judge])
        return shares

    return probed


FIRST, OTHERS = slice(None, 1400), slice(1400, None)


def in_place(model, images):
    kept = hooked(lambda output: output.detach(), children, model, images)
    return {name: layer.numpy() for name, layer in kept.items()}


def as_a_share(model, images, digits):
    return {name: share / 100 for name, share in by_probe(FIRST, OTHERS)(model, images, digits).items()}


def last_alone(model, images, digits):
    return {"3": 80.0}


WRONG = {
    "explained": [(squared_correlation, "forgives a wrong scale"), (squared_error, "explains all")],
    "invisible": [(cube, "line explains 8"), (parabola, "parabola"), (sign, "hardly any values")],
    "read_layers": [
        (by_layers(lambda output: output.detach()), "no negative number"),
        (by_layers(modules=lambda model: list(model.named_modules())), "The modules are called"),
        (by_layers(modules=lambda model: children(model)[:1]), "The modules are called"),
        (by_layers(lambda output: output.detach().clone().T), "another shape"),
        (by_layers(lambda output: output.detach().clone().numpy()), "should be a tensor"),
        (by_layers(evaluate=False), "Dropout was at work"),
        (by_layers(lambda output: output.clone(), graph=True), "graph for gradients"),
        (by_layers(lambda output: 2 * output.detach()), "Dropout was at work|not what the modules return"),
        (left_hanging, "still hangs"),
        (left_in_evaluation, "Leave it as you found it"),
        (hanging_after_an_error, "Remove them in `finally`"),
        (evaluating_after_an_error, "stays in evaluation mode"),
        (without_errors, "you hide the error"),
    ],
    "predicted": [
        ((lambda: (0, 100), by_probe(FIRST, OTHERS)), "too wide to be wrong"),
        ((lambda: 80, by_probe(FIRST, OTHERS)), "First predict the accuracy"),
        ((a_guess, by_probe(FIRST, FIRST)), "Fit on the first 1,400"),
        ((a_guess, by_probe(slice(None), OTHERS)), "Fit on the first 1,400"),
        ((a_guess, by_probe(FIRST, OTHERS, in_place)), "a hook must copy"),
        ((a_guess, as_a_share), "in per cent"),
        ((a_guess, last_alone), "a number for each module"),
    ],
}
