"""What all implementations share: queue, deadline, cancellation, and the checks on the output.

An implementation only counts and generates. Its `_generate` runs as a task of its own and hands
pieces over; the place in the queue is given back when that task has really ended, so a cancelled
generation that is still winding down never shares the processor with the next one.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence

import jsonschema

from agent.ports import (
    ChatPiece,
    ChatRequest,
    Message,
    ModelBadOutput,
    ModelContextTooLong,
    ModelDeadline,
    ModelError,
    ModelRelease,
    ModelUnavailable,
)
from model.chat.queue import Gate

Emit = Callable[[ChatPiece], None]

_WIND_DOWN = 1.0
"""Seconds that a cancelled generation is waited for before its caller goes on without it."""


class BoundedChat(ABC):
    """Base of the implementations of `agent.ports.ChatModel`.

    `concurrency` generations run at a time and `waiting` more may queue.
    """

    def __init__(self, release: ModelRelease, *, concurrency: int, waiting: int) -> None:
        self._release = release
        self._gate = Gate(concurrency=concurrency, waiting=waiting)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def release(self) -> ModelRelease:
        return self._release

    @property
    def waiting(self) -> int:
        """How many requests wait in the queue, for metrics."""
        return self._gate.waiting

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        """Length of the rendered prompt in tokens, template included."""
        self._check_open()
        return await self._count(messages)

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatPiece]:
        """See `agent.ports.ChatModel.stream`.

        Raises:
            ValueError: the request itself is wrong (no message, no room for output, bad schema).
            ModelError: as the subclass says.
        """
        _check_request(request)
        self._check_open()
        loop = asyncio.get_running_loop()
        until = loop.time() + request.deadline
        lease = await self._gate.enter(until)
        try:
            task, pieces = self._start(request)
        except BaseException:
            lease.release()
            raise
        task.add_done_callback(lambda _: lease.release())
        try:
            whole: list[str] = []
            while True:
                try:
                    async with asyncio.timeout_at(until):
                        piece = await pieces.get()
                except TimeoutError:
                    raise ModelDeadline(f"no answer within {request.deadline:g} s") from None
                if piece is None:
                    if task.cancelled():
                        raise ModelUnavailable("the model was closed during the generation")
                    raise _failure(task.exception())
                whole.append(piece.text)
                if piece.finish is None:
                    if piece.text:
                        yield piece
                    continue
                _check_output("".join(whole), request)
                yield piece
                return
        finally:
            task.cancel()
            await asyncio.wait({task}, timeout=_WIND_DOWN)

    async def aclose(self) -> None:
        """Cancel what runs and free the resources. Later calls raise `ModelUnavailable`."""
        if self._closed:
            return
        self._closed = True
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=_WIND_DOWN)
        await self._close()

    # --- for the implementations -----------------------------------------------------------

    @abstractmethod
    async def _count(self, messages: Sequence[Message]) -> int: ...

    @abstractmethod
    async def _generate(self, request: ChatRequest, emit: Emit) -> None:
        """Emit pieces, the last with `finish` and token counts. On cancellation, end soon."""

    async def _close(self) -> None:
        return None

    def _check_fits(self, prompt_tokens: int, request: ChatRequest) -> None:
        room = self._release.context_tokens
        if prompt_tokens + request.max_tokens > room:
            raise ModelContextTooLong(
                f"a prompt of {prompt_tokens} tokens and {request.max_tokens} of output do not fit "
                f"the context of {room} tokens"
            )

    # --- inside ----------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise ModelUnavailable("the model has been closed")

    def _start(
        self, request: ChatRequest
    ) -> tuple[asyncio.Task[None], asyncio.Queue[ChatPiece | None]]:
        self._check_open()
        pieces: asyncio.Queue[ChatPiece | None] = asyncio.Queue()
        task = asyncio.create_task(self._generate(request, pieces.put_nowait))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: pieces.put_nowait(None))
        # An abandoned generation may still fail; nobody is left to be told.
        task.add_done_callback(lambda t: t.cancelled() or t.exception())
        return task, pieces


def _failure(error: BaseException | None) -> ModelError:
    """What a generation that ended without an end mark failed with."""
    if isinstance(error, ModelError):
        return error
    failure = ModelUnavailable(
        "the generation ended without an end mark"
        if error is None
        else f"the generation failed ({type(error).__name__})"
    )
    failure.__cause__ = error  # for the log; nobody sees it in a reply
    return failure


def _check_request(request: ChatRequest) -> None:
    if not request.messages:
        raise ValueError("a request needs at least one message")
    if request.max_tokens < 1:
        raise ValueError("max_tokens must be at least 1")
    if request.schema is not None:
        try:
            jsonschema.Draft202012Validator.check_schema(dict(request.schema))
        except jsonschema.SchemaError as error:
            raise ValueError(f"the JSON schema is not valid: {error.message}") from error


def _check_output(text: str, request: ChatRequest) -> None:
    if not text.strip():
        raise ModelBadOutput("the output is empty")
    if "\ufffd" in text:
        raise ModelBadOutput("the output holds bytes that are no text")
    if request.schema is None:
        return
    try:
        jsonschema.Draft202012Validator(dict(request.schema)).validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise ModelBadOutput(f"the output is not JSON: {error.msg}") from error
    except jsonschema.ValidationError as error:
        # The path names where; the message itself would quote the output.
        where = error.json_path
        raise ModelBadOutput(f"the output breaks the JSON schema at {where}") from error
