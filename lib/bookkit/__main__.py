"""`python -m bookkit COMMAND`: the commands of the book's machinery."""

import argparse
import json
import sys
from pathlib import Path

from bookkit.archive import archive
from bookkit.build import build
from bookkit.cells import check_cells
from bookkit.check_book import check_book
from bookkit.check_prose import check_prose
from bookkit.check_site import PAGE_BUDGET, check_site
from bookkit.errors import BookError
from bookkit.pairing import pair, pair_check, take_over
from bookkit.print_edition import print_edition
from bookkit.run import PROFILES, run
from bookkit.serve import serve
from bookkit.slides import slides
from bookkit.stage import stage
from bookkit.student import student
from bookkit.vendor import vendor


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m bookkit", description=__doc__)
    top.add_argument("--root", type=Path, default=Path(), help="the repository (default: this folder)")
    commands = top.add_subparsers(dest="command", required=True)
    out = argparse.ArgumentParser(add_help=False)
    out.add_argument("--out", type=Path, help="where executed notebooks go (default: _build/src)")

    running = commands.add_parser("run", parents=[out], help="execute the chapters that changed")
    running.add_argument("--profile", default="laptop", choices=PROFILES)
    running.add_argument("--only", metavar="CHAPTER", help="one chapter: its number or its slug")
    running.add_argument(
        "-p", dest="parameters", action="append", default=[], type=_parameter, metavar="NAME=VALUE",
        help="a value for the cell tagged `parameters`; JSON, or else a string",
    )  # fmt: skip
    commands.add_parser("stage", parents=[out], help="lay out what Sphinx reads")
    commands.add_parser("build", parents=[out], help="stage, and build the site")
    site = commands.add_parser("check-site", help="read the built pages")
    site.add_argument("folder", type=Path)
    site.add_argument("--budget", type=int, default=PAGE_BUDGET, help="bytes of a page with its pictures")
    serving = commands.add_parser("serve", help="show a built site on the loopback interface")
    serving.add_argument("folder", type=Path)
    serving.add_argument("--port", type=int, default=8000)
    edition = commands.add_parser("student", help="write the chapters without their solutions")
    edition.add_argument("--to", type=Path, help="folder (default: _build/student)")
    packing = commands.add_parser("archive", help="pack the built site and the executed chapters")
    packing.add_argument("--to", type=Path, help="folder (default: _build/archive)")
    showing = commands.add_parser("slides", help="one page of slides from the executed chapters")
    showing.add_argument("--to", type=Path, help="folder (default: _build/slides)")
    printing = commands.add_parser("print", help="the built site as one page, and as a PDF")
    printing.add_argument("--to", type=Path, help="folder (default: _build/print)")
    pairing = commands.add_parser("pair", help="write notebooks/*.ipynb from notebooks/*.py")
    pairing.add_argument("--from-ipynb", metavar="CHAPTER", help="take an edited .ipynb over into its .py")
    commands.add_parser("pair-check", help="fail when a pair differs or an .ipynb holds outputs")
    commands.add_parser("check-cells", help="fail when a cell breaks a rule")
    commands.add_parser(
        "check-book", help="fail when a chapter is left out, or lacks quiz, exercises or answers"
    )
    commands.add_parser("check-prose", help="count how the chapters are written; fail when one breaks a rule")
    commands.add_parser("vendor", help="install the third-party browser files into .vendor/")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 1 when something is to be put right, 130 after Ctrl-C."""
    args = parser().parse_args(arguments)
    root = args.root.resolve()
    out = (getattr(args, "out", None) or root / "_build" / "src").resolve()
    commands = {
        "run": lambda: run(root, out, args.profile, dict(args.parameters), args.only),
        "stage": lambda: stage(root, out),
        "build": lambda: build(root, out),
        "check-site": lambda: check_site(args.folder.resolve(), args.budget),
        "serve": lambda: serve(args.folder.resolve(), args.port),
        "student": lambda: student(root, (args.to or root / "_build" / "student").resolve()),
        "archive": lambda: archive(root, (args.to or root / "_build" / "archive").resolve()),
        "slides": lambda: slides(root, (args.to or root / "_build" / "slides").resolve()),
        "print": lambda: print_edition(root, (args.to or root / "_build" / "print").resolve()),
        "pair": lambda: take_over(root, args.from_ipynb) if args.from_ipynb else pair(root),
        "pair-check": lambda: pair_check(root),
        "check-cells": lambda: check_cells(root),
        "check-book": lambda: check_book(root),
        "check-prose": lambda: check_prose(root),
        "vendor": lambda: vendor(root),
    }
    try:
        commands[args.command]()
    except BookError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; what was finished is kept", file=sys.stderr)
        return 130
    return 0


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == "__main__":
    sys.exit(main())
