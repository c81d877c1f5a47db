"""Looks up the passages that the advice, or the answer to a question, rests on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from langgraph.runtime import Runtime

from agent.desk import Desk
from agent.events import RetrievalCall, to_outbox
from agent.nodes.advise import answering, speaking_conditions
from agent.ports import Retrieved
from agent.state import ConsultationState, written
from agent.wording import replies

_PASSAGES = 60
"""Enough for every passage of the entries of an advice, so that each sentence finds its own."""


async def run(state: ConsultationState, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Query from the structured state, within the entries that the advice will speak of; of a
    patient's own question only the sentences that answer it."""
    desk = runtime.context
    retriever = desk.ports.retriever
    if retriever is None:
        return {"passages": [], "outbox": []}
    language = state["language"]
    entries = [
        *(flag.rule for flag in state.get("red_flags", [])),
        *speaking_conditions(state, desk),
    ]
    if answering(state):
        found = await retriever.answer(state["text"], language=language, entries=entries)
    elif entries:
        found = await retriever.search(
            _query(state), language=language, k=_PASSAGES, entries=entries
        )
    else:
        found = Retrieved(_query(state), retriever.release, ())
    call = RetrievalCall(
        query=found.query,
        release=found.release,
        hits=[asdict(p) | {"score": round(p.score, 6)} for p in found.passages],
    )
    return {"passages": [asdict(p) for p in found.passages], "outbox": [to_outbox(call)]}


def _query(state: ConsultationState) -> str:
    language = state["language"]
    present = [f for f in state.get("findings", {}).values() if f.status == "present"]
    names = [p.name for p in written(state.get("differential", []))[:3]]
    return " ".join([replies.told(present, language), *names]).strip()
