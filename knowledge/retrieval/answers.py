"""Answers a question from passages: only the sentences that answer it, or nothing.

Nearness of meaning alone is no ground to answer on: of two sentences about a cold, one answers
how long it lasts and the other does not, and both are near to the question. So a question is
first recognised as one of a few topics (`answers.yaml`), and a sentence answers only if it looks
like an answer to that topic. What falls under no topic is answered only by a sentence that holds
nearly all of its words, two at the least. Everything else goes unanswered.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agent.ports import Language
from knowledge.documents.articles import Chunk
from knowledge.retrieval.sparse import Tokeniser

COVERED = 0.75
"""Share of a question's words, weighted by rarity, that a sentence must hold where no topic
fits."""
_TELLING = 4.0
"""Rarity (natural logarithm) from which a word tells what a question is about."""
_MOST = 3  # sentences of an answer; a section that is the answer is given whole
_END = re.compile(r"(?<=[。！？])|(?<=[.!?])\s+")
_FREE = ("about", "now", "avoid", "warning")
_FILLERS = frozenset(
    re.findall(
        r"\S+",
        "can could should may i me my he she his her we do does did will would have has had get "
        "got what which when where who why how much many any some there still also again now then "
        "take put use go am be been was not no ok okay safe need want 可以 能 能不能 可不可以 要 "
        "要不要 会 会不会 吗 呢 吧 我 他 她 什么 怎么 多少 多久 是不是 有没有 还 这 那 这个 那个 "
        "需要 应该 好 用 做 去 来 不 没 有没 能否 医生 现在",
    )
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of question. `answered` is None where a whole section is the answer."""

    id: str
    asked: re.Pattern[str]
    answered: re.Pattern[str] | None
    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Sentences of one passage, in its own words, and where they stand."""

    row: int
    quote: str


class Answers:
    """Finds answers among passages, which are named by their rows."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = chunks
        self._tokenise = Tokeniser()
        self._topics: dict[Language, list[Topic]] = {"en": _topics("en"), "zh": _topics("zh")}
        self._rows: dict[tuple[str, str, str], int] = {}
        self._titles: dict[str, dict[str, str]] = {"en": {}, "zh": {}}
        seen: dict[str, Counter[str]] = {"en": Counter(), "zh": Counter()}
        for row, chunk in enumerate(chunks):
            section = chunk.id.rpartition("#")[2]
            self._rows[(chunk.entry, chunk.language, section)] = row
            if section == "about":
                self._titles[chunk.language][chunk.title.lower()] = chunk.entry
            seen[chunk.language].update(set(self._tokenise(chunk.text)))
        self._seen = seen
        self._count = {key: sum(chunk.language == key for chunk in chunks) for key in seen}

    def find(self, question: str, language: Language, entries: Iterable[str]) -> list[Answer]:
        """The sentences that answer, from the first of `entries` that has any; a condition that
        the question names goes before them. Empty where nothing answers."""
        asked = " ".join(question.lower().split())
        named = self._named(asked, language)
        for entry in named or entries:
            found = list(self._of_entry(asked, language, entry))
            if found:
                return found
        return []

    def _named(self, question: str, language: Language) -> list[str]:
        titles = self._titles[language]
        if language == "en":
            names = [t for t in titles if re.search(rf"\b{re.escape(t)}\b", question)]
        else:
            names = [title for title in titles if title in question]
        return [titles[name] for name in sorted(names, key=len, reverse=True)[:1]]

    def _of_entry(self, question: str, language: Language, entry: str) -> Iterator[Answer]:
        topic = next((t for t in self._topics[language] if t.asked.search(question)), None)
        sections = topic.sections if topic is not None else _FREE
        words = self._words(question, language) if topic is None else {}
        left = _MOST
        for section in sections:
            row = self._rows.get((entry, language, section))
            if row is None or not left:
                continue
            text = self._chunks[row].text
            if topic is not None and topic.answered is None:
                yield Answer(row, text)
                continue
            for sentence in sentences(text):
                fits = (
                    topic.answered.search(sentence.lower()) is not None
                    if topic is not None and topic.answered is not None
                    else self._covers(sentence, words)
                )
                if fits and left:
                    left -= 1
                    yield Answer(row, sentence)

    def _words(self, question: str, language: Language) -> dict[str, float]:
        """The words of a question with their rarity among the passages of the language."""
        words = set(self._tokenise(question)) - _FILLERS
        seen, count = self._seen[language], self._count[language]
        return {word: math.log((count + 1) / (seen[word] + 0.5)) for word in words}

    def _covers(self, sentence: str, words: dict[str, float]) -> bool:
        whole = sum(words.values())
        held = words.keys() & set(self._tokenise(sentence))
        telling = any(words[word] >= _TELLING for word in held)
        return len(held) > 1 and telling and sum(words[word] for word in held) >= COVERED * whole


def sentences(text: str) -> list[str]:
    """The sentences of a passage, each as it stands there."""
    return [piece.strip() for piece in _END.split(text) if piece.strip()]


def _topics(language: Language) -> list[Topic]:
    text = (Path(__file__).parent / "answers.yaml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = yaml.safe_load(text)
    return [
        Topic(
            row["id"],
            re.compile(row["asked"][language]),
            re.compile(row["answered"][language]) if "answered" in row else None,
            tuple(row["sections"]),
        )
        for row in rows
    ]
