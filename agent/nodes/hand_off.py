"""Hands the consultation to a person: in a crisis, or when the patient asks for one."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.desk import Desk
from agent.events import Event, to_outbox
from agent.state import ConsultationState, Triage
from agent.triage import WITHIN
from agent.wording import replies, texts


async def run(state: ConsultationState, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Say what to do until a person answers. No model takes part."""
    desk = runtime.context
    language = state["language"]
    flags = state.get("red_flags", [])
    crisis = any(flag.crisis for flag in flags) or "self_harm" in state.get("intents", [])
    reply = replies.Reply(lambda text: runtime.stream_writer({"text": text}))
    if state["turn"] == 1:
        reply.paragraph(texts.say(texts.DISCLOSURE, language))
    reason = "crisis" if crisis else "asked_for_a_person"
    decided = state.get("triage")
    if crisis:
        reply.paragraph(texts.say(texts.CRISIS, language))
        # Beside, not instead: whoever was taken for somebody else is still spoken to.
        if person := replies.person_of(state):
            text = texts.say(texts.CRISIS_OTHER, language, person=person.name(language))
            reply.paragraph(text)
        name = desk.knowledge.departments["emergency"].name
        decided = Triage(
            level="emergency",
            within=WITHIN["emergency"],
            department="emergency",
            department_name=name.en if language == "en" else name.zh,
            reasons=tuple(
                getattr(desk.knowledge.rules[flag.rule].because, language) for flag in flags[:3]
            ),
        )
    else:
        reply.paragraph(texts.say(texts.HANDED_OFF, language))
    outbox: list[dict[str, Any]] = []
    if decided is not None and decided != state.get("triage"):
        payload = decided.model_dump(mode="json")
        outbox.append(to_outbox(Event(type="triage.decided", actor="rule", payload=payload)))
    if state.get("stage") != "handed_off":
        outbox.append(
            to_outbox(
                Event(type="consultation.handed_off", actor="service", payload={"reason": reason})
            )
        )
    said = {"turn": state["turn"], "stage": "handed_off", "text": reply.text}
    outbox.append(to_outbox(Event(type="reply.given", actor="service", payload=said)))
    return {
        "stage": "handed_off",
        "triage": decided,
        "question": None,
        "reason": reason,
        "reply": reply.text,
        "citations": [],
        "outbox": outbox,
    }
