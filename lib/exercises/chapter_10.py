"""Training dynamics: when to look, what stays, how to watch without a trace, what moves far and first."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import funcsim as fs
from exercises.asking import Answer, arrays, call, number, numbers, passed, require

Batches = Sequence[tuple[Tensor, Tensor]]


def when_to_look(answer: Answer) -> None:
    """`when_to_look(last, n)`: about n steps, evenly spaced in their logarithm."""
    found = np.asarray(call(answer, 1000, 20))
    require(np.issubdtype(found.dtype, np.integer), "Steps are whole numbers.")
    require(
        0 in found and 1000 in found,
        "The state before the first step and the one after the last should be there.",
    )
    require(
        len(np.unique(found)) == len(found) and (np.diff(found) > 0).all(),
        "Some steps are there twice. Near the beginning whole numbers are farther apart than the spacing.",
    )
    require(
        12 <= len(found) <= 21, f"About 20 looks were asked for, or a few less, and these are {len(found)}."
    )
    early = np.mean(found <= 30)
    require(
        early > 0.35,
        f"Of your looks {100 * early:.0f} % are within the first 30 of 1,000 steps. Evenly spaced in the "
        "*logarithm*, nearly half of them are.",
    )
    require(
        len(np.asarray(call(answer, 5, 20))) == 6,
        "Of five steps there are six states; more cannot be looked at.",
    )
    passed("Dense where a network changes fast, sparse where it does not.")


def stays_from(answer: Answer) -> None:
    """`stays_from(steps, found, layer)`: from which step on a boundary is always found."""
    steps = [0, 1, 2, 4, 8, 16]
    came_and_went = [(), (8,), (), (8,), (8, 10), (8,)]
    found = number(answer, steps, came_and_went, 8)
    require(found != 1, "At step 1 it is found, but at step 2 it is gone again.")
    require(found == 4, f"From step 4 on it is always found, and you have {found:g}.")
    require(number(answer, steps, [(8,)] * 6, 8) == 0, "If it is always found, it is there from step 0.")
    gone = call(lambda *x: (answer(*x),), steps, [(8,), (8,), (8,), (8,), (8,), ()], 8)[0]
    require(gone is None, "If it is not found at the end it has not come to stay: None.")
    passed("One test in twenty finds a boundary by chance. One that stays is another matter.")


def watched(answer: Answer) -> None:
    """`watched(model, optimizer, batches, look_at, x)`: outputs while a network learns."""
    draw = torch.Generator().manual_seed(0)
    batches = [
        (torch.randn(16, 4, generator=draw), torch.randint(3, (16,), generator=draw)) for _ in range(9)
    ]
    x, look_at = torch.randn(20, 4, generator=draw), (0, 1, 2, 4, 9)
    model, wanted = _classifier(), {}
    _train(model, batches, look_at, x, wanted)
    theirs = _classifier()
    torch.manual_seed(1)
    found = call(answer, theirs, _optimizer(theirs), batches, look_at, x, copies=False)
    require(
        isinstance(found, dict) and set(found) == set(look_at),
        f"Return a dictionary with the steps {list(look_at)}; step 0 is before the first, and there are "
        f"{len(batches)} steps.",
    )
    seen = arrays(found, (20, 3), answer)
    same = [torch.equal(a, b) for a, b in zip(_numbers(theirs), _numbers(model), strict=True)]
    unlooked = _classifier()
    torch.manual_seed(1)
    require(
        not np.allclose(seen[0], unlooked(x).detach().numpy(), atol=1e-6),
        "You look in training mode: batch normalisation takes its means from `x`, and dropout draws. Call "
        "`model.eval()` for a look.",
    )
    require(
        np.allclose(seen[0], wanted[0], atol=1e-5),
        "At step 0 the network should not have learned yet, and yours has, or is no longer in evaluation "
        "mode. Look once before the loop.",
    )
    require(
        all(same),
        "Your network ends at other weights than one that nobody has watched. Is it in training mode in each "
        "step, and are old gradients set to zero?",
    )
    for step in look_at[1:]:
        require(
            np.allclose(seen[step], wanted[step], atol=1e-5),
            f"After step {step} the output is another one. Count the steps from 1, look after them, in "
            "evaluation mode.",
        )
    require(
        theirs.training, "At the end the network should be in training mode, as one that was not watched."
    )
    passed("To the last bit the same weights. What was seen was not made by looking.")


def _classifier() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.3), nn.ReLU(), nn.Linear(16, 3)
    ).train()


def _optimizer(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=0.01)


def _train(
    model: nn.Module, batches: Batches, look_at: Collection[int], x: Tensor, seen: dict[int, np.ndarray]
) -> None:
    """Train, and look at copies."""
    torch.manual_seed(1)
    optimizer = _optimizer(model)
    for step, (inputs, labels) in enumerate([(x, None), *batches]):
        if labels is not None:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
        if step in look_at:
            with torch.no_grad():
                seen[step] = copy.deepcopy(model).eval()(x).numpy()


def _numbers(model: nn.Module) -> list[Tensor]:
    """Weights, and what batch normalisation keeps."""
    return [*model.parameters(), *model.buffers()]


def predicted(prediction: Answer, own: Answer, moved: Answer) -> None:
    """Which module of a reader's own network ends farthest from itself, and which is halfway first."""
    said = call(prediction)
    require(
        isinstance(said, dict) and set(said) == {"farthest", "first"},
        "First predict: a dictionary with 'farthest' and 'first'.",
    )
    torch.manual_seed(0)
    network = call(own)
    require(isinstance(network, nn.Sequential), "`own_network` should return an `nn.Sequential`.")
    names = [name for name, _ in network.named_children()]
    require(4 <= len(names) <= 8, f"Your network has {len(names)} modules. Take 4 to 8.")
    for what, name in said.items():
        require(name in names, f"First predict {what!r}: one of {names}.")
    pixels, digits = load_digits(return_X_y=True)
    images, labels = torch.tensor(pixels, dtype=torch.float32) / 16, torch.tensor(digits)
    with torch.no_grad():
        shape = tuple(copy.deepcopy(network).eval()(images[:2]).shape)
    require(shape == (2, 10), f"For two images your network returns {shape}, and should return (2, 10).")
    x = images[-30:]
    plain = _plain()
    apart = _distances(moved, plain, copy.deepcopy(plain), x)
    require(
        max(apart.values()) < 0.02,
        f"A network and its copy are at a distance of {max(apart.values()):.2f} with you. Compare each "
        "module with itself in the other state.",
    )
    larger = copy.deepcopy(plain)
    with torch.no_grad():
        larger[2].weight.mul_(5)
        larger[2].bias.mul_(5)
    require(
        _distances(moved, plain, larger, x)["2"] < 0.02,
        "Here the last module is five times as large, and nothing else. Without scale that is no distance.",
    )
    other = copy.deepcopy(plain)
    torch.manual_seed(5)
    other[2].reset_parameters()
    apart = _distances(moved, plain, other, x)
    old, new = (fs.capture(one, [x], progress=False) for one in (plain, other))
    wanted = fs.gw(old["2"], new["2"])
    require(
        max(apart["0"], apart["1"]) < 0.02,
        "Here the last module alone has new weights, and you find a distance in one before it.",
    )
    require(
        not np.isclose(apart["2"], wanted.cost, rtol=0.1),
        "That is the cost of the matching. The distance is its root.",
    )
    require(
        np.isclose(apart["2"], wanted.distance, rtol=0.1),
        f"Here the last module has new weights. Its distance is {wanted.distance:.3f}, and you have "
        f"{apart['2']:.3f}.",
    )
    require(plain.training, "The network was in training mode, and now it is not. Leave it as it was.")
    steps = [1, 2, 4, 8, 16, 32, 64, 128]
    states = _states(network, images[:1400], labels[:1400], steps)
    rows = [_distances(moved, states[0], state, x) for state in states[1:]]
    ways = {name: np.array([0, *(row[name] for row in rows)]) for name in names}
    farthest = max(names, key=lambda name: ways[name][-1])
    half = {name: _halfway(np.array([0.5, *steps]), way) for name, way in ways.items()}
    first = min(names, key=lambda name: half[name])
    passed(
        f"Farthest from itself is module {farthest}, {ways[farthest][-1]:.2f}; you predicted "
        f"{said['farthest']}. Halfway first is module {first}, after {half[first]:.1f} steps; you predicted "
        f"{said['first']}. Now look at this chapter's encoder: is the block that goes farthest the first?"
    )


def _plain() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 16), nn.ReLU(inplace=True), nn.Linear(16, 4))


def _states(network: nn.Sequential, x: Tensor, labels: Tensor, steps: Sequence[int]) -> list[nn.Sequential]:
    """Copies of a network before training and after so many steps."""
    torch.manual_seed(1)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    states = [copy.deepcopy(network)]
    for step in range(1, max(steps) + 1):
        rows = torch.randint(len(x), (64,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x[rows]), labels[rows]).backward()
        optimizer.step()
        if step in steps:
            states.append(copy.deepcopy(network))
    return states


def _halfway(steps: np.ndarray, way: np.ndarray) -> float:
    """After how many steps half of a way is gone, on lines over the logarithm of the step."""
    if way[-1] <= 0:
        return float("inf")
    gone, log = way / way[-1], np.log2(steps)
    k = int(np.argmax(gone >= 0.5))
    part = (0.5 - gone[k - 1]) / (gone[k] - gone[k - 1])
    return float(2 ** (log[k - 1] + part * (log[k] - log[k - 1])))


def _distances(moved: Answer, before: nn.Sequential, after: nn.Sequential, x: Tensor) -> dict[str, float]:
    """The answer for two states, if it is a number for each module."""
    found: Any = call(moved, before, after, x, copies=False)
    names = [name for name, _ in before.named_children()]
    require(
        isinstance(found, dict) and list(found) == names,
        f"`moved` should return a dictionary with the distance of each module, {names}.",
    )
    return numbers(found, moved)
