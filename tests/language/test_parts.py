"""Numbers, time, qualities, people, answers and intents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.language import answers
from agent.language.normalise import detect_language, plain
from agent.language.numbers import measurements
from agent.language.time import durations
from agent.language.understand import Lexicon, Reading, understand

_TABLE: dict[str, list[list[Any]]] = yaml.safe_load(
    (Path(__file__).parent / "parts.yaml").read_text("utf-8")
)


def _rows(part: str) -> Any:
    return pytest.mark.parametrize("row", _TABLE[part], ids=lambda row: str(row[0]))


def _read(text: str, lexicon: Lexicon, **more: Any) -> Reading:
    return understand(text, lexicon=lexicon, language=detect_language(text) or "en", **more)


@_rows("durations")
def test_duration(row: list[Any]) -> None:
    text, expected = row
    assert [d.iso for d in durations(plain(text))] == ([expected] if expected else [])


@_rows("measurements")
def test_measurement(row: list[Any]) -> None:
    text, expected = row
    found = {m.quantity: m.value for m in measurements(plain(text))}
    assert found == pytest.approx(expected, abs=0.01)


@_rows("profiles")
def test_profile(lexicon: Lexicon, row: list[Any]) -> None:
    text, expected = row
    profile = _read(text, lexicon).profile
    said = {"age": profile.age_years, "sex": profile.sex, "pregnant": profile.pregnant}
    said |= {"who": profile.who, "relation": profile.relation}
    assert {key: said[key] for key in expected} == expected


@_rows("answers")
def test_answer(lexicon: Lexicon, row: list[Any]) -> None:
    text, expected = row
    assert answers.answer(plain(text)) == expected
    mentions = _read(text, lexicon, pending="cough").mentions
    status = {m.status for m in mentions if m.finding == "cough" or m.by in ("answer", "derived")}
    assert status == ({expected} if expected else set())


@_rows("corrections")
def test_correction(row: list[Any]) -> None:
    text, expected = row
    assert answers.is_correction(plain(text)) is expected


@_rows("intents")
def test_intents(lexicon: Lexicon, row: list[Any]) -> None:
    text, expected = row
    found = _read(text, lexicon).intents
    assert set(expected) <= found
    risky = {"self_harm", "override", "off_topic"}
    assert found & risky <= set(expected)


@_rows("qualities")
def test_quality(lexicon: Lexicon, row: list[Any]) -> None:
    text, finding, expected = row
    kinds = lexicon.knowledge.descendants[finding] | {finding}
    mention = next(m for m in _read(text, lexicon).mentions if m.finding in kinds)
    assert {key: getattr(mention, key) for key in expected} == expected


def test_pending_ignored_when_unknown(lexicon: Lexicon) -> None:
    assert _read("yes", lexicon, pending="no_such_finding").mentions == ()


def test_correction_marks_mentions(lexicon: Lexicon) -> None:
    mentions = _read("刚才说错了，没有发烧", lexicon, pending="cough").mentions
    assert [(m.finding, m.status, m.correction) for m in mentions] == [("fever", "absent", True)]


def test_answer_carries_duration(lexicon: Lexicon) -> None:
    (mention,) = _read("yes, for three days", lexicon, pending="fever").mentions[:1]
    assert (mention.status, mention.duration) == ("present", "P3D")
    readings = _read("三天了", lexicon, pending="fever").mentions
    assert {(m.status, m.duration) for m in readings} == {("present", "P3D")}
