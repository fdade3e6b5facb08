"""Is the boundary real: score boundaries and evidence, what an alarm is worth, a boundary that is known."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

import funcsim as fs
from exercises.asking import Answer, array, call, number, passed, require

Array = np.ndarray


def f1_of_cuts(answer: Answer) -> None:
    """`f1_of_cuts(found, true)`: F1 of boundaries, tuples of places."""
    require(np.isclose(number(answer, (3, 6), (3, 6)), 1), "Cuts that are the truth have an F1 of 1.")
    require(
        np.isclose(number(answer, (), ()), 1),
        "Where nothing is to be found and nothing was, the answer is right: 1.",
    )
    require(
        number(answer, (), (3,)) == 0 and number(answer, (3,), ()) == 0,
        "A boundary that was not found, or one that is not there, gives 0.",
    )
    require(np.isclose(number(answer, (4,), (3,)), 0), "A cut that is one layer off is wrong here.")
    every = number(answer, (1, 2, 3, 4, 5), (3,))
    require(
        not np.isclose(every, 1),
        "Who cuts everywhere finds all boundaries, and should not get full marks: false cuts count, too.",
    )
    require(
        np.isclose(every, 1 / 3),
        f"Five cuts of which one is right: precision 1/5, recall 1, F1 1/3, and you have {every:.2f}.",
    )
    passed("The same score for a test, for a guess, and for an eye.")


def made_from(answer: Answer) -> None:
    """`made_from(source, target, rows)`: the best affine image of the source, where it was not fitted."""
    rng = np.random.default_rng(0)
    source = rng.normal(size=(60, 4))
    target = source @ rng.normal(size=(4, 3)) + [10.0, -5.0, 2.0]
    rows = np.arange(60) < 40
    found = np.asarray(call(answer, source, target, rows))
    require(
        found.shape != (60, 3),
        "It should return the 20 samples on which nothing was fitted, and it returns all 60.",
    )
    found = array(answer, (20, 3), source, target, rows)
    require(
        np.allclose(found, target[~rows]),
        "This target is affine in the source, and you miss it. Is there a column of ones for the shift?",
    )
    wide = rng.normal(size=(60, 70))
    noise = rng.normal(size=(60, 2))
    found = array(answer, (20, 2), wide, noise, rows)
    require(
        not np.allclose(found, noise[~rows]),
        "Noise was foretold without an error, so what is foretold was fitted. Fit on `rows` alone.",
    )
    copied = np.column_stack([source, source])
    require(
        np.allclose(array(answer, (20, 3), copied, target, rows), target[~rows]),
        "With two equal columns there are many best maps; take one of them, with `np.linalg.lstsq` or "
        "`np.linalg.pinv`.",
    )
    passed("What such a map cannot make is what the network does between the two layers.")


def gain(answer: Answer) -> None:
    """`gain(one, other, rng)`: mean difference of two scores over chains, and the ends of its interval."""
    rng = np.random.default_rng(1)
    hard = rng.uniform(size=40)
    one, other = hard + 0.1, hard
    found = array(answer, (3,), one, other, np.random.default_rng(0))
    require(np.isclose(found[0], 0.1), f"The mean difference is 0.10, and you have {found[0]:.2f}.")
    require(
        found[2] - found[1] < 0.02,
        "Here one score is better by 0.1 in *every* chain, so the interval should have no width. "
        "Draw chains, with both of their scores.",
    )
    noisy = hard + 0.1 + rng.normal(scale=0.2, size=40)
    found = array(answer, (3,), noisy, other, np.random.default_rng(0))
    low, high = found[1:]
    require(low < found[0] < high, "The mean should lie between the ends, the smaller one first.")
    error = stats.sem(noisy - other)
    wide = (high - low) / (2 * 1.96 * error)
    require(
        wide < 2,
        f"Your interval is {wide:.1f} times as wide as it should be. "
        "It is that of the *mean*, not of a chain.",
    )
    require(
        0.9 < wide < 1.1,
        f"Your interval is {wide:.2f} times as wide as it should be: "
        "from the 2.5 % to the 97.5 % quantile of the drawn means.",
    )
    again = array(answer, (3,), noisy, other, np.random.default_rng(5))
    require(
        not np.array_equal(again[1:], found[1:]),
        "With another generator your ends are the same to the last digit: nothing was drawn. Draw chains "
        "with `rng`.",
    )
    passed("What all chains share, that some are harder, is not in it.")


def beyond_depth(answer: Answer) -> None:
    """`beyond_depth(distance, lost, depth)`: rank correlation of what depth does not explain."""
    rng = np.random.default_rng(2)
    depth = np.repeat(np.arange(1.0, 9), 40)
    noise = rng.normal(size=(2, len(depth)))
    found = number(answer, depth + 0.3 * noise[0], depth + 0.3 * noise[1], depth)
    require(
        abs(found) < 0.3,
        f"Here distance and loss only share depth, so little should be left, and you have {found:.2f}. Take "
        "depth out of both.",
    )
    found = number(answer, depth + noise[0], depth + noise[0], depth)
    require(found > 0.95, f"Here they share more than depth, and you have {found:.2f} in the place of 1.")
    found = number(answer, np.exp(3 * noise[0]), noise[0] ** 3, depth)
    require(
        found > 0.95,
        "A rank correlation does not change when one stretches an axis, and you have "
        f"{found:.2f} in the place of 1. Go over to ranks first.",
    )
    found = number(answer, depth - noise[0], depth + noise[0], depth)
    require(found < -0.9, "Where more distance is less loss, at equal depth, it should be negative.")
    passed("What a map says beyond the number of layers between two layers.")


def when_it_rings(answer: Answer) -> None:
    """`when_it_rings(hits, alarms, share)`: the chance of a boundary where a test has found one."""
    found = number(answer, 0.8, 0.05, 0.1)
    require(
        not np.isclose(found, 0.08),
        "That is the share of all networks in which it rings and is right. Divide by the share in which it "
        "rings.",
    )
    require(
        not np.isclose(found, 0.8 / 0.85),
        f"You have {found:.2f}, whatever the share of networks with a boundary. If there are nine times as "
        "many without one, their false alarms weigh more.",
    )
    require(
        np.isclose(found, 0.08 / 0.125),
        "Of 1,000 networks 100 have a boundary, and it rings in 80 of them; of the 900 others it rings in "
        f"45. So it is 80 of 125, 0.64, and you have {found:.2f}.",
    )
    always = number(answer, 1, 1, 0.3)
    require(
        np.isclose(always, 0.3),
        f"An alarm that always rings tells nothing: with a boundary in 30 % of the networks the chance stays "
        f"0.3, and you have {always:.2f}.",
    )
    require(
        np.isclose(number(answer, 0.4, 0, 0.3), 1),
        "A test without a false alarm is right whenever it rings, however much it misses.",
    )
    passed(
        "This test has 5 % of false alarms, and of 125 alarms 45 are false. What an alarm is worth depends "
        "on how often there is something to find."
    )


def precision_of(answer: Answer) -> None:
    """`precision_of(evidence, true, rng)`: average precision of evidence, with ties in random order."""
    evidence = np.array([9, 1, 5, 4, 0.5, 3])
    first = _precision(answer, evidence, (2,))
    require(
        not np.isclose(first, 0.5),
        "Place 2 has the most evidence, and with you another comes first. Before layer 0 there is no place: "
        "leave its entry out, and mind that the next one is place 1.",
    )
    require(
        np.isclose(first, 1),
        f"Place 2 has the most evidence of all places and is the only true one: 1, and you have {first:.2f}.",
    )
    second = _precision(answer, evidence, (3,))
    require(
        np.isclose(second, 0.5),
        "If the second place of the order is the only true one, the precision there is one of two, 0.5, and "
        f"you have {second:.2f}.",
    )
    both = _precision(answer, evidence, (2, 5))
    require(
        not np.isclose(both, 0.5),
        "You look at as many places as there are boundaries, and 0.5 of them are true. Go on down the order.",
    )
    require(
        np.isclose(both, 5 / 6),
        "The true places come first and third. The precision is 1 at the first and 2/3 at the third, 0.83 in "
        f"the mean, and you have {both:.2f}.",
    )
    missing = _precision(answer, np.array([-np.inf, 2, -np.inf, 1]), (2,))
    require(
        np.isclose(missing, 1 / 3),
        "Minus infinity is no evidence at all, so this place comes last of three: 0.33, and you have "
        f"{missing:.2f}.",
    )
    for true in (1, 5, 8):
        found, wanted = _precision(answer, np.ones(9), (true,)), float(np.mean(1 / np.arange(1, 9)))
        require(
            abs(found - wanted) < 0.05,
            f"A measure that has the same evidence everywhere says nothing. With place {true} of eight the "
            f"true one it should have {wanted:.2f}, and it has {found:.2f} with you. Take equal places in "
            "random order, and average over many orders.",
        )
    require(
        number(answer, np.ones(9), (3,), np.random.default_rng(1))
        == number(answer, np.ones(9), (3,), np.random.default_rng(1)),
        "Asked again with the same generator, you have another number. Draw with `rng` alone.",
    )
    passed("So even a measure that says nothing has some of it. Subtract that, and you have the skill.")


def _precision(answer: Answer, evidence: Array, true: tuple[int, ...]) -> float:
    return number(answer, evidence, true, np.random.default_rng(0))


WIDTH, P, STEPS = 32, 5, 200


class _Block(nn.Module):
    """A residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.into, self.out = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 64), nn.Linear(64, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """Add to the stream (n, 32)."""
        return x + self.out(nn.functional.gelu(self.into(self.norm(x))))


def block() -> nn.Module:
    """A residual block for streams (n, 32): it adds to a stream what an MLP makes of it."""
    return _Block()


def predicted(prediction: Answer, own: Answer, told: Answer) -> None:
    """Where evidence and test see a boundary in a reader's own network, whose boundary is known."""
    said = call(prediction)
    require(
        isinstance(said, dict) and set(said) == set(TOLD),
        "First predict: a dictionary with 'place' and 'groups'.",
    )
    torch.manual_seed(0)
    made = call(own)
    require(
        isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], nn.Sequential),
        "`own_network` should return an `nn.Sequential`, and how many of its modules compute the first "
        "function.",
    )
    network, first = made
    size = len(network)
    require(8 <= size <= 12, f"Your network has {size} modules. Take 8 to 12.")
    require(
        _whole(first) and 2 <= first <= size - 2,
        f"The second function should begin with module 2 to {size - 2} of your network, counted from 0.",
    )
    for part, least, most in (("place", 1, size - 1), ("groups", 1, size)):
        require(
            _whole(said[part]) and least <= said[part] <= most,
            f"First predict {part!r}: a whole number from {least} to {most}.",
        )
    x = torch.randn(24, WIDTH, generator=torch.Generator().manual_seed(0))
    for kind, chain in _chains().items():
        found = _told(told, chain, x)
        wanted = _seen(chain, x)
        require(
            found["place"] == wanted["place"],
            f"In a network that {kind} the most evidence lies before module {wanted['place']}, counted from "
            f"0, and with you before {found['place']:g}. Distances without scale, and "
            "`fs.boundary_evidence`: its entry k is for a boundary before module k.",
        )
        require(
            found["groups"] == wanted["groups"],
            f"In a network that {kind} the test finds {wanted['groups']} group{'s'[: wanted['groups'] != 1]} "
            f"and you have {found['groups']:g}. Nobody has given it their number.",
        )
        require(chain.training, "The network was in training mode, and now it is not. Leave it as it was.")
    untrained = copy.deepcopy(network)
    inputs, right = _learned(network, first)
    require(
        min(right) > 0.95,
        f"Your network is right in {100 * right[0]:.0f} % of its inputs at the first function and in "
        f"{100 * right[1]:.0f} % at the second. What was not learned has no boundary. Take wider modules, or "
        "`check.block()`.",
    )
    trained, before = _told(told, network, inputs), _told(told, untrained, inputs)
    evidence = fs.boundary_evidence(_map(network, inputs))
    rank = 1 + int((evidence[1:] > evidence[first]).sum())
    passed(
        f"The second function begins with module {first}. The most evidence lies before module "
        f"{trained['place']:g}; you predicted {said['place']}. Of {size - 1} places the true one is number "
        f"{rank}. The test finds {trained['groups']:g} group{'s'[: trained['groups'] != 1]}; you predicted "
        f"{said['groups']}. Before training the place is {before['place']:g}, and the test finds "
        f"{before['groups']:g}. One network is no study: draw another one, and count."
    )


TOLD = ("place", "groups")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _map(network: nn.Sequential, x: Tensor) -> fs.LayerMap:
    return fs.compare(fs.capture(network, [x], progress=False), progress=False)


def _seen(network: nn.Sequential, x: Tensor) -> dict[str, int]:
    layer_map = _map(network, x)
    return {
        "place": int(np.argmax(fs.boundary_evidence(layer_map))),
        "groups": fs.partition(layer_map).n_groups,
    }


def _chains() -> dict[str, nn.Sequential]:
    """Networks near the identity, but for a step: one that stays, and a larger one that is taken back."""
    torch.manual_seed(7)
    drifts = [torch.eye(WIDTH) + 0.03 * torch.randn(WIDTH, WIDTH) for _ in range(10)]
    step, detour = torch.randn(2, WIDTH, WIDTH)
    stays = [w + 0.1 * step if k == 6 else w for k, w in enumerate(drifts)]
    odd = torch.eye(WIDTH) + 0.3 * detour
    returns = [*stays[:2], odd, stays[3] @ torch.linalg.inv(odd), *stays[4:]]
    grows = [3 * w if k == 4 else w for k, w in enumerate(stays)]
    return {
        "changes once, and grows in another place": _linear(grows),
        "changes once, with one odd layer before": _linear(returns),
        "drifts evenly": _linear(drifts),
    }


def _linear(weights: Sequence[Tensor]) -> nn.Sequential:
    chain = [nn.Linear(WIDTH, WIDTH, bias=False) for _ in weights]
    with torch.no_grad():
        for module, weight in zip(chain, weights, strict=True):
            module.weight.copy_(weight)
    return nn.Sequential(*chain)


def _learned(network: nn.Sequential, first: int) -> tuple[Tensor, list[float]]:
    """Train both functions, one after the other; inputs, and the share of right answers of each."""
    draw = torch.Generator().manual_seed(0)
    numbers = torch.cartesian_prod(*[torch.arange(P)] * 3)
    stream = torch.stack([torch.randn(P, WIDTH, generator=draw)[numbers[:, k]] for k in range(3)]).sum(dim=0)
    inputs, names = stream, torch.randperm(P, generator=draw)
    one = (numbers[:, 0] + numbers[:, 1]) % P
    two = names[(names[one] + numbers[:, 2]) % P]
    right = []
    torch.manual_seed(1)
    # what the second function needs is to stay readable in the first modules
    for blocks, answers in ((network[:first], (one, numbers[:, 2])), (network[first:], (two,))):
        readouts = nn.ModuleList(nn.Linear(WIDTH, P) for _ in answers)
        optimizer = torch.optim.AdamW([*blocks.parameters(), *readouts.parameters()], lr=3e-3)
        for _ in range(STEPS):
            end = blocks(stream)
            optimizer.zero_grad()
            losses = [
                nn.functional.cross_entropy(read(end), a) for read, a in zip(readouts, answers, strict=True)
            ]
            torch.stack(losses).sum().backward()
            optimizer.step()
        with torch.no_grad():
            stream = blocks(stream)
            right.append((readouts[0](stream).argmax(dim=1) == answers[0]).double().mean().item())
    return inputs[torch.randperm(len(inputs), generator=draw)[:40]], right


def _told(told: Answer, network: nn.Sequential, x: Tensor) -> dict[str, float]:
    """The answer for one network, if it is two numbers."""
    found: Any = call(told, network, x, copies=False)
    require(
        isinstance(found, dict) and set(found) == set(TOLD),
        "`told` should return a dictionary with 'place' and 'groups'.",
    )
    return {name: number(lambda value=value: value) for name, value in found.items()}
