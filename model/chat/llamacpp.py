"""The model through llama.cpp, in this process: the default on a CPU.

Two things need care.

*Repeatability.* llama.cpp reuses whatever prefix the last prompt happens to share with the next.
The numbers then depend on where the shared part ended, and with them, now and then, the words. So
the system message is computed once by itself and its state kept; every generation starts from
exactly that state. It costs 3 ms, the same request gives the same reply, and the prefix is still
read only once.

*No open door.* The engine always listens. Here it listens on a socket file inside a folder that
only this user can enter, never on a network port; the tokeniser is called through it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from agent.ports import (
    ChatPiece,
    ChatRequest,
    Message,
    ModelBadOutput,
    ModelContextTooLong,
    ModelError,
    ModelRelease,
    ModelUnavailable,
)
from model.chat import selftest, template
from model.chat.bounded import BoundedChat, Emit
from model.chat.private import PrivateFolder
from model.chat.worker import Worker
from model.registry import CardError, describe

_BATCH = 64
"""Prompt tokens computed at a time. Between two batches a generation can be cancelled; larger
ones are hardly faster on a CPU."""

_KEPT_PREFIXES = 8
_CLOSE = 5.0


class LlamaCppChat(BoundedChat):
    """Weights in a GGUF file, with an optional LoRA adapter in GGUF. One generation at a time.

    Put nothing about a patient into the system message: its state is kept in a private file while
    the process lives, and a text that is new each time is never reused.
    """

    def __init__(
        self, engine: _Engine, worker: Worker, release: ModelRelease, *, waiting: int
    ) -> None:
        """Use `load`."""
        super().__init__(release, concurrency=1, waiting=waiting)
        self._engine = engine
        self._worker = worker

    @classmethod
    async def load(
        cls,
        weights: Path,
        *,
        context_tokens: int = 4096,
        threads: int | None = None,
        gpu_layers: int = -1,
        adapter: Path | None = None,
        waiting: int = 8,
    ) -> Self:
        """Load and test the weights. `threads` is by default the number of cores there are.

        Raises:
            ModelUnavailable: missing, damaged, out of memory, or not of this template.
        """
        worker = Worker("llama.cpp")
        try:
            engine, release = await worker.call(
                lambda: _open(weights, context_tokens, threads or _cores(), gpu_layers, adapter)
            )
        except BaseException:
            worker.close()
            raise
        model = cls(engine, worker, release, waiting=waiting)
        try:
            await selftest.check(model, engine.tokens)
        except BaseException:
            await model.aclose()
            raise
        return model

    async def _count(self, messages: Sequence[Message]) -> int:
        head, rest = await self._tokenise(messages)
        return len(head) + len(rest)

    async def _generate(self, request: ChatRequest, emit: Emit) -> None:
        head, rest = await self._tokenise(request.messages)
        self._check_fits(len(head) + len(rest), request)

        def run(forward: Emit, cancelled: threading.Event) -> None:
            self._engine.generate(head, rest, request, forward, cancelled)

        await self._worker.generate(run, emit)

    async def _tokenise(self, messages: Sequence[Message]) -> list[list[int]]:
        """The prompt's tokens: the part that calls share, and the rest."""
        # Not in the worker's thread: that one may be busy generating for somebody else.
        return await asyncio.to_thread(
            lambda: [self._engine.tokens(part) for part in template.split(messages)]
        )

    async def _close(self) -> None:
        with contextlib.suppress(TimeoutError):  # an engine that hangs must not hold up the end
            async with asyncio.timeout(_CLOSE):
                await self._worker.call(self._engine.close)
        self._worker.close()


class _Engine:
    """The engine and its private folder. `generate` blocks; one thread may be in it at a time."""

    def __init__(
        self, weights: Path, context: int, threads: int, gpu_layers: int, adapter: Path | None
    ) -> None:
        self._folder = PrivateFolder("huatuo-engine-")
        self._prefixes: OrderedDict[tuple[int, ...], str] = OrderedDict()
        self._made = 0
        socket = self._folder.path / "engine.sock"
        try:
            import xllamacpp

            params = _params(
                xllamacpp.CommonParams(), weights, context, threads, gpu_layers, self._folder.path
            )
            params.hostnames = [str(socket)]
            if adapter is not None:
                params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
            self._server: Any = xllamacpp.Server(params)
        except ImportError as error:
            self._folder.remove()
            raise ModelUnavailable(
                f"llama.cpp cannot run here ({error}). Where libgomp is missing, install it with "
                "the system's packages (Debian, Ubuntu: `apt-get install libgomp1`)."
            ) from error
        except RuntimeError as error:
            self._folder.remove()
            raise ModelUnavailable(
                f"llama.cpp cannot load {weights.name}: it is damaged, of a kind this version does "
                "not know, or does not fit the memory. Run `huatuo doctor` to check the weights."
            ) from error
        self._client = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://engine", timeout=10.0
        )

    def trained_context(self) -> int:
        """The longest context that the weights were made for, in tokens."""
        return int(self._ask("GET", "/v1/models")["data"][0]["meta"]["n_ctx_train"])

    def tokens(self, text: str) -> list[int]:
        """Token numbers of a part of a prompt, control marks as control tokens."""
        if not text:
            return []
        reply = self._ask("POST", "/tokenize", {"content": text, "parse_special": True})
        return [int(token) for token in reply["tokens"]]

    def generate(
        self,
        head: list[int],
        rest: list[int],
        request: ChatRequest,
        emit: Emit,
        cancelled: threading.Event,
    ) -> None:
        if head:
            self._start_from(head)
        if cancelled.is_set():
            return
        call: dict[str, Any] = {
            "prompt": head + rest,
            "n_predict": request.max_tokens,
            "temperature": request.temperature,
            "top_k": template.TOP_K,
            "top_p": template.TOP_P,
            "min_p": 0.0,
            "seed": request.seed,
            "stop": [*template.STOPS, *request.stop],
            "cache_prompt": bool(head),
            "stream": True,
            "return_progress": True,  # called between prompt batches too: a chance to cancel
        }
        if request.schema is not None:
            call["json_schema"] = dict(request.schema)
        failures: list[ModelError] = []

        def receive(chunk: Any) -> bool:
            """True stops the generation."""
            if cancelled.is_set():
                return True
            try:
                piece = _piece(chunk)
            except ModelError as error:
                failures.append(error)
                return True
            if piece is not None:
                emit(piece)
            return False

        self._server.handle_completions(call, receive)
        if failures:
            raise failures[0]

    def close(self) -> None:
        self._client.close()
        self._server = None  # its destructor stops the engine and frees the memory
        self._folder.remove()

    def _start_from(self, head: list[int]) -> None:
        """Bring the engine into the state just after `head`, always the very same state."""
        key = tuple(head)
        if (name := self._prefixes.pop(key, None)) is not None:
            with contextlib.suppress(ModelUnavailable):  # gone, swept away: made anew below
                self._ask("POST", "/slots/0?action=restore", {"filename": name})
                self._prefixes[key] = name  # now the most recent
                return
        call = {"prompt": head, "n_predict": 0, "cache_prompt": False}
        if "error" in (reply := self._server.handle_completions(call)):
            raise _failure(reply["error"])
        self._made += 1
        name = f"prefix-{self._made}"
        with contextlib.suppress(ModelUnavailable):  # no room on the disk: slower, not wrong
            self._ask("POST", "/slots/0?action=save", {"filename": name})
            self._prefixes[key] = name
        if len(self._prefixes) > _KEPT_PREFIXES:
            _, oldest = self._prefixes.popitem(last=False)
            (self._folder.path / oldest).unlink(missing_ok=True)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, json=body)
            response.raise_for_status()
            reply: dict[str, Any] = response.json()
            return reply
        except (httpx.HTTPError, ValueError, RuntimeError) as error:
            raise ModelUnavailable(f"the engine does not answer {path.split('?')[0]}") from error


def _open(
    weights: Path, context: int, threads: int, gpu_layers: int, adapter: Path | None
) -> tuple[_Engine, ModelRelease]:
    """Engine and release. Blocks for a second or more."""
    for path in (weights, adapter):
        if path is not None and not path.is_file():
            raise ModelUnavailable(f"{path} is not there. Run `huatuo model fetch`.")
    try:
        release = describe(
            weights, template=template.TEMPLATE, context_tokens=context, adapter=adapter
        )
    except (CardError, OSError) as error:
        raise ModelUnavailable(str(error)) from error
    engine = _Engine(weights, context, threads, gpu_layers, adapter)
    longest = engine.trained_context()
    if longest < context:
        engine.close()
        raise ModelUnavailable(
            f"{weights.name} was made for a context of {longest} tokens, {context} are set"
        )
    return engine, release


def _params(
    p: Any, weights: Path, context: int, threads: int, gpu_layers: int, folder: Path
) -> Any:
    """`p`, the library's defaults, with our settings."""
    p.model.path = str(weights)
    p.n_ctx = context
    p.n_parallel = 1
    p.n_batch = p.n_ubatch = _BATCH
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = threads
    p.n_gpu_layers = gpu_layers
    p.fit_params = False  # it would shrink the context to fit the memory, silently
    p.ctx_shift = False  # it would drop the beginning of a long context, silently
    p.cache_ram_mib = 0  # prefixes are kept here, see the head of this file
    p.slot_save_path = f"{folder}{os.sep}"
    p.ui = False
    p.verbosity = 1  # errors only: more would write prompts into the log
    return p


def _piece(chunk: Any) -> ChatPiece | None:
    """One chunk of the engine as a piece; None for news of the prompt's progress."""
    if isinstance(chunk, (str, bytes)):
        chunk = json.loads(chunk)
    if "error" in chunk:
        raise _failure(chunk["error"])
    try:
        choice = chunk["choices"][0]
        finish = choice.get("finish_reason")
        if finish is None:
            return ChatPiece(choice["text"]) if choice["text"] else None
        usage = chunk["usage"]
        return ChatPiece(
            choice["text"],
            finish="length" if finish == "length" else "stop",
            prompt_tokens=usage["prompt_tokens"],
            output_tokens=usage["completion_tokens"],
        )
    except (KeyError, IndexError, TypeError) as error:
        raise ModelBadOutput("the engine gave an answer of an unknown form") from error


def _failure(error: dict[str, Any]) -> ModelError:
    if error.get("type") == "exceed_context_size_error":
        return ModelContextTooLong("the prompt does not fit the context")
    return ModelUnavailable(f"llama.cpp refused the request ({error.get('type', 'unknown')})")


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
