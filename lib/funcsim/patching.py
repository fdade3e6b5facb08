"""Activation patching: a model run again from one of its layers on, with other numbers in its place.

Taught in chapter 13.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import takewhile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from funcsim.errors import LayerSelectionError


class ActivationPatcher:
    """One pass of a model, which can be run again with other numbers in the place of a layer.

    What ran before that layer is not run again: it returns what it returned the first time.

    Parameters
    ----------
    model : torch.nn.Module
        From `inputs` to logits (n, classes).
    inputs : Tensor, shape (n, ...)

    Attributes
    ----------
    logits : Tensor, shape (n, classes)
        What the untouched model returns.
    """

    @torch.no_grad()
    def __init__(self, model: nn.Module, inputs: Tensor) -> None:
        self.model, self.inputs = model, inputs
        ran: Counter[str] = Counter()
        returned: dict[str, Tensor] = {}

        def keeper(name: str) -> Callable[..., None]:
            def keep(module: nn.Module, given: object, output: object) -> None:
                ran[name] += 1
                if isinstance(output, Tensor):
                    returned[name] = output.clone()

            return keep

        handles = [m.register_forward_hook(keeper(name)) for name, m in model.named_modules() if name]
        try:
            self.logits = model(inputs)
        finally:
            for handle in handles:
                handle.remove()
        self._returned = {name: value for name, value in returned.items() if ran[name] == 1}

    def check(self, layer: str) -> None:
        """Raise a `LayerSelectionError` if nothing can take the place of `layer`."""
        if layer not in self._returned:
            raise LayerSelectionError(
                f"{layer!r} is no layer of this model that runs once and returns a tensor, so nothing can "
                "take its place"
            )

    @torch.no_grad()
    def logits_with(self, layer: str, state: NDArray[np.floating]) -> Tensor:
        """What the model returns, (n, classes), if `layer` returns `state` (n, d) instead.

        Raises
        ------
        LayerSelectionError
            If `layer` is no module that runs once and returns a tensor.
        RuntimeError
            If `state` has not as many numbers as the layer returned.
        """
        self.check(layer)
        there = self._returned[layer]
        fixed = {name: self._returned[name] for name in takewhile(layer.__ne__, self._returned)}
        fixed[layer] = torch.tensor(state).reshape(there.shape).to(there)
        with ExitStack() as stack:
            for name, value in fixed.items():
                stack.enter_context(_returning(self.model.get_submodule(name), value))
            return self.model(self.inputs)


@contextmanager
def _returning(module: nn.Module, value: Tensor) -> Iterator[None]:
    """Within this context a module computes nothing and returns `value`, which no later step can change."""
    before = vars(module).get("forward")
    module.forward = lambda *args, **kwargs: value.clone()
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before
