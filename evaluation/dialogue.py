"""Whole consultations between the service and simulated patients, through the real graph.

No server, no database, no model: the graph of a consultation with an in-memory checkpointer. Many
run at once over processes; the desk is compiled once, and the processes are forks of it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command
from pydantic import BaseModel, ConfigDict

from agent import triage
from agent.desk import Desk
from agent.graph import Graph, build
from agent.state import SERIALISED, Patient, Possibility, Question, Status, Triage, opening
from evaluation.patient import Facts, HiddenCase, SimulatedPatient, Style
from knowledge.clinical.statements import present_closure

MOST_TURNS = 40
"""Turns after which a dialogue is broken off; the service never needs them."""


@dataclass(frozen=True)
class Job:
    """One dialogue to hold."""

    case: HiddenCase
    style: Style = "plain"
    seed: int = 0
    profile_known: bool = True
    """Whether age and sex are known from the start, as from a registration form."""


class Asked(BaseModel):
    """A question as it was asked."""

    model_config = ConfigDict(frozen=True)

    kind: str
    finding: str | None
    reason: str
    repeated: bool
    """Whether the patient had said it before, or it follows from what was said."""
    unfitting: bool
    """Whether it cannot be asked of a patient of this age and sex."""


class Line(BaseModel):
    """What one side said."""

    model_config = ConfigDict(frozen=True)

    speaker: str  # patient or service
    text: str


class Dialogue(BaseModel):
    """A consultation from the first message to the advice."""

    model_config = ConfigDict(frozen=True)

    case: str
    style: str
    seed: int
    language: str
    transcript: tuple[Line, ...]
    asked: tuple[Asked, ...]
    findings: dict[str, Status]
    told: tuple[str, ...] = ()
    """Those that the first message told."""
    duration: str | None
    patient: Patient
    turns: int
    stage: str
    differential: tuple[Possibility, ...]
    triage: Triage | None
    red_flags: tuple[str, ...]
    broken_off: bool = False

    @property
    def questions(self) -> list[str]:
        """The ids of what was asked, and the kinds of the other questions."""
        return [item.finding or item.kind for item in self.asked]


async def hold(desk: Desk, job: Job, graph: Graph | None = None) -> Dialogue:
    """Hold one consultation. Given a graph, it is used with a thread of its own."""
    graph = graph or build(saver())
    facts = Facts(job.case, desk.knowledge, desk.lexicon)
    patient = SimulatedPatient(job.case, facts, style=job.style, seed=job.seed)
    thread = f"{job.case.id}:{job.style}:{job.seed}"
    config: Any = {"configurable": {"thread_id": thread}}
    text = patient.opening()
    lines: list[Line] = []
    asked: list[Asked] = []
    state: dict[str, Any] = {}
    turn = 0
    while turn < MOST_TURNS:
        turn += 1
        lines.append(Line(speaker="patient", text=text))
        begin: Any = Command(resume={"turn": turn, "text": text})
        if turn == 1:
            known = job.case.patient if job.profile_known else Patient()
            begin = opening(job.case.id, job.case.language, known, job.seed, text)
        state = await graph.ainvoke(begin, config, context=desk)
        lines.append(Line(speaker="service", text=state["reply"]))
        question: Question | None = state["question"]
        if question is not None and state["stage"] == "ask":
            asked.append(_asked(question, state, patient, desk))
            text = patient.answer(question)
        elif state["stage"] != "closed" and (correction := patient.correction()):
            text = correction  # the advice came before the patient could take it back
        else:
            break
    return Dialogue(
        case=job.case.id,
        style=job.style,
        seed=job.seed,
        language=job.case.language,
        transcript=tuple(lines),
        asked=tuple(asked),
        findings={key: finding.status for key, finding in state["findings"].items()},
        told=tuple(key for key, f in state["findings"].items() if f.turn <= 1),
        duration=state.get("duration"),
        patient=state["patient"],
        turns=turn,
        stage=state["stage"],
        differential=tuple(state["differential"]),
        triage=state["triage"],
        red_flags=tuple(flag.rule for flag in state["red_flags"]),
        broken_off=turn >= MOST_TURNS,
    )


def saver() -> InMemorySaver:
    """A checkpointer in memory that may hold the parts of the state."""
    return InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=SERIALISED))


def _asked(
    question: Question, state: dict[str, Any], patient: SimulatedPatient, desk: Desk
) -> Asked:
    """A question, judged by what had been said when it was asked."""
    key = question.finding
    repeated = unfitting = False
    if key is not None:
        known = desk.knowledge
        earlier = state["asked"][:-1]
        present = {k for k, status in patient.told.items() if status == "present"}
        present |= {k for k, f in state["findings"].items() if f.status == "present"}
        denied = {k for k, f in state["findings"].items() if f.status == "absent"}
        repeated = (
            key in earlier
            or key in patient.told
            or key in present_closure(present, known)
            or not known.ancestors[key].isdisjoint(denied)
        )
        truth = patient.case.patient
        unfitting = not triage.applies(
            known.findings[key].who, truth.age_years, truth.sex, truth.pregnant
        )
    elif question.kind in ("profile", "duration"):
        repeated = question.kind in state["asked"][:-1]
    return Asked(
        kind=question.kind,
        finding=key,
        reason=question.reason,
        repeated=repeated,
        unfitting=unfitting,
    )


# --- many at once --------------------------------------------------------------------------------

_DESK: Desk | None = None  # the fork's own; set once in each process


def hold_all(
    desk: Desk,
    jobs: Sequence[Job],
    *,
    processes: int | None = None,
    report: Callable[[str], None] | None = None,
) -> list[Dialogue]:
    """Hold all dialogues, in the order of the jobs, over as many processes as there are cores.

    The desk is not sent anywhere: the processes are forks. Where there is no fork, one process
    does it all.
    """
    count = processes or min(len(jobs), os.cpu_count() or 1)
    fork = "fork" in multiprocessing.get_all_start_methods()
    if count <= 1 or not fork or len(jobs) < 4:
        return _gather((asyncio.run(hold(desk, job)) for job in jobs), len(jobs), report)
    with warnings.catch_warnings():
        # Newer Pythons warn of forks of processes with threads; ours hold no lock at this point.
        warnings.simplefilter("ignore", DeprecationWarning)
        pool = multiprocessing.get_context("fork").Pool(count, _take, (desk,))
    with pool:
        return _gather(pool.imap(_held, jobs, chunksize=2), len(jobs), report)


def _gather(dialogues: Any, total: int, report: Callable[[str], None] | None) -> list[Dialogue]:
    found: list[Dialogue] = []
    for dialogue in dialogues:
        found.append(dialogue)
        if report is not None and len(found) % 50 == 0:
            report(f"{len(found)} of {total} dialogues")
    return found


def _take(desk: Desk) -> None:
    global _DESK
    _DESK = desk


def _held(job: Job) -> Dialogue:
    assert _DESK is not None
    return asyncio.run(hold(_DESK, job))
