"""Times and measures retrieval: the first build, a start, a query, and what phrases are taken for.

A title is asked in its own language, and its article must be among the first five. Phrases
(`phrases.yaml`) are complaints that may mean some findings and clauses that are no complaint;
those that the lexicon reads itself do not count.
"""

from __future__ import annotations

import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from agent.language.understand import Lexicon, understand
from agent.ports import Language, PhraseMatcher
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
    retriever, matcher = open_retrieval(
        knowledge, settings.home / "index", embedder=folder, report=report
    )
    found["start_s"] = round(time.perf_counter() - started, 1)
    found["searches"] = await _searches(retriever, knowledge)
    if folder is not None and matcher is not None:
        found["embed"] = _embedding(Embedder(folder), knowledge)
        lexicon = Lexicon.compile(knowledge)
        found["phrases"] = {name: phrases(matcher, lexicon, name) for name in LANGUAGES}
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


def phrases(matcher: PhraseMatcher, lexicon: Lexicon, language: Language) -> dict[str, Any]:
    """How many phrases that the lexicon misses are given a finding, and how many a right one. A
    finding of which the right one is a kind counts as right."""
    file = yaml.safe_load((Path(__file__).parent / "phrases.yaml").read_text(encoding="utf-8"))
    rows = [(said, set(meant)) for said, meant in file["complaints"][language]]
    rows += [(said, set()) for said in file["other"][language]]
    missed = [
        (said, meant.union(*(lexicon.knowledge.ancestors.get(key, frozenset()) for key in meant)))
        for said, meant in rows
        if not understand(said, lexicon=lexicon, language=language).mentions
    ]
    given = matcher.match([said for said, _ in missed], language)
    believed = [
        (match.finding in meant, meant)
        for match, (_, meant) in zip(given, missed, strict=True)
        if match is not None
    ]
    return {
        "complaints_missed_by_the_lexicon": sum(bool(meant) for _, meant in missed),
        "other_clauses": sum(not meant for _, meant in missed),
        "given_a_finding": len(believed),
        "right": sum(right for right, _ in believed),
        "given_to_no_complaint": sum(not meant for _, meant in believed),
    }
