"""The real knowledge and its passages; the real embedder where its weights are."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from knowledge import clinical
from knowledge.clinical import ClinicalKnowledge
from knowledge.documents.articles import Chunk, articles
from knowledge.retrieval.embedder import Embedder
from model import base
from tests.knowledge.folders import BASE

FEW = ("common_cold", "influenza", "migraine", "ankle_sprain", "chickenpox", "gout", "cystitis")
"""Conditions whose passages are embedded in tests: enough to rank, quick to embed."""


@pytest.fixture(scope="session")
def knowledge() -> ClinicalKnowledge:
    return clinical.load()


@pytest.fixture(scope="session")
def chunks(knowledge: ClinicalKnowledge) -> list[Chunk]:
    return articles(knowledge)


@pytest.fixture(scope="session")
def few(chunks: list[Chunk]) -> list[Chunk]:
    return [chunk for chunk in chunks if chunk.entry in FEW]


@pytest.fixture(scope="session")
def weights() -> Path:
    folder = base.locate(base.E5, base.default_home())
    if folder is None:
        pytest.skip("the embedder's weights are not here; run `huatuo model fetch`")
    return folder


@pytest.fixture(scope="session")
def embedder(weights: Path) -> Embedder:
    return Embedder(weights)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny folder of knowledge without a fault."""
    for name, text in BASE.items():
        (tmp_path / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return tmp_path
