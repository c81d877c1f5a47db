"""Opens retrieval for a knowledge release: passages, vectors and index, and the detector of alarms
that shares its embedder."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from knowledge.clinical import ClinicalKnowledge
from knowledge.documents.articles import articles
from knowledge.retrieval.alarms import Detector
from knowledge.retrieval.cache import VectorCache
from knowledge.retrieval.embedder import Embedder
from knowledge.retrieval.hybrid import HybridRetriever, sparse_index
from knowledge.retrieval.sentences import told


def open_retrieval(
    knowledge: ClinicalKnowledge,
    folder: Path,
    *,
    embedder: Path | None,
    gpu: bool | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[HybridRetriever, Detector]:
    """The retriever and the detector of alarms of a knowledge release.

    `folder` keeps vectors and what was learned between runs; only what is new is embedded.
    `embedder` is a sentence-transformers folder; without one both work by words alone. `gpu` as in
    `DenseIndex`.
    """
    chunks = articles(knowledge)
    texts = told(knowledge)
    if embedder is None:
        detector = Detector.open(texts, folder, None, None, report)
        return HybridRetriever(chunks, sparse_index(chunks)), detector
    report("loading the embedder")
    with ThreadPoolExecutor(1) as beside:  # torch is read from the disk while words are counted
        loading = beside.submit(Embedder, embedder)
        sparse = sparse_index(chunks)
        model = loading.result()
    cache = VectorCache(folder, model)
    vectors = cache.embed([f"{c.title}. {c.text}" for c in chunks], "passage", report, "passages")
    retriever = HybridRetriever(chunks, sparse, embedder=model, vectors=vectors, gpu=gpu)
    known = cache.embed([text.text for text in texts], "query", report, "sentences")
    return retriever, Detector.open(texts, folder, model, known, report)
