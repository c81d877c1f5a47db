"""What holds for every text whatever."""

from __future__ import annotations

import time
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.language.normalise import normalise
from agent.language.understand import Lexicon, understand

_WORDS = """没有 发烧 咳嗽 头疼 但是 ， 。 三天 39度 我妈 宝宝 no fever , . but cough if chest pain
my son 2 years old 160/100 ！ ? maybe 可能 喉嚨痛 last year 去年 🤒 ｆｅｖｅｒ İ \u0301 ½"""
_PIECES = st.sampled_from(_WORDS.split())
_TEXTS = st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=25).map(" ".join))
_SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_LANGUAGES = st.sampled_from(["zh", "en"])


@given(text=st.text(max_size=300))
@_SETTINGS
def test_normal_form_points_into_the_original(text: str) -> None:
    normal = normalise(text)
    assert len(normal.text) == len(normal.starts) == len(normal.ends)
    assert all(0 <= a < b <= len(text) for a, b in zip(normal.starts, normal.ends, strict=True))
    assert list(normal.starts) == sorted(normal.starts)


@given(text=_TEXTS, language=_LANGUAGES)
@_SETTINGS
def test_never_fails_and_quotes_the_original(
    lexicon: Lexicon, text: str, language: Literal["zh", "en"]
) -> None:
    reading = understand(text, lexicon=lexicon, language=language, pending="fever")
    quoted: list[Any] = [*reading.mentions, *reading.rules, *reading.conditions]
    for item in quoted:
        assert text[item.start : item.end] == item.quote
        assert item.quote
    assert all(part in text for part in reading.unread)


@given(text=_TEXTS, language=_LANGUAGES)
@_SETTINGS
def test_deterministic(lexicon: Lexicon, text: str, language: Literal["zh", "en"]) -> None:
    first = understand(text, lexicon=lexicon, language=language)
    assert understand(text, lexicon=lexicon, language=language) == first


@given(text=_TEXTS, language=_LANGUAGES)
@_SETTINGS
def test_no_ancestor_beside_its_kind(
    lexicon: Lexicon, text: str, language: Literal["zh", "en"]
) -> None:
    reading = understand(text, lexicon=lexicon, language=language)
    present = {m.finding for m in reading.mentions if m.status == "present"}
    for finding in present:
        assert not lexicon.knowledge.ancestors[finding] & present


_EN = ["fever", "cough", "headache", "rash", "vomiting", "chest pain", "sore throat", "nausea"]
_ZH = ["发烧", "咳嗽", "头疼", "皮疹", "呕吐", "胸痛", "嗓子疼", "恶心", "腹泻", "心慌"]


@given(words=st.lists(st.sampled_from(_EN), min_size=1, max_size=4, unique=True))
@_SETTINGS
def test_no_turns_an_english_list(lexicon: Lexicon, words: list[str]) -> None:
    said = understand(" and ".join(words), lexicon=lexicon, language="en").mentions
    denied = understand("no " + " or ".join(words), lexicon=lexicon, language="en").mentions
    assert {m.status for m in said} == {"present"}
    assert {m.status for m in denied} == {"absent"}
    assert len(denied) >= len(words)


@given(words=st.lists(st.sampled_from(_ZH), min_size=1, max_size=4, unique=True))
@_SETTINGS
def test_no_turns_a_chinese_list(lexicon: Lexicon, words: list[str]) -> None:
    said = understand("、".join(words), lexicon=lexicon, language="zh").mentions
    denied = understand("没有" + "、".join(words), lexicon=lexicon, language="zh").mentions
    assert {m.status for m in said} == {"present"}
    assert {m.status for m in denied} == {"absent"}


@pytest.mark.parametrize(
    "text", ["I have chest pain and a cough. ", "头疼发烧，没有腹泻。", "没有", "发烧"]
)
def test_long_messages_take_time_in_proportion(lexicon: Lexicon, text: str) -> None:
    def spent(size: int) -> float:
        """Seconds of this process alone: what else the machine does must not count."""
        began = time.process_time()
        understand(text * (size // len(text)), lexicon=lexicon, language="zh")
        return time.process_time() - began

    spent(2_000)
    assert spent(12_000) < 5 * max(spent(4_000), 0.05)  # three times as long, no nine times

    whole = text * (6_000 // len(text))
    reading = understand(whole, lexicon=lexicon, language="zh")
    for mention in reading.mentions:
        assert whole[mention.start : mention.end] == mention.quote
    short = understand(text, lexicon=lexicon, language="zh")
    assert {m.finding for m in reading.mentions} >= {m.finding for m in short.mentions}
