"""Vectors kept by content, so that only what changed is embedded again."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.retrieval.embedder import Embedder, Kind, Vectors

_Half = np.ndarray[Any, np.dtype[np.float16]]
_SAVE_SECONDS = 15.0
_REPORT_SECONDS = 3.0


class VectorCache:
    """One file for each embedder and kind of text: hashes of texts and their vectors, in half
    precision, which moves a cosine by less than 0.001.

    A damaged file is set aside and made again; it holds nothing that cannot be.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self.folder, self.embedder = folder, embedder
        folder.mkdir(parents=True, exist_ok=True)

    def embed(
        self, texts: Sequence[str], kind: Kind, report: Callable[[str], None], what: str
    ) -> Vectors:
        """Vectors of `texts`, an array (texts, width), from the cache where they are there.

        A text that occurs twice is embedded once. A run that is broken off goes on later from
        where it was last saved. Raises OSError when the file cannot be written.
        """
        path = self.folder / f"{kind}-{self.embedder.fingerprint}.npz"
        known = self._read(path)
        keys = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        names = list(missing)
        begun = said = saved = time.monotonic()
        done = 0
        if missing:
            report(f"embedding {len(missing)} {what} (once; they are kept)")
        for rows, vectors, share in self.embedder.batches(list(missing.values()), kind):
            known.update(zip((names[row] for row in rows), vectors.astype(np.float16), strict=True))
            done += len(rows)
            now = time.monotonic()
            if now - said >= _REPORT_SECONDS:
                said = now
                report(_progress(what, done, len(missing), share, now - begun))
            if now - saved >= _SAVE_SECONDS:
                self._write(path, known)
                saved = time.monotonic()
        if missing:
            self._write(path, known)
            report(f"embedded {len(missing)} {what} in {time.monotonic() - begun:.0f} s")
        found = [known[key] for key in keys]
        if not found:
            return np.zeros((0, self.embedder.width), np.float32)
        return np.stack(found).astype(np.float32)

    def _read(self, path: Path) -> dict[str, _Half]:
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                keys, vectors = file["keys"], file["vectors"]
                if vectors.shape != (len(keys), self.embedder.width):
                    raise ValueError("shape")
                if vectors.dtype != np.float16 or not np.isfinite(vectors).all():
                    raise ValueError("numbers")
                return dict(zip((str(key) for key in keys), vectors, strict=True))
        except FileNotFoundError:
            return {}
        except OSError as error:
            if error.errno is not None:  # the disk's fault, not the file's
                raise
            return self._set_aside(path)
        except Exception:  # whatever numpy or zipfile make of a damaged file
            return self._set_aside(path)

    def _set_aside(self, path: Path) -> dict[str, _Half]:
        path.replace(path.with_suffix(".damaged"))
        return {}

    def _write(self, path: Path, known: dict[str, _Half]) -> None:
        keys = np.array(list(known), dtype="U32")
        save(path, keys=keys, vectors=np.stack(list(known.values())))


def save(path: Path, **arrays: np.ndarray[Any, Any]) -> None:
    """Write arrays to a file of numpy's, whole or not at all. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _progress(what: str, done: int, whole: int, share: float, seconds: float) -> str:
    """A line such as `embedding passages: 1200 of 4684 (41 %), 96/s, 24 s left`."""
    left = seconds * (1 - share) / share if share else 0.0
    return (
        f"embedding {what}: {done} of {whole} ({share:.0%}), {done / seconds:.0f}/s, "
        f"{left:.0f} s left"
    )
