"""API keys: the secret is shown once; the database keeps its hash.

A key reads `hk_<id>_<secret>`. The secret has 256 random bits, so a plain sha256 of it cannot be
guessed backwards and no slow hash is needed (RFC 4086; a slow hash guards weak passwords).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from records.errors import KeyInvalid
from records.ids import new_id
from records.tables import api_key

SCOPES = ("consult", "audit", "knowledge", "admin")
"""What a key may do: hold consultations, read every record, change knowledge, make keys."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it stands in the database, without its secret."""

    id: str
    label: str
    scopes: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None


_COLUMNS = (
    api_key.c.id,
    api_key.c.label,
    api_key.c.scopes,
    api_key.c.created_at,
    api_key.c.revoked_at,
)


async def create(
    connection: AsyncConnection, *, label: str, scopes: Iterable[str], now: datetime
) -> tuple[ApiKey, str]:
    """Makes a key; the second value is the whole key, shown this once.

    Raises ValueError for a scope that is not in SCOPES, or for none.
    """
    wanted = frozenset(scopes)
    if not wanted or not wanted <= set(SCOPES):
        raise ValueError(f"scopes must be some of {', '.join(SCOPES)}")
    made = ApiKey(new_id(now), label, wanted, now, None)
    secret = secrets.token_urlsafe(32)
    await connection.execute(
        insert(api_key).values(
            id=made.id,
            hash=_hash(secret),
            label=label,
            scopes=sorted(wanted),
            created_at=now,
        )
    )
    return made, f"hk_{made.id}_{secret}"


async def verify(connection: AsyncConnection, presented: str) -> ApiKey:
    """The key that was presented. Raises KeyInvalid: malformed, unknown, wrong or revoked alike.

    Secrets are compared in constant time, and an unknown id costs the same comparison.
    """
    prefix, _, rest = presented.partition("_")
    id_, _, secret = rest.partition("_")
    row = None
    if prefix == "hk" and len(id_) == 36 and id_.isascii() and "\0" not in id_:
        query = select(*_COLUMNS, api_key.c.hash).where(api_key.c.id == id_)
        row = (await connection.execute(query)).first()
    stored = row.hash if row is not None else "0" * 64
    right = hmac.compare_digest(stored, _hash(secret))
    if row is None or not right or row.revoked_at is not None:
        raise KeyInvalid()
    return ApiKey(row.id, row.label, frozenset(row.scopes), row.created_at, row.revoked_at)


async def revoke(connection: AsyncConnection, id: str, *, now: datetime) -> bool:
    """Revokes a key for good; False where there is none of this id, or it was revoked before."""
    changed = await connection.execute(
        update(api_key)
        .where(api_key.c.id == id, api_key.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return changed.rowcount == 1


async def all_keys(connection: AsyncConnection) -> list[ApiKey]:
    """Every key, the oldest first."""
    rows = (await connection.execute(select(*_COLUMNS).order_by(api_key.c.created_at))).all()
    return [ApiKey(r.id, r.label, frozenset(r.scopes), r.created_at, r.revoked_at) for r in rows]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
