"""A write waits for the checkpoint that makes it needless, and is stored where none comes."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import func, select

from records.checkpointer import Checkpointer, thread_config
from records.database import Database
from records.errors import DiskFull
from records.superseding import GRACE, Superseding
from records.tables import checkpoint_write
from tests.records.samples import open_consultation
from tests.records.test_checkpointer import Killed, graph

KEY = ("thread", "", "checkpoint")


async def test_a_stored_checkpoint_makes_the_writes_needless() -> None:
    superseding = Superseding()
    waiting = [asyncio.create_task(superseding.happens(KEY)) for _ in range(3)]
    await asyncio.sleep(0)
    with superseding.storing(KEY):
        await asyncio.sleep(2 * GRACE)  # once begun, it is waited for, however long it takes
        assert not any(one.done() for one in waiting)
    assert await asyncio.gather(*waiting) == [True] * 3


async def fails(superseding: Superseding) -> None:
    with superseding.storing(KEY):
        raise DiskFull


async def test_a_checkpoint_that_fails_does_not() -> None:
    superseding = Superseding()
    waiting = asyncio.create_task(superseding.happens(KEY))
    await asyncio.sleep(0)
    with pytest.raises(DiskFull):
        await fails(superseding)
    assert await waiting is False


async def test_a_checkpoint_of_another_step_does_not() -> None:
    superseding = Superseding()
    started = time.monotonic()
    waiting = asyncio.create_task(superseding.happens(KEY))
    await asyncio.sleep(0)
    with superseding.storing(("thread", "", "another")):
        pass
    assert await waiting is False
    assert time.monotonic() - started >= GRACE / 2
    with superseding.storing(KEY):  # nobody waits any more
        pass


async def test_only_what_has_no_checkpoint_yet_is_stored(database: Database) -> None:
    async def kept() -> set[str]:
        async with database.reading() as connection:
            query = select(checkpoint_write.c.channel, func.count()).group_by("channel")
            return {row.channel for row in (await connection.execute(query)).all()}

    id, saver = await open_consultation(database), Checkpointer(database)
    with pytest.raises(Killed):
        await graph(saver, "retrieve").ainvoke(
            {"turn": 1, "steps": []}, thread_config(id), durability="sync"
        )
    assert "outbox" in await kept()  # the neighbour that was done
    other = await open_consultation(database)
    async with database.transaction() as connection:
        await connection.execute(checkpoint_write.delete())
    await graph(saver).ainvoke({"turn": 1, "steps": []}, thread_config(other), durability="sync")
    assert "__interrupt__" in await kept()  # what it waits at is stored at once
