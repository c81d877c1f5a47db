"""Generations that block a thread, for models that run in this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from agent.ports import ChatPiece

T = TypeVar("T")
Emit = Callable[[ChatPiece], None]


class Worker:
    """One thread that works for one model."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def call(self, function: Callable[[], T]) -> T:
        """Run `function` in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    async def generate(self, generate: Callable[[Emit, threading.Event], None], emit: Emit) -> None:
        """Run `generate(emit, cancelled)` in the thread; pieces arrive on the event loop.

        When this coroutine is cancelled it sets `cancelled` and ends only when the thread has
        come back: from then on the model is free for the next generation.
        """
        loop = asyncio.get_running_loop()
        cancelled = threading.Event()

        def forward(piece: ChatPiece) -> None:
            if not cancelled.is_set():
                loop.call_soon_threadsafe(emit, piece)

        future = loop.run_in_executor(self._pool, generate, forward, cancelled)
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            cancelled.set()
            await asyncio.wait({future})
            if not future.cancelled():
                future.exception()  # whatever it was, nobody waits for it any more
            raise

    def close(self) -> None:
        """Let the thread end once it is idle."""
        self._pool.shutdown(wait=False, cancel_futures=True)
