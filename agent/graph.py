"""The state machine of a consultation: nodes and edges, nothing else.

`listen` is the only node that interrupts, and it does nothing else, because an interrupted node
runs again from its top. A consultation is one thread: the first turn starts it, every further
turn resumes it with `{"turn": n, "text": ...}`.
"""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.desk import Desk
from agent.nodes import advise, ask, close, diagnose, hand_off, listen, retrieve, safety, understand
from agent.state import ConsultationState

Graph = CompiledStateGraph[ConsultationState, Desk, Any, Any]


def build(checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """The compiled graph. Without a checkpointer it runs one turn and cannot be resumed."""
    graph = StateGraph(ConsultationState, context_schema=Desk)
    graph.add_node("safety", safety.on_words)
    graph.add_node("understand", understand.run)
    graph.add_node("safety_again", safety.on_findings)
    graph.add_node("diagnose", diagnose.run)
    graph.add_node("ask", ask.run)
    graph.add_node("retrieve", retrieve.run)
    graph.add_node("advise", advise.run)
    graph.add_node("hand_off", hand_off.run)
    graph.add_node("close", close.run)
    graph.add_node("listen", listen.run)

    graph.add_edge(START, "safety")
    graph.add_edge("safety", "understand")
    graph.add_edge("understand", "safety_again")
    graph.add_conditional_edges("safety_again", safety.route, ["hand_off", "close", "diagnose"])
    graph.add_conditional_edges("diagnose", diagnose.route, ["ask", "retrieve"])
    graph.add_edge("retrieve", "advise")
    graph.add_edge("ask", "listen")
    graph.add_edge("advise", "listen")
    graph.add_edge("hand_off", "listen")
    graph.add_edge("listen", "safety")
    graph.add_edge("close", END)
    return graph.compile(checkpointer=checkpointer)


def picture() -> str:
    """The graph as a Mermaid diagram, for the README."""
    return build().get_graph().draw_mermaid()
