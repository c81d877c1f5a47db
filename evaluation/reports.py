"""The shape that all reports share: figures over everything, by group, and what to look at.

A measurement makes one outcome a case, a summary of any set of outcomes, and says by what the
outcomes are grouped. Everything else is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from evaluation.statistics import Figure
from knowledge.clinical.schema import band_of

UNKNOWN = "unknown"


class Summary(BaseModel):
    """The figures over a group of cases. A field's title is its head in the tables."""

    model_config = ConfigDict(frozen=True)

    cases: int

    @classmethod
    def figures(cls) -> dict[str, str]:
        """The names of the figures, each with its head."""
        return {
            name: field.title or name for name, field in cls.model_fields.items() if name != "cases"
        }


S = TypeVar("S", bound=Summary)
Row = TypeVar("Row", bound=BaseModel)


class Report(BaseModel, Generic[S, Row]):
    """All figures, and every case that somebody should look at."""

    model_config = ConfigDict(frozen=True)

    title: str
    overall: S
    by: dict[str, dict[str, S]]
    failures: tuple[Row, ...] = ()
    refused: tuple[str, ...] = Field(
        default=(), description="Rows of the data that could not be read: file, row, reason."
    )


def grouped(
    outcomes: Sequence[Row], summarise: Callable[[Sequence[Row]], S], key: Callable[[Row], str]
) -> dict[str, S]:
    """The figures of each group."""
    rows: dict[str, list[Row]] = {}
    for outcome in outcomes:
        rows.setdefault(key(outcome), []).append(outcome)
    return {name: summarise(rows[name]) for name in sorted(rows)}


def report(
    title: str,
    outcomes: Sequence[Row],
    *,
    summarise: Callable[[Sequence[Row]], S],
    by: Mapping[str, Callable[[Row], str]],
    failed: Callable[[Row], bool],
    refused: Sequence[str] = (),
) -> Report[S, Row]:
    """Sum up outcomes over everything and by group."""
    return Report(
        title=title,
        overall=summarise(outcomes),
        by={name: grouped(outcomes, summarise, key) for name, key in by.items()},
        failures=tuple(outcome for outcome in outcomes if failed(outcome)),
        refused=tuple(refused),
    )


def table(found: Report[S, Row], line: Callable[[Row], str]) -> str:
    """The report as text: overall with intervals, then one line a group, then the failures."""
    figures = type(found.overall).figures()
    lines = [f"{found.overall.cases} {found.title}"]
    lines += [f"  {name:<24}{_shown(getattr(found.overall, name))}" for name in figures]
    widths = [max(9, len(head) + 2) for head in figures.values()]
    for group, rows in found.by.items():
        heads = "".join(
            f"{head:>{width}}" for head, width in zip(figures.values(), widths, strict=True)
        )
        lines += ["", f"{group:<30}{'n':>6}{heads}"]
        for key, row in rows.items():
            cells = "".join(
                f"{_short(getattr(row, name)):>{width}}"
                for name, width in zip(figures, widths, strict=True)
            )
            lines.append(f"{key:<30}{row.cases:>6}{cells}")
    if found.failures:
        lines += ["", "cases to look at:", *(f"  {line(item)}" for item in found.failures)]
    if found.refused:
        lines += ["", "rows that could not be read:", *(f"  {row}" for row in found.refused)]
    return "\n".join(lines)


def _shown(value: Figure | float | None) -> str:
    return "-" if value is None else str(value)


def _short(value: Figure | float | None) -> str:
    number = value.value if isinstance(value, Figure) else value
    return "-" if number is None else f"{number:.2f}"


def band(age_years: float | None) -> str:
    """The age band as a group's name."""
    return UNKNOWN if age_years is None else band_of(age_years)
