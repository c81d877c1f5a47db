"""The database behind the records: SQLite (WAL) by file, PostgreSQL by URL; one way to use both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from records import schema, sqlite
from records.errors import DatabaseLocked, DatabaseUnavailable, cause, translate
from records.url import parse_url

_READ_ONLY = "huatuo_read_only"


class Database:
    """A pool of connections, and the two ways to open a transaction.

    `patience` is how many seconds a writer waits for another one before DatabaseLocked;
    `pool_size` how many connections are open at most. Use it in one event loop.
    """

    def __init__(self, url: str, *, patience: float = 5.0, pool_size: int = 8) -> None:
        self.url = parse_url(url)
        self.dialect = self.url.get_backend_name()
        self._patience = patience
        self._thread = ThreadPoolExecutor(thread_name_prefix="sqlite")
        # The text of an error may reach a log; the values of a statement must not.
        options: dict[str, Any] = {
            "pool_size": pool_size,
            "max_overflow": 0,
            "hide_parameters": True,
        }
        if self.dialect == "postgresql":
            options["pool_pre_ping"] = True
            options["connect_args"] = {
                "connect_timeout": 10,
                "options": f"-c lock_timeout={int(patience * 1000)}",
            }
        else:
            options["poolclass"] = AsyncAdaptedQueuePool
            options["connect_args"] = sqlite.connect_args(patience, self._thread)
        self.engine = create_async_engine(self.url, pool_timeout=patience + 5, **options)
        if self.dialect == "sqlite":
            event.listen(self.engine.sync_engine, "do_connect", self._look_for_folder)
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _say_what_for)
        # SQLite has one writer. Those of this process wait in line here, in the order they came,
        # rather than poll the file; other processes are waited for by the busy timeout.
        self._writer = asyncio.Lock()
        self._writing: asyncio.Task[Any] | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: commits at the end, rolls back on any error.

        Keep it short: never await a model inside. Raises the errors of `records.errors` in the
        place of the driver's. RuntimeError where the same task has one open already: pass the
        connection on instead.
        """
        if self.dialect != "sqlite":
            async with self._open() as connection:
                yield connection
            return
        if self._writing is not None and self._writing is asyncio.current_task():
            raise RuntimeError("a transaction is open already; pass its connection on")
        try:
            async with asyncio.timeout(self._patience):
                await self._writer.acquire()
        except TimeoutError as error:
            raise DatabaseLocked() from error
        self._writing = asyncio.current_task()
        try:
            async with self._open() as connection:
                yield connection
        finally:
            self._writing = None
            self._writer.release()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads, from one consistent picture; it holds up no writer."""
        async with self._open(read_only=True) as connection:
            if self.dialect == "postgresql":
                await connection.exec_driver_sql(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
                )
            yield connection

    @asynccontextmanager
    async def _open(self, *, read_only: bool = False) -> AsyncIterator[AsyncConnection]:
        try:
            async with self.engine.connect() as connection:
                await connection.execution_options(**{_READ_ONLY: read_only})
                async with connection.begin():
                    yield connection
        except DBAPIError as error:
            raise translate(error) from cause(error)
        except StatementError as error:
            if isinstance(error.orig, ValueError | TypeError):
                raise error.orig from None  # a value that a column cannot hold, in its own words
            raise
        except PoolTimeout as error:
            raise DatabaseLocked() from error

    def _look_for_folder(self, *_: object) -> None:
        file = self.url.database or ""
        if not file.startswith("file:") and not Path(file).absolute().parent.is_dir():
            raise DatabaseUnavailable()

    async def check(self) -> None:
        """Raises DatabaseNewer or DatabaseOlder unless the database is of this version."""
        async with self.reading() as connection:
            await connection.run_sync(schema.check)

    async def close(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()
        self._thread.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("foreign_keys = ON", "recursive_triggers = ON", "synchronous = FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _say_what_for(connection: Connection) -> None:
    reads = connection.get_execution_options().get(_READ_ONLY, False)
    direct = connection.connection.dbapi_connection
    assert isinstance(direct, sqlite.DirectConnection)
    direct.writes = not reads
