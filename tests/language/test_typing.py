"""Typing errors are put right, and everyday words are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from agent.language.understand import Lexicon

_TABLE = yaml.safe_load((Path(__file__).parent / "typing.yaml").read_text("utf-8"))


@pytest.mark.parametrize(("written", "meant"), _TABLE["characters"])
def test_characters(lexicon: Lexicon, written: str, meant: str) -> None:
    assert lexicon.mend(written) == meant


@pytest.mark.parametrize(("written", "meant"), _TABLE["words"])
def test_words(lexicon: Lexicon, written: str, meant: str | None) -> None:
    assert lexicon.speller.correct(written) == meant


@pytest.mark.parametrize(("written", "cut"), _TABLE["parted"])
def test_parted(lexicon: Lexicon, written: str, cut: int | None) -> None:
    assert lexicon.speller.parted(written) == cut
