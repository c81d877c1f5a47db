"""Many consultations at once in one process, without the model: how many turns a second."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import numpy as np

from api.service import ConsultationService, TurnFailed
from app.settings import Settings
from app.wiring import build_desk
from bench.turn import PATIENTS
from records import schema
from records.database import Database
from records.errors import RecordsError


async def run(settings: Settings, *, patients: int, rounds: int) -> dict[str, Any]:
    """`patients` at once have `rounds` consultations each, one after the other.

    On PostgreSQL when the settings name one, where the consultations stay; else on a SQLite file
    that is thrown away. Times in milliseconds; errors counted by their code.
    """
    settings.model = "none"
    desk = await build_desk(settings)
    seconds: list[float] = []
    errors: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        given = settings.database_url or ""
        url = given if given.startswith("postgres") else f"sqlite:///{Path(folder) / 'load.db'}"
        await asyncio.to_thread(schema.migrate, url)
        async with Database(url) as database:
            service = ConsultationService(database, desk)

            async def consult(number: int) -> None:
                language: Literal["en", "zh"] = "en" if number % 2 else "zh"
                lines = [told for tongue, told in PATIENTS if tongue == language]
                for done in range(rounds):
                    opened = await service.open(owner="bench", language=language)
                    for line in lines[(number // 2 + done) % len(lines)]:
                        started = time.perf_counter()
                        try:
                            await (await service.take_turn(opened.id, line)).answer()
                        except (RecordsError, TurnFailed) as error:
                            errors[error.code] += 1
                            break
                        seconds.append(time.perf_counter() - started)

            await consult(0)  # what is computed once
            seconds.clear()
            started = time.perf_counter()
            await asyncio.gather(*(consult(number) for number in range(patients)))
            took = time.perf_counter() - started
            await service.stop()
    each = np.array(seconds or [np.nan]) * 1000
    return {
        "database": database.dialect,
        "patients_at_once": patients,
        "turns": len(seconds),
        "turns_per_second": round(len(seconds) / took, 1),
        "p50_ms": round(float(np.percentile(each, 50)), 1),
        "p95_ms": round(float(np.percentile(each, 95)), 1),
        "max_ms": round(float(each.max()), 1),
        "errors": dict(errors),
        "load_average": round(os.getloadavg()[0], 1),
    }
