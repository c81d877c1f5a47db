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

from agent.ports import Language, PhraseMatch
from knowledge.clinical import ClinicalKnowledge
from knowledge.retrieval.embedder import Embedder, Vectors

PRECISION = 0.92
MARGIN = 0.012
"""How much nearer, in cosine, than the best unrelated finding."""
_MOST = 12  # phrases of a finding in a language


class NearestPhrase:
    """Implements `agent.ports.PhraseMatcher`."""

    def __init__(
        self,
        knowledge: ClinicalKnowledge,
        embedder: Embedder,
        phrases: dict[Language, list[tuple[str, str]]],
        vectors: dict[Language, Vectors],
        everyday: dict[Language, Vectors],
    ) -> None:
        """`phrases` holds (finding, phrase) pairs, `vectors` their embeddings as queries in the
        same order, `everyday` those of sentences that are no complaint."""
        self._embedder = embedder
        self._owners = {lang: [key for key, _ in pairs] for lang, pairs in phrases.items()}
        self._vectors = vectors
        self._related = {
            key: frozenset({key}) | knowledge.ancestors[key] | knowledge.descendants[key]
            for key in knowledge.findings
        }
        self.threshold: dict[Language, float] = {
            language: self._calibrate(language, everyday[language]) for language in vectors
        }

    def match(self, phrases: Sequence[str], language: Language) -> list[PhraseMatch | None]:
        """One answer a phrase; None when no finding is near enough to be believed."""
        if not phrases or not len(self._vectors[language]):
            return [None] * len(phrases)
        vectors = self._embedder.embed(list(phrases), "query")
        nearness = vectors @ self._vectors[language].T
        found: list[PhraseMatch | None] = []
        for row in nearness:
            key, score, margin = self._best(row, language)
            believed = score >= self.threshold[language] and margin >= MARGIN
            found.append(PhraseMatch(key, float(score)) if believed else None)
        return found

    def _best(self, nearness: Vectors, language: Language) -> tuple[str, float, float]:
        """The nearest finding, its nearness, and how much nearer it is than an unrelated one."""
        owners = self._owners[language]
        order = np.argsort(-nearness)
        key = owners[order[0]]
        top = float(nearness[order[0]])
        for index in order[1:]:
            if owners[index] not in self._related[key]:
                return key, top, top - float(nearness[index])
        return key, top, top

    def _calibrate(self, language: Language, everyday: Vectors) -> float:
        """The smallest nearness at which `PRECISION` of the believed answers are right."""
        vectors = self._vectors[language]
        owners = self._owners[language]
        if not len(vectors):
            return 1.0
        scored: list[tuple[float, bool]] = []
        step = max(1, len(vectors) // 1500)
        for index in range(0, len(vectors), step):
            nearness = vectors @ vectors[index]
            nearness[index] = -1.0  # held out
            key, score, margin = self._best(nearness, language)
            if margin >= MARGIN:
                scored.append((score, key in self._related[owners[index]]))
        for vector in everyday:
            key, score, margin = self._best(vectors @ vector, language)
            if margin >= MARGIN:
                scored += [(score, False)] * 3  # there are far more of them in the world
        scored.sort(reverse=True)
        right = 0
        threshold = 1.0
        for count, (score, good) in enumerate(scored, start=1):
            right += good
            if right / count >= PRECISION:
                threshold = score
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
