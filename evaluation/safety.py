"""How reliably the red-flag rules hear an alarm, and how often they sound a false one.

A sentence that must fire does so when a rule of at least the right level fires on it alone. A
sentence that must not is a false alarm when any rule declares an emergency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from agent.assess import assess
from agent.desk import Desk
from evaluation import reports
from evaluation.cases import EMERGENCIES, Sentence, reaches, sex_of
from evaluation.statistics import Figure, mean
from knowledge.clinical.schema import Level


class Heard(BaseModel):
    """What one sentence set off."""

    model_config = ConfigDict(frozen=True)

    id: str
    language: str
    kind: str
    band: str
    sex: str
    text: str
    fires: Level | None
    level: Level | None
    """The most urgent red flag that fired."""
    rules: tuple[str, ...]
    findings: tuple[str, ...]
    right: bool


class Summary(reports.Summary):
    """The figures over a group of sentences."""

    recall: Figure
    false_alarms: Figure = Field(title="false alarms")


Report = reports.Report[Summary, Heard]


def hear(desk: Desk, case: Sentence) -> Heard:
    """Read one sentence and see which red flags it sets off."""
    found = assess(desk, language=case.language, patient=case.patient, text=case.text)
    level = found.red_flags[0].level if found.red_flags else None
    if case.fires is None:
        right = level not in EMERGENCIES
    else:
        right = level is not None and reaches(level, case.fires)
    return Heard(
        id=case.id,
        language=case.language,
        kind=case.kind,
        band=reports.band(case.patient.age_years),
        sex=sex_of(case.patient),
        text=case.text,
        fires=case.fires,
        level=level,
        rules=tuple(flag.rule for flag in found.red_flags),
        findings=tuple(f"{item.id}:{item.status}" for item in found.findings),
        right=right,
    )


def summarise(heard: Sequence[Heard]) -> Summary:
    """Recall over the sentences that must fire, false alarms over those that must not."""
    return Summary(
        cases=len(heard),
        recall=mean([item.right for item in heard if item.fires is not None]),
        false_alarms=mean([not item.right for item in heard if item.fires is None]),
    )


def evaluate(desk: Desk, cases: Iterable[Sentence], *, split: str) -> Report:
    """Hear the sentences of a split (`dev`, `held_out` or `all`) and sum up."""
    return reports.report(
        f"red-flag sentences ({split})",
        [hear(desk, case) for case in cases if split in ("all", case.split)],
        summarise=summarise,
        by={
            "language": lambda item: item.language,
            "kind": lambda item: item.kind,
            "age band": lambda item: item.band,
            "sex": lambda item: item.sex,
        },
        failed=lambda item: not item.right,
    )


def table(found: Report) -> str:
    """The report as text."""
    return reports.table(
        found,
        lambda item: (
            f"{item.id}: {item.text} | {item.fires or 'no emergency'} -> {item.level or 'nothing'}"
            f"; rules {list(item.rules)}; found {list(item.findings)}"
        ),
    )
