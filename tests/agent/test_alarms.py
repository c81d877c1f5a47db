"""What words set off: which are an emergency here and now, and what they tell of who is ill."""

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


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("my periods are very painful", "female"),
        ("睾丸疼", "male"),
        ("no vaginal bleeding, my head hurts", None),
        ("我头疼", None),
        ("poor sperm count, irregular periods", None),
    ],
)
def test_what_is_told_may_tell_the_sex(desk: Desk, text: str, sex: str | None) -> None:
    language: Literal["zh", "en"] = "en" if text.isascii() else "zh"
    known = assess(desk, language=language, patient=Patient(), text=text)
    assert known.patient.sex == sex
