"""Clinical knowledge as arrays: what `agent.diagnosis` computes with.

Arrays over (conditions, findings) are stored by column, because evidence is a choice of findings
and each piece of it reads one column whole. Everything is done for all conditions at once, so
that several thousand compile in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import BANDS, Band, Condition

Array = NDArray[np.float64]

POPULATION: dict[Band, float] = {
    "newborn": 0.01,
    "infant": 0.03,
    "toddler": 0.09,
    "child": 0.08,
    "teen": 0.06,
    "adult": 0.30,
    "middle": 0.25,
    "older": 0.18,
}
"""Share of each age band among people who consult, for patients of unknown age."""
FEMALE = 0.53
"""Share of women among people who consult."""


def given(knowledge: ClinicalKnowledge, base: Array, parent: NDArray[np.int64]) -> Array:
    """Probabilities of all findings in all conditions, named or not; (conditions, findings).

    A named finding has its frequency. A risk has the share of exposed people that follows from
    its relative risk. What is not named takes its share of the nearest named parent, or its
    base rate. A parent is at least as frequent as its most frequent named child.

    `base` are the findings' base rates, `parent` the column of each one's main parent or -1.
    """
    column_of = {key: index for index, key in enumerate(knowledge.findings)}
    table: Array = np.full((len(knowledge.conditions), len(column_of)), np.nan, order="F")
    for row, condition in enumerate(knowledge.conditions.values()):
        for key, frequency in condition.findings.items():
            table[row, column_of[key]] = frequency
        for key, relative in condition.risks.items():
            rate = float(base[column_of[key]])
            table[row, column_of[key]] = relative * rate / (relative * rate + 1 - rate)
    order = _parents_first(parent)
    for column in reversed(order):  # children first: a child lifts its parent
        above = int(parent[column])
        own = table[:, column]
        named = ~np.isnan(own)
        if above < 0 or not named.any():
            continue
        over = table[:, above]
        unnamed = np.isnan(over)
        lifted = named & unnamed & (own > base[column])
        over[lifted] = 1 - (1 - own[lifted]) * (1 - base[above])
        both = named & ~unnamed
        over[both] = np.maximum(over[both], own[both])
    for column in order:  # parents first: a parent hands its share down
        above = int(parent[column])
        own = table[:, column]
        unnamed = np.isnan(own)
        if above < 0:
            own[unnamed] = base[column]
        else:
            share = min(float(base[column]) / max(float(base[above]), 1e-9), 1.0)
            own[unnamed] = table[unnamed, above] * share
    for column in reversed(order):  # what was handed down may lie below a rare kind that is named
        above = int(parent[column])
        if above >= 0:
            np.maximum(table[:, above], table[:, column], out=table[:, above])
    return table


def stepped(table: Array, parent: NDArray[np.int64]) -> Array:
    """The same probabilities conditioned on each finding's main parent being present."""
    step = table.copy(order="F")
    for column, above in enumerate(parent.tolist()):
        if above >= 0:
            step[:, column] /= np.maximum(table[:, above], table[:, column])
    return step


def cardinals(knowledge: ClinicalKnowledge) -> NDArray[np.bool_]:
    """Which findings are cardinal to which conditions; (conditions, findings)."""
    column_of = {key: index for index, key in enumerate(knowledge.findings)}
    table = np.zeros((len(knowledge.conditions), len(column_of)), dtype=bool, order="F")
    for row, condition in enumerate(knowledge.conditions.values()):
        for key in condition.cardinal:
            table[row, column_of[key]] = True
    return table


def _parents_first(parent: NDArray[np.int64]) -> list[int]:
    depth: dict[int, int] = {}

    def level(column: int) -> int:
        if column not in depth:
            above = int(parent[column])
            depth[column] = 0 if above < 0 else level(above) + 1
        return depth[column]

    return sorted(range(len(parent)), key=level)


class Prevalences:
    """How often each condition is the reason to consult, in which patients."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        rules = [condition.prevalence for condition in conditions]
        bands = tuple(BANDS)
        count = len(rules)
        self._all: Array = np.array([rule.per_10000 for rule in rules], dtype=float)
        self._ages: Array = np.array(
            [[rule.ages.get(band, 1.0) for band in bands] for rule in rules], dtype=float
        ).reshape(count, len(bands))
        self._band = {band: index for index, band in enumerate(bands)}
        self._mean_age = self._ages @ np.array([POPULATION[band] for band in bands])
        self._female: Array = np.array([rule.sex.get("female", 1.0) for rule in rules], dtype=float)
        self._male: Array = np.array([rule.sex.get("male", 1.0) for rule in rules], dtype=float)
        self._mean_sex = FEMALE * self._female + (1 - FEMALE) * self._male
        self._only = np.array([rule.pregnancy == "only" for rule in rules], dtype=bool)
        factors = [{"only": 25.0, "never": 0.0}.get(str(r.pregnancy), r.pregnancy) for r in rules]
        self._pregnant: Array = np.array(factors, dtype=float)

    def of(self, band: Band | None, sex: str | None, pregnant: bool | None) -> Array:
        """Consultations per 10,000 for such a patient, relative to the mean over all patients;
        (conditions,)."""
        weights = self._all.copy()
        if band is not None:
            weights *= _relative(self._ages[:, self._band[band]], self._mean_age)
        else:
            weights *= self._mean_age > 0
        chosen = {"female": self._female, "male": self._male}.get(sex or "", self._mean_sex)
        weights *= _relative(chosen, self._mean_sex)
        if pregnant:
            return np.asarray(weights * self._pregnant)
        bearing = sex != "male" and band in (None, "teen", "adult", "middle")
        if pregnant is False or not bearing:
            weights[self._only] = 0.0
        return weights


def _relative(value: Array, mean: Array) -> Array:
    return np.divide(value, mean, out=np.zeros_like(value), where=mean > 0)
