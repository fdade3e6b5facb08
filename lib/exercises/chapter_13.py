"""Is the boundary real: score boundaries and evidence, what an alarm is worth, a boundary that is known."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import funcsim as fs
from exercises.asking import Answer, call, number, numbers, passed, require

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
        f"45. So it is 80 of 125, 0.64, and you have {found:.3g}.",
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
    rare = number(answer, 0.5, 0.01, 0.001)
    require(
        np.isclose(rare, 0.0005 / 0.01049),
        "If only one network in 1,000 has a boundary, and it rings in half of these and in 1 % of the "
        f"others, the chance is 0.0477, and you have {rare:.3g}. Take shares, and round nothing.",
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
    drawn, again, other = (
        number(answer, np.ones(9), (3,), np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    require(
        drawn == again,
        "Asked again with the same generator, you have another number. Draw with `rng` alone.",
    )
    require(
        drawn != other or np.isclose(drawn, wanted),  # the mean of all orders needs no draw
        "Asked with another generator, you have the same number. Draw with `rng`, and make none of your own.",
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
        isinstance(made, tuple | list) and len(made) == 2 and isinstance(made[0], nn.Sequential),
        "`own_network` should return an `nn.Sequential`, and how many of its modules compute the first "
        "function.",
    )
    network, first = made
    size = len(network)
    require(8 <= size <= 12, f"Your network has {size} modules. Take 8 to 12.")
    require(
        _whole(first) and 2 <= first <= size - 2,
        f"The second function should begin with module 2 to {size - 2} of your network, counted from 0. "
        "Return it as a whole number.",
    )
    for part, least, most in (("place", 1, size - 1), ("groups", 1, size)):
        require(
            _whole(said[part]) and least <= said[part] <= most,
            f"First predict {part!r}: a whole number from {least} to {most}.",
        )
    x = torch.randn(24, WIDTH, generator=torch.Generator().manual_seed(0))
    _can_learn_two(network, first, x)
    for kind, chain in _chains().items():
        found = _told(told, chain, x)
        wanted = _seen(chain, x)
        require(
            found["place"] == wanted["place"],
            f"In a network that {kind} the most evidence lies before module {wanted['place']}, counted from "
            f"0, and with you before {found['place']:g}. Take the normalised GW map, "
            "and `fs.boundary_evidence`: its entry k is for a boundary before module k.",
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


def _can_learn_two(network: nn.Sequential, first: int, x: Tensor) -> None:
    """Say so if a network does not fit the streams, or its second function would change its first."""

    def your_network() -> Any:
        return copy.deepcopy(network)(x.clone())

    end = call(your_network)
    require(
        isinstance(end, Tensor) and end.shape == x.shape,
        "Your network should lead from streams (n, 32) to streams (n, 32).",
    )
    before, after = ({id(w) for w in part.parameters()} for part in (network[:first], network[first:]))
    require(
        not before & after,
        "A weight of your first modules is used again by the later ones. It would be learned twice, and the "
        "first function lost. Make each module anew: `[check.block() for _ in range(8)]`.",
    )


def _whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


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
    return numbers(found, told)
