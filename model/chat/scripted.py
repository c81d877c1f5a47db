"""A model whose replies are written beforehand: for tests and for a service without weights.

A reply is a text, a `ModelError` to raise, a function of the request, or one of the faults below.
It keeps to the whole contract (queue, deadline, stop sequences, schema, context), so what is tested
with it holds for the others. One "token" is one word, one Chinese character or one other mark.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from agent.ports import (
    ChatPiece,
    ChatRequest,
    Message,
    ModelError,
    ModelRelease,
    ModelUnavailable,
)
from model.chat import template
from model.chat.bounded import BoundedChat, Emit
from model.chat.stops import StopFilter

RELEASE = ModelRelease(
    id="scripted@1", name="scripted", sha256="0" * 64, trust="wording", context_tokens=4096
)
_TOKEN = re.compile(r"<\|\w+\|>|\s*[A-Za-z0-9_'-]+|\s*\S|\s+")


@dataclass(frozen=True, slots=True)
class Hang:
    """Say `text`, then nothing more, without end."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Die:
    """Say `text`, then fail as a crashed process does."""

    text: str = ""


Reply = str | ModelError | Hang | Die
Script = Callable[[ChatRequest], Reply]


class ScriptedChat(BoundedChat):
    """Answers from a queue of replies, then from `script` when the queue is empty.

    `pause` is the time in seconds before each token. `requests` holds all requests that came.
    """

    def __init__(
        self,
        replies: Iterable[Reply] = (),
        *,
        script: Script | None = None,
        pause: float = 0.0,
        release: ModelRelease = RELEASE,
        concurrency: int = 1,
        waiting: int = 8,
    ) -> None:
        super().__init__(release, concurrency=concurrency, waiting=waiting)
        self._replies = deque(replies)
        self._script = script
        self._pause = pause
        self.requests: list[ChatRequest] = []

    def enqueue(self, *replies: Reply) -> None:
        """Add replies for the next calls."""
        self._replies.extend(replies)

    async def _count(self, messages: Sequence[Message]) -> int:
        return len(_TOKEN.findall(template.render(messages)))

    async def _generate(self, request: ChatRequest, emit: Emit) -> None:
        prompt_tokens = await self._count(request.messages)
        self._check_fits(prompt_tokens, request)
        self.requests.append(request)
        reply = self._next(request)
        if isinstance(reply, ModelError):
            raise reply
        text = reply if isinstance(reply, str) else reply.text
        tokens = _TOKEN.findall(text)
        stops = StopFilter((*template.STOPS, *request.stop))
        spoken = 0
        for token in tokens[: request.max_tokens]:
            await asyncio.sleep(self._pause)
            spoken += 1
            emit(ChatPiece(stops.push(token)))
            if stops.stopped:
                break
        if isinstance(reply, Hang):
            await asyncio.Event().wait()
        if isinstance(reply, Die):
            raise ModelUnavailable("the scripted model died, as it was told to")
        ended = stops.stopped or len(tokens) <= request.max_tokens
        emit(ChatPiece(stops.flush(), "stop" if ended else "length", prompt_tokens, spoken))

    def _next(self, request: ChatRequest) -> Reply:
        if self._replies:
            return self._replies.popleft()
        if self._script is not None:
            return self._script(request)
        raise ModelUnavailable("the scripted model has no reply left")
