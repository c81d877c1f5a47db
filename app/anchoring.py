"""The daily anchor, made by whichever server process finds it due."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from records import anchors
from records.database import Database
from records.errors import RecordRefused, RecordsError
from records.signing import Signer
from records.tables import from_text

log = structlog.get_logger(__name__)

EVERY = timedelta(days=1)
LOOK = timedelta(minutes=10)
"""Time between two looks whether an anchor is due."""


async def keep_anchored(
    database: Database, signer: Signer, *, every: timedelta = EVERY, look: timedelta = LOOK
) -> None:
    """Anchor all chains whenever the newest anchor is as old as `every`; runs until cancelled.

    What goes wrong is logged and tried again at the next look.
    """
    while True:
        try:
            await anchor_if_due(database, signer, every=every)
        except RecordsError as error:
            log.warning("anchor.failed", code=error.code)
        await asyncio.sleep(look.total_seconds())


async def anchor_if_due(
    database: Database, signer: Signer, *, every: timedelta = EVERY
) -> anchors.Anchor | None:
    """The anchor made now, or None where none is due. A clock that ran backwards makes one due."""
    async with database.reading() as connection:
        newest = await anchors.newest_at(connection)
    now = datetime.now(UTC)
    if newest is not None and timedelta(0) <= now - from_text(newest) < every:
        return None
    try:
        async with database.transaction() as connection:
            made = await anchors.make(connection, signer, now=now)
    except RecordRefused:
        return None  # another process made it
    log.info("anchor.made", number=made.number, consultations=len(made.heads))
    return made
