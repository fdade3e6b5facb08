"""Which parts of a network are its layers, when nobody says.

Taught in chapter 14.
"""

from __future__ import annotations

from collections import Counter

from torch import nn

from funcsim._capture import Batch, evaluating, run_forward, to_place

LISTS = (nn.ModuleList, nn.Sequential)


def default_layers(model: nn.Module, batch: Batch) -> list[str]:
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
        run more than once in one pass; all modules that contain no other and run.
    """
    named = getattr(model, "representation_layers", None)
    return list(named) if named else repeated(model) or shared(model, batch) or _leaves(model, batch)


def repeated(model: nn.Module) -> list[str]:
    """The blocks of transformers, mixers and residual networks: outermost only.

    Blocks of a class of their own are preferred to plain sequences of modules.
    """
    return _repeated(model, plain=False) or _repeated(model, plain=True)


def _repeated(model: nn.Module, plain: bool) -> list[str]:
    found: list[str] = []
    for name, module in model.named_modules():
        if not isinstance(module, LISTS) or _inside(name, found):
            continue
        parts = {
            key: type(part)
            for key, part in module.named_children()
            if any(part.children()) and (plain or type(part) not in LISTS)
        }
        kind, often = Counter(parts.values()).most_common(1)[0] if parts else (None, 0)
        if often > 1:
            found += [f"{name}.{key}" if name else key for key, part in parts.items() if part is kind]
    return found


def shared(model: nn.Module, batch: Batch) -> list[str]:
    """Modules of several parts that one pass runs more than once: outermost only."""
    calls = _calls(model, batch)
    found: list[str] = []
    for name, module in model.named_modules():
        if name and calls[name] > 1 and any(module.children()) and not _inside(name, found):
            found.append(name)
    return found


def _leaves(model: nn.Module, batch: Batch) -> list[str]:
    calls = _calls(model, batch)
    return [n for n, module in model.named_modules() if n and calls[n] and not any(module.children())]


def _inside(name: str, others: list[str]) -> bool:
    return any(name == other or name.startswith(f"{other}.") for other in others)


def _calls(model: nn.Module, batch: Batch) -> Counter[str]:
    """How often each named module runs in one pass."""
    calls: Counter[str] = Counter()

    handles = [
        module.register_forward_hook(lambda *hook_arguments, name=name: calls.update([name]))
        for name, module in model.named_modules()
    ]
    try:
        with evaluating(model, None) as (home, dtype):
            run_forward(model, to_place(batch, home, dtype))
    finally:
        for handle in handles:
            handle.remove()
    return calls
