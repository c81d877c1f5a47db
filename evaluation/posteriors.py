"""The posterior against two others, on the same findings of the vignettes.

- Naive Bayes: the same priors and frequencies, but every finding counts for itself: no hierarchy,
  no tempering, no cardinal findings, no duration.
- Noisy-or: each condition may be there beside others (QMR-DT with several faults, Shwe et al.
  1991). A finding is caused by a condition or by the leak, and each condition is weighed against
  none, as when conditions are thought rare enough not to meet (Heckerman 1989). A denial speaks
  against a cause by what the cause would have made likely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from agent.assess import assess
from agent.desk import Desk
from agent.diagnosis import Array, Evidence, Network, evidence_of, normalise
from agent.state import Patient
from evaluation import reports
from evaluation.cases import Vignette
from evaluation.statistics import Figure, calibration_error, mean

Posterior = Callable[[Network, Evidence, Patient], Array]


class Outcome(BaseModel):
    """What one posterior made of one vignette."""

    model_config = ConfigDict(frozen=True)

    id: str
    method: str
    condition: str
    rank: int
    leader: str
    probability: float
    """Of the leader."""
    own: float
    """Of the right condition."""


class Summary(reports.Summary):
    """The figures over a group of vignettes."""

    top_1: Figure = Field(title="top-1")
    top_5: Figure = Field(title="top-5")
    calibration_error: Figure = Field(title="ECE")
    true_log_probability: Figure = Field(title="log p")
    """Mean logarithm of what the right condition was given, at least that of 1 in 1,000."""


Report = reports.Report[Summary, Outcome]


def naive(network: Network, evidence: Evidence, patient: Patient) -> Array:
    """Naive Bayes, an array (conditions,)."""
    with np.errstate(divide="ignore"):
        score = np.log(network.prior(patient))
    score = score + np.log(network.given[:, _columns(network, evidence.present)]).sum(axis=1)
    score = score + np.log1p(-network.given[:, _columns(network, evidence.absent)]).sum(axis=1)
    return normalise(score)


def noisy_or(network: Network, evidence: Evidence, patient: Patient) -> Array:
    """Each condition weighed against none, an array (conditions,) made to sum to 1."""
    prior = network.prior(patient)
    present = _columns(network, evidence.present)
    absent = _columns(network, evidence.absent)
    caused = 1 - (1 - network.given[:, present]) * (1 - network.base[present])
    with np.errstate(divide="ignore"):
        odds = np.log(prior) - np.log1p(-prior)
    odds = odds + np.log(caused / network.base[present]).sum(axis=1)
    odds = odds + np.log1p(-network.given[:, absent]).sum(axis=1)
    return normalise(odds)


METHODS: dict[str, Posterior] = {
    "this one": lambda network, evidence, patient: network.posterior(evidence, patient),
    "naive Bayes": naive,
    "noisy-or": noisy_or,
}


def evaluate(desk: Desk, cases: Iterable[Vignette], *, split: str) -> Report:
    """Weigh the vignettes of a split (`dev`, `held_out` or `all`) by every method."""
    outcomes: list[Outcome] = []
    network = desk.network
    for case in cases:
        condition = case.expected.condition
        if condition is None or split not in ("all", case.split):
            continue
        found = assess(desk, language=case.language, patient=case.patient, text=case.text)
        evidence = evidence_of({item.id: item for item in found.findings}, None)
        if not evidence.present:
            continue
        for method, posterior in METHODS.items():
            given = network.reviewed(posterior(network, evidence, found.patient))
            own = given[network.row[condition]]
            outcomes.append(
                Outcome(
                    id=case.id,
                    method=method,
                    condition=condition,
                    rank=int((given > own).sum()) + 1,
                    leader=network.conditions[int(given.argmax())],
                    probability=float(given.max()),
                    own=float(own),
                )
            )
    return reports.report(
        f"posteriors on vignettes ({split})",
        outcomes,
        summarise=summarise,
        by={"method": lambda item: item.method},
        failed=lambda item: False,
    )


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """The figures over some outcomes."""
    return Summary(
        cases=len(outcomes),
        top_1=mean([item.rank == 1 for item in outcomes]),
        top_5=mean([item.rank <= 5 for item in outcomes]),
        calibration_error=calibration_error(
            [item.probability for item in outcomes], [item.rank == 1 for item in outcomes]
        ),
        true_log_probability=mean([float(np.log(max(item.own, 1e-3))) for item in outcomes]),
    )


def table(found: Report) -> str:
    """The report as text."""
    return reports.table(found, lambda item: item.id)


def _columns(network: Network, keys: Iterable[str]) -> list[int]:
    return [network.column[key] for key in keys if key in network.column]
