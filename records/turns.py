"""Turns: one at a time for each consultation, each answered once.

A turn is held by a lease. Its holder renews it while it works; when the holder dies the lease
runs out and another process takes the turn over. The number of the attempt is the fence: it
grows with each taking, and what an earlier holder still wants to write is refused (LeaseLost).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from sqlalchemy import Row, Update, bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from agent.events import Event, to_outbox
from records import consultations, events
from records.consultations import Status
from records.errors import (
    ConsultationClosed,
    IdempotencyKeyInvalid,
    IdempotencyMismatch,
    LeaseLost,
    NotFound,
    TextNotStorable,
    TurnRunning,
    TurnSuperseded,
)
from records.tables import turn


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a turn. Pass it to the checkpointer, which checks it at each write."""

    consultation_id: str
    number: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as it stands."""

    consultation_id: str
    number: int
    idempotency_key: str
    body_hash: str
    text: str
    status: Literal["running", "done", "failed"]
    lease_owner: str | None
    lease_until: datetime | None
    attempt: int
    result: dict[str, Any] | None
    error: str | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def lease(self) -> Lease:
        """The lease of whoever holds the turn now."""
        return Lease(self.consultation_id, self.number, self.attempt)


@dataclass(frozen=True, slots=True)
class Begun:
    """What `begin` found: a turn to work on under `lease`, or the `replay` of a stored answer.

    Exactly one of the two is there. `resumed` says that the turn failed before and goes on from
    its last checkpoint: the graph must not be given the words again as a new turn.
    """

    number: int
    lease: Lease | None = None
    replay: dict[str, Any] | None = None
    resumed: bool = False


_COLUMNS = [turn.c[name] for name in Turn.__dataclass_fields__]

# Statements of every turn are built once: building one costs more than running it.
_OF_THIS = turn.c.consultation_id == bindparam("of")
_NEWEST_OR_SAME = (
    select(*_COLUMNS)
    .where(
        _OF_THIS,
        or_(
            turn.c.number == select(func.max(turn.c.number)).where(_OF_THIS).scalar_subquery(),
            turn.c.idempotency_key == bindparam("key"),
        ),
    )
    .order_by(turn.c.number)
)
_INSERT = insert(turn)


async def begin(
    connection: AsyncConnection,
    consultation_id: str,
    *,
    key: str,
    body_hash: str,
    text: str,
    holder: str,
    lease: timedelta,
    now: datetime,
    owner: str | None = None,
) -> Begun:
    """Records a new turn with the patient's words, or finds the one that has this key.

    `holder` names this process; `lease` is how long it may work without renewing. Records
    `patient.said`. Raises NotFound, ConsultationClosed, TurnRunning, IdempotencyMismatch,
    TurnSuperseded (a failed turn cannot be tried again after a later one), TextNotStorable,
    IdempotencyKeyInvalid.
    """
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise IdempotencyKeyInvalid()
    if "\0" in text or not _is_unicode(text):
        raise TextNotStorable()
    found = await consultations.get(connection, consultation_id, owner=owner, lock=True)
    rows = (await connection.execute(_NEWEST_OR_SAME, {"of": consultation_id, "key": key})).all()
    last = rows[-1] if rows else None
    same = next((row for row in rows if row.idempotency_key == key), None)
    if same is not None:
        if same.body_hash != body_hash:
            raise IdempotencyMismatch()
        if same.status == "done":
            return Begun(same.number, replay=same.result)
        if same.status == "running":
            raise TurnRunning()
    if found.status == "closed":
        raise ConsultationClosed()
    if last is not None and last.status == "running":
        raise TurnRunning()
    ours = {"lease_owner": holder, "lease_until": now + lease, "status": "running"}
    if same is not None and last is not None:
        if same.number != last.number:
            raise TurnSuperseded()
        again = Lease(consultation_id, same.number, same.attempt + 1)
        await connection.execute(
            update(turn)
            .where(turn.c.consultation_id == consultation_id, turn.c.number == same.number)
            .values(ours | {"attempt": again.attempt, "error": None, "finished_at": None})
        )
        return Begun(same.number, lease=again, resumed=True)
    number = last.number + 1 if last is not None else 1
    await connection.execute(
        _INSERT,
        ours
        | {"consultation_id": consultation_id, "number": number, "attempt": 1}
        | {"idempotency_key": key, "body_hash": body_hash, "text": text, "started_at": now},
    )
    said = Event(type="patient.said", actor="patient", payload={"text": text})
    await events.append(connection, consultation_id, [to_outbox(said)], now=now, turn=number)
    return Begun(number, lease=Lease(consultation_id, number, 1))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_HELD: tuple[ColumnElement[bool], ...] = (
    _OF_THIS,
    turn.c.number == bindparam("held_number"),
    turn.c.attempt == bindparam("held_attempt"),
    turn.c.status == "running",
)
IS_HELD = select(turn.c.number).where(*_HELD).with_for_update(read=True)
"""Finds the turn while a lease holds, and keeps it so for the transaction. Takes `held`."""


def held(lease: Lease) -> dict[str, Any]:
    """What `IS_HELD` asks for."""
    return {
        "of": lease.consultation_id,
        "held_number": lease.number,
        "held_attempt": lease.attempt,
    }


@cache
def _changing(*columns: str) -> Update:
    return update(turn).where(*_HELD).values({name: bindparam(name) for name in columns})


async def _change(connection: AsyncConnection, lease: Lease, values: dict[str, Any]) -> None:
    changed = await connection.execute(_changing(*values), held(lease) | values)
    if changed.rowcount != 1:
        raise LeaseLost()


async def heartbeat(connection: AsyncConnection, lease: Lease, *, until: datetime) -> None:
    """Renews the lease until `until`. Raises LeaseLost: stop working on the turn then."""
    await _change(connection, lease, {"lease_until": until})


async def require(connection: AsyncConnection, lease: Lease) -> None:
    """Raises LeaseLost unless the lease still holds, and keeps it so for this transaction."""
    if await connection.scalar(IS_HELD, held(lease)) is None:
        raise LeaseLost()


_FREE = {"lease_owner": None, "lease_until": None}


async def finish(
    connection: AsyncConnection,
    lease: Lease,
    result: dict[str, Any],
    *,
    now: datetime,
    status: Status | None = None,
) -> None:
    """Stores the answer, and the consultation's new `status` with it. Raises LeaseLost."""
    await _change(
        connection, lease, _FREE | {"status": "done", "result": result, "finished_at": now}
    )
    if status is not None:
        await consultations.set_status(connection, lease.consultation_id, status, now=now)


async def fail(connection: AsyncConnection, lease: Lease, code: str, *, now: datetime) -> None:
    """Ends the turn without an answer and records `turn.failed`. Raises LeaseLost.

    `code` is the stable code of an error, never its text.
    """
    await _change(
        connection, lease, _FREE | {"status": "failed", "error": code, "finished_at": now}
    )
    failed = Event(type="turn.failed", actor="service", payload={"code": code})
    await events.append(
        connection, lease.consultation_id, [to_outbox(failed)], now=now, turn=lease.number
    )


async def expired(connection: AsyncConnection, *, now: datetime, limit: int = 100) -> list[Turn]:
    """Running turns whose lease ran out, the oldest first: what a dead process left behind."""
    query = (
        select(*_COLUMNS)
        .where(turn.c.status == "running", turn.c.lease_until < now)
        .order_by(turn.c.lease_until)
        .limit(limit)
    )
    return [_turn(row) for row in (await connection.execute(query)).all()]


async def take_over(
    connection: AsyncConnection, left: Turn, *, holder: str, lease: timedelta, now: datetime
) -> Lease | None:
    """A lease on a turn that `expired` found, or None where another was faster or it lives."""
    changed = await connection.execute(
        update(turn)
        .where(*_HELD, turn.c.lease_until == left.lease_until)
        .where(turn.c.lease_until < now)
        .values(lease_owner=holder, lease_until=now + lease, attempt=left.attempt + 1),
        held(left.lease),
    )
    if changed.rowcount != 1:
        return None
    return Lease(left.consultation_id, left.number, left.attempt + 1)


async def get(connection: AsyncConnection, consultation_id: str, number: int) -> Turn:
    """One turn. Raises NotFound."""
    row = (
        await connection.execute(
            select(*_COLUMNS).where(
                turn.c.consultation_id == consultation_id, turn.c.number == number
            )
        )
    ).first()
    if row is None:
        raise NotFound()
    return _turn(row)


async def of(connection: AsyncConnection, consultation_id: str) -> list[Turn]:
    """The turns of a consultation, in order."""
    query = select(*_COLUMNS).where(turn.c.consultation_id == consultation_id)
    return [_turn(row) for row in (await connection.execute(query.order_by(turn.c.number))).all()]


def _turn(row: Row[Any]) -> Turn:
    return Turn(**row._mapping)
