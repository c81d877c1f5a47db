"""Readable articles made from the clinical entries, cut into passages along their sections.

The advice that the service gives and the passages that it cites are the same sentences, so that a
citation can be checked by looking.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import Condition, Rule, Text

LANGUAGES = ("en", "zh")

_SECTIONS = {
    "about": {"en": "What it is", "zh": "概述"},
    "findings": {"en": "How it shows", "zh": "表现"},
    "now": {"en": "What to do now", "zh": "现在怎么做"},
    "avoid": {"en": "What to avoid", "zh": "避免什么"},
    "return_if": {"en": "When to see a doctor sooner", "zh": "何时尽快就医"},
    "ambulance_if": {"en": "When to call an ambulance", "zh": "何时叫救护车"},
    "lookalikes": {"en": "What can look alike", "zh": "容易混淆的情况"},
    "warning": {"en": "Warning sign", "zh": "危险信号"},
}
_COMMON = 0.5
_AT_TIMES = 0.2


@dataclass(frozen=True)
class Chunk:
    """A passage: one section of one article in one language."""

    id: str
    document: str
    title: str
    section: str
    text: str
    language: str
    entry: str
    source: str


def articles(knowledge: ClinicalKnowledge) -> list[Chunk]:
    """Every passage of every entry that was written, in both languages, in a fixed order."""
    chunks: list[Chunk] = []
    for language in LANGUAGES:
        for condition in knowledge.written.values():
            chunks.extend(_condition(condition, knowledge, language))
        for rule in knowledge.rules.values():
            chunks.extend(_rule(rule, language))
    return chunks


def release_of(chunks: Iterable[Chunk]) -> str:
    """Content address of a set of passages."""
    digest = hashlib.sha256()
    for chunk in sorted(chunks, key=lambda chunk: chunk.id):
        digest.update(json.dumps(asdict(chunk), sort_keys=True, ensure_ascii=False).encode())
    return f"passages-{digest.hexdigest()[:16]}"


def _condition(
    condition: Condition, knowledge: ClinicalKnowledge, language: str
) -> Iterator[Chunk]:
    title = getattr(condition.name, language)
    advice = condition.advice
    bodies = {
        "about": _about(condition, language),
        "findings": _findings(condition, knowledge, language),
        "now": _joined(advice.now, language),
        "avoid": _joined(advice.avoid, language),
        "return_if": _joined(advice.return_if, language),
        "ambulance_if": _joined(advice.ambulance_if, language),
        "lookalikes": _lookalikes(condition, knowledge, language),
    }
    for section, text in bodies.items():
        if text:
            yield Chunk(
                id=f"{condition.id}.{language}#{section}",
                document=f"{condition.id}.{language}",
                title=title,
                section=_SECTIONS[section][language],
                text=text,
                language=language,
                entry=condition.id,
                source=condition.sources[0].url,
            )


def _rule(rule: Rule, language: str) -> Iterator[Chunk]:
    yield Chunk(
        id=f"{rule.id}.{language}#warning",
        document=f"{rule.id}.{language}",
        title=rule.source.title,
        section=_SECTIONS["warning"][language],
        text=_joined((rule.because, *rule.advice), language),
        language=language,
        entry=rule.id,
        source=rule.source.url,
    )


def _joined(sentences: Iterable[Text], language: str) -> str:
    return (" " if language == "en" else "").join(getattr(s, language) for s in sentences)


def _about(condition: Condition, language: str) -> str:
    about: str = getattr(condition.about, language)
    names: tuple[str, ...] = getattr(condition.synonyms, language)
    if not names:
        return about
    if language == "en":
        return f"{about} Also called: {', '.join(names)}."
    return f"{about}也叫：{'、'.join(names)}。"


def _findings(condition: Condition, knowledge: ClinicalKnowledge, language: str) -> str:
    def names(low: float, high: float) -> list[str]:
        keys = sorted(condition.findings, key=lambda key: -condition.findings[key])
        found = [key for key in keys if low <= condition.findings[key] < high]
        return [getattr(knowledge.findings[key].name, language) for key in found]

    often, sometimes = names(_COMMON, 1.0), names(_AT_TIMES, _COMMON)
    parts = []
    if often:
        parts.append(
            f"Common: {', '.join(often).lower()}."
            if language == "en"
            else f"常见：{'、'.join(often)}。"
        )
    if sometimes:
        parts.append(
            f"Sometimes: {', '.join(sometimes).lower()}."
            if language == "en"
            else f"有时：{'、'.join(sometimes)}。"
        )
    return (" " if language == "en" else "").join(parts)


def _lookalikes(condition: Condition, knowledge: ClinicalKnowledge, language: str) -> str:
    rows = []
    for alike in condition.lookalikes:
        other = knowledge.conditions.get(alike.condition)
        if other is not None:
            differs = getattr(alike.differs, language)
            colon = ": " if language == "en" else "："
            rows.append(f"{getattr(other.name, language)}{colon}{differs}")
    return (" " if language == "en" else "").join(rows)
