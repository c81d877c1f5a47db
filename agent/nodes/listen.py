"""Waits for the patient's next words."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agent.desk import Desk
from agent.state import ConsultationState


async def run(state: ConsultationState, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Hand the turn back; take up the next one when it comes."""
    message: dict[str, Any] = interrupt({"turn": state["turn"]})
    return {"turn": message["turn"], "text": message["text"], "citations": []}
