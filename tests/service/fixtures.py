"""A whole service for tests: the real knowledge, real retrieval by words, a real database.

The model is scripted or absent, because what is tested here is what stands around it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from agent.desk import Desk
from agent.ports import ChatModel, Ports
from api.app import create_app
from api.service import ConsultationService
from app.wiring import SystemClock, configure_logging
from knowledge import clinical
from knowledge.retrieval import open_retrieval
from records import keys
from records.database import Database

ZH = "我嗓子疼，吞东西的时候更疼，两天了"
EN = "I have had a sore throat for two days, no fever"
SAID = "You told me that you have a sore throat and no fever."
"""What a model may say to `EN`: it names all that was told, and nothing else."""
EMERGENCY = "crushing chest pain for an hour, sweating, and my left arm hurts"


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The desk of the real knowledge, without a model."""
    knowledge = clinical.load()
    retriever, alarms = open_retrieval(knowledge, tmp_path_factory.mktemp("index"), embedder=None)
    return Desk.build(knowledge, Ports(clock=SystemClock(), retriever=retriever, alarms=alarms))


def with_model(desk: Desk, model: ChatModel | None) -> Desk:
    """The same desk with a model."""
    return replace(desk, ports=replace(desk.ports, model=model))


@pytest.fixture(autouse=True)
def production_logs() -> Iterator[None]:
    """Logs as the server writes them, at the most talkative level."""
    kept, level = logging.root.handlers[:], logging.root.level
    logging.root.handlers.clear()  # pytest's own, which would be closed otherwise
    configure_logging("debug")
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = kept
    logging.root.setLevel(level)


@pytest.fixture
async def service(database: Database, desk: Desk) -> AsyncIterator[ConsultationService]:
    """A service on each database, without a model and, until it is started, without a sweeper."""
    made = ConsultationService(database, desk)
    yield made
    await made.stop(patience=0.1)


@pytest.fixture
async def sqlite_service(sqlite_url: str, desk: Desk) -> AsyncIterator[ConsultationService]:
    """The same on SQLite alone, for what no database has a part in."""
    async with Database(sqlite_url) as database:
        made = ConsultationService(database, desk)
        yield made
        await made.stop(patience=0.1)


async def make_key(service: ConsultationService, *scopes: str) -> str:
    """A new API key, whole."""
    async with service.database.transaction() as connection:
        _, secret = await keys.create(
            connection, label="test", scopes=scopes, now=datetime.now(UTC)
        )
    return secret


class Client:
    """The HTTP API as a caller sees it, in this process; every call carries the key."""

    def __init__(self, app: FastAPI, key: str) -> None:
        self.app, self.key = app, key
        self.service: ConsultationService = app.state.service
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
            base_url="http://huatuo",
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
        )

    async def open(self, **body: Any) -> str:
        """Opens a consultation and returns its id."""
        answer = await self.http.post("/v1/consultations", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def say(self, id: str, text: str, key: str | None = None, **headers: str) -> Any:
        """Takes a turn."""
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.http.post(
            f"/v1/consultations/{id}/turns", json={"text": text}, headers=headers
        )

    async def get(self, path: str) -> Any:
        """The JSON of an address that is there."""
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def record(self, id: str) -> tuple[list[tuple[str, str]], list[str]]:
        """What remains of a consultation: (role, text) of each message, and the event types."""
        said = await self.get(f"/v1/consultations/{id}/transcript")
        events = await self.get(f"/v1/consultations/{id}/events")
        return [(m["role"], m["text"]) for m in said], [e["type"] for e in events]


Serve = Callable[[Desk], Awaitable["Client"]]


async def client_of(service: ConsultationService, *scopes: str) -> Client:
    """A client with a key of its own for a service."""
    return Client(create_app(service), await make_key(service, *(scopes or ("consult",))))


@pytest.fixture
async def client(service: ConsultationService) -> AsyncIterator[Client]:
    """A client of a service on each database."""
    made = await client_of(service)
    async with made.app.router.lifespan_context(made.app), made.http:
        yield made


@pytest.fixture
async def sqlite_client(sqlite_service: ConsultationService) -> AsyncIterator[Client]:
    """A client of a service on SQLite alone."""
    made = await client_of(sqlite_service)
    async with made.app.router.lifespan_context(made.app), made.http:
        yield made


@pytest.fixture
async def serve(database: Database) -> AsyncIterator[Serve]:
    """Makes clients of services on each database with a desk of the test's own."""
    made: list[Client] = []

    async def start(desk: Desk) -> Client:
        made.append(await client_of(ConsultationService(database, desk)))
        return made[-1]

    yield start
    for one in made:
        await one.service.stop(patience=0)
        await one.http.aclose()


def problem_of(answer: httpx.Response, status: int, code: str, *secret: str) -> dict[str, Any]:
    """The problem of a refused request, after checking what every problem must hold to: the
    media type, the status and the stable code, and nothing of what was sent."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == "about:blank"
    assert body["title"]
    assert set(body) <= {"type", "title", "status", "code", "errors"}
    for words in secret:
        assert words not in answer.text
    return body


def sse(body: str) -> list[dict[str, str]]:
    """The events of a stream, each as its fields."""
    events = []
    for block in body.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if fields:
            events.append(fields)
    return events


def home(path: Path) -> dict[str, str]:
    """The environment of a server without weights in a home of its own."""
    return {"HUATUO_HOME": str(path), "HUATUO_MODEL": "none", "HUATUO_EMBEDDINGS": "false"}
