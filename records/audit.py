"""Looks over a whole database: every chain, what hangs on it, and the anchors that hold its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from records import anchors, events
from records.anchors import Anchor, BrokenAnchor, Head
from records.chain import BrokenLink
from records.database import Database
from records.errors import NotFound, RecordBroken
from records.tables import consultation, event

Progress = Callable[[int, int], None]
"""Told how many consultations are done, and of how many."""

_PAGE = 100  # consultations that are read in one transaction


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and where it does not hold."""

    consultations: int
    events: int
    anchors: int
    unanchored: int
    """Events that no anchor vouches for yet: a cut among them would not be seen."""
    broken: tuple[BrokenLink, ...]
    """The first broken link of each consultation that has one."""
    broken_anchor: BrokenAnchor | None

    @property
    def holds(self) -> bool:
        """Whether everything is as it was written."""
        return not self.broken and self.broken_anchor is None


async def verify(
    database: Database,
    *,
    only: str | None = None,
    trusted: str | None = None,
    kept: Sequence[Anchor] = (),
    progress: Progress | None = None,
) -> Report:
    """Verifies every consultation, or `only` one, and the anchors.

    `trusted` is the public key of the anchors, `kept` are copies of anchors from elsewhere. What is
    damaged is reported and the rest still looked at. Raises NotFound for an unknown `only`.
    """
    async with database.reading() as connection:
        signed = await anchors.read(connection)
    broken_anchor = anchors.check(signed, trusted=trusted, kept=kept)
    heads: dict[str, list[Head]] = {}
    for item in (*signed, *kept):
        for head in item.heads:
            heads.setdefault(head.consultation_id, []).append(head)
    ids = await _ids(database, heads)
    if only is not None:
        if only not in ids:
            raise NotFound()
        ids = [only]
    broken: list[BrokenLink] = []
    counted = held = 0
    for start in range(0, len(ids), _PAGE):
        async with database.reading() as connection:
            for id in ids[start : start + _PAGE]:
                count, found = await verify_one(connection, id, heads.get(id, ()))
                counted += count
                held += max((head.seq for head in heads.get(id, ())), default=0)
                if found is not None:
                    broken.append(found)
        if progress is not None:
            progress(min(start + _PAGE, len(ids)), len(ids))
    return Report(
        consultations=len(ids),
        events=counted,
        anchors=len(signed),
        unanchored=max(counted - held, 0),
        broken=tuple(broken),
        broken_anchor=broken_anchor,
    )


async def verify_one(
    connection: AsyncConnection, id: str, heads: Sequence[Head]
) -> tuple[int, BrokenLink | None]:
    """How many events a consultation has, and its first broken link; `heads` are its anchored
    ends."""
    broken = await events.verify(connection, id)
    rows = (await connection.execute(_HASHES, {"of": id})).all()
    cut = _cut(id, heads, {row.seq: row.hash for row in rows})
    places = [link for link in (broken, cut) if link is not None]
    return len(rows), min(places, key=lambda link: link.seq, default=None)


async def rebuild(
    database: Database, *, only: str | None = None, progress: Progress | None = None
) -> tuple[int, tuple[str, ...]]:
    """Makes all messages again from the events; returns how many were put right, and the
    consultations that were left as they are because their chain does not hold."""
    ids = await _ids(database, ()) if only is None else [only]
    changed, left = 0, []
    for done, id in enumerate(ids, start=1):
        try:
            async with database.transaction() as connection:
                changed += await events.rebuild(connection, id)
        except RecordBroken:
            left.append(id)
        if progress is not None:
            progress(done, len(ids))
    return changed, tuple(left)


async def consultations(database: Database) -> list[str]:
    """Every consultation, in the order in which they were opened."""
    async with database.reading() as connection:
        query = select(consultation.c.id).order_by(consultation.c.created_at, consultation.c.id)
        return list((await connection.execute(query)).scalars())


async def _ids(database: Database, anchored: Iterable[str]) -> list[str]:
    """Every consultation that there is, or was when an anchor was made."""
    async with database.reading() as connection:
        there = union(select(consultation.c.id), select(event.c.consultation_id))
        found = {id for (id,) in (await connection.execute(there)).all()}
    return sorted(found.union(anchored))


_HASHES = select(event.c.seq, event.c.hash).where(event.c.consultation_id == bindparam("of"))


def _cut(id: str, heads: Iterable[Head], hashes: dict[int, str]) -> BrokenLink | None:
    """Where a chain is not the one that was anchored: cut off, or written anew."""
    for head in sorted(heads, key=lambda head: head.seq):
        if head.seq not in hashes:
            missing = next(seq for seq in range(1, head.seq + 1) if seq not in hashes)
            return BrokenLink(id, missing, f"event {missing} is missing; it was anchored")
        if hashes[head.seq] != head.hash:
            return BrokenLink(id, head.seq, "is not the event that was anchored")
    return None
