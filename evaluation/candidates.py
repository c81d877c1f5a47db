"""How well the diagnosis is found among three candidates, in Chinese and in English.

The cases are real ones in both languages (DxBench). Their symptoms are given as words, one by one,
no question is asked and nothing is fitted. A candidate that the service does not know can never be
chosen, and a case whose diagnosis is one is answered wrongly; the figures over the cases whose
three candidates are all known say how good the reasoning is where there is knowledge.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from agent.assess import assess, condition_named
from agent.desk import Desk
from evaluation import reports
from evaluation.datasets import PairedCase, Read, Side
from evaluation.statistics import Figure, calibration_error, mean


class Outcome(BaseModel):
    """What came of one case in one language."""

    model_config = ConfigDict(frozen=True)

    id: str
    language: str
    department: str
    disease: str
    chosen: str | None
    """The condition that leads; None where nothing was understood or no candidate is known."""
    right: float
    """1 where the diagnosis leads; shared where several candidates are the same condition here."""
    probability: float | None
    understood: bool
    known: bool
    """Whether all candidates are known, as conditions of their own."""
    unmatched: tuple[str, ...]
    findings: tuple[str, ...]
    agrees: bool | None = None
    """Whether both languages chose the same; None where either chose nothing."""


class Summary(reports.Summary):
    """The figures over a group of cases; a case counts once a language."""

    top_1: Figure = Field(title="top-1")
    all_known: Figure = Field(title="known")
    top_1_known: Figure = Field(title="top-1 known")
    understood: Figure = Field(title="read")
    agreement: Figure = Field(title="zh = en")
    calibration_error: Figure = Field(title="ECE")
    """Of the favourite's probability among the candidates that are known."""
    calibration_error_known: Figure = Field(title="ECE known")


Report = reports.Report[Summary, Outcome]


def outcome(desk: Desk, key: str, side: Side, department: str) -> Outcome:
    """Assess one language's half of a case."""
    found = assess(
        desk,
        language=side.language,
        present=[name for name, status in side.symptoms.items() if status == "present"],
        absent=[name for name, status in side.symptoms.items() if status == "absent"],
        candidates=side.candidates,
    )
    named = {name: condition_named(desk, name, side.language) for name in side.candidates}
    conditions = [condition for condition in named.values() if condition is not None]
    leader = found.differential[0] if found.differential and conditions else None
    chosen = leader.condition if leader and leader.condition in conditions else None
    hit = chosen is not None and named[side.disease] == chosen
    return Outcome(
        id=key,
        language=side.language,
        department=department,
        disease=side.disease,
        chosen=chosen,
        right=1 / conditions.count(chosen) if hit and chosen else 0.0,
        probability=leader.probability if leader and chosen else None,
        understood=bool(found.findings),
        known=len(set(conditions)) == len(side.candidates),
        unmatched=tuple(found.unmatched),
        findings=tuple(f"{item.id}:{item.status}" for item in found.findings),
    )


def both(desk: Desk, case: PairedCase) -> list[Outcome]:
    """Both halves, each told whether they agree."""
    department = case.en.department
    halves = [outcome(desk, case.id, side, department) for side in (case.zh, case.en)]
    agrees = (
        None
        if any(item.chosen is None for item in halves)
        else halves[0].chosen == halves[1].chosen
    )
    return [item.model_copy(update={"agrees": agrees}) for item in halves]


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """The figures over some outcomes."""
    sure = [item for item in outcomes if item.probability is not None]
    agreeing = {item.id: item.agrees for item in outcomes if item.agrees is not None}

    def error(chosen: Sequence[Outcome]) -> Figure:
        return calibration_error(
            [item.probability or 0.0 for item in chosen], [item.right == 1 for item in chosen]
        )

    return Summary(
        cases=len(outcomes),
        top_1=mean([item.right for item in outcomes]),
        all_known=mean([item.known for item in outcomes]),
        top_1_known=mean([item.right for item in outcomes if item.known]),
        understood=mean([item.understood for item in outcomes]),
        agreement=mean(list(agreeing.values())),
        calibration_error=error(sure),
        calibration_error_known=error([item for item in sure if item.known]),
    )


def evaluate(desk: Desk, read: Read[PairedCase]) -> Report:
    """Assess every case in both languages and sum up. Age and sex are not in the data."""
    return reports.report(
        "cases of DxBench, each in Chinese and in English",
        [item for case in read.cases for item in both(desk, case)],
        summarise=summarise,
        by={
            "language": lambda item: item.language,
            "department": lambda item: item.department,
            "age band": lambda _: reports.UNKNOWN,
            "sex": lambda _: reports.UNKNOWN,
        },
        failed=lambda item: item.right < 1,
        refused=read.refused,
    )


def table(found: Report, *, cases: int = 40) -> str:
    """The report as text, with the first wrong cases."""
    short = found.model_copy(update={"failures": found.failures[:cases]})
    return reports.table(
        short,
        lambda item: (
            f"{item.id} {item.language}: {item.disease} -> {item.chosen}"
            f"; not known {list(item.unmatched)}; found {list(item.findings)}"
        ),
    )
