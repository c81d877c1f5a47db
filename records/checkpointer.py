"""The checkpointer of LangGraph over the same database as the events.

The state of the graph has a channel named `outbox`, which nodes fill with what they want on
record (`agent.events.to_outbox`). It is declared as

    outbox: Annotated[list[dict[str, Any]], Topic(dict)]

because a `Topic` gathers what all nodes of a super-step put in and is empty again in the next;
an `EphemeralValue` would keep only one node's items. When the checkpoint of the super-step is
stored, the saver takes the channel out of it and appends its items as events in the same
transaction: a checkpoint and its events stand or fall together, and checkpoints do not grow with
what was said. Run the graph with `durability="sync"`, and give subgraphs no `outbox`: what a
subgraph hands up to its parent would be recorded by both.

Until the super-step is complete, a finished node's items wait among its pending writes, so that
a crash of a neighbour loses nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_serializable_checkpoint_metadata,
    writes_sort_key,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import ERROR, INTERRUPT
from sqlalchemy import Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from records import checkpoint_sql, events, turns
from records.database import Database
from records.errors import LeaseLost
from records.superseding import Superseding
from records.tables import checkpoint as checkpoints
from records.tables import checkpoint_write as writes_of

OUTBOX = "outbox"
"""The channel of the state whose items are put on record with the checkpoint."""

_STANDS = frozenset((ERROR, INTERRUPT))  # no checkpoint follows on these
_LEASE = "__lease"  # LangGraph keeps keys with two underscores out of the metadata it stores


def thread_config(consultation_id: str, lease: turns.Lease | None = None) -> RunnableConfig:
    """The configuration to run a consultation's graph with.

    With a lease, each write checks in its transaction that the turn is still held, and tags the
    events with the turn's number; LeaseLost ends the run of a process that was given up for dead.
    """
    place: dict[str, Any] = {"thread_id": consultation_id}
    if lease is not None:
        place[_LEASE] = lease
    return {"configurable": place}


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


class Checkpointer(BaseCheckpointSaver[str]):
    """Stores checkpoints, pending writes and the outbox; one consultation is one thread.

    `allowed` names the types, as (module, name), that may be read back from a checkpoint besides
    LangGraph's own; anything else comes back as plain data and is never constructed.
    Asynchronous only: run the graph with `ainvoke` or `astream`.
    """

    def __init__(
        self,
        database: Database,
        *,
        allowed: Iterable[tuple[str, str]] = (),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(serde=JsonPlusSerializer(allowed_msgpack_modules=list(allowed) or None))
        self.database = database
        self.clock = clock
        self._superseding = Superseding()

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Stores a checkpoint and appends its outbox, in one transaction.

        Raises LeaseLost, and NotFound where there is an outbox but no such consultation.
        """
        thread_id, namespace = _place(config)
        values = dict(checkpoint["channel_values"])  # LangGraph goes on using its own
        outbox = values.pop(OUTBOX, None) or []
        kept = cast(Checkpoint, {**checkpoint, "channel_values": values})
        format_, content = self.serde.dumps_typed(kept)
        row = {
            "thread_id": thread_id,
            "namespace": namespace,
            "id": checkpoint["id"],
            "parent_id": get_checkpoint_id(config),
            "format": format_,
            "content": content,
            "about": get_serializable_checkpoint_metadata(config, metadata),
        }
        lease = _lease(config)
        turn = lease.number if lease is not None else values.get("turn")
        step = (thread_id, namespace, get_checkpoint_id(config) or "")
        with self._superseding.storing(step):
            await self._store(row, outbox, turn, lease)
        return _config(thread_id, namespace, checkpoint["id"])

    async def _store(
        self,
        row: dict[str, Any],
        outbox: list[dict[str, Any]],
        turn: int | None,
        lease: turns.Lease | None,
    ) -> None:
        async with self.database.transaction() as connection:
            statement = checkpoint_sql.insert(
                self.database.dialect, checkpoints, True, lease is not None
            )
            held = turns.held(lease) if lease is not None else {}
            stored = await connection.execute(statement, row | held)
            if lease is not None and stored.rowcount != 1:
                raise LeaseLost()
            await events.append(
                connection,
                row["thread_id"],
                outbox,
                now=self.clock(),
                turn=turn,
                origin=row["id"],
            )

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Keeps what a node wrote until its super-step is complete. Raises LeaseLost.

        With a lease, an interrupt is not kept: the checkpoint says which node waits, and it asks
        again when it is resumed.
        """
        lease = _lease(config)
        if lease is not None and all(channel == INTERRUPT for channel, _ in writes):
            return
        thread_id, namespace = _place(config)
        checkpoint_id = config["configurable"]["checkpoint_id"]
        if all(channel not in _STANDS for channel, _ in writes) and (
            await self._superseding.happens((thread_id, namespace, checkpoint_id))
        ):
            return
        plain: list[dict[str, Any]] = []
        special: list[dict[str, Any]] = []
        for position, (channel, value) in enumerate(writes):
            format_, content = self.serde.dumps_typed(value)
            row = {
                "thread_id": thread_id,
                "namespace": namespace,
                "checkpoint_id": checkpoint_id,
                "task_id": task_id,
                "position": WRITES_IDX_MAP.get(channel, position),
                "task_path": task_path,
                "channel": channel,
                "format": format_,
                "content": content,
            }
            (special if channel in WRITES_IDX_MAP else plain).append(row)
        async with self.database.transaction() as connection:
            if lease is not None:
                await turns.require(connection, lease)
            # A node's writes do not change once they are there; an error, an interrupt or the
            # answer to one is replaced by a later one, or a retry would see the earlier answer.
            for rows, replace in ((plain, False), (special, True)):
                if rows:
                    statement = checkpoint_sql.insert(self.database.dialect, writes_of, replace)
                    await connection.execute(statement, rows)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint that `config` names, or the newest of its thread; None where none is."""
        thread_id, namespace = _place(config)
        query = checkpoint_sql.NEWEST
        if (id_ := get_checkpoint_id(config)) is not None:
            query = query.where(checkpoints.c.id == id_)
        place = {"thread": thread_id, "space": namespace}
        async with self.database.reading() as connection:
            row = (await connection.execute(query, place)).first()
            return None if row is None else await self._tuple(connection, row)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """The checkpoints that match, the newest first. `filter` compares with their metadata."""
        query = select(checkpoints).order_by(checkpoints.c.id.desc())
        if config is not None:
            query = query.where(checkpoints.c.thread_id == str(config["configurable"]["thread_id"]))
            if (namespace := config["configurable"].get("checkpoint_ns")) is not None:
                query = query.where(checkpoints.c.namespace == namespace)
            if (id_ := get_checkpoint_id(config)) is not None:
                query = query.where(checkpoints.c.id == id_)
        if before is not None and (earlier := get_checkpoint_id(before)) is not None:
            query = query.where(checkpoints.c.id < earlier)
        # Read before the first is handed out: a caller who stops half-way holds no connection.
        found: list[CheckpointTuple] = []
        async with self.database.reading() as connection:
            for row in (await connection.execute(query)).all():
                if limit is not None and len(found) >= limit:
                    break
                if all(row.about.get(key) == value for key, value in (filter or {}).items()):
                    found.append(await self._tuple(connection, row))
        for one in found:
            yield one

    async def _tuple(self, connection: AsyncConnection, row: Row[Any]) -> CheckpointTuple:
        place = {"thread": row.thread_id, "space": row.namespace, "checkpoint": row.id}
        # Sorted here: the order of text differs between databases, and LangGraph means Python's.
        pending = sorted(
            (await connection.execute(checkpoint_sql.PENDING, place)).all(),
            key=lambda w: writes_sort_key(w.task_path, w.task_id, w.position),
        )
        return CheckpointTuple(
            _config(row.thread_id, row.namespace, row.id),
            self.serde.loads_typed((row.format, row.content)),
            row.about,
            _config(row.thread_id, row.namespace, row.parent_id) if row.parent_id else None,
            [
                (w.task_id, w.channel, self.serde.loads_typed((w.format, w.content)))
                for w in pending
            ],
        )

    async def adelete_thread(self, thread_id: str) -> None:
        """Forgets the working memory of a consultation; its events stay."""
        async with self.database.transaction() as connection:
            for table in (writes_of, checkpoints):
                await connection.execute(delete(table).where(table.c.thread_id == str(thread_id)))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keeps the newest checkpoint of each thread with its writes ("keep_latest"), or none
        ("delete"). ValueError for another strategy."""
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"unknown strategy: {strategy}; use keep_latest or delete")
        for thread_id in thread_ids:
            if strategy == "delete":
                await self.adelete_thread(thread_id)
            else:
                async with self.database.transaction() as connection:
                    await prune(connection, thread_id)


async def prune(connection: AsyncConnection, thread_id: str) -> None:
    """Keeps only the newest checkpoint of a consultation, within the caller's transaction.

    Call it with `turns.finish`: what a turn has gone through is of no use once it is answered.
    """
    for statement in checkpoint_sql.PRUNE:
        await connection.execute(statement, {"thread": thread_id})


def _place(config: RunnableConfig) -> tuple[str, str]:
    place = config["configurable"]
    return str(place["thread_id"]), place.get("checkpoint_ns", "")


def _lease(config: RunnableConfig) -> turns.Lease | None:
    return cast(turns.Lease | None, config["configurable"].get(_LEASE))


def _config(thread_id: str, namespace: str, checkpoint_id: str) -> RunnableConfig:
    return {
        "configurable": {
            "thread_id": thread_id,
            "checkpoint_ns": namespace,
            "checkpoint_id": checkpoint_id,
        }
    }
