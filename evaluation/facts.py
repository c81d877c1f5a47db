"""How many of the single facts of English cases are understood: from which any finding is read.

A measure of breadth without a target: what is read is not held against anything. The kind of a
fact is told by its words (`fact_kinds.yaml`), the first kind whose words stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from agent.desk import Desk
from agent.language.understand import understand
from evaluation import reports
from evaluation.cases import sex_of
from evaluation.datasets import FactsCase, Read
from evaluation.statistics import Figure, mean

KINDS = Path(__file__).parent / "fact_kinds.yaml"


class Outcome(BaseModel):
    """What was read of one fact."""

    model_config = ConfigDict(frozen=True)

    id: str
    source: str
    kind: str
    band: str
    sex: str
    text: str
    findings: tuple[str, ...]
    profile: bool
    """Whether age or sex was read."""


class Summary(reports.Summary):
    """The figures over a group of facts."""

    read: Figure
    """Any finding was read."""
    read_or_profile: Figure = Field(title="or profile")


Report = reports.Report[Summary, Outcome]


@cache
def kinds(path: Path = KINDS) -> dict[str, re.Pattern[str]]:
    """The kinds of facts with the words that tell them, in order."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))["kinds"]
    return {
        str(kind): re.compile(r"\b(?:" + "|".join(words) + r")", re.IGNORECASE)
        for kind, words in table.items()
    }


def kind_of(fact: str) -> str:
    """The kind of a fact; `complaint` where no words tell another."""
    return next((kind for kind, words in kinds().items() if words.search(fact)), "complaint")


def outcomes(desk: Desk, case: FactsCase) -> list[Outcome]:
    """Read every fact of a case on its own."""
    found = []
    for number, fact in enumerate(case.facts, start=1):
        reading = understand(fact, lexicon=desk.lexicon, language="en")
        profile = reading.profile
        found.append(
            Outcome(
                id=f"{case.id}.{number}",
                source=case.source,
                kind=kind_of(fact),
                band=reports.band(case.patient.age_years),
                sex=sex_of(case.patient),
                text=fact,
                findings=tuple(f"{m.finding}:{m.status}" for m in reading.mentions),
                profile=profile.age_years is not None or profile.sex is not None,
            )
        )
    return found


def summarise(found: Sequence[Outcome]) -> Summary:
    """The figures over some facts."""
    return Summary(
        cases=len(found),
        read=mean([bool(item.findings) for item in found]),
        read_or_profile=mean([bool(item.findings) or item.profile for item in found]),
    )


def evaluate(desk: Desk, read: Read[FactsCase]) -> Report:
    """Read the facts of all cases and sum up."""
    return reports.report(
        "facts of English cases",
        [item for case in read.cases for item in outcomes(desk, case)],
        summarise=summarise,
        by={
            "source": lambda item: item.source,
            "kind": lambda item: item.kind,
            "language": lambda _: "en",
            "age band": lambda item: item.band,
            "sex": lambda item: item.sex,
        },
        failed=lambda item: not item.findings and item.kind == "complaint",
        refused=read.refused,
    )


def table(found: Report, *, cases: int = 40) -> str:
    """The report as text, with the first complaints from which nothing was read."""
    short = found.model_copy(update={"failures": found.failures[:cases]})
    return reports.table(short, lambda item: f"{item.id}: {item.text}")
