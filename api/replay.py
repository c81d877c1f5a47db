"""Replays a consultation: the graph runs again on what is on record, and must come to the same.

The patient's words, the model's outputs and what look-ups found are taken from the record; the
rules, the knowledge, the prompts and the code are those of now. Whatever these decide, ask, say or
put on record differently is a divergence; the first one is reported. Nothing is written.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.desk import Desk
from agent.events import Event, ModelCall, RetrievalCall
from agent.graph import Graph, build
from agent.language.understand import detect_language
from agent.ports import (
    ChatPiece,
    ChatRequest,
    Language,
    Message,
    ModelError,
    ModelRelease,
    Passage,
    Retrieved,
)
from agent.state import Patient, opening
from records import chain, consultations, events
from records.database import Database

CLOSE_ENOUGH = 1e-9
"""Difference between two numbers, absolute or relative, that another machine's sums may have."""
_TEXT_FIELDS = frozenset(Passage.__dataclass_fields__)


class Divergence(BaseModel):
    """Where a replay first comes to something else."""

    model_config = ConfigDict(frozen=True)

    turn: int
    seq: int | None = Field(
        description="The event on record that is not come to; null where more "
        "happens now than then."
    )
    what: str = Field(description="The type of the event and the place in it.")
    recorded: Any
    replayed: Any


class Replay(BaseModel):
    """What came of replaying a consultation."""

    model_config = ConfigDict(frozen=True)

    consultation_id: str
    agrees: bool
    complete: bool = Field(
        description="False where a turn failed or is still being answered: what "
        "follows it was not replayed."
    )
    turns: int
    events: int = Field(description="Events of the graph that were come to again.")
    divergence: Divergence | None = None


class _Diverged(Exception):
    """The graph asks for something else than it did then."""

    def __init__(self, what: str, recorded: Any, replayed: Any) -> None:
        super().__init__(what)
        self.what, self.recorded, self.replayed = what, recorded, replayed


class RecordedModel:
    """Answers with what was recorded, in its order, to the prompts that were recorded."""

    def __init__(self, calls: Iterable[ModelCall]) -> None:
        self._calls = deque(calls)
        first = self._calls[0].model_release if self._calls else "none"
        self._release = first

    @property
    def release(self) -> ModelRelease:
        """The release that gave the last answer."""
        return ModelRelease(self._release, self._release, "", "wording", 0)

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatPiece]:
        """The recorded output in one piece; raises what it ended with, where that was an error."""
        prompt = [{"role": m.role, "content": m.content} for m in request.messages]
        if not self._calls:
            raise _Diverged("model.called", None, prompt)
        call = self._calls.popleft()
        if call.prompt != prompt:
            raise _Diverged(f"model.called: prompt of {call.purpose}", call.prompt, prompt)
        self._release = call.model_release
        if call.finish in ("stop", "length"):
            finish = cast(Any, call.finish)
            yield ChatPiece(call.output, finish, call.prompt_tokens, call.output_tokens)
        elif call.output:
            yield ChatPiece(call.output)
        if call.finish not in ("stop", "length", "cancelled"):
            error = ModelError()
            error.code = call.finish
            raise error

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        """Not asked for while the graph runs."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Nothing is open."""


class RecordedRetriever:
    """Finds what was found then, for the queries that were asked then."""

    def __init__(self, calls: Iterable[RetrievalCall], release: str) -> None:
        self._calls = deque(calls)
        self.release = release

    async def search(
        self, query: str, *, language: Language, k: int = 5, entries: Sequence[str] | None = None
    ) -> Retrieved:
        """The recorded passages."""
        return self._next(query)

    async def answer(
        self, question: str, *, language: Language, entries: Sequence[str]
    ) -> Retrieved:
        """The recorded sentences."""
        return self._next(question)

    def _next(self, query: str) -> Retrieved:
        if not self._calls:
            raise _Diverged("retrieval.made", None, query)
        call = self._calls.popleft()
        if call.query != query:
            raise _Diverged("retrieval.made: query", call.query, query)
        if any(not hit.keys() >= _TEXT_FIELDS for hit in call.hits):
            raise _Diverged("retrieval.made: recorded without its passages", call.hits, None)
        passages = tuple(Passage(**{name: hit[name] for name in _TEXT_FIELDS}) for hit in call.hits)
        return Retrieved(call.query, call.release, passages)


class Replayer:
    """Replays consultations against one desk; the graph is built once."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._graph: Graph = build()

    async def replay(self, database: Database, id: str) -> Replay:
        """Replay one consultation. Raises NotFound."""
        async with database.reading() as connection:
            await consultations.get(connection, id)
            told = await _recorded(connection, id)
        desk = replace(
            self.desk,
            ports=replace(
                self.desk.ports,
                model=_model(told.calls, told.opened["model_release"]),
                retriever=_retriever(told.lookups),
            ),
        )
        state: dict[str, Any] | None = None
        count = 0
        for number, text in told.words:
            if state is None:
                spoken = told.opened["language"] or detect_language(text) or "zh"
                patient = Patient.model_validate(told.opened["patient"])
                state = opening(id, cast(Language, spoken), patient, told.opened["seed"], text)
            else:
                state = {**state, "turn": number, "text": text, "citations": []}
            recorded = told.of.get(number, [])
            ended = number in told.answered
            items, state, stopped = await self._turn(desk, state)
            divergence = _compare(number, recorded, items, whole=ended and stopped is None)
            if divergence is None and stopped is not None and (ended or not items):
                at = recorded[len(items)][0] if len(items) < len(recorded) else None
                divergence = Divergence(
                    turn=number,
                    seq=at,
                    what=stopped.what,
                    recorded=stopped.recorded,
                    replayed=stopped.replayed,
                )
            count += min(len(items), len(recorded))
            if divergence is not None or not ended:
                return Replay(
                    consultation_id=id,
                    agrees=divergence is None,
                    complete=ended,
                    turns=number,
                    events=count,
                    divergence=divergence,
                )
        divergence = None
        if told.opened["knowledge_release"] != self.desk.knowledge.release:
            divergence = Divergence(
                turn=0,
                seq=1,
                what="consultation.opened: knowledge_release",
                recorded=told.opened["knowledge_release"],
                replayed=self.desk.knowledge.release,
            )
        return Replay(
            consultation_id=id,
            agrees=divergence is None,
            complete=True,
            turns=len(told.words),
            events=count,
            divergence=divergence,
        )

    async def _turn(
        self, desk: Desk, state: dict[str, Any]
    ) -> tuple[list[View], dict[str, Any], _Diverged | None]:
        """What a turn puts on record, the state that it comes to, and where it could not go on."""
        items: list[View] = []
        given = {key: value for key, value in state.items() if key not in ("outbox", "passages")}
        try:
            async for mode, chunk in self._graph.astream(
                cast(Any, given), context=desk, stream_mode=["updates", "values"]
            ):
                piece: Any = chunk
                if mode == "values":
                    state = dict(piece)
                    continue
                for update in piece.values():
                    if isinstance(update, dict):
                        items += [_view(events.parse(item)) for item in update.get("outbox") or ()]
        except _Diverged as diverged:
            return items, state, diverged
        return items, state, None


View = tuple[str, str, Any]
"""An item of the record as a replay compares it: type, actor, content."""


def _view(item: Event | ModelCall | RetrievalCall) -> View:
    if isinstance(item, ModelCall):  # how long a call took is no part of what it was
        content = item.model_dump(mode="json", exclude={"seconds"})
        return "model.called", "model", content
    if isinstance(item, RetrievalCall):
        return "retrieval.made", "service", _plain(item.model_dump(mode="json"))
    return item.type, item.actor, _plain(item.payload)


def _plain(value: Any) -> Any:
    return json.loads(chain.canonical(value))


class _Told(BaseModel):
    """What is on record of a consultation, as a replay needs it."""

    opened: dict[str, Any]
    words: list[tuple[int, str]]
    answered: set[int]
    of: dict[int, list[tuple[int, View]]]
    calls: list[ModelCall]
    lookups: list[RetrievalCall]


async def _recorded(connection: AsyncConnection, id: str) -> _Told:
    calls = dict(await events.model_calls(connection, id))
    lookups = dict(await events.retrievals(connection, id))
    told = _Told(
        opened={},
        words=[],
        answered=set(),
        of={},
        calls=list(calls.values()),
        lookups=list(lookups.values()),
    )
    graph_made = await events.from_graph(connection, id)
    for event in await events.read(connection, id):
        number = event.turn or 0
        if event.type == "consultation.opened":
            told.opened = event.payload
        if event.type == "patient.said":
            told.words.append((number, event.payload["text"]))
        if event.seq not in graph_made:
            continue
        if event.type == "reply.given":
            told.answered.add(number)
        if event.seq in calls:
            view = _view(calls[event.seq])
        elif event.seq in lookups:
            view = _view(lookups[event.seq])
        else:
            view = (event.type, event.actor, event.payload)
        told.of.setdefault(number, []).append((event.seq, view))
    return told


def _model(calls: Sequence[ModelCall], release: str) -> RecordedModel | None:
    return None if not calls and release == "none" else RecordedModel(calls)


def _retriever(lookups: Sequence[RetrievalCall]) -> RecordedRetriever | None:
    return RecordedRetriever(lookups, lookups[0].release) if lookups else None


def _compare(
    turn: int, recorded: Sequence[tuple[int, View]], replayed: Sequence[View], *, whole: bool
) -> Divergence | None:
    """The first difference of a turn. Of a turn that did not end (`whole` is false) only what both
    have is compared."""
    for (seq, then), now in zip(recorded, replayed, strict=False):
        if then[:2] != now[:2]:
            return Divergence(turn=turn, seq=seq, what="type", recorded=then[0], replayed=now[0])
        if (found := _difference(then[2], now[2])) is not None:
            place, was, is_ = found
            what = f"{then[0]}: {place}" if place else then[0]
            return Divergence(turn=turn, seq=seq, what=what, recorded=was, replayed=is_)
    if not whole or len(recorded) == len(replayed):
        return None
    if len(recorded) > len(replayed):
        seq, then = recorded[len(replayed)]
        return Divergence(turn=turn, seq=seq, what=then[0], recorded=then[2], replayed=None)
    extra = replayed[len(recorded)]
    return Divergence(turn=turn, seq=None, what=extra[0], recorded=None, replayed=extra[2])


def _difference(then: Any, now: Any, place: str = "") -> tuple[str, Any, Any] | None:
    """The first place where two structures differ, with both values."""
    numbers = (int, float)
    if isinstance(then, dict) and isinstance(now, dict):
        for key in [*then, *(key for key in now if key not in then)]:
            below = f"{place}.{key}" if place else key
            if key not in then or key not in now:
                return below, then.get(key), now.get(key)
            if (found := _difference(then[key], now[key], below)) is not None:
                return found
        return None
    if isinstance(then, list) and isinstance(now, list):
        for index, (one, other) in enumerate(zip(then, now, strict=False)):
            if (found := _difference(one, other, f"{place}[{index}]")) is not None:
                return found
        return None if len(then) == len(now) else (place, then, now)
    if (
        isinstance(then, numbers)
        and isinstance(now, numbers)
        and not isinstance(then, bool)
        and not isinstance(now, bool)
    ):
        same = math.isclose(then, now, rel_tol=CLOSE_ENOUGH, abs_tol=CLOSE_ENOUGH)
        return None if same else (place, then, now)
    return None if then == now and type(then) is type(now) else (place, then, now)
