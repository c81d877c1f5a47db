"""Reads the patient's words: findings, who the patient is, and what else they want."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from langgraph.runtime import Runtime

from agent.desk import Desk
from agent.events import Event, to_outbox
from agent.findings import finding_of, label, sex_told
from agent.language.answers import is_correction
from agent.language.relations import CHILDREN, Relation
from agent.language.time import durations
from agent.language.understand import Profile, Reading, understand
from agent.state import ConsultationState, Finding, Patient, Question
from agent.wording.person import Person

_WRITES_FROM = 10.0
"""Years below which nobody is taken to write for themselves."""
_GROWN = 18.0
_MYSELF = re.compile(
    r"\b(?:it'?s|it is|this is|i mean)(?: about| for)? (?:me|myself)\b|(?<!不)是我(?:自己|本人)",
    re.IGNORECASE,
)
_BARE_AGE = re.compile(r"(?<![\d.])(\d{1,3})(?![\d.])")


async def run(state: ConsultationState, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Merge what this turn's words tell into the state."""
    desk = runtime.context
    language = state["language"]
    question = state.get("question")
    pending = question.finding if question and question.kind == "finding" else None
    before = state.get("patient") or Patient()
    reading = understand(
        state["text"],
        lexicon=desk.lexicon,
        language=language,
        pending=pending,
        profile=Profile(age_years=before.age_years, sex=before.sex, pregnant=before.pregnant),
        alarms=desk.ports.alarms,
    )
    patient = _patient(before, reading, question, state["text"])
    known = dict(state.get("findings", {}))
    new: list[Finding] = []
    corrections: list[dict[str, Any]] = []
    for mention in reading.mentions:
        if mention.finding not in desk.knowledge.findings:
            continue
        earlier = known.get(mention.finding)
        finding = finding_of(mention, desk.knowledge, language, turn=state["turn"])
        if earlier is not None and earlier.status != finding.status:
            corrections.append(
                {"finding": finding.id, "from": earlier.status, "to": finding.status}
            )
            finding = finding.model_copy(update={"by": "corrected", "quote": earlier.quote})
        elif earlier is not None:
            finding = _enriched(earlier, finding)
        known[finding.id] = finding
        new.append(finding)
    changed = [*_remeasured(known, new, reading, desk), *_agreeing(known, new, desk)]
    corrections += [{"finding": f.id, "from": known[f.id].status, "to": f.status} for f in changed]
    known |= {finding.id: finding for finding in changed}
    if patient.pregnant and "pregnant" in desk.knowledge.findings and "pregnant" not in known:
        known["pregnant"] = Finding(
            id="pregnant",
            label=label("pregnant", desk.knowledge, language),
            status="present",
            turn=state["turn"],
            by="derived",
        )
    if known.get("pregnant") is not None and patient.pregnant is None:
        status = known["pregnant"].status
        if status != "unsure":
            patient = patient.model_copy(update={"pregnant": status == "present"})
    if patient.sex is None:
        patient = patient.model_copy(update={"sex": sex_told(known.values(), desk.knowledge)})
    about = _about(state, reading, patient)
    chief = state.get("chief") or _chief(new, desk)
    duration = _duration(state, reading, question, chief, known)
    outbox = [
        to_outbox(
            Event(
                type="findings.understood",
                actor="service",
                payload={
                    "turn": state["turn"],
                    "findings": [finding.model_dump(mode="json") for finding in new],
                    "patient": patient.model_dump(mode="json"),
                    "about": about,
                    "intents": sorted(reading.intents),
                    "unread": list(reading.unread),
                    "duration": duration,
                },
            )
        )
    ]
    outbox += [
        to_outbox(Event(type="finding.corrected", actor="patient", payload=change))
        for change in corrections
    ]
    return {
        "patient": patient,
        "about": about,
        "findings": known,
        "chief": chief,
        "duration": duration,
        "intents": sorted(reading.intents),
        "understood": len(new),
        "outbox": outbox,
    }


def _enriched(earlier: Finding, later: Finding) -> Finding:
    """A finding said again: new qualities are added, nothing known is lost."""
    told = {
        key: value
        for key, value in later.model_dump().items()
        if key in {"duration", "severity", "onset", "course", "place", "value", "unit"}
        and value is not None
    }
    told["character"] = tuple(dict.fromkeys((*earlier.character, *later.character)))
    told["circumstance"] = tuple(dict.fromkeys((*earlier.circumstance, *later.circumstance)))
    return earlier.model_copy(update=told)


def _agreeing(known: Mapping[str, Finding], new: list[Finding], desk: Desk) -> list[Finding]:
    """What was known before and cannot stand beside what is new: who denies a cough denies the
    cough at night; who has one at night has a cough. Returned as implied."""
    told = {finding.id for finding in new}
    changed: dict[str, Finding] = {}
    for finding in new:
        if finding.status == "absent":
            contradicted, now = desk.knowledge.descendants[finding.id], "present"
        elif finding.status == "present":
            contradicted, now = desk.knowledge.ancestors[finding.id], "absent"
        else:
            continue
        for key in sorted(contradicted & known.keys() - told):
            if known[key].status == now:
                update = {"status": finding.status, "by": "implied", "turn": finding.turn}
                changed[key] = known[key].model_copy(update=update)
    return list(changed.values())


def _remeasured(
    known: dict[str, Finding], new: list[Finding], reading: Reading, desk: Desk
) -> list[Finding]:
    """Findings that followed from a number which the patient now corrects, denied. A second
    measurement that corrects nothing takes nothing back: the fever may have fallen since."""
    if not reading.measurements or not is_correction(reading.text):
        return []
    fresh = {finding.id for finding in new}
    return [
        finding.model_copy(update={"status": "absent", "by": "corrected"})
        for finding in known.values()
        if finding.status == "present"
        and finding.by == "number"
        and finding.id not in fresh
        and any(
            m.quantity in reading.measurements for m in desk.knowledge.findings[finding.id].measured
        )
    ]


def _chief(new: list[Finding], desk: Desk) -> str | None:
    """What the patient came with: the first complaint named that is no circumstance."""
    for finding in new:
        kind = desk.knowledge.findings[finding.id].kind
        if finding.status == "present" and kind in ("symptom", "sign", "measurement"):
            return finding.id
    return None


def _patient(before: Patient, reading: Reading, question: Question | None, text: str) -> Patient:
    """The profile with what the words add to it. An answer to the question for age and sex may be
    as short as "34, male"."""
    said = reading.profile
    update: dict[str, Any] = {}
    if said.age_years is not None and 0 <= said.age_years <= 130:
        update["age_years"] = said.age_years
    elif question is not None and question.kind == "profile" and before.age_years is None:
        match = _BARE_AGE.search(text)
        if match and 0 < int(match.group(1)) <= 120:
            update["age_years"] = float(match.group(1))
    if said.sex is not None:
        update["sex"] = said.sex
    if said.pregnant is not None:
        update["pregnant"] = said.pregnant
    return before.model_copy(update=update)


def _about(state: ConsultationState, reading: Reading, patient: Patient) -> Relation | None:
    """Who the patient is to the writer. The first that it is told of stays: somebody else who is
    named once the patient's complaints are known is a remark ("my mum had the same"), unless
    the question was who the patient is."""
    before, now = state.get("about"), reading.profile.relation
    if now is not None and not _can_be(now, state.get("patient") or Patient(), patient):
        now = None
    about = before
    told = bool(reading.mentions)
    question = state.get("question")
    asked = question is not None and question.kind == "profile"
    answered = asked and (reading.profile.age_years is not None or not told)
    settled = bool(state.get("findings")) and not answered
    if _MYSELF.search(reading.text):
        about = "self"
    elif now == "self":  # "I have a question" says nothing of who is ill
        about = before or ("self" if told else None)
    elif now is not None and before in (None, "self"):
        remark = settled and (before == "self" or (told and now != "other"))
        about = before if remark else now
    elif now is not None and (before == "other" or (before == "child" and now in CHILDREN)):
        about = before if told and settled else now
    if patient.age_years is not None and patient.age_years < _WRITES_FROM:
        return about if about in CHILDREN else "child"
    return about


def _can_be(relation: Relation, before: Patient, patient: Patient) -> bool:
    """Whether a relative can be the patient, as far as age, sex and pregnancy are known: "37
    weeks, baby has not moved" is no baby of thirty years."""
    person = Person.of(relation)
    if person is None:
        return True
    if relation in ("baby", "child") and (patient.pregnant or (patient.age_years or 0) >= _GROWN):
        return False
    return before.sex is None or person.sex in (None, before.sex)


def _duration(
    state: ConsultationState,
    reading: Reading,
    question: Question | None,
    chief: str | None,
    known: dict[str, Finding],
) -> str | None:
    """How long the complaint has lasted: said of the chief complaint, or as the answer to the
    question for it, or of anything else in the first words."""
    if chief and known[chief].duration:
        return known[chief].duration
    spoken = next((found.iso for found in durations(reading.text)), None)
    if question is not None and question.kind == "duration" and spoken:
        return spoken
    return state.get("duration") or (spoken if state["turn"] == 1 else None)
