"""Which version the database is of, and how it gets to this one (Alembic, with no file to edit).

    records.schema.migrate("sqlite:///huatuo.db")

Blocking: from a coroutine, `await asyncio.to_thread(migrate, url)`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from records.errors import DatabaseNewer, DatabaseOlder, cause, translate
from records.url import parse_url

_PATIENCE = 60.0  # seconds that one process waits for another one's migration
_LOCK = 4_801_620_311  # any number, the same in every process: one migrates, the others wait


def migrate(url: str, revision: str = "head") -> None:
    """Brings the database to `revision`, in one transaction; makes a SQLite file that is missing.

    `revision` is "head", "base" or the name of a migration; an earlier one than the database's
    migrates down and loses what the later ones added. Raises DatabaseNewer for a database whose
    migration this code does not know, ValueError for an unknown `revision`.
    """
    with _connect(url) as connection:
        current = _current(connection)
        config = _config(connection)
        scripts = ScriptDirectory.from_config(config)
        known = [script.revision for script in scripts.walk_revisions()]  # newest first
        if current is not None and current not in known:
            raise DatabaseNewer()
        target = known[0] if revision == "head" else revision
        if target != "base" and target not in known:
            raise ValueError(f"unknown migration: {revision}; there are {', '.join(known)}")
        down = target == "base" or (
            current is not None and known.index(target) > known.index(current)
        )
        (command.downgrade if down else command.upgrade)(config, target)


def check(connection: Connection) -> None:
    """Raises DatabaseNewer or DatabaseOlder unless the database is at the newest migration."""
    current = _current(connection)
    scripts = ScriptDirectory.from_config(_config(connection))
    if current == scripts.get_current_head():
        return
    if current is None:
        raise DatabaseOlder()
    try:
        scripts.get_revision(current)
    except CommandError as error:
        raise DatabaseNewer() from error
    raise DatabaseOlder()


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _config(connection: Connection) -> Config:
    spec = find_spec("migrations")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package `migrations` is missing; install the service again")
    config = Config()
    folder = spec.submodule_search_locations[0]
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connect(url: str) -> Iterator[Connection]:
    parsed = parse_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    # psycopg works both ways; SQLite has a driver for each.
    engine = create_engine(
        parsed.set(drivername="sqlite") if sqlite else parsed,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": _PATIENCE} if sqlite else {},
    )
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN EXCLUSIVE"))
    try:
        with engine.begin() as connection:
            if not sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection
    except DBAPIError as error:
        raise translate(error) from cause(error)
    finally:
        engine.dispose()


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    # Kept in the file: readers and the writer do not stop each other. SQLite does not wait for
    # another process here, whatever its timeout, so this does.
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    cursor.close()
