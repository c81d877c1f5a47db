"""SQLite under SQLAlchemy's asyncio, with nothing between it and the standard library's driver.

A statement on a local file takes some microseconds, much less than handing it to another thread
and back, so statements run where they are called. What may take long goes to a thread: waiting
for the lock of another process (the beginning of a writing transaction) and waiting for the disk
(its commit).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import await_only

DRIVER = "sqlite+direct"
"""The name of the driver in a URL."""


class DirectDialect(SQLiteDialect_pysqlite):
    """SQLite's dialect, for an engine that is used from coroutines."""

    driver = "direct"
    is_async = True
    supports_statement_cache = True

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begins a transaction, here so that SQLAlchemy translates its errors."""
        dbapi_connection.begin()


registry.register("sqlite.direct", __name__, DirectDialect.__name__)


def connect_args(patience: float, thread: Executor) -> dict[str, Any]:
    """The arguments of a connection that waits for locks `patience` seconds, in `thread`."""
    return {
        "timeout": patience,
        "isolation_level": None,  # the driver begins nothing by itself
        "check_same_thread": False,
        "factory": partial(DirectConnection, thread=thread),
    }


class DirectCursor(sqlite3.Cursor):
    """A cursor as SQLAlchemy's asyncio expects it."""

    async def _async_soft_close(self) -> None:
        """Nothing is left behind: rows are read from the same file, in the same place."""


class DirectConnection(sqlite3.Connection):
    """A connection that waits in a thread. To be used under SQLAlchemy's asyncio alone."""

    def __init__(self, *args: Any, thread: Executor, **options: Any) -> None:
        super().__init__(*args, **options)
        self._thread = thread
        self._patience = int(options["timeout"] * 1000)
        self.writes = False  # what the next transaction is for

    def cursor(self, *_: Any) -> sqlite3.Cursor:  # type: ignore[override]
        """A cursor. Only within SQLAlchemy's asyncio."""
        await_only(_nothing())  # SQLAlchemy holds a statement that never awaits for a mistake
        return super().cursor(DirectCursor)

    def begin(self) -> None:
        """Begins a transaction. One that writes takes its lock at once: one that read first and
        then wants to write would fail where another wrote in between, without any waiting."""
        if not self.writes:
            self.execute("BEGIN")
            return
        # As scripts, because the timeout is set when its statement is prepared, not when it runs.
        patient = f"PRAGMA busy_timeout = {self._patience}"
        try:
            self.executescript(f"PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; {patient}")
        except sqlite3.DatabaseError as error:
            self.executescript(patient)
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            self._wait(partial(self.execute, "BEGIN IMMEDIATE"))

    def commit(self) -> None:
        """Commits; returns when the disk has it."""
        if self.writes and self.in_transaction:
            self._wait(super().commit)
        else:
            super().commit()

    def _wait(self, work: Callable[[], object]) -> None:
        loop = asyncio.get_running_loop()
        await_only(_finished(loop.run_in_executor(self._thread, work)))


async def _nothing() -> None:
    pass


async def _finished(work: asyncio.Future[object]) -> None:
    """Waits for the work, also when cancelled: a connection belongs to one thread at a time."""
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
