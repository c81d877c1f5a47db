"""Whatever is done to the stored record is found, at its place; what can be made again is."""

from __future__ import annotations

import contextlib
import hashlib
import random
import string
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.events import Event, ModelCall, RetrievalCall, to_outbox
from app.anchoring import anchor_if_due
from records import anchors, audit, events, signing
from records.chain import BrokenLink
from records.database import Database
from records.errors import (
    AnchorsUnreadable,
    NotFound,
    RecordBroken,
    RecordRefused,
    SigningKeyInvalid,
)
from records.signing import Signer
from tests.records.samples import NOW, a_turn, open_consultation

TURNS = 3


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return signing.read_or_make(tmp_path / "key.pem")


async def talk(database: Database, turns: int = TURNS) -> str:
    """A consultation of some turns: each with words, a call, a look-up and a reply."""
    id = await open_consultation(database)
    for turn in range(1, turns + 1):
        said = Event(type="patient.said", actor="patient", payload={"text": f"words {turn}"})
        call = ModelCall(
            purpose="summarise",
            prompt=[{"role": "user", "content": f"prompt {turn}"}],
            parameters={},
            output="out",
            finish="stop",
            model_release="m1",
        )
        found = RetrievalCall(query=f"query {turn}", release="k1", hits=[])
        reply = Event(type="reply.given", actor="service", payload={"text": f"reply {turn}"})
        async with database.transaction() as connection:
            items = [to_outbox(item) for item in (said, call, found, reply)]
            await events.append(connection, id, items, now=NOW, turn=turn)
    return id


async def make(database: Database, signer: Signer) -> anchors.Anchor:
    async with database.transaction() as connection:
        return await anchors.make(connection, signer, now=NOW)


async def unguard(connection: AsyncConnection) -> None:
    """Puts the database's own guards out of the way until the transaction ends."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    await connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    names = await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    for (name,) in names.all():
        await connection.execute(text(f"DROP TRIGGER {name}"))


async def forge(database: Database, *statements: str, **values: Any) -> None:
    """Does for good what only somebody with the database in his hands can do."""
    async with database.transaction() as connection:
        await unguard(connection)
        for statement in statements:
            await connection.execute(text(statement), values)


async def test_what_was_written_holds(database: Database, signer: Signer) -> None:
    ids = sorted([await talk(database), await talk(database)])
    made = await make(database, signer)
    assert [head.consultation_id for head in made.heads] == ids
    seen: list[tuple[int, int]] = []
    report = await audit.verify(
        database, trusted=signer.public, progress=lambda done, of: seen.append((done, of))
    )
    assert report == audit.Report(2, 2 * (1 + 4 * TURNS), 1, 0, (), None)
    assert report.holds
    assert seen[-1] == (2, 2)
    assert (await audit.verify(database, only=ids[0])).consultations == 1
    with pytest.raises(NotFound):
        await audit.verify(database, only="nobody")


async def test_an_anchor_names_only_what_went_on(database: Database, signer: Signer) -> None:
    first = await talk(database)
    assert len((await make(database, signer)).heads) == 1
    second = await talk(database, turns=1)
    assert (await audit.verify(database)).unanchored == 5
    made = await make(database, signer)
    assert [head.consultation_id for head in made.heads] == [second]
    assert (await make(database, signer)).heads == ()
    async with database.reading() as connection:
        stored = await anchors.read(connection)
    assert [item.number for item in stored] == [1, 2, 3]
    assert anchors.from_lines(anchors.to_lines(stored)) == stored
    assert first in {head.consultation_id for head in stored[0].heads}
    assert (await audit.verify(database, kept=stored)).holds


async def test_the_database_refuses_to_change_an_anchor(database: Database, signer: Signer) -> None:
    await talk(database)
    await make(database, signer)
    for statement in (
        "UPDATE anchor SET root = 'x'",
        "DELETE FROM anchor_head",
        "UPDATE anchor_head SET seq = 1",
    ):
        with pytest.raises(RecordRefused):
            async with database.transaction() as connection:
                await connection.execute(text(statement))


async def test_a_cut_at_the_end_is_seen_by_the_anchor(database: Database, signer: Signer) -> None:
    id = await talk(database)
    last = 1 + 4 * TURNS
    tail = ["DELETE FROM message WHERE seq >= :at", "DELETE FROM event WHERE seq >= :at"]
    await make(database, signer)
    await forge(database, *tail, at=last)
    assert (await audit.verify(database)).broken == (
        BrokenLink(id, last, f"event {last} is missing; it was anchored"),
    )


async def test_all_that_was_ever_anchored_is_looked_for(database: Database, signer: Signer) -> None:
    id, other = await talk(database), await talk(database)
    await make(database, signer)
    tables = ("message", "model_call", "retrieval_call", "event")
    await forge(
        database,
        *(f"DELETE FROM {table} WHERE consultation_id = :id" for table in tables),
        "DELETE FROM consultation WHERE id = :id",
        id=id,
    )
    report = await audit.verify(database)
    assert [(link.consultation_id, link.seq) for link in report.broken] == [(id, 1)]
    assert report.consultations == 2
    assert (await audit.verify(database, only=other)).holds


async def test_a_chain_written_anew_is_not_the_one_that_was_anchored(
    database: Database, signer: Signer
) -> None:
    id = await talk(database, turns=0)
    await make(database, signer)
    async with database.reading() as connection:
        [link] = await events.links(connection, id)
    other = "0" * 64
    await forge(
        database,
        "UPDATE event SET payload = :payload, hash = :hash",
        payload="{}",
        hash=other,
    )
    assert [link.seq for link in (await audit.verify(database)).broken] == [link.seq]


async def test_anchors_are_verified_too(database: Database, signer: Signer, tmp_path: Path) -> None:
    await talk(database)
    for _ in range(3):
        await make(database, signer)
    async with database.reading() as connection:
        kept = await anchors.read(connection)
    stranger = signing.read_or_make(tmp_path / "other.pem")
    report = await audit.verify(database, trusted=stranger.public)
    assert report.broken_anchor == anchors.BrokenAnchor(1, "is signed with another key")
    await forge(
        database, "DELETE FROM anchor_head WHERE anchor = 3", "DELETE FROM anchor WHERE number = 3"
    )
    assert (await audit.verify(database)).holds  # nothing here can know of a third
    report = await audit.verify(database, kept=kept)
    assert report.broken_anchor == anchors.BrokenAnchor(
        3, "is missing; a copy of it is kept elsewhere"
    )
    for column in ("at", "root", "prev_hash", "hash", "signature", "key"):
        changed = [kept[0], kept[1].model_copy(update={column: "0" * 64}), kept[2]]
        broken = anchors.check(changed, trusted=signer.public)
        assert broken is not None
        assert broken.number == 2
    heads = (anchors.Head("x", 1, "0" * 64),)
    broken = anchors.check([kept[0].model_copy(update={"heads": heads})])
    assert broken == anchors.BrokenAnchor(1, "was changed after it was made")


@pytest.mark.parametrize("count", range(9))
def test_the_root_is_that_of_rfc_6962(count: int) -> None:
    heads = [anchors.Head(f"c{n}", n + 1, "0" * 64) for n in range(count)]

    def tree(part: list[anchors.Head]) -> bytes:
        if not part:
            return hashlib.sha256(b"").digest()
        if len(part) == 1:
            head = part[0]
            leaf = f'["{head.consultation_id}",{head.seq},"{head.hash}"]'.encode()
            return hashlib.sha256(b"\0" + leaf).digest()
        half = 1 << (len(part) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + tree(part[:half]) + tree(part[half:])).digest()

    assert anchors.root(heads) == tree(heads).hex()


COLUMNS = {
    "event": ("type", "actor", "at", "payload", "prev_hash", "hash"),
    "message": ("role", "text", "at"),
    "model_call": ("content", "sha256"),
    "retrieval_call": ("content", "sha256"),
}
LETTERS = string.ascii_letters + string.digits


async def tamper(connection: AsyncConnection, id: str, last: int, chance: random.Random) -> int:
    """Changes the record of a consultation in some way and returns where that should be found."""

    async def run(statement: str, **values: Any) -> Any:
        return await connection.execute(text(statement), {"id": id} | values)

    mine = "consultation_id = :id AND seq"
    how = chance.choice(["byte"] * 5 + ["turn", "delete", "insert", "swap"])
    if how == "byte":
        table = chance.choice(list(COLUMNS))
        rows = (await run(f"SELECT seq FROM {table} WHERE consultation_id = :id")).scalars().all()
        seq, column = chance.choice(sorted(rows)), chance.choice(COLUMNS[table])
        where = f"WHERE {mine} = :seq"
        value = (await run(f"SELECT {column} FROM {table} {where}", seq=seq)).scalar_one()
        at = chance.randrange(len(value))
        other = chance.choice(LETTERS.replace(value[at], ""))
        changed = value[:at] + other + value[at + 1 :]
        if column == "role":  # the database knows only two
            changed = "service" if value == "patient" else "patient"
        await run(f"UPDATE {table} SET {column} = :new {where}", seq=seq, new=changed)
        return int(seq)
    first, second = sorted(chance.sample(range(1, last + 1), 2))
    if how == "turn":
        await run(f"UPDATE event SET turn = 99 WHERE {mine} = :seq", seq=first)
    elif how == "delete":
        await run(f"DELETE FROM event WHERE {mine} = :seq", seq=second)
        return second
    elif how == "swap":
        for old, new in ((first, 9999), (second, first), (9999, second)):
            await run(f"UPDATE event SET seq = :new WHERE {mine} = :old", old=old, new=new)
    else:
        await run(f"UPDATE event SET seq = seq + 5000 WHERE {mine} >= :seq", seq=first)
        await run(f"UPDATE event SET seq = seq - 4999 WHERE {mine} > 5000")
        columns = "consultation_id, type, actor, turn, at, payload, prev_hash, hash"
        await run(
            f"INSERT INTO event (seq, {columns}) SELECT :seq, {columns} FROM event "
            f"WHERE {mine} = :from",
            **{"seq": first, "from": first + 1 if chance.random() < 0.5 else last + 1},
        )
        # A second copy of an event in its very place is the one that belongs there.
        return first + 1 if await _belongs(connection, id, first) else first
    return first


async def _belongs(connection: AsyncConnection, id: str, seq: int) -> bool:
    found = await events.links(connection, id, after=seq - 1, limit=1)
    return found[0].computed() == found[0].hash


async def test_a_thousand_changes_are_all_found_at_their_place(
    database: Database, signer: Signer
) -> None:
    ids = [await talk(database) for _ in range(4)]
    made = await make(database, signer)
    last = 1 + 4 * TURNS
    chance = random.Random(6962)
    for _ in range(1000):
        id = chance.choice(ids)
        heads = [head for head in made.heads if head.consultation_id == id]
        with contextlib.suppress(_UndoneError):
            async with database.transaction() as connection:
                await unguard(connection)
                at = await tamper(connection, id, last, chance)
                _, broken = await audit.verify_one(connection, id, heads)
                assert broken is not None
                assert (broken.consultation_id, broken.seq) == (id, at)
                raise _UndoneError
    assert (await audit.verify(database)).holds


class _UndoneError(Exception):
    """Rolls a transaction back."""


async def test_messages_are_made_again_byte_for_byte(database: Database) -> None:
    id, other = await talk(database), await talk(database)
    async with database.reading() as connection:
        before = await events.transcript(connection, id)
    await forge(
        database,
        "UPDATE message SET text = 'forged' WHERE consultation_id = :id AND seq = 2",
        "DELETE FROM message WHERE consultation_id = :id AND seq = 5",
        "INSERT INTO message (consultation_id, seq, role, text, at) "
        "VALUES (:id, 1, 'service', 'never said', '2026-01-31T08:15:00.000000Z')",
        id=id,
    )
    assert [link.seq for link in (await audit.verify(database)).broken] == [1]
    assert await audit.rebuild(database) == (3, ())
    async with database.reading() as connection:
        assert await events.transcript(connection, id) == before
    assert (await audit.verify(database)).holds
    assert await audit.rebuild(database, only=other) == (0, ())


async def test_nothing_is_made_from_a_chain_that_does_not_hold(database: Database) -> None:
    id, whole = await talk(database), await talk(database)
    await forge(
        database, "UPDATE event SET payload = '{}' WHERE consultation_id = :id AND seq = 2", id=id
    )
    await forge(database, "DELETE FROM message WHERE consultation_id = :id", id=whole)
    assert await audit.rebuild(database) == (2 * TURNS, (id,))
    with pytest.raises(RecordBroken):
        async with database.transaction() as connection:
            await events.rebuild(connection, id)


async def test_damaged_texts_are_told_and_the_rest_is_read(database: Database) -> None:
    ids = sorted([await talk(database), await talk(database), await talk(database)])
    await forge(
        database,
        "UPDATE message SET at = 'yesterday' WHERE consultation_id = :first AND seq = 2",
        "UPDATE model_call SET content = '{' WHERE consultation_id = :second AND seq = 3",
        first=ids[0],
        second=ids[1],
    )
    report = await audit.verify(database)
    places = [(link.consultation_id, link.seq) for link in report.broken]
    assert places == [(ids[0], 2), (ids[1], 3)]


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE consultation SET patient = '{}'", 1),
        ("UPDATE consultation SET seed = 1", 1),
        ("UPDATE consultation SET knowledge_release = 'k2'", 1),
        ("UPDATE turn SET text = 'never said'", 2),
    ],
)
async def test_what_stands_beside_the_events_agrees_with_them(
    database: Database, statement: str, seq: int
) -> None:
    id = await open_consultation(database)
    await a_turn(database, id)
    assert (await audit.verify(database)).holds
    await forge(database, statement)
    broken = (await audit.verify(database)).broken
    assert [(link.consultation_id, link.seq) for link in broken] == [(id, seq)]


async def test_an_anchor_is_made_once_a_day(database: Database, signer: Signer) -> None:
    await talk(database)
    assert await anchor_if_due(database, signer) is not None
    assert await anchor_if_due(database, signer) is None
    assert await anchor_if_due(database, signer, every=timedelta(0)) is not None


def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "home" / "anchor.pem"
    made = signing.read_or_make(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert signing.read_or_make(path).public == made.public
    assert signing.holds("words", made.sign("words"), made.public)
    assert not signing.holds("other words", made.sign("words"), made.public)
    assert not signing.holds("words", "no signature", made.public)
    path.write_text("no key")
    with pytest.raises(SigningKeyInvalid):
        signing.read_or_make(path)
    assert path.read_text() == "no key"


def test_a_file_that_holds_no_anchors(signer: Signer) -> None:
    with pytest.raises(AnchorsUnreadable, match="Line 2"):
        anchors.from_lines("\n{}\n")
    with pytest.raises(AnchorsUnreadable, match="Line 1"):
        anchors.from_lines("words")
