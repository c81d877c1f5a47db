"""The embedder agrees with sentence-transformers, and what it made is kept safely."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from knowledge.documents.articles import Chunk
from knowledge.retrieval import bert
from knowledge.retrieval.cache import VectorCache
from knowledge.retrieval.embedder import PREFIX, Embedder, SentenceTransformersEncoder

pytestmark = [pytest.mark.weights, pytest.mark.xdist_group("e5")]
TEXTS = ["sore throat", "喉咙痛，吞咽时更痛", "a", "He fell from a ladder and cannot walk. " * 40]


def quiet(_: str) -> None:
    pass


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_agrees_with_sentence_transformers(
    weights: Path, embedder: Embedder, few: list[Chunk]
) -> None:
    """Cosines within 0.01, and the same nearest passage, for texts of every length."""
    assert bert.understands(weights)
    reference = SentenceTransformersEncoder(weights)
    passages = [chunk.text for chunk in few[:40]]
    for texts in (TEXTS, passages):
        own = embedder.embed(texts, "passage")
        theirs = reference.vectors([PREFIX["passage"] + text for text in texts])
        assert (own * theirs).sum(axis=1).min() > 0.99
    queries = [chunk.title for chunk in few[:40]]
    near = embedder.embed(queries, "query") @ embedder.embed(passages, "passage").T
    far = reference.vectors([PREFIX["query"] + q for q in queries]) @ (
        reference.vectors([PREFIX["passage"] + p for p in passages]).T
    )
    assert np.abs(near - far).max() < 0.01


def test_vectors_have_length_one_and_keep_their_order(embedder: Embedder) -> None:
    found = embedder.embed(TEXTS, "query")
    assert found.shape == (len(TEXTS), embedder.width)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    for row, text in enumerate(TEXTS):
        assert float(found[row] @ embedder.embed([text], "query")[0]) > 0.999
    assert embedder.embed([], "query").shape == (0, embedder.width)


def test_progress_ends_at_the_whole(embedder: Embedder) -> None:
    shares = [share for _, _, share in embedder.batches(TEXTS * 20, "query")]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_no_embedder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="huatuo model fetch"):
        Embedder(tmp_path)


def cache_file(folder: Path) -> Path:
    (path,) = folder.glob("*.npz")
    return path


def test_only_what_is_new_is_embedded(
    embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = VectorCache(tmp_path, embedder).embed(TEXTS, "query", quiet, "texts")
    asked: list[str] = []
    real = embedder.batches
    monkeypatch.setattr(embedder, "batches", lambda t, k: asked.extend(t) or real(t, k))
    again = VectorCache(tmp_path, embedder).embed([*TEXTS, "new", "new"], "query", quiet, "texts")
    assert asked == ["new"]
    assert np.array_equal(again[: len(TEXTS)], first)
    assert np.array_equal(again[-1], again[-2])
    assert np.abs(first - embedder.embed(TEXTS, "query")).max() < 1e-3


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "shape", "nan"])
def test_a_damaged_file_is_set_aside_and_made_again(
    embedder: Embedder, tmp_path: Path, damage: str
) -> None:
    first = VectorCache(tmp_path, embedder).embed(TEXTS, "query", quiet, "texts")
    path = cache_file(tmp_path)
    whole = path.read_bytes()
    if damage == "shape":
        np.savez(path, keys=np.array(["a", "b"]), vectors=np.zeros((1, 3), np.float16))
    elif damage == "nan":
        with np.load(path) as file:
            keys, vectors = file["keys"], file["vectors"]
        vectors[0, 0] = np.nan
        np.savez(path, keys=keys, vectors=vectors)
    else:
        path.write_bytes(
            {"cut": whole[: len(whole) // 2], "garbage": b"x" * 500, "empty": b""}[damage]
        )
    again = VectorCache(tmp_path, embedder).embed(TEXTS, "query", quiet, "texts")
    assert np.array_equal(first, again)
    assert list(tmp_path.glob("*.damaged"))
    assert not list(tmp_path.glob("*.tmp"))


def test_another_embedders_vectors_are_not_mixed_in(
    weights: Path, embedder: Embedder, tmp_path: Path
) -> None:
    other_folder = shutil.copytree(weights, tmp_path / "other")
    (other_folder / "README.md").write_text("other weights", encoding="utf-8")
    other = Embedder(other_folder)
    assert other.fingerprint != embedder.fingerprint
    index = tmp_path / "index"
    VectorCache(index, embedder).embed(["a"], "query", quiet, "texts")
    VectorCache(index, other).embed(["b"], "query", quiet, "texts")
    assert len(list(index.glob("*.npz"))) == 2


def test_a_write_that_fails_leaves_nothing_half_written(
    embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    VectorCache(tmp_path, embedder).embed(["a"], "query", quiet, "texts")
    before = cache_file(tmp_path).read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        VectorCache(tmp_path, embedder).embed(["b"], "query", quiet, "texts")
    assert cache_file(tmp_path).read_bytes() == before
    assert not list(tmp_path.glob("*.tmp"))
