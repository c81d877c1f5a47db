"""Sentences to vectors, by a sentence-transformers folder on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.retrieval.workers import Workers

Vectors = NDArray[np.float32]
Kind = Literal["query", "passage"]
PREFIX: dict[Kind, str] = {"query": "query: ", "passage": "passage: "}
"""What multilingual-e5 was trained with in front of either kind of text."""

_BATCH_TOKENS = 768
"""Size of a batch with its padding: larger ones leave the cache of a processor's core."""


class Encoder(Protocol):
    """Runs one model. `precision` names the numbers that it multiplies."""

    width: int
    precision: str

    def cut(self, texts: Sequence[str]) -> Sequence[Any]:
        """Each text as the model reads it; its length says how much work it is."""
        ...

    def vectors(self, pieces: Sequence[Any]) -> Vectors:
        """Unit vectors, an array (texts, width), of texts that were cut."""
        ...


class SentenceTransformersEncoder:
    """Any embedder that sentence-transformers loads."""

    precision = "float32"

    def __init__(self, folder: Path) -> None:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self._model = SentenceTransformer(str(folder), local_files_only=True)
        self.width = int(self._model.encode(["-"], show_progress_bar=False).shape[1])

    def cut(self, texts: Sequence[str]) -> Sequence[str]:
        """The texts themselves: the library cuts them when it embeds them."""
        return texts

    def vectors(self, pieces: Sequence[str]) -> Vectors:
        """Unit vectors, an array (texts, width)."""
        found = self._model.encode(
            list(pieces), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(found, dtype=np.float32)


class Embedder:
    """Makes unit vectors, so that an inner product is a cosine.

    `fingerprint` names the weights and the precision: vectors of two embedders never mix.
    """

    def __init__(self, folder: Path) -> None:
        """Raises FileNotFoundError when the folder holds no embedder."""
        if not (folder / "modules.json").is_file():
            raise FileNotFoundError(
                f"{folder} is no sentence-transformers folder; run `huatuo model fetch`"
            )
        from knowledge.retrieval import bert

        self._encoder: Encoder = (
            bert.BertEncoder(folder)
            if bert.understands(folder)
            else SentenceTransformersEncoder(folder)
        )
        self._workers = Workers(_threads)
        self.width = self._encoder.width
        self.fingerprint = f"{_fingerprint(folder)}-{self._encoder.precision}"

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Vectors of `texts`, an array (texts, width)."""
        found = np.zeros((len(texts), self.width), dtype=np.float32)
        for rows, vectors, _ in self.batches(texts, kind):
            found[rows] = vectors
        return found

    def batches(
        self, texts: Sequence[str], kind: Kind
    ) -> Iterator[tuple[list[int], Vectors, float]]:
        """The same batch by batch: rows, their vectors, and the share of the work that is done.

        The longest come first, and texts of one length together, so that little is padded, the
        time that is left is never underestimated and memory is short at once or never.
        """
        pieces = self._encoder.cut([PREFIX[kind] + text for text in texts])
        order = sorted(range(len(pieces)), key=lambda row: -len(pieces[row]))
        whole = sum(map(len, pieces))
        batches: list[list[int]] = []
        start = done = 0
        while start < len(order):
            longest = max(1, len(pieces[order[start]]))
            batches.append(order[start : start + max(1, _BATCH_TOKENS // longest)])
            start += len(batches[-1])
        found = self._workers.pool.map(
            lambda rows: self._encoder.vectors([pieces[row] for row in rows]), batches
        )
        for rows, vectors in zip(batches, found, strict=True):
            done += sum(len(pieces[row]) for row in rows)
            yield rows, vectors, done / (whole or 1)


def _threads() -> ThreadPoolExecutor:
    """One worker a core, each of which multiplies by itself.

    Cores that share one small product wait for each other at every step: beside any other busy
    process that is many times slower than a batch for each core.
    """
    import torch

    cores = torch.get_num_threads()
    ready = Barrier(cores + 1)

    def alone() -> None:
        torch.set_num_threads(1)
        ready.wait()

    workers = ThreadPoolExecutor(cores, "embedder", initializer=alone)
    for _ in range(cores):
        workers.submit(int)
    ready.wait()
    torch.set_num_threads(cores)  # what other threads begin with
    return workers


def _fingerprint(folder: Path) -> str:
    """Hash over the names and sizes of the folder's files and the first bytes of each: the
    weights themselves were verified when they were fetched."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            digest.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
            with path.open("rb") as file:
                digest.update(file.read(65536))
    return digest.hexdigest()[:16]
