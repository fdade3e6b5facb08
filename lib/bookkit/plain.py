"""Chapters in plain Markdown, which JupyterLab, VS Code and Colab show without an extension.

The pages of the book are written in MyST. Here admonitions become block quotes, hints and proofs folds,
exercises headings with their number; citations, terms and references to pages are said in words or lead to
the published site. Headings that the chapter links to have an anchor, which is lower case as on the site:
JupyterLab and nbconvert name a heading otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
from mdit_py_plugins.anchors.index import slugify
from pybtex.database import Entry, parse_file

from bookkit.chapters import dig, number_of
from bookkit.errors import BookError
from bookkit.yaml_files import read_yaml

BIBLIOGRAPHY = Path("book/references.bib")
OPENS = re.compile(r"^(`{3,}|:{3,}|~{3,})\{([\w:+-]+)\} ?(.*)$")
CODE = re.compile(r"^(`{3,}|~{3,})(?!\{)")
OPTION = re.compile(r"^:([\w-]+): *(.*)$")
ROLE = re.compile(r"\{([\w:]+)\}`([^`]+)`")
TITLED = re.compile(r"^(.+?)\s*<([^>]+)>$")
TERM_ANCHOR = re.compile(r"[^\w-]+")
HEADING = re.compile(r"^#{1,6} +(.+?) *$")
WITHIN = re.compile(r"\]\(#([^)\s]+)\)")
LINK = re.compile(r"(\]\()((?!https?:|mailto:|data:|#)[^)\s]+)\)")
PROVED = {"definition": "Definition", "theorem": "Theorem", "lemma": "Lemma", "proposition": "Proposition"}
MOST_AUTHORS = 6
NOTES = ("admonition", "note", "tip", "warning", "important", "caution", "attention", "seealso")


@dataclass
class Plain:
    """Turns the Markdown cells of one chapter into plain Markdown, in their order.

    Parameters
    ----------
    root : Path
        Of the book: its references, and where its site is.
    chapter : str
        The file's stem, such as "02-gromov-wasserstein".
    figures : mapping of str to str, optional
        Images of figures that a cell has kept, by name, in base64.
    beside : tuple of str
        Chapters that lie beside this one, so that links lead to their notebooks and not to the site.

    Raises
    ------
    BookError
        If a cell uses a directive or a role that has no plain form, a fence does not end, or a citation is
        not among the references.
    """

    root: Path
    chapter: str
    figures: Mapping[str, str] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    cited: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)

    def notebook(self, notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
        """A copy of the chapter, with the captions of its figures in cells of their own."""
        self._number_all(notebook)
        cells = []
        for cell in notebook.cells:
            copied = nbformat.from_dict(cell)
            cells.append(copied)
            if cell.cell_type == "markdown":
                copied.source = "\n".join(self._lines(cell.source.splitlines())).strip("\n")
            elif caption := dig(cell.metadata, "mystnb", "figure", "caption"):
                said = f"*{self._number('figure', '')}.* {self._inline(str(caption))}"
                cells.append(nbformat.v4.new_markdown_cell(said))
        for number, cell in enumerate(cells):
            cell.id = f"cell-{number}"
        return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)

    def _number_all(self, notebook: nbformat.NotebookNode) -> None:
        """Number what is referred to by its label, and find what is linked to; both may be further down."""
        for cell in notebook.cells:
            found = self._labelled(cell.source.splitlines()) if cell.cell_type == "markdown" else ()
            self.linked |= set(WITHIN.findall(cell.source)) if cell.cell_type == "markdown" else set()
            for kind, title, label in found:
                self.labels[label] = self._number(kind, title)
            if cell.cell_type == "code" and dig(cell.metadata, "mystnb", "figure", "caption"):
                name = dig(cell.metadata, "mystnb", "figure", "name")
                self.labels[str(name)] = self._number("figure", "")
        self.counts.clear()

    def _lines(self, lines: list[str]) -> Iterator[str]:
        at = 0
        while at < len(lines):
            line = lines[at]
            if opened := OPENS.match(line.lstrip()):
                end = self._end(lines, at, opened[1])
                yield from self._directive(opened[2], opened[3].strip(), lines[at + 1 : end])
                at = end
            elif code := CODE.match(line.lstrip()):
                end = self._end(lines, at, code[1])
                yield from lines[at : end + 1]
                at = end
            else:
                heading = HEADING.match(line)
                if heading and (anchor := slugify(heading[1])) in self.linked:
                    yield from (f'<a id="{anchor}"></a>', "")
                yield self._inline(line)
            at += 1

    def _end(self, lines: list[str], at: int, fence: str) -> int:
        """Where the fence ends that is opened in a line."""
        depth = 0
        for k in range(at, len(lines)):
            line = lines[k].strip()
            if line == fence and k > at:
                depth -= 1
            elif line.startswith(fence) and not line.startswith(fence + fence[0]):
                depth += 1
            if depth == 0:
                return k
        raise BookError(f"{self.chapter}: {lines[at]!r} does not end")

    def _directive(self, name: str, title: str, inner: list[str]) -> Iterator[str]:
        options, body = _options(inner)
        kind = name.removeprefix("prf:")
        if name == "exercise":
            yield f"### {self._number(name, title)}"
            yield ""
            yield from self._lines(body)
        elif name in NOTES:
            yield from _apart(self._inline(title) or name.capitalize(), list(self._lines(body)))
        elif kind in PROVED:
            yield from _apart(f"{self._number(name, title)}.", list(self._lines(body)))
        elif kind == "proof":
            yield from _folded("Proof", list(self._lines(body)))
        elif name in ("dropdown", "solution"):
            yield from _folded(self._inline(title) or "Solution", list(self._lines(body)))
        elif name in ("table", "glue:figure", "figure"):
            yield from self._captioned(name, title, options, body)
        elif name == "bibliography":
            yield from (f"- {_reference(self._entry(key))}" for key in sorted(self.cited))
        elif name in ("math", "mermaid"):
            raise BookError(
                f"{self.chapter}: {name} has no plain form; write $$ ... $$, or draw it in a cell"
            )
        else:
            raise BookError(f"{self.chapter}: the directive {name!r} has no plain form in bookkit.plain")

    def _captioned(self, name: str, title: str, options: dict[str, str], body: list[str]) -> Iterator[str]:
        caption = " ".join(self._lines([title] if name == "table" else body)).strip()
        number = self._number(name, "")
        if name == "glue:figure":
            if title not in self.figures:
                raise BookError(f"{self.chapter}: the figure {title!r} is shown, but no cell keeps it")
            yield f'<img alt="{options.get("alt", "")}" src="data:image/png;base64,{self.figures[title]}">'
        elif name == "figure":
            yield f"![{options.get('alt', '')}]({self._moved(title)})"
        if name != "table":
            yield from ("", f"*{number}.* {caption}")
            return
        yield from (f"*{number}.* {caption}", "", *self._lines(body))

    def _number(self, name: str, title: str) -> str:
        """What is counted in a chapter, with its number and its title."""
        kind = name.removeprefix("prf:")
        word = {"exercise": "Exercise", "table": "Table", "glue:figure": "Figure", "figure": "Figure"}
        word |= PROVED
        self.counts[word[kind]] = self.counts.get(word[kind], 0) + 1
        number = f"{word[kind]} {number_of(self.chapter)}.{self.counts[word[kind]]}"
        return f"{number}: {self._inline(title)}" if title else number

    def _labelled(self, lines: list[str]) -> Iterator[tuple[str, str, str]]:
        """Kind, title and label of everything that is counted, in order."""
        for at, line in enumerate(lines):
            opened = OPENS.match(line.lstrip())
            kind = opened[2].removeprefix("prf:") if opened else ""
            if opened and kind in ("exercise", "table", "glue:figure", "figure", *PROVED):
                title = "" if kind in ("table", "glue:figure", "figure") else opened[3].strip()
                options = _options(lines[at + 1 :])[0]
                yield opened[2], title, options.get("label") or options.get("name") or ""

    def _inline(self, line: str) -> str:
        text = ROLE.sub(lambda match: self._role(match[1], match[2]), line)
        return LINK.sub(lambda match: f"{match[1]}{self._moved(match[2])})", text)

    def _role(self, name: str, content: str) -> str:
        titled = TITLED.match(content)
        said, target = (titled[1], titled[2]) if titled else (content, content)
        if name == "term":
            return f"[{said}]({site_url(self.root)}book/glossary.html#term-{TERM_ANCHOR.sub('-', target)})"
        if name in ("numref", "prf:ref", "ref"):
            if target not in self.labels:
                raise BookError(f"{self.chapter}: nothing is labelled {target!r}")
            return said if titled else self.labels[target]
        if name.startswith("cite"):
            return self._citation(name, [key.strip() for key in content.split(",")])
        if name in ("doc", "download"):
            return f"[{said}]({self._moved(target)})"
        raise BookError(f"{self.chapter}: the role {name!r} has no plain form in bookkit.plain")

    def _citation(self, name: str, keys: list[str]) -> str:
        self.cited += [key for key in keys if key not in self.cited]
        named = [(_authors(entry), entry.fields["year"]) for entry in map(self._entry, keys)]
        if name == "cite:t":
            return " and ".join(f"{who} ({year})" for who, year in named)
        return "(" + "; ".join(f"{who}, {year}" for who, year in named) + ")"

    def _entry(self, key: str) -> Entry:
        entries = _entries(self.root / BIBLIOGRAPHY)
        if key not in entries:
            raise BookError(f"{self.chapter}: {BIBLIOGRAPHY} has no {key!r}")
        return entries[key]

    def _moved(self, target: str) -> str:
        """Where a link of a chapter leads from a notebook that stands alone."""
        path, _, anchor = target.partition("#")
        stem = Path(path).stem
        if path.startswith("../") or stem not in self.beside:
            page = path.removeprefix("../") if path.startswith("../") else f"notebooks/{path}"
            page = re.sub(r"\.(md|ipynb)$", ".html", page)
            return f"{site_url(self.root)}{page}" + (f"#{anchor}" if anchor else "")
        return target


def site_url(root: Path) -> str:
    """Where the book is published, with a slash at its end.

    Raises
    ------
    BookError
        If ``_config.yml`` does not say.
    """
    found = dig(read_yaml(root / "_config.yml"), "html", "baseurl")
    if not isinstance(found, str):
        raise BookError(f"{root / '_config.yml'}: names no site; write `html: {{baseurl: https://...}}`")
    return found.rstrip("/") + "/"


def kept_figures(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """Images that cells of an executed notebook have kept for another place, in base64, by name."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            name = dig(output.get("metadata", {}), "scrapbook", "name")
            image = dig(output.get("data", {}), "image/png")
            prefixed = dig(output.get("metadata", {}), "scrapbook", "mime_prefix") or ""
            if image is None and isinstance(prefixed, str):
                image = dig(output.get("data", {}), f"{prefixed}image/png")
            if isinstance(name, str) and isinstance(image, str):
                found[name] = image.replace("\n", "")
    return found


def _options(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options of a directive, and its body."""
    options: dict[str, str] = {}
    body = list(lines)
    while body and (found := OPTION.match(body[0].strip())):
        options[found[1]] = found[2]
        body.pop(0)
    while body and not body[0].strip():
        body.pop(0)
    return options, body


def _apart(title: str, lines: list[str]) -> Iterator[str]:
    """A block quote; none around a displayed formula, into which JupyterLab would read the marks."""
    body = "\n".join(lines).strip("\n").split("\n")
    mark = "" if "$$" in "\n".join(lines) else "> "
    for line in (f"**{title}**", "", *body):
        yield f"{mark}{line}".rstrip()
    yield ""


def _folded(title: str, lines: list[str]) -> Iterator[str]:
    yield from (f"<details><summary>{title}</summary>", "", *lines, "", "</details>", "")


@cache
def _entries(path: Path) -> Mapping[str, Entry]:
    return dict(parse_file(str(path), bib_format="bibtex").entries)


def _authors(entry: Entry) -> str:
    """As in a sentence: one or two names, or the first and "et al."."""
    last = [_clean(" ".join(person.prelast_names + person.last_names)) for person in entry.persons["author"]]
    return " and ".join(last) if len(last) < 3 else f"{last[0]} et al."


def _reference(entry: Entry) -> str:
    """A line of the list of references."""
    fields = entry.fields
    persons = entry.persons["author"]
    everyone = [
        _clean(" ".join(person.prelast_names + person.last_names))
        + "".join(f" {name[0]}." for name in person.first_names + person.middle_names)
        for person in persons[:MOST_AUTHORS]
    ] + ["et al."] * (len(persons) > MOST_AUTHORS)
    where = fields.get("journal") or fields.get("booktitle") or fields.get("publisher") or ""
    if not where and "eprint" in fields:
        where = f"arXiv {fields['eprint']}"
    if "doi" in fields:
        where += f", https://doi.org/{fields['doi']}"
    elif "url" in fields:
        where += f", {fields['url']}"
    return _clean(f"{', '.join(everyone)} ({fields['year']}). {fields['title']}. {where}".rstrip(". ") + ".")


def _clean(text: str) -> str:
    """BibTeX's text without its braces and with its accents."""
    from pybtex.richtext import Text

    return str(Text.from_latex(text)).replace("\xa0", " ")
