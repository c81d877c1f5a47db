"""A consultation and a turn to work on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from records import consultations, turns
from records.database import Database

NOW = datetime(2026, 1, 31, 8, 15, 0, 123456, tzinfo=UTC)
LEASE = timedelta(seconds=30)


async def open_consultation(database: Database, **given: Any) -> str:
    """Opens a consultation and returns its id."""
    values: dict[str, Any] = {
        "owner": "key-1",
        "language": "zh",
        "patient": {"age_years": 34, "sex": "female"},
        "consent": {"recorded": True},
        "knowledge_release": "k1",
        "model_release": "m1",
        "seed": 2**40,
        "now": NOW,
    }
    async with database.transaction() as connection:
        return (await consultations.create(connection, **(values | given))).id


async def a_turn(database: Database, id: str, **given: Any) -> turns.Begun:
    """Begins a turn."""
    values: dict[str, Any] = {
        "key": "k",
        "body_hash": "b",
        "text": "我头痛",
        "holder": "p1",
        "lease": LEASE,
        "now": NOW,
    }
    async with database.transaction() as connection:
        return await turns.begin(connection, id, **(values | given))
