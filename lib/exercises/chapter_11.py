"""Ablations: the least loss that can be seen, bends of a curve, training beside frozen modules, two costs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from exercises.asking import Answer, array, between, call, number, numbers, outcome, passed, require

Array = np.ndarray
Batches = Sequence[tuple[Tensor, Tensor]]


def could_see(answer: Answer) -> None:
    """`could_see(n, differ)`: the least loss in points that n texts can tell from none."""
    found, wanted = number(answer, 872, 0.05), 196 * np.sqrt(0.05 / 872)
    require(
        not np.isclose(found, wanted / 100, rtol=0.02),
        "That is a share. Points are per cent.",
    )
    require(
        not np.isclose(found, wanted / 1.96, rtol=0.02),
        "That is one standard error. The 95 % interval reaches 1.96 of them to either side.",
    )
    require(
        not np.isclose(found, 2 * wanted, rtol=0.02),
        "That is the whole width of the interval. It leaves out 0 if the loss is more than half of it.",
    )
    require(
        not np.isclose(found, 196 * 0.05 / np.sqrt(872), rtol=0.02),
        "The standard deviation of the differences is the root of the share of texts that differ.",
    )
    require(
        abs(found / wanted - 1) < 0.02,
        f"On 872 texts, 5 % of which only one of the two gets right, it is {wanted:.2f} points, and you have "
        f"{found:.2f}.",
    )
    require(
        np.isclose(number(answer, 400, 0.1) / number(answer, 1600, 0.1), 2, rtol=0.02),
        "With four times as many texts half as much should be seen.",
    )
    require(
        np.isclose(number(answer, 4000, 0.2) / number(answer, 4000, 0.05), 2, rtol=0.02),
        "If four times as many texts differ, the least loss that is seen should be twice as large.",
    )
    passed(f'"Nothing is lost that we can see" means here: {found:.1f} points may be lost.')


def bends(answer: Answer) -> None:
    """`bends(n, lost)`: loss per block behind each place, less that before it."""
    n, lost = np.array([0, 4, 6, 7, 8, 12]), np.array([0, 0.4, 0.8, 1.4, 2.4, 8.4])
    wanted = _bends(n, lost)
    shape = np.shape(call(answer, n, lost))
    require(
        shape != (6,),
        "Before the first number of blocks nothing lies, and nothing behind the last. Leave both out.",
    )
    found = array(answer, (4,), n, lost)
    require(not np.allclose(found, -wanted), "Behind less before: yours has the other sign.")
    local = np.diff(lost)[1:] / np.diff(n)[1:] - np.diff(lost)[:-1] / np.diff(n)[:-1]
    require(
        not np.allclose(found, local),
        "You take the rise to the next number of blocks. Behind a place is all that lies behind it.",
    )
    before = (lost - lost[0])[1:-1]
    require(
        not np.allclose(found, lost[-1] - lost[1:-1] - before),
        "This is what is lost, and not what is lost by a block. The two parts differ in their blocks.",
    )
    require(
        np.allclose(found, wanted),
        f"With 6 frozen blocks of 12 it is (8.4 - 0.8) / 6 - 0.8 / 6 = {wanted[1]:.2f}, and you have "
        f"{found[1]:.2f}.",
    )
    moved = array(answer, (4,), n, lost + 3)
    require(
        np.allclose(moved, wanted),
        "Here 3 points are lost already with no block frozen. Before a place means: since the first number.",
    )
    late = array(answer, (4,), n + 2, lost)
    require(
        np.allclose(late, wanted), "Here counting begins with 2 blocks. Count blocks from the first number."
    )
    even = np.arange(13)
    found = array(answer, (11,), even, even**2 / 4)
    passed(
        f"And a loss that grows with the square of the number of blocks bends by {found[0]:.0f} at every "
        "place. A bend at the map's boundary says little. Ask where the bend is largest."
    )


def _bends(n: Array, lost: Array) -> Array:
    before = (lost - lost[0])[1:-1] / (n - n[0])[1:-1]
    return (lost[-1] - lost)[1:-1] / (n[-1] - n)[1:-1] - before


def train_rest(answer: Answer) -> None:
    """`train_rest(model, n, batches)`: training of all modules but the first n, which stay as they are."""
    draw = torch.Generator().manual_seed(0)
    batches = [
        (torch.randn(16, 4, generator=draw), torch.randint(3, (16,), generator=draw)) for _ in range(6)
    ]
    for n in (5, 0, 7):
        before, wanted = _classifier(), _classifier()
        _train_rest(wanted, n, batches)
        theirs = _classifier()
        torch.manual_seed(1)
        _ran(answer, theirs, n, batches)
        moved = [not _same(a, b) for a, b in zip(theirs, before, strict=True)]
        last = max((k for k in range(n) if moved[k]), default=None)
        weights_stay = last is None or all(
            torch.equal(a, b)
            for a, b in zip(theirs[last].parameters(), before[last].parameters(), strict=True)
        )
        require(
            last is None or weights_stay,
            f"With the first {n} modules frozen, weights of module {last}, counted from 0, have changed. A "
            "weight may change without a gradient: AdamW shrinks all weights that it is given.",
        )
        require(
            last is None,
            f"The weights of module {last} stay, but the means that its batch normalisation keeps have "
            "changed. Frozen modules belong into evaluation mode, in each step.",
        )
        still = [k for k in range(n, len(theirs)) if _same(theirs[k], before[k]) and _has_weights(before[k])]
        require(not still, f"With the first {n} modules frozen, modules {still} should learn, and have not.")
        for k in range(n, len(theirs)):
            require(
                _near(theirs[k], wanted[k]),
                f"With the first {n} modules frozen, module {k} has other weights than it should. In each "
                "step: set old gradients to zero, let dropout work in the modules that learn and not in the "
                "frozen ones, and take one step of AdamW.",
            )
        require(
            theirs[-1].training and all(m.training for m in theirs), "Leave all modules in training mode."
        )
        require(
            all(p.requires_grad for p in theirs.parameters()),
            "Afterwards some weights cannot learn any more. Leave `requires_grad` as it was.",
        )
    passed("To the last bit the frozen modules are as they were. What is lost now is lost by freezing.")


def _classifier() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 16),
        nn.BatchNorm1d(16),
        nn.Dropout(0.3),
        nn.ReLU(),
        nn.Linear(16, 16),
        nn.BatchNorm1d(16),
        nn.Dropout(0.3),
        nn.Linear(16, 3),
    ).train()


def _train_rest(model: nn.Sequential, n: int, batches: Batches) -> None:
    """What is asked for: the frozen modules are run apart, so that nothing can reach them."""
    frozen, rest = model[:n].eval(), model[n:]
    torch.manual_seed(1)
    optimizer = torch.optim.AdamW(rest.parameters(), lr=0.01)
    for inputs, labels in batches:
        with torch.no_grad():
            x = frozen(inputs)
        optimizer.zero_grad()
        nn.functional.cross_entropy(rest(x), labels).backward()
        optimizer.step()


def _ran(answer: Answer, model: nn.Sequential, n: int, batches: Batches) -> None:
    """The answer, which works on this very model and may return nothing."""

    @wraps(answer)
    def ran(*given: Any) -> tuple[Any]:
        return (answer(*given),)

    call(ran, model, n, batches, copies=False)


def _state(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]


def _same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(_state(one), _state(other), strict=True))


def _near(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.allclose(a, b, atol=1e-5) for a, b in zip(_state(one), _state(other), strict=True))


def _has_weights(module: nn.Module) -> bool:
    return any(True for _ in module.parameters())


class _Block(nn.Module):
    """A residual block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Add to the stream (n, width)."""
        return x + self.out(torch.relu(self.into(x)))


def block(width: int) -> nn.Module:
    """A residual block for streams (n, width): it adds to a stream what an MLP makes of it."""
    return _Block(width)


COSTS = {"frozen": "Frozen", "kept": "Kept"}
Tuned = Callable[[nn.Module], Array]


def predicted(prediction: Answer, own: Answer, costs: Answer) -> None:
    """What freezing and truncating half of the blocks of a reader's own network loses."""
    said = call(prediction)
    require(
        isinstance(said, dict) and set(said) == set(COSTS),
        "First predict: a dictionary with 'frozen' and 'kept'.",
    )
    guesses = {key: between(said[key], f"the points lost for {key!r}", widest=5, least=-100) for key in COSTS}
    torch.manual_seed(0)
    network = call(own)
    require(isinstance(network, nn.Sequential), "`own_network` should return an `nn.Sequential`.")
    n_blocks = len(network) - 2
    require(
        4 <= n_blocks <= 8,
        f"Your network has {n_blocks} blocks between its first and its last module. Take 4 to 8.",
    )
    n = n_blocks // 2
    pixels, digits = load_digits(return_X_y=True)
    images, labels = torch.tensor(pixels, dtype=torch.float32) / 16, torch.tensor(digits)
    for what, model in (("", network), (" without its last blocks", _kept(network, n))):
        try:
            with torch.no_grad():
                shape: tuple[Any, ...] = tuple(copy.deepcopy(model).eval()(images[:2]).shape)
        except RuntimeError as error:
            shape = (str(error),)
        require(
            shape == (2, 10),
            f"For two images your network{what} should return (2, 10). Is each block as wide at its end as "
            f"at its beginning? It returns {shape}.",
        )
    _asked(costs)
    fresh = copy.deepcopy(network)
    _fine_tuned(network, images, labels, steps=300)
    rows = [
        _costs(costs, copy.deepcopy(one), n, lambda m: _fine_tuned(m, images, labels % 2, steps=100))
        for one in (network, fresh)
    ]
    lines = " ".join(outcome(word, guesses[key], rows[0][key], "points") for key, word in COSTS.items())
    passed(
        f"With {n} of {n_blocks} blocks: {lines} If the same network is not pre-trained, freezing loses "
        f"{rows[1]['frozen']:.1f} points and keeping {rows[1]['kept']:.1f}. Is your rule about a boundary, "
        "or about what the blocks have learned before?"
    )


def _kept(network: nn.Sequential, n: int) -> nn.Sequential:
    return nn.Sequential(*list(network)[: 1 + n], network[-1])


def _asked(costs: Answer) -> None:
    """Whether the right networks are fine-tuned, from the right weights, and compared in the right way."""
    torch.manual_seed(1)
    base = nn.Sequential(nn.Linear(64, 8), *(block(8) for _ in range(5)), nn.Linear(8, 10))
    given = copy.deepcopy(base)
    seen: list[nn.Sequential] = []

    def fine_tune(model: nn.Module) -> Array:
        require(isinstance(model, nn.Sequential), "`fine_tune` takes an `nn.Sequential`.")
        assert isinstance(model, nn.Sequential)
        seen.append(copy.deepcopy(model))
        kind = "kept" if len(model) < len(base) else "whole" if _all_learn(model) else "frozen"
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(1.0 if weight.requires_grad else 0.0)
        return np.arange(100) < _RIGHT[kind]

    found = _costs(costs, given, 2, fine_tune)
    require(
        _near(given, base) and _all_learn(given),
        "The network that you were given has changed. Fine-tune copies of it: `copy.deepcopy`.",
    )
    short = [model for model in seen if len(model) < len(base)]
    whole = [model for model in seen if len(model) == len(base) and _all_learn(model)]
    frozen = [model for model in seen if len(model) == len(base) and not _all_learn(model)]
    require(
        bool(whole),
        "No network was fine-tuned as a whole. Both losses are counted from that one.",
    )
    require(bool(frozen), "No network with frozen modules was fine-tuned.")
    require(bool(short), "No shorter network was fine-tuned.")
    require(
        all(_near(model, base) for model in (*whole, *frozen)),
        "One of your networks begins with weights that were fine-tuned before. Begin each with a copy of the "
        "network that was given.",
    )
    still = [[not any(p.requires_grad for p in module.parameters()) for module in model] for model in frozen]
    require(
        all(one == [True] * 3 + [False] * 4 for one in still),
        "With n = 2 the first module and the two blocks after it are to be frozen, and all others learn. "
        f"Yours freezes the modules {np.flatnonzero(still[0]).tolist()}, counted from 0.",
    )
    wanted = _kept(base, 2)
    require(
        all(len(model) == len(wanted) for model in short),
        "With n = 2 the shorter network has the first module, two blocks and the last module, four in all. "
        f"Yours has {len(short[0])}.",
    )
    same = [[_alike(a, b) for a, b in zip(model, wanted, strict=True)] for model in short]
    require(
        all(map(all, same)),
        "The shorter network should consist of the first module, the first two blocks and the last module, "
        "with the weights that they had.",
    )
    require(all(map(_all_learn, short)), "In the shorter network all modules should learn.")
    for key, lost in (("frozen", 5), ("kept", 20)):
        share = found[key]
        require(not np.isclose(share, lost / 100), f"For {key!r} you have a share. Points are per cent.")
        require(not np.isclose(share, -lost), "What is lost is positive: the whole less the other one.")
        require(
            np.isclose(share, lost),
            f"For {key!r} {lost} points are lost: {_RIGHT['whole']} of 100 are right, then {_RIGHT[key]}. "
            f"You have {share:g}.",
        )


_RIGHT = {"whole": 90, "frozen": 85, "kept": 70}


def _all_learn(model: nn.Module) -> bool:
    return all(weight.requires_grad for weight in model.parameters())


def _alike(one: nn.Module, other: nn.Module) -> bool:
    shapes = [[weight.shape for weight in module.parameters()] for module in (one, other)]
    return shapes[0] == shapes[1] and _near(one, other)


def _fine_tuned(model: nn.Module, images: Tensor, labels: Tensor, steps: int) -> Array:
    """Train what may learn on the first 1,200 images; which of the others are answered right."""
    torch.manual_seed(1)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.001)
    model.train()
    for _ in range(steps):
        rows = torch.randint(1200, (64,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        right = (model(images[1200:]).argmax(dim=1) == labels[1200:]).numpy()
    model.train()
    return np.asarray(right)


def _costs(costs: Answer, network: nn.Sequential, n: int, fine_tune: Tuned) -> dict[str, float]:
    """The answer for one network, if it is two numbers."""
    found: Any = call(costs, network, n, fine_tune, copies=False)
    require(
        isinstance(found, dict) and set(found) == set(COSTS),
        "`costs` should return a dictionary with 'frozen' and 'kept'.",
    )
    return numbers(found, costs)
