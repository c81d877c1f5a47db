"""The checkpointer keeps LangGraph's contract, and puts each item of an outbox on record once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.channels import EphemeralValue, Topic
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from sqlalchemy import func, select

from agent.events import Event, ModelCall, RetrievalCall, to_outbox
from records import consultations, events, turns
from records.checkpointer import OUTBOX, Checkpointer, thread_config
from records.database import Database
from records.errors import LeaseLost, NotFound
from records.tables import checkpoint, checkpoint_write, metadata
from tests.records.samples import LEASE, NOW, a_turn, open_consultation


async def test_keeps_the_contract_of_langgraph(database: Database) -> None:
    @checkpointer_test(name="Checkpointer")
    async def make() -> Any:
        yield Checkpointer(database)

    report = (await validate(make)).to_dict()
    assert report["results"]["put"]["tests_passed"] > 0
    failures = {name: r.get("failures") for name, r in report["results"].items()}
    assert not any(failures.values()), failures
    for name in ("put", "put_writes", "get_tuple", "list", "delete_thread", "prune"):
        assert report["results"][name]["passed"] is True, name


class State(TypedDict, total=False):
    turn: int
    temperature: str
    steps: Annotated[list[str], lambda a, b: a + b]
    outbox: Annotated[list[dict[str, Any]], Topic(dict)]


def said(name: str) -> dict[str, Any]:
    return to_outbox(Event(type="findings.understood", actor="service", payload={"by": name}))


CALL = ModelCall(
    purpose="acknowledge",
    prompt=[{"role": "user", "content": "头痛"}],
    parameters={"temperature": 0.0, "seed": 7},
    output="明白了。",
    finish="stop",
    model_release="tiny",
)
LOOKED_UP = RetrievalCall(query="fever", release="k1", hits=[{"chunk": "c", "score": 0.5}])


class Killed(BaseException):
    """Stands for the death of the process: nothing after it runs."""


def graph(saver: Checkpointer, dies: str | None = None, ran: list[str] | None = None) -> Any:
    """safety -> (understand beside retrieve) -> ask (interrupt) -> reply, an event or more each."""

    def node(name: str, *items: dict[str, Any]) -> Any:
        async def run(state: State) -> State:
            if name == "retrieve":
                await asyncio.sleep(0.05)  # its neighbour is done before
            if dies == name:
                raise Killed
            if ran is not None:
                ran.append(name)
            return {"steps": [name], "outbox": [said(name), *items]}

        return run

    async def ask(state: State) -> State:
        answer = interrupt({"question": "体温?"})
        if dies == "ask":
            raise Killed
        return {"temperature": answer, "steps": ["ask"], "outbox": [said("ask")]}

    builder = StateGraph(State)
    builder.add_node("safety", node("safety"))
    builder.add_node("understand", node("understand", to_outbox(CALL)))
    builder.add_node("retrieve", node("retrieve", to_outbox(LOOKED_UP)))
    builder.add_node("ask", ask)
    reply = Event(type="reply.given", actor="service", payload={"text": "请多休息。"})
    builder.add_node("reply", node("reply", to_outbox(reply)))
    builder.add_edge(START, "safety")
    builder.add_edge("safety", "understand")
    builder.add_edge("safety", "retrieve")
    builder.add_edge(["understand", "retrieve"], "ask")
    builder.add_edge("ask", "reply")
    builder.add_edge("reply", END)
    return builder.compile(checkpointer=saver)


async def recorded(database: Database, id: str) -> list[str]:
    async with database.reading() as connection:
        assert await events.verify(connection, id) is None
        return [e.payload.get("by", e.type) for e in await events.read(connection, id)]


# Nodes of one super-step are recorded in the order in which LangGraph applies them: by name.
FIRST = ["safety", "retrieve", "retrieval.made", "understand", "model.called"]
ALL = ["safety", "retrieve", "understand", "ask", "reply"]
SECOND = ["ask", "reply", "reply.given"]


@pytest.mark.parametrize("dies", [None, "safety", "understand", "retrieve", "ask", "reply"])
async def test_each_item_is_recorded_once_whatever_dies(
    database: Database, dies: str | None
) -> None:
    id = await open_consultation(database)
    config = thread_config(id)

    async def go(given: Any) -> Any:
        """Runs until it stands; after a death, a new process goes on where it was."""
        try:
            return await graph(Checkpointer(database), dies).ainvoke(
                given, config, durability="sync"
            )
        except Killed:
            assert dies is not None
            before = await recorded(database, id)
            again = await graph(Checkpointer(database)).ainvoke(None, config, durability="sync")
            assert (await recorded(database, id))[: len(before)] == before
            return again

    opened = await recorded(database, id)
    await go({"turn": 1, "steps": []})
    assert await recorded(database, id) == opened + FIRST
    state = await go(Command(resume="38.5", update={"turn": 2}))
    assert await recorded(database, id) == opened + FIRST + SECOND
    assert state["temperature"] == "38.5"
    assert state["steps"] == ALL
    async with database.reading() as connection:
        by_turn = [e.turn for e in await events.read(connection, id)]
        assert by_turn == [None] + [1] * len(FIRST) + [2] * len(SECOND)
        assert [call for _, call in await events.model_calls(connection, id)] == [CALL]
        assert [call for _, call in await events.retrievals(connection, id)] == [LOOKED_UP]
        assert [m.text for m in await events.transcript(connection, id)] == ["请多休息。"]


async def test_a_finished_neighbour_does_not_run_again(database: Database) -> None:
    id, ran = await open_consultation(database), list[str]()
    with pytest.raises(Killed):
        await graph(Checkpointer(database), "retrieve", ran).ainvoke(
            {"turn": 1, "steps": []}, thread_config(id), durability="sync"
        )
    assert ran == ["safety", "understand"]
    await graph(Checkpointer(database), None, ran).ainvoke(
        None, thread_config(id), durability="sync"
    )
    assert ran == ["safety", "understand", "retrieve"]


async def test_checkpoint_and_events_stand_or_fall_together(database: Database) -> None:
    # No such consultation: the events cannot be written, so the checkpoint must not be there.
    with pytest.raises(NotFound):
        await graph(Checkpointer(database)).ainvoke(
            {"turn": 1, "steps": []}, thread_config("nobody"), durability="sync"
        )
    kept = await Checkpointer(database).aget_tuple(thread_config("nobody"))
    assert kept is not None
    assert kept.metadata["step"] == 0  # before the first node's items
    assert kept.checkpoint["channel_values"].get("steps", []) == []
    async with database.reading() as connection:
        assert await events.read(connection, "nobody") == []


async def test_the_outbox_is_not_kept_in_checkpoints(database: Database) -> None:
    id, saver = await open_consultation(database), Checkpointer(database)
    await graph(saver).ainvoke({"turn": 1, "steps": []}, thread_config(id), durability="sync")
    kept = [one async for one in saver.alist(thread_config(id))]
    assert len(kept) >= 3
    assert all(OUTBOX not in one.checkpoint["channel_values"] for one in kept)


async def test_the_same_checkpoint_stored_twice_records_once(database: Database) -> None:
    id, saver = await open_consultation(database), Checkpointer(database)
    config: RunnableConfig = {"configurable": {"thread_id": id, "checkpoint_ns": ""}}
    one: Any = {
        "v": 2,
        "id": "1f0a",
        "ts": "",
        "channel_values": {OUTBOX: [said("a"), said("b")], "turn": 3},
        "channel_versions": {},
        "versions_seen": {},
        "updated_channels": None,
    }
    await asyncio.gather(*(saver.aput(config, one, {}, {}) for _ in range(5)))
    assert await recorded(database, id) == ["consultation.opened", "a", "b"]
    assert one["channel_values"][OUTBOX]  # LangGraph's own copy is left alone


async def test_pruning_keeps_what_goes_on(database: Database) -> None:
    id, saver = await open_consultation(database), Checkpointer(database)
    app = graph(saver)
    await app.ainvoke({"turn": 1, "steps": []}, thread_config(id), durability="sync")
    await saver.aprune([id])
    async with database.reading() as connection:
        kept = await connection.scalar(select(func.count()).select_from(checkpoint))
        assert kept == 1
    state = await app.ainvoke(Command(resume="37"), thread_config(id), durability="sync")
    assert state["steps"] == ALL
    await saver.aprune([id])
    async with database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(checkpoint_write)) == 0
    with pytest.raises(ValueError, match="keep_latest"):
        await saver.aprune([id], strategy="some")


async def test_a_process_given_up_for_dead_writes_nothing_more(database: Database) -> None:
    id, saver = await open_consultation(database), Checkpointer(database)
    begun = await a_turn(database, id)
    assert begun.lease is not None
    old = thread_config(id, begun.lease)
    app = graph(saver)
    await app.ainvoke({"steps": []}, old, durability="sync")
    later = NOW.replace(hour=23)
    async with database.transaction() as connection:
        (left,) = await turns.expired(connection, now=later)
        lease = await turns.take_over(connection, left, holder="other", lease=LEASE, now=later)
    before = await recorded(database, id)
    with pytest.raises(LeaseLost):
        await app.ainvoke(Command(resume="37"), old, durability="sync")
    assert await recorded(database, id) == before
    state = await app.ainvoke(Command(resume="38"), thread_config(id, lease), durability="sync")
    assert state["temperature"] == "38"
    async with database.reading() as connection:
        assert {e.turn for e in await events.read(connection, id)} == {None, 1}


class Known(BaseModel):
    n: int


class Foreign(BaseModel):
    n: int


async def test_only_allowed_types_are_built_again(database: Database) -> None:
    class Holder(TypedDict, total=False):
        known: Any
        foreign: Any

    def put(state: Holder) -> Holder:
        return {"known": Known(n=1), "foreign": Foreign(n=2)}

    saver = Checkpointer(database, allowed=[(Known.__module__, "Known")])
    builder = StateGraph(Holder)
    builder.add_node("put", put)
    builder.add_edge(START, "put")
    app = builder.compile(checkpointer=saver)
    await app.ainvoke({}, thread_config("types"), durability="sync")
    values = (await app.aget_state(thread_config("types"))).values
    assert values["known"] == Known(n=1)
    assert not isinstance(values["foreign"], Foreign)


async def test_words_given_again_take_the_place_of_the_earlier(database: Database) -> None:
    id, saver = await open_consultation(database), Checkpointer(database)
    config = thread_config(id)
    await graph(saver).ainvoke({"turn": 1, "steps": []}, config, durability="sync")
    for words in ("old", "old", "new"):  # noted each time, and then the process dies
        with pytest.raises(Killed):
            await graph(saver, "ask").ainvoke(Command(resume=words), config, durability="sync")
    state = await graph(saver).ainvoke(None, config, durability="sync")
    assert state["temperature"] == "new"
    assert (await recorded(database, id))[-3:] == SECOND


async def test_a_turn_given_up_half_way_does_not_stand_in_the_way(database: Database) -> None:
    id, saver = await open_consultation(database), Checkpointer(database)
    config = thread_config(id)
    with pytest.raises(Killed):
        await graph(saver, "retrieve").ainvoke({"turn": 1}, config, durability="sync")
    await graph(saver).ainvoke({"turn": 2}, config, durability="sync")  # the next words
    assert await recorded(database, id) == ["consultation.opened", "safety", *FIRST]


async def test_why_the_outbox_is_a_topic() -> None:
    class One(TypedDict, total=False):
        outbox: Annotated[list[dict[str, Any]], EphemeralValue([], guard=False)]

    class All(TypedDict, total=False):
        outbox: Annotated[list[dict[str, Any]], Topic(dict)]

    for schema, kept in ((One, 1), (All, 2)):
        builder: Any = StateGraph(schema)
        for name in ("a", "b"):
            builder.add_node(name, lambda _, name=name: {"outbox": [said(name)]})
            builder.add_edge(START, name)
        assert len((await builder.compile().ainvoke({}))["outbox"]) == kept


async def test_time_is_injected(database: Database) -> None:
    id = await open_consultation(database)
    moment = datetime(2031, 5, 6, tzinfo=UTC)
    await graph(Checkpointer(database, clock=lambda: moment)).ainvoke(
        {"turn": 1, "steps": []}, thread_config(id), durability="sync"
    )
    async with database.reading() as connection:
        assert {e.at for e in (await events.read(connection, id))[1:]} == {moment}
        assert (await consultations.get(connection, id)).created_at == NOW


async def test_a_late_turn_costs_no_more_than_an_early_one(database: Database) -> None:
    class Loop(TypedDict, total=False):
        turn: int
        outbox: Annotated[list[dict[str, Any]], Topic(dict)]

    async def answer(state: Loop) -> Loop:
        items = [said("x" * 400), to_outbox(CALL), to_outbox(LOOKED_UP)]
        return {"outbox": items}

    async def listen(_: Loop) -> Loop:
        return {"turn": interrupt("more?")}

    builder: Any = StateGraph(Loop)
    builder.add_node("answer", answer)
    builder.add_node("listen", listen)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", "listen")
    builder.add_edge("listen", "answer")
    id, saver = await open_consultation(database), Checkpointer(database)
    app = builder.compile(checkpointer=saver)

    async def stored() -> int:
        total = 0
        async with database.reading() as connection:
            for table in metadata.tables.values():
                for row in (await connection.execute(select(table))).all():
                    total += sum(len(v) if isinstance(v, bytes) else len(str(v)) for v in row)
        return total

    cost = [0]
    for number in range(1, 41):
        before = await stored()
        given: Any = {"turn": 1} if number == 1 else Command(resume=number)
        await app.ainvoke(given, thread_config(id), durability="sync")
        cost.append(await stored() - before)
        await saver.aprune([id])
    assert cost[40] < 1.5 * cost[2]


async def test_a_turn_taken_over_while_a_step_is_stored(database: Database) -> None:
    id, saver = await open_consultation(database), Checkpointer(database)
    begun = await a_turn(database, id)
    assert begun.lease is not None
    later = NOW.replace(hour=23)
    async with Database(database.url.render_as_string(hide_password=False)) as other:
        async with other.transaction() as connection:
            (left,) = await turns.expired(connection, now=later)
            await turns.take_over(connection, left, holder="other", lease=LEASE, now=later)
            step = asyncio.create_task(
                graph(saver).ainvoke(
                    {"turn": 1, "steps": []}, thread_config(id, begun.lease), durability="sync"
                )
            )
            await asyncio.sleep(0.3)
            assert not step.done()  # it waits for what becomes of the turn
        with pytest.raises(LeaseLost):
            await step
    async with database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(checkpoint)) == 0
