"""Say at the end of each chapter how its outputs came about, from the record of the run."""

import html
import json
from pathlib import Path

LINE = (
    '<p class="run-record">The outputs of this page come from one run from top to bottom: '
    "profile <code>{profile}</code>, {time}, Python {python}.</p>"
)


def add_line(app, pagename, templatename, context, doctree):
    """Append the line to the body of a page whose notebook has a record."""
    path = Path(app.srcdir) / f"{pagename}.run.json"
    if not path.exists() or "body" not in context:
        return
    record = json.loads(path.read_text())
    context["body"] += LINE.format(
        profile=html.escape(record["profile"]),
        time=in_words(record["seconds"]),
        python=html.escape(record["python"]),
    )


def in_words(seconds):
    """A time as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"


def setup(app):
    """Connect the function."""
    app.connect("html-page-context", add_line)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
