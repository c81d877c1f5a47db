"""Consultations: opened, found by their owner, closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.events import Actor, Event, to_outbox
from records import events
from records.errors import ConsultationClosed, NotFound, TurnRunning
from records.ids import new_id
from records.tables import consultation, turn

Status = Literal["open", "emergency", "handed_off", "closed"]


@dataclass(frozen=True, slots=True)
class Consultation:
    """One patient's consultation, with the releases and the seed it is pinned to."""

    id: str
    owner: str
    language: str | None
    patient: dict[str, Any]
    consent: dict[str, Any]
    status: Status
    knowledge_release: str
    model_release: str
    seed: int
    created_at: datetime
    closed_at: datetime | None


_COLUMNS = [consultation.c[name] for name in Consultation.__dataclass_fields__]

# Built once: building a statement costs more than running it.
_GET = select(*_COLUMNS).where(consultation.c.id == bindparam("of"))
_GET_LOCKED = _GET.with_for_update()  # SQLite has one writer anyway, and leaves the lock out
_INSERT = insert(consultation)
_SET_STATUS = (
    update(consultation)
    .where(consultation.c.id == bindparam("of"), consultation.c.status != "closed")
    .values(status=bindparam("new_status"), closed_at=bindparam("new_closed_at"))
)


async def create(
    connection: AsyncConnection,
    *,
    owner: str,
    language: str | None,
    patient: dict[str, Any],
    consent: dict[str, Any],
    knowledge_release: str,
    model_release: str,
    seed: int,
    now: datetime,
    id: str | None = None,
) -> Consultation:
    """Opens a consultation and records `consultation.opened`. `owner` is the id of an API key."""
    made = Consultation(
        id=id or new_id(now),
        owner=owner,
        language=language,
        patient=patient,
        consent=consent,
        status="open",
        knowledge_release=knowledge_release,
        model_release=model_release,
        seed=seed,
        created_at=now,
        closed_at=None,
    )
    values = {name: getattr(made, name) for name in Consultation.__dataclass_fields__}
    await connection.execute(_INSERT, values)
    pinned = ("language", "patient", "consent", "knowledge_release", "model_release", "seed")
    opened = Event(
        type="consultation.opened",
        actor="service",
        payload={name: values[name] for name in pinned},
    )
    await events.append(connection, made.id, [to_outbox(opened)], now=now)
    return made


async def get(
    connection: AsyncConnection, id: str, *, owner: str | None = None, lock: bool = False
) -> Consultation:
    """The consultation. Another owner's is NotFound too; `owner=None` sees all (audit).

    `lock` holds every other writer of it until the transaction ends.
    """
    if not events.storable(id):
        raise NotFound()
    row = (await connection.execute(_GET_LOCKED if lock else _GET, {"of": id})).first()
    if row is None or (owner is not None and row.owner != owner):
        raise NotFound()
    return Consultation(*row)


async def set_status(
    connection: AsyncConnection, id: str, status: Status, *, now: datetime
) -> None:
    """Sets the status; a closed consultation stays closed."""
    closed_at = now if status == "closed" else None
    await connection.execute(
        _SET_STATUS, {"of": id, "new_status": status, "new_closed_at": closed_at}
    )


async def close(
    connection: AsyncConnection,
    id: str,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    owner: str | None = None,
) -> Consultation:
    """Closes it from outside of a turn and records `consultation.closed` with the reason.

    Raises NotFound, ConsultationClosed where it is closed already, TurnRunning.
    """
    found = await get(connection, id, owner=owner, lock=True)
    if found.status == "closed":
        raise ConsultationClosed()
    if await connection.scalar(
        select(turn.c.number).where(turn.c.consultation_id == id, turn.c.status == "running")
    ):
        raise TurnRunning()
    closed = Event(type="consultation.closed", actor=actor, payload={"reason": reason})
    await events.append(connection, id, [to_outbox(closed)], now=now)
    await set_status(connection, id, "closed", now=now)
    return await get(connection, id)
