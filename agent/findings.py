"""From a mention in the patient's words to a finding of the state."""

from __future__ import annotations

from collections.abc import Iterable

from agent.language.reading import Mention
from agent.ports import Language
from agent.state import Finding, Status
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import Sex


def label(key: str, knowledge: ClinicalKnowledge, language: Language) -> str:
    """A finding's name in a language."""
    name = knowledge.findings[key].name
    return name.en if language == "en" else name.zh


def sex_told(findings: Iterable[Finding], knowledge: ClinicalKnowledge) -> Sex | None:
    """The sex that what is present speaks of, as painful periods speak of a woman; None where
    nothing does, or where two things speak of both."""
    sexes = {
        who.sex
        for finding in findings
        if finding.status == "present" and finding.by not in ("implied", "derived")
        if (who := knowledge.findings[finding.id].who) is not None and who.sex is not None
    }
    return sexes.pop() if len(sexes) == 1 else None


def finding_of(
    mention: Mention,
    knowledge: ClinicalKnowledge,
    language: Language,
    *,
    turn: int = 0,
    status: Status | None = None,
) -> Finding:
    """The finding that a mention speaks of, with its qualities; `status` overrides the said one."""
    return Finding(
        id=mention.finding,
        label=label(mention.finding, knowledge, language),
        status=status or mention.status,
        duration=mention.duration,
        severity=mention.severity,
        onset=mention.onset,
        course=mention.course,
        place=mention.place,
        character=mention.characters,
        circumstance=mention.circumstances,
        value=mention.value,
        unit=mention.unit,
        quote=mention.quote,
        turn=turn,
        by=mention.by,
    )
