"""Ends the consultation when the patient says so."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.desk import Desk
from agent.events import Event, to_outbox
from agent.state import ConsultationState
from agent.wording import replies, texts


async def run(state: ConsultationState, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Take leave; say once more what to do if it gets worse."""
    language = state["language"]
    reply = replies.Reply(lambda text: runtime.stream_writer({"text": text}))
    reply.paragraph(texts.say(texts.CLOSED, language))
    outbox = [
        to_outbox(
            Event(
                type="reply.given",
                actor="service",
                payload={"turn": state["turn"], "stage": "closed", "text": reply.text},
            )
        ),
        to_outbox(
            Event(type="consultation.closed", actor="patient", payload={"reason": "patient_ended"})
        ),
    ]
    return {
        "stage": "closed",
        "question": None,
        "reason": "patient_ended",
        "reply": reply.text,
        "citations": [],
        "outbox": outbox,
    }
