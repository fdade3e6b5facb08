"""Every chapter runs from top to bottom at profile `smoke`."""

from pathlib import Path

import pytest

from bookkit.chapters import chapters
from bookkit.run import run_chapter

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("source", chapters(ROOT), ids=lambda path: path.stem)
def test_chapter_runs(source):
    # The same folder as the site's tests use, so that one session runs each chapter once.
    target, _ = run_chapter(ROOT, source, ROOT / "_build" / "smoke" / "src", "smoke")
    assert target.exists()
