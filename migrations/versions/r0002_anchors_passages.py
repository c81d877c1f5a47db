"""Anchors, which sign how far every chain of events had come, and the passages that look-ups found.

Revision: 0002
Follows: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEYS: dict[str, tuple[str, ...]] = {
    "anchor": ("number",),
    "anchor_head": ("anchor", "consultation_id"),
    "passage": (),
}


def upgrade() -> None:
    op.create_table(
        "anchor",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_anchor"),
        sa.CheckConstraint("number >= 1", name=op.f("ck_anchor_number")),
    )
    op.create_table(
        "anchor_head",
        sa.Column("anchor", sa.Integer, nullable=False),
        sa.Column("consultation_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("anchor", "consultation_id", name="pk_anchor_head"),
        sa.ForeignKeyConstraint(["anchor"], ["anchor.number"], name="fk_anchor_head_anchor"),
    )
    op.create_index("ix_anchor_head_consultation_id_seq", "anchor_head", ["consultation_id", "seq"])
    op.create_table(
        "passage",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_passage"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_sqlite() -> None:
    for table, key in KEYS.items():
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        # A passage that is there already is left as it is, and may be put in again.
        if not key:
            continue
        # INSERT OR REPLACE deletes without waking the trigger above; this one it does wake.
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _guard_postgresql() -> None:
    for table in KEYS:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION huatuo_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION huatuo_append_only()"
        )


def downgrade() -> None:
    op.drop_table("passage")
    op.drop_table("anchor_head")
    op.drop_table("anchor")
