"""Anchors: signed statements of how far every chain had come.

A chain shows every change but one: events cut off at its end. An anchor names the last event of
each consultation that went on since the anchor before, so that what was there once cannot go
unseen. It holds the root of a Merkle tree over these heads (as RFC 6962 builds it), the hash of the
anchor before, and an Ed25519 signature. Copies that are kept elsewhere also show a database that
was put back as a whole, anchors and all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from records import chain, signing
from records.errors import AnchorsUnreadable
from records.tables import anchor, anchor_head, event, to_text

_FORMAT = "huatuo.anchor.1"


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """The last event of a consultation when an anchor was made."""

    consultation_id: str
    seq: int
    hash: str


class Anchor(BaseModel):
    """One anchor with its heads, as it is stored, exported and read again.

    `at` is a stored time, `root` and the hashes are sha256 in hexadecimal, `key` is the public key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=1)
    at: str
    root: str
    prev_hash: str
    hash: str
    key: str
    signature: str
    heads: tuple[Head, ...]

    def computed(self) -> str:
        """The hash that this anchor should have."""
        return _hash(self.number, self.at, self.root, self.prev_hash, self.key)


@dataclass(frozen=True, slots=True)
class BrokenAnchor:
    """An anchor that does not hold, and why."""

    number: int
    reason: str


def root(heads: Sequence[Head]) -> str:
    """The root of the Merkle tree over heads in their order, sha256 in hexadecimal (RFC 6962, 2.1:
    leaves and nodes are told apart by their first byte, so that none can pass for the other)."""
    leaves = [
        hashlib.sha256(
            b"\0" + chain.canonical([head.consultation_id, head.seq, head.hash]).encode()
        ).digest()
        for head in heads
    ]
    return _tree(leaves).hex()


def _tree(nodes: list[bytes]) -> bytes:
    if not nodes:
        return hashlib.sha256(b"").digest()
    while len(nodes) > 1:
        # A last one without a partner rises as it is: the tree of RFC 6962, built from below.
        pairs = [nodes[at : at + 2] for at in range(0, len(nodes), 2)]
        nodes = [
            hashlib.sha256(b"\1" + pair[0] + pair[1]).digest() if len(pair) == 2 else pair[0]
            for pair in pairs
        ]
    return nodes[0]


def _hash(number: int, at: str, root_: str, prev_hash: str, key: str) -> str:
    return chain.content_hash([_FORMAT, number, at, root_, prev_hash, key])


async def make(connection: AsyncConnection, signer: signing.Signer, *, now: datetime) -> Anchor:
    """Makes the next anchor over all that went on since the last one, even where nothing did.

    Looks at every chain's end once (the cost grows with the consultations, not their events).
    Raises RecordRefused where another process made this anchor in the meantime.
    """
    last = (
        await connection.execute(
            select(anchor.c.number, anchor.c.hash).order_by(anchor.c.number.desc()).limit(1)
        )
    ).first()
    ends = (
        select(event.c.consultation_id, func.max(event.c.seq).label("seq"))
        .group_by(event.c.consultation_id)
        .subquery()
    )
    known = (
        select(anchor_head.c.consultation_id, func.max(anchor_head.c.seq).label("seq"))
        .group_by(anchor_head.c.consultation_id)
        .subquery()
    )
    moved = (
        select(event.c.consultation_id, event.c.seq, event.c.hash)
        .join(
            ends,
            (ends.c.consultation_id == event.c.consultation_id) & (ends.c.seq == event.c.seq),
        )
        .outerjoin(known, known.c.consultation_id == event.c.consultation_id)
        .where((known.c.seq.is_(None)) | (known.c.seq < event.c.seq))
    )
    heads = sorted(Head(*row) for row in (await connection.execute(moved)).all())
    number, prev_hash = (last.number + 1, last.hash) if last else (1, chain.GENESIS)
    at, root_ = to_text(now), root(heads)
    hash_ = _hash(number, at, root_, prev_hash, signer.public)
    made = Anchor(
        number=number,
        at=at,
        root=root_,
        prev_hash=prev_hash,
        hash=hash_,
        key=signer.public,
        signature=signer.sign(hash_),
        heads=tuple(heads),
    )
    await connection.execute(insert(anchor), made.model_dump(exclude={"heads"}))
    if heads:
        await connection.execute(
            insert(anchor_head), [{"anchor": number} | asdict(head) for head in heads]
        )
    return made


async def read(connection: AsyncConnection) -> list[Anchor]:
    """All anchors in order, untouched."""
    heads: dict[int, list[Head]] = {}
    columns = [anchor_head.c[name] for name in Head.__dataclass_fields__]
    for number, *head in (await connection.execute(select(anchor_head.c.anchor, *columns))).all():
        heads.setdefault(number, []).append(Head(*head))
    rows = (await connection.execute(select(anchor).order_by(anchor.c.number))).all()
    return [
        Anchor.model_construct(**row._mapping, heads=tuple(sorted(heads.pop(row.number, ()))))
        for row in rows
    ]


async def newest_at(connection: AsyncConnection) -> str | None:
    """When the newest anchor was made, as it is stored; None where there is none."""
    found: str | None = await connection.scalar(
        select(anchor.c.at).order_by(anchor.c.number.desc()).limit(1)
    )
    return found


def check(
    anchors: Sequence[Anchor], *, trusted: str | None = None, kept: Iterable[Anchor] = ()
) -> BrokenAnchor | None:
    """The first anchor that does not hold in itself, or None.

    `trusted` is the public key that they must be signed with; `kept` are copies from elsewhere,
    which must be among them unchanged.
    """
    previous = chain.GENESIS
    for number, item in enumerate(anchors, start=1):
        if item.number != number:
            return BrokenAnchor(number, "is missing")
        if item.prev_hash != previous:
            return BrokenAnchor(number, "does not follow from the anchor before it")
        if item.root != root(item.heads) or item.hash != item.computed():
            return BrokenAnchor(number, "was changed after it was made")
        if not signing.holds(item.hash, item.signature, item.key):
            return BrokenAnchor(number, "has a signature that does not hold")
        if trusted is not None and item.key != trusted:
            return BrokenAnchor(number, "is signed with another key")
        previous = item.hash
    for copy in sorted(kept, key=lambda item: item.number):
        if copy.number > len(anchors):
            return BrokenAnchor(copy.number, "is missing; a copy of it is kept elsewhere")
        if copy != anchors[copy.number - 1]:
            return BrokenAnchor(copy.number, "is not the one that a copy elsewhere shows")
    return None


def to_lines(anchors: Iterable[Anchor]) -> str:
    """Anchors as JSON Lines, to be kept elsewhere."""
    return "".join(chain.canonical(item.model_dump(mode="json")) + "\n" for item in anchors)


def from_lines(text: str) -> list[Anchor]:
    """The anchors of a file that `to_lines` wrote. Raises AnchorsUnreadable with the line."""
    found: list[Anchor] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            fields: dict[str, Any] = json.loads(line)
            found.append(Anchor.model_validate(fields))
        except (ValueError, ValidationError) as error:
            raise AnchorsUnreadable(f"Line {number} is no anchor. Export the anchors again.") from (
                None if isinstance(error, ValidationError) else error
            )
    return found
