"""Words the reply that asks the next question."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.desk import Desk
from agent.events import Event, to_outbox
from agent.state import ConsultationState
from agent.wording import prompts, replies, texts
from agent.wording.speak import speak


async def run(state: ConsultationState, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Take note of what was told, then ask. The question itself is the knowledge's own text; a
    bare answer to the last one needs no echo."""
    desk = runtime.context
    language = state["language"]
    question = state["question"]
    assert question is not None  # the edge into this node says so
    reply = replies.Reply(lambda text: runtime.stream_writer({"text": text}))
    replies.preface(reply, state)
    outbox: list[dict[str, Any]] = []
    new = replies.new_findings(state)
    if any(finding.by != "answer" for finding in new):
        told = replies.told(new, language)
        separator = "\n\n" if reply.text else ""
        started = False

        def show(text: str) -> None:
            nonlocal started
            reply.add(text, before="" if started else separator)
            started = True

        spoken = await speak(
            desk.ports.model,
            prompts.request(
                "acknowledge",
                language,
                seed=state.get("seed", 0),
                facts=told,
                person=replies.person_of(state),
            ),
            purpose="acknowledge",
            facts=replies.facts(state, desk.knowledge, told=new),
            lexicon=desk.lexicon,
            language=language,
            clock=desk.ports.clock,
            show=show,
        )
        outbox += spoken.outbox
        if not spoken.text:
            reply.paragraph(texts.say(texts.NOTED, language, findings=told))
    elif not new and question.kind == "open" and state["turn"] > 1 and not replies.declined(state):
        reply.paragraph(texts.say(texts.NOT_UNDERSTOOD, language))
    reply.paragraph(question.text)
    outbox += [
        to_outbox(Event(type=type_, actor="service", payload=payload))
        for type_, payload in (
            *(("request.declined", {"intent": key}) for key in replies.declined(state)),
            ("question.asked", question.model_dump(mode="json")),
            ("reply.given", {"turn": state["turn"], "stage": "ask", "text": reply.text}),
        )
    ]
    return {
        "asked": [*state.get("asked", []), question.finding or question.kind],
        "stage": "ask",
        "reply": reply.text,
        "citations": [],
        "outbox": outbox,
    }
