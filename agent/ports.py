"""What a consultation needs from the outside world, as protocols and plain data.

Implementations live elsewhere (`model.chat`, `knowledge.retrieval`, `app`) and import this file;
this file imports nothing but the standard library, so the arrow points one way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

Language = Literal["zh", "en"]
Trust = Literal["wording", "extraction", "reasoning"]


# --- the doctor's language model -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call of the model.

    `deadline` is in seconds from the call, queueing included. `schema` is a JSON schema; when it
    is given the output is one JSON document that satisfies it. `seed` makes a sampled output
    repeatable on the same implementation and machine; `temperature` 0 is greedy.
    """

    messages: tuple[Message, ...]
    max_tokens: int = 200
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    deadline: float = 30.0
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ChatPiece:
    """A piece of a streamed reply. The last piece carries `finish` and the token counts."""

    text: str
    finish: Literal["stop", "length"] | None = None
    prompt_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ModelRelease:
    """Which weights speak. `id` is stable for the same weights, template and adapter.

    `trust` is read from the model's card and bounds what the graph lets the model do; weights
    without an evaluated card have the lowest trust, `wording`.
    """

    id: str
    name: str
    sha256: str
    trust: Trust
    context_tokens: int


class ModelError(Exception):
    """A call of the model failed; the graph then words the reply from the knowledge."""

    code = "model_error"


class ModelBusy(ModelError):
    """The bounded queue in front of the model is full."""

    code = "model_busy"


class ModelDeadline(ModelError):
    """No complete answer within the request's deadline; the generation was cancelled."""

    code = "model_deadline"


class ModelContextTooLong(ModelError):
    """Prompt and requested output do not fit the context. Nothing is ever cut silently."""

    code = "model_context_too_long"


class ModelUnavailable(ModelError):
    """The weights are missing or damaged, or the server or process behind them died."""

    code = "model_unavailable"


class ModelBadOutput(ModelError):
    """The output is not what was asked for: empty, undecodable, or not of the JSON schema."""

    code = "model_bad_output"


@runtime_checkable
class ChatModel(Protocol):
    """A language model that answers a chat. One contract test runs for every implementation."""

    @property
    def release(self) -> ModelRelease: ...

    def stream(self, request: ChatRequest) -> AsyncIterator[ChatPiece]:
        """Yield pieces as they are made. Closing the iterator cancels the generation.

        Raises a `ModelError`. Concatenated texts are the whole reply, without the stop sequence.
        """
        ...

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        """Length of the rendered prompt in tokens, template included."""
        ...

    async def aclose(self) -> None: ...


# --- knowledge in passages -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of the knowledge with its place: what a citation points to."""

    chunk: str  # id of the chunk, unique in its release
    document: str  # id of the document
    title: str
    section: str
    text: str
    language: Language
    release: str
    score: float
    entry: str | None = None  # id of the clinical entry it was made from, if it was
    source: str | None = None  # link to the public guidance behind it


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The outcome of one query. `passages` is empty when nothing fits: then nothing is cited."""

    query: str
    release: str
    passages: tuple[Passage, ...]


@runtime_checkable
class Retriever(Protocol):
    """Finds passages for a query."""

    @property
    def release(self) -> str: ...

    async def search(
        self,
        query: str,
        *,
        language: Language,
        k: int = 5,
        entries: Sequence[str] | None = None,
    ) -> Retrieved:
        """The best `k` passages in `language`, best first; only those of `entries` when given."""
        ...

    async def answer(
        self, question: str, *, language: Language, entries: Sequence[str]
    ) -> Retrieved:
        """The sentences that answer a question, as passages whose text is no more than them.

        Only of `entries` or of a condition that the question names; empty where nothing answers.
        """
        ...


@dataclass(frozen=True, slots=True)
class Alarm:
    """How alarming a sentence sounds: `doubt` is the share of calm sentences that sound at least
    as alarming; `ambulance` whether, if it is an emergency, it needs one."""

    ambulance: bool
    doubt: float


@runtime_checkable
class AlarmDetector(Protocol):
    """Judges sentences whose words no list has."""

    def judge(self, sentences: Sequence[str]) -> list[Alarm]:
        """One answer a sentence."""
        ...


# --- time ------------------------------------------------------------------------------------


class Clock(Protocol):
    """Where time comes from, so that a replay can bring its own."""

    def now(self) -> datetime:
        """The present moment, with time zone UTC."""
        ...


@dataclass(slots=True)
class Ports:
    """Everything a consultation reaches the world through, handed to the graph as its context.

    `model` is None when no weights are there: replies are then worded from the knowledge alone.
    """

    clock: Clock
    retriever: Retriever | None = None
    model: ChatModel | None = None
    alarms: AlarmDetector | None = None
