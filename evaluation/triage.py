"""How well the service triages a patient's opening words: urgency, department, diagnosis.

One assessment a vignette, without questions. Every case that goes wrong is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from agent.assess import assess
from agent.desk import Desk
from evaluation.cases import EMERGENCIES, Vignette, reaches
from evaluation.statistics import Figure, calibration_error, mean
from knowledge.clinical.schema import LEVELS, Level, band_of


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


class Summary(BaseModel):
    """The figures over a group of vignettes."""

    model_config = ConfigDict(frozen=True)

    cases: int
    missed_emergencies: Figure
    over_escalation: Figure
    level_exact: Figure
    level_within_one: Figure
    department: Figure
    top_1: Figure
    top_3: Figure
    top_5: Figure
    calibration_error: Figure


class Report(BaseModel):
    """All figures, and every case that goes wrong."""

    model_config = ConfigDict(frozen=True)

    split: str
    overall: Summary
    by: dict[str, dict[str, Summary]]
    failures: tuple[Outcome, ...]


def outcome(desk: Desk, case: Vignette) -> Outcome:
    """Assess one vignette."""
    found = assess(desk, language=case.language, patient=case.patient, text=case.text)
    level: Level = found.triage.level if found.triage else "routine"
    department = found.triage.department if found.triage else "general_medicine"
    order = [item.condition for item in found.differential]
    expected = case.expected
    floor = expected.at_least
    speciality = [d for d in expected.departments if d != "emergency"] or ["emergency"]
    age = case.patient.age_years
    return Outcome(
        id=case.id,
        language=case.language,
        band="unknown" if age is None else band_of(age),
        sex=("pregnant" if case.patient.pregnant else case.patient.sex) or "unknown",
        department=speciality[0],
        expected=expected.level,
        level=level,
        missed=None if floor is None else not reaches(level, floor),
        too_urgent=level in EMERGENCIES if floor is None else None,
        department_given=department,
        department_right=department in expected.departments,
        condition=expected.condition,
        rank=order.index(expected.condition) + 1 if expected.condition in order else None,
        leaders=tuple((item.condition, item.probability) for item in found.differential[:5]),
        findings=tuple(f"{item.id}:{item.status}" for item in found.findings),
        rules=tuple(flag.rule for flag in found.red_flags),
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


def evaluate(desk: Desk, cases: Iterable[Vignette], *, split: str) -> Report:
    """Assess the vignettes of a split (`dev`, `held_out` or `all`) and sum up."""
    outcomes = [outcome(desk, case) for case in cases if split in ("all", case.split)]
    by = {
        "language": _grouped(outcomes, [item.language for item in outcomes]),
        "department": _grouped(outcomes, [item.department for item in outcomes]),
        "age band": _grouped(outcomes, [item.band for item in outcomes]),
        "sex": _grouped(outcomes, [item.sex for item in outcomes]),
    }
    return Report(
        split=split,
        overall=summarise(outcomes),
        by=by,
        failures=tuple(item for item in outcomes if item.failed),
    )


def _grouped(outcomes: Sequence[Outcome], keys: Sequence[str]) -> dict[str, Summary]:
    return {
        key: summarise([item for item, own in zip(outcomes, keys, strict=True) if own == key])
        for key in sorted(set(keys))
    }


FIGURES = tuple(name for name in Summary.model_fields if name != "cases")


def table(report: Report) -> str:
    """The report as text: overall with intervals, then one line a group, then the failures."""
    overall = report.overall
    lines = [f"{overall.cases} vignettes ({report.split})"]
    lines += [f"  {name:<20}{getattr(overall, name)}" for name in FIGURES]
    heads = ("missed", "over-esc", "level", "+-1", "dept", "top-1", "top-3", "top-5", "ECE")
    for group, rows in report.by.items():
        lines += ["", f"{group:<22}{'n':>5}" + "".join(f"{head:>10}" for head in heads)]
        for key, row in rows.items():
            values = (getattr(row, name).value for name in FIGURES)
            cells = "".join("         -" if v is None else f"{v:>10.2f}" for v in values)
            lines.append(f"{key:<22}{row.cases:>5}{cells}")
    lines += ["", "cases to look at:"]
    for item in report.failures:
        marks = ("MISSED",) * bool(item.missed) + ("too urgent",) * bool(item.too_urgent)
        best = ", ".join(f"{key} {p:.2f}" for key, p in item.leaders[:3])
        lines.append(
            f"  {item.id}: {' '.join(marks)} {item.expected} -> {item.level}"
            f", {item.department_given}; {item.condition} at {item.rank}; {best}"
            f"; rules {list(item.rules)}; found {list(item.findings)}"
        )
    return "\n".join(lines)
