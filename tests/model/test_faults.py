"""Models that hang, die, give garbage or are not what they should be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.ports import (
    ChatModel,
    ChatRequest,
    Message,
    ModelBadOutput,
    ModelBusy,
    ModelContextTooLong,
    ModelDeadline,
    ModelError,
    ModelUnavailable,
)
from model.chat import selftest
from model.chat.hf import HfChat
from model.chat.http import HttpChat
from model.chat.llamacpp import LlamaCppChat
from model.chat.private import PrivateFolder
from model.chat.scripted import Die, Hang, ScriptedChat

from .conftest import CONTEXT, LlamaServer

REQUEST = ChatRequest((Message("user", "I cough."),), max_tokens=20, deadline=5)


async def say(model: ChatModel, request: ChatRequest = REQUEST) -> str:
    return "".join([piece.text async for piece in model.stream(request)])


# --- scripted --------------------------------------------------------------------------------


async def test_a_model_that_hangs_meets_the_deadline_and_frees_its_place() -> None:
    model = ScriptedChat([Hang("Well, "), "Drink water."])
    started = time.monotonic()
    with pytest.raises(ModelDeadline):
        await say(model, ChatRequest(REQUEST.messages, deadline=0.1))
    assert time.monotonic() - started < 20
    assert await say(model) == "Drink water."


async def test_a_model_that_dies_half_way_says_so_and_the_next_call_is_served() -> None:
    model = ScriptedChat([Die("Well, "), "Drink water."])
    with pytest.raises(ModelUnavailable):
        await say(model)
    assert await say(model) == "Drink water."


@pytest.mark.parametrize("garbage", ["", "  \n", "abc \ufffd\ufffd"])
async def test_garbage_is_bad_output(garbage: str) -> None:
    with pytest.raises(ModelBadOutput):
        await say(ScriptedChat([garbage]))


@pytest.mark.parametrize("text", ["no JSON", '{"a": "text"}', '{"a": 1, "b": 2}'])
async def test_output_that_breaks_the_schema_is_bad_and_is_not_quoted(text: str) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "additionalProperties": False,
    }
    with pytest.raises(ModelBadOutput) as raised:
        await say(ScriptedChat([text]), ChatRequest(REQUEST.messages, schema=schema))
    assert "text" not in str(raised.value)


async def test_a_scripted_model_raises_what_it_is_told_and_keeps_the_requests() -> None:
    model = ScriptedChat([ModelBusy("busy")], script=lambda r: r.messages[0].content[::-1])
    with pytest.raises(ModelBusy):
        await say(model)
    assert await say(model) == ".hguoc I"
    assert model.requests == [REQUEST, REQUEST]
    model.enqueue("Next.")
    assert await say(model) == "Next."


async def test_a_scripted_model_without_replies_is_unavailable() -> None:
    with pytest.raises(ModelUnavailable):
        await say(ScriptedChat())


# --- the self-test ---------------------------------------------------------------------------


async def test_a_model_that_never_ends_its_greeting_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match="did not come to an end"):
        await selftest.check(ScriptedChat(["hello " * 500]), None)


async def test_a_vocabulary_without_the_marks_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match="not one token"):
        await selftest.check(ScriptedChat(["Hello."]), lambda text: list(text.encode()))


async def test_a_model_that_says_nothing_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match="greeted"):
        await selftest.check(ScriptedChat([""]), None)


# --- weights that are not what they should be ------------------------------------------------


@pytest.mark.parametrize("load", [LlamaCppChat.load, HfChat.load])
@pytest.mark.parametrize("content", [None, b"", b"GGUF\x03\0\0\0", b"not weights at all" * 1000])
async def test_missing_or_damaged_weights_are_refused(
    tmp_path: Path, load: Callable[[Path], Awaitable[ChatModel]], content: bytes | None
) -> None:
    weights = tmp_path / "damaged.gguf"
    if content is not None:
        weights.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"damaged\.gguf.*`huatuo"):
        await load(weights)


@pytest.fixture
def short(tmp_path: Path, smollm2: Path) -> Path:
    weights = tmp_path / "short.gguf"
    weights.write_bytes(smollm2.read_bytes()[:-1_000_000])
    return weights


@pytest.mark.weights
async def test_a_truncated_weights_file_is_refused(short: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"short\.gguf"):
        await LlamaCppChat.load(short)


@pytest.mark.weights
async def test_a_context_longer_than_the_weights_were_made_for_is_refused(smollm2: Path) -> None:
    with pytest.raises(ModelUnavailable, match="made for a context of 8192"):
        await LlamaCppChat.load(smollm2, context_tokens=16384)


async def test_a_machine_without_the_engine_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "w.gguf").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)  # as if it could not be imported
    with pytest.raises(ModelUnavailable, match="libgomp1"):
        await LlamaCppChat.load(tmp_path / "w.gguf")


async def test_a_card_that_is_not_valid_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "w.gguf").write_bytes(b"x")
    (tmp_path / "card.json").write_text("{}")
    with pytest.raises(ModelUnavailable, match=r"card\.json"):
        await LlamaCppChat.load(tmp_path / "w.gguf")


def listening_ports() -> set[str]:
    """Local addresses of this process's listening TCP sockets (Linux)."""
    sockets = set()
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            sockets.add(os.readlink(link))
    rows = [row.split() for row in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    listening = "0A"
    return {row[1] for row in rows if row[3] == listening and f"socket:[{row[9]}]" in sockets}


@pytest.mark.weights
async def test_the_engine_opens_no_port_and_cleans_up(smollm2: Path) -> None:
    before = listening_ports()
    model = await LlamaCppChat.load(smollm2, context_tokens=CONTEXT)
    folder = model._engine._folder.path
    assert listening_ports() == before
    assert folder.stat().st_mode & 0o077 == 0
    await model.aclose()
    assert not folder.exists()


@pytest.mark.weights
async def test_a_lost_prefix_is_made_again_with_the_same_reply(smollm2: Path) -> None:
    model = await LlamaCppChat.load(smollm2, context_tokens=CONTEXT)
    engine, folder = model._engine, model._engine._folder.path
    request = ChatRequest(
        (Message("system", "You are a kind nurse. " * 8), Message("user", "I cough.")),
        max_tokens=16,
    )
    first = await say(model, request)
    for file in folder.glob("prefix-*"):
        file.unlink()
    (folder / f"prefix-{engine._made + 1}").mkdir()  # the next state cannot be kept
    assert await say(model, request) == first
    kept = len(engine._prefixes)
    assert await say(model, request) == first
    assert len(engine._prefixes) == kept + 1
    for number in range(20):
        system = Message("system", f"You are nurse {number}.")
        await say(model, replace(request, messages=(system, Message("user", "I")), max_tokens=1))
    assert len([f for f in folder.glob("prefix-*") if f.is_file()]) == len(engine._prefixes) == 8
    assert await say(model, request) == first
    await model.aclose()


def test_the_folder_of_a_killed_process_is_swept_away_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    alive = PrivateFolder("huatuo-test-")
    script = (
        "import os, signal; from model.chat.private import PrivateFolder;"
        "print(PrivateFolder('huatuo-test-').path, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    left = Path(killed.stdout.strip())
    assert left.exists()
    PrivateFolder("huatuo-test-").remove()
    assert not left.exists()
    assert alive.path.exists()
    alive.remove()
    assert not alive.path.exists()


# --- a real server ---------------------------------------------------------------------------


@pytest.mark.weights
async def test_a_server_that_is_killed_makes_the_model_unavailable(smollm2: Path) -> None:
    server = LlamaServer(smollm2)
    try:
        model = await HttpChat.connect(server.url, server.MODEL, api_key=server.KEY)
        assert model.release.context_tokens == CONTEXT
        stream = model.stream(ChatRequest(REQUEST.messages, max_tokens=900, deadline=20))
        assert (await anext(stream)).text
        server.kill()
        with pytest.raises(ModelUnavailable):
            async for _ in stream:
                pass
        with pytest.raises(ModelUnavailable):
            await say(model)
        await model.aclose()
    finally:
        server.kill()


@pytest.mark.weights
async def test_a_wrong_key_and_a_wrong_model_are_told(llama_server: LlamaServer) -> None:
    with pytest.raises(ModelUnavailable, match="serves smollm2, not other"):
        await HttpChat.connect(llama_server.url, "other", api_key=llama_server.KEY)
    with pytest.raises(ModelUnavailable, match="API key"):
        await HttpChat.connect(llama_server.url, llama_server.MODEL, api_key="wrong")


async def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(ModelUnavailable, match="no model server answers"):
        await HttpChat.connect("http://127.0.0.1:1", "any")


# --- servers that misbehave ------------------------------------------------------------------


@asynccontextmanager
async def server(
    status: int, body: bytes, *, hang: bool = False, cut: bool = False
) -> AsyncIterator[str]:
    """A server that lists one model and answers a chat with `status` and `body`."""
    models = json.dumps({"data": [{"id": "m", "max_model_len": 512}]}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        chat = path == "/v1/chat/completions"
        code, content = (status, body) if chat else (404, b"{}")
        if path == "/v1/models":
            code, content = 200, models
        length = len(content) + (100 if chat and (cut or hang) else 0)
        writer.write(f"HTTP/1.1 {code} X\r\nContent-Length: {length}\r\n".encode())
        writer.write(b"Connection: close\r\n\r\n" + content)
        await writer.drain()
        if hang and chat:
            await reader.read()  # until the client goes away
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        listening.close()


def event(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


WORD = event({"choices": [{"delta": {"content": "Rest."}, "finish_reason": None}]})
END = event({"choices": [{"delta": {}, "finish_reason": "stop"}]})


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"data: {not json\n\n", ModelBadOutput),
        (200, b"data: [1, 2]\n\n", ModelBadOutput),
        (200, event({"choices": [3]}), ModelBadOutput),
        (200, event({"choices": [{"delta": "text"}]}), ModelBadOutput),
        (200, WORD + event({"choices": [], "usage": [1]}) + END, ModelBadOutput),
        (200, b"<html>hello</html>", ModelUnavailable),
        (200, WORD, ModelUnavailable),
        (200, END, ModelBadOutput),
        (200, WORD + event({"error": {"message": "CUDA"}}), ModelUnavailable),
        (400, b'{"error": {"message": "exceeds the context"}}', ModelContextTooLong),
        (400, b'{"error": {"message": "unknown field"}}', ModelUnavailable),
        (429, b"", ModelBusy),
        (503, b"", ModelBusy),
        (500, b"", ModelUnavailable),
        (401, b"", ModelUnavailable),
    ],
)
async def test_a_server_that_misbehaves_is_a_typed_error(
    status: int, body: bytes, error: type[ModelError]
) -> None:
    async with server(status, body) as url:
        model = await HttpChat.connect(url, "m", test=False)
        with pytest.raises(ModelError) as raised:
            await say(model)
        assert type(raised.value) is error
        await model.aclose()


async def test_a_server_that_hangs_meets_the_deadline() -> None:
    async with server(200, WORD, hang=True) as url:
        model = await HttpChat.connect(url, "m", test=False)
        with pytest.raises(ModelDeadline):
            await say(model, ChatRequest(REQUEST.messages, deadline=0.3))
        await model.aclose()


async def test_a_connection_that_breaks_is_unavailable() -> None:
    async with server(200, WORD, cut=True) as url:
        model = await HttpChat.connect(url, "m", test=False)
        with pytest.raises(ModelUnavailable):
            await say(model)
        await model.aclose()


async def test_a_plain_server_without_counts_is_enough() -> None:
    async with server(200, WORD + END + b"data: [DONE]\n\n") as url:
        model = await HttpChat.connect(url + "/v1", "m", test=False)
        assert await say(model) == "Rest."
        # Without a tokeniser to ask, the count is an upper bound.
        assert await model.count_tokens([Message("user", "发烧")]) >= 6
        await model.aclose()
