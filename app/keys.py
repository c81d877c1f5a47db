"""API keys from the command line."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from app.settings import Settings
from records import keys, schema
from records.database import Database


async def first_key(database: Database) -> str | None:
    """The first key, made where there is none yet; None where there is one."""
    async with database.transaction() as connection:
        if await keys.all_keys(connection):
            return None
        _, secret = await keys.create(
            connection, label="first", scopes=keys.SCOPES, now=datetime.now(UTC)
        )
        return secret


async def make_key(settings: Settings, label: str, scopes: list[str]) -> str:
    """A new key with these scopes. Raises ValueError for an unknown scope."""
    settings.home.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(schema.migrate, settings.database)
    async with Database(settings.database) as database, database.transaction() as connection:
        _, secret = await keys.create(connection, label=label, scopes=scopes, now=datetime.now(UTC))
        return secret
