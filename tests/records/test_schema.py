"""The migrated schema is the one the code means, and goes down and up again."""

import asyncio
import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from records.database import Database
from records.errors import (
    DatabaseNewer,
    DatabaseOlder,
    DatabaseReadOnly,
    DatabaseUnavailable,
    DatabaseUrlInvalid,
)
from records.schema import migrate
from records.tables import metadata


async def test_migrated_tables_are_those_of_the_code(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
    await database.check()


async def test_up_down_and_up_again(empty_database_url: str) -> None:
    async with Database(empty_database_url) as database:
        with pytest.raises(DatabaseOlder):
            await database.check()
        whole = len(metadata.tables)
        for revision, tables in (("head", whole), ("0001", 9), ("base", 0), ("head", whole)):
            await asyncio.to_thread(migrate, empty_database_url, revision)
            async with database.reading() as connection:
                names = set(await connection.run_sync(lambda c: inspect(c).get_table_names()))
            assert len(names - {"alembic_version"}) == tables
        await asyncio.to_thread(migrate, empty_database_url)  # again changes nothing
        await database.check()


async def test_several_processes_may_migrate_at_once(empty_database_url: str) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrate, empty_database_url) for _ in range(4)))
    async with Database(empty_database_url) as database:
        await database.check()


async def test_a_newer_database_is_left_alone(database: Database, database_url: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNewer):
        await database.check()
    with pytest.raises(DatabaseNewer):
        await asyncio.to_thread(migrate, database_url)


def test_an_unknown_migration_is_named(empty_database_url: str) -> None:
    with pytest.raises(ValueError, match="0001"):
        migrate(empty_database_url, "0815")


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://a/b"])
def test_urls_that_cannot_keep_records(url: str) -> None:
    with pytest.raises(DatabaseUrlInvalid):
        Database(url)


def test_a_folder_that_is_missing(tmp_path_factory: pytest.TempPathFactory) -> None:
    missing = tmp_path_factory.mktemp("x") / "not" / "there.db"
    with pytest.raises(DatabaseUnavailable):
        migrate(f"sqlite:///{missing}")


def test_a_file_that_cannot_be_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("x") / "read.db"
    sqlite3.connect(path).close()
    with pytest.raises(DatabaseReadOnly):
        migrate(f"sqlite:///file:{path}?mode=ro&uri=true")
