"""What a phrase means when no listed phrase says it: the nearest finding, or none.

A phrase is believed to mean a finding when it is near enough to one of the finding's own phrases
and clearly nearer than to those of any unrelated finding. How near is enough is not guessed: the
listed phrases themselves are held out one by one, and the smallest nearness is taken at which the
wanted share of answers is right (`PRECISION`). Sentences that are no complaint at all
(`everyday.yaml`) count as wrong whenever they are given a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from agent.ports import Alarm, Language, PhraseMatch
from knowledge.clinical import ClinicalKnowledge
from knowledge.retrieval.alarms import AlarmDetector
from knowledge.retrieval.embedder import Embedder, Vectors

PRECISION = 0.92
MARGIN = 0.012
"""How much nearer, in cosine, than the best unrelated finding."""
_HELD_OUT = 1500
_EVERYDAY_WEIGHT = 3  # there are far more of them in the world
_MOST = 6  # phrases of a finding in a language


class NearestPhrase:
    """Implements `agent.ports.PhraseMatcher`."""

    def __init__(
        self,
        knowledge: ClinicalKnowledge,
        embedder: Embedder,
        phrases: dict[Language, list[tuple[str, str]]],
        vectors: dict[Language, Vectors],
        everyday: dict[Language, Vectors],
        alarms: AlarmDetector | None = None,
    ) -> None:
        """`phrases` holds (finding, phrase) pairs, `vectors` their embeddings as queries in the
        same order, `everyday` those of sentences that are no complaint."""
        self._embedder = embedder
        self._alarms = alarms
        self._vectors = vectors
        # Phrases of one finding stand together: a finding's nearness is the most of its run.
        self._keys: dict[Language, list[str]] = {}
        self._starts: dict[Language, list[int]] = {}
        self._related: dict[Language, NDArray[np.bool_]] = {}
        self.threshold: dict[Language, float] = {}
        for language, pairs in phrases.items():
            owners = [key for key, _ in pairs]
            starts = [i for i, key in enumerate(owners) if i == 0 or owners[i - 1] != key]
            keys = [owners[i] for i in starts]
            self._keys[language], self._starts[language] = keys, starts
            related = {
                key: {key} | knowledge.ancestors[key] | knowledge.descendants[key] for key in keys
            }
            self._related[language] = np.array(
                [[other in related[key] for other in keys] for key in keys], dtype=np.bool_
            )
            self.threshold[language] = self._calibrate(language, everyday[language])

    def match(self, phrases: Sequence[str], language: Language) -> list[PhraseMatch | None]:
        """One answer a phrase; None when no finding is near enough to be believed."""
        if not phrases or not len(self._vectors[language]):
            return [None] * len(phrases)
        vectors = self._embedder.embed(list(phrases), "query")
        best, near, margin = self._best(vectors @ self._vectors[language].T, language)
        believed = (near >= self.threshold[language]) & (margin >= MARGIN)
        return [
            PhraseMatch(self._keys[language][row], float(score)) if good else None
            for row, score, good in zip(best, near, believed, strict=True)
        ]

    def alarms(self, sentences: Sequence[str]) -> list[Alarm | None]:
        """One answer a sentence; None where no emergency is believed."""
        if not sentences or self._alarms is None:
            return [None] * len(sentences)
        return self._alarms.judge(self._embedder.embed(list(sentences), "query"))

    def _best(
        self, nearness: Vectors, language: Language
    ) -> tuple[NDArray[np.intp], Vectors, Vectors]:
        """For each row of `nearness` (texts, phrases): the nearest finding, its nearness, and how
        much nearer it is than the nearest unrelated one."""
        each = np.maximum.reduceat(nearness, self._starts[language], axis=1)
        best = each.argmax(axis=1)
        near = each.max(axis=1)
        other = np.where(self._related[language][best], -1.0, each).max(axis=1)
        return best, near, near - other

    def _calibrate(self, language: Language, everyday: Vectors) -> float:
        """The smallest nearness at which `PRECISION` of the believed answers are right."""
        vectors = self._vectors[language]
        if not len(vectors):
            return 1.0
        owners = np.repeat(
            np.arange(len(self._keys[language])),
            np.diff([*self._starts[language], len(vectors)]),
        )
        held = np.arange(0, len(vectors), max(1, len(vectors) // _HELD_OUT))
        nearness = vectors[held] @ vectors.T
        nearness[np.arange(len(held)), held] = -1.0
        best, near, margin = self._best(nearness, language)
        right = self._related[language][best, owners[held]]
        scored = [(s, r) for s, r, m in zip(near, right, margin, strict=True) if m >= MARGIN]
        if len(everyday):
            _, near, margin = self._best(everyday @ vectors.T, language)
            wrong = [(s, False) for s, m in zip(near, margin, strict=True) if m >= MARGIN]
            scored += wrong * _EVERYDAY_WEIGHT
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        threshold, good = 1.0, 0
        for count, (score, is_right) in enumerate(scored, start=1):
            good += is_right
            if good / count >= PRECISION:
                threshold = float(score)
        return threshold


def phrases_of(knowledge: ClinicalKnowledge, language: Language) -> list[tuple[str, str]]:
    """The phrases of every finding that stand by themselves, as (finding, phrase)."""
    pairs: list[tuple[str, str]] = []
    for key, finding in knowledge.findings.items():
        if finding.kind == "measurement":
            continue
        said = [phrase for phrase in getattr(finding.says, language) if "{" not in phrase]
        own = dict.fromkeys([getattr(finding.name, language), *map(_plain, said)])
        pairs += [(key, phrase) for phrase in list(own)[:_MOST]]
    return pairs


def _plain(pattern: str) -> str:
    """A pattern as a phrase: the first of each choice, joined."""
    return " ".join(piece.split("|")[0].strip() for piece in pattern.split(" + "))


def everyday_sentences() -> dict[Language, list[str]]:
    """Sentences that are no complaint."""
    text = (Path(__file__).parent / "everyday.yaml").read_text(encoding="utf-8")
    found: dict[Language, list[str]] = yaml.safe_load(text)
    return found
