"""From findings to a probability over conditions.

Method. One condition explains the complaint (as in a two-layer network of QMR-DT with a single
fault; Shwe et al. 1991), with a leak: a finding that a condition does not name occurs at its
base rate. Two things go beyond naive Bayes:

- Findings form a hierarchy, read as a tree of conditional probabilities: a child's probability is
  conditioned on its parent, so that "39.5 degrees" counts as fever once and as high fever once,
  and two kinds of the same pain do not count the pain twice.
- The log-likelihood is tempered, the more so the more findings there are, because findings that
  the hierarchy does not connect are still correlated; without it the posterior is far too sure
  of itself (docs/architecture.md).

Priors are per age band and sex. Duration counts through the condition's usual course. A
condition of which no cardinal finding is known is made less probable, one whose cardinal findings
are all denied is nearly excluded.

Everything is arrays over (conditions, findings), compiled once for a knowledge release.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agent.state import Finding, Names, Patient, Possibility
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.check import statement_findings
from knowledge.clinical.schema import BANDS, Band, Condition, band_of

Array = NDArray[np.float64]

TEMPER = 0.75
"""Exponent that the likelihood tends to as findings grow many; a single finding counts in full."""
UNNAMED_CARDINAL = 0.2
"""Factor on a condition none of whose cardinal findings has come up."""
DENIED_CARDINAL = 0.02
"""Factor on a condition all of whose cardinal findings were denied."""
FLOOR = 0.0005
"""Probabilities of findings stay this far from 0 and 1: knowledge is never certain."""

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

_DAY = 86_400.0
_UNITS = {"Y": 365.25 * _DAY, "W": 7 * _DAY, "D": _DAY, "H": 3600.0, "S": 1.0}
_COURSE = {
    "sudden": (0.0, 3 * _DAY),
    "acute": (0.0, 14 * _DAY),
    "subacute": (4 * _DAY, 90 * _DAY),
    "chronic": (21 * _DAY, 40 * 365 * _DAY),
}


def seconds(duration: str) -> float:
    """An ISO 8601 duration in seconds; months count 30.44 days."""
    date, _, time = duration.removeprefix("P").partition("T")
    total = 0.0
    for amount, unit in re.findall(r"(\d+(?:\.\d+)?)([YMWD])", date):
        total += float(amount) * (30.44 * _DAY if unit == "M" else _UNITS[unit])
    for amount, unit in re.findall(r"(\d+(?:\.\d+)?)([HMS])", time):
        total += float(amount) * (60.0 if unit == "M" else _UNITS[unit])
    return total


@dataclass(frozen=True)
class Evidence:
    """What a posterior is computed from."""

    present: frozenset[str]
    absent: frozenset[str]
    duration: float | None = None  # seconds since the complaint began


def evidence_of(findings: Mapping[str, Finding], duration: str | None) -> Evidence:
    """The evidence in a patient's findings. `unsure` says nothing either way."""
    return Evidence(
        present=frozenset(k for k, f in findings.items() if f.status == "present"),
        absent=frozenset(k for k, f in findings.items() if f.status == "absent"),
        duration=seconds(duration) if duration else None,
    )


class Network:
    """The compiled knowledge: probabilities of findings given conditions.

    `given` is an array (conditions, findings): the probability of a finding in a condition.
    `step` is the same conditioned on the finding's main parent being present.
    """

    def __init__(self, knowledge: ClinicalKnowledge) -> None:
        self.knowledge = knowledge
        self.conditions: tuple[str, ...] = tuple(knowledge.conditions)
        self.findings: tuple[str, ...] = tuple(knowledge.findings)
        self.column = {key: index for index, key in enumerate(self.findings)}
        self.row = {key: index for index, key in enumerate(self.conditions)}
        self.base: Array = np.array([f.base_rate for f in knowledge.findings.values()])
        self.parent = np.array([self._main_parent(key) for key in self.findings], dtype=np.int64)
        self.given = self._given()
        above = np.where(self.parent >= 0, self.parent, 0)
        step = self.given / np.maximum(self.given[:, above], self.given)
        step = np.where(self.parent[None, :] >= 0, step, self.given)
        self.step: Array = np.clip(step, FLOOR, 1 - FLOOR)
        self.log_step: Array = np.log(self.step)
        self.log_no_step: Array = np.log1p(-self.step)
        self.log_no: Array = np.log1p(-self.given)
        self.cardinal = np.zeros((len(self.conditions), len(self.findings)), dtype=bool)
        for row, condition in enumerate(knowledge.conditions.values()):
            for key in condition.cardinal:
                self.cardinal[row, self.column[key]] = True
        self._course = np.array([_course(c) for c in knowledge.conditions.values()]).reshape(-1, 2)
        self._prior_cache: dict[tuple[Band | None, str | None, bool | None], Array] = {}

    def _main_parent(self, key: str) -> int:
        finding = self.knowledge.findings[key]
        above = finding.qualifies.of if finding.qualifies else next(iter(finding.is_a), "")
        return self.column.get(above, -1)

    def _given(self) -> Array:
        """Probabilities of all findings in all conditions, named or not.

        A named finding has its frequency. A risk has the share of exposed people that follows from
        its relative risk. What is not named takes its share of the nearest named parent, or its
        base rate. A parent is at least as frequent as its most frequent named child.
        """
        given = np.tile(self.base, (len(self.conditions), 1))
        order = self._parents_first()
        for row, condition in enumerate(self.knowledge.conditions.values()):
            named = dict(condition.findings)
            for key, relative in condition.risks.items():
                rate = float(self.base[self.column[key]])
                named[key] = relative * rate / (relative * rate + 1 - rate)
            values = {self.column[key]: p for key, p in named.items()}
            for column in reversed(order):  # children first: a child lifts its parent
                above = int(self.parent[column])
                if above < 0 or column not in values:
                    continue
                if above in values:
                    values[above] = max(values[above], values[column])
                elif values[column] > self.base[column]:
                    values[above] = 1 - (1 - values[column]) * (1 - float(self.base[above]))
            for column in order:  # parents first: a parent hands its share down
                if column in values:
                    given[row, column] = values[column]
                    continue
                above = int(self.parent[column])
                if above >= 0:
                    share = self.base[column] / max(self.base[above], 1e-9)
                    given[row, column] = given[row, above] * min(share, 1.0)
        return np.clip(given, FLOOR, 1 - FLOOR)

    def _parents_first(self) -> list[int]:
        depth = {}

        def level(column: int) -> int:
            if column not in depth:
                above = int(self.parent[column])
                depth[column] = 0 if above < 0 else level(above) + 1
            return depth[column]

        return sorted(range(len(self.findings)), key=level)

    def prior(self, patient: Patient) -> Array:
        """Prior of each condition for such a patient; sums to 1."""
        band = band_of(patient.age_years) if patient.age_years is not None else None
        key = (band, patient.sex, patient.pregnant)
        if key not in self._prior_cache:
            weights: Array = np.array(
                [_prevalence(c, *key) for c in self.knowledge.conditions.values()], dtype=float
            )
            self._prior_cache[key] = np.asarray(weights / max(float(weights.sum()), 1e-12))
        return self._prior_cache[key]

    @cached_property
    def _named(self) -> dict[str, tuple[str, ...]]:
        return {
            rule.id: tuple(dict.fromkeys(statement_findings(rule.when))) if rule.when else ()
            for rule in self.knowledge.rules.values()
        }

    def named_by(self, rule: str) -> tuple[str, ...]:
        """The findings that a red-flag rule names."""
        return self._named[rule]

    @cached_property
    def in_rules(self) -> frozenset[str]:
        """The findings that some red-flag rule names, and every kind of them."""
        named = {key for keys in self._named.values() for key in keys}
        return frozenset(
            key for key, above in self.knowledge.ancestors.items() if key in named or above & named
        )

    def closed(self, evidence: Evidence) -> tuple[set[int], set[int]]:
        """Columns that are present (ancestors on the main line included) and that were denied."""
        present: set[int] = set()
        for key in evidence.present:
            column = self.column.get(key, -1)
            while column >= 0 and column not in present:
                present.add(column)
                column = int(self.parent[column])
        absent = {self.column[k] for k in evidence.absent if k in self.column} - present
        return present, absent

    def terms(self, evidence: Evidence) -> dict[int, Array]:
        """Log-likelihood of each piece of evidence, an array (conditions,) a finding's column."""
        present, absent = self.closed(evidence)
        found: dict[int, Array] = {column: self.log_step[:, column] for column in present}
        for column in absent:
            above = int(self.parent[column])
            if above >= 0 and above in present:
                found[column] = self.log_no_step[:, column]
            elif not self._denied_above(above, absent):
                found[column] = self.log_no[:, column]
        return found

    def _denied_above(self, column: int, absent: set[int]) -> bool:
        while column >= 0:
            if column in absent:
                return True
            column = int(self.parent[column])
        return False

    def posterior(self, evidence: Evidence, patient: Patient) -> Array:
        """Probability of each condition, an array (conditions,) that sums to 1."""
        return normalise(self.log_joint(evidence, patient))

    def log_joint(self, evidence: Evidence, patient: Patient) -> Array:
        """Logarithm of prior times likelihood, unnormalised; -inf where excluded."""
        with np.errstate(divide="ignore"):
            score: Array = np.log(self.prior(patient))
        terms = self.terms(evidence)
        if terms:
            score = score + self.temper(evidence) * np.sum(list(terms.values()), axis=0)
        present, absent = self.closed(evidence)
        if present:
            has = self.cardinal[:, sorted(present)].any(axis=1)
            score = score + np.where(has, 0.0, math.log(UNNAMED_CARDINAL))
        if absent:
            denied = self.cardinal[:, sorted(absent)].sum(axis=1) == self.cardinal.sum(axis=1)
            score = score + np.where(denied, math.log(DENIED_CARDINAL), 0.0)
        if evidence.duration is not None:
            score = score + self._duration_term(evidence.duration)
        return np.asarray(score)

    def temper(self, evidence: Evidence) -> float:
        """The exponent on the likelihood: the more findings, the more of them say the same. A
        denial counts half, because it was mostly asked for. A finding and what it is a kind of
        count as one, whether both were said or not."""
        present, absent = self.closed(evidence)
        said = len(present - {int(self.parent[column]) for column in present})
        denied = sum(not self._denied_above(int(self.parent[c]), absent) for c in absent)
        return TEMPER + (1 - TEMPER) / max(1.0, said + 0.5 * denied)

    def _duration_term(self, duration: float) -> Array:
        """Durations outside the usual course count against, the more the further out."""
        low, high = self._course[:, 0], self._course[:, 1]
        value = max(duration, 60.0)
        short = np.log(np.maximum(low, 60.0) / value)
        long = np.log(value / np.maximum(high, 60.0))
        outside: Array = np.maximum(0.0, np.maximum(short, long))
        return np.asarray(-np.minimum(2.5, 0.6 * outside))

    def explain(
        self, condition: str, terms: Mapping[int, Array], posterior: Array
    ) -> tuple[list[str], list[str]]:
        """The findings that speak for a condition and against it, strongest first.

        A finding's weight is the logarithm of its likelihood in the condition over its mean
        likelihood in everything else that is possible. `terms` as `terms` gives them, in any
        choice of findings.
        """
        row = self.row[condition]
        others = posterior.copy()
        others[row] = 0.0
        rest: Array = 0.5 * others / max(float(others.sum()), 1e-12) + 0.5 / len(others)
        weights = {
            self.findings[column]: float(term[row]) - math.log(float(np.exp(term) @ rest))
            for column, term in terms.items()
        }
        order = sorted(weights, key=lambda key: -weights[key])
        supporting = [key for key in order if weights[key] > 0.25]
        against = [key for key in reversed(order) if weights[key] < -0.25]
        return supporting[:6], against[:6]

    def differential(
        self,
        evidence: Evidence,
        posterior: Array,
        language: str,
        *,
        candidates: Iterable[str] | None = None,
        limit: int = 10,
    ) -> list[Possibility]:
        """The most probable conditions of a posterior, best first, with the evidence for and
        against; only among `candidates` when given."""
        if candidates is not None:
            keep = np.zeros(len(posterior), dtype=bool)
            keep[[self.row[c] for c in candidates if c in self.row]] = True
            kept = np.where(keep, posterior, 0.0)
            posterior = kept / max(float(kept.sum()), 1e-300)
        told = evidence.present | evidence.absent
        terms = {c: t for c, t in self.terms(evidence).items() if self.findings[c] in told}
        found: list[Possibility] = []
        for row in np.argsort(-posterior, kind="stable")[:limit]:
            probability = float(posterior[row])
            if probability < 0.005 and found:
                break
            key = self.conditions[row]
            entry = self.knowledge.conditions[key]
            supporting, against = self.explain(key, terms, posterior)
            found.append(
                Possibility(
                    condition=key,
                    name=entry.name.en if language == "en" else entry.name.zh,
                    names=Names(en=entry.name.en, zh=entry.name.zh),
                    icd10=entry.icd10,
                    probability=round(probability, 4),
                    supporting=tuple(self.label(k, language, evidence) for k in supporting),
                    against=tuple(self.label(k, language, evidence) for k in against),
                )
            )
        return found

    def label(self, finding: str, language: str, evidence: Evidence) -> str:
        """A finding's name, said as denied where it was denied."""
        name = self.knowledge.findings[finding].name
        if finding in evidence.absent:
            return f"no {name.en[0].lower()}{name.en[1:]}" if language == "en" else f"无{name.zh}"
        return name.en if language == "en" else name.zh


def normalise(score: Array) -> Array:
    """Probabilities from log scores over the last axis; all zero where nothing is possible."""
    top = score.max(axis=-1, keepdims=True) if score.size else score
    top = np.where(np.isfinite(top), top, 0.0)
    weights = np.exp(score - top)
    total = weights.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(weights, total, out=np.zeros_like(weights), where=total > 0))


def _prevalence(
    condition: Condition, band: Band | None, sex: str | None, pregnant: bool | None
) -> float:
    """Consultations per 10,000 for such a patient, relative to the mean over all patients."""
    rule = condition.prevalence
    ages = {b: rule.ages.get(b, 1.0) for b in BANDS}
    mean_age = sum(POPULATION[b] * w for b, w in ages.items())
    age = 1.0 if band is None else ages[band] / mean_age if mean_age > 0 else 0.0
    female, male = rule.sex.get("female", 1.0), rule.sex.get("male", 1.0)
    mean_sex = FEMALE * female + (1 - FEMALE) * male
    chosen = {"female": female, "male": male, None: mean_sex}[sex]
    factor = chosen / mean_sex if mean_sex > 0 else 0.0
    if rule.pregnancy == "only":
        bearing = sex != "male" and band in (None, "teen", "adult", "middle")
        pregnancy = 25.0 if pregnant else (0.0 if pregnant is False or not bearing else 1.0)
    elif rule.pregnancy == "never":
        pregnancy = 0.0 if pregnant else 1.0
    else:
        pregnancy = float(rule.pregnancy) if pregnant else 1.0
    return rule.per_10000 * age * factor * pregnancy


def _course(condition: Condition) -> tuple[float, float]:
    low, high = _COURSE[condition.onset.speed]
    if condition.onset.typical_min:
        low = seconds(condition.onset.typical_min)
    if condition.onset.typical_max:
        high = max(seconds(condition.onset.typical_max), low)
    return low, high
