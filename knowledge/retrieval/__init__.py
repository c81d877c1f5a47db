"""Finds passages by meaning and by words, and findings by meaning."""

from knowledge.retrieval.build import open_retrieval

__all__ = ["open_retrieval"]
