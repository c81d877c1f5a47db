"""What is put on record during a consultation: the catalogue of event types.

A node of the graph puts `Event`, `ModelCall` and `RetrievalCall` items (as plain dicts, see
`to_outbox`) into the state's channel `outbox`. The checkpointer takes the channel out of the
checkpoint and stores its items in the same transaction; the record of a super-step and its
checkpoint therefore stand or fall together. This file imports nothing but pydantic, because
`records` depends on it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Actor = Literal["patient", "service", "model", "rule", "clinician", "operator"]

EVENT_TYPES: dict[str, str] = {
    "consultation.opened": "A consultation began: language, patient, consent, releases, seed.",
    "patient.said": "The patient's words of a turn, as they came.",
    "findings.understood": "Findings, intents and profile read from the words, with their quotes.",
    "finding.corrected": "The patient took back or changed an earlier answer.",
    "red_flag.raised": "A red-flag rule fired: the rule, its level and what made it fire.",
    "differential.formed": "The conditions still possible, with probabilities and evidence.",
    "triage.decided": "Urgency, time frame and department, with reasons.",
    "question.asked": "The next question, with the reason for asking it.",
    "advice.given": "What was advised, sentence by sentence, with citations.",
    "reply.given": "The reply as the patient read it.",
    "wording.refused": "Words of the model that were not shown, with what they lacked.",
    "model.called": "A call of the model was made; points to the recorded call.",
    "model.failed": "A call of the model failed; the reply was worded from the knowledge.",
    "retrieval.made": "Passages were looked up; points to the recorded retrieval.",
    "request.declined": "A request was declined: dose, prescription, outside medicine, override.",
    "consultation.handed_off": "A person takes over, with the reason.",
    "consultation.closed": "The consultation ended, with the reason.",
    "turn.failed": "A turn could not be finished; the patient was told so in plain words.",
}


class Event(BaseModel):
    """One thing that happened. `payload` is JSON-serialisable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    actor: Actor
    payload: dict[str, Any]


class ModelCall(BaseModel):
    """One call of the model, kept whole so that a replay can answer in its place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    purpose: str  # which prompt: "acknowledge", "summarise", ...
    prompt: list[dict[str, str]]  # the messages
    parameters: dict[str, Any]  # temperature, seed, max_tokens, stop, deadline, schema
    output: str
    finish: str  # "stop", "length" or the code of the error
    model_release: str
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


class RetrievalCall(BaseModel):
    """One look-up, with what was found: whole passages, so that a replay needs no other source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str
    release: str
    hits: list[dict[str, Any]]  # the fields of `agent.ports.Passage`


def to_outbox(item: Event | ModelCall | RetrievalCall) -> dict[str, Any]:
    """The item as a plain dict with its kind, as it travels in the state's `outbox` channel.

    Raises ValueError for an event type that the catalogue does not name.
    """
    if isinstance(item, Event) and item.type not in EVENT_TYPES:
        raise ValueError(f"unknown event type: {item.type}; add it to agent.events.EVENT_TYPES")
    kind = {Event: "event", ModelCall: "model_call", RetrievalCall: "retrieval"}[type(item)]
    return {"kind": kind, **item.model_dump(mode="json")}
