"""A bad file is refused whole, and every fault names file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.clinical import ClinicalKnowledge, check, load
from knowledge.clinical.load import DATA, read_folder
from tests.knowledge.folders import change, faults, line_of


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


def test_terms_are_further_ways_to_say_a_finding(folder: Path) -> None:
    before = read_folder(folder).knowledge.findings["cough"].says
    terms = "schema: 1\nterms:\n  - {id: cough, en: [tussis], zh: [咳嗽症]}\n  - {id: nothing}\n"
    (folder / "terms.yaml").write_text(terms, encoding="utf-8")
    found = read_folder(folder)
    says = found.knowledge.findings["cough"].says
    assert (says.en, says.zh) == ((*before.en, "tussis"), (*before.zh, "咳嗽症"))
    (fault,) = found.faults
    assert (fault.file, fault.line, fault.entry) == ("terms.yaml", 4, "nothing")
    assert "no such finding" in fault.message


def test_a_fault_of_a_term_names_the_file_of_the_terms(folder: Path) -> None:
    terms = "schema: 1\nterms:\n  - id: fever\n    en: [pyrexia]\n    zh: [咳嗽]\n"
    (folder / "terms.yaml").write_text(terms, encoding="utf-8")
    taken = [
        fault for fault in check.check(read_folder(folder)) if "already names" in fault.message
    ]
    assert [(fault.file, fault.line, fault.entry) for fault in taken] == [
        ("terms.yaml", 5, "fever")
    ]
    (folder / "terms.yaml").write_text(terms.replace("pyrexia", '"hot + {no}"'), encoding="utf-8")
    broken = [
        fault for fault in check.check(read_folder(folder)) if "unknown word list" in fault.message
    ]
    assert [(fault.file, fault.line, fault.entry) for fault in broken] == [
        ("terms.yaml", 4, "fever")
    ]
