"""Sparse encoders: zeros, when they come and how they stay, silent layers, what training and zeros change."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import wraps
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import funcsim as fs
from exercises.asking import Answer, array, as_number, between, call, number, outcome, passed, require

Array = np.ndarray


def zeros_by(answer: Answer) -> None:
    """`zeros_by(step, steps, share)`: what share of the weights is zero by then."""
    require(np.isclose(number(answer, 0, 90, 0.7), 0), "Before the first step no weight is zero.")
    last = number(answer, 90, 90, 0.7)
    require(
        last <= 1,
        f"At the end {last:.2f} of the weights would be zero. Pruning is done after two thirds of the steps.",
    )
    require(
        not np.isclose(last, 1), "At the end all weights are zero with you. Only `share` of them should be."
    )
    require(np.isclose(last, 0.7), f"At the end 0.70 of the weights should be zero, and you have {last:.2f}.")
    then = number(answer, 60, 90, 0.7)
    require(
        np.isclose(then, 0.7),
        f"After two thirds of the steps pruning should be done, 0.70, and you have {then:.2f}. The rest of "
        "them is for training.",
    )
    half = number(answer, 30, 90, 0.7)
    require(
        not np.isclose(half, 0.35),
        "After half of the pruning half of the zeros are there with you: that is a straight line. Most go at "
        "first, while the others have time to make up for them.",
    )
    require(
        not np.isclose(half, 0.7 / 8),
        "Slowly at first and then quickly: yours is the wrong way round.",
    )
    require(
        np.isclose(half, 0.7 * 7 / 8),
        f"After half of the pruning an eighth of the way is left, so 0.61 are zero, and you have {half:.2f}.",
    )
    passed(
        "In the last third of the steps no zero comes. The other weights can make up for those that are lost."
    )


def two_changes(answer: Answer) -> None:
    """`two_changes(before, dense, sparse)`: what training does to the mean distance, and what zeros do."""
    before, dense, sparse = _three_maps()
    training, zeros_do = array(answer, (2,), before, dense, sparse)
    require(
        not np.isclose(zeros_do, sparse[_PAIRS].mean() - before[_PAIRS].mean()),
        "You compare the sparse map with the one before training. It was trained as well: the dense one of "
        "the same rate is the control.",
    )
    require(
        not (np.isclose(training, -0.4) or np.isclose(zeros_do, 0.15)),
        "A change is what came after less what was before. Yours has the other sign.",
    )
    require(
        not np.isclose(training, [0.4 * 4 / 5, 0.4 * 2 / 3]).any(),
        "The diagonal is 0 in every map, and it is in your mean. Take pairs of different layers.",
    )
    require(
        np.isclose(training, 0.4) and np.isclose(zeros_do, -0.15),
        "Training adds 0.40 to the mean distance of these maps, and zeros take 0.15 away. You have "
        f"{training:.2f} and {zeros_do:.2f}, in this order.",
    )
    sparse = sparse.copy()
    sparse[0, :] = sparse[:, 0] = np.nan
    found = np.asarray(call(answer, before, dense, sparse), dtype=float)
    require(
        found.shape == (2,) and bool(np.isfinite(found).all()),
        "Layer 0 of the sparse map is silent here, so its distances are NaN, and so are your means.",
    )
    both = [np.nanmean(m[_PAIRS]) for m in (before, dense, sparse)]
    require(
        not np.allclose(found, np.diff(both)),
        "Layer 0 of the sparse map is silent, and you leave it out there alone. Its distances are among the "
        "largest, so the rest looks smaller. Take the same pairs in all three maps.",
    )
    left = [m[1:, 1:][np.triu_indices(4, k=1)].mean() for m in (before, dense, sparse)]
    require(
        np.allclose(found, np.diff(left)),
        f"With layer 0 silent the changes are {left[1] - left[0]:.3f} and {left[2] - left[1]:.3f} over the "
        f"pairs that all maps have, and you have {found[0]:.3f} and {found[1]:.3f}.",
    )
    passed("Against the map before training alone, what training adds would hide what zeros take away.")


_PAIRS = np.triu_indices(5, k=1)


def _three_maps() -> tuple[Array, Array, Array]:
    """Maps (5, 5) whose mean distances are 1, 1.4 and 1.25; layer 0 is the farthest."""
    where = np.array([3.0, 0, 0.5, 1.2, 1.4])
    before = np.abs(np.subtract.outer(where, where))
    before /= before[_PAIRS].mean()
    bent = before**1.5
    dense = 1.4 * bent / bent[_PAIRS].mean()
    return before, dense, dense * 1.25 / 1.4


Batches = Sequence[tuple[Tensor, Tensor]]


def prune_and_train(answer: Answer) -> None:
    """`prune_and_train(model, share, batches)`: the smallest weights become zero, and stay so in training."""
    draw = torch.Generator().manual_seed(0)
    batches = [
        (torch.randn(16, 6, generator=draw), torch.randint(3, (16,), generator=draw)) for _ in range(8)
    ]
    start, wanted, theirs = _classifier(), _classifier(), _classifier()
    total, share = _n_weights(start), 0.7
    n_zeros = int(share * total)
    _ran(answer, theirs, share, batches)
    pairs = list(zip(_linears(theirs), _linears(start), _linears(wanted), strict=True))
    is_zero = torch.cat([(one.weight == 0).flatten() for one, _, _ in pairs])
    count = int(is_zero.sum())
    require(
        not any((bias == 0).any() for bias in _others(theirs)),
        "Some biases are zero. Prune the matrices alone.",
    )
    require(
        count >= n_zeros - 1,
        f"After training {count} of the {total} weights are zero, and {n_zeros} should be. A step also moves "
        "weights that were set to zero before. Set them to zero after each step.",
    )
    require(
        count <= n_zeros + 1,
        f"{count} of the {total} weights are zero, and {n_zeros} should be.",
    )
    _prune_and_train(wanted, count, batches)
    should = torch.cat([(one.weight == 0).flatten() for _, _, one in pairs])
    shares = [round(100 * (one.weight == 0).float().mean().item()) for one, _, _ in pairs]
    require(
        np.ptp(shares) > 2,
        f"Of each matrix {shares[0]} % are zero. Look for the smallest weights of all matrices together: one "
        "of them has much larger weights.",
    )
    require(
        torch.equal(is_zero, should),
        "Other weights are zero than those that were the smallest before the first step, in absolute value. "
        "Choose them once.",
    )
    for k, (one, old, new) in enumerate(pairs):
        left = one.weight != 0
        require(
            not torch.equal(one.weight[left], old.weight[left]),
            f"The weights that are left in matrix {k} have not learned.",
        )
        require(
            torch.allclose(one.weight, new.weight, atol=1e-5),
            f"The weights that are left in matrix {k}, counted from 0, are not what they should be. Set "
            "zeros before the first step. Each batch is one step of Adam at the rate 0.01, with old "
            "gradients set to zero.",
        )
    for mine, right in zip(_others(theirs), _others(wanted), strict=True):
        require(torch.allclose(mine, right, atol=1e-5), "Biases should learn as usual, and yours have not.")
    passed("Gone means gone: what was set to zero once would be back after the first step.")


def _classifier() -> nn.Sequential:
    """Three matrices, of which the last has large weights."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 3))
    with torch.no_grad():
        _linears(model)[-1].weight.mul_(4)
    return model


def _linears(model: nn.Module) -> list[nn.Linear]:
    return [module for module in model.modules() if isinstance(module, nn.Linear)]


def _others(model: nn.Module) -> list[Tensor]:
    """Biases, and all weights that are no matrix of a linear module."""
    matrices = {id(module.weight) for module in _linears(model)}
    return [weight for weight in model.parameters() if id(weight) not in matrices]


def _n_weights(model: nn.Module) -> int:
    """Of all matrices together."""
    return sum(module.weight.numel() for module in _linears(model))


def _smallest(model: nn.Module, n_zeros: int) -> list[Tensor]:
    """For each matrix which of its weights are left if so many are zero."""
    sizes = torch.cat([module.weight.detach().abs().flatten() for module in _linears(model)])
    left = torch.ones(len(sizes))
    left[sizes.argsort()[:n_zeros]] = 0
    split = left.split([module.weight.numel() for module in _linears(model)])
    return [one.view_as(module.weight) for one, module in zip(split, _linears(model), strict=True)]


def _prune_and_train(model: nn.Module, n_zeros: int, batches: Batches) -> None:
    left = _smallest(model, n_zeros)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    _zeroed(model, left)
    for inputs, labels in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
        _zeroed(model, left)


@torch.no_grad()
def _zeroed(model: nn.Module, left: Sequence[Tensor]) -> None:
    for module, one in zip(_linears(model), left, strict=True):
        module.weight.mul_(one)


def _ran(answer: Answer, *given: Any) -> None:
    """The answer, which works on this very model and may return nothing."""

    @wraps(answer)
    def ran(*told: Any) -> tuple[Any]:
        return (answer(*told),)

    call(ran, *given, copies=False)


CHANGES = {"training": "Training", "zeros": "Zeros"}
SHARE = 0.9


def predicted(prediction: Answer, own: Answer, mean_distance: Answer) -> None:
    """What training and what zeros do to the mean distance between the modules of a reader's own network."""
    said = call(prediction)
    require(
        isinstance(said, dict) and set(said) == set(CHANGES),
        "First predict: a dictionary with 'training' and 'zeros'.",
    )
    guesses = {
        key: between(said[key], f"the change by {key} in per cent", widest=40, least=-100, most=1000)
        for key in CHANGES
    }
    torch.manual_seed(0)
    network = call(own)
    require(isinstance(network, nn.Sequential), "`own_network` should return an `nn.Sequential`.")
    names = [name for name, _ in network.named_children()]
    require(4 <= len(names) <= 8, f"Your network has {len(names)} modules. Take 4 to 8.")
    pixels, digits = load_digits(return_X_y=True)
    images, labels = torch.tensor(pixels, dtype=torch.float32) / 16, torch.tensor(digits)
    with torch.no_grad():
        shape = tuple(copy.deepcopy(network).eval()(images[:2]).shape)
    require(shape == (2, 10), f"For two images your network returns {shape}, and should return (2, 10).")
    _measured(mean_distance)
    dense, sparse = copy.deepcopy(network), copy.deepcopy(network)
    for model, share in ((dense, 0.0), (sparse, SHARE)):
        _made_sparse(model, share, images[:1400], labels[:1400])
    x = images[-30:]
    means = [_mean(mean_distance, model, x) for model in (network, dense, sparse)]
    by = {key: 100 * change / means[0] for key, change in zip(CHANGES, np.diff(means), strict=True)}
    right = [_right(model, images[1400:], labels[1400:]) for model in (dense, sparse)]
    lines = " ".join(outcome(word, guesses[key], by[key]) for key, word in CHANGES.items())
    passed(
        f"{lines} Right are {right[0]:.0f} % without zeros, and {right[1]:.0f} % if {100 * SHARE:.0f} % of "
        "the weights are zero. One network has one draw of its weights. Draw it again before you call a "
        "change one of sparsity."
    )


def _made_sparse(model: nn.Module, share: float, images: Tensor, labels: Tensor, steps: int = 150) -> None:
    """Train, while the smallest weights become zero little by little; with a share of 0, train."""
    torch.manual_seed(1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    for step in range(1, steps + 1):
        rows = torch.randint(len(images), (64,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
        optimizer.step()
        t = min(step / (steps * 2 / 3), 1)
        _zeroed(model, _smallest(model, int(share * (1 - (1 - t) ** 3) * _n_weights(model))))


def _right(model: nn.Sequential, images: Tensor, labels: Tensor) -> float:
    model.eval()
    with torch.no_grad():
        return 100 * (model(images).argmax(dim=1) == labels).double().mean().item()


def _measured(mean_distance: Answer) -> None:
    """Whether the mean distance of known networks is right."""
    x = torch.randn(20, 6, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(3)
    plain = nn.Sequential(nn.Linear(6, 6), nn.ReLU(inplace=True), nn.Linear(6, 4))
    with torch.no_grad():
        _linears(plain)[1].weight.mul_(20)
    found = _mean(mean_distance, plain, x)
    values = fs.compare(fs.capture(plain, [x], progress=False), progress=False).values
    wanted = float(values[np.triu_indices(3, k=1)].mean())
    raw = fs.compare(fs.capture(plain, [x], progress=False), normalize=None, progress=False).values
    require(
        not np.isclose(found, raw[np.triu_indices(3, k=1)].mean(), rtol=0.05),
        "The last module is 20 times as large, and that is most of your mean. Without scale, please.",
    )
    require(
        not np.isclose(found, values.mean(), rtol=0.02),
        "The diagonal of the map is 0, and it is in your mean. Take pairs of different modules.",
    )
    require(
        np.isclose(found, wanted, rtol=0.05),
        f"For a network of three modules the mean distance is {wanted:.3f}, and you have {found:.3f}.",
    )
    silent = nn.Sequential(*copy.deepcopy(plain), nn.Linear(4, 4))
    with torch.no_grad():
        _linears(silent)[2].weight.zero_()
    found = _mean(mean_distance, silent, x)
    require(
        np.isclose(found, wanted, rtol=0.05),
        "Here a fourth module is silent: it outputs the same for all inputs. The mean over the others is "
        f"{wanted:.3f}, and you have {found:.3f}.",
    )
    require(plain.training, "The network was in training mode, and now it is not. Leave it as it was.")


def _mean(mean_distance: Answer, network: nn.Sequential, x: Tensor) -> float:
    """The answer for this very network, if it is a number."""
    found = call(mean_distance, network, x, copies=False)
    return as_number(found)
