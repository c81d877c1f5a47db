"""Nearness of words, by BM25: jieba cuts Chinese, a stemmer evens out English."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Sequence
from typing import Any

import bm25s
import jieba
import numpy as np
import snowballstemmer

jieba.setLogLevel(logging.WARNING)

_WORD = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]+")
_STOP = frozenset(
    re.findall(
        r"\S+",
        "the a an of to in and or is are it for with on as be by that this at from if you your "
        "的 了 和 是 在 有 或 等 及 与 也 就 都 而 着 请 您",
    )
)


class Tokeniser:
    """Cuts a text into the words that BM25 counts."""

    def __init__(self) -> None:
        self._stem = functools.cache(snowballstemmer.stemmer("english").stemWord)

    def __call__(self, text: str) -> list[str]:
        """The words of a text, in order, stop words left out."""
        words: list[str] = []
        for run in _WORD.findall(text.lower()):
            if run[0] < "\u4e00":
                words.append(self._stem(run))
            else:
                words.extend(jieba.cut_for_search(run))
        return [word for word in words if word not in _STOP]


class SparseIndex:
    """BM25 over passages."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._tokenise = Tokeniser()
        self.size = len(texts)
        self._index = bm25s.BM25(method="lucene")
        words = [self._tokenise(text) or ["-"] for text in texts]
        self._index.index(words, show_progress=False)
        self._words = [frozenset(row) for row in words]
        self._known = set(self._index.vocab_dict)

    def scores(self, query: str) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The score of every row for a query, an array (rows,); zero where no word is shared."""
        words = [word for word in self._tokenise(query) if word in self._known]
        if not words:
            return np.zeros(self.size, dtype=np.float32)
        return np.asarray(self._index.get_scores(words), dtype=np.float32)

    def held(self, query: str, row: int) -> float:
        """The share of a query's words that a row holds, 0 to 1."""
        words = set(self._tokenise(query))
        return len(words & self._words[row]) / len(words) if words else 0.0
