"""Canonical JSON and the hash chain over the events of a consultation.

Each event's hash covers where it stands (consultation and sequence number), what it says, and
the hash of the event before it. A change, a deletion, an insertion or a swap breaks the chain at
its place; only a cut at the end leaves the rest whole, and needs an anchor kept elsewhere.
The payload enters as the very text that is stored, so that the chain can be verified without
being able to read it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64
"""The `prev_hash` of the first event of a consultation."""

_FORMAT = "huatuo.event.1"
_SURROGATE = re.compile("[\ud800-\udfff]")


def canonical(value: Any) -> str:
    """`value` as the one JSON text that stands for it: sorted keys, no spaces, UTF-8 as it is.

    Half a surrogate pair, which UTF-8 cannot hold, is escaped, so that it survives a round trip.
    Raises TypeError or ValueError for what JSON cannot say: NaN, infinities, other types, keys
    that are not strings.
    """
    _check_keys(value)
    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _check_keys(value: Any) -> None:
    # json.dumps turns the key 1 into "1" without a word, and two keys could fall into one.
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a key of a record must be a string, not {type(key).__name__}")
            _check_keys(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_keys(item)


def parse(payload: str) -> Any:
    """The structure that a canonical text stands for."""
    return json.loads(payload)


def content_hash(value: Any) -> str:
    """sha256 of the canonical JSON of `value`, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Link:
    """One event as the chain sees it. `at` and `payload` are the stored texts."""

    consultation_id: str
    seq: int
    type: str
    actor: str
    turn: int | None
    at: str
    payload: str
    prev_hash: str
    hash: str

    def computed(self) -> str:
        """The hash that this event should have."""
        return link_hash(
            self.consultation_id,
            self.seq,
            self.type,
            self.actor,
            self.turn,
            self.at,
            self.payload,
            self.prev_hash,
        )


def link_hash(
    consultation_id: str,
    seq: int,
    type_: str,
    actor: str,
    turn: int | None,
    at: str,
    payload: str,
    prev_hash: str,
) -> str:
    """sha256 over the parts of an event, as a JSON array so that no two readings are possible."""
    return content_hash([_FORMAT, consultation_id, seq, type_, actor, turn, at, payload, prev_hash])


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first place where a chain does not hold, and why."""

    consultation_id: str
    seq: int
    reason: str


def verify(links: Iterable[Link]) -> BrokenLink | None:
    """The first broken link of one consultation's events in the order of `seq`, or None.

    An empty chain holds.
    """
    previous: Link | None = None
    for number, link in enumerate(links, start=1):
        if previous is not None and link.consultation_id != previous.consultation_id:
            reason = "belongs to another consultation"
        elif link.seq != number:
            reason = f"event {number} is missing"
        elif link.prev_hash != (previous.hash if previous else GENESIS):
            reason = "does not follow from the event before it"
        elif link.hash != link.computed():
            reason = "was changed after it was written"
        else:
            previous = link
            continue
        return BrokenLink(link.consultation_id, min(link.seq, number), reason)
    return None
