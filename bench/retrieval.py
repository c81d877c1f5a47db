"""Times and measures retrieval: the first build, a start, a query, and the judgement of a sentence
by the detector of alarms.

A title is asked in its own language, and its article must be among the first five.
"""

from __future__ import annotations

import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from agent.ports import AlarmDetector, Language
from app.settings import Settings
from app.wiring import Report, quiet
from knowledge import clinical
from knowledge.clinical import ClinicalKnowledge
from knowledge.retrieval import open_retrieval
from knowledge.retrieval.embedder import Embedder
from knowledge.retrieval.hybrid import HybridRetriever
from model import base

LANGUAGES: tuple[Language, ...] = ("en", "zh")
_QUERIES = 150  # in each language


async def run(settings: Settings, *, build: bool, report: Report = quiet) -> dict[str, Any]:
    """Measure; with `build` also a first build, in a folder that is thrown away. Times in
    milliseconds where not named otherwise."""
    knowledge = clinical.load()
    folder = base.locate(base.E5, settings.home) if settings.embeddings else None
    found: dict[str, Any] = {"python": platform.python_version(), "embedder": folder is not None}
    if build and folder is not None:
        with tempfile.TemporaryDirectory() as empty:
            started = time.perf_counter()
            open_retrieval(knowledge, Path(empty), embedder=folder, report=report)
            found["first_build_s"] = round(time.perf_counter() - started, 1)
    started = time.perf_counter()
    retriever, detector = open_retrieval(
        knowledge, settings.home / "index", embedder=folder, report=report
    )
    found["start_s"] = round(time.perf_counter() - started, 1)
    found["searches"] = await _searches(retriever, knowledge)
    found["judge"] = _judging(detector, knowledge)
    if folder is not None:
        found["embed"] = _embedding(Embedder(folder), knowledge)
    return found


def _times(seconds: list[float]) -> dict[str, float]:
    warm = np.array(seconds[5:]) * 1000
    return {f"p{p}_ms": round(float(np.percentile(warm, p)), 1) for p in (50, 95)}


async def _searches(retriever: HybridRetriever, knowledge: ClinicalKnowledge) -> dict[str, Any]:
    seconds: list[float] = []
    first_five = {}
    for language in LANGUAGES:
        hits = 0
        conditions = list(knowledge.conditions.values())[:_QUERIES]
        for condition in conditions:
            started = time.perf_counter()
            name = getattr(condition.name, language)
            found = await retriever.search(name, language=language, k=5)
            seconds.append(time.perf_counter() - started)
            hits += condition.id in {passage.entry for passage in found.passages}
        first_five[language] = round(hits / len(conditions), 3)
    return _times(seconds) | {"title_in_first_five": first_five}


def _embedding(embedder: Embedder, knowledge: ClinicalKnowledge) -> dict[str, float]:
    seconds: list[float] = []
    for finding in list(knowledge.findings.values())[:_QUERIES]:
        started = time.perf_counter()
        embedder.embed([finding.name.zh], "query")
        seconds.append(time.perf_counter() - started)
    return _times(seconds)


def _judging(detector: AlarmDetector, knowledge: ClinicalKnowledge) -> dict[str, float]:
    seconds: list[float] = []
    for finding in list(knowledge.findings.values())[:_QUERIES]:
        started = time.perf_counter()
        detector.judge([finding.name.en])
        seconds.append(time.perf_counter() - started)
    return _times(seconds)
