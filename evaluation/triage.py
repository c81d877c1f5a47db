"""How well the service triages a patient's opening words: urgency, department, diagnosis.

One assessment a vignette, without questions. Every case that goes wrong is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from agent.assess import assess
from agent.desk import Desk
from agent.state import Possibility
from evaluation import reports
from evaluation.cases import EMERGENCIES, Vignette, reaches, sex_of
from evaluation.statistics import Figure, calibration_error, mean
from knowledge.clinical.schema import LEVELS, Level


class Outcome(BaseModel):
    """What came of one vignette."""

    model_config = ConfigDict(frozen=True)

    id: str
    language: str
    band: str
    sex: str
    department: str
    """The first department that is right, the emergency department aside: the case's speciality."""
    expected: Level
    level: Level
    missed: bool | None
    """Whether an emergency was missed; None where there was none."""
    too_urgent: bool | None
    """Whether an emergency was declared; None where there was one."""
    department_given: str
    department_right: bool
    condition: str | None
    rank: int | None
    """Place of the right condition in the differential, from 1; None where it is not in it."""
    leaders: tuple[tuple[str, float], ...]
    findings: tuple[str, ...]
    rules: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether somebody should look at it."""
        wrong = self.condition is not None and (self.rank is None or self.rank > 5)
        return bool(self.missed or self.too_urgent or wrong or not self.department_right)


class Summary(reports.Summary):
    """The figures over a group of vignettes."""

    missed_emergencies: Figure = Field(title="missed")
    over_escalation: Figure = Field(title="over-esc")
    level_exact: Figure = Field(title="level")
    level_within_one: Figure = Field(title="+-1")
    department: Figure = Field(title="dept")
    top_1: Figure = Field(title="top-1")
    top_3: Figure = Field(title="top-3")
    top_5: Figure = Field(title="top-5")
    calibration_error: Figure = Field(title="ECE")


Report = reports.Report[Summary, Outcome]


def outcome(desk: Desk, case: Vignette) -> Outcome:
    """Assess one vignette."""
    found = assess(desk, language=case.language, patient=case.patient, text=case.text)
    return judged(
        case,
        level=found.triage.level if found.triage else "routine",
        department=found.triage.department if found.triage else "general_medicine",
        differential=found.differential,
        findings=tuple(f"{item.id}:{item.status}" for item in found.findings),
        rules=tuple(flag.rule for flag in found.red_flags),
    )


def judged(
    case: Vignette,
    *,
    level: Level,
    department: str,
    differential: Sequence[Possibility],
    findings: tuple[str, ...],
    rules: tuple[str, ...],
) -> Outcome:
    """What was decided on a vignette, held against what is expected of it."""
    order = [item.condition for item in differential]
    expected = case.expected
    floor = expected.at_least
    speciality = [d for d in expected.departments if d != "emergency"] or ["emergency"]
    return Outcome(
        id=case.id,
        language=case.language,
        band=reports.band(case.patient.age_years),
        sex=sex_of(case.patient),
        department=speciality[0],
        expected=expected.level,
        level=level,
        missed=None if floor is None else not reaches(level, floor),
        too_urgent=level in EMERGENCIES if floor is None else None,
        department_given=department,
        department_right=department in expected.departments,
        condition=expected.condition,
        rank=order.index(expected.condition) + 1 if expected.condition in order else None,
        leaders=tuple((item.condition, item.probability) for item in differential[:5]),
        findings=findings,
        rules=rules,
    )


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """The figures over some outcomes."""
    named = [item for item in outcomes if item.condition is not None]

    def within(limit: int) -> Figure:
        return mean([item.rank is not None and item.rank <= limit for item in named])

    def apart(item: Outcome) -> int:
        return abs(LEVELS.index(item.level) - LEVELS.index(item.expected))

    sure = [item for item in named if item.leaders]
    return Summary(
        cases=len(outcomes),
        missed_emergencies=mean([i.missed for i in outcomes if i.missed is not None]),
        over_escalation=mean([i.too_urgent for i in outcomes if i.too_urgent is not None]),
        level_exact=mean([apart(item) == 0 for item in outcomes]),
        level_within_one=mean([apart(item) <= 1 for item in outcomes]),
        department=mean([item.department_right for item in outcomes]),
        top_1=within(1),
        top_3=within(3),
        top_5=within(5),
        calibration_error=calibration_error(
            [item.leaders[0][1] for item in sure], [item.rank == 1 for item in sure]
        ),
    )


GROUPS: dict[str, Callable[[Outcome], str]] = {
    "language": lambda item: item.language,
    "department": lambda item: item.department,
    "age band": lambda item: item.band,
    "sex": lambda item: item.sex,
}


def evaluate(desk: Desk, cases: Iterable[Vignette], *, split: str) -> Report:
    """Assess the vignettes of a split (`dev`, `held_out` or `all`) and sum up."""
    return reports.report(
        f"vignettes ({split})",
        [outcome(desk, case) for case in cases if split in ("all", case.split)],
        summarise=summarise,
        by=GROUPS,
        failed=lambda item: item.failed,
    )


def table(found: Report) -> str:
    """The report as text."""
    return reports.table(found, line)


def line(item: Outcome) -> str:
    """One vignette that somebody should look at."""
    marks = ("MISSED",) * bool(item.missed) + ("too urgent",) * bool(item.too_urgent)
    best = ", ".join(f"{key} {p:.2f}" for key, p in item.leaders[:3])
    return (
        f"{item.id}: {' '.join(marks)} {item.expected} -> {item.level}"
        f", {item.department_given}; {item.condition} at {item.rank}; {best}"
        f"; rules {list(item.rules)}; found {list(item.findings)}"
    )
