"""The clinical knowledge is understood as it is written: phrases, and the cases of every rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from agent.language.understand import Lexicon, Reading, understand
from agent.triage import applies, holds
from knowledge.clinical.load import ClinicalKnowledge, read_folder
from knowledge.clinical.schema import Rule
from knowledge.clinical.statements import present_closure

Language = Literal["zh", "en"]
_KNOWLEDGE = read_folder().knowledge
_LANGUAGES: tuple[Language, ...] = ("en", "zh")


def example(phrase: str, language: Language, knowledge: ClinicalKnowledge) -> str:
    """A sentence for a pattern: the first alternative of each piece."""
    parts = []
    for piece in phrase.split(" + "):
        choice = piece.split("|")[0].strip()
        if choice.startswith("{"):
            choice = getattr(knowledge.words[choice[1:-1]].says, language)[0]
        parts.append(choice)
    return ("" if language == "zh" else " ").join(parts)


def misread(lexicon: Lexicon, language: Language) -> Iterator[str]:
    """The phrases that are not understood as the finding they stand under, or as a kind of it."""
    knowledge = lexicon.knowledge
    for finding in knowledge.findings.values():
        kinds = knowledge.descendants[finding.id] | {finding.id}
        for phrase in getattr(finding.says, language):
            text = example(phrase, language, knowledge)
            reading = understand(text, lexicon=lexicon, language=language)
            if not any(m.finding in kinds and m.status != "absent" for m in reading.mentions):
                got = [(m.finding, m.status) for m in reading.mentions]
                yield f"{finding.id}: {phrase!r} read as {got}"


@pytest.mark.parametrize("language", _LANGUAGES)
def test_phrases_mean_their_finding(lexicon: Lexicon, language: Language) -> None:
    wrong = list(misread(lexicon, language))
    said = sum(len(getattr(f.says, language)) for f in lexicon.knowledge.findings.values())
    # A phrase that another finding's longer phrase covers is the authors' to settle.
    assert len(wrong) <= 0.01 * said, "\n".join(wrong)


def fired(rule: Rule, reading: Reading, knowledge: ClinicalKnowledge) -> bool:
    """Whether a rule fires on a message by its words or on what was understood."""
    profile = reading.profile
    pregnant = profile.pregnant
    if any(hit.rule == rule.id for hit in reading.rules):
        return rule.who is None or applies(rule.who, profile.age_years, profile.sex, bool(pregnant))
    if rule.when is None:
        return False
    present = present_closure(
        (m.finding for m in reading.mentions if m.status == "present"), knowledge
    )
    return applies(
        rule.who, profile.age_years, profile.sex, bool(pregnant) or "pregnant" in present
    ) and holds(rule.when, present, profile.age_years, profile.sex, pregnant)


_CASES = [
    pytest.param(rule.id, language, text, part == "fires", id=f"{rule.id}-{part}-{text}")
    for rule in _KNOWLEDGE.rules.values()
    for part in ("fires", "spares")
    for language in _LANGUAGES
    for text in getattr(getattr(rule, part), language)
]


@pytest.mark.parametrize(("rule", "language", "text", "expected"), _CASES)
def test_rule_case(
    lexicon: Lexicon, rule: str, language: Language, text: str, expected: bool
) -> None:
    reading = understand(text, lexicon=lexicon, language=language)
    assert fired(lexicon.knowledge.rules[rule], reading, lexicon.knowledge) is expected
