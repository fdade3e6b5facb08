"""A model in, representations out.

Forward hooks read what each chosen module returns, clone it at once (an in-place activation
further down would otherwise overwrite it), pool it, and are always removed again. The model
is not changed: it runs in evaluation mode and gets its training flags back.

Taught in chapter 01.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from contextlib import ExitStack, suppress
from typing import Any

import torch
from torch import Tensor, nn

from funcsim._batches import Batch, Call, bound, each_batch, run_forward, to_place
from funcsim._internal.progress import progress_bar
from funcsim._layers import matches, patterns, select_layers
from funcsim._masks import Frames
from funcsim._outputs import representation
from funcsim._rows import Witnesses, check_rows, is_time_first
from funcsim._state import evaluating, unwrapped
from funcsim.dimensions import DominantDimensionWarning, dominant
from funcsim.errors import CaptureError, LayerSelectionError
from funcsim.pooling import Pool, check_pool, mean_over_places, pool_by_function, pool_tokens, rows_of
from funcsim.representations import Representations


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
        Any module, on any device, of any floating type. What is compiled, or copied to several devices by
        DataParallel, is captured as the network inside, under its plain names.
    batches : iterable
        Of tensors or arrays, passed as the one argument; of tuples or lists, passed as positional
        arguments; or of dicts, passed as keyword arguments, attention masks included. One batch is
        ``[x]``. Floating inputs are cast to the type of the model's parameters; the model gets a copy.
    layers : str, sequence of str, optional
        Module names or patterns: ``*`` matches within one part of a dotted name, ``**``
        across parts. Without it, the names in ``model.representation_layers`` where the
        model has that attribute, otherwise what it repeats (the blocks of a transformer), otherwise the
        innermost modules that run.
    pool : {"cls", "mean", "last"} or callable, optional
        How an output (batch, tokens, features) becomes (batch, features): first token, mean
        over tokens, last token, padding left out by the mask that the layer, or a module around it, was
        called with. "mean" averages (batch, channels, height, width) over places. A callable receives
        the output, or the output and the batch if it takes two arguments, and returns (batch,
        features). Without it, all axes but the first are flattened.
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
        If `batches` is not an iterable of batches or is empty, a batch does not fit the model, labels stand
        where a mask belongs, an output holds no tensor of real numbers, a layer has other numbers of rows
        than the batch of samples, outputs differ in length between batches and no `pool` says what to
        do, the weights hold no values, or the device is not there.
    RepresentationError
        If an output holds NaN or infinity (see :class:`Representations`).

    Notes
    -----
    The number of samples of a batch is the first axis of its tensors. Where tensors differ in it, that of
    ``input_ids``, ``pixel_values`` or another customary input counts; without one, a layer passes if
    its rows are as many as the first axis of any tensor that is no mask. A batch without tensors, such as a
    graph in a class of its own, is not checked.

    Warnings name modules with weights that never ran by themselves, padding that was pooled because no
    mask was given, and a layer of which one dimension has more than a fifth of the variance
    (:meth:`Representations.dominant_dimensions` says more).

    Examples
    --------
    >>> import torch, funcsim as fs
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> batches = [torch.zeros(10, 4)] * 3
    >>> fs.capture(model, batches)
    Representations(3 layers x 30 samples: 0, 1, 2)
    """
    check_pool(pool)
    checked = each_batch(batches)
    model = unwrapped(model)
    layers = None if layers is None else patterns(layers)
    chosen = None if layers is None else select_layers(model, layers)
    total = None
    if isinstance(batches, Sized):
        with suppress(TypeError):  # a loader of a stream has no length, though it says so
            total = len(batches)
    captured: list[dict[str, Tensor]] = []  # per batch, the rows of each layer that ran
    said: set[str] = set()
    with evaluating(model, device) as (home, dtype):
        for batch in progress_bar(checked, "capture", progress, total):
            if chosen is None:
                chosen = select_layers(model, None, batch)
            call = bound(model, to_place(batch, home, dtype))
            rows, complaints = _run_once(model, chosen, call, pool, _as_passed(call, batch))
            captured.append(rows)
            said |= complaints
    if not captured:
        raise CaptureError("there was no batch to run: `batches` is empty, or already used up")
    said |= _check_ran(layers, chosen or {}, captured)
    for complaint in sorted(said):
        warnings.warn(complaint, stacklevel=2)
    reps = Representations({name: _concatenate(name, captured) for name in captured[0]})
    if one := dominant(reps):
        warnings.warn(one, DominantDimensionWarning, stacklevel=2)
    return reps


def _as_passed(call: Call, batch: Any) -> Any:
    """The batch as its maker knows it, where the model is."""
    if call.kwargs:
        return call.kwargs
    return call.args if isinstance(batch, tuple | list) else call.args[0] if call.args else batch


def _run_once(
    model: nn.Module, chosen: Mapping[str, nn.Module], call: Call, pool: Pool, batch: Any
) -> tuple[dict[str, Tensor], set[str]]:
    """One forward pass with a hook on each chosen module; hooks never outlive it."""
    rows: dict[str, Tensor] = {}
    calls: dict[str, int] = {}
    frames, witnesses = Frames(model), Witnesses(call)

    def reader(name: str) -> Callable[..., None]:
        def read(module: nn.Module, inputs: Any, output: Any) -> None:
            calls[name] = calls.get(name, 0) + 1
            key = name if calls[name] == 1 else f"{name}#{calls[name]}"
            tensor, mask = representation(output, module, key, call.n_samples)
            pooled = _pooled(tensor, mask, module, key, frames, pool, batch)
            rows[key] = (pooled if pooled.dtype == torch.float64 else pooled.float()).detach().clone().cpu()

        return read

    with ExitStack() as stack:
        stack.enter_context(witnesses.listening(model))
        for name, module in chosen.items():
            handle = module.register_forward_hook(reader(name))
            stack.callback(handle.remove)
        if isinstance(pool, str):
            stack.enter_context(frames.following(chosen))
        run_forward(model, call)
    check_rows(rows, witnesses.n_samples())
    return rows, frames.complaints


def _pooled(
    output: Tensor, mask: Tensor | None, module: nn.Module, name: str, frames: Frames, pool: Pool, batch: Any
) -> Tensor:
    """One row per sample of an output."""
    if callable(pool):
        return pool_by_function(pool, output, name, batch)
    if output.ndim == 3 and mask is None and is_time_first(module):
        steps, samples = output.shape[:2]
        raise CaptureError(
            f"layer {name!r} gives {steps} rows for a batch of {samples} samples: it returns "
            "(time, batch, features); "
            "make it with batch_first=True, or pass a pooling function such as lambda output: output[-1]"
        )
    if pool is None:
        ragged = mask is not None and not bool(mask.all())
        if ragged:
            raise CaptureError(
                f"layer {name!r} gives samples of several lengths; pass pool='mean', 'cls' or "
                "'last' to reduce each sample to one vector"
            )
        return rows_of(output, name)
    if output.ndim == 2:  # already one vector per sample, like a classifier's logits
        return output
    if output.ndim > 3 and pool == "mean":
        return mean_over_places(output, module)
    if output.ndim != 3:
        raise CaptureError(
            f"layer {name!r} returns shape {tuple(output.shape)}; pool={pool!r} needs (batch, "
            "tokens, features), so pass a function that fits this layer"
        )
    if mask is None:
        mask = frames.mask(output, name)
        if mask is None:
            frames.warn_of_padding(output, pool)
    return pool_tokens(pool, output, mask, name)


def _check_ran(
    layers: Sequence[str] | None,
    chosen: Mapping[str, nn.Module],
    captured: list[dict[str, Tensor]],
) -> set[str]:
    """Every layer must have run in every batch, and something for each pattern; the rest is told."""
    ran = {name for rows in captured for name in rows}
    called = {name.split("#")[0] for name in ran}
    for pattern in layers or ["**"]:
        if not any(
            matches(pattern, name) or matches(pattern.removeprefix("module."), name) for name in called
        ):
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
    return _of_silence(chosen, called)


def _of_silence(chosen: Mapping[str, nn.Module], called: set[str]) -> set[str]:
    """What to say of modules with weights that were chosen and never ran; lists of modules never do."""
    lists = nn.ModuleList | nn.ModuleDict
    missing = [
        name
        for name, module in chosen.items()
        if name not in called and not isinstance(module, lists) and any(True for _ in module.parameters())
    ]
    if not missing:
        return set()
    told = [f"{name!r}{_around(name, called)}" for name in missing[:10]]
    more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
    return {f"never called by themselves, and so no layers: {', '.join(told)}{more}"}


def _around(name: str, called: set[str]) -> str:
    around = [other for other in called if name.startswith(f"{other}.")]
    return f" (inside {max(around, key=len)!r}, which is captured)" if around else ""


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
