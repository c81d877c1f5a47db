"""How reliably the red-flag rules hear an alarm, and how often they sound a false one.

A sentence that must fire does so when a rule of at least the right level fires on it alone. A
sentence that must not is a false alarm when any rule declares an emergency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from agent.assess import assess
from agent.desk import Desk
from evaluation.cases import EMERGENCIES, Sentence, reaches
from evaluation.statistics import Figure, mean
from knowledge.clinical.schema import Level


class Heard(BaseModel):
    """What one sentence set off."""

    model_config = ConfigDict(frozen=True)

    id: str
    language: str
    kind: str
    text: str
    fires: Level | None
    level: Level | None
    """The most urgent red flag that fired."""
    rules: tuple[str, ...]
    findings: tuple[str, ...]
    right: bool


class Summary(BaseModel):
    """The figures over a group of sentences."""

    model_config = ConfigDict(frozen=True)

    recall: Figure
    false_alarms: Figure


class Report(BaseModel):
    """All figures, and every sentence that was heard wrongly."""

    model_config = ConfigDict(frozen=True)

    split: str
    overall: Summary
    by: dict[str, dict[str, Summary]]
    failures: tuple[Heard, ...]


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
        recall=mean([item.right for item in heard if item.fires is not None]),
        false_alarms=mean([not item.right for item in heard if item.fires is None]),
    )


def evaluate(desk: Desk, cases: Iterable[Sentence], *, split: str) -> Report:
    """Hear the sentences of a split (`dev`, `held_out` or `all`) and sum up."""
    heard = [hear(desk, case) for case in cases if split in ("all", case.split)]
    by = {
        "language": _grouped(heard, [item.language for item in heard]),
        "kind": _grouped(heard, [item.kind for item in heard]),
    }
    return Report(
        split=split,
        overall=summarise(heard),
        by=by,
        failures=tuple(item for item in heard if not item.right),
    )


def _grouped(heard: Sequence[Heard], keys: Sequence[str]) -> dict[str, Summary]:
    return {
        key: summarise([item for item, own in zip(heard, keys, strict=True) if own == key])
        for key in sorted(set(keys))
    }


def table(report: Report) -> str:
    """The report as text."""
    lines = [
        f"red-flag sentences ({report.split})",
        f"  recall              {report.overall.recall}",
        f"  false alarms        {report.overall.false_alarms}",
    ]
    for group, rows in report.by.items():
        lines += ["", f"{group:<16}{'recall':<34}false alarms"]
        lines += [f"{key:<16}{row.recall!s:<34}{row.false_alarms}" for key, row in rows.items()]
    lines += ["", "heard wrongly:"]
    lines += [
        f"  {item.id}: {item.text} | {item.fires or 'no emergency'} -> {item.level or 'nothing'}"
        f"; rules {list(item.rules)}; found {list(item.findings)}"
        for item in report.failures
    ]
    return "\n".join(lines)
