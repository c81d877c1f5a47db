"""One assessment without a conversation: for a hospital's own forms, and for evaluation.

The same understanding, rules, reasoning and triage as in a consultation, in one pure function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from agent import inquiry, triage
from agent.desk import Desk
from agent.findings import finding_of, label, sex_told
from agent.language.understand import Profile, understand
from agent.ports import Language
from agent.state import Finding, Patient, Possibility, Question, RedFlag, Status, Triage
from agent.weigh import weigh
from agent.wording.person import Person
from knowledge.clinical.schema import LEVELS


class Assessment(BaseModel):
    """What can be said of a case as it stands."""

    model_config = ConfigDict(frozen=True)

    language: Language
    patient: Patient
    findings: list[Finding]
    differential: list[Possibility]
    triage: Triage | None
    red_flags: list[RedFlag]
    question: Question | None = Field(description="What would be asked next, if anything.")
    unmatched: list[str] = Field(
        default=[], description="Entries of present, absent and candidates that are not known."
    )


def assess(
    desk: Desk,
    *,
    language: Language,
    patient: Patient | None = None,
    text: str = "",
    present: Sequence[str] = (),
    absent: Sequence[str] = (),
    candidates: Sequence[str] | None = None,
) -> Assessment:
    """Assess a case from free text, from lists of findings, or from both.

    `present`, `absent` and `candidates` may be ids or words in the case's language. With
    `candidates` the differential is over those conditions alone; each says which entries it stands
    for (`asked`), because what has no entry of its own is taken for what it is a kind of.
    """
    patient = patient or Patient()
    findings: dict[str, Finding] = {}
    flags: dict[str, RedFlag] = {}
    unmatched: list[str] = []
    duration: str | None = None
    said = Profile()
    for words, status in (
        (text, None),
        *((word, "present") for word in present),
        *((word, "absent") for word in absent),
    ):
        if not words.strip():
            continue
        if words in desk.knowledge.findings and status is not None:
            findings[words] = _given(desk, words, status, words, language)
            continue
        # What is absent raises no alarm, so that nobody need judge it.
        alarms = desk.ports.alarms if status != "absent" else None
        reading = understand(words, lexicon=desk.lexicon, language=language, alarms=alarms)
        said = said.updated(reading.profile) if status is None else said
        found = [m for m in reading.mentions if m.finding in desk.knowledge.findings]
        if status is not None and not found:
            unmatched.append(words)
        for mention in found:
            key = mention.finding
            told: Status = _combined(status, mention.status)
            if told == "absent" and key in findings and findings[key].status == "present":
                continue  # the left knee hurts, the right one does not: a knee hurts
            findings[key] = finding_of(mention, desk.knowledge, language, turn=1, status=told)
            duration = duration or mention.duration
        if status != "absent":
            for hit in reading.rules:
                rule = desk.knowledge.rules[hit.rule]
                flags[hit.rule] = RedFlag(
                    rule=rule.id,
                    level=rule.level,
                    department=rule.department,
                    because=(hit.quote,),
                    crisis=rule.crisis,
                )
    patient = Patient(
        age_years=patient.age_years if patient.age_years is not None else said.age_years,
        sex=patient.sex or said.sex or sex_told(findings.values(), desk.knowledge),
        pregnant=patient.pregnant if patient.pregnant is not None else said.pregnant,
    )
    flags = {
        key: flag
        for key, flag in flags.items()
        if triage.applies(
            desk.knowledge.rules[key].who, patient.age_years, patient.sex, patient.pregnant
        )
    }
    for flag in triage.fire(desk.knowledge, findings, patient):
        flags.setdefault(flag.rule, flag)
    chosen: dict[str, list[str]] | None = None
    if candidates is not None:
        chosen = {}
        for name in candidates:
            named = condition_named(desk, name, language)
            if named is None:
                unmatched.append(name)
            elif name not in chosen.setdefault(named, []):
                chosen[named].append(name)
    person = Person.of(said.relation, patient.sex)
    return _weighed(
        desk, language, patient, findings, list(flags.values()), duration, chosen, unmatched, person
    )


def _weighed(
    desk: Desk,
    language: Language,
    patient: Patient,
    findings: dict[str, Finding],
    flags: list[RedFlag],
    duration: str | None,
    candidates: Mapping[str, Sequence[str]] | None,
    unmatched: list[str],
    person: Person | None,
) -> Assessment:
    weighed = weigh(
        desk, findings, patient, flags, language, duration=duration, candidates=candidates or None
    )
    question: Question | None = None
    if weighed.evidence.present:
        choice = inquiry.choose(
            desk.network,
            weighed.evidence,
            patient,
            findings,
            [],
            posterior=weighed.reviewed,
            budget=desk.budget,
            thorough=desk.thorough,
        )
        question = inquiry.question(choice, desk.network, language, person)
    asked = candidates or {}
    return Assessment(
        language=language,
        patient=patient,
        findings=list(findings.values()),
        differential=[
            item.model_copy(update={"asked": tuple(asked.get(item.condition, ()))})
            for item in weighed.differential
        ],
        triage=weighed.triage,
        red_flags=sorted(flags, key=lambda flag: LEVELS.index(flag.level)),
        question=question,
        unmatched=unmatched,
    )


def _given(desk: Desk, key: str, status: str, quote: str, language: Language) -> Finding:
    told: Status = "present" if status == "present" else "absent"
    own = label(key, desk.knowledge, language)
    return Finding(id=key, label=own, status=told, quote=quote, turn=1, by="form")


def _combined(listed: str | None, said: Status) -> Status:
    """A list says what the status is; within an item of the list a denial turns it round."""
    if listed is None:
        return said
    if said == "unsure":
        return "unsure"
    return "present" if (listed == "present") == (said == "present") else "absent"


def condition_named(desk: Desk, name: str, language: Language) -> str | None:
    """The condition of an id, a name or a synonym in either language; where there is none, of what
    the name is a form or a kind of, or of what it speaks of."""
    if named := desk.names.find(name):
        return named.condition
    hits = understand(name, lexicon=desk.lexicon, language=language).conditions
    longest = max(hits, key=lambda hit: hit.end - hit.start, default=None)
    return longest.condition if longest is not None else None
