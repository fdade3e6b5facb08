"""A model in, representations out.

Forward hooks read what each chosen module returns, clone it at once (an in-place activation
further down would otherwise overwrite it), pool it, and are always removed again. The model
is not changed: it runs in evaluation mode and gets its training flags back.

Taught in chapter 01.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from funcsim._internal.progress import progress_bar
from funcsim.errors import CaptureError, LayerSelectionError
from funcsim.pooling import Pool, pooler
from funcsim.representations import Representations

Batch = Tensor | Sequence[Any] | Mapping[str, Any]


def capture(
    model: nn.Module,
    batches: Iterable[Batch],
    layers: str | Sequence[str] | None = None,
    pool: Pool = None,
    *,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> Representations:
    """Run a model on batches and collect what its layers return.

    Parameters
    ----------
    model : torch.nn.Module
        Any module, on any device, of any floating type.
    batches : iterable
        Of tensors, passed as the one argument; of tuples or lists, passed as positional
        arguments; or of dicts, passed as keyword arguments, attention masks included.
        Floating inputs are cast to the type of the model's parameters.
    layers : str, sequence of str, optional
        Module names or patterns: ``*`` matches within one part of a dotted name, ``**``
        across parts. Without it, the names in ``model.representation_layers`` where the
        model has that attribute, otherwise every module that contains no other.
    pool : {"cls", "mean", "last"} or callable, optional
        How an output (batch, tokens, features) becomes (batch, features): first token, mean
        over tokens, last token; "mean" and "last" respect an ``attention_mask`` in the
        batch. A callable receives the output and returns (batch, features). Without it, all
        axes but the first are flattened.
    device : str or torch.device, optional
        Where to run; the model is brought back afterwards. Without it, where the model is.
    progress : bool
        Show a bar with the time left, in a terminal or a live notebook.

    Returns
    -------
    Representations
        Layers in the order in which they ran. A module called k times in one pass gives k
        layers: ``name``, ``name#2``, ..., ``name#k``.

    Raises
    ------
    LayerSelectionError
        If a name or pattern matches no module, or none that ran.
    CaptureError
        If there is no batch, a batch does not fit the model, an output holds no tensor, or
        outputs differ in length between batches and no `pool` says what to do.
    RepresentationError
        If an output holds NaN or infinity (see :class:`Representations`).
    """
    chosen = select_layers(model, layers)
    to_rows = pooler(pool)
    captured: list[dict[str, Tensor]] = []  # per batch, the rows of each layer that ran
    with evaluating(model, device) as (home, dtype):
        for batch in progress_bar(batches, "capture", progress):
            captured.append(_run_once(model, chosen, to_place(batch, home, dtype), to_rows))
    if not captured:
        raise CaptureError("there was no batch to run: `batches` is empty, or already used up")
    _check_ran(layers, captured)
    return Representations({name: _concatenate(name, captured) for name in captured[0]})


def select_layers(model: nn.Module, layers: str | Sequence[str] | None = None) -> dict[str, nn.Module]:
    """The modules that `layers` names, as :func:`capture` understands it.

    Raises
    ------
    LayerSelectionError
        If a name or pattern matches no module.
    """
    modules = {name: module for name, module in model.named_modules() if name}
    if layers is None:
        layers = getattr(model, "representation_layers", None)
        if layers is None:
            layers = [name for name, module in modules.items() if not any(module.children())]
            return {name: modules[name] for name in layers} or {"model": model}
    chosen: dict[str, nn.Module] = {}
    if not layers:
        raise LayerSelectionError("layers is empty; name at least one layer, or leave it out")
    for pattern in [layers] if isinstance(layers, str) else layers:
        matched = [name for name in modules if _glob(pattern).fullmatch(name)]
        if not matched:
            close = difflib.get_close_matches(pattern, modules, n=3, cutoff=0.4) or list(modules)[:3]
            raise LayerSelectionError(
                f"no module matches {pattern!r}; the model has {len(modules)} modules, among "
                f"them {', '.join(map(repr, close))}"
            )
        chosen.update((name, modules[name]) for name in matched)
    return chosen


def _glob(pattern: str) -> re.Pattern[str]:
    parts = (".*" if p == "**" else "[^.]*" if p == "*" else re.escape(p)
             for p in re.split(r"(\*\*|\*)", pattern))  # fmt: skip
    return re.compile("".join(parts))


@contextmanager
def evaluating(
    model: nn.Module, device: str | torch.device | None
) -> Iterator[tuple[torch.device, torch.dtype | None]]:
    """Put a model in evaluation mode on `device`, and everything back afterwards."""
    tensors = [*model.parameters(), *model.buffers()]
    home = tensors[0].device if tensors else torch.device("cpu")
    floats = {t.dtype for t in model.parameters() if t.is_floating_point()}
    training = {module: module.training for module in model.modules()}
    target = torch.device(device) if device is not None else home
    try:
        model.eval()
        if target != home:
            model.to(target)
        with torch.no_grad():
            yield target, floats.pop() if len(floats) == 1 else None
    finally:
        if target != home:
            model.to(home)
        for module, flag in training.items():
            module.training = flag


def to_place(batch: Any, device: torch.device, dtype: torch.dtype | None) -> Any:
    if isinstance(batch, Tensor):
        return batch.to(device, dtype if batch.is_floating_point() else None)
    if isinstance(batch, Mapping):
        return {key: to_place(value, device, dtype) for key, value in batch.items()}
    if isinstance(batch, tuple | list):
        return tuple(to_place(value, device, dtype) for value in batch)
    return batch


def _run_once(
    model: nn.Module,
    chosen: Mapping[str, nn.Module],
    batch: Any,
    to_rows: Callable[[Tensor, str, Any], Tensor],
) -> dict[str, Tensor]:
    """One forward pass with a hook on each chosen module; hooks never outlive it."""
    rows: dict[str, Tensor] = {}
    calls: dict[str, int] = {}

    def reader(name: str) -> Callable[..., None]:
        def read(module: nn.Module, inputs: Any, output: Any) -> None:
            calls[name] = calls.get(name, 0) + 1
            key = name if calls[name] == 1 else f"{name}#{calls[name]}"
            rows[key] = to_rows(_first_tensor(output, key), key, batch).clone().float().cpu()

        return read

    handles = [module.register_forward_hook(reader(name)) for name, module in chosen.items()]
    try:
        run_forward(model, batch)
    finally:
        for handle in handles:
            handle.remove()
    return rows


def run_forward(model: nn.Module, batch: Any) -> None:
    args, kwargs = (batch, {}) if isinstance(batch, tuple) else ((batch,), {})
    if isinstance(batch, dict):
        args, kwargs = (), batch
    try:
        inspect.signature(model.forward).bind(*args, **kwargs)
    except TypeError as error:
        raise CaptureError(
            f"a batch does not fit the model's forward(): {error}. Tuples are passed as "
            "positional and dicts as keyword arguments; if your batches are (inputs, labels), "
            "pass `(inputs for inputs, _ in loader)`"
        ) from None
    model(*args, **kwargs)


def _first_tensor(output: Any, name: str) -> Tensor:
    """The tensor that a module's output stands for: itself, or the first inside it."""
    if isinstance(output, Tensor):
        return output
    values = output.values() if isinstance(output, Mapping) else output
    if isinstance(values, Iterable):
        for value in values:
            if isinstance(value, Tensor):
                return value
    raise CaptureError(
        f"layer {name!r} returns {type(output).__name__}, which holds no tensor; choose a "
        "module inside or around it"
    )


def _check_ran(layers: str | Sequence[str] | None, captured: list[dict[str, Tensor]]) -> None:
    """Every layer must have run in every batch, and something for each pattern."""
    ran = {name for rows in captured for name in rows}
    called = {name.split("#")[0] for name in ran}
    for pattern in [layers] if isinstance(layers, str) else layers or ["**"]:
        if not any(_glob(pattern).fullmatch(name) for name in called):
            raise LayerSelectionError(
                f"{pattern!r} matches modules, but none of them was called in the forward pass; "
                f"called were {', '.join(sorted(called)) or 'none'}"
            )
    for name in sorted(ran):
        if not all(name in rows for rows in captured):
            raise CaptureError(
                f"layer {name!r} ran in some batches and not in others, so its samples cannot be "
                "matched with the other layers'; choose layers that always run"
            )


def _concatenate(name: str, captured: list[dict[str, Tensor]]) -> Any:
    parts = [rows[name] for rows in captured]
    widths = sorted({part.shape[1] for part in parts})
    if len(widths) > 1:
        raise CaptureError(
            f"layer {name!r} gives rows of {len(widths)} lengths, from {widths[0]} to "
            f"{widths[-1]} numbers, because batches differ in length; pass pool='mean', 'cls' "
            "or 'last' to reduce each sample to one vector"
        )
    return torch.cat(parts).numpy()
