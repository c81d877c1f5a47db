"""How well questions find what a patient did not tell, and the diagnosis, on the inquiry sets.

A simulated parent opens with the explicit symptoms and answers from the implicit ones, through the
real graph. Cases are judged by a desk that was made from the other folds alone (`desk_for`), so
that whatever is fitted is never judged on what it was fitted to. The plain desk fits nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from agent.desk import Desk
from agent.diagnosis import evidence_of
from agent.language.understand import understand
from agent.state import Finding, Patient, Status
from evaluation import reports
from evaluation.cases import sex_of
from evaluation.datasets import InquiryCase, Read
from evaluation.dialogue import Dialogue, Job, hold_all
from evaluation.patient import HiddenCase
from evaluation.slots import counts_as, findings_of
from evaluation.statistics import Figure, calibration_error, mean, ratio
from knowledge.fitted import Case, fit

LABELS = Path(__file__).parent / "labels.yaml"

Name = Literal["dxy", "mz4", "mz10"]
DeskFor = Callable[[Sequence[InquiryCase]], Desk]
"""Makes the desk that judges a fold from the cases of the others."""
Judge = Callable[[Desk, Dialogue, Sequence[str]], Mapping[str, float]]
"""The share of each label after a dialogue."""


@dataclass(frozen=True)
class Setting:
    """What is assumed of a set, because its rows do not say it."""

    patient: Patient
    silence: Literal["unsure", "absent"]


SETTINGS: dict[Name, Setting] = {
    "dxy": Setting(Patient(age_years=3.0), "unsure"),
    "mz4": Setting(Patient(age_years=3.0), "unsure"),
    "mz10": Setting(Patient(), "absent"),  # newborns are among them: no age stands for all
}


class Outcome(BaseModel):
    """What came of one case."""

    model_config = ConfigDict(frozen=True)

    id: str
    label: str
    band: str
    sex: str
    given: str | None
    """The label with the largest share; None where nothing was understood."""
    probability: float
    implicit: int
    """Symptoms that were not told at first, present, denied or unsure."""
    known: int
    """Those of them that the service knows as a finding."""
    reached: int
    """Those whose finding was asked about or learned otherwise."""
    questions: int
    turns: int
    asked: tuple[str, ...]


class Summary(reports.Summary):
    """The figures over a group of cases."""

    accuracy: Figure = Field(title="accuracy")
    implicit_recall: Figure = Field(title="implicit")
    """Over all implicit symptoms; tests and what only a stethoscope hears are among them."""
    implicit_recall_known: Figure = Field(title="impl known")
    questions: Figure = Field(title="questions")
    turns: Figure = Field(title="turns")
    calibration_error: Figure = Field(title="ECE")


Report = reports.Report[Summary, Outcome]


@cache
def labels(path: Path = LABELS) -> dict[str, tuple[str, ...]]:
    """The conditions that stand for each label."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))["labels"]
    return {str(name): tuple(conditions) for name, conditions in table.items()}


def fold_of(key: str, folds: int) -> int:
    """The fold of a case, by the hash of its id: the same for ever."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[4:8], "big") % folds


def meant(name: str, desk: Desk) -> tuple[str, ...]:
    """The findings that count as a symptom of the set: the overlay's own, or those of the table."""
    if desk.network.fitted is not None:
        overlay = desk.network.fitted.overlay
        known = next((item.id for item in overlay.findings if item.name == name), None)
        if known is not None:
            return (known,)
    return findings_of(name, desk)


def _word(name: str, desk: Desk) -> str:
    """How the patient's case holds a symptom: by the finding, where one is known, unless the set's
    own word is read as that finding anyway."""
    found = meant(name, desk)
    read = understand(name, lexicon=desk.lexicon, language="zh").mentions
    if not found or [mention.finding for mention in read] == list(found[:1]):
        return name
    return found[0]


def hidden(case: InquiryCase, setting: Setting, desk: Desk) -> HiddenCase:
    """The simulated patient's case. A symptom is the finding that the table has for it first, and
    said in the set's own words at the opening."""
    by: dict[Status, list[str]] = {"present": [], "absent": [], "unsure": []}
    for name, status in {**case.implicit, **case.explicit}.items():
        by[status] += [_word(name, desk)] if meant(name, desk) else []
    first = case.explicit or dict(list(case.implicit.items())[:1])
    chief = {_word(name, desk): status for name, status in first.items()}
    return HiddenCase(
        id=case.id,
        language="zh",
        patient=setting.patient,
        present=tuple(by["present"]),
        absent=tuple(by["absent"]),
        unsure=tuple(by["unsure"]),
        chief=chief,
        diagnosis=case.label,
        silence=setting.silence,
    )


def shares(desk: Desk, dialogue: Dialogue, names: Sequence[str]) -> dict[str, float]:
    """The share of each label: the posterior of its conditions, over that of all labels."""
    findings = {
        key: Finding(id=key, status=status, turn=1 if key in dialogue.told else 2)
        for key, status in dialogue.findings.items()
    }
    evidence = evidence_of(findings, dialogue.duration)
    if not evidence.present:
        return {}
    posterior = desk.network.posterior(evidence, dialogue.patient)
    if desk.network.fitted is not None:
        own = {item.name: item.id for item in desk.network.fitted.overlay.conditions}
        found = {name: float(posterior[desk.network.row[own[name]]]) for name in names}
        return {name: share / (sum(found.values()) or 1.0) for name, share in found.items()}
    found = {
        name: sum(
            float(posterior[desk.network.row[key]])
            for key in labels().get(name, ())
            if key in desk.network.row
        )
        for name in names
    }
    total = sum(found.values())
    return {name: share / total for name, share in found.items()} if total > 0 else {}


def outcome(
    case: InquiryCase, dialogue: Dialogue, given: Mapping[str, float], desk: Desk
) -> Outcome:
    """Judge one dialogue."""
    best = max(given, key=lambda name: given[name], default=None)
    implicit = list(case.implicit.keys() - case.explicit.keys())
    means = {name: meant(name, desk) for name in implicit}
    learned = {*dialogue.questions, *dialogue.findings} & desk.knowledge.findings.keys()
    return Outcome(
        id=case.id,
        label=case.label,
        band=reports.band(dialogue.patient.age_years),
        sex=sex_of(dialogue.patient),
        given=best,
        probability=given[best] if best else 0.0,
        implicit=len(implicit),
        known=sum(bool(means[name]) for name in implicit),
        reached=sum(any(counts_as(key, means[name], desk) for key in learned) for name in implicit),
        questions=len(dialogue.asked),
        turns=dialogue.turns,
        asked=tuple(dialogue.questions),
    )


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """The figures over some cases."""
    reached = [item.reached for item in outcomes]
    return Summary(
        cases=len(outcomes),
        accuracy=mean([item.given == item.label for item in outcomes]),
        implicit_recall=ratio(reached, [item.implicit for item in outcomes]),
        implicit_recall_known=ratio(reached, [item.known for item in outcomes]),
        questions=mean([item.questions for item in outcomes]),
        turns=mean([item.turns for item in outcomes]),
        calibration_error=calibration_error(
            [item.probability for item in outcomes],
            [item.given == item.label for item in outcomes],
        ),
    )


def evaluate(
    read: Read[InquiryCase],
    desk_for: DeskFor,
    *,
    name: Name,
    folds: int = 5,
    questions: int = 10,
    sample: int | None = None,
    seed: int = 0,
    judge: Judge = shares,
    processes: int | None = None,
    report: Callable[[str], None] | None = None,
) -> Report:
    """Hold a dialogue with every case, or with `sample` of them, each judged by the desk made from
    the other folds. At most `questions` questions on findings are asked."""
    chosen = sampled(read.cases, sample, seed)
    names = sorted({case.label for case in read.cases})
    outcomes: dict[str, Outcome] = {}
    for fold in range(folds):
        held = [case for case in chosen if fold_of(case.id, folds) == fold]
        if not held:
            continue
        training = [case for case in read.cases if fold_of(case.id, folds) != fold]
        desk = replace(desk_for(training), budget=questions)
        jobs = [
            Job(hidden(case, SETTINGS[name], desk), style="parent", seed=seed, profile_known=True)
            for case in held
        ]
        dialogues = hold_all(desk, jobs, processes=processes, report=report)
        for case, dialogue in zip(held, dialogues, strict=True):
            given = judge(desk, dialogue, names)
            outcomes[case.id] = outcome(case, dialogue, given, desk)
    return reports.report(
        f"cases of {name}, {folds} folds, {questions} questions at most",
        [outcomes[case.id] for case in chosen],
        summarise=summarise,
        by={
            "label": lambda item: item.label,
            "language": lambda _: "zh",
            "department": lambda _: "paediatrics",
            "age band": lambda item: item.band,
            "sex": lambda item: item.sex,
        },
        failed=lambda item: item.given != item.label,
        refused=read.refused,
    )


def fitted_desk(plain: Desk, training: Sequence[InquiryCase], name: Name) -> Desk:
    """The desk with an overlay fitted to some cases of a set, kept to the set's own labels. It
    asks until its questions are spent, as the published figures do."""
    symptoms = {s for case in training for s in (*case.explicit, *case.implicit)}
    known = plain.knowledge.findings
    findings = {
        symptom: next(
            (key for key in findings_of(symptom, plain) if known[key].can_be_asked),
            None,
        )
        for symptom in symptoms
    }
    overlay = fit(
        [Case(case.label, case.explicit, case.implicit) for case in training],
        findings=findings,
        conditions={label: table[0] for label, table in labels().items()},
        title=name,
        dataset_sha256="",
        silence=SETTINGS[name].silence,
    )
    among = {own.id for own in overlay.conditions}
    return Desk.build(plain.knowledge, plain.ports, overlay=overlay, among=among, thorough=True)


def sampled(cases: Sequence[InquiryCase], sample: int | None, seed: int) -> Sequence[InquiryCase]:
    """So many of the cases, drawn by the hash of seed and id; all where `sample` is None."""
    if sample is None or sample >= len(cases):
        return cases
    order = sorted(cases, key=lambda case: hashlib.sha256(f"{seed}:{case.id}".encode()).digest())
    kept = {case.id for case in order[:sample]}
    return [case for case in cases if case.id in kept]


def table(found: Report, *, cases: int = 20) -> str:
    """The report as text, with the first wrong cases."""
    short = found.model_copy(update={"failures": found.failures[:cases]})
    return reports.table(
        short,
        lambda item: (
            f"{item.id}: {item.label} -> {item.given} {item.probability:.2f}"
            f"; implicit {item.reached} of {item.implicit}; asked {list(item.asked)}"
        ),
    )
