"""The real clinical knowledge, compiled once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.desk import Desk
from agent.language.understand import Lexicon
from agent.ports import Ports
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.load import read_folder


class FixedClock:
    """Always the same moment."""

    def now(self) -> datetime:
        """The moment."""
        return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def real() -> ClinicalKnowledge:
    """What ships; that it has no faults is tested where it is checked."""
    return read_folder().knowledge


@pytest.fixture(scope="session")
def desk(real: ClinicalKnowledge) -> Desk:
    """A desk without model and without retrieval."""
    return Desk.build(real, Ports(clock=FixedClock()))


@pytest.fixture(scope="session")
def lexicon(desk: Desk) -> Lexicon:
    return desk.lexicon
