"""Which department a case belongs to.

Departments are voted for with the probability of their conditions. A department whose conditions
make up much of all consultations gathers votes for want of anything better; its votes count a
little less, so that a few words that point to the skin or the teeth lead there.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.compiled import POPULATION
from agent.state import Patient
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.load import LATER_CHOICE
from knowledge.clinical.schema import BANDS, Condition

CHILD = 14.0
"""Years up to which the departments for children see a patient."""
UNSAID_CHILD = 0.3
"""Factor on the departments for children where no age is known: who writes for a child says so."""
BUSY = 0.3
"""Exponent on a department's share of all consultations, by which its votes are divided."""

_VOTERS = 12  # conditions, the most probable first, that vote
_CHILD_BAND = 12.0  # upper end of the last age band that is all children


def departments(
    knowledge: ClinicalKnowledge,
    probabilities: Mapping[str, float],
    patient: Patient,
    *,
    emergency: bool = False,
) -> list[tuple[str, float]]:
    """The departments that a case may belong to with their shares, the likeliest first; the
    shares sum to 1. One at least: general medicine, or paediatrics for a child.

    `probabilities` maps conditions to their posterior. The emergency department is among them only
    where `emergency` says so, where it sees other patients too, or where nothing else has a vote.
    """
    votes: dict[str, float] = {}
    child = None if patient.age_years is None else patient.age_years < CHILD
    for key in sorted(probabilities, key=lambda key: -probabilities[key])[:_VOTERS]:
        condition = knowledge.conditions[key]
        alone = len(condition.departments) == 1
        for place, department in enumerate(condition.departments):
            weight = probabilities[key] * LATER_CHOICE**place
            entry = knowledge.departments.get(department)
            if entry is not None and entry.children:
                weight *= _for_children(condition, child, alone)
            if weight > 0:
                votes[department] = votes.get(department, 0.0) + weight
    if not emergency and len(votes) > 1 and _emergencies_alone(knowledge):
        votes.pop(own("emergency", knowledge), None)
    if not votes:
        paediatrics, general = own("paediatrics", knowledge), own("general_medicine", knowledge)
        return [(paediatrics if child and paediatrics in knowledge.departments else general, 1.0)]
    shares = knowledge.consultations
    weighed = {key: vote / max(shares.get(key, 0.0), 1e-6) ** BUSY for key, vote in votes.items()}
    total = sum(weighed.values())
    return sorted(((key, vote / total) for key, vote in weighed.items()), key=lambda item: -item[1])


def own(department: str, knowledge: ClinicalKnowledge) -> str:
    """A department of the service, or what a hospital has in its place."""
    return knowledge.sent_to.get(department, department)


def _emergencies_alone(knowledge: ClinicalKnowledge) -> bool:
    return list(knowledge.sent_to.values()).count(own("emergency", knowledge)) <= 1


def _for_children(condition: Condition, child: bool | None, alone: bool) -> float:
    """The factor on the vote for a department that sees only children."""
    if child is None:
        return UNSAID_CHILD * (1.0 if alone else _of_children(condition))
    return 1.0 if child or alone else 0.0


def _of_children(condition: Condition) -> float:
    """The share of children among the patients with a condition."""
    ages = condition.prevalence.ages
    shares = {band: share * ages.get(band, 1.0) for band, share in POPULATION.items()}
    young = sum(share for band, share in shares.items() if BANDS[band][1] <= _CHILD_BAND)
    total = sum(shares.values())
    return young / total if total > 0 else 0.0
