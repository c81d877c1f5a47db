"""Consultations: what they are pinned to, whose they are, and how they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from records import consultations, events, turns
from records.database import Database
from records.errors import ConsultationClosed, NotFound, TurnRunning
from records.ids import new_id
from tests.records.samples import NOW, a_turn, open_consultation


async def test_what_was_opened_is_found_again(database: Database) -> None:
    id = await open_consultation(database)
    async with database.reading() as connection:
        found = await consultations.get(connection, id, owner="key-1")
        assert (found.id, found.status, found.language) == (id, "open", "zh")
        assert (found.patient, found.consent) == (
            {"age_years": 34, "sex": "female"},
            {"recorded": True},
        )
        assert (found.knowledge_release, found.model_release) == ("k1", "m1")
        assert (found.seed, found.created_at, found.closed_at) == (2**40, NOW, None)
        (opened,) = await events.read(connection, id)
        assert opened.type == "consultation.opened"
        assert opened.payload["patient"] == found.patient
        assert opened.payload["seed"] == 2**40


@pytest.mark.parametrize("id", ["nobody", "", "\0", "'; DROP TABLE event; --", "无"])
async def test_unknown(database: Database, id: str) -> None:
    async with database.reading() as connection:
        with pytest.raises(NotFound):
            await consultations.get(connection, id)


async def test_anothers_consultation_is_not_there(database: Database) -> None:
    id = await open_consultation(database, owner="key-1")
    async with database.transaction() as connection:
        with pytest.raises(NotFound):
            await consultations.get(connection, id, owner="key-2")
        with pytest.raises(NotFound):
            await consultations.close(
                connection, id, reason="x", actor="patient", now=NOW, owner="key-2"
            )


async def test_closed_once_for_good(database: Database) -> None:
    id = await open_consultation(database)
    async with database.transaction() as connection:
        closed = await consultations.close(
            connection, id, reason="patient left", actor="patient", now=NOW
        )
        assert (closed.status, closed.closed_at) == ("closed", NOW)
        with pytest.raises(ConsultationClosed):
            await consultations.close(connection, id, reason="x", actor="patient", now=NOW)
        await consultations.set_status(connection, id, "open", now=NOW)
        assert (await consultations.get(connection, id)).status == "closed"
        last = (await events.read(connection, id))[-1]
        assert (last.type, last.payload) == ("consultation.closed", {"reason": "patient left"})


async def test_not_closed_in_the_middle_of_a_turn(database: Database) -> None:
    id = await open_consultation(database)
    begun = await a_turn(database, id)
    async with database.transaction() as connection:
        with pytest.raises(TurnRunning):
            await consultations.close(connection, id, reason="x", actor="patient", now=NOW)
        assert begun.lease is not None
        await turns.finish(connection, begun.lease, {}, now=NOW)
        await consultations.close(connection, id, reason="x", actor="patient", now=NOW)


async def test_a_time_needs_a_zone_and_is_kept_in_utc(database: Database) -> None:
    with pytest.raises(ValueError, match="zone"):
        await open_consultation(database, now=NOW.replace(tzinfo=None))
    abroad = NOW.astimezone(timezone(timedelta(hours=8)))
    id = await open_consultation(database, now=abroad)
    async with database.reading() as connection:
        created = (await consultations.get(connection, id)).created_at
        assert created == NOW
        assert created.utcoffset() == timedelta(0)


def test_ids_sort_by_time_and_can_be_made_again() -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=n) for n in range(50)]
    ids = [new_id(moment) for moment in moments]
    assert ids == sorted(ids)
    assert len({new_id(NOW) for _ in range(1000)}) == 1000
    made = UUID(new_id(NOW, entropy=(1 << 74) - 1))
    assert (made.version, made.variant) == (7, UUID(ids[0]).variant)
    assert made.int >> 80 == int(NOW.timestamp() * 1000)
    assert new_id(NOW, entropy=5) == new_id(NOW, entropy=5) != new_id(NOW, entropy=6)
