"""How well the symptoms of a real first message are understood.

Parents' first messages (dxy dialogues) with normalised symptoms; `slots.yaml` says which findings
count as which. Precision, recall and F1 are over all symptoms of all messages. What the service
understands beyond the names of the table is neither right nor wrong here.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from agent.desk import Desk
from agent.language.understand import understand
from evaluation import reports
from evaluation.datasets import FirstMessage, Read
from evaluation.slots import counts_as, findings_of
from evaluation.statistics import Figure, mean, ratio


class Outcome(BaseModel):
    """What was understood of one message."""

    model_config = ConfigDict(frozen=True)

    id: str
    text: str
    band: str
    sex: str
    right: tuple[str, ...]
    missed: tuple[str, ...]
    wrong: tuple[str, ...]
    """Findings that were read, of those the set has names for, and are not among the message's."""


class Summary(reports.Summary):
    """The figures over a group of messages."""

    precision: Figure
    recall: Figure
    f1: Figure = Field(title="F1")
    exact: Figure
    """Messages understood without any fault."""


Report = reports.Report[Summary, Outcome]


def outcome(desk: Desk, case: FirstMessage, names: Sequence[str]) -> Outcome:
    """Read one message. `names` are all symptoms that the set tells of."""
    reading = understand(case.text, lexicon=desk.lexicon, language="zh")
    heard = [
        mention.finding
        for mention in reading.mentions
        if mention.status == "present" and mention.finding in desk.knowledge.findings
    ]
    told = {name for name, status in case.symptoms.items() if status == "present"}
    right = [
        name for name in told if any(counts_as(key, findings_of(name, desk), desk) for key in heard)
    ]
    allowed = tuple(key for name in told for key in findings_of(name, desk))
    known = tuple(key for name in names for key in findings_of(name, desk))
    wrong = {
        key for key in heard if counts_as(key, known, desk) and not counts_as(key, allowed, desk)
    }
    return Outcome(
        id=case.id,
        text=case.text,
        band=reports.band(reading.profile.age_years),
        sex=reading.profile.sex or reports.UNKNOWN,
        right=tuple(sorted(right)),
        missed=tuple(sorted(told - set(right))),
        wrong=tuple(sorted(wrong)),
    )


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """The figures over some messages."""
    right = [float(len(item.right)) for item in outcomes]
    read = [float(len(item.right) + len(item.wrong)) for item in outcomes]
    told = [float(len(item.right) + len(item.missed)) for item in outcomes]
    return Summary(
        cases=len(outcomes),
        precision=ratio(right, read),
        recall=ratio(right, told),
        f1=ratio([2 * n for n in right], [a + b for a, b in zip(read, told, strict=True)]),
        exact=mean([not item.missed and not item.wrong for item in outcomes]),
    )


def evaluate(desk: Desk, read: Read[FirstMessage]) -> Report:
    """Read every message and sum up. Age and sex are as far as the message tells them."""
    names = sorted({name for case in read.cases for name in case.symptoms})
    return reports.report(
        "first messages of parents (dxy)",
        [outcome(desk, case, names) for case in read.cases],
        summarise=summarise,
        by={
            "language": lambda _: "zh",
            "department": lambda _: "paediatrics",
            "age band": lambda item: item.band,
            "sex": lambda item: item.sex,
        },
        failed=lambda item: bool(item.missed or item.wrong),
        refused=read.refused,
    )


def table(found: Report, *, cases: int = 60) -> str:
    """The report as text, with the first messages that were read with a fault."""
    short = found.model_copy(update={"failures": found.failures[:cases]})
    return reports.table(
        short,
        lambda item: (
            f"{item.id}: {' '.join(item.text.split())} | missed {list(item.missed)}"
            f", too much {list(item.wrong)}"
        ),
    )
