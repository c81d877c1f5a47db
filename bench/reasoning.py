"""Times the reasoning alone: compile, posterior, differential, next question, by size."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from agent import inquiry
from agent.desk import Desk
from agent.diagnosis import Evidence, Network, evidence_of
from agent.findings import finding_of
from agent.language.understand import understand
from agent.ports import Ports
from agent.state import Finding, Patient
from app import imported
from app.settings import Settings
from app.wiring import SystemClock
from evaluation.cases import load_vignettes
from knowledge.clinical import ClinicalKnowledge

Case = tuple[Evidence, Patient, dict[str, Finding]]
_WARM = 5


def run(settings: Settings, *, conditions: int, report: Callable[[str], None]) -> dict[str, Any]:
    """Time the reasoning on the vignettes, with the written conditions alone, with all that is
    here, and with exactly `conditions`; times in milliseconds, compiling in seconds."""
    knowledge = imported.known(settings, report)
    written = replace(knowledge, conditions=knowledge.written, aliases={})
    report("understanding the vignettes")
    desk = Desk.build(written, Ports(clock=SystemClock()))
    cases = [case for vignette in load_vignettes(written) if (case := _case(desk, vignette))]
    sizes = {
        "written": written,
        "all": knowledge,
        str(conditions): sized(knowledge, conditions),
    }
    return {
        "cases": len(cases),
        "findings": len(knowledge.findings),
        **{name: _measured(some, cases) for name, some in sizes.items()},
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def sized(knowledge: ClinicalKnowledge, count: int) -> ClinicalKnowledge:
    """The knowledge with exactly so many conditions: the first ones, or all and copies of them
    that are marked as imported."""
    entries = list(knowledge.conditions.values())
    own = {entry.id: entry for entry in entries[:count]}
    number = 0
    while len(own) < count:
        entry = entries[number % len(entries)]
        key = f"copy_{number}"
        own[key] = entry.model_copy(update={"id": key, "tier": "imported"})
        number += 1
    return replace(knowledge, conditions=own, aliases={})


def _case(desk: Desk, vignette: Any) -> Case | None:
    reading = understand(vignette.text, lexicon=desk.lexicon, language=vignette.language)
    findings = {
        mention.finding: finding_of(mention, desk.knowledge, vignette.language, turn=1)
        for mention in reading.mentions
        if mention.finding in desk.knowledge.findings
    }
    evidence = evidence_of(findings, None)
    return (evidence, vignette.patient, findings) if evidence.present else None


def _measured(knowledge: ClinicalKnowledge, cases: list[Case]) -> dict[str, Any]:
    started = time.perf_counter()
    network = Network(knowledge)
    compiled = time.perf_counter() - started
    times: dict[str, list[float]] = {"posterior": [], "differential": [], "question": []}
    for evidence, patient, findings in cases:
        start = time.perf_counter()
        posterior = network.posterior(evidence, patient)
        times["posterior"].append(time.perf_counter() - start)
        start = time.perf_counter()
        network.differential(evidence, posterior, "en")
        times["differential"].append(time.perf_counter() - start)
        start = time.perf_counter()
        inquiry.choose(
            network, evidence, patient, findings, [], posterior=network.reviewed(posterior)
        )
        times["question"].append(time.perf_counter() - start)
    tables = (network.given, network.step, network.cardinal)
    return {
        "conditions": len(knowledge.conditions),
        "compile_s": round(compiled, 2),
        "tables_mb": round(sum(table.nbytes for table in tables) / 1e6, 1),
        **{name: _figures(seconds) for name, seconds in times.items()},
    }


def _figures(seconds: list[float]) -> dict[str, float]:
    warm = np.array(seconds[_WARM:] or seconds) * 1000
    figures = {f"p{share}_ms": round(float(np.percentile(warm, share)), 2) for share in (50, 95)}
    return figures | {"max_ms": round(float(warm.max()), 2)}
