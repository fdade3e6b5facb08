"""States from which a training goes on to the same bits: of the networks of sections 5.1 to 5.3 alike.

A state holds the weights that learn, the optimiser's memory of them, the curves so far, the losses since
the last measurement, and, where training draws from it, the state of torch's generator.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.errors import FileFormatError

FORMAT = "funcsim.checkpoint/1"


class History(Protocol):
    """Curves, one number each time, and the seconds spent."""

    seconds: float

    def curves(self) -> dict[str, NDArray[np.float64]]: ...


def save_state(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    history: History,
    step: int,
    losses: Sequence[float] = (),
    random: bool = False,
) -> None:
    """Write the state after `step` steps; `random` if the next ones draw from torch's generator."""
    frozen = _frozen(model)
    tensors = {f"model/{k}": _array(v) for k, v in model.state_dict().items() if k not in frozen}
    for index, slots in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{name}": _array(value) for name, value in slots.items()}
    tensors |= {f"history/{name}": curve for name, curve in history.curves().items()}
    tensors["losses/since"] = np.array(losses, dtype=np.float64)
    if random:
        tensors["random/cpu"] = torch.get_rng_state().numpy()
    write_tensors(path, tensors, {"format": FORMAT, "at": json.dumps([step, history.seconds])})


def load_state(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, history: History
) -> tuple[int, list[float]]:
    """Bring everything back in place; how many steps are done, and the losses since the last measurement.

    Raises
    ------
    FileFormatError
        If the file is damaged, of another kind, or of another network.
    """
    tensors, header = read_tensors(path, FORMAT)
    parts: dict[str, dict[str, NDArray]] = {"optimizer": {}}
    for key, array in tensors.items():
        part, name = key.split("/", 1)
        parts.setdefault(part, {})[name] = array
    weights = {name: torch.tensor(array) for name, array in parts["model"].items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    if unexpected or set(missing) - _frozen(model):
        raise FileFormatError(f"{path} is the state of another network; remove it and begin anew")
    slots: dict[int, dict[str, Tensor]] = {}
    for key, array in parts["optimizer"].items():
        index, name = key.split("/")
        slots.setdefault(int(index), {})[name] = torch.tensor(array)
    optimizer.load_state_dict(optimizer.state_dict() | {"state": slots})
    for name, curve in parts["history"].items():
        setattr(history, name, curve.tolist())
    if "random" in parts:
        torch.set_rng_state(torch.tensor(parts["random"]["cpu"]))
    step, history.seconds = json.loads(header["at"])
    return int(step), parts["losses"]["since"].tolist()


def _array(tensor: Tensor) -> NDArray:
    return tensor.detach().cpu().numpy()


def _frozen(model: nn.Module) -> set[str]:
    """The parameters that do not learn, which the model brings with it."""
    return {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
