"""Whatever a file of the book holds: what is wrong is said in a sentence with its name, or nothing is."""

import json
import os
import random
import shutil

import nbformat
import pytest
import yaml

from bookkit.__main__ import main
from bookkit.manifest import claim

COMMANDS = ("stage", "slides", "archive", "pair-check", "check-cells", "check-book", "student", "pair")
TABLE = """## What we found

| a | b | c | d |
| --- | --- | --- | --- |
| C01: one | ours | agrees | {glue:text}`n:d` |"""
CLAIMS = """claims:
  - {id: C01, said: One., where: "3.1"}
doubts:
  - {id: D01, said: "Why?"}
figures:
  - {id: F05, name: Figure 5, said: A map., instead: a sketch}
"""
SETTINGS = """[tool.bookkit]
shallow = ["checks"]
answers = "What we found"
named_in = { "README.md" = "{number}" }
"""
RUN = "_build/src/notebooks/01-a.ipynb"
LEFT_OUT = object()
ODD = (None, 3, 2.5, "", "odd", True, [], {}, [3], [[]], {"odd": 3}, {"odd": []})


@pytest.fixture(scope="module")
def whole(tmp_path_factory, executed):
    """A book of one chapter in which every file is used."""
    root = tmp_path_factory.mktemp("whole")
    texts = {
        "_toc.yml": "root: book/index\nparts:\n  - caption: A\n    chapters:\n      - file: notebooks/01-a\n",
        "_config.yml": "title: T\nrepository: {url: 'https://example.org/book'}\n",
        "README.md": "| all | 01 |\n",
        "pyproject.toml": SETTINGS,
        "book/index.md": "# Book\n\n<!-- scorecard C -->\n\n<!-- scorecard D -->\n\n<!-- paper-map -->\n\n"
        "<!-- course timings -->\n",
        "book/claims.yaml": CLAIMS,
        "_build/html/index.html": "<h1>Book</h1>",
        "notebooks/01-a.py": """# ---
# jupyter:
#   bookkit: {data: []}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A chapter
#
# **Time**: 20 minutes to read.

# %% tags=["parameters"]
profile = "laptop"

# %% [markdown]
# The number:

# %% tags=["fig", "paper-F05"] mystnb={"image": {"alt": "One line goes up steadily"}}
note(n=3)

# %% [markdown]
"""
        + "".join(f"# {line}\n" for line in TABLE.splitlines()),
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    assert main(["--root", str(root), "pair"]) == 0
    chapter = nbformat.read(root / "notebooks/01-a.ipynb", 4)
    data = {"application/papermill.record/text/plain": "3", "image/png": "iVBORw0KGgo=\n"}
    chapter.cells[-2].outputs = [
        nbformat.v4.new_output("display_data", data, metadata={"scrapbook": {"name": "n"}})
    ]
    claim(root / "_build/src", [f"notebooks/01-a.{ending}" for ending in ("ipynb", "run.json")])
    executed(root / RUN, chapter)
    assert [main(["--root", str(root), command]) for command in COMMANDS] == [0] * len(COMMANDS)
    return root


def as_data(path):
    text = path.read_text()
    return yaml.safe_load(text) if path.suffix == ".yml" or path.suffix == ".yaml" else json.loads(text)


def places(thing, path=()):
    """Every place in nested lists and dicts."""
    yield path
    for key in thing if isinstance(thing, dict) else range(len(thing)) if isinstance(thing, list) else ():
        yield from places(thing[key], (*path, key))


def with_odd_values(thing):
    """The same data with one value replaced by something else, or left out."""
    for path in places(thing):
        for odd in (*ODD, LEFT_OUT):
            copy = json.loads(json.dumps([thing]))
            inner, *keys = copy, 0, *path
            for key in keys[:-1]:
                inner = inner[key]
            if odd is LEFT_OUT:
                del inner[keys[-1]]
            else:
                inner[keys[-1]] = odd
            yield f"{path}: {odd!r}", json.dumps(copy[0] if copy else None).encode()  # JSON is YAML as well


def with_odd_bytes(content):
    """Cut off, empty, in other encodings, and no text at all."""
    yield from ((f"cut at {k} of 12", content[: len(content) * k // 12]) for k in range(12))
    yield "bytes", b"\xff\xfe\x00\x01" * 9
    yield "latin-1", content + "# \u00e9\n".encode("latin-1")
    yield "mark", b"\xef\xbb\xbf" + content
    yield "zeros", content[:40] + b"\x00" + content[40:]
    yield "tabs", content.replace(b"  ", b"\t")
    yield "brackets", b"[" * 2000
    yield "anchors", b"a: &a [*a]\n"
    yield "tag", b"!!python/object/apply:os.system ['false']\n"


FILES = (
    "_toc.yml",
    "_config.yml",
    "book/claims.yaml",
    "pyproject.toml",
    "notebooks/01-a.py",
    "notebooks/01-a.ipynb",
    RUN,
    RUN.replace(".ipynb", ".run.json"),
)
#: Of the odd values of a file this many are tried; all of them where the environment asks for it.
SOME = 40


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named_and_never_a_traceback(whole, executed, tmp_path, name, capsys):
    content = (whole / name).read_bytes()
    damages = list(with_odd_bytes(content))
    if not name.endswith((".toml", ".py")):
        odd = list(with_odd_values(as_data(whole / name)))
        few = len(odd) > SOME and "BOOKKIT_FUZZ_ALL" not in os.environ
        damages += random.Random(0).sample(odd, SOME) if few else odd
    noticed = 0
    for label, damaged in damages:
        shutil.copytree(whole, tmp_path / "book")
        (tmp_path / "book" / name).write_bytes(damaged)
        if name == RUN:  # as if somebody had edited both
            executed(tmp_path / "book" / name)
        for command in COMMANDS:
            try:
                failed = main(["--root", str(tmp_path / "book"), command])
            except Exception as error:
                raise AssertionError(f"{name}, {label}, {command}: {error!r}") from error
            message = capsys.readouterr().err
            assert not failed or "01-a" in message or name in message, (name, label, command, message)
            noticed += failed
        shutil.rmtree(tmp_path / "book")
    assert noticed > len(damages) / 4
