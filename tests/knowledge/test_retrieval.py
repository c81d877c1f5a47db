"""What every retriever holds to, by words alone and with the embedder."""

from __future__ import annotations

import asyncio
import multiprocessing
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from agent.ports import Language, Retriever
from knowledge.clinical import ClinicalKnowledge
from knowledge.documents.articles import Chunk, release_of
from knowledge.retrieval import open_retrieval
from knowledge.retrieval.cache import VectorCache
from knowledge.retrieval.dense import DenseIndex
from knowledge.retrieval.embedder import Embedder
from knowledge.retrieval.hybrid import HybridRetriever, sparse_index

gpus = faiss.get_num_gpus() if hasattr(faiss, "get_num_gpus") else 0
BOTH: Any = pytest.mark.parametrize(
    "retriever",
    ["words", pytest.param("embedder", marks=[pytest.mark.weights, pytest.mark.xdist_group("e5")])],
    indirect=True,
)


@pytest.fixture(scope="module")
def retriever(
    request: pytest.FixtureRequest, few: list[Chunk], tmp_path_factory: pytest.TempPathFactory
) -> HybridRetriever:
    if request.param == "words":
        return HybridRetriever(few, sparse_index(few))
    embedder: Embedder = request.getfixturevalue("embedder")
    cache = VectorCache(tmp_path_factory.mktemp("index"), embedder)
    vectors = cache.embed([f"{c.title}. {c.text}" for c in few], "passage", print, "passages")
    return HybridRetriever(few, sparse_index(few), embedder=embedder, vectors=vectors, gpu=False)


_FORKED: list[Any] = []  # what a fork finds in its memory: a retriever cannot be sent


def _in_fork(question: str) -> Any:
    return _FORKED[0](question)


@BOTH
class TestContract:
    async def test_is_a_retriever_of_its_passages(
        self, retriever: HybridRetriever, few: list[Chunk]
    ) -> None:
        assert isinstance(retriever, Retriever)
        assert retriever.release == release_of(few)

    @pytest.mark.parametrize(
        ("query", "language", "entry"),
        [
            ("throbbing one-sided headache with nausea", "en", "migraine"),
            ("burning when passing urine", "en", "cystitis"),
            ("崴脚后脚踝肿痛", "zh", "ankle_sprain"),
            ("大脚趾半夜红肿剧痛 尿酸", "zh", "gout"),
        ],
    )
    async def test_finds_the_article(
        self, retriever: HybridRetriever, query: str, language: Language, entry: str
    ) -> None:
        found = await retriever.search(query, language=language, k=3)
        assert entry in [passage.entry for passage in found.passages]
        assert {passage.language for passage in found.passages} == {language}
        assert {passage.release for passage in found.passages} == {retriever.release}
        scores = [passage.score for passage in found.passages]
        assert scores == sorted(scores, reverse=True)

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_searches_in_a_fork_too(self, retriever: HybridRetriever) -> None:
        here = asyncio.run(retriever.search("sore throat", language="en"))

        def search(question: str) -> Any:
            return asyncio.run(retriever.search(question, language="en"))

        _FORKED.append(search)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            there = pool.apply_async(_in_fork, ("sore throat",)).get(timeout=60)
        _FORKED.clear()
        assert there == here

    async def test_keeps_to_the_entries(self, retriever: HybridRetriever, few: list[Chunk]) -> None:
        found = await retriever.search("headache", language="en", k=60, entries=["gout"])
        own = {chunk.id for chunk in few if chunk.entry == "gout" and chunk.language == "en"}
        assert {passage.chunk for passage in found.passages} == own
        assert len(found.passages) == len(own)

    async def test_k_is_the_most(self, retriever: HybridRetriever) -> None:
        found = await retriever.search("fever and headache", language="en", k=2)
        assert len(found.passages) == 2

    @pytest.mark.parametrize("entries", [[], ["no_such_entry"]])
    async def test_no_entries_no_passages(
        self, retriever: HybridRetriever, entries: list[str]
    ) -> None:
        found = await retriever.search("headache", language="en", entries=entries)
        assert found.passages == ()

    @pytest.mark.parametrize("query", ["", "   ", "quarterly tax return of my company", "zzzz"])
    async def test_says_nothing_where_nothing_fits(
        self, retriever: HybridRetriever, query: str
    ) -> None:
        assert (await retriever.search(query, language="en")).passages == ()

    async def test_the_same_query_finds_the_same(self, retriever: HybridRetriever) -> None:
        first = await retriever.search("fever with aching limbs", language="en")
        assert first == await retriever.search("fever with aching limbs", language="en")

    async def test_answers_with_sentences_of_the_passage(
        self, retriever: HybridRetriever, few: list[Chunk]
    ) -> None:
        found = await retriever.answer(
            "how long will it last?", language="en", entries=["common_cold"]
        )
        text = {chunk.id: chunk.text for chunk in few}
        assert found.passages
        assert all(passage.text in text[passage.chunk] for passage in found.passages)

    async def test_does_not_answer_what_it_does_not_know(self, retriever: HybridRetriever) -> None:
        found = await retriever.answer("can I go swimming?", language="en", entries=["common_cold"])
        assert found.passages == ()


def test_without_an_embedder_both_work_by_words(
    knowledge: ClinicalKnowledge, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    retriever, detector = open_retrieval(knowledge, tmp_path, embedder=None)
    assert isinstance(retriever, HybridRetriever)
    (alarm,) = detector.judge(["he is not breathing and has gone blue"])
    assert alarm.ambulance
    assert alarm.doubt < 0.01
    assert capfd.readouterr() == ("", "")  # no library talks on the terminal


def vectors_of(count: int) -> Any:
    made = np.random.default_rng(0).normal(size=(count, 32)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_the_index_finds_what_a_full_comparison_finds() -> None:
    vectors = vectors_of(500)
    index = DenseIndex(vectors, gpu=False)
    query = vectors_of(501)[-1]
    cosines = vectors @ query
    rows = [row for row, _ in index.search(query, 10)]
    assert rows == list(np.argsort(-cosines)[:10])
    among = [3, 77, 401]
    assert [r for r, _ in index.search(query, 10, among)] == sorted(
        among, key=lambda row: -cosines[row]
    )
    assert index.search(query, 10, []) == []


@pytest.mark.skipif(gpus > 0, reason="there is a GPU")
def test_a_gpu_that_is_demanded_and_absent_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="GPU was demanded"):
        DenseIndex(vectors_of(10), gpu=True)
    assert DenseIndex(vectors_of(10)).device == "cpu"


@pytest.mark.gpu
@pytest.mark.skipif(gpus == 0, reason="faiss sees no GPU")
def test_cpu_and_gpu_agree() -> None:
    vectors = vectors_of(5000)
    on_cpu, on_gpu = DenseIndex(vectors, gpu=False), DenseIndex(vectors, gpu=True)
    assert on_gpu.device == "gpu"
    for query in vectors_of(5050)[-50:]:
        first, second = on_cpu.search(query, 10), on_gpu.search(query, 10)
        assert [row for row, _ in first] == [row for row, _ in second]
        assert np.allclose([s for _, s in first], [s for _, s in second], atol=1e-4)
