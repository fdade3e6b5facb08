"""Is what was asked of ``funcsim map`` possible? Said before anything is loaded or computed.

Taught in chapter 14.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from funcsim._internal.storage import replacing
from funcsim.errors import InputError
from funcsim.report.choice import FEWEST
from funcsim.report.page import check_empty
from funcsim.report.texts import first_line
from funcsim.similarity import Measure, look_up, measures, with_effort


def check_options(options: argparse.Namespace) -> None:
    """Raise an InputError that names the option, if something asked for cannot be done."""
    for option, value, least in (
        ("--halves", options.halves, 2),
        ("--twin", options.twin, 0),
        ("--seed", options.seed, 0),
        ("--max-length", options.max_length, 2),
        ("--inputs", options.inputs, FEWEST),
    ):
        if value < least:
            raise InputError(f"{option} {value} is out of range; it is {least} or more")
    if options.twin == 1:
        raise InputError("--twin 1 is out of range; one copy makes no band, 19 are good, 0 is none")
    if options.seed >= 2**32:
        raise InputError(f"--seed {options.seed} is out of range; it is below {2**32}")
    if options.measure not in measures():
        raise InputError(f"--measure {options.measure} is unknown; there is {', '.join(measures())}")
    if options.effort is not None and options.measure != "gw":
        raise InputError(
            f"--effort {options.effort}: only gw is searched for; leave it out for {options.measure}"
        )
    check_device(options.device)
    check_out(options.out)


def measure_of(options: argparse.Namespace) -> Measure:
    """The measure that was asked for, searched for as long as was asked."""
    return with_effort(look_up(options.measure), options.effort)


def check_device(name: str | None) -> None:
    """Raise an InputError if PyTorch cannot compute on a device."""
    if name is None:
        return
    try:
        device = torch.device(name)
        torch.ones(1, device=device) + 1
    except Exception as error:  # PyTorch has an error of its own for each kind of device
        raise InputError(f"--device {name} cannot be used here: {first_line(error)}") from None
    if device.type == "meta":
        raise InputError("--device meta computes nothing; leave it out, or name cpu or cuda")


def check_out(folder: Path) -> None:
    """Raise an InputError unless the folder is new or empty and can be written to; leave it as it was."""
    try:
        check_empty(folder)
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        try:
            with replacing(folder / "report.html"):
                pass
            (folder / "report.html").unlink()
        finally:
            for place in missing:
                if place.is_dir():
                    place.rmdir()
    except (OSError, ValueError) as error:
        if isinstance(error, InputError) or "nothing is overwritten" in str(error):
            raise
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"--out {folder} cannot be written to: {why}; name another folder") from None
