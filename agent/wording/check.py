"""Whether a sentence of the model may be shown.

A sentence may restate what is known and say that it may fit a condition of the differential. It
may not bring in a medicine, a dose, a test, a number, a condition, a finding, an urgency or an
assurance of its own. When in doubt it is refused: the worded reply from the knowledge takes its
place, so a refusal costs a little warmth and no content.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from agent.language.understand import Lexicon, understand
from agent.ports import Language
from agent.wording.person import Person, names

_NUMBER = re.compile(r"\d")
# The patient's complaints said as if they were the service's own.
_FIRST_PERSON = re.compile(r"我[^们]?(?:有|的|也|感到|觉得|在)|\b(?:I|[Mm]y|[Mm]ine)\b")
# "It may fit gout" has the word for a seizure in it.
_FIT = re.compile(r"\b(may|might|could) fit\b")
_MAY = re.compile(r"\b(?:may|might|could)\b|可能")
# "You have a cough" restates; "you have pneumonia" is caught by the conditions. In Chinese the
# verbs differ: these are said of illnesses only.
_CERTAIN = re.compile(r"[您你](?:得了|患有|患了|就是得)")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")
_CODE = re.compile(r"[<>{}\[\]|`#*_=\\]|https?:|www\.")


@dataclass(frozen=True)
class Facts:
    """What the model was told. It may repeat all of it, and must repeat the last two.

    `present` is closed upwards and `absent` downwards in the hierarchy of findings.
    """

    present: Set[str] = frozenset()
    absent: Set[str] = frozenset()
    unsure: Set[str] = frozenset()
    conditions: Set[str] = frozenset()
    must_name: Set[str] = frozenset()  # findings
    must_fit: Set[str] = frozenset()  # conditions
    person: Person | None = None  # the patient, where somebody else writes


@cache
def _guard(language: Language) -> dict[str, re.Pattern[str]]:
    words = yaml.safe_load((Path(__file__).parent / "guard.yaml").read_text(encoding="utf-8"))
    patterns: dict[str, re.Pattern[str]] = {}
    for kind, lists in words.items():
        english = "|".join(re.escape(str(word)) for word in lists["en"])
        # Han characters have no word bounds, Latin letters among them do: "ct" is not in "doctor".
        chinese = "|".join(
            rf"(?<![a-z]){re.escape(word)}(?![a-z])" if _LATIN.search(word) else re.escape(word)
            for word in map(str, lists["zh"])
        )
        patterns[kind] = re.compile(rf"\b(?:{english})\b|(?:{chinese})", re.IGNORECASE)
    return patterns


def refuse(sentence: str, facts: Facts, lexicon: Lexicon, language: Language) -> str | None:
    """Why a sentence may not be shown, as a short code; None when it may."""
    text = sentence.strip()
    if not text:
        return "empty"
    if len(text) > 240:
        return "too_long"
    han, latin = len(_HAN.findall(text)), len(_LATIN.findall(text))
    if (language == "zh" and han <= latin) or (language == "en" and han):
        return "language"
    if _CODE.search(text):
        return "markup"
    if "?" in text or "？" in text:
        return "question"
    if _CERTAIN.search(text):
        return "certainty"
    for kind, pattern in _guard(language).items():
        if pattern.search(text):
            return kind
    if _NUMBER.search(text):
        return "number"
    if _FIRST_PERSON.search(text):
        return "speaker"
    if _wrong_person(text.lower(), facts.person, language):
        return "person"
    if facts.must_fit:
        text = _FIT.sub(r"\1 match", text)
    reading = understand(text, lexicon=lexicon, language=language)
    named = {hit.condition for hit in reading.conditions}
    # "Sore throat" is what the patient feels, though an illness may go by that name as well.
    felt = [(m.start, m.end) for m in reading.mentions]
    beyond = {
        hit.condition
        for hit in reading.conditions
        if not any(start <= hit.start and hit.end <= end for start, end in felt)
    }
    if not beyond <= facts.conditions:
        return "condition"
    allowed = {"present": facts.present, "absent": facts.absent, "unsure": facts.unsure}
    for mention in reading.mentions:
        # "Bladder infection" is the name of a condition, and says nothing of an infection besides.
        # "Dizziness" says the finding, unless it is the condition that is meant.
        if any(
            hit.start <= mention.start
            and mention.end <= hit.end
            and (
                hit.condition in facts.conditions
                or hit.end - hit.start > mention.end - mention.start
            )
            for hit in reading.conditions
        ):
            continue
        known = allowed[mention.status]
        if mention.finding not in known and not (
            mention.status == "unsure" and mention.finding in facts.present | facts.absent
        ):
            return "finding"
    if not facts.must_name <= {mention.finding for mention in reading.mentions}:
        return "incomplete"
    if facts.must_fit and not (_MAY.search(text) and facts.must_fit <= named):
        return "incomplete"
    return None


def _wrong_person(text: str, person: Person | None, language: Language) -> bool:
    """Whether a sentence does not name the one whose complaints it repeats, or names another."""
    if person is not None:
        return person.name(language).removeprefix("您") not in text
    return any(name in text for name in names(language))
