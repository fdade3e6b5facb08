"""Build the site from executed notebooks and prose; a warning is an error."""

import os
import re
import subprocess
import sys
from pathlib import Path

from bookkit import child
from bookkit.answers import answers_of
from bookkit.downloads import fill_downloads
from bookkit.errors import BookError
from bookkit.files import digest, files_below, write_atomically
from bookkit.scorecard_files import write_scorecard
from bookkit.stage import clean_build, stage

SCORECARD = "book/scorecard.html"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def build(root: Path, out: Path) -> Path:
    """Stage and build; returns the site, `_build/html` in the folder that holds `out` (or its `_build`)."""
    parent = out.parent.parent if out.parent.name == "_build" else out.parent
    site = parent / "_build"
    stage(root, out)
    _start_afresh_if_needed(root, out, site)
    options = ["--path-output", str(parent), "-W", "--keep-going", "-n"]
    command = child.command("jupyter_book.cli.main:main", "build", str(out), *options)
    print("building the site", flush=True)
    quiet = os.environ | {"PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)
    log = COLOUR.sub("", done.stdout + done.stderr)
    write_atomically(site / "build.log", log)
    if done.returncode or not (site / "html" / "index.html").exists():
        lines = log.splitlines()
        problems = [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-20:]
        raise BookError(
            "\n".join(["the site could not be built:", *problems, f"The whole log: {site / 'build.log'}"])
        )
    for path in (site / "html").rglob("*.map"):
        path.unlink()
    fill_downloads(site / "html", root)
    if (page := site / "html" / SCORECARD).exists():
        write_scorecard(page.parent, answers_of(root, out / "notebooks"))
    print(f"site: {site / 'html' / 'index.html'}", flush=True)
    return site / "html"


def _start_afresh_if_needed(root: Path, out: Path, site: Path) -> None:
    """Sphinx does not notice a changed extension, table of contents or version: then build anew."""
    extensions = out / "book" / "_ext"
    paths = [out / "_config.yml", out / "_toc.yml", *(files_below(extensions) if extensions.is_dir() else [])]
    pins = root / "constraints.txt"
    key = digest(out, paths, pins.read_text() if pins.exists() else "", sys.version)
    stamp = site / ".site-key"
    if not stamp.exists() and (site / "html").exists():
        raise BookError(f"{site}: holds a site that was not built here; choose another --out, or remove it")
    if not stamp.exists() or stamp.read_text() != key:
        clean_build(site)
        write_atomically(stamp, key)
