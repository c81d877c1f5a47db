"""A bad file is refused whole, and every fault names file and line."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.clinical import ClinicalKnowledge, KnowledgeError, check, load
from knowledge.clinical.load import DATA, read_folder

BASE = {
    "departments.yaml": """\
        schema: 1
        departments:
          - id: clinic
            name: {en: Clinic, zh: 门诊}
        """,
    "findings.yaml": """\
        schema: 1
        findings:
          - id: cough
            name: {en: Cough, zh: 咳嗽}
            ask: {en: "Do you cough?", zh: "您咳嗽吗？"}
            says: {en: [coughing], zh: [咳嗽]}
            base_rate: 0.1
          - id: fever
            name: {en: Fever, zh: 发热}
            ask: {en: "Do you have a fever?", zh: "您发烧吗？"}
            says: {en: [feverish], zh: [发烧]}
            base_rate: 0.1
          - id: high_fever
            is_a: [fever]
            name: {en: High fever, zh: 高热}
            ask: {en: "Is the fever high?", zh: "烧得很高吗？"}
            says: {en: [very hot], zh: [高烧]}
            base_rate: 0.03
        """,
    "conditions.yaml": """\
        schema: 1
        conditions:
          - id: cold
            name: {en: Common cold, zh: 普通感冒}
            icd10: J00
            departments: [clinic]
            about: {en: "A cold.", zh: "感冒。"}
            prevalence: {per_10000: 100}
            findings: {cough: common, fever: 0.3, high_fever: rare}
            cardinal: [cough]
            onset: {speed: acute}
            urgency: self_care
            advice:
              now: [{en: "Rest.", zh: "休息。"}]
              return_if: [{en: "It gets worse.", zh: "病情加重。"}]
            sources: [{title: Guidance, url: "https://example.org/cold"}]
        """,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in BASE.items():
        (tmp_path / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return tmp_path


def line_of(folder: Path, file: str, words: str, nth: int = 1) -> int:
    """The line of the nth occurrence of some words."""
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    return [number for number, line in enumerate(lines, 1) if words in line][nth - 1]


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def faults(folder: Path) -> list[str]:
    """Every fault that refuses the folder, after checking that `load` refuses it for these."""
    with pytest.raises(KnowledgeError) as caught:
        load(folder)
    return [str(fault) for fault in caught.value.faults]


def test_the_sound_folder_is_loaded(folder: Path) -> None:
    known = load(folder)
    assert set(known.conditions) == {"cold"}
    assert known.conditions["cold"].findings["cough"] == 0.55
    assert known.ancestors["high_fever"] == {"fever"}
    assert known.descendants["fever"] == {"high_fever"}


@pytest.mark.parametrize(
    ("file", "old", "new", "words", "message"),
    [
        ("conditions.yaml", "fever: 0.3", "fever: 1.4", "1.4", "less than 1"),
        ("conditions.yaml", "fever: 0.3", "fever: 0", "fever: 0,", "greater than 0"),
        ("conditions.yaml", "cough: common", "cough: often", "often", "always, usual"),
        ("conditions.yaml", "per_10000: 100", "per_10000: many", "many", "valid number"),
        ("conditions.yaml", "departments: [clinic]", "departments: [ward]", "ward", "'ward'"),
        ("conditions.yaml", "fever: 0.3", "feever: 0.3", "feever", "unknown finding 'feever'"),
        ("conditions.yaml", "cardinal: [cough]", "cardinal: [pain]", "pain", "'pain'"),
        ("conditions.yaml", "urgency:", "urgencey:", "urgencey", "urgencey: Extra inputs"),
        ("conditions.yaml", "icd10: J00", "icd10: cold", "icd10: cold", "match pattern"),
        ("conditions.yaml", "speed: acute", "speed: quick", "quick", "'sudden'"),
        ("conditions.yaml", "https://example.org", "http://example.org", "http:", "pattern"),
        ("conditions.yaml", 'en: "Rest."', 'en: "Take 500 mg."', "500", "dose"),
        ("conditions.yaml", "urgency: self_care", "urgency: self_care\\n    urgency: routine",
         "urgency: routine", "given twice"),
        ("findings.yaml", "is_a: [fever]", "is_a: [heat]", "[heat]", "unknown finding 'heat'"),
        ("findings.yaml", "base_rate: 0.03", "base_rate: 0.3", "0.3", "above that of 'fever'"),
        ("findings.yaml", "id: fever", "id: Fever!", "Fever!", "lower-case"),
        ("findings.yaml", 'en: "Do you cough?"', 'en: "Surely you cough?"', "Surely", "leads"),
        ("findings.yaml", "en: [very hot]", "en: [feverish]", "[feverish]", "already names"),
        ("findings.yaml", "en: [coughing]", 'en: ["{plaice}"]', "plaice", "unknown word list"),
        ("findings.yaml", "schema: 1", "schema: 99", "schema: 99", "update the program"),
        ("findings.yaml", "schema: 1", "schemas: 1", "schemas", "lacks 'schema: 1'"),
        ("findings.yaml", "findings:", "fidnings:", "fidnings", "unknown part 'fidnings'"),
    ],
)  # fmt: skip
def test_a_fault_names_its_file_and_line(
    folder: Path, file: str, old: str, new: str, words: str, message: str
) -> None:
    change(folder, file, old, new.replace("\\n", "\n"))
    found = faults(folder)
    nth = 2 if new == "en: [feverish]" else 1
    place = f"{file}:{line_of(folder, file, words, nth)}:"
    assert any(fault.startswith(place) and message in fault for fault in found), (place, found)


def test_a_cycle_is_found_at_each_of_its_findings(folder: Path) -> None:
    change(folder, "findings.yaml", "id: fever\n", "id: fever\n    is_a: [high_fever]\n")
    found = [fault for fault in faults(folder) if "cycle" in fault]
    assert len(found) == 2
    assert all(fault.startswith("findings.yaml:") for fault in found)


def test_an_id_given_twice_names_both_places(folder: Path) -> None:
    text = (folder / "departments.yaml").read_text(encoding="utf-8")
    (folder / "more.yaml").write_text(text, encoding="utf-8")
    (fault,) = faults(folder)
    assert fault.startswith("more.yaml:3:")
    assert "departments.yaml:3" in fault


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("schema: 1\nwords: 咳嗽\n".encode("gb18030"), 2, "not UTF-8"),
        (b"schema: 1\nfindings: [\n", 3, "not YAML"),
        (b"schema: 1\nfindings:\n  - id: x\n   name: y\n", 4, "not YAML"),
        (b"", 1, "is a mapping"),
        (b"- just\n- a list\n", 1, "is a mapping"),
        (b"schema: one\n", 1, "schema: 1"),
        (b"schema: 1\nfindings: cough\n", 2, "must be a list"),
    ],
    ids=["gb18030", "unclosed", "indented", "empty", "list", "version", "no-list"],
)
def test_a_file_that_cannot_be_read_is_named(
    folder: Path, content: bytes, line: int, message: str
) -> None:
    (folder / "bad.yaml").write_bytes(content)
    found = faults(folder)
    assert any(f.startswith(f"bad.yaml:{line}:") and message in f for f in found), found


def test_an_empty_folder_is_no_knowledge(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path)
    assert "no .yaml file" in fault


def test_every_fault_is_told_not_only_the_first(folder: Path) -> None:
    change(folder, "conditions.yaml", "fever: 0.3", "fever: 1.4")
    change(folder, "findings.yaml", "is_a: [fever]", "is_a: [heat]")
    (folder / "bad.yaml").write_bytes(b"\xff\xfe")
    found = faults(folder)
    assert {fault.split(":")[0] for fault in found} >= {
        "conditions.yaml",
        "findings.yaml",
        "bad.yaml",
    }
    assert found == sorted(found, key=lambda f: (f.split(":")[0], int(f.split(":")[1])))


def test_the_command_prints_faults_and_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.main([str(folder)]) == 0
    change(folder, "conditions.yaml", "fever: 0.3", "fever: 1.4")
    assert check.main([str(folder)]) == 1
    printed = capsys.readouterr().out
    assert f"conditions.yaml:{line_of(folder, 'conditions.yaml', '1.4')}:" in printed


def test_the_shipped_knowledge_has_no_fault() -> None:
    assert [fault for fault in check.check(read_folder(DATA)) if not fault.warning] == []


@pytest.mark.parametrize(
    "edit",
    [
        lambda folder: (folder / "findings.yaml").rename(folder / "a.yaml"),
        lambda folder: None,
    ],
    ids=["renamed", "unchanged"],
)
def test_the_release_is_the_content_and_not_the_file(
    folder: Path, edit: Callable[[Path], object]
) -> None:
    before = load(folder).release
    edit(folder)
    assert load(folder).release == before
    change(folder, "conditions.yaml", "fever: 0.3", "fever: 0.31")
    after: ClinicalKnowledge = load(folder)
    assert after.release != before
