"""What sentences mean: statements, denials, doubt, the past, other people, the merely possible."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import yaml

from agent.language.understand import Lexicon, understand

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
