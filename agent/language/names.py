"""Finds a condition by its name, however it is written.

Case, width, traditional characters, spaces, hyphens, plurals and British or American spelling make
no difference. What has no entry of its own is looked for without the words that only say whom it
befalls or how long it lasts, and last as what it is a kind of: both languages put that at the end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from agent.language.normalise import has_chinese, plain, stem
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import Condition

How = Literal["exact", "form", "broader"]
"""`exact`: its own entry. `form`: the entry of the disease of which the name is a form, such as
the acute one. `broader`: the entry of what the name is a kind of."""


@dataclass(frozen=True, slots=True)
class Named:
    """The condition that a name speaks of."""

    condition: str
    how: How


_TABLE: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("names.yaml").read_text(encoding="utf-8")
)
_BRACKETS = re.compile(r"[(（\[［【]([^)）\]］】]*)[)）\]］】]")
_APART_ZH = re.compile(r"[\s\-‐-―·•・.,，、;；/'\"“”]+")
_WORDS_EN = re.compile(r"[a-z0-9]+")
_SAME_ZH = tuple(_TABLE["same_zh"].items())
_SAME_EN = tuple(_TABLE["same_en"].items())
_SMALL_EN = frozenset(_TABLE["small_en"])
_FORMS_ZH = re.compile("^(?:" + "|".join(_TABLE["forms_zh"]) + ")")
_ENDS_ZH = re.compile("(?:" + "|".join(_TABLE["ends_zh"]) + ")$")
_FORMS_EN = frozenset(stem(word) for word in _TABLE["forms_en"])
_ENDS_EN = tuple(dict.fromkeys(stem(word) for word in _TABLE["ends_en"]))
_SEEMING = re.compile("|".join(_TABLE["seeming"]))
_SHORTEST = 2


def key_of(name: str) -> str:
    """The form in which two ways to write one name are the same; empty for no name."""
    text = plain(_BRACKETS.sub("", name) or name)
    return _chinese(text) if has_chinese(text) else "".join(_english(text))


def _chinese(text: str) -> str:
    text = _APART_ZH.sub("", text)
    for said, same in _SAME_ZH:
        text = text.replace(said, same)
    return text


def _english(text: str) -> list[str]:
    words = []
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    for word in _WORDS_EN.findall(text.replace("'s", "")):
        if word in _SMALL_EN:
            continue
        for british, american in _SAME_EN:
            word = word.replace(british, american)
        words.append(stem(word))
    return words


_BROAD = frozenset(key_of(word) for word in (*_TABLE["broad_zh"], *_TABLE["broad_en"]))


class Names:
    """Every name of every condition, for look-ups. What is written comes before what is
    imported, and an entry's own name before another's synonym."""

    def __init__(self, knowledge: ClinicalKnowledge) -> None:
        self.conditions = knowledge.conditions
        self._owner: dict[str, str] = {}
        self._in_any_order: dict[frozenset[str], str] = {}
        written = list(knowledge.written.values())
        imported = [entry for entry in knowledge.conditions.values() if entry.tier != "written"]
        for entries in (written, imported):
            for own in (True, False):
                for entry in entries:
                    for name in _names(entry) if own else _synonyms(entry):
                        self._add(name, entry.id)
            if entries is written:
                for name, key in knowledge.aliases.items():
                    if key in self.conditions:
                        self._add(name, key)

    def _add(self, name: str, condition: str) -> None:
        text = plain(_BRACKETS.sub("", name) or name)
        if has_chinese(text):
            self._owner.setdefault(_chinese(text), condition)
        elif words := _english(text):
            self._owner.setdefault("".join(words), condition)
            if len(words) > 1:
                self._in_any_order.setdefault(frozenset(words), condition)

    def exact(self, name: str) -> str | None:
        """The condition that has this name or synonym, or this id."""
        return name if name in self.conditions else self._owner.get(key_of(name))

    def find(self, name: str) -> Named | None:
        """The condition of a name, or of what it is a form or a kind of; None for neither."""
        for said in (name, *_BRACKETS.findall(name)):
            if owner := self.exact(said):
                return Named(owner, "exact")
        text = plain(_BRACKETS.sub("", name) or name)
        chinese = has_chinese(text)
        if not chinese and (owner := self._in_any_order.get(frozenset(_english(text)))):
            return Named(owner, "form")
        for form in _forms_zh(_chinese(text)) if chinese else _forms_en(_english(text)):
            if owner := self._owner.get(form):
                return Named(owner, "form")
        if _SEEMING.match(text):
            return None
        for ending in _endings_zh(_chinese(text)) if chinese else _endings_en(_english(text)):
            if owner := self._owner.get(ending):
                return Named(owner, "broader")
        return None


def _names(entry: Condition) -> tuple[str, ...]:
    return (entry.name.zh, entry.name.en)


def _synonyms(entry: Condition) -> tuple[str, ...]:
    return (*entry.synonyms.zh, *entry.synonyms.en)


def _forms_zh(key: str) -> Iterator[str]:
    """The name without what says whom it befalls and how; the fewest words taken away first."""
    bare = key
    while len(bare) > _SHORTEST:
        yield from (f"{bare}病", f"{bare}症")
        shorter = _ENDS_ZH.sub("", bare)
        if shorter != bare and len(shorter) >= _SHORTEST and shorter not in _BROAD:
            yield shorter
        match = _FORMS_ZH.match(bare)
        if match is None:
            return
        bare = bare[match.end() :]
        if len(bare) >= _SHORTEST and bare not in _BROAD:
            yield bare


def _forms_en(words: list[str]) -> Iterator[str]:
    """The same in English; a name may have its "disease" or leave it off."""
    kept = [word for word in words if word not in _FORMS_EN]
    for some in (words, kept):
        joined = "".join(some)
        if not joined or joined in _BROAD:
            continue
        if some is not words:
            yield joined
        yield from (joined + end for end in _ENDS_EN)
        if some[-1] in _ENDS_EN and "".join(some[:-1]) not in _BROAD:
            yield "".join(some[:-1])


def _endings_zh(key: str) -> Iterator[str]:
    for start in range(1, len(key) - _SHORTEST + 1):
        if key[start:] not in _BROAD:
            yield key[start:]


def _endings_en(words: list[str]) -> Iterator[str]:
    for start in range(1, len(words)):
        joined = "".join(words[start:])
        if joined not in _BROAD:
            yield joined
