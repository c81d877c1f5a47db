"""The process is killed (SIGKILL) at random moments: nothing is lost, nothing happens twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypedDict

from langgraph.channels import Topic
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from agent.events import Event, to_outbox
from records import events, turns
from records.checkpointer import Checkpointer, prune, thread_config
from records.database import Database
from tests.records.samples import open_consultation

TURNS = 12
LEASE = timedelta(milliseconds=1)  # a dead process is found dead at once


class State(TypedDict, total=False):
    turn: int
    text: str
    heard: Annotated[list[str], lambda a, b: a + b]
    outbox: Annotated[list[dict[str, Any]], Topic(dict)]


def note(type_: str, **payload: Any) -> dict[str, Any]:
    return to_outbox(Event(type=type_, actor="service", payload=payload))


def consultation_graph(saver: Checkpointer) -> Any:
    """understand -> two side by side -> reply -> wait, and round again with the next words."""

    async def understand(state: State) -> State:
        return {"heard": [state["text"]], "outbox": [note("findings.understood")]}

    async def left(_: State) -> State:
        return {"outbox": [note("differential.formed")]}

    async def right(_: State) -> State:
        await asyncio.sleep(0.002)
        return {"outbox": [note("triage.decided")]}

    async def reply(state: State) -> State:
        return {"outbox": [note("reply.given", text=f"heard {state['text']}")]}

    async def wait(_: State) -> State:
        said = interrupt("more?")
        return {"turn": said["turn"], "text": said["text"]}

    builder: Any = StateGraph(State)
    for node in (understand, left, right, reply, wait):
        builder.add_node(node)
    builder.add_edge(START, "understand")
    builder.add_edge("understand", "left")
    builder.add_edge("understand", "right")
    builder.add_edge(["left", "right"], "reply")
    builder.add_edge("reply", "wait")
    builder.add_edge("wait", "understand")
    return builder.compile(checkpointer=saver)


PER_TURN = [
    "patient.said",
    "findings.understood",
    "differential.formed",
    "triage.decided",
    "reply.given",
]


async def hold(url: str, id: str) -> None:
    """What a server does with a consultation: takes over what was left, then goes on."""
    async with Database(url) as database:
        saver = Checkpointer(database)
        app = consultation_graph(saver)
        while True:
            now = datetime.now(UTC)
            async with database.transaction() as connection:
                left = await turns.expired(connection, now=now)
                if left:
                    lease = await turns.take_over(
                        connection, left[0], holder="p", lease=LEASE, now=now
                    )
                else:
                    number = len(await turns.of(connection, id)) + 1
                    if number > TURNS:
                        return
                    begun = await turns.begin(
                        connection,
                        id,
                        key=f"k{number}",
                        body_hash="b",
                        text=f"words {number}",
                        holder="p",
                        lease=LEASE,
                        now=now,
                    )
                    lease = begun.lease
                assert lease is not None
            number, config = lease.number, thread_config(id, lease)
            words = {"turn": number, "text": f"words {number}"}
            before = await app.aget_state(config)
            given: Any = None
            if not before.values:
                given = words | {"heard": []}
            elif before.next == ("wait",) and before.values["turn"] < number:
                given = Command(resume=words)
            state = await app.ainvoke(given, config, durability="sync")
            async with database.transaction() as connection:
                result = {"heard": state["heard"]}
                await turns.finish(connection, lease, result, now=datetime.now(UTC))
                await prune(connection, id)


def in_a_process(url: str, id: str) -> int:
    """Starts a process that holds the consultation until it is through or killed."""
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            asyncio.run(hold(url, id))
            code = 0
        os._exit(code)
    return child


def test_killed_at_random_moments(database_url: str) -> None:
    async def opened() -> str:
        async with Database(database_url) as database:
            return await open_consultation(database)

    id, chance, kills = asyncio.run(opened()), random.Random(20), 0
    while True:
        child = in_a_process(database_url, id)
        if kills < 25:
            time.sleep(chance.uniform(0.005, 0.12))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            kills += 1
            continue
        assert os.waitstatus_to_exitcode(status) == 0
        break
    assert kills >= 5

    async def outcome() -> None:
        async with Database(database_url) as database, database.reading() as connection:
            assert await events.verify(connection, id) is None
            recorded = await events.read(connection, id)
            for number in range(1, TURNS + 1):
                assert [e.type for e in recorded if e.turn == number] == PER_TURN, number
            said = [m.text for m in await events.transcript(connection, id)]
            words = [f"words {n}" for n in range(1, TURNS + 1)]
            assert said == [text for word in words for text in (word, f"heard {word}")]
            done = await turns.of(connection, id)
            assert [t.result for t in done] == [{"heard": words[:n]} for n in range(1, TURNS + 1)]

    asyncio.run(outcome())
