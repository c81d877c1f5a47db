"""Conducts the consultations of the data files against a real server process, over HTTP.

A consultation is data: who the patient is, the first words, what is answered when something is
asked, what is said in between, and what must come of it. `conduct` plays the patient and returns
what the server said; `faults` compares that with what was expected and with what holds for every
consultation (the record is whole, nothing forbidden was said, advice is cited).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import httpx
import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from agent.events import EVENT_TYPES
from agent.language.relations import Relation
from agent.ports import Language
from agent.state import Patient, Stage
from agent.wording.person import Person, about
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import LEVELS, Level, Sex
from knowledge.clinical.statements import present_closure
from records import chain
from records.tables import to_text

HERE = Path(__file__).parent
READY_WITHIN = 900.0  # seconds; the first start with an embedder turns the knowledge into vectors
MOST_TURNS = 20

FORBIDDEN = re.compile(
    r"\d\s*(?:mg|mcg|µg|ml|毫克|微克|毫升|片|粒|颗)(?![a-z])"  # a dose
    r"|Traceback|Exception|\b\w+Error\b|\bNone\b|\bnull\b|\{\w*\}",  # the program's own words
    re.IGNORECASE,
)
SEXES: tuple[Sex | None, ...] = (None, "female", "male")
RELATIONS: tuple[Relation, ...] = get_args(Relation)
NUMBER = re.compile(r"\[(\d+)\]")


class Part(BaseModel):
    """Base of the data's parts: a misspelt key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Expected(Part):
    """What must come of a consultation. What is not given is not looked at."""

    stage: Stage
    level: Level | None = None
    at_least: Level | None = None
    at_most: Level | None = None
    department: tuple[str, ...] = ()
    fires: tuple[str, ...] = ()
    fires_any: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()
    no_red_flag: bool = False
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    not_present: tuple[str, ...] = ()
    top3: tuple[str, ...] = ()  # one of these is among the first three
    top5: tuple[str, ...] = ()
    questions: tuple[int, int] = (0, 12)  # at least, at most
    turns_at_most: int = MOST_TURNS
    says: tuple[str, ...] = ()  # some reply holds it
    never_says: tuple[str, ...] = ()  # no reply holds it
    declines: tuple[str, ...] = ()  # intents
    corrects: tuple[str, ...] = ()  # findings
    patient: Patient | None = None


class Consultation(Part):
    """One consultation as data."""

    id: str
    language: Language
    about: str
    emergency: bool = False
    weights: bool = False  # also run with the real model and embedder
    patient: Patient = Patient()
    first: str
    answers: dict[str, str] = {}  # by finding, or `duration`, `profile`, `open`
    otherwise: str = ""  # the answer to everything else
    instead: dict[int, str] = {}  # by turn: said instead of an answer
    after: tuple[str, ...] = ()  # said once advice was given
    expect: Expected


class Outcome(BaseModel):
    """What the server said and kept."""

    turns: list[dict[str, Any]]
    said: list[str]
    transcript: list[dict[str, Any]]
    events: list[dict[str, Any]]
    consultation: dict[str, Any]

    @property
    def last(self) -> dict[str, Any]:
        """The last turn."""
        return self.turns[-1]

    def told(self) -> str:
        """The conversation, for the message of a failed test."""
        lines = []
        for words, turn in zip(self.said, self.turns, strict=True):
            asked = (turn["question"] or {}).get("finding") or (turn["question"] or {}).get("kind")
            lines += [f"> {words}", f"{turn['reply']}", f"  ({turn['stage']}, asks {asked})"]
        last = self.last
        present = [f"{f['id']}={f['status']}/{f['by']}" for f in last["findings"]]
        likely = [f"{d['condition']} {d['probability']}" for d in last["differential"][:6]]
        flags = [f"{f['rule']} {f['because']}" for f in last["red_flags"]]
        return "\n".join(
            [
                *lines,
                f"findings: {present}",
                f"likely: {likely}",
                f"flags: {flags}",
                f"triage: {last['triage']}",
            ]
        )


def load() -> list[Consultation]:
    """Every consultation of the data files. Raises for one that is told twice."""
    reader = TypeAdapter(list[Consultation])
    found: list[Consultation] = []
    for path in sorted(HERE.glob("*.yaml")):
        found += reader.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    ids = [case.id for case in found]
    assert len(ids) == len(set(ids)), "two consultations have the same id"
    return found


class Server:
    """`huatuo serve` in a process of its own, on a database of its own."""

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("HUATUO_")}
        home.mkdir(parents=True, exist_ok=True)
        database = f"sqlite:///{home / 'consultations.db'}"
        defaults = {"HUATUO_HOME": str(home), "HUATUO_DATABASE_URL": database}
        self.key = ""
        self.log: list[str] = []
        self.url = ""
        self._told = threading.Condition()
        self.process = subprocess.Popen(
            [str(Path(sys.executable).parent / "huatuo"), "serve", "--port", str(_free_port())],
            cwd=home,
            env=kept | defaults | settings,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._told:
                self.log.append(line.rstrip())
                if line.startswith("hk_"):
                    self.key = line.strip()
                if found := re.search(r"listening on (http://\S+)", line):
                    self.url = found[1]
                self._told.notify_all()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        with self._told:
            while not (self.key and self.url):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the server did not start:\n" + "\n".join(self.log[-20:]))
                self._told.wait(0.2)
        while True:
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def client(self) -> httpx.Client:
        """A client with the server's key."""
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=120
        )

    def stop(self) -> None:
        """End the process, gently at first."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        if self.process.stderr is not None:
            self.process.stderr.close()


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def conduct(client: httpx.Client, case: Consultation) -> Outcome:
    """Play the patient until advice stands and everything was said."""
    opened = client.post(
        "/v1/consultations",
        json={"language": case.language, "patient": case.patient.model_dump(exclude_none=True)},
    )
    assert opened.status_code == 201, opened.text
    id = opened.json()["id"]
    said: list[str] = []
    turns: list[dict[str, Any]] = []
    after = list(case.after)
    words: str | None = case.first
    while words is not None and len(turns) < MOST_TURNS:
        answer = client.post(
            f"/v1/consultations/{id}/turns",
            json={"text": words},
            headers={"Idempotency-Key": f"turn-{len(turns) + 1}"},
        )
        assert answer.status_code == 200, answer.text
        said.append(words)
        turns.append(answer.json())
        words = _next_words(case, turns[-1], len(turns) + 1, after)
    return Outcome(
        turns=turns,
        said=said,
        transcript=client.get(f"/v1/consultations/{id}/transcript").json(),
        events=client.get(f"/v1/consultations/{id}/events").json(),
        consultation=client.get(f"/v1/consultations/{id}").json(),
    )


def _next_words(
    case: Consultation, turn: dict[str, Any], number: int, after: list[str]
) -> str | None:
    if turn["stage"] == "closed":
        return None
    question = turn["question"]
    if question is None:
        return after.pop(0) if after else None
    if number in case.instead:
        return case.instead[number]
    no: dict[Language, str] = {"en": "no", "zh": "没有"}
    return case.answers.get(
        question["finding"] or question["kind"], case.otherwise or no[case.language]
    )


def faults(case: Consultation, outcome: Outcome, knowledge: ClinicalKnowledge) -> list[str]:
    """Everything that is not as it must be, in words; empty when all is well."""
    return [*_unexpected(case, outcome, knowledge), *_unsound(outcome)]


def _unexpected(case: Consultation, outcome: Outcome, knowledge: ClinicalKnowledge) -> list[str]:
    expect, last = case.expect, outcome.last
    found: list[str] = []

    def need(holds: bool, message: str) -> None:
        if not holds:
            found.append(message)

    need(last["stage"] == expect.stage, f"stage {last['stage']}, expected {expect.stage}")
    triage = last["triage"] or {}
    level = triage.get("level")
    if expect.level is not None:
        need(level == expect.level, f"level {level}, expected {expect.level}")
    for bound, sign in ((expect.at_least, 1), (expect.at_most, -1)):
        if bound is not None:
            fits = level is not None and sign * (LEVELS.index(bound) - LEVELS.index(level)) >= 0
            need(fits, f"level {level}, bound {bound}")
    if expect.department:
        department = triage.get("department")
        need(department in expect.department, f"department {department}")
    flags = {flag["rule"] for flag in last["red_flags"]}
    need(set(expect.fires) <= flags, f"silent red flags {set(expect.fires) - flags}")
    if expect.fires_any:
        need(bool(flags & set(expect.fires_any)), f"none of {expect.fires_any} fired, but {flags}")
    need(not flags & set(expect.spares), f"false red flags {flags & set(expect.spares)}")
    need(not (expect.no_red_flag and flags), f"false red flags {flags}")
    status: dict[str, str] = {f["id"]: f["status"] for f in last["findings"]}
    known = present_closure((k for k, said in status.items() if said == "present"), knowledge)
    for key in expect.present:
        need(key in known, f"{key} is {status.get(key)}, expected present")
    for key in expect.absent:
        need(status.get(key) == "absent", f"{key} is {status.get(key)}, expected absent")
    for key in expect.not_present:
        need(key not in known, f"{key} is present")
    ranked = [item["condition"] for item in last["differential"]]
    for names, most in ((expect.top3, 3), (expect.top5, 5)):
        if names:
            need(bool(set(names) & set(ranked[:most])), f"none of {names} in {ranked[:most]}")
    asked = sum(turn["question"] is not None for turn in outcome.turns)
    low, high = expect.questions
    need(low <= asked <= high, f"{asked} questions, expected {low} to {high}")
    need(len(outcome.turns) <= expect.turns_at_most, f"{len(outcome.turns)} turns")
    replies = "\n".join(turn["reply"] for turn in outcome.turns)
    for words in expect.says:
        need(words in replies, f"never said {words!r}")
    for words in expect.never_says:
        need(words not in replies, f"said {words!r}")
    for type_, key, names in (
        ("request.declined", "intent", expect.declines),
        ("finding.corrected", "finding", expect.corrects),
    ):
        happened = {e["payload"][key] for e in outcome.events if e["type"] == type_}
        need(set(names) <= happened, f"{type_}: {set(names) - happened} not on record")
    if expect.patient is not None:
        patient = _profile(outcome)
        wanted = expect.patient.model_dump(exclude_none=True)
        need(wanted.items() <= patient.items(), f"patient {patient}, expected {wanted}")
    return found


def _profile(outcome: Outcome) -> dict[str, Any]:
    """Who the patient is, as last understood."""
    understood = [e["payload"] for e in outcome.events if e["type"] == "findings.understood"]
    patient: dict[str, Any] = understood[-1]["patient"]
    return patient


def _unsound(outcome: Outcome) -> list[str]:
    """What must hold for every consultation, whatever it is about."""
    found: list[str] = []
    for number, turn in enumerate(outcome.turns, start=1):
        if hit := FORBIDDEN.search(turn["reply"]):
            found.append(f"turn {number} says {hit[0]!r}")
        found += [f"turn {number}: {fault}" for fault in _citations(turn)]
    first = outcome.turns[0]["reply"]
    if "AI" not in first and "人工智能" not in first:
        found.append("the first reply does not say that it is automated")
    dialogue: list[tuple[Literal["patient", "service"], str]] = []
    for words, turn in zip(outcome.said, outcome.turns, strict=True):
        dialogue += [("patient", words), ("service", turn["reply"])]
    if [(m["role"], m["text"]) for m in outcome.transcript] != dialogue:
        found.append("the transcript is not what was said")
    broken = chain.verify(_link(outcome.consultation["id"], event) for event in outcome.events)
    if broken is not None:
        found.append(f"the record is broken at {broken.seq}: {broken.reason}")
    if unknown := {event["type"] for event in outcome.events} - set(EVENT_TYPES):
        found.append(f"unknown events {unknown}")
    return found


def _citations(turn: dict[str, Any]) -> list[str]:
    """Marks and citations agree; advice that says what to do cites something."""
    marks = {int(n) for n in NUMBER.findall(turn["reply"])}
    cited = turn["citations"]
    found = []
    if marks != set(range(1, len(cited) + 1)):
        found.append(f"marks {sorted(marks)} for {len(cited)} citations")
    found += [f"cites what it does not say: {c['quote']!r}" for c in cited if not _quoted(c, turn)]
    bullets = [line for line in turn["reply"].splitlines() if line.startswith("- ")]
    if turn["stage"] == "advise" and bullets and not cited:
        found.append("advice without a citation")
    return found


def _quoted(citation: dict[str, Any], turn: dict[str, Any]) -> bool:
    """Whether the reply says what is cited, as it is written or of the one who is ill."""
    quote, language = str(citation["quote"]).strip(), turn["language"]
    people = [Person.of(relation, sex) for relation in RELATIONS for sex in SEXES]
    return any(about(quote, person, language) in turn["reply"] for person in [None, *people])


def _link(id: str, event: dict[str, Any]) -> chain.Link:
    """The event as the chain sees it, made from what the API gives out."""
    at = to_text(datetime.fromisoformat(event["at"]))
    payload = chain.canonical(event["payload"])
    rest = {key: event[key] for key in ("seq", "type", "actor", "turn", "prev_hash", "hash")}
    return chain.Link(consultation_id=id, at=at, payload=payload, **rest)
