"""A question is answered by the sentence that answers it, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from agent.ports import Language
from knowledge.documents.articles import Chunk
from knowledge.retrieval.answers import Answers, sentences

CASES: dict[Language, list[tuple[str, str, str | None]]] = yaml.safe_load(
    (Path(__file__).parent / "questions.yaml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def answers(chunks: list[Chunk]) -> Answers:
    return Answers(chunks)


@pytest.mark.parametrize(
    ("language", "entry", "question", "words"),
    [(language, *case) for language, cases in CASES.items() for case in cases],
)
def test_the_right_sentence_or_none(
    answers: Answers, language: Language, entry: str, question: str, words: str | None
) -> None:
    said = " ".join(answer.quote for answer in answers.find(question, language, [entry]))
    if words is None:
        assert said == ""
    else:
        assert words in said


def test_an_answer_is_a_piece_of_its_passage(answers: Answers, chunks: list[Chunk]) -> None:
    for language, cases in CASES.items():
        for entry, question, _ in cases:
            for answer in answers.find(question, language, [entry]):
                chunk = chunks[answer.row]
                assert answer.quote in chunk.text
                assert (chunk.entry, chunk.language) == (entry, language)


def test_the_condition_that_is_named_goes_before_the_others(
    answers: Answers, chunks: list[Chunk]
) -> None:
    found = answers.find("is chickenpox contagious?", "en", ["common_cold", "migraine"])
    assert {chunks[answer.row].entry for answer in found} == {"chickenpox"}


def test_the_first_entry_that_answers_is_taken(answers: Answers, chunks: list[Chunk]) -> None:
    found = answers.find("can I go swimming?", "en", ["migraine", "otitis_externa"])
    assert {chunks[answer.row].entry for answer in found} == {"otitis_externa"}
    assert answers.find("can I go swimming?", "en", []) == []


def test_sentences_stand_in_the_text_as_they_are() -> None:
    assert sentences("One. Two? Three") == ["One.", "Two?", "Three"]
    assert sentences("一。二！三") == ["一。", "二！", "三"]
