"""The bounded queue in front of a model: so many at work, so many waiting, then `ModelBusy`."""

from __future__ import annotations

import asyncio
from collections import deque

from agent.ports import ModelBusy, ModelDeadline


class Lease:
    """A place at work. `release` may be called more than once; only the first call counts."""

    def __init__(self, gate: Gate) -> None:
        self._gate: Gate | None = gate

    def release(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            gate._leave()


class Gate:
    """First come, first served. All methods run on one event loop."""

    def __init__(self, *, concurrency: int, waiting: int) -> None:
        if concurrency < 1 or waiting < 0:
            raise ValueError("concurrency must be at least 1 and waiting at least 0")
        self._free = concurrency
        self._limit = waiting
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait at present."""
        return len(self._queue)

    async def enter(self, until: float) -> Lease:
        """Wait for a place until the event loop's time is `until`.

        Raises:
            ModelBusy: the queue is full; nothing was waited for.
            ModelDeadline: no place came free in time.
        """
        if self._free and not self._queue:
            self._free -= 1
            return Lease(self)
        if len(self._queue) >= self._limit:
            raise ModelBusy(f"{len(self._queue)} requests wait for the model already")
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout_at(until):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._leave()  # the place came in the same moment: hand it on
            elif turn in self._queue:
                self._queue.remove(turn)
            if isinstance(error, TimeoutError):
                raise ModelDeadline("the deadline passed in the queue for the model") from None
            raise
        return Lease(self)

    def _leave(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
