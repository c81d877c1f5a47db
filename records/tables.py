"""The tables, as SQLAlchemy Core sees them. The migrations make them; a test holds both together.

Times are kept as ISO 8601 text in UTC with microseconds (they sort as text and are the very
characters that the chain of events hashes), structures as canonical JSON text; so both databases
hold the same bytes.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from records.chain import canonical


def to_text(at: datetime) -> str:
    """A moment as it is stored: `2026-01-31T08:15:00.000000Z`. Raises ValueError without a zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored; use datetime.now(UTC)")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(stored: str) -> datetime:
    """The moment that a stored text names, in UTC."""
    return datetime.strptime(stored, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, stored as text."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else to_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_text(value)


class Json(TypeDecorator[Any]):
    """A structure, stored as canonical JSON text. None is stored as NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = String(36)

api_key = Table(
    "api_key",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("label", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
)

consultation = Table(
    "consultation",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("owner", _ID, nullable=False),
    Column("language", String(16)),
    Column("patient", Json, nullable=False),
    Column("consent", Json, nullable=False),
    Column("status", String(16), nullable=False),
    Column("knowledge_release", Text, nullable=False),
    Column("model_release", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    CheckConstraint("status IN ('open', 'emergency', 'handed_off', 'closed')", name="status"),
    Index(None, "owner", "created_at"),
)

turn = Table(
    "turn",
    metadata,
    Column("consultation_id", _ID, ForeignKey(consultation.c.id), nullable=False),
    Column("number", Integer, nullable=False),
    Column("idempotency_key", String(255), nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", UtcTime),
    Column("attempt", Integer, nullable=False),
    Column("result", Json),
    Column("error", Text),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    PrimaryKeyConstraint("consultation_id", "number"),
    UniqueConstraint("consultation_id", "idempotency_key"),
    CheckConstraint("status IN ('running', 'done', 'failed')", name="status"),
    CheckConstraint("(status = 'running') = (lease_until IS NOT NULL)", name="lease"),
    CheckConstraint("(status = 'done') = (result IS NOT NULL)", name="result"),
    # The database itself holds the rule of one running turn for each consultation.
    Index(
        "uq_turn_running",
        "consultation_id",
        unique=True,
        sqlite_where=text("status = 'running'"),
        postgresql_where=text("status = 'running'"),
    ),
    Index(
        "ix_turn_lease",
        "lease_until",
        sqlite_where=text("status = 'running'"),
        postgresql_where=text("status = 'running'"),
    ),
)

event = Table(
    "event",
    metadata,
    Column("consultation_id", _ID, ForeignKey(consultation.c.id), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("type", String(64), nullable=False),
    Column("actor", String(16), nullable=False),
    Column("turn", Integer),
    # `at` and `payload` are plain text here: the chain hashes what is stored, untouched.
    Column("at", String(27), nullable=False),
    Column("payload", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    # Which item of which checkpoint it came from: what makes it exactly once.
    Column("origin", String(64)),
    Column("origin_n", Integer),
    PrimaryKeyConstraint("consultation_id", "seq"),
    UniqueConstraint("consultation_id", "origin", "origin_n"),
    CheckConstraint("seq >= 1", name="seq"),
    CheckConstraint("(origin IS NULL) = (origin_n IS NULL)", name="origin"),
)

model_call = Table(
    "model_call",
    metadata,
    Column("consultation_id", _ID, nullable=False),
    Column("seq", Integer, nullable=False),  # of the event that points to it
    Column("turn", Integer),
    Column("purpose", String(64), nullable=False),
    Column("model_release", Text, nullable=False),
    Column("content", Json, nullable=False),
    Column("sha256", String(64), nullable=False),
    PrimaryKeyConstraint("consultation_id", "seq"),
    ForeignKeyConstraint(["consultation_id", "seq"], [event.c.consultation_id, event.c.seq]),
)

retrieval_call = Table(
    "retrieval_call",
    metadata,
    Column("consultation_id", _ID, nullable=False),
    Column("seq", Integer, nullable=False),  # of the event that points to it
    Column("turn", Integer),
    Column("release", Text, nullable=False),
    Column("content", Json, nullable=False),
    Column("sha256", String(64), nullable=False),
    PrimaryKeyConstraint("consultation_id", "seq"),
    ForeignKeyConstraint(["consultation_id", "seq"], [event.c.consultation_id, event.c.seq]),
)

# What look-ups found, once for all of them: knowledge, and no patient's words.
passage = Table(
    "passage",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("content", Json, nullable=False),
)

message = Table(
    "message",
    metadata,
    Column("consultation_id", _ID, nullable=False),
    Column("seq", Integer, nullable=False),  # of the event that it projects
    Column("turn", Integer),
    Column("role", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    PrimaryKeyConstraint("consultation_id", "seq"),
    ForeignKeyConstraint(["consultation_id", "seq"], [event.c.consultation_id, event.c.seq]),
    CheckConstraint("role IN ('patient', 'service')", name="role"),
)

anchor = Table(
    "anchor",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String(27), nullable=False),
    Column("root", String(64), nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
    CheckConstraint("number >= 1", name="number"),
)

# No foreign key to the event: the anchor has to stand where the event was cut off.
anchor_head = Table(
    "anchor_head",
    metadata,
    Column("anchor", Integer, ForeignKey(anchor.c.number), nullable=False),
    Column("consultation_id", _ID, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("anchor", "consultation_id"),
    Index(None, "consultation_id", "seq"),
)

# The working memory of LangGraph. A thread is a consultation, but no foreign key says so:
# checkpoints are disposable, and a graph may run on a thread that is kept nowhere else.
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("thread_id", String(255), nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("id", String(64), nullable=False),
    Column("parent_id", String(64)),
    Column("format", String(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("about", Json, nullable=False),
    PrimaryKeyConstraint("thread_id", "namespace", "id"),
)

checkpoint_write = Table(
    "checkpoint_write",
    metadata,
    Column("thread_id", String(255), nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("checkpoint_id", String(64), nullable=False),
    Column("task_id", String(64), nullable=False),
    Column("position", Integer, nullable=False),
    Column("task_path", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("format", String(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("thread_id", "namespace", "checkpoint_id", "task_id", "position"),
)

APPEND_ONLY = ("event", "model_call", "retrieval_call", "passage", "anchor", "anchor_head")
"""Tables of which the database itself refuses UPDATE and DELETE (see the migrations)."""
