"""Networks that add: levels of sums, the delay of grokking, a stage on a frozen one, and unseen pairs."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from exercises.asking import Answer, array, as_number, between, call, number, outcome, passed, require


def third_sum(answer: Answer) -> None:
    """`third_sum(a, b, moduli)`: the last of three nested sums."""
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(11), np.arange(11), indexing="ij"))
    equal = array(answer, (121,), a, b, (11, 11, 11))
    require(
        np.array_equal(equal, (a + 3 * b) % 11),
        "With three equal moduli p it should be (a + 3 b) mod p.",
    )
    nested = array(answer, (121,), a, b, (11, 7, 5))
    require(
        not np.array_equal(nested, (a + 3 * b) % 5),
        "With moduli that shrink you leave out the remainders on the way. Take one after every sum.",
    )
    wanted = (((a + b) % 11 + b) % 7 + b) % 5
    require(
        np.array_equal(nested, wanted),
        "With the moduli 11, 7 and 5 it is (((a + b) mod 11 + b) mod 7 + b) mod 5.",
    )
    differs = np.mean(wanted != (a + 3 * b) % 5)
    passed(f"Without the remainders on the way {100 * differs:.0f} % of the pairs would come out otherwise.")


def delay(answer: Answer) -> None:
    """`delay(train, val, level)`: how much later validation first reaches a level."""
    train = np.array([0.0, 0.5, 0.95, 1.0, 1.0, 1.0, 1.0])
    val = np.array([0.0, 0.0, 0.0, 0.1, 0.9, 0.85, 1.0])
    require(
        number(answer, train, val, 0.9) == 2,
        "Training first reaches 0.9 in epoch 2, validation in epoch 4: two epochs. What a curve does "
        "afterwards, falling below again, does not count.",
    )
    require(number(answer, train, train, 0.9) == 0, "Of a curve to itself the delay is 0.")
    never = as_number(_finite(call(answer, train, 0 * val, 0.9)))
    require(never == -1, "If validation never reaches the level, the answer should be infinity: `np.inf`.")
    passed("Two epochs here; and infinity for a network that only knows by heart.")


def _finite(x: float) -> float:
    return -1.0 if x == np.inf else x


def train_stage(answer: Answer) -> None:
    """`train_stage(first, second, x, y)`: `second` learns on what a frozen `first` returns."""
    torch.manual_seed(0)
    first = nn.Sequential(nn.Linear(6, 40), nn.BatchNorm1d(40), nn.ReLU(), nn.Dropout(0.5))
    second = nn.Linear(40, 4)
    x = torch.randn(200, 6)
    y = x[:, :4].argmax(1)
    first.train()
    before = {name: value.clone() for name, value in first.state_dict().items()}
    weights = second.weight.detach().clone()
    found = call(answer, first, second, x, y, copies=False)  # these very modules: they are looked at
    changed = [name for name, value in first.state_dict().items() if not torch.equal(value, before[name])]
    learned = [name for name in changed if name.endswith(("weight", "bias"))]
    require(not learned, f"The first stage has learned as well: {', '.join(learned)}. Only `second` may.")
    require(
        not changed,
        f"The first stage has kept an account of what it saw: {', '.join(changed)}. Its batch "
        "normalisation does so in training mode; call `first.eval()`.",
    )
    require(
        all(weight.grad is None for weight in first.parameters()),
        "Gradients have been computed for the first stage. Call it under `torch.no_grad()`.",
    )
    require(
        all(weight.requires_grad for weight in first.parameters()),
        "The first stage cannot be trained any more: `requires_grad` is off. Leave it as you found it.",
    )
    require(first.training, "The first stage was in training mode, and now it is not.")
    require(not torch.equal(second.weight, weights), "The second stage is as before: nothing was learned.")
    first.eval()
    with torch.no_grad():
        right = 100 * float((second(first(x)).argmax(1) == y).float().mean())
    require(
        right > 90,
        f"Both stages together are right for {right:.0f} % of what they were trained on, and more than 90 "
        "% are possible. More steps, or a larger rate?",
    )
    share = as_number(found)
    require(
        abs(share - right) < 0.5,
        f"Both stages together are right for {right:.1f} %, and you return {share:.1f}. Asked for are per "
        "cent.",
    )
    passed(f"The second stage is right for {right:.0f} %, and the first is the same to the last bit.")


def predicted(prediction: Answer, learn: Answer) -> None:
    """How often a network is right on pairs it has not seen, for two tasks of the same pairs."""
    said = call(prediction)
    require(
        isinstance(said, dict) and set(said) == {"sum", "larger"},
        "First predict: a dictionary with a lower and an upper end for 'sum' and for 'larger'.",
    )
    ends = {task: between(said[task], f"the accuracy for {task!r}", widest=20) for task in ("sum", "larger")}
    pairs = np.stack(np.meshgrid(np.arange(P), np.arange(P), indexing="ij"), axis=-1).reshape(-1, 2)
    train = np.random.default_rng(0).permutation(len(pairs)) < len(pairs) / 2
    first = pairs[:, 0]
    share = _accuracy(learn, pairs, first, train)
    require(
        share > 80,
        f"Here the answer is the first number itself, and your network is right for {share:.0f} % of the "
        "pairs it has not seen. Does it get both numbers, one by one, and train long enough?",
    )
    renamed = np.where(train, first, (first + 1) % P)
    share = _accuracy(learn, pairs, renamed, train)
    require(
        share < 20,
        "Here all answers but those for training are wrong. A network that has not seen them gets none "
        f"right, and yours {share:.0f} %. Train on the pairs that `train` marks, judge on the others.",
    )
    found = {
        "sum": _accuracy(learn, pairs, pairs.sum(axis=1) % P, train),
        "larger": _accuracy(learn, pairs, (pairs[:, 0] > pairs[:, 1]).astype(int), train),
    }
    said = " ".join(outcome(task, ends[task], share) for task, share in found.items())
    passed(f"{said} By chance the sum is right for {100 / P:.0f} %.")


P = 11


def _accuracy(learn: Answer, pairs: np.ndarray, answers: np.ndarray, train: np.ndarray) -> float:
    share = number(learn, pairs, answers, train)
    require(0 <= share <= 100, f"It should be in per cent, from 0 to 100, and is {share:g}.")
    return share
