"""Which question next, and when to stop.

Pure functions. A question is worth what its answer is expected to change: the uncertainty over
conditions (expected information), the danger that is still open (expected change of the
danger-weighted probability), and the red-flag rules that a yes would complete. It stops when no
answer to any question would change the advice, when nothing is left to gain, or when the budget
of questions is spent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agent import triage
from agent.diagnosis import FLOOR, Array, Evidence, Network, normalise
from agent.ports import Language
from agent.state import Finding, Patient, Question
from agent.wording import texts
from agent.wording.person import Person, about
from knowledge.clinical.schema import LEVELS, Level
from knowledge.clinical.statements import present_closure

BUDGET = 8
"""Questions on findings in one consultation."""
AT_LEAST = 2
"""Questions asked before the consultation may stop for confidence."""
CONFIDENT = 0.85
NO_GAIN = 0.02
"""A question below this score (about bits) is not worth a patient's time."""
DANGER: dict[Level, float] = {
    "emergency_ambulance": 1.0,
    "emergency": 0.7,
    "within_24h": 0.25,
    "routine": 0.05,
    "self_care": 0.0,
}
"""Weight of a level when danger is summed over conditions."""
DANGER_WEIGHT = 1.5
RULE_WEIGHT = 0.8
TOLD_WEIGHT = 1.4
"""Weight of the chance that a patient has anything to say, where an overlay knows it."""
SCREENS = 2
"""Questions that only look for danger, asked before it stops."""
WORTH_SCREENING = 0.0015
"""Chance of a yes times the rule's weight, below which a red flag is not asked about."""
GROUP_BONUS = 1.15
"""Factor on a question of the group that was asked about last."""

_ROWS = 120  # conditions that the value of a question is computed over
_SURE = 0.97  # a question whose answer is this predictable is not asked

Stop = Literal["confident", "advice_settled", "no_gain", "budget"]


@dataclass(frozen=True)
class Choice:
    """The next question, or why there is none."""

    finding: str | None
    stop: Stop | None = None
    score: float = 0.0
    separates: tuple[str, ...] = ()  # conditions that a yes makes more, then less probable
    excludes: str | None = None  # the dangerous condition that a yes makes more probable
    warning: bool = False  # whether a yes would set off a red flag


def choose(
    network: Network,
    evidence: Evidence,
    patient: Patient,
    findings: Mapping[str, Finding],
    asked: list[str],
    *,
    posterior: Array,
    budget: int = BUDGET,
    thorough: bool = False,
) -> Choice:
    """The most useful question that has not been asked, or the reason to stop.

    `posterior` is that of the evidence, an array (conditions,). `thorough` asks on until the
    budget is spent, though the advice would not change.
    """
    knowledge = network.knowledge
    count = sum(key in knowledge.findings for key in asked)
    if count >= budget:
        return Choice(None, "budget")
    columns = np.array(
        list(_candidates(network, evidence, patient, findings, asked)), dtype=np.int64
    )
    rows = np.argsort(-posterior, kind="stable")[:_ROWS]
    rows = rows[posterior[rows] > 1e-4]
    if not len(columns) or not len(rows):
        return Choice(None, "no_gain")
    p = posterior[rows] / posterior[rows].sum()
    yes_given, told = _answer(network, evidence, rows, columns, p)
    relevant = np.abs(yes_given - network.base[columns]).max(axis=0) > 1e-9
    columns, yes_given, told = columns[relevant], yes_given[:, relevant], told[relevant]
    if not len(columns):
        return Choice(None, "no_gain")

    yes, if_yes, if_no = _outcomes(p, yes_given, network.temper(evidence))
    gain = _entropy(p) - yes * _entropy(if_yes) - (1 - yes) * _entropy(if_no)
    present = present_closure(evidence.present, knowledge)
    levels: list[Level] = [
        triage.level_of(network.conditions[row], knowledge, present, patient)[0] for row in rows
    ]
    danger = np.array([DANGER[level] for level in levels])
    now = float(danger @ p)
    moved = yes * np.abs(if_yes @ danger - now) + (1 - yes) * np.abs(if_no @ danger - now)
    completing = _completing(network, present, patient)
    rules = _weights(network, columns, completing)
    score = np.maximum(gain, 0.0) + DANGER_WEIGHT * moved + RULE_WEIGHT * yes * rules
    score = np.where((yes > _SURE) | (yes < 1 - _SURE) & (rules * yes < 0.005), 0.2 * score, score)
    score = score + TOLD_WEIGHT * told
    last = asked[-1] if asked and asked[-1] in knowledge.findings else None
    group = knowledge.findings[last].group if last else None
    if group:
        same = [knowledge.findings[network.findings[c]].group == group for c in columns.tolist()]
        score = np.where(same, score * GROUP_BONUS, score)

    best = int(np.argmax(score))
    stop: Stop | None = None
    if score[best] < NO_GAIN:
        stop = "no_gain"
    elif count >= AT_LEAST and _settled(p, if_yes, if_no, yes, levels, rules, score):
        stop = "advice_settled"
    elif count >= AT_LEAST and float(p.max()) >= CONFIDENT and moved[best] < 0.05:
        stop = "confident"
    screened = sum(key in network.in_rules for key in asked)
    if screened < SCREENS and (stop or count >= budget - SCREENS):
        feared = int(np.argmax(yes * rules))
        if yes[feared] * rules[feared] >= WORTH_SCREENING:
            best, stop = feared, None
    if thorough and stop != "budget" and score[best] > 0:
        stop = None
    if stop:
        return Choice(None, stop, float(score[best]))
    rise = if_yes[best] - p
    up, down = int(np.argmax(rise)), int(np.argmin(rise))
    dangerous = danger * (if_yes[best] - p)
    feared = int(np.argmax(dangerous))
    return Choice(
        network.findings[columns[best]],
        None,
        float(score[best]),
        (network.conditions[rows[up]], network.conditions[rows[down]]),
        network.conditions[rows[feared]]
        if dangerous[feared] > 0.01 and levels[feared] in LEVELS[:2]
        else None,
        bool(rules[best] > 0),
    )


def _candidates(
    network: Network,
    evidence: Evidence,
    patient: Patient,
    findings: Mapping[str, Finding],
    asked: list[str],
) -> Iterator[int]:
    """Findings that may be asked: unknown, not implied, fit for this patient."""
    knowledge = network.knowledge
    present = present_closure(evidence.present, knowledge)
    known: Set[str] = findings.keys() | set(asked) | present
    pregnant = bool(patient.pregnant) or "pregnant" in present
    for key, finding in knowledge.findings.items():
        if (
            finding.can_be_asked
            and key not in known
            and knowledge.ancestors[key].isdisjoint(evidence.absent)
            and not (key == "pregnant" and patient.pregnant is not None)
            and not _comes_first(network, network.column[key], known)
            and triage.applies(finding.who, patient.age_years, patient.sex, pregnant)
        ):
            yield network.column[key]


def _comes_first(network: Network, column: int, known: Set[str]) -> bool:
    """Whether the finding that this one is a kind of has to be asked first: whether there is a
    rash comes before when the rash came. One that was asked in vain holds nothing up; nor, where
    an overlay knows this one, does one that it does not know."""
    above = int(network.parent[column])
    if above < 0 or network.findings[above] in known:
        return False
    fitted = network.fitted
    if fitted is not None and column in fitted.columns and above not in fitted.columns:
        return False
    return network.knowledge.findings[network.findings[above]].can_be_asked


def _answer(
    network: Network,
    evidence: Evidence,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    p: Array,
) -> tuple[Array, Array]:
    """Probability of a yes to each question in each condition, an array (rows, columns), and, for
    what an overlay knows, that the patient has anything to say of it, (columns,)."""
    present, _ = network.closed(evidence)
    above = network.parent[columns]
    parent_known = np.array([a in present for a in above.tolist()])
    chosen = np.where(
        parent_known[None, :],
        network.step[np.ix_(rows, columns)],
        network.given[np.ix_(rows, columns)],
    )
    told = np.zeros(len(columns))
    if network.fitted is not None:
        here, there = network.fitted.places(columns)
        own = np.array([network.fitted.place.get(row, -1) for row in rows.tolist()])
        known = np.flatnonzero(own >= 0)
        if len(here) and len(known):
            # Of what the overlay does not know no answer moves its conditions against each other.
            weight = p[known] / max(float(p[known].sum()), 1e-12)
            chosen[known] = weight @ chosen[known]
            yes, something = network.fitted.answers(network.states(evidence)[0])
            chosen[np.ix_(known, here)] = np.clip(yes[np.ix_(own[known], there)], FLOOR, 1 - FLOOR)
            told[here] = p[known] @ something[np.ix_(own[known], there)]
    return np.asarray(chosen), told


def _outcomes(p: Array, yes_given: Array, exponent: float) -> tuple[Array, Array, Array]:
    """Probability of a yes (columns,), and the posteriors after a yes and after a no, each
    (columns, rows)."""
    yes = p @ yes_given
    with np.errstate(divide="ignore"):
        prior = np.log(p)[None, :]
    if_yes = normalise(prior + exponent * np.log(yes_given.T))
    if_no = normalise(prior + exponent * np.log1p(-yes_given.T))
    return yes, if_yes, if_no


def _entropy(p: Array) -> Array:
    """Entropy in bits over the last axis."""
    return np.asarray(-(p * np.log2(np.maximum(p, 1e-12))).sum(axis=-1))


def _completing(network: Network, present: Set[str], patient: Patient) -> dict[str, float]:
    """The findings that alone would set off a red flag which has not fired, each with the weight
    of the most urgent one."""
    knowledge = network.knowledge
    known = (patient.age_years, patient.sex, patient.pregnant)
    found: dict[str, float] = {}
    would: dict[str, Set[str]] = {}  # what would be present after a yes
    for rule in knowledge.rules.values():
        when = rule.when
        if when is None or not triage.applies(rule.who, *known):
            continue
        lacking = [part for part in when.all if isinstance(part, str) and part not in present]
        if len(lacking) > 1 or triage.holds(when, present, *known):
            continue
        for key in lacking or network.named_by(rule.id):
            if key in present or DANGER[rule.level] <= found.get(key, 0.0):
                continue
            if key not in would:
                would[key] = present | {key} | knowledge.ancestors[key]
            if triage.holds(when, would[key], *known):
                found[key] = DANGER[rule.level]
    return found


def _weights(
    network: Network, columns: NDArray[np.int64], completing: Mapping[str, float]
) -> Array:
    """The weight of the most urgent red flag that a yes to each finding, which is also a yes to
    what it is a kind of, would set off; an array (columns,)."""
    heaviest = dict(completing)
    for key, weight in completing.items():
        for below in network.knowledge.descendants[key]:
            heaviest[below] = max(weight, heaviest.get(below, 0.0))
    return np.array([heaviest.get(network.findings[column], 0.0) for column in columns.tolist()])


def _settled(
    p: Array,
    if_yes: Array,
    if_no: Array,
    yes: Array,
    levels: list[Level],
    rules: Array,
    score: Array,
) -> bool:
    """Whether no answer to any of the best questions would change the advice: the urgency, or
    the condition that leads."""
    order = np.argsort(-score)[:12]
    now = triage.level_from_mass(levels, p)
    leader = int(np.argmax(p))
    if float(p[leader]) < 0.5:
        return False
    for index in order:
        if rules[index] * yes[index] > 0.01:
            return False
        for outcome, chance in ((if_yes[index], yes[index]), (if_no[index], 1 - yes[index])):
            if chance < 0.03:
                continue
            if triage.level_from_mass(levels, outcome) != now or int(np.argmax(outcome)) != leader:
                return False
    return True


def question(
    choice: Choice, network: Network, language: Language, person: Person | None = None
) -> Question | None:
    """The chosen question in the knowledge's own words, about the person who is ill where that is
    not the writer; None where the choice is to stop."""
    if choice.finding is None:
        return None
    ask = network.knowledge.findings[choice.finding].ask
    return Question(
        finding=choice.finding,
        text=about(ask.en if language == "en" else ask.zh, person, language),
        options=texts.OPTIONS,
        reason=reason(choice, network, language),
    )


def reason(choice: Choice, network: Network, language: str) -> str:
    """Why the question is asked, in one sentence."""
    conditions = network.knowledge.conditions

    def name(key: str) -> str:
        own = conditions[key].name
        return own.en.lower() if language == "en" else own.zh

    if choice.excludes:
        danger = name(choice.excludes)
        return f"to be sure not to miss {danger}" if language == "en" else f"以免漏掉{danger}"
    if choice.warning:
        return (
            "to be sure that no warning sign is missed" if language == "en" else "以免漏掉危险信号"
        )
    if len(set(choice.separates)) == 2:
        up, down = (name(key) for key in choice.separates)
        return f"to tell {up} from {down}" if language == "en" else f"用来区分{up}和{down}"
    return "to get a clearer picture" if language == "en" else "为了把情况了解得更清楚"
