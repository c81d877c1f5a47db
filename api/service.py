"""The consultation service: the one way in, for HTTP, the terminal and the sweeper alike.

It joins the graph with the records. A turn is recorded before anything works on it, runs in a
task of its own that no client can stop by going away, and ends by storing its answer. No
transaction is open while the graph or the model works. A turn that a dead process left is taken
over when its lease runs out, and goes on from its last checkpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agent.desk import Desk
from agent.graph import build
from agent.language.understand import detect_language
from agent.ports import Language
from agent.state import SERIALISED, Patient, opening
from agent.wording import texts
from records import consultations, events, turns
from records.checkpointer import Checkpointer, prune, thread_config
from records.consultations import Consultation, Status
from records.database import Database
from records.errors import LeaseLost, NotFound, RecordsError, TurnRunning
from records.turns import Lease

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=12)
"""How long a turn is held without a sign of life of its holder."""
REMEMBERED = 10_000
"""Consultations that a process remembers to be waiting for their next words."""
ATTEMPTS = 5
"""Times that a turn is taken up; one that brings down every process that tries is then failed."""
SWEEP = 3.0
"""Seconds between two looks for turns that were left behind."""

_STATUS: dict[str, Status] = {
    "ask": "open",
    "advise": "open",
    "emergency": "emergency",
    "handed_off": "handed_off",
    "closed": "closed",
}


class TurnFailed(Exception):
    """A turn could not be answered. Its words are kept; the same key tries it again."""

    code = "turn.failed"
    status = 500

    def __init__(self, language: Language) -> None:
        self.message = texts.say(texts.SORRY, language)
        super().__init__(self.message)


@dataclass
class RunningTurn:
    """A turn that is being answered, or was: its reply as it grows, then its result."""

    consultation_id: str
    number: int
    key: str = ""
    body_hash: str = ""
    text: str = ""  # the reply so far
    result: dict[str, Any] | None = None
    error: Exception | None = None
    taken_over: bool = False  # another process holds the turn now
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def finished(self) -> bool:
        """Whether there is a result or an error."""
        return self.result is not None or self.error is not None

    async def grow(self, piece: str) -> None:
        """Add a piece of the reply."""
        async with self._changed:
            self.text += piece
            self._changed.notify_all()

    async def end(self, result: dict[str, Any] | None, error: Exception | None = None) -> None:
        """End with a result or an error."""
        async with self._changed:
            self.result, self.error = result, error
            self._changed.notify_all()

    async def answer(self) -> dict[str, Any]:
        """The result, when it is there. Raises what ended the turn otherwise."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.finished)
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result

    async def pieces(self, after: int = 0) -> AsyncIterator[tuple[int, str]]:
        """The reply from character `after` on, as it grows: (characters so far, new text)."""
        while True:
            async with self._changed:
                while not self.finished and len(self.text) <= after:
                    await self._changed.wait()
                text, finished = self.text, self.finished
            if len(text) > after:
                yield len(text), text[after:]
                after = len(text)
            elif finished:
                return


class ConsultationService:
    """Opens consultations and takes their turns.

    `desk` is what consultations are conducted with. Use `start` and `stop` around the life of a
    server; without `start` there is no sweeper.
    """

    def __init__(self, database: Database, desk: Desk, *, lease: timedelta = LEASE) -> None:
        self.database = database
        self.desk = desk
        self.lease = lease
        self.holder = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._graph = build(Checkpointer(database, allowed=SERIALISED, clock=desk.ports.clock.now))
        self._running: dict[str, RunningTurn] = {}
        self._listening: dict[str, int] = {}  # consultations that wait, and after which turn
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None

    # --- life ----------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to look for turns that a dead process left behind."""
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self, patience: float = 10.0) -> None:
        """Let running turns finish for `patience` seconds; what remains is taken over later."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
            self._sweeper = None
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # --- consultations -------------------------------------------------------------------

    @property
    def model_release(self) -> str:
        """The model that speaks, or `none` where the knowledge words everything."""
        model = self.desk.ports.model
        return model.release.id if model is not None else "none"

    async def open(
        self,
        *,
        owner: str,
        language: Language | None = None,
        patient: Mapping[str, Any] | None = None,
        consent: Mapping[str, Any] | None = None,
        seed: int | None = None,
    ) -> Consultation:
        """Open a consultation, pinned to the releases of now. Raises ValueError for a patient
        that cannot be."""
        known = Patient.model_validate(dict(patient or {}))
        async with self.database.transaction() as connection:
            return await consultations.create(
                connection,
                owner=owner,
                language=language,
                patient=known.model_dump(mode="json"),
                consent=dict(consent or {}),
                knowledge_release=self.desk.knowledge.release,
                model_release=self.model_release,
                seed=secrets.randbelow(2**31) if seed is None else seed,
                now=self.desk.ports.clock.now(),
            )

    async def get(self, id: str, *, owner: str | None = None) -> Consultation:
        """A consultation. Raises NotFound."""
        async with self.database.reading() as connection:
            return await consultations.get(connection, id, owner=owner)

    async def close(self, id: str, *, owner: str | None = None) -> Consultation:
        """Close a consultation on the caller's word. Raises NotFound, ConsultationClosed."""
        async with self.database.transaction() as connection:
            return await consultations.close(
                connection,
                id,
                reason="closed_by_caller",
                actor="operator",
                now=self.desk.ports.clock.now(),
                owner=owner,
            )

    async def transcript(self, id: str, *, owner: str | None = None) -> list[events.Message]:
        """What was said, in order. Raises NotFound."""
        async with self.database.reading() as connection:
            await consultations.get(connection, id, owner=owner)
            return await events.transcript(connection, id)

    async def events(
        self, id: str, *, owner: str | None = None, after: int = 0
    ) -> list[events.Recorded]:
        """The record of a consultation after an event. Raises NotFound."""
        async with self.database.reading() as connection:
            await consultations.get(connection, id, owner=owner)
            return await events.read(connection, id, after=after)

    # --- turns ---------------------------------------------------------------------------

    async def answering(self, id: str) -> bool:
        """Whether a turn of the consultation is being answered, here or by a process that died."""
        async with self.database.reading() as connection:
            known = await turns.of(connection, id)
        return bool(known) and known[-1].status == "running"

    async def take_turn(
        self, id: str, text: str, *, key: str | None = None, owner: str | None = None
    ) -> RunningTurn:
        """Record the patient's words and begin to answer them.

        With the key of a turn that is running here, its stream is joined; with that of an
        answered turn, the stored answer is given again. Raises the errors of `records.turns.begin`.
        """
        key = secrets.token_urlsafe(18) if key is None else key
        body_hash = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        running = self._running.get(id)
        try:
            async with self.database.transaction() as connection:
                begun = await turns.begin(
                    connection,
                    id,
                    key=key,
                    body_hash=body_hash,
                    text=text,
                    holder=self.holder,
                    lease=self.lease,
                    now=self.desk.ports.clock.now(),
                    owner=owner,
                )
        except TurnRunning:
            # Looked up again: a request beside this one may have begun it only just now.
            running = self._running.get(id) or running
            if running is not None and (running.key, running.body_hash) == (key, body_hash):
                return running
            raise
        turn = RunningTurn(id, begun.number, key, body_hash)
        if begun.replay is not None:
            await turn.grow(begun.replay["reply"])
            await turn.end(begun.replay)
            return turn
        assert begun.lease is not None
        self._start(turn, begun.lease, text)
        return turn

    def _start(self, turn: RunningTurn, lease: Lease, text: str) -> None:
        self._running[turn.consultation_id] = turn
        task = asyncio.create_task(self._answer(turn, lease, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, turn: RunningTurn, lease: Lease, text: str) -> None:
        me = asyncio.current_task()
        assert me is not None  # always run as a task of its own
        heart = asyncio.create_task(self._beat(turn, lease, me))
        language: Language = detect_language(text) or "zh"
        try:
            state, language = await self._run_graph(turn, lease, text)
            result = turn_result(turn.consultation_id, turn.number, state)
            if result["reply"].startswith(turn.text):  # what an earlier attempt had said already
                await turn.grow(result["reply"][len(turn.text) :])
            # A beat that came after the turn was stored would find no running turn to hold.
            await _stopped(heart)
            async with self.database.transaction() as connection:
                await turns.finish(
                    connection,
                    lease,
                    result,
                    now=self.desk.ports.clock.now(),
                    status=_STATUS[result["stage"]],
                )
                await prune(connection, turn.consultation_id)
            self._note_listening(turn.consultation_id, turn.number, result["stage"])
            await turn.end(result)
        except LeaseLost:
            log.warning("turn.lease_lost", consultation=turn.consultation_id, turn=turn.number)
            await turn.end(None, TurnRunning())
        except asyncio.CancelledError:
            await turn.end(None, TurnRunning() if turn.taken_over else TurnFailed(language))
            raise
        except Exception as error:
            log.exception("turn.failed", consultation=turn.consultation_id, turn=turn.number)
            await self._fail(lease, error)
            known = isinstance(error, RecordsError)
            await turn.end(None, error if known else TurnFailed(language))
        finally:
            await _stopped(heart)
            if self._running.get(turn.consultation_id) is turn:
                del self._running[turn.consultation_id]

    def _note_listening(self, id: str, number: int, stage: str) -> None:
        """Remember where a consultation waits, so that its next turn need not look. Numbers of
        turns only grow, so that a turn that another process took in between is noticed."""
        if stage != "closed":
            self._listening[id] = number
            if len(self._listening) > REMEMBERED:
                del self._listening[next(iter(self._listening))]

    async def _fail(self, lease: Lease, error: Exception) -> None:
        """Mark the turn as failed. When even that cannot be stored its lease runs out instead,
        and the sweeper takes it up."""
        code = getattr(error, "code", "turn.failed")
        with contextlib.suppress(RecordsError):
            async with self.database.transaction() as connection:
                await turns.fail(connection, lease, str(code), now=self.desk.ports.clock.now())

    async def _beat(self, turn: RunningTurn, lease: Lease, work: asyncio.Task[None]) -> None:
        """Show that the holder lives, three times a lease; stop the work once it was taken over."""
        while True:
            await asyncio.sleep(self.lease.total_seconds() / 3)
            try:
                async with self.database.transaction() as connection:
                    until = self.desk.ports.clock.now() + self.lease
                    await turns.heartbeat(connection, lease, until=until)
            except LeaseLost:
                turn.taken_over = True
                work.cancel()
                return
            except RecordsError as error:  # the next beat may come through
                log.warning("heartbeat.failed", code=error.code)

    async def _run_graph(
        self, turn: RunningTurn, lease: Lease, text: str
    ) -> tuple[dict[str, Any], Language]:
        """Run the graph until it waits for the next words or ends; from wherever it stands."""
        config = thread_config(turn.consultation_id, lease)
        begin: Any
        if self._listening.pop(turn.consultation_id, None) == turn.number - 1:
            # The usual case: this process answered the turn before and nobody has spoken since.
            begin = Command(resume={"turn": turn.number, "text": text})
            return await self._stream_graph(turn, begin, config, {})
        snapshot = await self._graph.aget_state(config)
        state = dict(snapshot.values)
        if not state:
            begin = await self._opening(turn.consultation_id, text)
            state = begin
        elif state["turn"] >= turn.number:
            if snapshot.next in ((), ("listen",)):
                return state, state["language"]  # only the answer was not stored any more
            begin = None
        elif snapshot.next == ("listen",):
            begin = Command(resume={"turn": turn.number, "text": text})
        else:  # an earlier turn failed half-way and was given up; go on with the new words
            heard = {"turn": turn.number, "text": text, "citations": []}
            config_ = await self._graph.aupdate_state(config, heard, as_node="listen")
            config["configurable"].update(config_["configurable"])
            begin = None
        return await self._stream_graph(turn, begin, config, state)

    async def _stream_graph(
        self, turn: RunningTurn, begin: Any, config: RunnableConfig, state: dict[str, Any]
    ) -> tuple[dict[str, Any], Language]:
        """Run the graph on and hand its words to whoever reads along; the state it comes to."""
        async for mode, chunk in self._graph.astream(
            begin,
            config,
            context=self.desk,
            durability="sync",
            stream_mode=["custom", "values"],
        ):
            piece: Any = chunk
            if mode == "custom":
                await turn.grow(piece["text"])
            else:
                state = piece
        return state, state["language"]

    async def _opening(self, id: str, text: str) -> dict[str, Any]:
        found = await self.get(id)
        language = cast(Language, found.language or detect_language(text) or "zh")
        return opening(
            id,
            language,
            Patient.model_validate(found.patient),
            found.seed,
            text,
        )

    # --- the sweeper ---------------------------------------------------------------------

    async def _sweep(self) -> None:
        while True:
            try:
                await self.resume_left_behind()
            except RecordsError as error:
                log.warning("sweep.failed", code=error.code)
            except Exception:
                log.exception("sweep.failed")
            await asyncio.sleep(SWEEP)

    async def resume_left_behind(self) -> int:
        """Take over the turns whose holder died. Returns how many."""
        now = self.desk.ports.clock.now()
        async with self.database.reading() as connection:
            left = await turns.expired(connection, now=now)
        count = 0
        for turn in left:
            mine = self._running.get(turn.consultation_id)
            if mine is not None and mine.number == turn.number:
                continue  # this process is only slow; its own beat renews the lease
            async with self.database.transaction() as connection:
                lease = await turns.take_over(
                    connection, turn, holder=self.holder, lease=self.lease, now=now
                )
            if lease is not None and lease.attempt > ATTEMPTS:
                log.error("turn.given_up", consultation=turn.consultation_id, turn=turn.number)
                await self._fail(lease, TurnFailed("zh"))
            elif lease is not None:
                count += 1
                log.info("turn.resumed", consultation=turn.consultation_id, turn=turn.number)
                running = RunningTurn(
                    turn.consultation_id, turn.number, turn.idempotency_key, turn.body_hash
                )
                self._start(running, lease, turn.text)
        return count


async def _stopped(task: asyncio.Task[None]) -> None:
    """End a task and wait until it has let go of everything; it may hold a connection."""
    task.cancel()
    await asyncio.wait([task])


def turn_result(id: str, number: int, state: Mapping[str, Any]) -> dict[str, Any]:
    """A turn as the API returns it, from the state that the graph came to."""

    def plain(value: Any) -> Any:
        return None if value is None else value.model_dump(mode="json", by_alias=True)

    return {
        "consultation_id": id,
        "turn": number,
        "language": state["language"],
        "stage": state["stage"],
        "reply": state["reply"],
        "question": plain(state.get("question")),
        "findings": [plain(finding) for finding in state.get("findings", {}).values()],
        "differential": [plain(item) for item in state.get("differential", [])],
        "triage": plain(state.get("triage")),
        "red_flags": [plain(flag) for flag in state.get("red_flags", [])],
        "citations": [plain(item) for item in state.get("citations", [])],
    }


__all__ = ["ConsultationService", "NotFound", "RunningTurn", "TurnFailed", "turn_result"]
