"""The command line: ``funcsim map``.

What it does is in :mod:`funcsim.report.command`, imported only when it is needed: ``--help`` does not
wait for PyTorch.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

POOLS = ("mean", "cls", "last", "all")
#: What the library says of pooling, and what is typed here.
POOL_ARGUMENT, POOL_OPTION = "pass pool='mean', 'cls' or 'last'", "use --pool mean, cls or last"
# As in funcsim.report.choice and funcsim.gromov.effort, which a test compares.
MOST_INPUTS = 2000
EFFORTS = ("quick", "usual", "thorough")


def main(arguments: list[str] | None = None) -> int:
    """Run a command: 0 if it went well, 1 if it failed, 2 if it was asked wrongly, 130 if interrupted."""
    parser = argparse.ArgumentParser(prog="funcsim", description="Which layers of a network form groups?")
    commands = parser.add_subparsers(dest="command", required=True)
    add_map(commands.add_parser("map", help="a network and texts or images in, a report out"))
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `kill` stops as Ctrl-C does
    try:
        from funcsim.report import command

        return command.run(options)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on, since pairs that were compared are kept")
        return 130
    except MemoryError as error:
        if options.debug:
            raise
        print(f"funcsim map: not enough memory ({error}); draw fewer with --inputs", file=sys.stderr)
        return 1
    except Exception as error:
        if options.debug:
            raise
        asked_wrongly = isinstance(error, ValueError)
        kind = "" if asked_wrongly else f"{type(error).__name__}: "
        words = " ".join(str(error).split()) or "no more is known"
        words = words.replace(POOL_ARGUMENT, POOL_OPTION)
        more = "" if asked_wrongly else " (--debug shows where)"
        print(f"funcsim map: {kind}{words}{more}", file=sys.stderr)
        return 2 if asked_wrongly else 1


def add_map(parser: argparse.ArgumentParser) -> None:
    """What ``funcsim map`` can be asked."""
    add = parser.add_argument
    known = "folder, owner/model@revision, or module:function of yours that returns a network or a folder"
    add("--model", required=True, metavar="NAME", help=known)
    inputs = parser.add_mutually_exclusive_group()
    inputs.add_argument("--texts", type=Path, metavar="FILE", help="one text in each line")
    inputs.add_argument("--images", type=Path, metavar="DIR", help="a folder of pictures")
    add("--inputs", type=int, default=MOST_INPUTS, metavar="N", help="of more, N are drawn (%(default)s)")
    add("--layers", nargs="+", metavar="PATTERN", help="without it, what the network repeats")
    add("--pool", choices=POOLS, help="mean over tokens or places, first token, last token, all numbers")
    add("--measure", default="gw", metavar="NAME", help="gw, cka, rsa, ... as in fs.measures()")
    add("--effort", choices=EFFORTS, help="how much the search of gw may cost; usual is the default")
    add("--against", metavar="NAME", help="another network, shown the same")
    add("--halves", type=int, default=20, help="random halves of the inputs, for frequencies and intervals")
    add("--twin", type=int, default=0, metavar="N", help="beside it N copies with fresh weights; 19 are good")
    add("--max-length", type=int, default=128, help="tokens; longer texts are cut")
    add("--device", default=None)
    add("--seed", type=int, default=0)
    add("--any-weights", action="store_true", help="also pickle files, which can run code of their makers")
    add("--allow-missing-weights", action="store_true", help="go on with random weights in their place")
    add("--dry-run", action="store_true", help="say layers, memory and time, and stop")
    add("--debug", action="store_true", help="show where an error comes from")
    add("--out", type=Path, required=True, metavar="DIR", help="a new folder")


if __name__ == "__main__":
    sys.exit(main())
