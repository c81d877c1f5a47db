"""Events: appended in order, once; the database itself refuses to change them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, text

from agent.events import EVENT_TYPES, Event, ModelCall, RetrievalCall, to_outbox
from records import events
from records.chain import GENESIS
from records.database import Database
from records.errors import NotFound, RecordRefused
from records.tables import event, model_call
from tests.records.samples import NOW, a_turn, open_consultation

CALL = ModelCall(
    purpose="summarise",
    prompt=[{"role": "user", "content": "half \ud83d, nul \0"}],
    parameters={},
    output="\0",
    finish="stop",
    model_release="m1",
)
FOUND = RetrievalCall(query="cough", release="k1", hits=[{"chunk": "c1", "score": 0.25}])


def said(text: str) -> dict[str, Any]:
    return to_outbox(Event(type="patient.said", actor="patient", payload={"text": text}))


async def put(database: Database, id: str, *items: dict[str, Any], **given: Any) -> list[int]:
    async with database.transaction() as connection:
        return await events.append(connection, id, items, **({"now": NOW} | given))


async def test_numbered_chained_and_read_in_order(database: Database) -> None:
    id = await open_consultation(database)
    assert await put(database, id, said("one"), said("two"), turn=1) == [2, 3]
    assert await put(database, id, said("three"), turn=2) == [4]
    async with database.reading() as connection:
        found = await events.read(connection, id)
        assert [e.seq for e in found] == [1, 2, 3, 4]
        assert found[0].prev_hash == GENESIS
        assert [e.prev_hash for e in found[1:]] == [e.hash for e in found[:-1]]
        assert {e.at for e in found} == {NOW}
        assert [e.seq for e in await events.read(connection, id, after=2, limit=1)] == [3]
        assert [e.seq for e in await events.read(connection, id, turn=1)] == [2, 3]
        assert await events.verify(connection, id) is None


async def test_calls_are_kept_whole_and_messages_projected(database: Database) -> None:
    id = await open_consultation(database)
    await put(database, id, said("咳嗽"), to_outbox(CALL), to_outbox(FOUND), turn=1)
    reply = Event(type="reply.given", actor="service", payload={"text": "多喝水\0\ud83d"})
    await put(database, id, to_outbox(reply), turn=1)
    async with database.reading() as connection:
        assert await events.model_calls(connection, id) == [(3, CALL)]
        assert await events.model_calls(connection, id, turn=2) == []
        assert await events.retrievals(connection, id, turn=1) == [(4, FOUND)]
        transcript = await events.transcript(connection, id)
        assert [(m.role, m.text) for m in transcript] == [
            ("patient", "咳嗽"),
            ("service", "多喝水\ufffd\ufffd"),
        ]
        found = await events.read(connection, id)
        assert found[-1].payload == reply.payload  # the event keeps what the message cannot
        types = [e.type for e in found]
        assert types[2:4] == ["model.called", "retrieval.made"]
        assert set(types) <= set(EVENT_TYPES)
        assert await events.verify(connection, id) is None


NO_EVENTS: list[dict[str, Any]] = [
    {},
    {"kind": "rumour"},
    {"kind": "event", "type": "no.such", "actor": "patient", "payload": {}},
    {"kind": "event", "type": "patient.said", "actor": "stranger", "payload": {"text": "a"}},
    {"kind": "event", "type": "patient.said", "actor": "patient", "payload": {}},
    {"kind": "event", "type": "patient.said", "actor": "patient", "payload": {"text": 1}},
    {"kind": "retrieval", "query": "a"},
]


async def test_what_is_no_event_is_refused_whole(database: Database) -> None:
    id = await open_consultation(database)
    for item in NO_EVENTS:
        with pytest.raises(ValueError, match=r".+"):
            await put(database, id, said("good"), item)
    async with database.reading() as connection:
        assert len(await events.read(connection, id)) == 1


@pytest.mark.parametrize("id", ["nobody", "\0", "无"])
async def test_no_such_consultation(database: Database, id: str) -> None:
    with pytest.raises(NotFound):
        await put(database, id, said("a"))


async def test_from_one_origin_only_once(database: Database) -> None:
    id = await open_consultation(database)
    assert await put(database, id, said("a"), said("b"), origin="checkpoint-1") == [2, 3]
    assert await put(database, id, said("a"), said("b"), origin="checkpoint-1") == []
    assert await put(database, id, said("a"), origin="checkpoint-2") == [4]


FORBIDDEN = [
    "UPDATE event SET payload = '{}'",
    "UPDATE event SET hash = hash WHERE seq = 1",
    "DELETE FROM event",
    "UPDATE model_call SET content = '{}'",
    "DELETE FROM model_call",
    "UPDATE retrieval_call SET content = '{}'",
    "DELETE FROM retrieval_call",
]


async def refused(database: Database, *statements: str) -> None:
    async def run() -> None:
        async with database.transaction() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    with pytest.raises(RecordRefused):
        await run()


async def test_the_database_refuses_to_change_a_record(database: Database) -> None:
    id = await open_consultation(database)
    await put(database, id, to_outbox(CALL), to_outbox(FOUND))
    for statement in FORBIDDEN:
        await refused(database, statement)
    async with database.reading() as connection:
        assert await events.verify(connection, id) is None
        assert len(await events.read(connection, id)) == 3


async def test_the_database_refuses_the_ways_around(database: Database) -> None:
    id = await open_consultation(database)
    await put(database, id, to_outbox(CALL))
    if database.dialect == "sqlite":
        for table in ("event", "model_call"):
            replace = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
            await refused(database, replace)
            # Even from a connection that does not wake triggers on REPLACE.
            await refused(database, "PRAGMA recursive_triggers = OFF", replace)
    else:
        for table in ("event", "model_call", "retrieval_call"):
            await refused(database, f"TRUNCATE {table} CASCADE")
    async with database.reading() as connection:
        assert await events.verify(connection, id) is None


@pytest.mark.parametrize(("seq", "prev"), [(2, "f" * 64), (5, None), (1, None), (0, GENESIS)])
async def test_the_database_refuses_an_event_that_does_not_follow(
    database: Database, seq: int, prev: str | None
) -> None:
    id = await open_consultation(database)
    async with database.reading() as connection:
        last = (await events.links(connection, id))[-1]
    row = {"consultation_id": id, "seq": seq, "type": "patient.said", "actor": "patient"}
    row |= {"at": last.at, "payload": "{}", "prev_hash": prev or last.hash, "hash": "e" * 64}
    with pytest.raises(RecordRefused):
        async with database.transaction() as connection:
            await connection.execute(insert(event), [row])


async def without_guards(database: Database, statement: str) -> None:
    """What someone with full rights over the database can do."""
    async with database.transaction() as connection:
        if database.dialect == "postgresql":
            await connection.execute(text("SET session_replication_role = replica"))
        else:
            names = await connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            )
            for name in names.scalars().all():
                await connection.execute(text(f"DROP TRIGGER {name}"))
            await connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        await connection.execute(text(statement))
        if database.dialect == "postgresql":
            await connection.execute(text("SET session_replication_role = origin"))


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ('UPDATE event SET payload = \'{"text":"no pain"}\' WHERE seq = 2', 2),
        ("UPDATE event SET turn = 7 WHERE seq = 3", 3),
        ("UPDATE event SET at = '2020' || substr(at, 5) WHERE seq = 1", 1),
        ("UPDATE model_call SET content = replace(content, 'm1', 'm2')", 3),
        ("UPDATE retrieval_call SET content = replace(content, 'k1', 'k2')", 4),
        ("UPDATE passage SET content = replace(content, 'c1', 'c2')", 4),
        ("DELETE FROM passage", 4),
        ("DELETE FROM model_call", 3),
        ("UPDATE message SET text = 'no pain' WHERE seq = 2", 2),
        ("UPDATE message SET role = 'service' WHERE seq = 2", 2),
        ("DELETE FROM message WHERE seq = 5", 5),
    ],
)
async def test_tampering_with_full_rights_is_found_at_its_place(
    database: Database, statement: str, seq: int
) -> None:
    id = await open_consultation(database)
    await put(database, id, said("chest pain"), to_outbox(CALL), to_outbox(FOUND), turn=1)
    await put(database, id, said("and sweating"), turn=2)
    await without_guards(database, statement)
    async with database.reading() as connection:
        broken = await events.verify(connection, id)
    assert broken is not None
    assert broken.seq == seq


async def test_a_call_needs_its_event(database: Database) -> None:
    id = await open_consultation(database)
    row = {"consultation_id": id, "seq": 9, "purpose": "p", "model_release": "m"}
    with pytest.raises(RecordRefused):
        async with database.transaction() as connection:
            await connection.execute(insert(model_call), [row | {"content": {}, "sha256": ""}])


async def test_messages_can_be_made_again_from_events(database: Database) -> None:
    id = await open_consultation(database)
    await a_turn(database, id, text="咳嗽三天")
    reply = Event(type="reply.given", actor="service", payload={"text": "多喝水"})
    await put(database, id, to_outbox(reply), turn=1)
    async with database.reading() as connection:
        again = [
            events.project(e.seq, e.turn, e.type, e.payload, e.at)
            for e in await events.read(connection, id)
        ]
        assert [m for m in again if m] == await events.transcript(connection, id)
