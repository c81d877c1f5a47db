"""How well whole consultations go: the vignettes as simulated patients, through the real graph.

A patient opens with a vignette's words and hides what the expected condition typically brings
along, drawn by seed from the frequencies in the knowledge and consistent with the words. The same
knowledge asks and answers, so these figures flatter the diagnosis; what they show is whether the
questions help, whether emergencies come out in conversation, and what the conversation is like.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field

from agent import triage as urgency
from agent.desk import Desk
from agent.language.understand import understand
from agent.state import Finding
from evaluation import reports, triage
from evaluation.cases import Vignette
from evaluation.dialogue import Dialogue, Job, hold_all
from evaluation.patient import STYLES, HiddenCase, Style
from evaluation.statistics import Figure, mean
from knowledge.clinical.schema import LEVELS
from knowledge.clinical.statements import present_closure

_ADULT = 12.0  # from this age on nobody speaks as the patient's parent


class Outcome(triage.Outcome):
    """What came of one consultation."""

    style: str
    questions: int
    repeated: tuple[str, ...]
    """Questions on what had been said, or followed from it."""
    unfitting: tuple[str, ...]
    """Questions that do not fit age and sex."""
    reasoned: bool
    """Whether every question and the decision came with a reason."""


class Summary(triage.Summary):
    """The figures over a group of consultations."""

    questions: Figure = Field(title="questions")
    repeated: Figure = Field(title="repeated")
    """Share of consultations with a question on what had been said."""
    unfitting: Figure = Field(title="unfitting")
    reasons: Figure = Field(title="reasons")


Report = reports.Report[Summary, Outcome]


def hidden(case: Vignette, desk: Desk, seed: int = 0) -> HiddenCase:
    """The simulated patient's case. A vignette without an expected condition hides nothing more
    than its words."""
    knowledge = desk.knowledge
    reading = understand(case.text, lexicon=desk.lexicon, language=case.language)
    said = {m.finding: m.status for m in reading.mentions if m.finding in knowledge.findings}
    duration = next((m.duration for m in reading.mentions if m.duration), None)
    present = [key for key, status in said.items() if status == "present"]
    absent = [key for key, status in said.items() if status == "absent"]
    unsure = [key for key, status in said.items() if status == "unsure"]
    if case.expected.condition is not None:
        present += _drawn(case, desk, said, random.Random(f"{seed}:{case.id}"))
    return HiddenCase(
        id=case.id,
        language=case.language,
        patient=case.patient,
        present=tuple(present),
        absent=tuple(absent),
        unsure=tuple(unsure),
        opening=case.text,
        duration=duration,
        diagnosis=case.expected.condition,
        silence="absent",
    )


def _drawn(case: Vignette, desk: Desk, said: Mapping[str, str], draw: random.Random) -> list[str]:
    """Findings of the expected condition that the words do not speak of. Whoever judged the case
    judged it without a warning sign in hiding: what would make it more urgent is left out."""
    knowledge = desk.knowledge
    condition = knowledge.conditions[case.expected.condition or ""]
    patient = case.patient
    settled = set(said)
    for key in said:
        settled |= knowledge.ancestors[key]
        if said[key] == "absent":
            settled |= knowledge.descendants[key]
    found: list[str] = []
    present = {key for key, status in said.items() if status == "present"}
    for key, frequency in condition.findings.items():
        finding = knowledge.findings[key]
        fits = urgency.applies(finding.who, patient.age_years, patient.sex, patient.pregnant)
        chance = draw.random()
        if key in settled or not fits or not finding.askable or chance >= frequency:
            continue
        if _more_urgent({*present, *found, key}, case, desk):
            continue
        found.append(key)
    return found


def _more_urgent(present: set[str], case: Vignette, desk: Desk) -> bool:
    findings = {key: Finding(id=key, status="present") for key in present}
    limit = LEVELS.index(case.expected.level)
    flags = urgency.fire(desk.knowledge, findings, case.patient)
    if any(LEVELS.index(flag.level) < limit for flag in flags):
        return True
    condition = case.expected.condition
    if condition is None:
        return False
    closed = present_closure(present, desk.knowledge)
    level, raised = urgency.level_of(condition, desk.knowledge, closed, case.patient)
    return raised is not None and LEVELS.index(level) < limit


def style_of(case: Vignette, number: int) -> Style:
    """The styles in turn; a parent speaks for a child only."""
    style = STYLES[number % len(STYLES)]
    age = case.patient.age_years
    if style == "parent" and (age is None or age >= _ADULT):
        return "plain"
    return style


def outcome(case: Vignette, dialogue: Dialogue) -> Outcome:
    """Judge one consultation."""
    decided = dialogue.triage
    judged = triage.judged(
        case,
        level=decided.level if decided else "routine",
        department=decided.department if decided else "general_medicine",
        differential=dialogue.differential,
        findings=tuple(f"{key}:{status}" for key, status in dialogue.findings.items()),
        rules=dialogue.red_flags,
    )
    fields: dict[str, Any] = judged.model_dump()
    return Outcome(
        **fields,
        style=dialogue.style,
        questions=len(dialogue.asked),
        repeated=tuple(a.finding or a.kind for a in dialogue.asked if a.repeated),
        unfitting=tuple(a.finding or a.kind for a in dialogue.asked if a.unfitting),
        reasoned=bool(decided and decided.reasons) and all(a.reason for a in dialogue.asked),
    )


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """The figures over some consultations."""
    base = triage.summarise(outcomes)
    return Summary(
        **dict(base),
        questions=mean([item.questions for item in outcomes]),
        repeated=mean([bool(item.repeated) for item in outcomes]),
        unfitting=mean([bool(item.unfitting) for item in outcomes]),
        reasons=mean([item.reasoned for item in outcomes]),
    )


def evaluate(
    desk: Desk,
    cases: Iterable[Vignette],
    *,
    split: str,
    seed: int = 0,
    profile_known: bool = False,
    sample: int | None = None,
    processes: int | None = None,
    report: Callable[[str], None] | None = None,
) -> Report:
    """Hold a consultation with the vignettes of a split (`dev`, `held_out` or `all`), or with
    every so many-th of them, and sum up."""
    chosen = [case for case in cases if split in ("all", case.split)]
    if sample is not None and sample < len(chosen):
        chosen = [chosen[n * len(chosen) // sample] for n in range(sample)]
    jobs = [
        Job(hidden(case, desk, seed), style_of(case, number), seed, profile_known)
        for number, case in enumerate(chosen)
    ]
    dialogues = hold_all(desk, jobs, processes=processes, report=report)
    return reports.report(
        f"consultations ({split})",
        [outcome(case, held) for case, held in zip(chosen, dialogues, strict=True)],
        summarise=summarise,
        by={"style": lambda item: item.style, **triage.GROUPS},
        failed=lambda item: item.failed or bool(item.repeated or item.unfitting),
    )


def table(found: Report) -> str:
    """The report as text."""
    return reports.table(
        found,
        lambda item: (
            f"{triage.line(item)}; {item.style}, {item.questions} questions"
            f"; repeated {list(item.repeated)}; unfitting {list(item.unfitting)}"
        ),
    )
