"""Fits an overlay to cases: what a hospital's patients told, answered, and turned out to have.

Two models of the same cases, because each errs where the other does not:

- Latent classes within each label ("presentations"; Lazarsfeld and Henry 1968) by expectation
  maximisation: which findings come together in one condition. It says what a patient is likely to
  answer, so that questions can be chosen.
- Multinomial logistic regression on what is known at some point of a conversation, penalised
  towards nothing: findings that repeat each other do not count twice. It is fitted on states as
  questions produce them, each asked with a first model that never saw the case.

The posterior is the geometric mean of both. Nothing is random but the start of the classes and
the halves, by the seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from knowledge.fitted.overlay import Overlay, OverlayError, Own, own_ids

Array = NDArray[np.float64]
States = NDArray[np.int8]  # 0 unknown, 1 present, 2 absent, 3 unsure
Silence = Literal["unsure", "absent"]
"""What a patient says who has nothing to report: that he does not know, or no."""

PRESENTATIONS = 8
"""Most presentations of a condition; each needs `PER_PRESENTATION` cases."""
PER_PRESENTATION = 25
PRIOR = 8.0
"""Cases that each presentation is drawn towards its label's mean with."""
PENALTY = 30.0
ROUNDS = 40
LEAST_CASES = 5

_CODES = {"present": 1, "absent": 2, "unsure": 3}
_MOMENTS = (3, 6, 10)  # questions after which a state is learned from


@dataclass(frozen=True)
class Case:
    """One patient: what was told unasked, what answers brought out (name to present, absent or
    unsure), and what it was."""

    label: str
    told: Mapping[str, str]
    answered: Mapping[str, str]


def fit(
    cases: Sequence[Case],
    *,
    findings: Mapping[str, str | None],
    conditions: Mapping[str, str],
    title: str,
    dataset_sha256: str,
    silence: Silence = "unsure",
    seed: int = 0,
) -> Overlay:
    """Fit an overlay.

    `findings` gives for each name in the cases the finding of the knowledge that it is, or None;
    `conditions` for each label the written condition that it is or is a division of. Raises
    OverlayError where a label is unknown or has too few cases. A case does not tell what was never
    asked; `silence` is what a patient is taken to say of that.
    """
    labels = sorted({case.label for case in cases})
    unknown = [label for label in labels if label not in conditions]
    if unknown:
        raise OverlayError(f"no condition is known for these labels: {', '.join(unknown)}")
    few = [label for label in labels if sum(c.label == label for c in cases) < LEAST_CASES]
    if few or len(labels) < 2:
        raise OverlayError(
            "an overlay needs two labels at least and five cases of each"
            + (f"; too few of: {', '.join(few)}" if few else "")
        )
    names = sorted({name for case in cases for name in (*case.told, *case.answered)})
    row = {label: index for index, label in enumerate(labels)}
    column = {name: index for index, name in enumerate(names)}
    told = np.zeros((len(cases), len(names)), dtype=np.int8)
    for number, case in enumerate(cases):
        for name, status in case.told.items():
            told[number, column[name]] = _CODES[status]
    known = told.copy()
    for number, case in enumerate(cases):
        for name, status in case.answered.items():
            known[number, column[name]] = _CODES[status]
    y = np.array([row[case.label] for case in cases])
    random = np.random.default_rng(seed)
    classes = presentations(known, y, len(labels), random, silence)
    weights, intercepts = _discriminate(known, told, y, len(labels), random, silence)
    # Of two names for one finding the one that is told more often has it.
    often = sorted(names, key=lambda name: -int((known[:, column[name]] > 0).sum()))
    order = {name: findings.get(name) for name in often}
    finding_ids = own_ids(order, "own_")
    condition_ids = own_ids({label: conditions[label] for label in labels}, "own_condition_")
    return Overlay(
        title=title,
        dataset_sha256=dataset_sha256,
        silence=silence,
        cases=len(cases),
        conditions=tuple(
            Own(name=label, id=condition_ids[label], like=conditions[label]) for label in labels
        ),
        findings=tuple(Own(name=name, id=finding_ids[name]) for name in names),
        condition_of=tuple(classes.condition.tolist()),
        share=_rounded(classes.share),
        present=tuple(_rounded(r) for r in classes.present),
        other=tuple(_rounded(r) for r in classes.other),
        weights=tuple(_rounded(r, 5) for r in weights),
        intercepts=_rounded(intercepts, 5),
    )


def _rounded(values: Array, digits: int = 6) -> tuple[float, ...]:
    return tuple(float(v) for v in np.round(values, digits))


# --- presentations ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Classes:
    """Presentations: the condition (R,) of each, its share of all cases (R,), and the shares of
    its patients who report each finding and who give the `other` answer that is no silence, both
    (R, S)."""

    condition: NDArray[np.int64]
    share: Array
    present: Array
    other: Array
    silence: Silence

    @property
    def codes(self) -> tuple[int, int]:
        """The state of the other answer, and that of silence."""
        return (2, 3) if self.silence == "unsure" else (3, 2)


def presentations(
    known: States,
    y: NDArray[np.int64],
    labels: int,
    random: np.random.Generator,
    silence: Silence,
) -> Classes:
    """Latent classes within each label. `known` (cases, findings), `y` (cases,)."""
    other = 2 if silence == "unsure" else 3
    outcomes = np.concatenate([known == 1, known == other], axis=1).astype(float)
    width = known.shape[1]
    overall = outcomes.mean(axis=0)
    condition: list[int] = []
    shares: list[Array] = []
    tables: list[Array] = []
    for label in range(labels):
        own = outcomes[y == label]
        said = own[:, :width] + own[:, width:]
        count = max(1, min(PRESENTATIONS, len(own) // PER_PRESENTATION))
        centre = (own.sum(axis=0) + 3 * overall + 1e-3) / (len(own) + 3 + 4e-3)
        belongs = random.dirichlet(np.full(count, 0.3), len(own))
        for _ in range(ROUNDS):
            share = (belongs.sum(axis=0) + 1) / (len(own) + count)
            table = (belongs.T @ own + PRIOR * centre) / (belongs.sum(axis=0)[:, None] + PRIOR)
            table = np.clip(table, 1e-5, 0.999)
            rest = np.maximum(1 - table[:, :width] - table[:, width:], 1e-5)
            score = np.log(share) + own @ np.log(table).T + (1 - said) @ np.log(rest).T
            score -= score.max(axis=1, keepdims=True)
            belongs = np.exp(score)
            belongs /= belongs.sum(axis=1, keepdims=True)
        condition += [label] * count
        shares.append(share * len(own) / len(y))
        tables.append(table)
    whole = np.concatenate(tables)
    return Classes(
        np.array(condition), np.concatenate(shares), whole[:, :width], whole[:, width:], silence
    )


def belonging(classes: Classes, states: States) -> Array:
    """Probability of each presentation, (cases, R), from the states (cases, S)."""
    other, silent = classes.codes
    rest = np.maximum(1 - classes.present - classes.other, 1e-6)
    score = (
        np.log(classes.share)
        + (states == 1) @ np.log(classes.present).T
        + (states == other) @ np.log(classes.other).T
        + (states == silent) @ np.log(rest).T
    )
    score -= score.max(axis=1, keepdims=True)
    found: Array = np.exp(score)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


# --- weights of evidence ---------------------------------------------------------------------


def features(states: States, told: States) -> Array:
    """What the regression sees, (cases, 4 S + 1); see `Overlay.weights`."""
    return np.concatenate(
        [
            states == 1,
            states == 2,
            states == 3,
            told > 0,
            ~(told > 0).any(axis=1, keepdims=True),
        ],
        axis=1,
    ).astype(float)


def _discriminate(
    known: States,
    told: States,
    y: NDArray[np.int64],
    labels: int,
    random: np.random.Generator,
    silence: Silence,
) -> tuple[Array, Array]:
    seen = [features(known, told)]
    truth = [y]
    half = random.permutation(len(y)) % 2
    for part in (0, 1):
        train, rest = half != part, half == part
        if len(set(y[train].tolist())) < labels:
            continue  # so few cases of a label that a half lacks it
        classes = presentations(known[train], y[train], labels, random, silence)
        for states in _after_questions(classes, known[rest], told[rest]):
            seen.append(features(states, told[rest]))
            truth.append(y[rest])
    return _regress(np.concatenate(seen), np.concatenate(truth), labels)


def _after_questions(classes: Classes, known: States, told: States) -> list[States]:
    """What is known after some questions, each for what the patient most likely has to say."""
    states = told.copy()
    told_of = classes.present + classes.other
    silent = classes.codes[1]
    found: list[States] = []
    rows = np.arange(len(states))
    for count in range(1, max(_MOMENTS) + 1):
        worth = belonging(classes, states) @ told_of
        worth[states > 0] = -1.0
        asked = worth.argmax(axis=1)
        answer = known[rows, asked]
        states[rows, asked] = np.where(answer > 0, answer, silent)
        if count in _MOMENTS:
            found.append(states.copy())
    return found


def _regress(x: Array, y: NDArray[np.int64], labels: int) -> tuple[Array, Array]:
    """Multinomial logistic regression with a penalty on the weights, by L-BFGS."""
    count, width = x.shape
    target = np.eye(labels)[y]

    def loss(flat: Array) -> tuple[float, Array]:
        w = flat[: width * labels].reshape(width, labels)
        z = x @ w + flat[width * labels :]
        z -= z.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1, keepdims=True)
        value = float((np.log(total[:, 0]) - (z * target).sum(axis=1)).sum())
        slope = e / total - target
        gradient = np.concatenate([(x.T @ slope + PENALTY * w).ravel(), slope.sum(axis=0)])
        return value + 0.5 * PENALTY * float((w**2).sum()), gradient

    start = np.concatenate(
        [np.zeros(width * labels), np.log(np.bincount(y, minlength=labels) / count)]
    )
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 150}).x
    return best[: width * labels].reshape(width, labels), best[width * labels :]
