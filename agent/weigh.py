"""Everything that is known of a case, weighed: posterior, differential, triage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent import triage
from agent.desk import Desk
from agent.diagnosis import Array, Evidence, evidence_of, ranked
from agent.ports import Language
from agent.state import Finding, Patient, Possibility, RedFlag, Triage

COUNTS = 0.002
"""Probability below which a condition takes no part in the decision on urgency."""


@dataclass(frozen=True)
class Weighed:
    """The outcome. `differential` is empty and `triage` None while nothing is known."""

    evidence: Evidence
    posterior: Array  # (conditions,)
    reviewed: Array
    """The same over the written conditions alone: what urgency and questions are decided on."""
    differential: list[Possibility]
    triage: Triage | None


def weigh(
    desk: Desk,
    findings: Mapping[str, Finding],
    patient: Patient,
    flags: Sequence[RedFlag],
    language: Language,
    *,
    duration: str | None = None,
    candidates: Iterable[str] | None = None,
) -> Weighed:
    """Weigh the findings of a patient and the red flags that fired. `duration` is ISO 8601; with
    `candidates` the differential is over those conditions alone, the urgency over all written.

    Imported conditions may be in the differential, marked, and have no other part: whatever they
    say, urgency, department and questions are those of the written knowledge alone."""
    evidence = evidence_of(findings, duration)
    posterior = desk.network.posterior(evidence, patient)
    reviewed = desk.network.reviewed(posterior)
    differential: list[Possibility] = []
    probable: dict[str, float] = {}
    if evidence.present:
        probable = {
            desk.network.conditions[row]: float(reviewed[row])
            for row in ranked(reviewed)
            if reviewed[row] > COUNTS
        }
        told = posterior
        if candidates is not None:
            # Who names the candidates has weighed how common they are.
            told = desk.network.posterior(evidence, patient, equal=True)
        differential = desk.network.differential(evidence, told, language, candidates=candidates)
    decided = None
    if probable or flags:
        decided = triage.decide(desk.knowledge, findings, patient, probable, flags, language)
    return Weighed(evidence, posterior, reviewed, differential, decided)
