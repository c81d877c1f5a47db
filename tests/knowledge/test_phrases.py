"""The nearest phrase is believed only when it is nearly certain."""

from __future__ import annotations

import pytest

from agent.language.understand import Lexicon
from agent.ports import Language, PhraseMatcher
from bench.retrieval import phrases
from knowledge.clinical import ClinicalKnowledge
from knowledge.retrieval import open_retrieval
from knowledge.retrieval.phrases import everyday_sentences, phrases_of
from model import base

LANGUAGES: tuple[Language, ...] = ("en", "zh")


def test_phrases_stand_by_themselves(knowledge: ClinicalKnowledge) -> None:
    for language in LANGUAGES:
        pairs = phrases_of(knowledge, language)
        keys = [key for key, _ in pairs]
        runs = [key for i, key in enumerate(keys) if i == 0 or keys[i - 1] != key]
        assert len(runs) == len(set(runs))  # the matcher needs a finding's phrases together
        assert not any(set("{}|+") & set(phrase) for _, phrase in pairs)
        assert len(everyday_sentences()[language]) > 30


@pytest.fixture(scope="module")
def matcher(knowledge: ClinicalKnowledge, weights: object) -> PhraseMatcher:
    home = base.default_home()
    _, made = open_retrieval(
        knowledge, home / "index", embedder=base.locate(base.E5, home), report=print
    )
    assert made is not None
    return made


@pytest.mark.slow
@pytest.mark.weights
class TestMatcher:
    """On the whole knowledge; slow because all its phrases are embedded when they are not kept."""

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_a_finding_that_is_believed_is_right(
        self, matcher: PhraseMatcher, knowledge: ClinicalKnowledge, language: Language
    ) -> None:
        found = phrases(matcher, Lexicon.compile(knowledge), language)
        assert found["given_to_no_complaint"] == 0
        assert found["right"] >= 0.9 * found["given_a_finding"]

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_a_listed_phrase_means_its_finding_and_small_talk_none(
        self, matcher: PhraseMatcher, knowledge: ClinicalKnowledge, language: Language
    ) -> None:
        pairs = phrases_of(knowledge, language)[::40]
        given = matcher.match([phrase for _, phrase in pairs], language)
        for (key, _), match in zip(pairs, given, strict=True):
            # None where an unrelated finding has a phrase that is nearly the same.
            assert match is None or match.finding == key
        assert sum(match is not None for match in given) > 0.5 * len(pairs)
        assert matcher.match(everyday_sentences()[language], language) == [None] * len(
            everyday_sentences()[language]
        )
        assert matcher.match([], language) == []
