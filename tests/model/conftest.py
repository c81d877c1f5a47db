"""The models that the contract runs for, and the weights behind them."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agent.ports import ChatModel, ChatRequest
from model import base
from model.chat.hf import HfChat
from model.chat.http import HttpChat
from model.chat.llamacpp import LlamaCppChat
from model.chat.scripted import RELEASE, ScriptedChat
from model.chat.worker import Worker

CONTEXT = 1024
WAITING = 2
MAKERS = ["scripted", "llama.cpp-smollm2", "llama.cpp-qwen", "transformers", "http"]
PARAMETERS = [pytest.param(m, marks=[] if m == "scripted" else pytest.mark.weights) for m in MAKERS]

Make = Callable[[str], Any]


@pytest.fixture(scope="session")
def weights_home() -> Path:
    """`HUATUO_HOME` with all weights in it."""
    home = base.default_home()
    for artefact in base.ARTEFACTS.values():
        try:
            base.require(artefact, home)
        except base.WeightsError as error:
            pytest.fail(f"{error} (`huatuo model fetch --tests` fetches what the tests need)")
    return home


@pytest.fixture(scope="session")
def smollm2(weights_home: Path) -> Path:
    return base.require(base.SMOLLM2, weights_home)


@pytest.fixture(scope="session")
def qwen(weights_home: Path) -> Path:
    return base.require(base.QWEN, weights_home)


class LlamaServer:
    """A llama.cpp HTTP server in a process of its own."""

    KEY = "key-of-the-tests"
    MODEL = "smollm2"

    def __init__(self, weights: Path) -> None:
        script = Path(__file__).with_name("llama_server.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(weights), self.MODEL, self.KEY, str(CONTEXT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture(scope="session")
def llama_server(smollm2: Path) -> Iterator[LlamaServer]:
    server = LlamaServer(smollm2)
    yield server
    server.kill()


def story(request: ChatRequest) -> str:
    """What the scripted model says in the contract: long, in two languages, seeded."""
    if request.schema is not None:
        return '{"urgent": true, "department": "内科"}'
    flavour = request.seed if request.temperature > 0 else 0
    about = sum(map(ord, request.messages[-1].content)) % 97
    sentence = f"第{flavour}次，😀 fever number {about} 请多喝水 and rest, "
    return " ".join(f"{sentence}{i}." for i in range(20))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Makes a model by name. Each call gives a new one; the heavy weights behind transformers are
    loaded once."""
    made: list[Any] = []
    loaded: dict[str, HfChat] = {}

    async def new(name: str) -> ChatModel:
        model: Any
        if name == "scripted":
            release = dataclasses.replace(RELEASE, context_tokens=CONTEXT)
            model = ScriptedChat(script=story, pause=0.005, release=release, waiting=WAITING)
        elif name.startswith("llama.cpp"):
            weights = request.getfixturevalue(name.removeprefix("llama.cpp-"))
            model = await LlamaCppChat.load(
                weights, context_tokens=CONTEXT, waiting=WAITING, threads=1
            )
        elif name == "http":
            server = request.getfixturevalue("llama_server")
            model = await HttpChat.connect(
                server.url, server.MODEL, api_key=server.KEY, concurrency=1, waiting=WAITING
            )
        else:
            if name not in loaded:
                weights = request.getfixturevalue("smollm2")
                loaded[name] = await HfChat.load(weights, context_tokens=CONTEXT, waiting=WAITING)
            first = loaded[name]
            model = HfChat(
                first._model, first._tokenizer, Worker("test"), first.release, waiting=WAITING
            )
        made.append(model)
        return model  # type: ignore[no-any-return]

    yield new
    for model in [*made, *loaded.values()]:
        await model.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=PARAMETERS)
async def model(request: pytest.FixtureRequest, make: Make) -> ChatModel:
    """Each implementation in turn, shared by the tests of the contract."""
    return await make(request.param)  # type: ignore[no-any-return]


@pytest.fixture(params=PARAMETERS)
def name(request: pytest.FixtureRequest) -> str:
    """The name of each implementation, for tests that make their own."""
    return str(request.param)
