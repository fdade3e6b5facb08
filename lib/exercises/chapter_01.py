"""Functional similarity: a share of variance, what a line cannot see, hooks, and an untrained network."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from exercises.asking import Answer, array, between, call, number, numbers, outcome, passed, require


def explained(answer: Answer) -> None:
    """`explained(target, predicted)`: the share of variance that a prediction explains."""
    target = np.array([1.0, 2.0, 3.0, 6.0])
    require(
        np.isclose(number(answer, target, target), 1),
        "A prediction that is right everywhere explains all of the variance: 1.",
    )
    mean = np.full(4, target.mean())
    require(
        np.isclose(number(answer, target, mean), 0),
        "Who always predicts the mean explains nothing: 0.",
    )
    require(
        not np.isclose(number(answer, target, 2 * target), 1),
        "Predictions that are twice the target are wrong, and yours calls them perfect. A squared "
        "correlation forgives a wrong scale; a share of explained variance does not.",
    )
    require(
        np.isclose(number(answer, target, 2 * target), 1 - 50 / 14),
        "Compare the squared errors with the squared deviations of the target from its mean. For predictions "
        "twice as large as the target [1, 2, 3, 6] that is 1 - 50/14, less than nothing.",
    )
    passed("It is 1 at best, 0 for the mean, and has no lower limit: a bad prediction is worse than none.")


def invisible(answer: Answer) -> None:
    """`invisible(z)`: a function of z in [-1, 1] of which a line explains next to nothing."""
    z = np.random.default_rng(0).uniform(-1, 1, size=5000)
    values = array(answer, (5000,), z)
    require(
        len(np.unique(values.round(6))) > 10,
        "Your function takes hardly any values; that is too easy to miss.",
    )
    require(
        not np.allclose(values, z**2),
        "That is the parabola of the chapter. Find another one.",
    )
    seen = np.corrcoef(z, values)[0, 1] ** 2
    require(
        seen < 0.02,
        f"A line explains {100 * seen:.0f} % of your function. What goes up on the left must come down on "
        "the right: think of symmetry.",
    )
    passed(f"A line explains {100 * seen:.1f} % of it, and yet z determines every value.")


def read_layers(answer: Answer) -> None:
    """`read_layers(model, x)`: what each module of an `nn.Sequential` returns, by hooks."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(7, 2))
    model.train()
    x = torch.randn(20, 5)
    wanted = _by_hand(model, x)
    found = call(answer, model, x, copies=False)  # this very model: it is looked at afterwards
    require(isinstance(found, dict), "Return a dictionary from the names of the modules to tensors.")
    require(
        list(found) == list(wanted),
        f"The modules are called {list(wanted)}, in the order in which they run; yours are {list(found)}.",
    )
    require(all(isinstance(one, torch.Tensor) for one in found.values()), "Each value should be a tensor.")
    require(
        all(found[name].shape == wanted[name].shape for name in wanted),
        "Each module returns a row for each row of x; some of yours have another shape.",
    )
    require(
        bool((found["0"] < 0).any()),
        "There is no negative number in the first one: you have what the ReLU made of it in place. Copy "
        "inside the hook.",
    )
    require(
        torch.allclose(found["2"], wanted["2"]),
        "Dropout was at work while you looked. Call `model.eval()` first.",
    )
    require(
        all(torch.allclose(found[name], wanted[name]) for name in wanted),
        "These are not what the modules return.",
    )
    require(
        not any(one.requires_grad for one in found.values()),
        "The tensors carry a graph for gradients. `torch.no_grad()` saves the memory.",
    )
    require(not _hooked(model), "A hook still hangs on a module. Keep the handles, and remove all of them.")
    require(model.training, "The model was in training mode, and now it is not. Leave it as you found it.")
    try:
        answer(model, x[:, :3])
    except NotImplementedError:
        raise
    except Exception:
        require(
            not _hooked(model),
            "When the model fails, here because x has too few columns, your hooks stay on it. Remove them in "
            "`finally`.",
        )
        require(model.training, "When the model fails, it stays in evaluation mode. Use `finally`.")
    else:
        require(
            condition=False, otherwise="The model fails on rows of three numbers, and you hide the error."
        )
    passed("This is what `fs.capture` does first. The model is as it was, even after an error.")


def _by_hand(model: nn.Sequential, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Each module in evaluation mode, called by itself."""
    found = {}
    model.eval()
    with torch.no_grad():
        for name, module in model.named_children():
            x = module(x.clone())
            found[name] = x.clone()
    model.train()
    return found


def _hooked(model: nn.Module) -> bool:
    return any(module._forward_hooks for module in model.modules())


def predicted(prediction: Answer, probed: Answer) -> None:
    """What a linear probe reads off the last hidden layer of a network that has learned nothing."""
    said = between(call(prediction), "the accuracy in per cent", widest=20)
    pixels, digits = load_digits(return_X_y=True)
    images, digits = torch.tensor(pixels, dtype=torch.float32) / 16, digits.astype(np.int64)
    lowered = nn.Sequential(nn.Linear(64, 64), nn.ReLU(inplace=True))
    with torch.no_grad():
        lowered[0].weight.copy_(torch.eye(64))
        lowered[0].bias.fill_(-2)  # below 0 everywhere: the ReLU leaves nothing
    found = _shares(probed, lowered, images, digits)
    require(
        found["0"] > 80,
        "The first module of this check passes all pixels on, shifted, and your probe reads "
        f"{found['0']:.0f} % "
        "off it. If a ReLU in place comes next, a hook must copy. Is the probe fitted on the layer?",
    )
    require(
        found["1"] < 25,
        f"The second module outputs zeros alone, and your probe reads {found['1']:.0f} % off it.",
    )
    renamed = np.where(np.arange(len(digits)) < FITTED, digits, (digits + 1) % 10)
    found = _shares(probed, lowered, images, renamed)
    require(
        found["0"] < 12,
        f"Here all images but the first {FITTED:,} have a wrong label. A probe that has not seen them "
        "gets next "
        f"to none right, and yours {found['0']:.0f} %. Fit on the first {FITTED:,}, judge on the others.",
    )
    torch.manual_seed(0)
    own = nn.Sequential(
        nn.Linear(64, 32), nn.ReLU(inplace=True), nn.Linear(32, 32), nn.ReLU(inplace=True), nn.Linear(32, 10)
    )
    found = _shares(probed, own, images, digits)
    passed(
        f"{outcome('Last hidden layer', said, found['3'])} Nothing was learned: what a probe reads off an "
        "untrained network is there already in the pixels."
    )


FITTED = 1400


def _shares(
    probed: Answer, model: nn.Sequential, images: torch.Tensor, digits: np.ndarray
) -> dict[str, float]:
    """The answer for one network, if it is a percentage for each module."""
    found = call(probed, model, images, digits)
    names = [name for name, _ in model.named_children()]
    require(
        isinstance(found, dict) and list(found) == names,
        f"`probed` should return a dictionary with a number for each module, {names}.",
    )
    shares = numbers(found, probed)
    require(
        all(0 <= share <= 100 for share in shares.values()) and max(shares.values()) > 1,
        "The accuracies should be in per cent, from 0 to 100.",
    )
    return shares
