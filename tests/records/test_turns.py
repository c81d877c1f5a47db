"""Turns: one at a time, answered once, never lost with the process that worked on them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from records import consultations, events, turns
from records.database import Database
from records.errors import (
    ConsultationClosed,
    IdempotencyKeyInvalid,
    IdempotencyMismatch,
    LeaseLost,
    NotFound,
    RecordRefused,
    TextNotStorable,
    TurnRunning,
    TurnSuperseded,
)
from records.tables import turn
from records.turns import Begun, Lease
from tests.records.samples import LEASE, NOW, a_turn, open_consultation

LATER = NOW + timedelta(minutes=5)


async def finish(database: Database, begun: Begun, **result: Any) -> None:
    assert begun.lease is not None
    async with database.transaction() as connection:
        await turns.finish(connection, begun.lease, result, now=LATER)


async def fail(database: Database, begun: Begun) -> None:
    assert begun.lease is not None
    async with database.transaction() as connection:
        await turns.fail(connection, begun.lease, "model.timeout", now=LATER)


async def test_a_turn_from_words_to_answer(database: Database) -> None:
    id = await open_consultation(database)
    begun = await a_turn(database, id, text="我头痛")
    assert begun == Begun(1, lease=Lease(id, 1, 1))
    async with database.reading() as connection:
        running = await turns.get(connection, id, 1)
        assert (running.status, running.text, running.lease_owner) == ("running", "我头痛", "p1")
        assert running.lease_until == NOW + LEASE
        (said,) = await events.transcript(connection, id)
        assert (said.role, said.text, said.turn) == ("patient", "我头痛", 1)
    async with database.transaction() as connection:
        assert begun.lease is not None
        await turns.finish(connection, begun.lease, {"reply": "好"}, now=LATER, status="emergency")
    async with database.reading() as connection:
        done = await turns.get(connection, id, 1)
        assert (done.status, done.result, done.finished_at) == ("done", {"reply": "好"}, LATER)
        assert (done.lease_owner, done.lease_until) == (None, None)
        assert (await consultations.get(connection, id)).status == "emergency"
    assert (await a_turn(database, id, key="k2", text="b")).number == 2
    async with database.reading() as connection:
        assert [t.number for t in await turns.of(connection, id)] == [1, 2]
        with pytest.raises(NotFound):
            await turns.get(connection, id, 3)


async def test_the_same_key_answers_the_same(database: Database) -> None:
    id = await open_consultation(database)
    begun = await a_turn(database, id)
    with pytest.raises(TurnRunning):
        await a_turn(database, id)
    await finish(database, begun, reply="好")
    again = await a_turn(database, id)
    assert again == Begun(1, replay={"reply": "好"})
    with pytest.raises(IdempotencyMismatch):
        await a_turn(database, id, body_hash="other")
    async with database.reading() as connection:
        assert len(await events.transcript(connection, id)) == 1
    other = await open_consultation(database)  # a key belongs to its consultation
    assert (await a_turn(database, other, body_hash="other")).number == 1


async def test_a_stored_answer_is_given_even_after_closing(database: Database) -> None:
    id = await open_consultation(database)
    await finish(database, await a_turn(database, id), reply="好")
    async with database.transaction() as connection:
        await consultations.close(connection, id, reason="done", actor="patient", now=LATER)
    assert (await a_turn(database, id)).replay == {"reply": "好"}
    with pytest.raises(ConsultationClosed):
        await a_turn(database, id, key="new")


@pytest.mark.parametrize("status", ["emergency", "handed_off"])
async def test_a_patient_may_go_on_speaking(database: Database, status: Any) -> None:
    id = await open_consultation(database)
    async with database.transaction() as connection:
        await consultations.set_status(connection, id, status, now=NOW)
    assert (await a_turn(database, id)).number == 1


async def test_one_of_twenty_turns_at_once_runs(database: Database) -> None:
    id = await open_consultation(database)

    async def attempt(n: int) -> Begun | None:
        try:
            return await a_turn(database, id, key=f"k{n}")
        except TurnRunning:
            return None

    begun = await asyncio.gather(*(attempt(n) for n in range(20)))
    assert len([b for b in begun if b is not None]) == 1
    async with database.reading() as connection:
        assert len(await turns.of(connection, id)) == 1
        assert len(await events.read(connection, id)) == 2
        assert await events.verify(connection, id) is None


async def test_one_of_twenty_equal_requests_runs(database: Database) -> None:
    id = await open_consultation(database)
    found = await asyncio.gather(*(a_turn(database, id) for _ in range(20)), return_exceptions=True)
    assert len([one for one in found if isinstance(one, Begun)]) == 1
    assert len([one for one in found if isinstance(one, TurnRunning)]) == 19


async def test_twenty_consultations_at_once(database: Database) -> None:
    async def one(n: int) -> str:
        id = await open_consultation(database)
        for number in range(1, 4):
            begun = await a_turn(database, id, key=f"{n}-{number}", text=f"{n}-{number}")
            await finish(database, begun, n=number)
        return id

    for id in await asyncio.gather(*(one(n) for n in range(20))):
        async with database.reading() as connection:
            assert await events.verify(connection, id) is None
            assert [t.result for t in await turns.of(connection, id)] == [
                {"n": n} for n in (1, 2, 3)
            ]


async def test_the_database_itself_holds_one_running_turn(database: Database) -> None:
    id = await open_consultation(database)
    await a_turn(database, id)
    row = {"consultation_id": id, "number": 2, "idempotency_key": "x", "body_hash": "b"}
    row |= {"text": "t", "status": "running", "lease_until": NOW, "attempt": 1, "started_at": NOW}
    async with database.engine.connect() as connection:
        with pytest.raises(Exception, match=r"(?i)unique"):
            await connection.execute(insert(turn), [row])


async def test_a_failed_turn_is_tried_again_under_its_key(database: Database) -> None:
    id = await open_consultation(database)
    await fail(database, await a_turn(database, id))
    async with database.reading() as connection:
        failed = await turns.get(connection, id, 1)
        assert (failed.status, failed.error) == ("failed", "model.timeout")
        assert (await events.read(connection, id))[-1].payload == {"code": "model.timeout"}
    again = await a_turn(database, id)
    assert again == Begun(1, lease=Lease(id, 1, 2), resumed=True)
    async with database.reading() as connection:  # the words are on record once
        assert len(await events.transcript(connection, id)) == 1
    await finish(database, again, reply="好")
    assert (await a_turn(database, id)).replay == {"reply": "好"}


async def test_a_failed_turn_is_left_where_the_consultation_went_on(database: Database) -> None:
    id = await open_consultation(database)
    await fail(database, await a_turn(database, id))
    await finish(database, await a_turn(database, id, key="k2"))
    with pytest.raises(TurnSuperseded):
        await a_turn(database, id)


async def test_a_lease_is_renewed_and_taken_over(database: Database) -> None:
    id = await open_consultation(database)
    begun = await a_turn(database, id)
    assert begun.lease is not None
    async with database.transaction() as connection:
        assert await turns.expired(connection, now=NOW + LEASE / 2) == []
        await turns.heartbeat(connection, begun.lease, until=LATER)
        assert await turns.expired(connection, now=NOW + 2 * LEASE) == []
        after = LATER + LEASE
        (left,) = await turns.expired(connection, now=after)
        assert left.number == 1
        taken = await turns.take_over(connection, left, holder="p2", lease=LEASE, now=after)
        assert taken == Lease(id, 1, 2)
        late = await turns.take_over(connection, left, holder="p3", lease=LEASE, now=after)
        assert late is None
    writes: list[Any] = [
        lambda c, lease: turns.heartbeat(c, lease, until=LATER),
        lambda c, lease: turns.finish(c, lease, {}, now=LATER),
        lambda c, lease: turns.fail(c, lease, "x", now=LATER),
        turns.require,
    ]
    for write in writes:
        async with database.transaction() as connection:
            with pytest.raises(LeaseLost):
                await write(connection, begun.lease)
    async with database.transaction() as connection:
        await turns.require(connection, taken)
        await turns.finish(connection, taken, {"reply": "好"}, now=LATER)


async def test_a_turn_that_was_renewed_meanwhile_is_not_taken(database: Database) -> None:
    id = await open_consultation(database)
    begun = await a_turn(database, id)
    assert begun.lease is not None
    after = NOW + 2 * LEASE
    async with database.transaction() as connection:
        (left,) = await turns.expired(connection, now=after)
        await turns.heartbeat(connection, begun.lease, until=after + LEASE)
        assert await turns.take_over(connection, left, holder="p2", lease=LEASE, now=after) is None


async def test_one_of_ten_sweepers_takes_a_turn_over(database: Database) -> None:
    id = await open_consultation(database)
    await a_turn(database, id)

    async def sweep(n: int) -> int:
        taken = 0
        async with database.reading() as connection:
            left = await turns.expired(connection, now=LATER)
        for one in left:
            async with database.transaction() as connection:
                lease = await turns.take_over(
                    connection, one, holder=f"p{n}", lease=LEASE, now=LATER
                )
                taken += lease is not None
        return taken

    assert sum(await asyncio.gather(*(sweep(n) for n in range(10)))) == 1


@pytest.mark.parametrize("words", ["nul \0", "half \ud83d"])
async def test_words_that_no_database_holds(database: Database, words: str) -> None:
    id = await open_consultation(database)
    with pytest.raises(TextNotStorable):
        await a_turn(database, id, text=words)
    async with database.reading() as connection:
        assert await turns.of(connection, id) == []


@pytest.mark.parametrize("key", ["", "k" * 256, "nul\0", "键"])
async def test_keys_that_no_header_holds(database: Database, key: str) -> None:
    id = await open_consultation(database)
    with pytest.raises(IdempotencyKeyInvalid):
        await a_turn(database, id, key=key)


async def test_long_words_and_emoji_are_kept_as_they_came(database: Database) -> None:
    id = await open_consultation(database)
    words = "头痛🤕‍" * 20_000
    await a_turn(database, id, text=words)
    async with database.reading() as connection:
        assert (await turns.get(connection, id, 1)).text == words
        assert (await events.transcript(connection, id))[0].text == words


async def test_no_such_consultation_and_another_owner(database: Database) -> None:
    with pytest.raises(NotFound):
        await a_turn(database, "nobody")
    id = await open_consultation(database, owner="key-1")
    with pytest.raises(NotFound):
        await a_turn(database, id, owner="key-2")
    assert (await a_turn(database, id, owner="key-1")).number == 1


async def test_a_turn_of_no_consultation_is_refused_by_the_database(database: Database) -> None:
    row = {"consultation_id": "x", "number": 1, "idempotency_key": "x", "body_hash": "b"}
    row |= {"text": "t", "status": "failed", "attempt": 1, "started_at": NOW}

    async def put() -> None:
        async with database.transaction() as connection:
            await connection.execute(insert(turn), [row])

    with pytest.raises(RecordRefused):
        await put()
