"""What a clinician would wince at in words: names that mean two things, questions that lead,
fields in the wrong language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from knowledge.clinical.characters import simplified
from knowledge.clinical.load import Read
from knowledge.clinical.schema import Entry, Phrases, Text
from knowledge.clinical.source import Fault, Place

_LEADING_EN = re.compile(
    r"don't you|isn't it|aren't you|surely|you do not|you don't|, (?:right|yes)\?", re.IGNORECASE
)
_LEADING_ZH = re.compile(r"难道|肯定|不会吧|吧？|对吧|对不对|一定是")
_VERB = "do|does|did|is|are|was|were|has|have|can|could"
_TWO_EN = re.compile(rf"\?.*\?|\band (?:{_VERB}) (?:you|it|he|she|there|your|the)\b", re.IGNORECASE)
"""One question may offer two ways to say yes (`or`), but not ask for two answers at once."""
_ASKS_ZH = "有没有|是不是|会不会|能不能"
_TWO_ZH = re.compile(rf"？.*？|(?:{_ASKS_ZH}).*(?:并且|而且|，)(?:{_ASKS_ZH})")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def plain(name: str) -> str:
    """A name without case, width, traditional characters, hyphens, spaces and apostrophes."""
    folded = unicodedata.normalize("NFKC", name).lower()
    table = simplified()
    folded = "".join(table.get(char, char) for char in folded)
    return re.sub(r"[\s\-\u2010-\u2015'’·・]+", "", folded)


def _ways(phrases: Iterable[str]) -> Iterator[str]:
    """Single ways to say a thing: alternatives apart, patterns of several pieces whole."""
    for phrase in phrases:
        if " + " in phrase:
            yield phrase
        else:
            yield from (choice.strip() for choice in phrase.split("|"))


def names(outcome: Read) -> Iterator[Fault]:
    """Names that belong to two findings, or to two conditions, in whichever language."""
    base = outcome.knowledge
    for kind, part in (("findings", "says"), ("conditions", "synonyms")):
        owners: dict[str, str] = {}
        for key, entry in getattr(base, kind).items():
            for language in ("en", "zh"):
                ways = _ways(getattr(getattr(entry, part), language))
                for phrase in sorted({getattr(entry.name, language), *ways}):
                    owner = owners.setdefault(plain(phrase), key)
                    if owner != key:
                        message = f"'{phrase}' already names '{owner}'"
                        yield _fault(outcome, message, (kind, key), part, language, phrase)


def _fault(
    outcome: Read, message: str, place: tuple[str, str], part: str, language: str, phrase: str
) -> Fault:
    """A fault of a phrase, where it was written: in the entry, or among the terms."""
    kind, key = place
    terms = outcome.origins.get(("terms", key)) if kind == "findings" else None
    said = terms.raw().get(language) or () if terms is not None else ()
    if terms is not None and phrase in {*said, *_ways(said)}:
        return terms.fault(message, language, entry=key)
    return outcome.origins[place].fault(message, part, language, entry=key)


def questions(outcome: Read) -> Iterator[Fault]:
    """Questions that lead, ask two things or are none; findings that nobody can tell."""
    for key, finding in outcome.knowledge.findings.items():
        origin = outcome.origins[("findings", key)]
        derived = finding.measured or finding.qualifies or not finding.askable
        if not derived and not (finding.says.en and finding.says.zh):
            message = "no way to say it: give `says` in both languages"
            yield origin.fault(message, "says", entry=key)
        en, zh = finding.ask.en, finding.ask.zh
        if _LEADING_EN.search(en) or _LEADING_ZH.search(zh):
            yield origin.fault("the question leads; ask openly", "ask", entry=key)
        if _TWO_EN.search(en) or _TWO_ZH.search(zh):
            yield origin.fault("the question asks two things; ask one", "ask", entry=key)
        if not en.rstrip().endswith("?"):
            yield origin.fault("the English question lacks its '?'", "ask", entry=key)
        if not zh.rstrip().endswith("？"):
            yield origin.fault("the Chinese question lacks its '？'", "ask", entry=key)


def translations(outcome: Read) -> Iterator[Fault]:
    """Texts that stand in one language only, or in the wrong one."""
    for kind in ("words", "findings", "conditions", "rules", "departments"):
        for key, entry in getattr(outcome.knowledge, kind).items():
            origin = outcome.origins[(kind, key)]
            for place, text in _texts(entry, ()):
                if text.en.strip() == text.zh.strip():
                    yield origin.fault("both languages say the same", *place, entry=key)
                elif not _CHINESE.search(text.zh):
                    yield origin.fault("the Chinese text is not Chinese", *place, entry=key)
                elif _CHINESE.search(text.en):
                    yield origin.fault("the English text holds Chinese", *place, entry=key)


def _texts(value: object, place: Place) -> Iterator[tuple[Place, Text]]:
    if isinstance(value, Text):
        yield place, value
    elif isinstance(value, Entry):
        for name, part in value:
            if isinstance(part, Entry | tuple):
                yield from _texts(part, (*place, name))
    elif isinstance(value, tuple):
        for index, part in enumerate(value):
            yield from _texts(part, (*place, index))


def patterns(outcome: Read) -> Iterator[Fault]:
    """Patterns that cannot match: empty pieces, unknown word lists."""
    base = outcome.knowledge
    owned: list[tuple[tuple[str, str], Phrases, str]] = [
        *((("findings", key), finding.says, "says") for key, finding in base.findings.items()),
        *((("rules", key), rule.words, "words") for key, rule in base.rules.items()),
    ]
    for place, phrases, part in owned:
        for language in ("en", "zh"):
            for phrase in getattr(phrases, language):
                for message in _broken(phrase, base.words.keys()):
                    yield _fault(outcome, message, place, part, language, phrase)


def _broken(phrase: str, words: Iterable[str]) -> Iterator[str]:
    for piece in phrase.split(" + "):
        for choice in piece.split("|"):
            name = choice.strip()
            if not name:
                yield f"empty piece in '{phrase}'"
            elif name.startswith("{"):
                if not name.endswith("}") or name[1:-1] not in words:
                    yield f"unknown word list '{name}' in '{phrase}'"
            elif "{" in name or "}" in name:
                yield f"'{name}' mixes a word list with letters; join with ' + '"


CHECKS = (names, questions, translations, patterns)
