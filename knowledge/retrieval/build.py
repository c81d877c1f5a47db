"""Opens retrieval for a knowledge release: passages, vectors, index and phrase matcher."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent.ports import Language
from knowledge.clinical import ClinicalKnowledge
from knowledge.documents.articles import articles
from knowledge.retrieval.alarms import AlarmDetector, kept, told
from knowledge.retrieval.cache import VectorCache
from knowledge.retrieval.embedder import Embedder
from knowledge.retrieval.hybrid import HybridRetriever, sparse_index
from knowledge.retrieval.phrases import NearestPhrase, everyday_sentences, phrases_of

LANGUAGES: tuple[Language, ...] = ("en", "zh")


def open_retrieval(
    knowledge: ClinicalKnowledge,
    folder: Path,
    *,
    embedder: Path | None,
    gpu: bool | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[HybridRetriever, NearestPhrase | None]:
    """The retriever and the phrase matcher of a knowledge release.

    `folder` keeps vectors between runs; only what is new is embedded. `embedder` is a
    sentence-transformers folder; without one retrieval works by words alone and there is no
    matcher. `gpu` as in `DenseIndex`.
    """
    chunks = articles(knowledge)
    if embedder is None:
        return HybridRetriever(chunks, sparse_index(chunks)), None
    report("loading the embedder")
    with ThreadPoolExecutor(1) as beside:  # torch is read from the disk while words are counted
        loading = beside.submit(Embedder, embedder)
        sparse = sparse_index(chunks)
        model = loading.result()
    cache = VectorCache(folder, model)
    vectors = cache.embed([f"{c.title}. {c.text}" for c in chunks], "passage", report, "passages")
    retriever = HybridRetriever(chunks, sparse, embedder=model, vectors=vectors, gpu=gpu)
    phrases = {language: phrases_of(knowledge, language) for language in LANGUAGES}
    everyday = everyday_sentences()
    flat = [phrase for language in LANGUAGES for _, phrase in phrases[language]]
    flat += [sentence for language in LANGUAGES for sentence in everyday[language]]
    found = cache.embed(flat, "query", report, "phrases")
    cuts = []
    start = 0
    for size in (
        *(len(phrases[language]) for language in LANGUAGES),
        *(len(everyday[language]) for language in LANGUAGES),
    ):
        cuts.append(found[start : start + size])
        start += size
    texts = told(knowledge, [pair for language in LANGUAGES for pair in phrases[language]])
    weights = kept(
        folder,
        model.fingerprint,
        texts,
        lambda: cache.embed([text.text for text in texts], "query", report, "sentences"),
    )
    matcher = NearestPhrase(
        knowledge,
        model,
        phrases,
        dict(zip(LANGUAGES, cuts[:2], strict=True)),
        dict(zip(LANGUAGES, cuts[2:], strict=True)),
        AlarmDetector(weights),
    )
    return retriever, matcher
