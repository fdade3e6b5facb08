"""A network from a function of the reader's, ``module:function``.

Taught in chapter 14.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from funcsim._batches import Batch, samples_of
from funcsim.errors import FuncsimError, InputError, ModelError
from funcsim.report.choice import enough
from funcsim.report.pictures import as_tensor, read_picture
from funcsim.report.texts import first_line


def call(name: str) -> Any:
    """What a function named as ``module:function`` returns.

    Raises
    ------
    ModelError
        If there is no such function, or it fails.
    """
    module, function = name.split(":", 1)
    sys.path.insert(0, "")  # where the command was given
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ModelError(f"{name} cannot be called: {error}; write module:function") from None
    except Exception as error:
        raise ModelError(f"{module} cannot be imported: {_kind(error)}") from error
    finally:
        sys.path.remove("")
    if not callable(found):
        raise ModelError(f"{name} is no function, but {type(found).__name__}; write module:function")
    try:
        return found()
    except FuncsimError:
        raise
    except Exception as error:
        raise ModelError(f"{name} fails: {_kind(error)}") from error


def split_result(name: str, made: Any) -> tuple[nn.Module, list[Batch] | None]:
    """The network and the batches that a function has returned.

    Raises
    ------
    ModelError
        If it is neither a network, nor one and its batches.
    """
    model, batches = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if not isinstance(model, nn.Module):
        raise ModelError(
            f"{name} returns {type(model).__name__}; it must return a torch.nn.Module, one and its batches, "
            "or the path of a folder with a model"
        )
    if batches is None:
        return model, None
    if isinstance(batches, dict | str) or not hasattr(batches, "__iter__"):
        raise InputError(
            f"{name} returns a network and {type(batches).__name__}; return a list of batches with it"
        )
    found = list(batches)
    if not found:
        raise InputError(f"{name} returns a network and no batch; return a list of batches with it")
    return model, found


def stacked(name: str, folder: Path, paths: Sequence[Path]) -> Tensor:
    """Pictures of one size as (n, 3, height, width), from 0 to 1."""
    pictures = [read_picture(path) for path in paths]
    sizes = {picture.size for picture in pictures}
    if len(sizes) > 1:
        raise InputError(f"{folder} holds pictures of {len(sizes)} sizes; {name} needs them of one size")
    return torch.stack([as_tensor(picture) for picture in pictures])


def count(name: str, batches: Sequence[Batch]) -> int:
    """How many samples there are in batches; ten at least."""
    n = sum(length(batch) for batch in batches)
    enough([None] * n, f"{name} returns", "samples")
    return n


def length(batch: Batch) -> int:
    """How many samples a batch has."""
    if isinstance(batch, np.ndarray) and batch.ndim:
        return len(batch)
    if isinstance(batch, tuple | list) and not isinstance(batch, PackedSequence):
        return length(batch[0]) if batch else _without_tensor(batch)
    sizes = samples_of(dict(batch) if isinstance(batch, Mapping) else {"input": batch})
    return max(sizes) if sizes else _without_tensor(batch)


def _without_tensor(batch: Any) -> int:
    raise InputError(f"a batch is {type(batch).__name__} without a tensor; give tensors, tuples or dicts")


@contextmanager
def running(name: str) -> Iterator[None]:
    """Turn whatever a network's own code raises into a ModelError that names the network."""
    try:
        yield
    except (FuncsimError, MemoryError):
        raise
    except Exception as error:
        raise ModelError(f"{name} stops on these inputs: {_kind(error)} (--debug shows where)") from error


def _kind(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"
