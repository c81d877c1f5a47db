"""How well the department is found among the fifteen of DxBench.

Their division is read as a hospital's own departments (`departments_dxbench.yaml`), by the same
mechanism that a hospital uses. No row is fitted, but the mapping's exceptions describe how the set
divides its diseases, and the three constants of `agent.departments` were chosen with these cases
and all vignettes in sight, held-out ones too: no figure of departments is one of unseen cases. The
departments are ranked by the votes of the posterior, from the symptoms alone: no candidates, no
questions, age and sex unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from agent import departments
from agent.assess import assess
from agent.desk import Desk
from agent.state import Patient
from agent.weigh import COUNTS, weigh
from evaluation import reports
from evaluation.datasets import PairedCase, Read, Side
from evaluation.statistics import Figure, calibration_error, mean
from knowledge.clinical.hospital import apply, read_hospital

MAPPING = Path(__file__).parent / "departments_dxbench.yaml"


class Outcome(BaseModel):
    """What came of one case in one language."""

    model_config = ConfigDict(frozen=True)

    id: str
    language: str
    department: str
    disease: str
    ranked: tuple[tuple[str, float], ...]
    rank: int | None
    """Place of the right department, from 1; None where it has no vote."""
    leaders: tuple[tuple[str, float], ...]
    findings: tuple[str, ...]


class Summary(reports.Summary):
    """The figures over a group of cases; a case counts once a language."""

    top_1: Figure = Field(title="top-1")
    top_3: Figure = Field(title="top-3")
    understood: Figure = Field(title="read")
    top_1_understood: Figure = Field(title="top-1 read")
    calibration_error: Figure = Field(title="ECE")


Report = reports.Report[Summary, Outcome]


def mapped(desk: Desk, path: Path = MAPPING) -> Desk:
    """The desk of a hospital with these departments."""
    return replace(desk, knowledge=apply(read_hospital(path), desk.knowledge, path.name))


def outcome(desk: Desk, key: str, side: Side, department: str) -> Outcome:
    """Rank the departments of one language's half of a case. `desk` is mapped."""
    found = assess(
        desk,
        language=side.language,
        present=[name for name, status in side.symptoms.items() if status == "present"],
        absent=[name for name, status in side.symptoms.items() if status == "absent"],
    )
    findings = {item.id: item for item in found.findings}
    patient = Patient()
    weighed = weigh(desk, findings, patient, (), side.language)
    probable = {
        desk.network.conditions[row]: float(p)
        for row, p in enumerate(weighed.posterior)
        if weighed.evidence.present and p > COUNTS
    }
    shares = departments.departments(desk.knowledge, probable, patient)
    ranked = tuple((desk.knowledge.departments[own].name.en, share) for own, share in shares)
    order = [name for name, _ in ranked]
    return Outcome(
        id=key,
        language=side.language,
        department=department,
        disease=side.disease,
        ranked=ranked[:5],
        rank=order.index(department) + 1 if department in order else None,
        leaders=tuple((item.condition, item.probability) for item in weighed.differential[:4]),
        findings=tuple(f"{item.id}:{item.status}" for item in found.findings),
    )


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """The figures over some outcomes."""

    def within(limit: int, chosen: Sequence[Outcome]) -> Figure:
        return mean([item.rank is not None and item.rank <= limit for item in chosen])

    understood = [item for item in outcomes if item.findings]
    return Summary(
        cases=len(outcomes),
        top_1=within(1, outcomes),
        top_3=within(3, outcomes),
        understood=mean([bool(item.findings) for item in outcomes]),
        top_1_understood=within(1, understood),
        calibration_error=calibration_error(
            [item.ranked[0][1] for item in understood], [item.rank == 1 for item in understood]
        ),
    )


def evaluate(desk: Desk, read: Read[PairedCase], mapping: Path = MAPPING) -> Report:
    """Rank the departments of every case in both languages and sum up."""
    own = mapped(desk, mapping)
    return reports.report(
        "cases of DxBench, each in Chinese and in English",
        [
            outcome(own, case.id, side, case.en.department)
            for case in read.cases
            for side in (case.zh, case.en)
        ],
        summarise=summarise,
        by={
            "language": lambda item: item.language,
            "department": lambda item: item.department,
            "given": lambda item: item.ranked[0][0],
            "age band": lambda _: reports.UNKNOWN,
            "sex": lambda _: reports.UNKNOWN,
        },
        failed=lambda item: item.rank != 1,
        refused=read.refused,
    )


def table(found: Report, *, cases: int = 40) -> str:
    """The report as text, with the first wrong cases."""
    short = found.model_copy(update={"failures": found.failures[:cases]})
    return reports.table(
        short,
        lambda item: (
            f"{item.id} {item.language}: {item.department} ({item.disease}) -> "
            f"{', '.join(f'{name} {share:.2f}' for name, share in item.ranked[:3])}; "
            f"{', '.join(f'{key} {p:.2f}' for key, p in item.leaders)}; {list(item.findings)}"
        ),
    )
