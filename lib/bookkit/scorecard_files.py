"""The scorecard as files that other programs read: JSON with its schema, and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from bookkit.answers import KINDS, Answer
from bookkit.files import write_if_different
from bookkit.verdicts import ANSWERS, CONDITIONS, RESULTS

JSON, CSV, SCHEMA_FILE = "scorecard.json", "scorecard.csv", "scorecard.schema.json"
PAPER = "arXiv:2410.16484"
_TEXT = {"type": "string"}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Scorecard",
    "description": "What this book answers to each claim of a paper and each doubt of its reviewers.",
    "type": "object",
    "required": ["paper", "answers"],
    "additionalProperties": False,
    "properties": {
        "paper": _TEXT,
        "answers": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "kind", "said", "where", "answer", "why", "rows"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string", "pattern": "^[CD][0-9]{2}$"},
                    "kind": {"enum": list(KINDS.values())},
                    "said": {"type": "string", "description": "In our words, as Markdown."},
                    "where": {"type": "string", "description": "Section of the paper, or the reviews."},
                    "answer": {"enum": [word for words in ANSWERS.values() for word in words]},
                    "why": _TEXT,
                    "rows": {
                        "type": "array",
                        "description": "What the answer follows from.",
                        "items": {
                            "type": "object",
                            "required": ["chapter", "tested", "condition", "result", "said", "evidence"],
                            "additionalProperties": False,
                            "properties": {
                                "chapter": {"type": "string", "description": "The notebook's name."},
                                "tested": {"type": "string", "description": "What exactly, as Markdown."},
                                "condition": {"enum": [*CONDITIONS, "-"]},
                                "result": {"enum": [word for words in RESULTS.values() for word in words]},
                                "said": {"type": "string", "description": "The result in a sentence."},
                                "evidence": {"type": "string", "description": "With numbers, as Markdown."},
                            },
                        },
                    },
                },
            },
        },
    },
}


def as_json(answers: Sequence[Answer]) -> str:
    """All answers with the rows that they follow from."""
    found = [
        {
            "id": answer.id,
            "kind": KINDS[answer.kind],
            "said": answer.said,
            "where": answer.where,
            "answer": answer.verdict.answer,
            "why": answer.verdict.why,
            "rows": [
                {
                    "chapter": row.section.chapter,
                    "tested": row.claim,
                    "condition": row.condition,
                    "result": row.word,
                    "said": row.result,
                    "evidence": row.evidence,
                }
                for row in answer.rows
            ],
        }
        for answer in answers
    ]
    return json.dumps({"paper": PAPER, "answers": found}, indent=1, ensure_ascii=False) + "\n"


def as_csv(answers: Sequence[Answer]) -> str:
    """One line for each claim and doubt: id, kind, said, where, answer, why, chapters."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("id", "kind", "said", "where", "answer", "why", "chapters"))
    for a in answers:
        chapters = " ".join(dict.fromkeys(row.section.chapter for row in a.rows))
        lines.writerow((a.id, KINDS[a.kind], a.said, a.where, a.verdict.answer, a.verdict.why, chapters))
    return text.getvalue()


def write_scorecard(folder: Path, answers: Sequence[Answer]) -> None:
    """Write the three files into a folder."""
    write_if_different(folder / JSON, as_json(answers))
    write_if_different(folder / CSV, as_csv(answers))
    write_if_different(folder / SCHEMA_FILE, json.dumps(SCHEMA, indent=1) + "\n")
