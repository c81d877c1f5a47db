"""Puts the parts together: the one place that knows every implementation."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from agent.desk import Desk
from agent.ports import (
    AlarmDetector,
    ChatModel,
    Language,
    ModelUnavailable,
    Ports,
    Retriever,
)
from agent.wording import prompts
from api.service import ConsultationService
from app import imported
from app.settings import Settings
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.hospital import apply as apply_hospital
from knowledge.clinical.hospital import read_hospital
from knowledge.fitted import Overlay
from model import base
from records import schema
from records.database import Database

log = structlog.get_logger(__name__)

Report = Callable[[str], None]
"""Called with one line about what is being done."""


def quiet(_: str) -> None:
    """Reports nothing."""


class SystemClock:
    """The clock on the wall."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


async def load_model(settings: Settings, report: Report = quiet) -> ChatModel | None:
    """The model that the settings name. With `auto`, None where no weights are there.

    Raises ModelUnavailable or WeightsError when a model was demanded and cannot be had.
    """
    threads = settings.threads or None
    if settings.model == "none":
        return None
    if settings.model == "http":
        from model.chat.http import HttpChat

        report(f"connecting to the model at {settings.model_url}")
        if not settings.model_url or not settings.model_name:
            raise ModelUnavailable("set HUATUO_MODEL_URL and HUATUO_MODEL_NAME for model=http")
        return await HttpChat.connect(
            settings.model_url, settings.model_name, api_key=settings.model_key or None
        )
    weights = settings.model_path
    if weights is None:
        if settings.model == "auto" and base.locate(base.QWEN, settings.home) is None:
            report("no weights here: replies are worded from the knowledge alone")
            return None
        weights = base.require(base.QWEN, settings.home)
    report(f"loading the model {weights.name}")
    if settings.model == "transformers":
        from model.chat.hf import HfChat

        return await HfChat.load(weights)
    from model.chat.llamacpp import LlamaCppChat

    try:
        return await LlamaCppChat.load(weights, threads=threads)
    except ModelUnavailable as error:
        if settings.model != "auto":
            raise
        report(f"{error}; replies are worded from the knowledge alone")
        return None


def load_retrieval(
    settings: Settings, knowledge: ClinicalKnowledge, report: Report = quiet
) -> tuple[Retriever, AlarmDetector]:
    """Passages with their index, and the detector of alarms.

    Without the embedder's weights both work by words alone.
    """
    from knowledge.retrieval import open_retrieval

    folder: Path | None = None
    if settings.embeddings:
        folder = base.locate(base.E5, settings.home)
        if folder is None:
            report("no embedder here: retrieval works by words alone")
    return open_retrieval(knowledge, settings.home / "index", embedder=folder, report=report)


def with_departments(settings: Settings, knowledge: ClinicalKnowledge) -> ClinicalKnowledge:
    """The knowledge with the hospital's own departments, where the settings name their file.

    Raises KnowledgeError, OSError.
    """
    if settings.departments is None:
        return knowledge
    hospital = read_hospital(settings.departments)
    return apply_hospital(hospital, knowledge, str(settings.departments))


async def build_desk(settings: Settings, report: Report = quiet) -> Desk:
    """Everything that a consultation is conducted with.

    Raises KnowledgeError, OverlayError, ModelUnavailable, WeightsError.
    """
    report("reading the clinical knowledge")
    overlay = Overlay.load(settings.overlay) if settings.overlay else None
    written = await asyncio.to_thread(imported.known, settings, report)
    knowledge = with_departments(settings, written)
    ports = Ports(clock=SystemClock())

    def compiled() -> Desk:
        ports.retriever, ports.alarms = load_retrieval(settings, knowledge, report)
        return Desk.build(knowledge, ports, budget=settings.budget, overlay=overlay)

    # Compiling is Python on one core, the model is read by another: side by side.
    compiling = asyncio.create_task(asyncio.to_thread(compiled))
    try:
        ports.model = await load_model(settings, report)
        if ports.model is not None:
            await warm(ports.model, report)
    except BaseException:
        await asyncio.wait([compiling])
        raise
    return await compiling


async def warm(model: ChatModel, report: Report = quiet) -> None:
    """Have the model read the fixed part of its prompts once, so that no patient waits for it."""
    report("warming up the model")
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        request = prompts.request("acknowledge", language, seed=0, facts="-")
        async for _ in model.stream(replace(request, max_tokens=1, deadline=120.0)):
            pass


async def open_database(settings: Settings, report: Report = quiet) -> Database:
    """The database, migrated to this version.

    Raises the errors of `records.errors`, DatabaseNewer among them.
    """
    report("opening the database")
    settings.home.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(schema.migrate, settings.database)
    return Database(settings.database)


@asynccontextmanager
async def running(settings: Settings, report: Report = quiet) -> AsyncIterator[ConsultationService]:
    """A service with everything behind it, closed at the end."""
    database = await open_database(settings, report)
    try:
        desk = await build_desk(settings, report)
        try:
            yield ConsultationService(database, desk)
        finally:
            if desk.ports.model is not None:
                await desk.ports.model.aclose()
    finally:
        await database.close()


def _places(error: BaseException) -> list[str]:
    """Where an exception came from, without its text."""
    return [
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-12:]
    ]


def _without_words(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception as its type and places only: its text may quote a patient."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = _places(error)
    return event


class _WithoutWords(logging.Formatter):
    """The same for the log lines of libraries."""

    def format(self, record: logging.LogRecord) -> str:
        """One line: level, logger, first line of the message, type and places of an exception."""
        line = f"{record.levelname.lower()} {record.name}: {record.getMessage().splitlines()[0]}"
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line += f" ({type(error).__name__} at {', '.join(_places(error))})"
        return line


def configure_logging(level: str) -> None:
    """Structured lines on standard error, so that standard output stays the conversation's.

    `level` is for the service's own lines and the HTTP server's. Libraries say no more than their
    warnings: what they tell when they are asked for more may quote a patient.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_WithoutWords())
    # Some libraries set the level of their own loggers: the handler has the last word.
    handler.addFilter(
        lambda record: record.levelno >= logging.WARNING or record.name.startswith("uvicorn")
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("uvicorn").setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _without_words,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
