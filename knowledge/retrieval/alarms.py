"""Whether a sentence tells of an emergency although no listed words say so.

Two logistic regressions over the vectors of the embedder: emergency or not, and if so, whether an
ambulance is needed. They learn from the sentences of the red flags (`fires`, `spares`), from the
phrases of the findings and from `told/`. The threshold is taken where, of sentences held out
that are no emergency, no more than `FALSE_ALARMS` would be believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from agent.ports import Alarm
from knowledge.clinical import ClinicalKnowledge
from knowledge.retrieval.embedder import Vectors

FALSE_ALARMS = 0.01
_TOLD = Path(__file__).parent / "told"
_EMERGENCIES = ("emergency_ambulance", "emergency")
_STRENGTH = 10.0  # inverse of the penalty on the weights
_FOLDS = 2
_STEPS = 8


@dataclass(frozen=True, slots=True)
class Told:
    """A text to learn from: whether it tells of an emergency, whether of one for an ambulance
    (None where it is not said), and whether it is a whole sentence rather than a phrase."""

    text: str
    alarming: bool
    ambulance: bool | None = None
    sentence: bool = True


def told(knowledge: ClinicalKnowledge, phrases: list[tuple[str, str]]) -> list[Told]:
    """Everything to learn from, each text once. `phrases` are (finding, phrase) pairs.

    Raises `FileNotFoundError` where the folder of sentences holds none.
    """
    found: dict[str, Told] = {}
    alone: set[str] = set()
    for rule in knowledge.rules.values():
        urgent = rule.level in _EMERGENCIES
        ambulance = rule.level == "emergency_ambulance"
        when = rule.when
        if urgent and when is not None and not when.all and not when.none and rule.who is None:
            alone.update(item for item in when.any if isinstance(item, str))
        for text in (*rule.fires.en, *rule.fires.zh) if urgent else ():
            found.setdefault(text, Told(text, True, ambulance))
        for text in (*rule.spares.en, *rule.spares.zh):
            found.setdefault(text, Told(text, False))
    for kind, text in _sentences():
        ambulance = kind == "ambulance"
        found[text] = Told(text, kind != "calm", None if kind == "calm" else ambulance)
    for key, text in phrases:
        kinds = {key} | knowledge.ancestors[key]
        found.setdefault(text, Told(text, bool(kinds & alone), sentence=False))
    return list(found.values())


def _sentences() -> Iterator[tuple[str, str]]:
    """The (kind, sentence) pairs of every file of the folder, in the order of the files' names."""
    files = sorted(_TOLD.glob("*.yaml"))
    if not files:
        raise FileNotFoundError(f"no sentences for the detector of alarms to learn from in {_TOLD}")
    for file in files:
        for kind, languages in yaml.safe_load(file.read_text("utf-8")).items():
            yield from ((kind, text) for texts in languages.values() for text in texts)


class AlarmDetector:
    """The two regressions, fitted once."""

    def __init__(self, texts: list[Told], vectors: Vectors) -> None:
        """`vectors` are those of `texts` as queries, in the same order."""
        x = vectors
        y = np.array([text.alarming for text in texts], dtype=np.float64)
        calm = np.array([text.sentence and not text.alarming for text in texts])
        scores = np.zeros(len(y))
        for fold in range(_FOLDS):
            out = np.arange(len(y)) % _FOLDS == fold
            scores[out] = _score(x[out], _fit(x[~out], y[~out]))
        self.threshold = float(np.quantile(scores[calm], 1 - FALSE_ALARMS))
        self._alarm = _fit(x, y)
        sure = [i for i, text in enumerate(texts) if text.ambulance is not None]
        level = np.array([bool(texts[i].ambulance) for i in sure], dtype=np.float64)
        self._ambulance = _fit(x[sure], level)

    def judge(self, vectors: Vectors) -> list[Alarm | None]:
        """One answer a vector; None where no emergency is believed."""
        alarms, ambulances = _score(vectors, self._alarm), _score(vectors, self._ambulance)
        return [
            Alarm(ambulance=bool(ambulance > 0), score=float(1 / (1 + np.exp(-alarm))))
            if alarm > self.threshold
            else None
            for alarm, ambulance in zip(alarms, ambulances, strict=True)
        ]


def _score(x: Vectors, weights: Vectors) -> Vectors:
    found: Vectors = x @ weights[:-1] + weights[-1]
    return found


def _fit(x: Vectors, y: NDArray[np.float64]) -> Vectors:
    """Weights and bias of a logistic regression by Newton's method; both classes weigh the same."""
    wide = np.hstack([x, np.ones((len(x), 1), np.float32)])
    share = y.mean()
    each = np.where(y > 0, 0.5 / share, 0.5 / (1 - share)).astype(np.float32)
    y = y.astype(np.float32)
    penalty = np.full(wide.shape[1], 1 / _STRENGTH, np.float32)
    penalty[-1] = 1e-4
    weights = np.zeros(wide.shape[1], np.float32)
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-np.clip(wide @ weights, -30, 30)))
        slope = wide.T @ (each * (likely - y)) + penalty * weights
        bend = (wide * (each * likely * (1 - likely))[:, None]).T @ wide + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        weights = weights - step
        if np.abs(step).max() < 0.02:
            break
    return weights.astype(np.float32)
