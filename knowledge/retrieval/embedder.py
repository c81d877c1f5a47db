"""Sentences to vectors, by a sentence-transformers folder on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
PREFIX = {"query": "query: ", "passage": "passage: "}
"""What multilingual-e5 was trained with in front of either kind of text."""

_BATCH = 64


class Embedder:
    """Makes unit vectors, so that an inner product is a cosine.

    `fingerprint` names the weights: vectors of two embedders never mix.
    """

    def __init__(self, folder: Path) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(folder), local_files_only=True)
        self.fingerprint = _fingerprint(folder)
        width = self._model.get_embedding_dimension()
        assert width is not None  # every folder with a pooling layer knows its width
        self.width = int(width)

    def embed(
        self,
        texts: Sequence[str],
        kind: Literal["query", "passage"],
        progress: Callable[[int], None] | None = None,
    ) -> Vectors:
        """Vectors of `texts`, an array (texts, width). `progress` hears how many are done.

        Long and short texts are embedded apart, so that none is padded to another's length.
        """
        found = np.zeros((len(texts), self.width), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            found[rows] = self._model.encode(
                [PREFIX[kind] + texts[row] for row in rows],
                batch_size=_BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
            if progress is not None:
                progress(start + len(rows))
        return found


def _fingerprint(folder: Path) -> str:
    """Hash over the names and sizes of the folder's files and the first bytes of the weights: the
    weights themselves were verified when they were fetched."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            digest.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
            with path.open("rb") as file:
                digest.update(file.read(65536))
    return digest.hexdigest()[:16]
