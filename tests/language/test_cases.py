"""What sentences mean: statements, denials, doubt, the past, other people, the merely possible."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest
import yaml

from agent.language.understand import Lexicon, understand
from agent.ports import Alarm

_TABLE = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text("utf-8"))
_ROWS = [(language, row) for language, rows in _TABLE.items() for row in rows]
_STATUS = {"+": "present", "-": "absent", "?": "unsure"}


@pytest.mark.parametrize(("language", "row"), _ROWS, ids=[row for _, row in _ROWS])
def test_sentence(lexicon: Lexicon, language: Literal["zh", "en"], row: str) -> None:
    text, _, expected = row.partition(" => ")
    reading = understand(text, lexicon=lexicon, language=language)
    below = lexicon.knowledge.descendants
    said = {(mention.finding, mention.status) for mention in reading.mentions}
    for item in expected.split():
        sign, names = item[0], item[1:].split("|")
        known = [name for name in names if name in below]
        assert known, f"no such finding: {names}"
        kinds = set(known).union(*(below[name] for name in known))
        if sign == "!":
            wrong = {(f, s) for f, s in said if f in kinds and s in ("present", "unsure")}
            assert not wrong, said
        else:
            assert any(f in kinds and s == _STATUS[sign] for f, s in said), said


class _Alarmed:
    """Takes every sentence for an emergency."""

    def judge(self, sentences: Sequence[str]) -> list[Alarm]:
        return [Alarm(ambulance=True, doubt=0.0) for _ in sentences]


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ("It was fine last month but right now it feels like a vice", True),
        ("Twenty years of this and tonight it is nothing like before", True),
        ("It felt like a vice last year", False),
        ("It has felt like a vice for twenty years", False),
        ("It felt like a vice last year, now fine", False),
        ("去年也这样，今天特别怪", True),
        ("好几年都稳，刚才突然就不对了", True),
        ("去年也这样", False),
        ("去年也这样，现在好了", False),
    ],
)
def test_the_detector_is_asked_of_what_is_now(lexicon: Lexicon, text: str, now: bool) -> None:
    """A tale of long ago raises no alarm; one that ends in the present does."""
    language: Literal["zh", "en"] = "en" if text.isascii() else "zh"
    reading = understand(text, lexicon=lexicon, language=language, alarms=_Alarmed())
    assert bool(reading.rules) == now
