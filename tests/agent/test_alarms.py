"""Which words of danger set off an emergency, and which tell of another time, person or thing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import yaml

from agent.assess import assess
from agent.desk import Desk
from agent.state import Patient

_TABLE = yaml.safe_load((Path(__file__).parent / "alarms.yaml").read_text("utf-8"))
_ROWS = [
    (language, kind == "now", text)
    for language, kinds in _TABLE.items()
    for kind, texts in kinds.items()
    for text in texts
]


@pytest.mark.parametrize(("language", "now", "text"), _ROWS, ids=[text for *_, text in _ROWS])
def test_words_of_danger(desk: Desk, language: Literal["zh", "en"], now: bool, text: str) -> None:
    flags = assess(desk, language=language, patient=Patient(), text=text).red_flags
    urgent = [flag.rule for flag in flags if flag.level.startswith("emergency")]
    assert bool(urgent) == now, flags
