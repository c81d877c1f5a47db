"""The detector of alarms: what it learns from, what is kept of it, and what it hears."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.ports import PhraseMatcher
from knowledge.clinical import ClinicalKnowledge
from knowledge.retrieval import open_retrieval
from knowledge.retrieval.alarms import AlarmDetector, Told, kept, learned, told, written
from knowledge.retrieval.embedder import Vectors
from model import base


def _sample(size: int = 200, width: int = 8) -> tuple[list[Told], Vectors]:
    """Texts whose first direction says whether they alarm, the second whether by ambulance."""
    random = np.random.default_rng(3)
    x = random.normal(size=(size, width)).astype(np.float32)
    texts = [
        Told(f"text {i}", bool(row[0] > 0), bool(row[1] > 0) if row[0] > 0 else None)
        for i, row in enumerate(x)
    ]
    return texts, x


def test_learns_both_directions_and_seldom_alarms_without_need() -> None:
    texts, x = _sample()
    detector = AlarmDetector(learned(texts, x))
    given = detector.judge(x)
    wrong = sum(a is not None and not t.alarming for a, t in zip(given, texts, strict=True))
    heard = [(a, t) for a, t in zip(given, texts, strict=True) if a is not None and t.alarming]
    assert wrong <= 2
    assert len(heard) > 0.8 * sum(text.alarming for text in texts)
    assert sum(a.ambulance == t.ambulance for a, t in heard) > 0.9 * len(heard)


def test_is_learned_once_and_again_when_anything_changes(tmp_path: Path) -> None:
    texts, x = _sample()
    asked: list[int] = []

    def vectors() -> Vectors:
        asked.append(1)
        return x

    first = kept(tmp_path, "a", texts, vectors)
    second = kept(tmp_path, "a", texts, vectors)
    assert len(asked) == 1
    assert np.array_equal(first.alarm, second.alarm)
    assert first.threshold == second.threshold
    kept(tmp_path, "b", texts, vectors)  # another embedder
    changed = [Told("another text", True, True), *texts[1:]]
    kept(tmp_path, "a", changed, vectors)
    assert len(asked) == 3


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    texts, x = _sample()
    first = kept(tmp_path, "a", texts, lambda: x)
    (file,) = tmp_path.glob("alarms-*.npz")
    file.write_bytes(file.read_bytes()[:100])
    again = kept(tmp_path, "a", texts, lambda: x)
    assert np.array_equal(first.alarm, again.alarm)
    assert kept(tmp_path, "a", texts, lambda: 1 / 0).threshold == again.threshold  # type: ignore[arg-type, return-value]


def test_reads_every_file_of_the_folder_and_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no sentences"):
        list(written(tmp_path))
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "first.yaml").write_text("calm: {en: [all is well]}\n")
    (tmp_path / "told" / "more.yaml").write_text(
        "schema: 1\nambulance: {zh: [快没气了]}\n", "utf-8"
    )
    assert list(written(tmp_path)) == [("calm", "all is well"), ("ambulance", "快没气了")]
    (tmp_path / "told" / "wrong.yaml").write_text("urgent: {en: [help]}\n")
    with pytest.raises(ValueError, match=r"wrong\.yaml.*'urgent'"):
        list(written(tmp_path))


def test_both_kinds_are_learned_from(knowledge: ClinicalKnowledge) -> None:
    texts = told(knowledge, [])
    assert len({text.text for text in texts}) == len(texts)
    assert sum(text.alarming for text in texts) > 500
    assert sum(not text.alarming for text in texts) > 500


@pytest.mark.slow
@pytest.mark.weights
class TestOnTheRealEmbedder:
    @pytest.fixture(scope="class")
    def matcher(self, knowledge: ClinicalKnowledge, weights: object) -> PhraseMatcher:
        home = base.default_home()
        _, made = open_retrieval(
            knowledge, home / "index", embedder=base.locate(base.E5, home), report=print
        )
        assert made is not None
        return made

    @pytest.mark.parametrize(
        "sentence",
        ["she has gone all grey and is not answering me", "老人脸色发灰，怎么叫都没动静"],
    )
    def test_hears_an_emergency_in_words_of_its_own(
        self, matcher: PhraseMatcher, sentence: str
    ) -> None:
        (alarm,) = matcher.alarms([sentence])
        assert alarm is not None
        assert alarm.ambulance

    def test_is_quiet_about_everyday_matters(self, matcher: PhraseMatcher) -> None:
        calm = [
            "can I book my yearly check-up online",
            "流鼻涕两天了，吃点什么好",
            "thank you",
            "我想挂个号",
        ]
        assert matcher.alarms(calm) == [None] * len(calm)
        assert matcher.alarms([]) == []
