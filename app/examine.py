"""What `huatuo doctor` looks at."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.settings import Settings
from model import base

ROOMS = ("agent", "knowledge", "model", "evaluation", "records", "api", "app", "migrations")
"""The packages of the service. Their names are plain words, so that another could shadow them."""


@dataclass(frozen=True)
class Part:
    """One finding of the examination; `missing` parts keep the service from working whole."""

    name: str
    state: Literal["ok", "note", "missing"]
    says: str


def examine(settings: Settings, *, full: bool = False) -> list[Part]:
    """Look at everything the service needs. `full` checks every byte of the weights."""
    return [
        *_machine(settings),
        *_packages(),
        *_weights(settings, full),
        *_knowledge(settings),
        *_departments(settings),
        _database(settings),
    ]


def _machine(settings: Settings) -> Iterator[Part]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Part("machine", "ok", f"Python {platform.python_version()}, {cores} core(s)")
    folder = settings.home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    state: Literal["ok", "note"] = "ok" if free > 2 else "note"
    yield Part("home", state, f"{settings.home}, {free:.1f} GB free")
    import faiss

    gpus = faiss.get_num_gpus() if hasattr(faiss, "get_num_gpus") else 0
    yield Part("gpu", "ok", f"{gpus} for the index" if gpus else "none; everything runs on the CPU")


def _packages() -> Iterator[Part]:
    here = Path(__file__).resolve().parent.parent
    shadowed = []
    for room in ROOMS:
        spec = importlib.util.find_spec(room)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or here not in origin.parents:
            shadowed.append(f"{room} ({origin or 'not found'})")
    if shadowed:
        says = f"shadowed by other packages: {', '.join(shadowed)}; use a virtual environment"
        yield Part("packages", "missing", says)
    else:
        yield Part("packages", "ok", "none is shadowed")


def _weights(settings: Settings, full: bool) -> Iterator[Part]:
    for artefact in base.DEFAULT:
        try:
            path = base.locate(artefact, settings.home)
            if path is None:
                yield Part(artefact.name, "missing", "not here; run `huatuo model fetch`")
                continue
            if full:
                base.verify(artefact, settings.home, full=True)
            yield Part(artefact.name, "ok", f"{path}{', every byte checked' if full else ''}")
        except base.WeightsError as error:
            yield Part(artefact.name, "missing", str(error))


def _knowledge(settings: Settings) -> Iterator[Part]:
    from app import imported
    from knowledge import clinical

    said: list[str] = []
    try:
        found = imported.known(settings, said.append)
    except clinical.KnowledgeError as error:
        yield Part("knowledge", "missing", f"{error}\nrun `huatuo knowledge check`")
        return
    yield Part(
        "knowledge",
        "ok",
        f"{found.release}: {len(found.written)} conditions, {len(found.findings)} findings, "
        f"{len(found.rules)} red flags",
    )
    count = len(found.conditions) - len(found.written)
    says = "; ".join(said) or "switched off (HUATUO_IMPORTED)"
    if count:
        says = f"{count} more conditions, marked as unreviewed and deciding on nothing"
    yield Part("imported knowledge", "ok" if count else "note", says)


def _departments(settings: Settings) -> Iterator[Part]:
    if settings.departments is None:
        return
    from app.wiring import with_departments
    from knowledge.clinical.load import KnowledgeError, read_folder

    try:
        found = with_departments(settings, read_folder().knowledge)
    except KnowledgeError as error:
        yield Part("departments", "missing", f"{error}\nsee HUATUO_DEPARTMENTS")
    except OSError as error:
        yield Part("departments", "missing", f"{error.filename}: {error.strerror}")
    else:
        yield Part("departments", "ok", f"{len(found.departments)}, {settings.departments}")


def _database(settings: Settings) -> Part:
    import asyncio

    from records.database import Database
    from records.errors import DatabaseOlder, RecordsError

    async def look() -> Part:
        async with Database(settings.database) as database:
            try:
                await database.check()
            except DatabaseOlder:
                return Part("database", "note", "will be made or migrated at the next start")
            except RecordsError as error:
                return Part("database", "missing", f"{error.message} ({error.code})")
        return Part("database", "ok", database.url.render_as_string(hide_password=True))

    name = settings.database.removeprefix("sqlite:///")
    if settings.database.startswith("sqlite:") and not Path(name).exists():
        return Part("database", "note", "will be made at the first start")
    return asyncio.run(look())
