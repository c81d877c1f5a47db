"""Cuts a message into sentences and clauses."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SENTENCE_END = re.compile(
    r"[。！？!?；;\n]+|(?<!\d)\.+(?=\s|$|[\u3400-\u9fff])|\.+(?=\s|$)|\.{3,}"
)
_CLAUSE_END = re.compile(r"[,，:：]+(?!\d)|(?<!\d)[,，:：]+|\s-+\s|\s*--+\s*|\(|\)|[（）]")


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch between commas, `text[start:end]` of the normal form."""

    start: int
    end: int
    sentence: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch between full stops, with its clauses; `question` when it ends in a '?'."""

    start: int
    end: int
    question: bool
    clauses: tuple[Clause, ...]


def sentences(text: str) -> list[Sentence]:
    """The sentences of a normal form, in order; empty ones are left out."""
    found: list[Sentence] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        _add(found, text, start, match.start(), "?" in match.group())
        start = match.end()
    _add(found, text, start, len(text), False)
    return found


def _add(found: list[Sentence], text: str, start: int, end: int, question: bool) -> None:
    if not text[start:end].strip():
        if question and found:
            last = found[-1]
            found[-1] = Sentence(last.start, last.end, True, last.clauses)
        return
    index = len(found)
    clauses: list[Clause] = []
    at = start
    for match in _CLAUSE_END.finditer(text, start, end):
        if text[at : match.start()].strip():
            clauses.append(Clause(at, match.start(), index))
        at = match.end()
    if text[at:end].strip():
        clauses.append(Clause(at, end, index))
    if clauses:
        found.append(Sentence(start, end, question, tuple(clauses)))


def clause_at(found: list[Sentence], position: int) -> Clause | None:
    """The clause that holds a position."""
    for sentence in found:
        if sentence.start <= position < sentence.end:
            for clause in sentence.clauses:
                if clause.start <= position < clause.end:
                    return clause
    return None
