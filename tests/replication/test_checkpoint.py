"""States of a training: all of it comes back, and none of another network does."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from funcsim.errors import FileFormatError
from replication.training.checkpoint import load_state, save_state


@dataclass
class Losses:
    loss: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def curves(self):
        return {"loss": np.array(self.loss)}


def network(seed=0):
    torch.manual_seed(seed)
    layers = torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1)
    model = torch.nn.Sequential(*layers)
    model[0].weight.requires_grad_(False)
    return model, torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.1)


def step(model, optimizer):
    optimizer.zero_grad()
    model(torch.randn(5, 2)).square().sum().backward()
    optimizer.step()


def test_all_comes_back_but_what_is_frozen(tmp_path):
    model, optimizer = network()
    step(model, optimizer)
    save_state(tmp_path / "state", model, optimizer, Losses([2.5], 7.0), 1, [0.5, 0.25], random=True)
    step(model, optimizer)
    again, other = network(seed=1)
    frozen, history = again[0].weight.clone(), Losses()
    assert load_state(tmp_path / "state", again, other, history) == (1, [0.5, 0.25])
    assert (history.loss, history.seconds) == ([2.5], 7.0)
    assert torch.equal(again[0].weight, frozen)
    assert not torch.equal(frozen, model[0].weight)
    with torch.no_grad():
        again[0].weight.copy_(model[0].weight)
    step(again, other)  # the same inputs are drawn, and the optimiser remembers
    for (name, one), two in zip(model.state_dict().items(), again.state_dict().values(), strict=True):
        assert torch.equal(one, two), name


def test_the_generator_is_left_alone_unless_it_was_saved(tmp_path):
    model, optimizer = network()
    step(model, optimizer)
    save_state(tmp_path / "state", model, optimizer, Losses(), 1)
    expected = torch.get_rng_state()
    load_state(tmp_path / "state", model, optimizer, Losses())
    assert torch.equal(torch.get_rng_state(), expected)


def test_the_state_of_another_network_is_refused(tmp_path):
    model, optimizer = network()
    step(model, optimizer)
    save_state(tmp_path / "state", model, optimizer, Losses(), 1)
    deeper = torch.nn.Sequential(*model, torch.nn.Linear(1, 1))
    for other in (deeper, torch.nn.Linear(2, 3)):
        with pytest.raises(FileFormatError, match="the state of another network; remove it"):
            load_state(tmp_path / "state", other, torch.optim.AdamW(other.parameters()), Losses())
