"""Finds passages by meaning and by words, the two ranks fused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from agent.ports import Language, Passage, Retrieved
from knowledge.documents.articles import Chunk, release_of
from knowledge.retrieval.answers import Answers
from knowledge.retrieval.dense import DenseIndex
from knowledge.retrieval.embedder import Embedder, Vectors
from knowledge.retrieval.sparse import SparseIndex
from knowledge.retrieval.workers import Workers

RANK_CONSTANT = 60
"""Of reciprocal rank fusion (Cormack, Clarke and Buettcher 2009): 1 / (constant + rank)."""
DEPTH = 50
"""Ranks of either kind that are fused."""
FITS = 2.5
"""A passage fits when its cosine is this many standard deviations above the mean over all
passages of the language. The embedder's cosines are squeezed together, so that no fixed cosine
would do. One that holds every word of the query fits as well."""
HELD = 0.4
"""By words alone a passage fits when it holds this share of the query's words."""


def sparse_index(chunks: Sequence[Chunk]) -> SparseIndex:
    """The words of passages, with those of their titles and sections."""
    return SparseIndex([f"{c.title} {c.section} {c.text}" for c in chunks])


class HybridRetriever:
    """Implements `agent.ports.Retriever`. Without an embedder it works by words alone.

    `sparse` and `vectors` have a row for each of `chunks`, in the same order.
    """

    def __init__(
        self,
        chunks: Sequence[Chunk],
        sparse: SparseIndex,
        *,
        embedder: Embedder | None = None,
        vectors: Vectors | None = None,
        gpu: bool | None = None,
    ) -> None:
        self._chunks = list(chunks)
        self._release = release_of(chunks)
        self._embedder = embedder
        self._dense = DenseIndex(vectors, gpu=gpu) if vectors is not None else None
        self._sparse = sparse
        self._answers = Answers(self._chunks)
        self._rows: dict[str, list[int]] = {"en": [], "zh": []}
        self._of_entry: dict[tuple[str, str], list[int]] = {}
        for row, chunk in enumerate(self._chunks):
            self._rows[chunk.language].append(row)
            self._of_entry.setdefault((chunk.entry, chunk.language), []).append(row)
        self._worker = Workers(lambda: ThreadPoolExecutor(1, thread_name_prefix="retrieval"))

    @property
    def release(self) -> str:
        """Content address of the passages."""
        return self._release

    async def search(
        self,
        query: str,
        *,
        language: Language,
        k: int = 5,
        entries: Sequence[str] | None = None,
    ) -> Retrieved:
        """The best `k` passages in `language`, best first; only those of `entries` when given.

        Without `entries` the outcome is empty where nothing fits.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._worker.pool, self._search, query, language, k, entries
        )

    def _search(
        self, query: str, language: Language, k: int, entries: Sequence[str] | None
    ) -> Retrieved:
        rows = self._rows[language]
        if entries is not None:
            rows = [row for entry in entries for row in self._of_entry.get((entry, language), ())]
        if not rows or not query.strip():
            return Retrieved(query, self._release, ())
        by_words = self._sparse.scores(query)
        ranked = [sorted((r for r in rows if by_words[r] > 0), key=lambda r: -by_words[r])[:DEPTH]]
        held = self._sparse.held(query, ranked[0][0]) if ranked[0] else 0.0
        fits = held >= HELD
        if self._dense is not None and self._embedder is not None:
            vector = self._embedder.embed([query], "query")[0]
            near = self._dense.search(vector, DEPTH, rows)
            ranked.append([row for row, _ in near])
            every = self._dense.vectors[self._rows[language]] @ vector
            spread = float(np.std(every)) or 1.0
            above = (near[0][1] - float(np.mean(every))) / spread if near else 0.0
            fits = above >= FITS or held == 1.0
        if entries is None and not fits:
            return Retrieved(query, self._release, ())
        fused: dict[int, float] = {}
        for ranks in ranked:
            for rank, row in enumerate(ranks):
                fused[row] = fused.get(row, 0.0) + 1.0 / (RANK_CONSTANT + rank + 1)
        best = sorted(fused, key=lambda row: (-fused[row], row))[:k]
        if entries is not None:  # all of a small set, whether a word is shared or not
            best += [row for row in rows if row not in fused][: k - len(best)]
        passages = tuple(self._passage(row, fused.get(row, 0.0)) for row in best)
        return Retrieved(query, self._release, passages)

    async def answer(
        self, question: str, *, language: Language, entries: Sequence[str]
    ) -> Retrieved:
        """The sentences that answer a question, as passages whose text is no more than them.

        Only of `entries`, the first that has an answer, or of the condition that the question
        names. Empty where nothing answers.
        """
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._worker.pool, self._answers.find, question, language, entries
        )
        passages = tuple(replace(self._passage(a.row, 1.0), text=a.quote) for a in found)
        return Retrieved(question, self._release, passages)

    def _passage(self, row: int, score: float) -> Passage:
        chunk = self._chunks[row]
        return Passage(
            chunk=chunk.id,
            document=chunk.document,
            title=chunk.title,
            section=chunk.section,
            text=chunk.text,
            language="en" if chunk.language == "en" else "zh",
            release=self._release,
            score=score,
            entry=chunk.entry,
            source=chunk.source,
        )
