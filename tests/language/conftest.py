"""The real clinical knowledge, compiled once."""

from __future__ import annotations

import pytest

from agent.language.understand import Lexicon
from knowledge.clinical.load import ClinicalKnowledge, read_folder


@pytest.fixture(scope="session")
def knowledge() -> ClinicalKnowledge:
    return read_folder().knowledge


@pytest.fixture(scope="session")
def lexicon(knowledge: ClinicalKnowledge) -> Lexicon:
    return Lexicon.compile(knowledge)
