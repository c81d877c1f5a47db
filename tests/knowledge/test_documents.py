"""Passages made from the entries: whole, stable, and exactly what the advice says."""

from __future__ import annotations

from dataclasses import replace

from knowledge.clinical import ClinicalKnowledge
from knowledge.documents.articles import LANGUAGES, Chunk, articles, release_of

PARTS = ("now", "avoid", "return_if", "ambulance_if")


def test_every_advice_sentence_stands_in_the_passage_that_cites_it(
    knowledge: ClinicalKnowledge, chunks: list[Chunk]
) -> None:
    text = {chunk.id: chunk.text for chunk in chunks}
    count = 0
    for language in LANGUAGES:
        for condition in knowledge.conditions.values():
            for part in PARTS:
                for sentence in getattr(condition.advice, part):
                    own = f"{condition.id}.{language}#{part}"
                    assert getattr(sentence, language) in text[own]
                    count += 1
        for rule in knowledge.rules.values():
            for sentence in (rule.because, *rule.advice):
                assert getattr(sentence, language) in text[f"{rule.id}.{language}#warning"]
                count += 1
    assert count > 1000


def test_a_sentence_stands_in_one_passage_of_its_entry_only(
    knowledge: ClinicalKnowledge, chunks: list[Chunk]
) -> None:
    """Else a citation would depend on which passage was found first."""
    of_entry: dict[tuple[str, str], list[Chunk]] = {}
    for chunk in chunks:
        of_entry.setdefault((chunk.entry, chunk.language), []).append(chunk)
    twice = [
        (condition.id, language, said)
        for language in LANGUAGES
        for condition in knowledge.conditions.values()
        for part in PARTS
        for sentence in getattr(condition.advice, part)
        for said in [getattr(sentence, language)]
        if sum(said in chunk.text for chunk in of_entry[condition.id, language]) != 1
    ]
    assert not twice


def test_ids_are_unique_and_every_passage_has_text_and_a_source(chunks: list[Chunk]) -> None:
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert all(chunk.text.strip() and chunk.title.strip() for chunk in chunks)
    assert all(chunk.source.startswith("https://") for chunk in chunks)
    assert {chunk.language for chunk in chunks} == set(LANGUAGES)


def test_the_release_is_the_content(knowledge: ClinicalKnowledge, chunks: list[Chunk]) -> None:
    release = release_of(chunks)
    assert release == release_of(articles(knowledge)) == release_of(list(reversed(chunks)))
    for change in ({"text": "x"}, {"id": "x"}, {"source": "x"}, {"section": "x"}):
        changed = [replace(chunks[0], **change), *chunks[1:]]  # type: ignore[arg-type]
        assert release_of(changed) != release
    assert release_of(chunks[1:]) != release
