"""API keys: shown once, kept as a hash, refused without a hint."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from records import keys
from records.database import Database
from records.errors import KeyInvalid
from records.tables import api_key
from tests.records.samples import NOW


async def make(database: Database, *scopes: str) -> tuple[keys.ApiKey, str]:
    async with database.transaction() as connection:
        return await keys.create(connection, label="ward 3", scopes=scopes, now=NOW)


async def test_a_key_opens_what_it_was_made_for(database: Database) -> None:
    made, secret = await make(database, "consult", "audit")
    await make(database, "admin")
    async with database.reading() as connection:
        found = await keys.verify(connection, secret)
        assert found == made
        assert found.scopes == {"audit", "consult"}
        assert [k.label for k in await keys.all_keys(connection)] == ["ward 3", "ward 3"]


async def test_the_secret_is_not_in_the_database(database: Database) -> None:
    _, secret = await make(database, "consult")
    async with database.reading() as connection:
        stored = str((await connection.execute(select(api_key))).all())
    assert secret.split("_", 2)[2] not in stored


async def test_what_is_no_key_is_refused_alike(database: Database) -> None:
    made, secret = await make(database, "consult")
    _, other = await make(database, "consult")
    right = secret.split("_", 2)[2]
    wrong = [
        "",
        "hk",
        "hk__",
        right,
        secret[:-1],
        secret + "x",
        secret.replace("hk_", "xx_"),
        f"hk_{made.id}_{other.split('_', 2)[2]}",
        f"hk_{'0' * 36}_{right}",
        f"hk_{chr(0) * 36}_{right}",
        f"hk_{'键' * 36}_\ud83d",
        "x" * 100_000,
    ]
    async with database.reading() as connection:
        for presented in wrong:
            with pytest.raises(KeyInvalid):
                await keys.verify(connection, presented)
        assert await keys.verify(connection, secret) == made


async def test_a_revoked_key_is_refused(database: Database) -> None:
    made, secret = await make(database, "consult")
    async with database.transaction() as connection:
        assert await keys.revoke(connection, made.id, now=NOW)
        assert not await keys.revoke(connection, made.id, now=NOW)
        assert not await keys.revoke(connection, "nobody", now=NOW)
        with pytest.raises(KeyInvalid):
            await keys.verify(connection, secret)


@pytest.mark.parametrize("scopes", [(), ("consult", "everything")])
async def test_scopes_are_named(database: Database, scopes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="consult, audit, knowledge, admin"):
        await make(database, *scopes)
