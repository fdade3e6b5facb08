"""Whether a chapter links each term of the glossary where it uses it first, and none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bookkit.prose import INLINE, TERM, Text

ENTRY = re.compile(r"^(?=\S)(?!```|:)(.+)\n  \S", re.MULTILINE)
LINK = "\x04{}\x05"


def glossary_terms(page: str) -> list[str]:
    """The entries of every glossary of a page, as they are written."""
    parts = re.findall(r"^```\{glossary\}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [entry.strip() for part in parts for entry in ENTRY.findall(part)]


def unlinked(texts: Iterable[Text], entries: Sequence[str], everyday: Sequence[str] = ()) -> list[str]:
    """The entries that are used before they are linked.

    Parameters
    ----------
    texts : iterable of Text
    entries : sequence of str
        An entry with commas names several words: each of them counts as its use.
    everyday : sequence of str
        Words that are common outside the glossary as well; their use alone asks for no link.
    """
    text = "\n\n".join(_with_links(one.written) for one in texts)
    words = sorted(
        ((word, entry) for entry in entries for word in entry.split(", ") if word not in everyday),
        key=lambda pair: -len(pair[0]),  # "Gromov-Wasserstein distance" before "Wasserstein distance"
    )
    used: dict[str, int] = {}
    for word, entry in words:
        for found in _pattern(word).finditer(text):
            used[entry] = min(found.start(), used.get(entry, found.start()))
        text = _pattern(word).sub(lambda match: "_" * len(match[0]), text)
    linked = {entry: text.find(LINK.format(entry.lower())) for entry in entries}
    return [
        entry for entry in entries if entry in used and (linked[entry] < 0 or used[entry] < linked[entry])
    ]


def unknown(text: str, entries: Iterable[str]) -> list[str]:
    """The terms that a text links and that are no entries, each once; capitals do not count, as in Sphinx."""
    known = {entry.lower() for entry in entries}
    linked = (" ".join((match[2] or match[1]).split()) for match in TERM.finditer(text))
    return list(dict.fromkeys(name for name in linked if name.lower() not in known))


def _with_links(written: str) -> str:
    """A text as it is read, with a mark in the place of each link to the glossary."""
    text = TERM.sub(lambda match: LINK.format((match[2] or match[1]).strip().lower()), written)
    for pattern, into in INLINE:
        text = pattern.sub(into, text)
    return text


def _pattern(word: str) -> re.Pattern[str]:
    """A term and its plural; a term with a capital inside is found as it is written."""
    plain = word.lower() == word
    end = "" if re.search(r"[\W\d]$", word) else r"(?:s|es)?\b"
    return re.compile(rf"(?<![\w\x04-]){re.escape(word)}{end}(?!\x05)", re.IGNORECASE if plain else 0)
