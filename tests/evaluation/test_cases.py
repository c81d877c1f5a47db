"""The cases are well formed, many enough, and faults in them are told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from evaluation.cases import (
    CasesError,
    load_sentences,
    load_vignettes,
    reaches,
    split_of,
)
from knowledge import clinical
from knowledge.clinical.schema import BANDS, LEVELS, band_of

GOOD = """schema: 1
vignettes:
  - id: one
    language: en
    patient: {age_years: 30}
    text: "I sneeze"
    expected: {condition: common_cold, level: self_care, departments: [ent]}
"""


@pytest.fixture(scope="module")
def knowledge() -> clinical.ClinicalKnowledge:
    return clinical.load()


def test_vignettes_cover_what_they_should(knowledge: clinical.ClinicalKnowledge) -> None:
    cases = load_vignettes(knowledge)
    languages = Counter(case.language for case in cases)
    assert len(cases) >= 200
    assert min(languages["zh"], languages["en"]) >= 0.45 * len(cases)
    assert {case.expected.level for case in cases} == set(LEVELS)
    ages = [case.patient.age_years for case in cases]
    assert {band_of(age) for age in ages if age is not None} == set(BANDS)
    assert {case.patient.sex for case in cases} >= {"female", "male"}
    assert sum(bool(case.patient.pregnant) for case in cases) >= 10


def test_sentences_cover_what_they_should() -> None:
    cases = load_sentences()
    fires = Counter((case.language, case.fires is not None) for case in cases)
    assert len(cases) >= 200
    assert min(fires.values()) >= 40
    assert len(fires) == 4
    assert len({case.kind for case in cases}) == 7


def test_the_split_is_stable_and_about_six_in_ten() -> None:
    assert split_of("zh-heart-01") == split_of("zh-heart-01")
    share = sum(split_of(f"case-{n}") == "dev" for n in range(2000)) / 2000
    assert 0.57 < share < 0.63


def test_every_fault_is_told(tmp_path: Path, knowledge: clinical.ClinicalKnowledge) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("common_cold", "gloom"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD.replace("[ent]", "[attic]"), encoding="utf-8")
    (tmp_path / "c.yaml").write_text(GOOD.replace("self_care", "emergency"), encoding="utf-8")
    (tmp_path / "d.yaml").write_text("vignettes: [", encoding="utf-8")
    (tmp_path / "e.yaml").write_text(GOOD.replace("schema: 1", "schema: 9"), encoding="utf-8")
    with pytest.raises(CasesError) as caught:
        load_vignettes(knowledge, tmp_path)
    told = str(caught.value)
    for part in ("gloom", "attic", "at_least", "d.yaml: not YAML", "schema 9", "called 'one'"):
        assert part in told


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CasesError, match="no case files"):
        load_sentences(tmp_path)


def test_levels_are_ordered() -> None:
    assert reaches("emergency_ambulance", "emergency")
    assert not reaches("within_24h", "emergency")
