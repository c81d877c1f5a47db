"""How alarming a sentence sounds, whether or not any listed words say so.

A kernel machine in the least-squares sense (Suykens and Vandewalle 1999,
doi:10.1023/A:1018628609742) that learns from some ten thousand sentences (`sentences`): to which
of them is this one near? Near by its pieces of one to four characters, weighted by their rarity,
which see words and how they are typed; and near by the vector of the embedder, which sees what is
meant. Each misses what the other hears (docs/benchmarks.md). Without an embedder the pieces stand
alone.

Of an alarm it is also learned whether an ambulance is needed. What a score is worth is said as
doubt: the share of calm sentences, none of which was learned from when it was scored, that sound
at least as alarming.

Learning takes seconds, so that what came of it is kept until anything that it was learned from
changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import LinearOperator, cg
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from agent.ports import Alarm
from knowledge.retrieval.cache import save
from knowledge.retrieval.embedder import Embedder, Vectors
from knowledge.retrieval.sentences import Told

_PENALTY = 0.3
_NEAR = 6.0
"""How fast nearness falls with the squared distance of two vectors of the embedder, which stand
close together: unrelated sentences are at .3 to .5."""
_FOLDS = 4
_PIECES = HashingVectorizer(
    analyzer="char", ngram_range=(1, 4), n_features=2**18, norm=None, alternate_sign=False,
    dtype=np.float32,
)  # fmt: skip
_TOLERANCE = 1e-3
_STEPS = 300
_FORM = 2  # of the file


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from n sentences."""

    rarity: Vectors
    """(pieces,): how much each piece of characters says."""
    pieces: Vectors
    """(2, pieces): weights for an alarm and for an ambulance."""
    sentences: Vectors
    """(2, n): weights of nearness to each sentence, and of `bias`."""
    bias: Vectors
    """(2,)"""
    calm: Vectors
    """Scores of the calm sentences, ascending."""


_PARTS = tuple(field.name for field in fields(Learned))


def learn(texts: Sequence[Told], vectors: Vectors | None) -> Learned:
    """Learn from sentences. `vectors` (n, width) are the embedder's, or None without one."""
    counts = _PIECES.transform([text.text for text in texts])
    seen = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = (np.log((1 + len(texts)) / (1 + seen)) + 1).astype(np.float32)
    words = _weighted(counts, rarity)
    alarming = np.array([text.alarming for text in texts])
    sure = np.flatnonzero(alarming)
    ambulance = np.array([bool(text.ambulance) for text in texts])

    folds = np.arange(len(texts)) % _FOLDS  # neighbours in a file are alike: into other folds
    scores = np.zeros(len(texts), np.float32)
    for fold in range(_FOLDS):
        rest, out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        part = _solve(words[rest], _rows(vectors, rest), alarming[rest])
        scores[out] = words[out] @ (words[rest].T @ part) + part.sum()
        if vectors is not None:
            scores[out] += _nearness(vectors[out], vectors[rest]) @ part

    weights = np.zeros((2, len(texts)), np.float32)
    weights[0] = _solve(words, vectors, alarming)
    if len(sure):
        weights[1, sure] = _solve(words[sure], _rows(vectors, sure), ambulance[sure])
    return Learned(
        rarity=rarity,
        pieces=(words.T @ weights.T).T.astype(np.float32),
        sentences=weights,
        bias=weights.sum(axis=1),
        calm=np.sort(scores[~alarming]),
    )


class Detector:
    """Implements `agent.ports.AlarmDetector` with what was learned."""

    def __init__(
        self, learned: Learned, embedder: Embedder | None = None, vectors: Vectors | None = None
    ) -> None:
        """`vectors` (n, width) are those of the sentences that were learned from."""
        if (embedder is None) != (vectors is None):
            raise ValueError("an embedder and the vectors of what was learned belong together")
        self._learned = learned
        self._embedder, self._vectors = embedder, vectors

    @classmethod
    def open(
        cls,
        texts: Sequence[Told],
        folder: Path,
        embedder: Embedder | None,
        vectors: Vectors | None,
        report: Callable[[str], None] = lambda line: None,
    ) -> Self:
        """With what is kept in the folder, or learn it and keep it. Raises OSError."""
        name = "words" if embedder is None else embedder.fingerprint
        path = folder / f"alarms-{name}.npz"
        said = [_FORM, _PENALTY, _NEAR, _FOLDS, [astuple(text) for text in texts]]
        key = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
        learned = _read(path, key)
        if learned is None:
            report(f"learning alarms from {len(texts)} sentences (once; it is kept)")
            learned = learn(texts, vectors)
            folder.mkdir(parents=True, exist_ok=True)
            save(path, key=np.array(key), **{name: getattr(learned, name) for name in _PARTS})
        return cls(learned, embedder, vectors)

    def judge(self, sentences: Sequence[str]) -> list[Alarm]:
        """How alarming each sentence sounds."""
        if not sentences:
            return []
        learned = self._learned
        words = _weighted(_PIECES.transform(sentences), learned.rarity)
        scores = words @ learned.pieces.T + learned.bias
        if self._embedder is not None and self._vectors is not None:
            own = self._embedder.embed(list(sentences), "query")
            scores = scores + _nearness(own, self._vectors) @ learned.sentences.T
        above = len(learned.calm) - np.searchsorted(learned.calm, scores[:, 0])
        doubts = (above + 1) / (len(learned.calm) + 1)
        return [
            Alarm(ambulance=bool(ambulance > 0), doubt=float(doubt))
            for ambulance, doubt in zip(scores[:, 1], doubts, strict=True)
        ]


def _weighted(counts: csr_matrix, rarity: Vectors) -> csr_matrix:
    """Unit rows (texts, pieces)."""
    return normalize(counts.multiply(rarity).tocsr(), copy=False).astype(np.float32)


def _nearness(some: Vectors, others: Vectors) -> Vectors:
    """The Gaussian kernel of unit vectors, an array (some, others)."""
    found: Vectors = some @ others.T
    found -= 1
    found *= 2 * _NEAR
    return np.exp(found, out=found)


def _rows(vectors: Vectors | None, rows: NDArray[np.intp]) -> Vectors | None:
    return None if vectors is None else vectors[rows]


def _solve(words: csr_matrix, vectors: Vectors | None, yes: NDArray[np.bool_]) -> Vectors:
    """Weights (texts,) of the machine that says 1 where `yes` and -1 elsewhere; both kinds weigh
    the same however many there are. Found by conjugate gradients: nothing larger than the kernel
    of the vectors is held in memory."""
    near = None if vectors is None else _nearness(vectors, vectors)
    across = words.T.tocsr()
    share = np.clip(yes.mean(), 0.01, 0.99)
    penalty = (_PENALTY * np.where(yes, 2 * share, 2 * (1 - share))).astype(np.float32)

    def apply(weights: Vectors) -> Vectors:
        weights = weights.reshape(-1)
        found: Vectors = words @ (across @ weights) + weights.sum() + penalty * weights
        return found if near is None else found + near @ weights

    size = len(yes)
    system = LinearOperator((size, size), matvec=apply, dtype=np.float32)
    wanted = np.where(yes, np.float32(1), np.float32(-1))
    found, _ = cg(system, wanted, rtol=_TOLERANCE, maxiter=_STEPS)
    return np.asarray(found, np.float32)


def _read(path: Path, key: str) -> Learned | None:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if str(file["key"]) != key:
                return None
            parts: dict[str, Any] = {name: file[name] for name in _PARTS}
    except Exception:  # not there, or whatever numpy and zipfile make of a damaged file
        return None
    if not all(np.isfinite(part).all() for part in parts.values()):
        return None
    return Learned(**parts)
