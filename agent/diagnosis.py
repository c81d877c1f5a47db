"""From findings to a probability over conditions.

Method. One condition explains the complaint (as in a two-layer network of QMR-DT with a single
fault; Shwe et al. 1991), with a leak: a finding that a condition does not name occurs at its
base rate. Two things go beyond naive Bayes:

- Findings form a hierarchy, read as a tree of conditional probabilities: a child's probability is
  conditioned on its parent, so that "39.5 degrees" counts as fever once and as high fever once,
  and two kinds of the same pain do not count the pain twice.
- The log-likelihood is scaled, the more so the more findings there are, so that probabilities mean
  what they say: up, because written frequencies are cautious, so that several findings together
  tell more than they admit; and down among candidates that somebody names, because those are
  alike (docs/architecture.md).

Priors are per age band and sex. Duration counts through the condition's usual course. A
condition of which no cardinal finding is known is made less probable, one whose cardinal findings
are all denied is nearly excluded.

Everything is arrays over (conditions, findings), compiled once for a knowledge release
(`agent.compiled`). Imported conditions stand in them beside the written ones, so that they can be
named as possible; urgency and questions are decided on the written ones alone (`reviewed`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agent import compiled
from agent.compiled import Array as Array
from agent.fitted import Fitted
from agent.state import Confidence, Finding, Names, Patient, Possibility
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import Band, Condition, Tier, band_of, days
from knowledge.clinical.statements import statement_findings
from knowledge.fitted.fitting import States
from knowledge.fitted.overlay import Overlay

TEMPER = 1.8
"""Exponent that the likelihood tends to as findings grow many; a single finding counts in full."""
ALIKE = 0.22
"""Exponent on the likelihood among candidates that somebody names."""
COMMON = 0.05
"""Exponent on the prior among them: it decides between candidates that the findings leave equal."""
UNNAMED_CARDINAL = 0.2
"""Factor on a condition none of whose cardinal findings has come up."""
DENIED_CARDINAL = 0.02
"""Factor on a condition all of whose cardinal findings were denied."""
FLOOR = 0.0005
"""Probabilities of findings stay this far from 0 and 1: knowledge is never certain."""

IMPORTED = 5
"""Most imported conditions in a differential, unless they were asked for."""
LEAST = 0.005
"""Probability below which a condition is left out of a differential."""
CONFIDENCE: dict[Tier, Confidence] = {"written": "reviewed", "imported": "lower"}
"""How far each tier of the knowledge is to be trusted, as it is told with every possibility."""

_DAY = 86_400.0
_COURSE = {
    "sudden": (0.0, 3 * _DAY),
    "acute": (0.0, 14 * _DAY),
    "subacute": (4 * _DAY, 90 * _DAY),
    "chronic": (21 * _DAY, 40 * 365 * _DAY),
}


def seconds(duration: str) -> float:
    """An ISO 8601 duration in seconds; months count 30.44 days."""
    return days(duration) * _DAY


@dataclass(frozen=True)
class Evidence:
    """What a posterior is computed from."""

    present: frozenset[str]
    absent: frozenset[str]
    duration: float | None = None  # seconds since the complaint began
    unsure: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()  # what the first words said, unasked


def evidence_of(findings: Mapping[str, Finding], duration: str | None) -> Evidence:
    """The evidence in a patient's findings. What the patient is unsure of, and what was told
    unasked, counts only for an overlay (`agent.fitted`)."""
    return Evidence(
        present=frozenset(k for k, f in findings.items() if f.status == "present"),
        absent=frozenset(k for k, f in findings.items() if f.status == "absent"),
        duration=seconds(duration) if duration else None,
        unsure=frozenset(k for k, f in findings.items() if f.status == "unsure"),
        told=frozenset(k for k, f in findings.items() if f.turn <= 1),
    )


class Network:
    """The compiled knowledge: probabilities of findings given conditions.

    `given` is an array (conditions, findings): the probability of a finding in a condition.
    `step` is the same conditioned on the finding's main parent being present.
    """

    def __init__(
        self,
        knowledge: ClinicalKnowledge,
        *,
        overlay: Overlay | None = None,
        among: Set[str] | None = None,
    ) -> None:
        """`overlay` divides probability among its own conditions, which the knowledge must hold
        (`knowledge.fitted.join`); `among` keeps to some conditions, as a clinic of one field does.
        """
        self.knowledge = knowledge
        self.conditions: tuple[str, ...] = tuple(knowledge.conditions)
        self.findings: tuple[str, ...] = tuple(knowledge.findings)
        self.column = {key: index for index, key in enumerate(self.findings)}
        self.row = {key: index for index, key in enumerate(self.conditions)}
        self.base: Array = np.array([f.base_rate for f in knowledge.findings.values()])
        self.parent = np.array([self._main_parent(key) for key in self.findings], dtype=np.int64)
        self.given = compiled.given(knowledge, self.base, self.parent)
        np.clip(self.given, FLOOR, 1 - FLOOR, out=self.given)
        self.step = compiled.stepped(self.given, self.parent)
        np.clip(self.step, FLOOR, 1 - FLOOR, out=self.step)
        # Their logarithms are taken when they are asked for: a case reads a few columns of a
        # thousand, and with imported knowledge each such table is tens of megabytes.
        self.cardinal = compiled.cardinals(knowledge)
        self._cardinals = self.cardinal.sum(axis=1)
        entries = tuple(knowledge.conditions.values())
        self.written = np.array([entry.tier == "written" for entry in entries], dtype=bool)
        self._course = np.array([_course(entry) for entry in entries]).reshape(-1, 2)
        self._prevalences = compiled.Prevalences(entries)
        self._prior_cache: dict[tuple[Band | None, str | None, bool | None], Array] = {}
        self.fitted = Fitted(overlay, self.row, self.column) if overlay is not None else None
        self._among = np.array([among is None or key in among for key in self.conditions])

    def _main_parent(self, key: str) -> int:
        finding = self.knowledge.findings[key]
        above = finding.qualifies.of if finding.qualifies else next(iter(finding.is_a), "")
        return self.column.get(above, -1)

    def prior(self, patient: Patient) -> Array:
        """Prior of each condition for such a patient; sums to 1."""
        band = band_of(patient.age_years) if patient.age_years is not None else None
        key = (band, patient.sex, patient.pregnant)
        if key not in self._prior_cache:
            weights = np.where(self._among, self._prevalences.of(*key), 0.0)
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
        found: dict[int, Array] = {c: np.log(self.step[:, c]) for c in present}
        for column in absent:
            above = int(self.parent[column])
            if above >= 0 and above in present:
                found[column] = np.log1p(-self.step[:, column])
            elif not self._denied_above(above, absent):
                found[column] = np.log1p(-self.given[:, column])
        return found

    def _denied_above(self, column: int, absent: set[int]) -> bool:
        while column >= 0:
            if column in absent:
                return True
            column = int(self.parent[column])
        return False

    def posterior(self, evidence: Evidence, patient: Patient, *, equal: bool = False) -> Array:
        """Probability of each condition, an array (conditions,) that sums to 1. With `equal` all
        that this patient can have were nearly as probable before anything was told, and alike."""
        score = self.log_joint(evidence, patient)
        if equal:
            prior = self.prior(patient)
            beforehand = np.log(np.where(prior > 0, prior, 1.0))
            score = ALIKE * (score - (1 - COMMON) * beforehand)
        posterior = normalise(score)
        if self.fitted is not None:
            rows = self.fitted.rows
            together = float(posterior[rows].sum())
            posterior[rows] = together * self.fitted.shares(*self.states(evidence))
        return posterior

    def states(self, evidence: Evidence) -> tuple[States, States]:
        """The evidence as the overlay reads it; see `Fitted.states`."""
        assert self.fitted is not None
        return self.fitted.states(evidence.present, evidence.absent, evidence.unsure, evidence.told)

    def reviewed(self, posterior: Array) -> Array:
        """A posterior over the written conditions alone: zero for the others, sums to 1."""
        if self.written.all():
            return posterior
        kept = np.where(self.written, posterior, 0.0)
        return np.asarray(kept / max(float(kept.sum()), 1e-300))

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
            denied = self.cardinal[:, sorted(absent)].sum(axis=1) == self._cardinals
            score = score + np.where(denied, math.log(DENIED_CARDINAL), 0.0)
        if evidence.duration is not None:
            score = score + self._duration_term(evidence.duration)
        return np.asarray(score)

    def temper(self, evidence: Evidence) -> float:
        """The exponent on the likelihood, which tends to `TEMPER` as findings grow many. A denial
        counts half, because it was mostly asked for. A finding and what it is a kind of count as
        one, whether both were said or not."""
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
        self,
        condition: str,
        terms: Mapping[int, Array],
        posterior: Array,
        likelihoods: Mapping[int, Array] | None = None,
    ) -> tuple[list[str], list[str]]:
        """The findings that speak for a condition and against it, strongest first.

        A finding's weight is the logarithm of its likelihood in the condition over its mean
        likelihood in everything else that is possible, and in all that is written. `terms` as
        `terms` gives them, in any choice of findings; `likelihoods` are the same before the
        logarithm, for who explains several conditions.
        """
        row = self.row[condition]
        others = posterior.copy()
        others[row] = 0.0
        rest: Array = 0.5 * others / max(float(others.sum()), 1e-12)
        rest = rest + 0.5 * self.written / max(int(self.written.sum()), 1)
        if likelihoods is None:
            likelihoods = {column: np.exp(term) for column, term in terms.items()}
        weights = {
            # Not by BLAS, which calls in threads for long vectors and waits for them.
            self.findings[column]: float(term[row])
            - math.log(float(np.einsum("i,i->", likelihoods[column], rest)))
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
        against; only among `candidates` when given.

        Without candidates the imported conditions take no place of a written one: `limit` written
        ones and `IMPORTED` others at most.
        """
        if candidates is not None:
            keep = np.zeros(len(posterior), dtype=bool)
            keep[[self.row[c] for c in candidates if c in self.row]] = True
            kept = np.where(keep, posterior, 0.0)
            posterior = kept / max(float(kept.sum()), 1e-300)
        told = evidence.present | evidence.absent
        terms = {c: t for c, t in self.terms(evidence).items() if self.findings[c] in told}
        likelihoods = {column: np.exp(term) for column, term in terms.items()}
        found: list[Possibility] = []
        for row in self._leading(posterior, limit, None if candidates is None else limit):
            key = self.conditions[row]
            entry = self.knowledge.conditions[key]
            supporting, against = self.explain(key, terms, posterior, likelihoods)
            found.append(
                Possibility(
                    condition=key,
                    name=entry.name.en if language == "en" else entry.name.zh,
                    names=Names(en=entry.name.en, zh=entry.name.zh),
                    icd10=entry.icd10,
                    probability=round(float(posterior[row]), 4),
                    supporting=tuple(self.label(k, language, evidence) for k in supporting),
                    against=tuple(self.label(k, language, evidence) for k in against),
                    tier=entry.tier,
                    confidence=CONFIDENCE[entry.tier],
                )
            )
        return found

    def _leading(self, posterior: Array, limit: int, imported: int | None) -> list[int]:
        """The rows worth telling of, best first. What is too improbable is left out; a written
        condition is held against the written ones alone, which decide on the urgency."""
        share = self.reviewed(posterior)
        order = ranked(posterior)
        probable = np.where(self.written, share, posterior)[order] >= LEAST
        most = {True: limit, False: IMPORTED if imported is None else imported}
        rows: list[int] = []
        for row in order[probable].tolist() or order[:1].tolist():
            written = bool(self.written[row])
            if most[written] > 0:
                most[written] -= 1
                rows.append(row)
        return rows

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


def ranked(probabilities: Array) -> NDArray[np.intp]:
    """Rows from the most probable to the least. Equal ones keep the order of the knowledge,
    whatever the last digits of their sums came to."""
    return np.argsort(-probabilities.round(12), kind="stable")


def _course(condition: Condition) -> tuple[float, float]:
    low, high = _COURSE[condition.onset.speed]
    if condition.onset.typical_min:
        low = seconds(condition.onset.typical_min)
    if condition.onset.typical_max:
        high = max(seconds(condition.onset.typical_max), low)
    return low, high
