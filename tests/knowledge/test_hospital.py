"""A hospital's own departments: everything that is said names them, and faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.departments import departments
from agent.state import Patient
from agent.triage import decide
from knowledge.clinical.hospital import apply, read_hospital
from knowledge.clinical.load import ClinicalKnowledge, KnowledgeError
from tests.agent.knowledge import condition, finding, knowledge, rule, told

SHARES = {"cough": 0.9, "fever": 0.3, "rash": 0.1}
FILE = """schema: 1
departments:
  - id: internal
    name: {en: Internal clinic, zh: 大内科}
    takes: [general_medicine, emergency, chest]
  - {id: skin, name: {en: Skin clinic, zh: 皮肤门诊}}
conditions: {spots: skin}
icd10: {J2: [skin, internal]}
"""


@pytest.fixture
def known() -> ClinicalKnowledge:
    conditions = [
        condition("cold", SHARES, departments=["chest", "general_medicine", "paediatrics"]),
        condition("spots", SHARES, departments=["general_medicine"]),
        condition("flu", SHARES, departments=["chest"], icd10="J20.9"),
    ]
    rules = [rule("rash_rule", {"all": ["rash"]})]
    return knowledge(map(finding, SHARES), conditions, rules, chest=False, skin=False)


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "hospital.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_merges_and_exceptions(tmp_path: Path, known: ClinicalKnowledge) -> None:
    own = apply(read_hospital(_file(tmp_path, FILE)), known)
    assert own.conditions["cold"].departments == ("internal", "paediatrics")
    assert own.conditions["spots"].departments == ("skin",)
    assert own.conditions["flu"].departments == ("skin", "internal")
    assert own.rules["rash_rule"].department == "internal"
    assert set(own.departments) == {"internal", "skin", "paediatrics"}
    assert own.release != known.release
    decided = decide(own, told(cough="present"), Patient(age_years=40), {"cold": 0.9}, [], "zh")
    assert (decided.department, decided.department_name) == ("internal", "大内科")
    assert decide(own, {}, Patient(age_years=40), {}, [], "en").department == "internal"
    shares = departments(own, {"cold": 0.5, "spots": 0.4}, Patient(age_years=40))
    assert sum(share for _, share in shares) == pytest.approx(1.0)
    assert {key for key, _ in shares} == {"internal", "skin"}


@pytest.mark.parametrize(
    ("old", "new", "told_"),
    [
        ("chest]", "attic]", "takes unknown department 'attic'"),
        ("spots: skin", "spots: attic", "unknown department 'attic'"),
        ("spots: skin", "gloom: skin", "unknown condition 'gloom'"),
        ("id: skin", "id: internal", "two departments are called 'internal'"),
    ],
)
def test_faults_are_told(
    tmp_path: Path, known: ClinicalKnowledge, old: str, new: str, told_: str
) -> None:
    hospital = read_hospital(_file(tmp_path, FILE.replace(old, new)))
    with pytest.raises(KnowledgeError, match=told_):
        apply(hospital, known, "hospital.yaml")


@pytest.mark.parametrize("text", ["[", "schema: 2", FILE.replace("schema: 1", "schema: 2"), "x: 1"])
def test_what_is_no_such_file_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(KnowledgeError, match=r"hospital\.yaml"):
        read_hospital(_file(tmp_path, text))


def test_a_childrens_department_is_less_likely_where_no_age_is_known() -> None:
    both = condition("cold", SHARES, departments=["general_medicine", "paediatrics"])
    known = knowledge(map(finding, SHARES), [both])
    of = {
        age: dict(departments(known, {"cold": 1.0}, Patient(age_years=age)))
        for age in (5, None, 40)
    }
    assert of[5]["paediatrics"] > of[None]["paediatrics"] > 0
    assert "paediatrics" not in of[40]
