"""The scorecard as a page: a picture, how often each answer is given, and a fold for each claim and doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from bookkit.answers import KINDS, Answer
from bookkit.verdicts import ANSWERS

#: What is drawn for an answer: in favour of what was said, against it, or neither.
SHAPES = {
    "holds": "circle",
    "answered": "circle",
    "differs": "triangle",
    "justified": "triangle",
    "cannot tell": "square",
    "open": "square",
}
STEP, RADIUS = 24, 8
FRAME = """```{{raw}} html
<svg class="scorecard" viewBox="0 0 {width} {height}" role="group" aria-label="{label}">
{inside}
</svg>
```
"""


def picture(answers: Sequence[Answer]) -> str:
    """A mark for each claim (above the line) and doubt (below it), over the chapter that takes it up first.

    Returns
    -------
    str
        Markdown that holds an SVG. Every mark leads to its fold.
    """
    columns = sorted({answer.chapter for answer in answers}, key=lambda chapter: chapter or "99")
    stacks = {
        (kind, chapter): [a for a in answers if a.kind == kind and a.chapter == chapter]
        for kind in KINDS
        for chapter in columns
    }
    up, down = (max([len(s) for (k, _), s in stacks.items() if k == kind], default=0) for kind in KINDS)
    left, line = 58, STEP * up + 6
    inside = [
        f'<text class="kind" x="0" y="{line - 8}">claims</text>',
        f'<text class="kind" x="0" y="{line + 34}">doubts</text>',
    ]
    for place, chapter in enumerate(columns):
        x = left + STEP * place + RADIUS
        inside.append(f'<text class="chapter" x="{x}" y="{line + 14}">{chapter or "none"}</text>')
        inside += [_mark(a, x, line - 10 - STEP * k) for k, a in enumerate(stacks["C", chapter])]
        inside += [_mark(a, x, line + 32 + STEP * k) for k, a in enumerate(stacks["D", chapter])]
    return (
        FRAME.format(
            width=left + STEP * len(columns) + 10,
            height=line + 26 + STEP * down,
            label=escape("; ".join(count(answers, kind) for kind in KINDS), quote=True),
            inside="\n".join(inside),
        )
        + _legend()
    )


def _mark(answer: Answer, x: float, y: float) -> str:
    shape, r = SHAPES[answer.verdict.answer], RADIUS
    drawn = {
        "circle": f'<circle cx="{x}" cy="{y}" r="{r}"/>',
        "triangle": f'<path d="M{x} {y - r} L{x + r} {y + r - 1} L{x - r} {y + r - 1} Z"/>',
        "square": f'<rect x="{x - r + 1}" y="{y - r + 1}" width="{2 * r - 2}" height="{2 * r - 2}"/>',
    }[shape]
    title = escape(f"{answer.id}: {answer.verdict.answer}")
    return f'<a class="{shape}" href="#{answer.id.lower()}"><title>{title}</title>{drawn}</a>'


def _legend() -> str:
    said = {
        shape: ", ".join(answer for answer, drawn in SHAPES.items() if drawn == shape)
        for shape in dict.fromkeys(SHAPES.values())
    }
    marks = {"circle": "●", "triangle": "▲", "square": "□"}
    return "\n" + " &nbsp; ".join(f"{marks[shape]}&nbsp;{words}" for shape, words in said.items()) + "\n"


def count(answers: Sequence[Answer], kind: str) -> str:
    """How often each answer is given to claims (C) or doubts (D), in a line."""
    asked = [answer for answer in answers if answer.kind == kind]
    given = (f"{word} {sum(a.verdict.answer == word for a in asked)}" for word in ANSWERS[kind])
    return f"{len(asked)} {KINDS[kind]}s: {', '.join(given)}"


def folds(answers: Sequence[Answer], kind: str) -> str:
    """Every claim or doubt in a line with its answer; opened, why, and the rows it follows from."""
    return "\n".join(line for answer in answers if answer.kind == kind for line in _fold(answer))


def _fold(answer: Answer) -> Iterator[str]:
    word = answer.verdict.answer
    where = f" ({answer.where})" if answer.where else ""
    yield f"::::{{dropdown}} **{answer.id}** *{word}*: {answer.said}{where}"
    yield f":name: {answer.id.lower()}"
    yield f":class-container: answer answer-{word.replace(' ', '-')}"
    yield ""
    yield f"**{word.capitalize()}**: {answer.verdict.why}."
    if answer.rows:
        yield from ("", "| what was tested | result | evidence | where |", "| --- | --- | --- | --- |")
    for row in answer.rows:
        tested = row.result if row.condition == "-" else f"{row.condition}: {row.result}"
        shown = " | ".join((row.claim, tested, row.evidence)).replace("](", "](../notebooks/")
        yield f"| {shown} | {row.section.link} |"
    yield from ("::::", "")
