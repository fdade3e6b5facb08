"""Which parts of a network are its layers: those that are named, or those that it repeats.

:func:`funcsim.capture` and ``funcsim map`` choose by the same functions.

Taught in chapter 14.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from torch import nn

from funcsim._batches import Batch, bound, run_forward, to_place
from funcsim._state import evaluating, named_parts, peeled, unwrapped
from funcsim.errors import LayerSelectionError

LISTS = (nn.ModuleList, nn.Sequential)


def select_layers(
    model: nn.Module, layers: str | Sequence[str] | None = None, batch: Batch | None = None
) -> dict[str, nn.Module]:
    """The modules that `layers` names, as :func:`funcsim.capture` understands it.

    `batch` is run once if nothing is named and the network repeats nothing.

    Raises
    ------
    LayerSelectionError
        If a name or pattern matches no module.
    """
    modules = named_parts(model)
    if layers is None:
        return _unnamed(model, batch, modules)
    chosen: dict[str, nn.Module] = {}
    for pattern in patterns(layers):
        matched = [name for name in modules if matches(pattern, name)]
        matched = matched or [name for name in modules if matches(pattern.removeprefix("module."), name)]
        if not matched:
            close = difflib.get_close_matches(pattern, modules, n=3, cutoff=0.4) or list(modules)[:3]
            raise LayerSelectionError(
                f"no module matches {pattern!r}; the model has {len(modules)} modules, among "
                f"them {', '.join(map(repr, close))}"
            )
        chosen.update((name, modules[name]) for name in matched)
    return chosen


def _unnamed(model: nn.Module, batch: Batch | None, modules: dict[str, nn.Module]) -> dict[str, nn.Module]:
    """The default layers, and the smallest parts that one pass did not call: they may run in another."""
    if not modules:
        return {"model": model}
    told = _told(model)
    if told:
        return {name: modules[name] for name in told}
    leaves = [
        n
        for n, module in modules.items()
        if not composite(module) and _runs(module) and not _computes_weights(n)
    ]
    calls = _calls(model, batch)
    names = set(_shared(model, calls) or [*innermost(model, calls), *leaves])
    return {name: module for name, module in modules.items() if name in names}


def _told(model: nn.Module) -> list[str]:
    """What can be said without running it: what it names, or repeats."""
    return list(getattr(model, "representation_layers", None) or repeated(model))


def patterns(layers: str | Iterable[str]) -> list[str]:
    """Names and patterns in a list; a LayerSelectionError if there is none, or something else."""
    if isinstance(layers, str):
        return [layers]
    several = isinstance(layers, Iterable) and not isinstance(layers, nn.Module)
    known: list[Any] = list(layers) if several else [layers]
    if not known:
        raise LayerSelectionError("layers is empty; name at least one layer, or leave it out")
    for pattern in known:
        if not isinstance(pattern, str):
            told = type(pattern).__name__ if isinstance(pattern, nn.Module) else repr(pattern)
            raise LayerSelectionError(f"layers holds {told}; layers are chosen by name, such as '0'")
    return known


def matches(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern: ``*`` within one part of a dotted name, ``**`` across parts."""
    parts = (".*" if p == "**" else "[^.]*" if p == "*" else re.escape(p)
             for p in re.split(r"(\*\*|\*)", pattern))  # fmt: skip
    return re.fullmatch("".join(parts), name) is not None


def default_layers(model: nn.Module, batch: Batch | None = None) -> list[str]:
    """Names for :func:`funcsim.capture`: what the network itself calls its layers, or what it repeats.

    Parameters
    ----------
    model : nn.Module
    batch : tensor, tuple or dict
        As for :func:`funcsim.capture`; it is run once if the network repeats nothing.

    Returns
    -------
    list of str
        The first of these that is not empty: ``model.representation_layers``; the members of every
        list or sequence that holds at least two composite modules of one class; composite modules that
        run more than once in one pass; the innermost modules that run.
    """
    model = unwrapped(model)
    told = _told(model)
    if told or batch is None:
        return told
    calls = _calls(model, batch)
    return _shared(model, calls) or innermost(model, calls)


def repeated(model: nn.Module) -> list[str]:
    """The blocks of transformers, mixers and residual networks: outermost only.

    Blocks of a class of their own are preferred to plain sequences of modules.
    """
    return _repeated(model, plain=False) or _repeated(model, plain=True)


def _repeated(model: nn.Module, plain: bool) -> list[str]:
    found: list[str] = []
    for name, module in {"": model, **named_parts(model)}.items():
        if not isinstance(module, LISTS) or _inside(name, found) or _computes_weights(name):
            continue
        parts = {
            key: type(part)
            for key, part in ((key, peeled(part)) for key, part in module.named_children())
            if composite(part) and (plain or type(part) not in LISTS)
        }
        kind, often = Counter(parts.values()).most_common(1)[0] if parts else (None, 0)
        if often > 1:
            found += [f"{name}.{key}" if name else key for key, part in parts.items() if part is kind]
    return found


def _shared(model: nn.Module, calls: Counter[str]) -> list[str]:
    """Modules of several parts that one pass runs more than once: outermost only."""
    found: list[str] = []
    for name, module in named_parts(model).items():
        if calls[name] > 1 and composite(module) and not _inside(name, found):
            found.append(name)
    return found


def innermost(model: nn.Module, calls: Counter[str]) -> list[str]:
    """Modules that run and hold none that runs: an attention in one kernel is a layer of its own."""
    ran = [name for name in named_parts(model) if calls[name] and not _computes_weights(name)]
    return [name for name in ran if not any(other.startswith(f"{name}.") for other in ran)]


def composite(module: nn.Module) -> bool:
    """Whether a module has parts that can run, and does not only hold or compute its own weights."""
    return any(_runs(part) and not _computes_weights(name) for name, part in named_parts(module).items())


def _runs(module: nn.Module) -> bool:
    return type(module).forward is not nn.Module.forward


def _computes_weights(name: str) -> bool:
    """Whether this is a module by which PyTorch computes, or packs, a weight of the module around it."""
    return not {"parametrizations", "_packed_params"}.isdisjoint(name.split("."))


def _inside(name: str, others: list[str]) -> bool:
    return any(name == other or name.startswith(f"{other}.") for other in others)


def _calls(model: nn.Module, batch: Batch | None) -> Counter[str]:
    """How often each named module runs in one pass."""
    calls: Counter[str] = Counter()

    def count(name: str) -> Any:
        return lambda *told: calls.update([name])

    handles = [module.register_forward_hook(count(name)) for name, module in named_parts(model).items()]
    try:
        with evaluating(model, None) as (home, dtype):
            run_forward(model, bound(model, to_place(batch, home, dtype)))
    finally:
        for handle in handles:
            handle.remove()
    return calls
