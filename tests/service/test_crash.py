"""The service dies before each of its transactions in turn: the next one goes on from there."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from agent.desk import Desk
from api.service import ConsultationService
from records import events
from records.database import Database
from tests.service.fixtures import EN

WORDS = (EN, "34, female")
LEASE = timedelta(milliseconds=1)  # a dead process is found dead at once


class Killed(Exception):
    """The process is gone."""


class Dying(Database):
    """A database whose process dies before the transaction of this number, and stays dead."""

    def __init__(self, url: str, left: int) -> None:
        super().__init__(url)
        self.left = left

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, while the process lives."""
        self.left -= 1
        if self.left < 0:
            raise Killed
        async with super().transaction() as connection:
            yield connection


async def run_turn(url: str, desk: Desk, id: str, number: int, left: int) -> bool:
    """A process that begins a turn and dies after `left` transactions; whether it survived."""
    async with Dying(url, left) as database:
        service = ConsultationService(database, desk)
        try:
            turn = await service.take_turn(id, WORDS[number], key=str(number))
        except Killed:
            return False
        await asyncio.gather(*service._tasks, return_exceptions=True)
        return turn.result is not None


async def test_a_death_before_every_transaction(
    sqlite_template: Path, tmp_path: Path, desk: Desk
) -> None:
    deaths = 0
    for number in range(len(WORDS)):
        survived, left = False, 0
        while not survived:
            path = tmp_path / f"{number}-{left}.db"
            url = f"sqlite:///{shutil.copyfile(sqlite_template, path)}"
            async with Database(url) as database:
                service = ConsultationService(database, desk, lease=LEASE)
                id = (await service.open(owner="me", language="en", seed=1)).id
                for before in range(number):
                    await (await service.take_turn(id, WORDS[before], key=str(before))).answer()
            survived = await run_turn(url, desk, id, number, left)
            deaths += not survived
            await goes_on(url, desk, id, number, f"turn {number}, death {left}")
            left += 1
    assert deaths >= 15


async def goes_on(url: str, desk: Desk, id: str, number: int, where: str) -> None:
    """What the next process does: takes over what was left, then answers the client's retry."""
    async with Database(url) as database:
        async with database.transaction() as connection:
            await connection.exec_driver_sql(
                "UPDATE turn SET lease_until = '2020-01-01T00:00:00.000000Z' "
                "WHERE status = 'running'"
            )
        service = ConsultationService(database, desk)
        await service.resume_left_behind()
        turn = await service.take_turn(id, WORDS[number], key=str(number))
        result = await turn.answer()
        pieces = "".join([piece async for _, piece in turn.pieces()])
        assert pieces == result["reply"], where
        said = await service.transcript(id)
        assert [m.text for m in said[::2]] == list(WORDS[: number + 1]), where
        assert [m.role for m in said] == ["patient", "service"] * (number + 1), where
        assert said[-1].text == result["reply"], where
        recorded = await service.events(id)
        for once in ("patient.said", "findings.understood", "question.asked", "reply.given"):
            assert sum(e.type == once and e.turn == number + 1 for e in recorded) == 1, where
        async with database.reading() as connection:
            assert await events.verify(connection, id) is None, where
        await service.stop()
