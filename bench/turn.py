"""Times turns without the model: understand, decide, persist, as a server does them."""

from __future__ import annotations

import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from api.service import ConsultationService
from app.settings import Settings
from app.wiring import build_desk
from records import schema
from records.database import Database

# Words of patients in both languages; each list is one consultation, answered turn by turn.
PATIENTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("zh", ("我嗓子疼两天了，有点咳嗽，没有发烧", "28岁，女", "没有", "有一点", "没有")),
    ("en", ("I've had a sore throat and a runny nose for two days", "34, male", "no", "yes", "no")),
    ("zh", ("肚子疼，拉肚子，一天拉了五六次", "男，40岁", "昨天开始的", "没有", "有点恶心")),
    ("en", ("my lower back hurts since I moved some boxes", "52, female", "no", "3 days", "no")),
    ("zh", ("胸口像压了块石头，出冷汗", "65岁，男", "家里没有别人")),
    ("en", ("My 2 year old daughter has a fever and a rash", "since yesterday", "no", "no")),
)


async def run(settings: Settings, turns: int) -> dict[str, Any]:
    """Take about `turns` turns on a SQLite database of its own; times in milliseconds."""
    settings.model = "none"
    desk = await build_desk(settings)
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        schema.migrate(url)
        async with Database(url) as database:
            service = ConsultationService(database, desk)
            count = 0
            while count < turns:
                for language, lines in PATIENTS:
                    tongue: Any = language
                    opened = await service.open(owner="bench", language=tongue)
                    for line in lines:
                        started = time.perf_counter()
                        turn = await service.take_turn(opened.id, line)
                        await turn.answer()
                        seconds.append(time.perf_counter() - started)
                        count += 1
    warm = np.array(seconds[10:]) * 1000
    return {
        "turns": len(warm),
        "p50_ms": round(float(np.percentile(warm, 50)), 1),
        "p95_ms": round(float(np.percentile(warm, 95)), 1),
        "max_ms": round(float(warm.max()), 1),
        "embeddings": settings.embeddings,
        "python": platform.python_version(),
    }
