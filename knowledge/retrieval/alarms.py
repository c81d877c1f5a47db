"""Whether a sentence tells of an emergency although no listed words say so.

Two logistic regressions over the vectors of the embedder: emergency or not, and if so, whether an
ambulance is needed. They learn from the sentences of the red flags (`fires`, `spares`), from the
phrases of the findings, from the files of `told/`. The threshold is taken
where, of sentences held out that are no emergency, no more than `FALSE_ALARMS` would be believed.
Fitting takes many seconds, so that what came of it is kept (`kept`) until anything that it was
learned from changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from agent.ports import Alarm
from knowledge.clinical import ClinicalKnowledge
from knowledge.retrieval.embedder import Vectors

FALSE_ALARMS = 0.01
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
    for kind, text in written():
        ambulance = kind == "ambulance"
        found[text] = Told(text, kind != "calm", None if kind == "calm" else ambulance)
    for key, text in phrases:
        kinds = {key} | knowledge.ancestors[key]
        found.setdefault(text, Told(text, bool(kinds & alone), sentence=False))
    return list(found.values())


def written(folder: Path = Path(__file__).parent) -> Iterable[tuple[str, str]]:
    """(kind, sentence) of every sentence of `told/*.yaml`, in the order of the files' names; kinds
    are `ambulance`, `emergency` and `calm`. Raises ValueError for a kind that is none of these,
    and where there is no file."""
    paths = sorted((folder / "told").glob("*.yaml"))
    if not paths:
        raise ValueError(f"no sentences to learn from in {folder / 'told'}")
    for path in paths:
        table = yaml.safe_load(path.read_text("utf-8"))
        for kind, languages in table.items():
            if kind == "schema":
                continue
            if kind not in ("ambulance", "emergency", "calm"):
                raise ValueError(f"{path.name}: unknown kind of sentences '{kind}'")
            for texts in languages.values():
                yield from ((kind, text) for text in texts)


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learned: two regressions (weights, and the bias last) and the score above which an
    alarm is believed."""

    alarm: Vectors
    ambulance: Vectors
    threshold: float


def learned(texts: list[Told], vectors: Vectors) -> Weights:
    """Fit both regressions. `vectors` are those of `texts` as queries, in the same order."""
    x = vectors
    y = np.array([text.alarming for text in texts], dtype=np.float64)
    calm = np.array([text.sentence and not text.alarming for text in texts])
    scores = np.zeros(len(y))
    for fold in range(_FOLDS):
        out = np.arange(len(y)) % _FOLDS == fold
        scores[out] = _score(x[out], _fit(x[~out], y[~out]))
    sure = [i for i, text in enumerate(texts) if text.ambulance is not None]
    level = np.array([bool(texts[i].ambulance) for i in sure], dtype=np.float64)
    threshold = float(np.quantile(scores[calm], 1 - FALSE_ALARMS))
    return Weights(_fit(x, y), _fit(x[sure], level), threshold)


def kept(
    folder: Path, fingerprint: str, texts: list[Told], vectors: Callable[[], Vectors]
) -> Weights:
    """What was learned from `texts`, from the folder where it is there, else learned and kept.

    `fingerprint` names the embedder; `vectors` is only called when something must be learned. A
    file that is damaged or was learned from other texts is made again.
    """
    path = folder / f"alarms-{fingerprint}.npz"
    own = [astuple(text) for text in texts]
    said = json.dumps([own, FALSE_ALARMS, _STRENGTH, _FOLDS, _STEPS], ensure_ascii=False)
    key = hashlib.sha256(said.encode()).hexdigest()
    found = _read(path, key)
    if found is None:
        found = learned(texts, vectors())
        _write(path, key, found)
    return found


def _read(path: Path, key: str) -> Weights | None:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            alarm, ambulance = file["alarm"], file["ambulance"]
            threshold = float(file["threshold"])
            if str(file["key"]) != key or alarm.ndim != 1 or alarm.shape != ambulance.shape:
                return None
    except Exception:  # not there, or whatever numpy and zipfile make of a damaged file
        return None
    if not (np.isfinite(alarm).all() and np.isfinite(ambulance).all() and np.isfinite(threshold)):
        return None
    return Weights(alarm.astype(np.float32), ambulance.astype(np.float32), threshold)


def _write(path: Path, key: str, found: Weights) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                key=np.array(key),
                alarm=found.alarm,
                ambulance=found.ambulance,
                threshold=np.array(found.threshold),
            )
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class AlarmDetector:
    """Judges sentences by what was learned."""

    def __init__(self, weights: Weights) -> None:
        self.threshold = weights.threshold
        self._weights = weights

    def judge(self, vectors: Vectors) -> list[Alarm | None]:
        """One answer a vector; None where no emergency is believed."""
        alarms = _score(vectors, self._weights.alarm)
        ambulances = _score(vectors, self._weights.ambulance)
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
