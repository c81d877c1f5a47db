"""The records: consultations, turns, events, calls, messages, checkpoints, API keys.

Revision: 0001
Follows: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("event", "model_call", "retrieval_call")


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("revoked_at", sa.String(27)),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_table(
        "consultation",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("owner", sa.String(36), nullable=False),
        sa.Column("language", sa.String(16)),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("consent", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("knowledge_release", sa.Text, nullable=False),
        sa.Column("model_release", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("closed_at", sa.String(27)),
        sa.PrimaryKeyConstraint("id", name="pk_consultation"),
        sa.CheckConstraint(
            "status IN ('open', 'emergency', 'handed_off', 'closed')",
            name=op.f("ck_consultation_status"),
        ),
    )
    op.create_index("ix_consultation_owner_created_at", "consultation", ["owner", "created_at"])
    op.create_table(
        "turn",
        sa.Column("consultation_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=False),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", sa.String(27)),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("started_at", sa.String(27), nullable=False),
        sa.Column("finished_at", sa.String(27)),
        sa.PrimaryKeyConstraint("consultation_id", "number", name="pk_turn"),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name="fk_turn_consultation"
        ),
        sa.UniqueConstraint(
            "consultation_id", "idempotency_key", name="uq_turn_consultation_id_idempotency_key"
        ),
        sa.CheckConstraint("status IN ('running', 'done', 'failed')", name=op.f("ck_turn_status")),
        sa.CheckConstraint(
            "(status = 'running') = (lease_until IS NOT NULL)", name=op.f("ck_turn_lease")
        ),
        sa.CheckConstraint("(status = 'done') = (result IS NOT NULL)", name=op.f("ck_turn_result")),
    )
    running = sa.text("status = 'running'")
    op.create_index(
        "uq_turn_running",
        "turn",
        ["consultation_id"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )
    op.create_index(
        "ix_turn_lease", "turn", ["lease_until"], sqlite_where=running, postgresql_where=running
    )
    op.create_table(
        "event",
        sa.Column("consultation_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(16), nullable=False),
        sa.Column("turn", sa.Integer),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(64)),
        sa.Column("origin_n", sa.Integer),
        sa.PrimaryKeyConstraint("consultation_id", "seq", name="pk_event"),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name="fk_event_consultation"
        ),
        sa.UniqueConstraint(
            "consultation_id", "origin", "origin_n", name="uq_event_consultation_id_origin_origin_n"
        ),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_event_seq")),
        sa.CheckConstraint("(origin IS NULL) = (origin_n IS NULL)", name=op.f("ck_event_origin")),
    )
    _create_detail(
        "model_call", sa.Column("purpose", sa.String(64), nullable=False), "model_release"
    )
    _create_detail("retrieval_call", None, "release")
    op.create_table(
        "message",
        sa.Column("consultation_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("turn", sa.Integer),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("consultation_id", "seq", name="pk_message"),
        sa.ForeignKeyConstraint(
            ["consultation_id", "seq"],
            ["event.consultation_id", "event.seq"],
            name="fk_message_event",
        ),
        sa.CheckConstraint("role IN ('patient', 'service')", name=op.f("ck_message_role")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("thread_id", sa.String(255), nullable=False),
        sa.Column("namespace", sa.String(255), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("parent_id", sa.String(64)),
        sa.Column("format", sa.String(32), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("thread_id", "namespace", "id", name="pk_checkpoint"),
    )
    op.create_table(
        "checkpoint_write",
        sa.Column("thread_id", sa.String(255), nullable=False),
        sa.Column("namespace", sa.String(255), nullable=False),
        sa.Column("checkpoint_id", sa.String(64), nullable=False),
        sa.Column("task_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("task_path", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("format", sa.String(32), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint(
            "thread_id",
            "namespace",
            "checkpoint_id",
            "task_id",
            "position",
            name="pk_checkpoint_write",
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _create_detail(table: str, extra: sa.Column[str] | None, release: str) -> None:
    op.create_table(
        table,
        sa.Column("consultation_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("turn", sa.Integer),
        *([] if extra is None else [extra]),
        sa.Column(release, sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("consultation_id", "seq", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["consultation_id", "seq"],
            ["event.consultation_id", "event.seq"],
            name=f"fk_{table}_event",
        ),
    )


def _guard_sqlite() -> None:
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        # INSERT OR REPLACE deletes without waking the trigger above; this one it does wake.
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE consultation_id = NEW.consultation_id "
            f"AND seq = NEW.seq) BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER event_follows BEFORE INSERT ON event WHEN "
        "(NEW.seq = 1 AND NEW.prev_hash IS NOT '" + "0" * 64 + "') OR "
        "(NEW.seq > 1 AND NEW.prev_hash IS NOT (SELECT hash FROM event "
        "WHERE consultation_id = NEW.consultation_id AND seq = NEW.seq - 1)) "
        "OR EXISTS (SELECT 1 FROM event WHERE consultation_id = NEW.consultation_id "
        "AND origin = NEW.origin AND origin_n = NEW.origin_n) "
        "BEGIN SELECT RAISE(ABORT, 'event does not follow from the one before it'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION huatuo_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '23001'; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION huatuo_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION huatuo_append_only()"
        )
    op.execute(
        "CREATE FUNCTION huatuo_event_follows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.prev_hash IS DISTINCT FROM (CASE WHEN NEW.seq = 1 THEN repeat('0', 64) "
        "ELSE (SELECT hash FROM event WHERE consultation_id = NEW.consultation_id "
        "AND seq = NEW.seq - 1) END) THEN "
        "RAISE EXCEPTION 'event does not follow from the one before it' "
        "USING ERRCODE = '23001'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER event_follows BEFORE INSERT ON event "
        "FOR EACH ROW EXECUTE FUNCTION huatuo_event_follows()"
    )


def downgrade() -> None:
    for table in (
        "checkpoint_write",
        "checkpoint",
        "message",
        "retrieval_call",
        "model_call",
        "event",
        "turn",
        "consultation",
        "api_key",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION huatuo_event_follows()")
        op.execute("DROP FUNCTION huatuo_append_only()")
