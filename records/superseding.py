"""Spares a node's writes the way to the disk where the checkpoint that holds them follows at once.

LangGraph stores what a node wrote, and when all nodes of the super-step are done, the checkpoint
that has it all. Where a node ran alone, the first is of no use a millisecond later, and costs a
transaction. So a write waits for a moment: if the checkpoint comes and is stored, it is dropped;
if the checkpoint fails or does not come, because a neighbour still works, it is stored.
A process that dies within that moment runs the node again, as if it had died a moment earlier:
nothing of it is on record before the checkpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

GRACE = 0.02
"""Seconds that a write waits for its checkpoint."""

Key = tuple[str, str, str]
"""Thread, namespace, and the checkpoint that the writes belong to."""


class _Step:
    def __init__(self) -> None:
        self.waiting = 0
        self.begun = asyncio.Event()
        self.stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()


class Superseding:
    """The writes that wait, by the checkpoint they belong to."""

    def __init__(self) -> None:
        self._steps: dict[Key, _Step] = {}

    async def happens(self, key: Key) -> bool:
        """Whether the next checkpoint is stored, so that a write need not be. Waits for it."""
        step = self._steps.setdefault(key, _Step())
        step.waiting += 1
        try:
            async with asyncio.timeout(GRACE):
                await step.begun.wait()
        except TimeoutError:
            return False
        finally:
            step.waiting -= 1
            if step.waiting == 0:
                del self._steps[key]
        return await asyncio.shield(step.stored)

    @contextmanager
    def storing(self, key: Key) -> Iterator[None]:
        """While the next checkpoint is stored: what waits learns whether it was."""
        step = self._steps.get(key)
        if step is None:
            yield
            return
        step.begun.set()
        stored = False
        try:
            yield
            stored = True
        finally:
            step.stored.set_result(stored)
