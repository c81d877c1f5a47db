"""How much of a set of cases is covered: small made sets, and the public development set."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from agent.language.names import Names
from app import imported
from app.settings import Settings
from evaluation import coverage
from evaluation.cases import CasesError
from model import base
from model.artefacts import CMEKG
from tests.agent.knowledge import condition, knowledge

ROOT = Path(__file__).parents[2]
SHARES = {"pain": 0.5, "rash": 0.5, "cough": 0.5}
KNOWN = replace(
    knowledge([], [
        condition("pneumonia", SHARES, name={"en": "Pneumonia", "zh": "肺炎"}),
        condition("odd", SHARES, name={"en": "Odd disease", "zh": "怪病"}, tier="imported"),
    ]),
)  # fmt: skip


def covered(path: Path) -> coverage.FileCoverage:
    asked = [(path.name, coverage.read(path))]
    (found,) = coverage.cover(KNOWN, Names(KNOWN), asked).files
    return found


def test_lines_of_cases(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    rows = [
        {"id": 1, "diagnosis": "小儿肺炎", "candidates": ["肺炎", "怪病", "没有的病"]},
        {"id": 2, "expected": {"condition": "odd"}, "department": "内科"},
        {"id": 3, "condition": "病毒性肺炎", "department": "内科"},
        {"id": 4, "text": "nothing asked"},
    ]  # fmt: skip
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\ufeff" + "\n\n".join(lines), encoding="utf-8")
    found = covered(path)
    assert found.cases == 4
    counts = found.diagnoses
    assert (counts.written, counts.imported, counts.broader, counts.not_known) == (1, 1, 1, 0)
    assert counts.covered == pytest.approx(2 / 3)
    assert found.candidates.not_known == 1
    assert found.gaps == {"没有的病": 1}
    assert found.broader == {"病毒性肺炎": "pneumonia"}
    assert found.departments["内科"].total == 2
    shown = coverage.table(coverage.cover(KNOWN, Names(KNOWN), [("x", coverage.read(path))]))
    assert "没有的病 (1)" in shown
    assert "1 written conditions, 1 imported" in shown


def test_the_form_of_dxbench(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    case = {"disease": "Pneumonia", "candidate_diseases": ["Odd Disease", "Rosacea"]}
    path.write_text(json.dumps([case | {"department": "Internal Medicine"}]), encoding="utf-8")
    found = covered(path)
    assert found.diagnoses.covered == 1
    assert found.gaps == {"Rosacea": 1}


@pytest.mark.parametrize("content", ["", "no JSON", "[1, 2]", '{"text": "x"}', '{"id": 1'])
def test_what_holds_no_cases_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CasesError, match=r"cases\.json"):
        coverage.read(path)


@pytest.mark.shared
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_diagnoses_of_the_development_set_are_known(language: str) -> None:
    places = [Path(os.environ.get("DXBENCH_DEV", "")), *ROOT.parent.glob("*/data/dxbench_dev")]
    name = f"dxbench_{language}.json"
    path = next((place / name for place in places if (place / name).is_file()), None)
    if path is None:
        pytest.skip("the public data sets are not beside the checkout")
    if base.locate(CMEKG, base.default_home()) is None:
        pytest.skip("no imported knowledge here; run `huatuo knowledge import cmekg`")
    both = imported.known(Settings(imported=True))
    found = coverage.cover(both, Names(both), [(name, coverage.read(path))])
    assert found.files[0].diagnoses.covered >= 0.85
