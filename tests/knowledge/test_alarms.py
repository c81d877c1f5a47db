"""The detector of alarms: what it learns from, what is kept of it, and what it hears."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from agent.ports import AlarmDetector
from knowledge.clinical import ClinicalKnowledge
from knowledge.retrieval import alarms
from knowledge.retrieval.alarms import Detector, learn
from knowledge.retrieval.embedder import Embedder, Vectors
from knowledge.retrieval.sentences import Told, told, written
from model import base

_AT_ONCE = ("cannot breathe", "is not waking up", "blood is pouring out", "lips are blue")
_TODAY = ("cannot bend the finger", "eye went dark", "belly hurts badly")
_CALM = ("wants a check-up", "has a runny nose", "feels fine today", "asks about the diet")
_WHO = ("my father", "our baby", "the neighbour", "my wife", "he", "she", "the child", "grandma")


def _sample() -> list[Told]:
    kinds = ((_AT_ONCE, True), (_TODAY, False), (_CALM, None))
    return [
        Told(f"{who} {what}", ambulance)
        for who in _WHO
        for said, ambulance in kinds
        for what in said
    ]


class _Directions:
    """Stands in for the embedder: a vector that tells the three kinds apart."""

    fingerprint = "directions"

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        said = (_AT_ONCE, _TODAY, _CALM)
        rows = [[any(what in text for what in some) for some in said] for text in texts]
        return np.array(rows, np.float32)


def _with_vectors(texts: list[Told]) -> tuple[Embedder, Vectors]:
    embedder: Embedder = _Directions()  # type: ignore[assignment]
    return embedder, embedder.embed([text.text for text in texts], "query")


@pytest.mark.parametrize("by", ["words", "words and vectors"])
def test_learns_what_alarms_and_what_needs_an_ambulance(by: str) -> None:
    asked = _sample()[::7]
    texts = [text for text in _sample() if text not in asked]
    embedder, vectors = (None, None) if by == "words" else _with_vectors(texts)
    detector = Detector(learn(texts, vectors), embedder, vectors)
    given = list(zip(asked, detector.judge([text.text for text in asked]), strict=True))
    alarming = [alarm for text, alarm in given if text.alarming]
    assert max(alarm.doubt for alarm in alarming) < 0.1
    assert [alarm.ambulance for alarm in alarming] == [t.ambulance for t in asked if t.alarming]
    calm = [alarm.doubt for text, alarm in given if not text.alarming]
    assert sum(doubt > 0.1 for doubt in calm) > 0.6 * len(calm)


def test_doubt_is_the_share_of_calm_sentences_that_sound_as_alarming() -> None:
    learned = learn(_sample(), None)
    detector = Detector(learned)
    doubts = [alarm.doubt for alarm in detector.judge([text.text for text in _sample()])]
    assert all(0 < doubt <= 1 for doubt in doubts)
    assert len(learned.calm) == len(_CALM) * len(_WHO)
    assert (np.diff(learned.calm) >= 0).all()
    assert detector.judge([]) == []


def test_any_string_is_judged() -> None:
    detector = Detector(learn(_sample(), None))
    given = detector.judge(["", " ", "\0", "😀", "a" * 20_000, "疼" * 5_000])
    assert all(0 < alarm.doubt <= 1 for alarm in given)


def test_vectors_and_their_embedder_belong_together() -> None:
    texts = _sample()
    embedder, vectors = _with_vectors(texts)
    with pytest.raises(ValueError, match="belong together"):
        Detector(learn(texts, vectors), None, vectors)
    with pytest.raises(ValueError, match="belong together"):
        Detector(learn(texts, None), embedder, None)


def test_is_learned_once_and_again_when_anything_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[int] = []

    def counted(texts: Sequence[Told], vectors: Vectors | None) -> alarms.Learned:
        learnt.append(1)
        return learn(texts, vectors)

    monkeypatch.setattr(alarms, "learn", counted)
    texts = _sample()
    first = Detector.open(texts, tmp_path, None, None).judge(["our dog cannot breathe"])
    again = Detector.open(texts, tmp_path, None, None).judge(["our dog cannot breathe"])
    assert first == again
    assert len(learnt) == 1
    Detector.open(texts, tmp_path, *_with_vectors(texts))
    assert len(learnt) == 2
    Detector.open([Told("another text", True), *texts[1:]], tmp_path, None, None)
    assert len(learnt) == 3


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    texts = _sample()
    first = Detector.open(texts, tmp_path, None, None).judge(["he cannot breathe"])
    (file,) = tmp_path.glob("alarms-*.npz")
    whole = file.read_bytes()
    for damaged in (whole[:100], whole[:-100], b"", b"\0" * len(whole)):
        file.write_bytes(damaged)
        assert Detector.open(texts, tmp_path, None, None).judge(["he cannot breathe"]) == first
        assert file.read_bytes() == whole


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


def test_all_kinds_are_learned_from_in_both_languages(knowledge: ClinicalKnowledge) -> None:
    texts = told(knowledge)
    assert len({text.text for text in texts}) == len(texts)
    for chinese in (True, False):
        some = [text for text in texts if chinese != text.text.isascii()]
        assert sum(bool(text.ambulance) for text in some) > 500
        assert sum(text.alarming and not text.ambulance for text in some) > 500
        assert sum(not text.alarming for text in some) > 1000


HEARD = ["she has gone all grey and is not answering me", "老人脸色发灰，怎么叫都没动静"]
NOT_HEARD = [
    "can I book my yearly check-up online",
    "流鼻涕两天了，吃点什么好",
    "thank you",
    "我想挂个号",
]


def _hears(detector: AlarmDetector) -> None:
    assert all(alarm.ambulance and alarm.doubt < 0.02 for alarm in detector.judge(HEARD))
    assert all(alarm.doubt > 0.1 for alarm in detector.judge(NOT_HEARD))


def test_hears_an_emergency_in_words_of_its_own(
    knowledge: ClinicalKnowledge, tmp_path: Path
) -> None:
    _hears(Detector.open(told(knowledge), tmp_path, None, None))


@pytest.mark.slow  # all sentences are embedded when they are not kept
@pytest.mark.weights
def test_hears_it_with_the_embedder_too(knowledge: ClinicalKnowledge, weights: object) -> None:
    from knowledge.retrieval import open_retrieval

    home = base.default_home()
    folder = base.locate(base.E5, home)
    _, detector = open_retrieval(knowledge, home / "index", embedder=folder, report=print)
    _hears(detector)
