"""The state a model is in while it is captured, and the state it is left in: the same.

Whatever stands around a model and hides its parts is taken off for the time of a capture: copies on
several devices, compiled code, PyTorch's fused attention. The parts then run one by one, in
evaluation mode and without gradients, and everything is put back even if the model raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from funcsim.errors import CaptureError

COMPILED = "_orig_mod"  # what torch.compile calls the module that it wraps


def unwrapped(model: nn.Module) -> nn.Module:
    """The network inside ``torch.compile``, DataParallel and DistributedDataParallel.

    Raises
    ------
    CaptureError
        If it is no module, or TorchScript, whose parts are never called one by one.
    """
    if not isinstance(model, nn.Module):
        raise CaptureError(f"model is a {type(model).__name__}; capture needs a torch.nn.Module")
    if isinstance(model, torch.jit.ScriptModule):
        raise CaptureError(
            "the model is TorchScript, whose parts are not called one by one; capture the model that it "
            "was made from"
        )
    return peeled(model)


def peeled(module: nn.Module) -> nn.Module:
    """A module without the wrappers around it."""
    inner = module._modules.get(COMPILED)
    if inner is not None:
        return peeled(inner)
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return peeled(module.module)
    return module


def named_parts(model: nn.Module) -> dict[str, nn.Module]:
    """All modules inside a model by their plain names: what compiling adds to a name is left out."""
    named = ((name.split("."), module) for name, module in model.named_modules() if name)
    return {".".join(part for part in parts if part != COMPILED): module for parts, module in named}


@contextmanager
def evaluating(
    model: nn.Module, device: str | torch.device | None
) -> Iterator[tuple[torch.device, torch.dtype | None]]:
    """Put a model in evaluation mode on `device`, and everything back afterwards.

    Gives the device and the type that floating inputs need, None if the parameters have several.

    Raises
    ------
    CaptureError
        If the device is not there, or the model has no weights to run with.
    """
    home, target = _places(model, device)
    floats = {t.dtype for t in model.parameters() if t.is_floating_point()}
    training = {module: module.training for module in model.modules()}
    buffers = [
        (module, name, buffer, None if buffer is None or buffer.is_meta else buffer.clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
    ]
    with ExitStack() as stack:
        stack.callback(_put_back, model, home if target != home else None, training, buffers)
        model.eval()
        if target != home:
            model.to(target)
        stack.enter_context(torch.no_grad())
        stack.enter_context(_part_by_part())
        yield target, floats.pop() if len(floats) == 1 else None


def _put_back(model: nn.Module, home: torch.device | None, training: dict, buffers: list) -> None:
    if home is not None:
        model.to(home)
    for module, flag in training.items():
        module.training = flag
    for module, name, before, values in buffers:
        now = module._buffers.get(name)
        if values is None:
            module._buffers[name] = before
        elif now is None or now.shape != values.shape:
            before.copy_(values)
            module._buffers[name] = before
        elif not torch.equal(now, values):
            now.copy_(values)


@contextmanager
def _part_by_part() -> Iterator[None]:
    """Compiled code runs as it was written, and attention with its modules instead of one kernel."""
    fused = torch.backends.mha.get_fastpath_enabled()
    stance = getattr(torch.compiler, "set_stance", None)  # since PyTorch 2.6
    with ExitStack() as stack:
        stack.callback(torch.backends.mha.set_fastpath_enabled, fused)
        torch.backends.mha.set_fastpath_enabled(False)
        if stance is not None:
            stack.enter_context(stance("force_eager"))
        yield


def _places(model: nn.Module, device: str | torch.device | None) -> tuple[torch.device, torch.device]:
    """Where the model is, and where it shall run."""
    tensors = {name: t for named in (model.named_parameters(), model.named_buffers()) for name, t in named}
    offloaded = [hook for m in model.modules() if (hook := getattr(m, "_hf_hook", None)) is not None]
    if offloaded:
        if device is not None:
            raise CaptureError(
                "the model's parts were placed by accelerate, which moves them itself; leave `device` out"
            )
        places = (getattr(hook, "execution_device", None) for hook in offloaded)
        home = next((torch.device(place) for place in places if place is not None), torch.device("cpu"))
        return home, home
    lazy = [name for name, tensor in tensors.items() if nn.parameter.is_lazy(tensor)]
    if lazy:
        raise CaptureError(
            f"{lazy[0]!r} has no shape yet; run the model once, so that its lazy layers get one"
        )
    empty = [name for name, tensor in tensors.items() if tensor.is_meta]
    if empty:
        raise CaptureError(
            f"{len(empty)} of {len(tensors)} weights have no values: they are on the meta device, first "
            f"{empty[0]!r}; load the weights first"
        )
    homes = {tensor.device for tensor in tensors.values()}
    home = next(iter(tensors.values())).device if tensors else torch.device("cpu")
    if device is None:
        return home, home
    if len(homes) > 1:
        raise CaptureError(f"the model lies on {', '.join(sorted(map(str, homes)))}; leave `device` out")
    return home, _usable(device)


def _usable(device: str | torch.device) -> torch.device:
    try:
        place = torch.device(device)
        torch.empty(1, device=place)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError, ImportError, ValueError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise CaptureError(
            f"device={str(device)!r} cannot be used here: {reason[0]}; leave `device` out to run the "
            "model where it is"
        ) from None
    if place.type == "meta":
        raise CaptureError("device='meta' holds no values, so there is nothing to read; name a real device")
    return place
