"""What may take long on SQLite holds up nobody else, and nothing is left half-way."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import text

from records import consultations
from records.database import Database
from records.errors import DatabaseReadOnly
from tests.records.samples import NOW, open_consultation


async def longest_pause(stop: asyncio.Event) -> float:
    """The longest time for which the event loop did not come round."""
    longest, last = 0.0, time.monotonic()
    while not stop.is_set():
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    return longest


async def mark(database: Database, id: str) -> None:
    async with database.transaction() as connection:
        await consultations.set_status(connection, id, "emergency", now=NOW)


async def status(database: Database, id: str) -> str:
    async with database.reading() as connection:
        return (await consultations.get(connection, id)).status


async def test_waiting_for_another_process_does_not_stop_the_loop(sqlite_url: str) -> None:
    async with Database(sqlite_url) as database, Database(sqlite_url) as other:
        id = await open_consultation(database)
        stop = asyncio.Event()
        pause = asyncio.create_task(longest_pause(stop))
        async with other.transaction():  # as another process would: it knows no line
            waiting = asyncio.create_task(mark(database, id))
            await asyncio.sleep(3.0)
            assert not waiting.done()
        await waiting
        stop.set()
        assert await pause < 2.5
        assert await status(database, id) == "emergency"


async def test_who_gives_up_waiting_leaves_nothing(sqlite_url: str) -> None:
    async with Database(sqlite_url, patience=0.5, pool_size=1) as database:
        id = await open_consultation(database)
        async with Database(sqlite_url) as other, other.transaction():
            waiting = asyncio.create_task(mark(database, id))
            await asyncio.sleep(0.1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert await status(database, id) == "open"
        await mark(database, id)
        assert await status(database, id) == "emergency"


async def test_cancelled_at_any_moment_all_or_nothing(sqlite_url: str) -> None:
    async with Database(sqlite_url, pool_size=1) as database:
        ids = [await open_consultation(database) for _ in range(40)]
        for n, id in enumerate(ids):
            writing = asyncio.create_task(mark(database, id))
            for _ in range(n):
                await asyncio.sleep(0)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            marked = await status(database, id)
            if writing.done() and not writing.cancelled():
                assert marked == "emergency"
        found = {await status(database, id) for id in ids}
        assert "open" in found
        await mark(database, ids[0])  # the only connection is as good as before
        assert await status(database, ids[0]) == "emergency"


async def test_a_refused_beginning_leaves_its_patience_as_it_was(sqlite_url: str) -> None:
    url = f"sqlite:///file:{sqlite_url.removeprefix('sqlite:///')}?mode=ro&uri=true"
    async with Database(url, patience=1.5, pool_size=1) as database:
        with pytest.raises(DatabaseReadOnly):
            await open_consultation(database)
        async with database.reading() as connection:
            assert await connection.scalar(text("PRAGMA busy_timeout")) == 1500


async def test_the_disk_is_waited_for(sqlite_url: str) -> None:
    async with Database(sqlite_url) as database, database.reading() as connection:
        assert await connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await connection.scalar(text("PRAGMA foreign_keys")) == 1
