"""What readers may well write, and what the check says to it."""

import numpy as np
import torch
from torch import nn


def one_sum(a, b, moduli):
    return (a + 3 * b) % moduli[-1]


def first_alone(a, b, moduli):
    return (a + b) % moduli[0]


def for_good(train, val, level):
    def reached(curve):
        below = np.flatnonzero(curve < level)
        return np.inf if len(below) == len(curve) else below[-1] + 1

    return reached(val) - reached(train)


def argmax(train, val, level):
    return np.argmax(val >= level) - np.argmax(train >= level)


def trained(first, second, x, y, steps=300, rate=0.05, mode=False, graph=False, of=None):
    """Train on what `first` returns, in a way of one's own."""
    was = first.training
    first.train(mode)
    with torch.set_grad_enabled(graph):
        stream = first(x)
    optimizer = torch.optim.Adam(of or list(second.parameters()), lr=rate)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(second(stream), y)
        optimizer.zero_grad()
        loss.backward(retain_graph=graph)
        optimizer.step()
        if graph:
            stream = first(x)
    first.eval()
    with torch.no_grad():
        right = 100 * float((second(first(x)).argmax(1) == y).float().mean())
    first.train(was)
    return right


def both(first, second, x, y):
    return trained(first, second, x, y, graph=True, of=[*first.parameters(), *second.parameters()])


def in_training_mode(first, second, x, y):
    return trained(first, second, x, y, mode=True)


def with_a_graph(first, second, x, y):
    return trained(first, second, x, y, graph=True, steps=30)


def left_in_evaluation(first, second, x, y):
    right = trained(first, second, x, y)
    first.eval()
    return right


def left_frozen(first, second, x, y):
    first.requires_grad_(False)
    return trained(first, second, x, y)


def no_step(first, second, x, y):
    return trained(first, second, x, y, steps=0)


def few_steps(first, second, x, y):
    return trained(first, second, x, y, steps=2, rate=0.001)


def as_a_share(first, second, x, y):
    return trained(first, second, x, y) / 100


def two_guesses():
    return {"sum": (30, 50), "larger": (80, 100)}


def learned(pairs, answers, fit, judge, inputs=None):
    torch.manual_seed(0)
    x = inputs if inputs is not None else one_hot(pairs)
    y = torch.tensor(answers)
    model = nn.Sequential(nn.Linear(x.shape[1], 128), nn.ReLU(), nn.Linear(128, 11))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(150):
        loss = nn.functional.cross_entropy(model(x[fit]), y[fit])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return 100 * float((model(x[judge]).argmax(1) == y[judge]).float().mean())


def one_hot(pairs):
    return nn.functional.one_hot(torch.tensor(pairs), 11).flatten(1).float()


def on_all_pairs(pairs, answers, train):
    return learned(pairs, answers, slice(None), torch.tensor(~train))


def on_its_own_pairs(pairs, answers, train):
    return learned(pairs, answers, torch.tensor(train), torch.tensor(train))


def second_number_alone(pairs, answers, train):
    return learned(pairs, answers, torch.tensor(train), torch.tensor(~train), one_hot(pairs)[:, 11:])


def too_much(pairs, answers, train):
    return 100 * learned(pairs, answers, torch.tensor(train), torch.tensor(~train))


WRONG = {
    "third_sum": [(one_sum, "remainders on the way"), (first_alone, "a \\+ 3 b")],
    "delay": [(for_good, "does not count"), (argmax, "should be infinity")],
    "train_stage": [
        (both, "The first stage has learned as well"),
        (in_training_mode, "call `first.eval"),
        (with_a_graph, "Gradients have been computed"),
        (left_in_evaluation, "now it is not"),
        (left_frozen, "`requires_grad` is off"),
        (no_step, "nothing was learned"),
        (few_steps, "More steps, or a larger rate"),
        (as_a_share, "Asked for are per cent"),
    ],
    "predicted": [
        ((lambda: (10, 20), on_all_pairs), "First predict: a dictionary"),
        ((lambda: {"sum": (0, 100), "larger": (80, 100)}, on_all_pairs), "'sum'|too wide to be wrong"),
        ((two_guesses, on_all_pairs), "judge on the others"),
        ((two_guesses, on_its_own_pairs), "judge on the others"),
        ((two_guesses, second_number_alone), "Does it get both numbers"),
        ((two_guesses, too_much), "from 0 to 100"),
    ],
}
