"""What goes in and comes out over HTTP, beyond the parts that the agent's state defines."""

from __future__ import annotations

import json
import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from agent.ports import Language
from agent.state import (
    Citation,
    Finding,
    Patient,
    Possibility,
    Question,
    RedFlag,
    Stage,
    Triage,
)

MOST_CHARACTERS = 4000
"""Longest message of a patient, in characters."""


def _words(value: str) -> str:
    """Text that a person can have written: not empty, no control characters, some letter."""
    if any(unicodedata.category(c) in ("Cc", "Cs", "Cn") and c not in "\n\r\t" for c in value):
        raise ValueError("the text holds characters that are not text")
    if not any(unicodedata.category(c)[0] in "LN" for c in value):
        raise ValueError("the text holds no words; describe in words what the matter is")
    return value


Words = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS), AfterValidator(_words)]


DEEPEST = 16
"""How deep a consent may be nested."""


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Plain JSON that can be stored and given back as it is."""
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict | list):
                below.extend(item.values() if isinstance(item, dict) else item)
        level = below
    if level:
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise ValueError("holds a number or a text that JSON cannot say") from None
    return value


Plain = Annotated[dict[str, Any], AfterValidator(_plain)]


class In(BaseModel):
    """Base of request bodies: nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid")


class OpenConsultation(In):
    """Opens a consultation."""

    language: Language | None = Field(
        default=None, description="Recognised from the first message where it is not given."
    )
    patient: Patient = Patient()
    consent: Plain = Field(
        default={}, description="What the patient consented to, as the hospital words it."
    )


class TakeTurn(In):
    """The patient's words."""

    text: Words


class ParseText(In):
    """Text to be read for findings."""

    language: Language | None = None
    text: Words
    pending: str | None = Field(default=None, description="The finding that was asked about.")


class AssessCase(In):
    """A case to be assessed without a conversation."""

    language: Language
    patient: Patient = Patient()
    text: Annotated[str, Field(max_length=MOST_CHARACTERS)] = ""
    present: Annotated[list[str], Field(max_length=200)] = []
    absent: Annotated[list[str], Field(max_length=200)] = []
    candidates: Annotated[list[str], Field(max_length=200)] | None = None


class ConsultationOut(BaseModel):
    """A consultation as it stands."""

    id: str
    status: Literal["open", "emergency", "handed_off", "closed"]
    language: Language | None
    patient: Patient
    knowledge_release: str
    model_release: str
    created_at: datetime
    closed_at: datetime | None


class TurnOut(BaseModel):
    """A turn and its answer."""

    consultation_id: str
    turn: int
    language: Language
    stage: Stage
    reply: str
    question: Question | None
    findings: list[Finding]
    differential: list[Possibility]
    triage: Triage | None
    red_flags: list[RedFlag]
    citations: list[Citation]


class MessageOut(BaseModel):
    """One message of the transcript."""

    seq: int
    role: Literal["patient", "service"]
    text: str


class EventOut(BaseModel):
    """One event of the record, with its place in the hash chain."""

    seq: int
    type: str
    actor: str
    at: datetime
    turn: int | None
    payload: dict[str, Any]
    prev_hash: str
    hash: str


class ParsedOut(BaseModel):
    """What was read from a text."""

    language: Language
    findings: list[Finding]
    patient: Patient
    intents: list[str]
    measurements: dict[str, float]
    red_flags: list[str] = Field(description="Rules that the words alone set off.")
    unread: list[str] = Field(description="What looks like a complaint and matched nothing.")


class Health(BaseModel):
    """Whether the server can work, and with what."""

    status: Literal["ok", "degraded", "unavailable"]
    parts: dict[str, str] = {}
