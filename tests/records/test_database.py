"""Transactions, and what goes wrong with a database: a typed error, nothing half-written."""

from __future__ import annotations

import asyncio
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from records import consultations, events
from records.database import Database
from records.errors import (
    DatabaseDamaged,
    DatabaseError,
    DatabaseLocked,
    DatabaseReadOnly,
    DatabaseUnavailable,
    DiskFull,
    RecordsError,
)
from records.tables import turn
from tests.records.samples import NOW, open_consultation


async def test_all_or_nothing(database: Database) -> None:
    id = await open_consultation(database)

    async def half() -> None:
        async with database.transaction() as connection:
            await consultations.set_status(connection, id, "emergency", now=NOW)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        await half()
    async with database.reading() as connection:
        assert (await consultations.get(connection, id)).status == "open"


async def test_a_reader_sees_one_picture_and_cannot_write(database: Database) -> None:
    id = await open_consultation(database)
    async with database.reading() as reader:
        before = len(await events.read(reader, id))
        async with database.transaction() as writer:
            await consultations.close(writer, id, reason="r", actor="operator", now=NOW)
        assert len(await events.read(reader, id)) == before
    async with database.reading() as reader:
        assert len(await events.read(reader, id)) == before + 1


async def test_a_writer_does_not_wait_for_ever(database_url: str) -> None:
    async with Database(database_url) as other, Database(database_url, patience=0.3) as database:
        id = await open_consultation(other)
        async with other.transaction() as holder:
            await consultations.set_status(holder, id, "emergency", now=NOW)
            started = time.monotonic()
            with pytest.raises(DatabaseLocked):
                await close(database, id)
            assert 0.2 < time.monotonic() - started < 20
            async with database.reading() as connection:  # readers are not held up
                assert (await consultations.get(connection, id)).status == "open"
        await close(database, id)


async def close(database: Database, id: str) -> None:
    async with database.transaction() as connection:
        await consultations.close(connection, id, reason="r", actor="operator", now=NOW)


async def test_writers_of_one_process_wait_in_line(sqlite_url: str) -> None:
    async with Database(sqlite_url, patience=0.3) as database:
        async with database.transaction():
            waiting = asyncio.create_task(open_consultation(database))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            with pytest.raises(RuntimeError, match="open already"):
                await open_consultation(database)
        await waiting
        async with database.transaction():
            late = asyncio.create_task(open_consultation(database))
            with pytest.raises(DatabaseLocked):
                await late


async def test_a_cancelled_writer_leaves_nothing_and_frees_the_line(database: Database) -> None:
    id = await open_consultation(database)
    begun = asyncio.Event()

    async def slow() -> None:
        async with database.transaction() as connection:
            await consultations.set_status(connection, id, "emergency", now=NOW)
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(slow())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.reading() as connection:
        assert (await consultations.get(connection, id)).status == "open"
    await close(database, id)


async def test_a_database_that_can_only_be_read(database_url: str) -> None:
    async with Database(database_url) as database:
        id = await open_consultation(database)
        if database.dialect == "postgresql":
            name = database.url.database
            async with database.transaction() as connection:
                await connection.execute(
                    text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
                )
            url = database_url
        else:
            path = database_url.removeprefix("sqlite:///")
            url = f"sqlite:///file:{path}?mode=ro&uri=true"
    async with Database(url) as database:
        await database.check()
        with pytest.raises(DatabaseReadOnly):
            await open_consultation(database)
        async with database.reading() as connection:
            assert (await consultations.get(connection, id)).status == "open"


async def test_a_full_disk(sqlite_url: str) -> None:
    async with Database(sqlite_url) as database:
        id = await open_consultation(database)

        async def fill() -> None:
            async with database.transaction() as connection:
                # What SQLite is told when no page more can be had.
                await connection.execute(text("PRAGMA max_page_count = 1"))
                words: dict[str, Any] = {"kind": "event", "type": "patient.said"}
                words |= {"actor": "patient", "payload": {"text": "x" * 500_000}}
                now = NOW
                await events.append(connection, id, [words], now=now)

        with pytest.raises(DiskFull):
            await fill()
        async with database.reading() as connection:
            assert await events.verify(connection, id) is None
            assert len(await events.read(connection, id)) == 1


async def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(b"this is no database" * 500)
    async with Database(f"sqlite:///{path}") as database:
        with pytest.raises(DatabaseDamaged):
            await database.check()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody@127.0.0.1:1/none",
        "postgresql:///none?host=/not/there",
        "sqlite:////not/there/huatuo.db",
    ],
)
async def test_a_database_that_is_not_there(url: str) -> None:
    async with Database(url) as database:
        with pytest.raises(DatabaseUnavailable):
            await database.check()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_server_that_goes_away_and_comes_back(database_url: str) -> None:
    async with Database(database_url) as database, Database(database_url) as other:
        id = await open_consultation(database)

        async def cut() -> None:
            async with database.transaction() as connection:
                pid = await connection.scalar(text("SELECT pg_backend_pid()"))
                async with other.transaction() as killer:
                    await killer.execute(text(f"SELECT pg_terminate_backend({pid})"))
                await consultations.set_status(connection, id, "emergency", now=NOW)

        with pytest.raises(DatabaseUnavailable):
            await cut()
        async with database.reading() as connection:  # the pool found a new connection
            assert (await consultations.get(connection, id)).status == "open"


async def test_no_error_quotes_the_patient(database: Database) -> None:
    id = await open_consultation(database)

    async def put(**wrong: Any) -> None:
        row = {"consultation_id": id, "number": 1, "idempotency_key": "x", "body_hash": "b"}
        row |= {"text": "my secret pain", "status": "failed", "attempt": 1, "started_at": NOW}
        async with database.transaction() as connection:
            await connection.execute(insert(turn), [row | wrong])

    for wrong in ({"status": "odd"}, {"number": None}, {"body_hash": "b" * 99, "status": "x"}):
        with pytest.raises(DatabaseError) as raised:
            await put(**wrong)
        assert "secret" not in "".join(traceback.format_exception(raised.value))
    with pytest.raises(ValueError, match="zone") as unzoned:
        await put(started_at=NOW.replace(tzinfo=None))
    assert "secret" not in "".join(traceback.format_exception(unzoned.value))


def test_every_error_has_a_code_of_its_own_and_says_what_to_do() -> None:
    def kinds(of: type[RecordsError]) -> list[type[RecordsError]]:
        return [of, *(kind for sub in of.__subclasses__() for kind in kinds(sub))]

    every = kinds(RecordsError)
    assert len({kind.code for kind in every}) == len(every)
    for kind in every:
        assert 400 <= kind.status < 600
        assert kind("").message.endswith(".")
    assert DatabaseError.status == 503
