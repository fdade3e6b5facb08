"""The main text of a chapter as sentences: what a reader reads between the cells.

Code, tables, headings, formulas and the sections that are no text (quiz, exercises, references) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import nbformat

from bookkit.chapters import dig

#: Directives whose content is text; what other fences hold is code, a table or a picture.
TEXT_FENCES = ("admonition", "note", "tip", "warning", "important", "dropdown", "prf:")
FENCE = re.compile(r"^\s*(`{3,}|:{3,})(?:\{(?P<name>[\w:+-]+)\})?(?P<rest>.*)$")
OPTION = re.compile(r"^:[\w-]+:")
ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s+")
NUMBER, WORD = "\x01", "\x02"
TERM = re.compile(r"\{term\}`([^`<]+?)(?:\s*<([^>`]+)>)?`")
INLINE = (
    (re.compile(r"\s*\{cite(?::\w+)?\}`[^`]*`"), ""),
    (re.compile(r"\{glue:text\}`[^`:]+:[^`]*[defg%]`"), NUMBER),
    (re.compile(r"\{[\w:]+\}`([^`<]*?)\s*<[^>`]+>`"), r"\1"),
    (re.compile(r"\{[\w:]+\}`[^`]*`"), WORD),
    (re.compile(r"\$-?[\d.,]+\$"), NUMBER),
    (re.compile(r"\$[^$]+\$|`[^`]+`"), WORD),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\*+|<[^>]+>"), ""),
)
ABBREVIATED = re.compile(r"\b(et al|e\.g|i\.e|vs|cf)\.")
SENTENCE_END = re.compile(r"(?<=[.?!])[\"”)\]]*\s+(?=[\"“(\[]*[A-Z0-9\x01\x02])")
#: What a number numbers is no quantity: chapter 06, Figure 10, Model 0.
LABEL = re.compile(
    r"\b(?:chapters?|sections?|figures?|tables?|claims?|appendix|models?|exercises?|steps?|seeds?)"
    r"\s+\d[\d.]*(?:(?:,| and| or| to)\s+\d[\d.]*)*",
    re.IGNORECASE,
)
QUANTITY = re.compile(rf"{NUMBER}|(?<![\w.])-?\d+(?:[.,]\d+)*(?![\w])")


@dataclass(frozen=True)
class Text:
    """What stands between two blank lines, one item of a list, or one caption.

    Attributes
    ----------
    section : str
        The heading of the second level above it; empty before the first.
    written : str
        As it is in the source.
    """

    section: str
    written: str

    @property
    def read(self) -> str:
        """As a reader sees it: a mark in the place of each glued number and each formula."""
        text = TERM.sub(r"\1", self.written)
        for pattern, into in INLINE:
            text = pattern.sub(into, text)
        return " ".join(text.split())

    @property
    def sentences(self) -> list[str]:
        """The sentences, in order."""
        return [part for part in SENTENCE_END.split(ABBREVIATED.sub(r"\1", self.read)) if words(part)]


def main_text(notebook: nbformat.NotebookNode, outside: tuple[str, ...] = ()) -> list[Text]:
    """The texts of a chapter, in order, but for the sections whose headings are in `outside`."""
    source = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return [text for text in _texts(source) if text.section not in outside]


def captions(notebook: nbformat.NotebookNode) -> list[Text]:
    """The captions that cells give to what they show."""
    found = (dig(cell.metadata, "mystnb", "figure", "caption") for cell in notebook.cells)
    return [Text("", text) for text in found if isinstance(text, str)]


def words(text: str) -> int:
    """How many words a text has; a number and a formula are one each."""
    return sum(any(sign.isalnum() or sign in (NUMBER, WORD) for sign in word) for word in text.split())


def numbers(sentence: str) -> int:
    """How many quantities a sentence gives."""
    return len(QUANTITY.findall(LABEL.sub(" ", sentence)))


def _texts(source: str) -> Iterator[Text]:
    section, lines = "", list[str]()
    for kind, line in _kinds(source):
        if kind == "text" and not ITEM.match(line):
            lines.append(line.strip())
            continue
        if lines:
            yield Text(section, " ".join(lines))
        lines = [ITEM.sub("", line)] if kind == "text" else []
        if kind == "heading":
            section = line.lstrip("# ").strip() if line.startswith("## ") else section
    if lines:
        yield Text(section, " ".join(lines))


def _kinds(source: str) -> Iterator[tuple[str, str]]:
    """Each line, and whether it is a text, a heading, or neither."""
    skipped = ""  # the fence, or $$, that ends what is no text
    open_fences: list[str] = []
    for line in source.splitlines():
        fence = FENCE.match(line)
        if skipped:
            if line.strip() == skipped:
                skipped = ""
            yield "none", line
        elif fence and fence[1] in open_fences and not fence["name"]:
            open_fences.remove(fence[1])
            yield "none", line
        elif fence:
            if (fence["name"] or "").startswith(TEXT_FENCES):
                open_fences.append(fence[1])
            else:
                skipped = fence[1]
            yield "none", line
        elif line.strip() == "$$":
            skipped = "$$"
            yield "none", line
        elif line.startswith("#"):
            yield "heading", line
        elif not line.strip() or line.lstrip().startswith(("|", "<", "$$")) or OPTION.match(line):
            yield "none", line
        else:
            yield "text", line
