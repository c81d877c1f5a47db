"""The events of a consultation: appended in a chain, never changed, read in order.

An item (see `agent.events.to_outbox`) becomes one event. A call of the model or a look-up is
stored beside it, whole, and the event points to it by hash. `patient.said` and `reply.given`
are projected into messages.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy import Insert, Table, Text, bindparam, delete, exists, insert, select, type_coerce
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.events import EVENT_TYPES, Event, ModelCall, RetrievalCall
from records import chain
from records.errors import NotFound, RecordBroken
from records.tables import (
    consultation,
    event,
    from_text,
    message,
    model_call,
    passage,
    retrieval_call,
    to_text,
)
from records.tables import turn as turn_table

_KINDS: dict[str, type[BaseModel]] = {
    "event": Event,
    "model_call": ModelCall,
    "retrieval": RetrievalCall,
}

ROLES: dict[str, Literal["patient", "service"]] = {
    "patient.said": "patient",
    "reply.given": "service",
}
"""The events that are messages, and whose. Their payload has the words under `text`."""


# Built once: building a statement costs more than running it.
_MINE = event.c.consultation_id == bindparam("of")
_LAST = (
    select(event.c.seq, event.c.hash, exists().where(_MINE, event.c.origin == bindparam("from")))
    .where(_MINE)
    .order_by(event.c.seq.desc())
    .limit(1)
)
_LOCK = select(consultation.c.id).where(consultation.c.id == bindparam("of")).with_for_update()
_INSERT = {table: insert(table) for table in (event, model_call, retrieval_call, message)}
_PASSAGES = select(passage.c.sha256, passage.c.content).where(
    passage.c.sha256.in_(bindparam("hashes", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event as it stands in the record."""

    consultation_id: str
    seq: int
    type: str
    actor: str
    turn: int | None
    at: datetime
    payload: dict[str, Any]
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Message:
    """What was said, by the patient or by the service."""

    seq: int
    turn: int | None
    role: str
    text: str
    at: datetime


def parse(item: dict[str, Any]) -> Event | ModelCall | RetrievalCall:
    """The item of an outbox. ValueError for a kind or an event type that nobody knows."""
    fields = dict(item)
    kind = fields.pop("kind", None)
    if kind not in _KINDS:
        raise ValueError(f"unknown kind of record: {kind!r}; use agent.events.to_outbox")
    parsed = _KINDS[kind].model_validate(fields)
    assert isinstance(parsed, Event | ModelCall | RetrievalCall)
    if isinstance(parsed, Event):
        if parsed.type not in EVENT_TYPES:
            raise ValueError(f"unknown event type: {parsed.type}; name it in agent.events")
        if parsed.type in ROLES and not isinstance(parsed.payload.get("text"), str):
            raise ValueError(f"the payload of {parsed.type} needs the words under 'text'")
    return parsed


def storable(id: str) -> bool:
    """Whether the text can be an identifier. PostgreSQL will not even compare some others."""
    return id.isascii() and "\0" not in id


async def lock(connection: AsyncConnection, consultation_id: str) -> None:
    """Holds every other writer of this consultation until the transaction ends.

    Does nothing where there is no such consultation, and on SQLite, which has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(_LOCK, {"of": consultation_id})


async def append(
    connection: AsyncConnection,
    consultation_id: str,
    items: Sequence[dict[str, Any]],
    *,
    now: datetime,
    turn: int | None = None,
    origin: str | None = None,
) -> list[int]:
    """Appends the items in their order and returns the sequence numbers they got.

    `origin` names where they come from (a checkpoint): what was appended from there already is
    not appended again, and the list is then empty. Raises NotFound for an unknown consultation,
    ValueError for an item that is none.
    """
    parsed = [parse(item) for item in items]
    if not parsed:
        return []
    if not storable(consultation_id):
        raise NotFound()
    await lock(connection, consultation_id)
    last = (await connection.execute(_LAST, {"of": consultation_id, "from": origin})).first()
    if last is None and not await connection.scalar(
        select(exists().where(consultation.c.id == consultation_id))
    ):
        raise NotFound()
    if last is not None and origin is not None and last[2]:
        return []
    seq, previous = (last.seq, last.hash) if last else (0, chain.GENESIS)
    at = to_text(now)
    rows: dict[Table, list[dict[str, Any]]] = {table: [] for table in _INSERT}
    passages: dict[str, dict[str, Any]] = {}
    for n, item in enumerate(parsed):
        seq += 1
        place: dict[str, Any] = {"consultation_id": consultation_id, "seq": seq, "turn": turn}
        if isinstance(item, RetrievalCall):
            item, found = _apart(item)
            passages |= found
        recorded, detail = _as_event(item)
        payload = chain.canonical(recorded.payload)
        hash_ = chain.link_hash(
            consultation_id, seq, recorded.type, recorded.actor, turn, at, payload, previous
        )
        rows[event].append(
            place
            | {"type": recorded.type, "actor": recorded.actor, "at": at, "payload": payload}
            | {"prev_hash": previous, "hash": hash_}
            | {"origin": origin, "origin_n": None if origin is None else n}
        )
        previous = hash_
        if detail is not None:
            table, columns = detail
            rows[table].append(place | columns)
        if (said := project(seq, turn, recorded.type, recorded.payload, now)) is not None:
            rows[message].append(place | {"role": said.role, "text": said.text, "at": said.at})
    for table, values in rows.items():
        if values:
            await connection.execute(_INSERT[table], values)
    if passages:
        kept = [{"sha256": key, "content": content} for key, content in passages.items()]
        await connection.execute(_keep_passages(connection.dialect.name), kept)
    return [row["seq"] for row in rows[event]]


def project(
    seq: int, turn: int | None, type_: str, payload: dict[str, Any], at: datetime
) -> Message | None:
    """The message that an event stands for, or None. Made again from the events at any time."""
    if type_ not in ROLES:
        return None
    # What no database can hold as text; the event keeps it as it came.
    text = payload["text"].replace("\0", "\ufffd")
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Message(seq, turn, ROLES[type_], text, at)


@cache
def _keep_passages(dialect: str) -> Insert:
    made = (postgresql_insert if dialect == "postgresql" else sqlite_insert)(passage)
    return made.on_conflict_do_nothing(index_elements=["sha256"])


def _apart(call: RetrievalCall) -> tuple[RetrievalCall, dict[str, dict[str, Any]]]:
    """A look-up whose hits point to their passages by hash, and these passages. Many look-ups find
    the same ones; each is stored once."""
    hits: list[dict[str, Any]] = []
    passages: dict[str, dict[str, Any]] = {}
    for hit in call.hits:
        content = {name: value for name, value in hit.items() if name != "score"}
        sha256 = chain.content_hash(content)
        passages[sha256] = content
        hits.append({"passage": sha256, "score": hit.get("score")})
    return call.model_copy(update={"hits": hits}), passages


def _as_event(
    item: Event | ModelCall | RetrievalCall,
) -> tuple[Event, tuple[Table, dict[str, Any]] | None]:
    """The event of an item, and the row that is kept beside it."""
    if isinstance(item, Event):
        return item, None
    content = item.model_dump(mode="json")
    sha256 = chain.content_hash(content)
    if isinstance(item, ModelCall):
        payload = {
            "sha256": sha256,
            "purpose": item.purpose,
            "model_release": item.model_release,
            "finish": item.finish,
        }
        columns = {"purpose": item.purpose, "model_release": item.model_release}
        called = Event(type="model.called", actor="model", payload=payload)
        return called, (model_call, columns | {"content": content, "sha256": sha256})
    made = Event(
        type="retrieval.made",
        actor="service",
        payload={"sha256": sha256, "release": item.release, "hits": len(item.hits)},
    )
    return made, (retrieval_call, {"release": item.release, "content": content, "sha256": sha256})


async def read(
    connection: AsyncConnection,
    consultation_id: str,
    *,
    after: int = 0,
    limit: int | None = None,
    turn: int | None = None,
) -> list[Recorded]:
    """The events after `after`, in order; of one turn only where `turn` is given."""
    return [
        Recorded(
            link.consultation_id,
            link.seq,
            link.type,
            link.actor,
            link.turn,
            from_text(link.at),
            chain.parse(link.payload),
            link.prev_hash,
            link.hash,
        )
        for link in await links(connection, consultation_id, after=after, limit=limit, turn=turn)
    ]


async def from_graph(connection: AsyncConnection, consultation_id: str) -> set[int]:
    """The numbers of the events that came out of the graph, with a checkpoint; the others were
    recorded around it."""
    query = select(event.c.seq).where(
        event.c.consultation_id == consultation_id, event.c.origin.is_not(None)
    )
    return set((await connection.execute(query)).scalars())


async def links(
    connection: AsyncConnection,
    consultation_id: str,
    *,
    after: int = 0,
    limit: int | None = None,
    turn: int | None = None,
) -> list[chain.Link]:
    """The same events as the chain sees them, untouched."""
    query = (
        select(*(event.c[name] for name in chain.Link.__dataclass_fields__))
        .where(event.c.consultation_id == consultation_id, event.c.seq > after)
        .order_by(event.c.seq)
        .limit(limit)
    )
    if turn is not None:
        query = query.where(event.c.turn == turn)
    return [chain.Link(*row) for row in (await connection.execute(query)).all()]


async def transcript(connection: AsyncConnection, consultation_id: str) -> list[Message]:
    """What was said, in order."""
    columns = (message.c.seq, message.c.turn, message.c.role, message.c.text, message.c.at)
    query = select(*columns).where(message.c.consultation_id == consultation_id)
    return [
        Message(*row) for row in (await connection.execute(query.order_by(message.c.seq))).all()
    ]


async def model_calls(
    connection: AsyncConnection, consultation_id: str, *, turn: int | None = None
) -> list[tuple[int, ModelCall]]:
    """The recorded calls of the model with the number of the event that points to each."""
    rows = await _details(connection, model_call, consultation_id, turn)
    return [(seq, ModelCall.model_validate(content)) for seq, content, _ in rows]


async def retrievals(
    connection: AsyncConnection, consultation_id: str, *, turn: int | None = None
) -> list[tuple[int, RetrievalCall]]:
    """The recorded look-ups with the number of the event that points to each."""
    rows = await _details(connection, retrieval_call, consultation_id, turn)
    calls = [(seq, RetrievalCall.model_validate(content)) for seq, content, _ in rows]
    wanted = sorted({hit["passage"] for _, call in calls for hit in call.hits if "passage" in hit})
    found = {}
    if wanted:
        kept = (await connection.execute(_PASSAGES, {"hashes": wanted})).all()
        found = {row.sha256: row.content for row in kept}
    return [
        (seq, call.model_copy(update={"hits": [_whole(hit, found) for hit in call.hits]}))
        for seq, call in calls
    ]


def _whole(hit: dict[str, Any], passages: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A hit with its passage. Records of before passages were kept have only their names."""
    content = passages.get(hit.get("passage", ""))
    return hit if content is None else content | {"score": hit["score"]}


async def _details(
    connection: AsyncConnection, table: Table, consultation_id: str, turn: int | None
) -> list[tuple[int, Any, str]]:
    query = select(table.c.seq, table.c.content, table.c.sha256).where(
        table.c.consultation_id == consultation_id
    )
    if turn is not None:
        query = query.where(table.c.turn == turn)
    return [tuple(row) for row in (await connection.execute(query.order_by(table.c.seq))).all()]


async def verify(connection: AsyncConnection, consultation_id: str) -> chain.BrokenLink | None:
    """The first place where the record does not hold: chain, recorded calls, messages; or None.

    Everything is compared as it is stored, so that nothing damaged need be understood.
    """
    stored = await links(connection, consultation_id)
    broken = chain.verify(stored) if stored else _missing(consultation_id)
    found = [broken] if broken else []
    sound = stored[: broken.seq - 1] if broken else stored
    for table, type_ in ((model_call, "model.called"), (retrieval_call, "retrieval.made")):
        rows = await _stored_details(connection, table, consultation_id)
        for link in sound:
            kept = rows.pop(link.seq, None)
            expected = chain.parse(link.payload)["sha256"] if link.type == type_ else None
            if kept != expected:
                reason = "what it points to was changed or is missing"
                if expected is None:
                    reason = f"a {table.name} was added to it"
                found.append(chain.BrokenLink(consultation_id, link.seq, reason))
                break
    if broken_passage := await _broken_passage(connection, consultation_id):
        reason = "a passage that it found was changed or is missing"
        found.append(chain.BrokenLink(consultation_id, broken_passage, reason))
    if sound and not await _is_as_opened(connection, sound[0]):
        reason = "the consultation is not the one that it opened"
        found.append(chain.BrokenLink(consultation_id, sound[0].seq, reason))
    spoken = (await connection.execute(_WORDS, {"of": consultation_id})).all()
    words = {row.number: row.text for row in spoken}
    for link in sound:
        if link.type != "patient.said" or link.turn not in words:
            continue
        if chain.parse(link.payload).get("text") != words[link.turn]:
            reason = "the words of the turn are not those that were said"
            found.append(chain.BrokenLink(consultation_id, link.seq, reason))
            break
    messages = await _stored_messages(connection, consultation_id)
    for link in sound:
        if messages.pop(link.seq, None) != _as_stored(link):
            reason = "its message was changed, added or is missing"
            found.append(chain.BrokenLink(consultation_id, link.seq, reason))
            break
    return min(found, key=lambda link: link.seq, default=None)


_WORDS = select(turn_table.c.number, turn_table.c.text).where(
    turn_table.c.consultation_id == bindparam("of")
)
_PINNED = (
    consultation.c.language,
    type_coerce(consultation.c.patient, Text),
    type_coerce(consultation.c.consent, Text),
    consultation.c.knowledge_release,
    consultation.c.model_release,
    consultation.c.seed,
)
_AS_OPENED = select(*_PINNED).where(consultation.c.id == bindparam("of"))


async def _is_as_opened(connection: AsyncConnection, first: chain.Link) -> bool:
    """Whether a consultation is pinned to what its first event says. One that is gone is looked
    for elsewhere, and what began with another event is of an older version."""
    row = (await connection.execute(_AS_OPENED, {"of": first.consultation_id})).first()
    if row is None or first.type != "consultation.opened":
        return True
    said = chain.parse(first.payload)
    language, patient, consent, *rest = row
    return [language, patient, consent, *rest] == [
        said["language"],
        chain.canonical(said["patient"]),
        chain.canonical(said["consent"]),
        said["knowledge_release"],
        said["model_release"],
        said["seed"],
    ]


def _missing(consultation_id: str) -> chain.BrokenLink:
    return chain.BrokenLink(consultation_id, 1, "event 1 is missing")


_HITS = select(retrieval_call.c.seq, type_coerce(retrieval_call.c.content, Text)).where(
    retrieval_call.c.consultation_id == bindparam("of")
)
_PASSAGE_TEXTS = select(passage.c.sha256, type_coerce(passage.c.content, Text)).where(
    passage.c.sha256.in_(bindparam("hashes", expanding=True))
)


async def _broken_passage(connection: AsyncConnection, consultation_id: str) -> int | None:
    """The first look-up one of whose passages is not what its hash says. A look-up that cannot be
    read is left to what compares its own hash."""
    wanted: dict[str, int] = {}
    for seq, content in await connection.execute(_HITS.order_by("seq"), {"of": consultation_id}):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            for hit in json.loads(content)["hits"]:
                if "passage" in hit:
                    wanted.setdefault(hit["passage"], seq)
    if not wanted:
        return None
    rows = (await connection.execute(_PASSAGE_TEXTS, {"hashes": sorted(wanted)})).all()
    right = {key for key, text in rows if hashlib.sha256(text.encode()).hexdigest() == key}
    return min((seq for key, seq in wanted.items() if key not in right), default=None)


_TEXT_OF = {
    table: select(
        table.c.seq,
        table.c.turn,
        type_coerce(table.c.content, Text),
        table.c.sha256,
    ).where(table.c.consultation_id == bindparam("of"))
    for table in (model_call, retrieval_call)
}
_MESSAGES = select(
    message.c.seq, message.c.turn, message.c.role, message.c.text, type_coerce(message.c.at, Text)
).where(message.c.consultation_id == bindparam("of"))


async def _stored_details(
    connection: AsyncConnection, table: Table, consultation_id: str
) -> dict[int, str]:
    """By event the hash of what is kept beside it, or what is no hash where the row belies it."""
    rows = (await connection.execute(_TEXT_OF[table], {"of": consultation_id})).all()
    found: dict[int, str] = {}
    for seq, _, content, sha256 in rows:
        own = hashlib.sha256(content.encode()).hexdigest()
        found[seq] = own if own == sha256 else "belied"
    return found


Stored = tuple[int | None, str, str, str]  # turn, role, text, at


async def _stored_messages(connection: AsyncConnection, consultation_id: str) -> dict[int, Stored]:
    rows = (await connection.execute(_MESSAGES, {"of": consultation_id})).all()
    return {seq: (turn, role, text, at) for seq, turn, role, text, at in rows}


def _as_stored(link: chain.Link) -> Stored | None:
    """The message that an event stands for, as it is stored."""
    if link.type not in ROLES:
        return None
    said = project(link.seq, link.turn, link.type, chain.parse(link.payload), from_text(link.at))
    assert said is not None
    return said.turn, said.role, said.text, to_text(said.at)


async def rebuild(connection: AsyncConnection, consultation_id: str) -> int:
    """Makes the messages of a consultation again from its events, byte for byte, and returns how
    many were wrong, missing or too many. Raises RecordBroken where the chain itself does not hold,
    because what it says cannot be trusted then."""
    await lock(connection, consultation_id)
    stored = await links(connection, consultation_id)
    if not stored or chain.verify(stored) is not None:
        raise RecordBroken()
    right = {link.seq: said for link in stored if (said := _as_stored(link)) is not None}
    there = await _stored_messages(connection, consultation_id)
    wrong = [seq for seq in {**right, **there} if right.get(seq) != there.get(seq)]
    if wrong:
        mine = message.c.consultation_id == consultation_id
        await connection.execute(delete(message).where(mine, message.c.seq.in_(wrong)))
        again = [
            {"consultation_id": consultation_id, "seq": seq, "turn": turn, "role": role}
            | {"text": text, "at": from_text(at)}
            for seq, (turn, role, text, at) in right.items()
            if seq in wrong
        ]
        if again:
            await connection.execute(_INSERT[message], again)
    return len(wrong)
