"""The statements of the checkpointer, built once: building one costs more than running it."""

from __future__ import annotations

from functools import cache

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Table,
    bindparam,
    delete,
    exists,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from records import turns
from records.tables import checkpoint as checkpoints
from records.tables import checkpoint_write as writes_of

NEWEST = (
    select(checkpoints)
    .where(
        checkpoints.c.thread_id == bindparam("thread"),
        checkpoints.c.namespace == bindparam("space"),
    )
    .order_by(checkpoints.c.id.desc())
    .limit(1)
)
PENDING = select(writes_of).where(
    writes_of.c.thread_id == bindparam("thread"),
    writes_of.c.namespace == bindparam("space"),
    writes_of.c.checkpoint_id == bindparam("checkpoint"),
)


@cache
def insert(dialect: str, table: Table, replace: bool, fenced: bool = False) -> Insert:
    """Inserts a row; where one is there already, replaces or leaves it. A fenced one is inserted
    only while a lease holds (`turns.held`)."""
    statement = (postgresql_insert if dialect == "postgresql" else sqlite_insert)(table)
    if fenced:
        row = select(*(bindparam(c.name, type_=c.type) for c in table.c))
        statement = statement.from_select(list(table.c), row.where(exists(turns.IS_HELD)))
        statement = statement.execution_options(preserve_rowcount=True)
    key = [column.name for column in table.primary_key]
    if not replace:
        return statement.on_conflict_do_nothing(index_elements=key)
    fresh = {c.name: statement.excluded[c.name] for c in table.c if c.name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=fresh)


def _older(table: Table, id_: ColumnElement[str]) -> Delete:
    later = checkpoints.alias()
    newest = select(func.max(later.c.id)).where(
        later.c.thread_id == table.c.thread_id, later.c.namespace == table.c.namespace
    )
    return delete(table).where(
        table.c.thread_id == bindparam("thread"), id_ < newest.scalar_subquery()
    )


PRUNE = (_older(writes_of, writes_of.c.checkpoint_id), _older(checkpoints, checkpoints.c.id))
