"""Identifiers: UUIDs of version 7 (RFC 9562), whose text sorts by the time they were made."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID


def new_id(now: datetime, entropy: int | None = None) -> str:
    """A UUID of version 7 for the moment `now`, as text.

    `entropy` (74 bits) is drawn at random unless it is given, as a replay does.
    """
    random = secrets.randbits(74) if entropy is None else entropy
    value = (int(now.timestamp() * 1000) & (1 << 48) - 1) << 80
    value |= 7 << 76 | (random >> 62 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return str(UUID(int=value))
