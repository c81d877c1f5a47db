"""Vectors kept by content, so that only what changed is embedded again."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from knowledge.retrieval.embedder import Embedder, Vectors

_SAVE_EVERY = 1024


class VectorCache:
    """One file for each embedder and kind of text: hashes of texts and their vectors.

    A damaged file is set aside and made again; it holds nothing that cannot be.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self.folder, self.embedder = folder, embedder
        folder.mkdir(parents=True, exist_ok=True)

    def embed(
        self,
        texts: Sequence[str],
        kind: Literal["query", "passage"],
        report: Callable[[str], None],
        what: str,
    ) -> Vectors:
        """Vectors of `texts`, an array (texts, width), from the cache where they are there."""
        path = self.folder / f"{kind}-{self.embedder.fingerprint}.npz"
        known = self._read(path)
        keys = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]
        missing = list({k: t for k, t in zip(keys, texts, strict=True) if k not in known}.items())
        for start in range(0, len(missing), _SAVE_EVERY):
            part = missing[start : start + _SAVE_EVERY]
            report(f"embedding {what}: {start} of {len(missing)}")
            vectors = self.embedder.embed([text for _, text in part], kind)
            known.update((key, vector) for (key, _), vector in zip(part, vectors, strict=True))
            self._write(path, known)  # a run that is broken off goes on from here
        if missing:
            report(f"embedding {what}: {len(missing)} of {len(missing)}")
        found = [known[key] for key in keys]
        return np.stack(found) if found else np.zeros((0, self.embedder.width), np.float32)

    def _read(self, path: Path) -> dict[str, Vectors]:
        try:
            with np.load(path, allow_pickle=False) as file:
                keys, vectors = file["keys"], file["vectors"]
                if vectors.shape != (len(keys), self.embedder.width):
                    raise ValueError("shape")
                return dict(zip((str(key) for key in keys), vectors, strict=True))
        except FileNotFoundError:
            return {}
        except Exception:  # whatever numpy or zipfile make of a damaged file
            path.replace(path.with_suffix(".damaged"))
            return {}

    def _write(self, path: Path, known: dict[str, Vectors]) -> None:
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                keys = np.array(list(known), dtype="U32")
                np.savez(file, keys=keys, vectors=np.stack(list(known.values())))
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
