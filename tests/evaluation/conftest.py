"""The real desk, made once, and where the public sets are."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.desk import Desk
from agent.ports import Ports
from knowledge.clinical.load import read_folder


class FixedClock:
    """Always the same moment."""

    def now(self) -> datetime:
        """The moment."""
        return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def desk() -> Desk:
    """A desk without model and without embedder."""
    return Desk.build(read_folder().knowledge, Ports(clock=FixedClock()))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the public data sets; skips where they are not."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("HUATUO_SHARED_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"no public data sets at {folder}; name their folder in HUATUO_SHARED_DATA")
    return folder
