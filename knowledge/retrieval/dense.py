"""Nearness of meaning, by FAISS: on a GPU where there is one, else on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import faiss
import numpy as np
import structlog

from knowledge.retrieval.embedder import Vectors

log = structlog.get_logger(__name__)


class DenseIndex:
    """Exact inner-product search over unit vectors.

    Below some hundred thousand passages a flat index answers in about a millisecond and finds
    everything; nothing faster is needed. A query within given rows is always answered on the CPU,
    where an index can be restricted to them.
    """

    def __init__(self, vectors: Vectors, *, gpu: bool | None = None) -> None:
        """`gpu`: True demands one (RuntimeError where there is none), None takes one that is
        there, False does without."""
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self._cpu = faiss.IndexFlatIP(vectors.shape[1])
        self._cpu.add(self.vectors)
        self._whole: Any = self._cpu
        self.device = "cpu"
        gpus = faiss.get_num_gpus() if hasattr(faiss, "get_num_gpus") else 0
        if gpu and not gpus:
            raise RuntimeError("a GPU was demanded for the index and faiss sees none")
        if gpus and gpu is not False:
            try:
                self._resources = faiss.StandardGpuResources()
                self._whole = faiss.index_cpu_to_gpu(self._resources, 0, self._cpu)
                self.device = "gpu"
            except Exception as error:
                if gpu:
                    raise
                log.warning("index.gpu_failed", error=type(error).__name__)

    def search(
        self, query: Vectors, k: int, rows: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """The `k` nearest rows to a vector (width,), best first, with their cosines; only among
        `rows` when given."""
        if rows is not None and not len(rows):
            return []
        matrix = query.reshape(1, -1).astype(np.float32)
        if rows is None:
            scores, found = self._whole.search(matrix, min(k, self._cpu.ntotal))
        else:
            selector = faiss.IDSelectorBatch(np.asarray(rows, dtype=np.int64))
            scores, found = self._cpu.search(
                matrix,
                min(k, len(rows)),
                params=faiss.SearchParameters(sel=selector),  # type: ignore[call-arg]
            )
        return [
            (int(row), float(score))
            for row, score in zip(found[0], scores[0], strict=True)
            if row >= 0
        ]
