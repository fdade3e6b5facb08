"""Fine-tuning an encoder: pooling, how sure an accuracy is, clouds from batches, who finds itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from exercises.asking import Answer, array, as_array, between, call, number, numbers, outcome, passed, require


def pool_mean(answer: Answer) -> None:
    """`pool_mean(states, mask)`: the mean over the real tokens of every text."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(3, 6, 4))
    mask = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]])
    found = array(answer, (3, 4), states, mask)
    require(np.allclose(found[0], states[0].mean(axis=0)), "Without padding it is the mean over all tokens.")
    require(
        not np.allclose(found[1], states[1].mean(axis=0)),
        "Padding has been counted: the second text has two tokens, not six.",
    )
    require(
        not np.allclose(found[1], states[1, :2].sum(axis=0) / 6),
        "The sum is over real tokens, but it is divided by the number of places. Divide by the number of "
        "tokens.",
    )
    require(
        np.allclose(found[1], states[1, :2].mean(axis=0)) and np.allclose(found[2], states[2, 0]),
        "For the second text it should be the mean of its first two tokens, for the third its only one.",
    )
    louder = states.copy()
    louder[mask == 0] = 1e6
    require(
        np.allclose(array(answer, (3, 4), louder, mask), found),
        "What stands in the padding should not matter.",
    )
    passed("A text says the same, however much padding its batch has.")


def margin(answer: Answer) -> None:
    """`margin(accuracy, n)`: half the width of a 95 % interval."""
    found = number(answer, 0.89, 872)
    require(
        not np.isclose(found, 1.96 * 0.89 * 0.11 / 872, rtol=0.1),
        "That is a variance. The interval is made of its root, the standard error.",
    )
    require(
        not np.isclose(found, 1.96 * np.sqrt(0.89 * 0.11), rtol=0.1),
        "That is how much one answer varies. The mean of n answers varies less.",
    )
    require(
        not np.isclose(found, np.sqrt(0.89 * 0.11 / 872), rtol=0.05),
        "That is the standard error. The 95 % interval reaches 1.96 of them to either side.",
    )
    require(
        np.isclose(found, 0.0208, atol=0.0005),
        f"For 89 % of 872 texts it is 2.1 points, 0.021, and you have {found:.4f}.",
    )
    require(
        np.isclose(number(answer, 0.5, 400) / number(answer, 0.5, 1600), 2),
        "Four times as many texts should halve it.",
    )
    passed("Two encoders that differ by less than two points on 872 texts may well be equally good.")


def clouds(answer: Answer) -> None:
    """`clouds(model, batches)`: each module's output as points, a mean over the real tokens of each text."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(6, 2))
    lengths = ((4, 2, 3), (7, 1))
    texts = [torch.randn(n, 3) for batch in lengths for n in batch]
    batches = [_padded(texts[:3]), _padded(texts[3:])]
    given = [(states.clone(), mask.clone()) for states, mask in batches]
    model.train()
    wanted = {
        name: np.array([np.mean(x, axis=0) for x in rows]) for name, rows in _alone(model, texts).items()
    }
    found = call(answer, model, batches, copies=False)  # this very model: it is looked at afterwards
    require(
        isinstance(found, dict) and list(found) == list(wanted),
        f"Return a dictionary with an array for each module, {list(wanted)}.",
    )
    require(
        all(isinstance(one, np.ndarray) and one.ndim == 2 for one in found.values()),
        "Each value should be an array (texts, features).",
    )
    require(
        all(len(one) == len(texts) for one in found.values()),
        f"There are {len(texts)} texts in both batches together, and you have rows for "
        f"{len(found['0'])}. Join the batches.",
    )
    for name, one in found.items():
        as_array(one, wanted[name].shape, repr(name))
    require(
        np.allclose(found["2"], found["1"], atol=1e-6),
        "Dropout was at work while you looked. Call `model.eval()` first.",
    )
    require(
        bool((found["0"] < 0).any()),
        "There is no negative number in the first one: you have what the ReLU made of it in place. Pool "
        "before the next module runs.",
    )
    padded = np.concatenate([_of_all_places(model, *batch) for batch in given])
    require(
        not np.allclose(found["3"], padded, atol=1e-5),
        "Padding has been counted: a module makes something of zeros, too. Use the mask after each module.",
    )
    for name, one in found.items():
        require(
            np.allclose(one, wanted[name], atol=1e-5),
            f"For module {name!r} these are not the means over the real tokens of each text, in the order of "
            "the texts.",
        )
    require(
        all(
            torch.equal(a, b) for x, y in zip(batches, given, strict=True) for a, b in zip(x, y, strict=True)
        ),
        "The batches that you were given have changed.",
    )
    require(model.training, "The model was in training mode, and now it is not. Leave it as you found it.")
    model.eval()
    call(answer, model, batches, copies=False)
    require(not model.training, "The model was in evaluation mode, and now it is in training mode.")
    passed("A text is the same point, whatever batch it came in. This is `fs.capture(..., pool='mean')`.")


def _padded(texts: list[Tensor]) -> tuple[Tensor, Tensor]:
    """States and mask of a batch, as long as its longest text."""
    longest = max(map(len, texts))
    states = torch.stack([nn.functional.pad(x, (0, 0, 0, longest - len(x))) for x in texts])
    return states, torch.tensor([[int(k < len(x)) for k in range(longest)] for x in texts])


def _alone(model: nn.Sequential, texts: list[Tensor]) -> dict[str, list[np.ndarray]]:
    """What each module makes of each text by itself, without padding, in evaluation mode."""
    found: dict[str, list[np.ndarray]] = {name: [] for name, _ in model.named_children()}
    model.eval()
    with torch.no_grad():
        for x in texts:
            for name, module in model.named_children():
                x = module(x.clone())
                found[name].append(x.numpy().copy())
    model.train()
    return found


def _of_all_places(model: nn.Sequential, states: Tensor, mask: Tensor) -> np.ndarray:
    """The last output, with padding counted as if it were text."""
    before = model.training
    model.eval()
    with torch.no_grad():
        pooled = model(states.clone()).mean(dim=1).numpy()
    model.train(before)
    return pooled


def predicted(prediction: Answer, own: Answer, itself: Answer) -> None:
    """How many inputs the best matching matches with themselves in a reader's own network."""
    said = call(prediction)
    require(
        isinstance(said, dict) and set(said) == set(POOLINGS),
        "First predict: a dictionary with 'mean' and 'cls'.",
    )
    guesses = {
        pool: between(said[pool], f"the share for {pool!r} in per cent", widest=20) for pool in POOLINGS
    }
    torch.manual_seed(0)
    network = call(own)
    require(isinstance(network, nn.Sequential), "`own_network` should return an `nn.Sequential`.")
    require(3 <= len(network) <= 8, f"Your network has {len(network)} modules. Take 3 to 8.")
    states = torch.randn(40, 6, 16, generator=torch.Generator().manual_seed(0))
    network.eval()
    with torch.no_grad():
        one, other = (network(x)[:, 0] for x in (states, torch.cat([states[:, :1], -states[:, 1:]], dim=1)))
    network.train()
    require(
        not torch.allclose(one, other, atol=1e-4),
        "In your network the first token hears nothing of the others. Let a module mix tokens, such as "
        "`nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)`.",
    )
    turned = nn.Sequential(_turn(1), nn.Identity(), _turn(3))
    found = _shares(itself, turned, states)
    for pool in POOLINGS:
        require(
            found[pool] > 95,
            "In a network that only turns and stretches, the best matching matches all inputs with "
            f"themselves. For {pool!r} you have {found[pool]:.0f} %. If you have shuffled, undo it in the "
            "partners.",
        )
    found = _shares(itself, nn.Sequential(nn.Identity(), nn.Identity(), _Neighbour()), states)
    require(
        found["cls"] < 5,
        "Here the first token of each input becomes that of the next input, so at the first token nobody is "
        f"matched with itself, and you have {found['cls']:.0f} %. Match the first module with the last, at "
        "the first token.",
    )
    require(
        found["mean"] > 95,
        f"Here the mean over tokens stays as it is, so all are matched with themselves in it, and you have "
        f"{found['mean']:.0f} %. Is it the mean over tokens?",
    )
    rng = np.random.default_rng(2)
    x = torch.tensor(rng.normal(size=(30, 1, 8)), dtype=torch.float32)
    noisy = nn.Sequential(nn.Identity(), nn.Identity(), _Adds(0.75 * rng.normal(size=(30, 1, 8))))
    share = max(_shares(itself, noisy, x).values())
    require(
        share < 40,
        f"Here so much noise is added that a search which does not know the order finds few, and yours finds "
        f"{share:.0f} %. It tries each input with itself as a first guess. Shuffle one side.",
    )
    require(turned.training, "The network was in training mode, and now it is not. Leave it as it was.")
    found = _shares(itself, network, states)
    lines = " ".join(outcome(word, guesses[pool], found[pool]) for pool, word in POOLINGS.items())
    passed(f"{lines} By chance it would be {100 / len(states):.1f} %.")


POOLINGS = {"mean": "Mean over tokens", "cls": "First token"}


def _turn(size: float) -> nn.Linear:
    """A rotation of 16 dimensions, and a change of size."""
    turn = nn.Linear(16, 16, bias=False)
    nn.init.orthogonal_(turn.weight, gain=size)
    return turn.requires_grad_(False)


class _Neighbour(nn.Module):
    """The first token of each input becomes that of the next input; the mean over tokens stays."""

    def forward(self, states: Tensor) -> Tensor:
        first, second, rest = states[:, :1], states[:, 1:2], states[:, 2:]
        other = first.roll(1, dims=0)
        return torch.cat([other, second + first - other, rest], dim=1)


class _Adds(nn.Module):
    """The same noise is added each time."""

    def __init__(self, noise: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("noise", torch.tensor(noise, dtype=torch.float32))

    def forward(self, states: Tensor) -> Any:
        return states + self.noise


def _shares(itself: Answer, network: nn.Sequential, states: Tensor) -> dict[str, float]:
    """The answer for one network, if it is a percentage for each pooling."""
    found: Any = call(itself, network, states, copies=False)
    require(
        isinstance(found, dict) and set(found) == set(POOLINGS),
        "`itself` should return a dictionary with 'mean' and 'cls'.",
    )
    shares = numbers(found, itself)
    require(
        all(0 <= share <= 100 for share in shares.values()) and not 0 < max(shares.values()) <= 1,
        "The shares should be in per cent, from 0 to 100.",
    )
    return shares
