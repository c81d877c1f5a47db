"""A tiny sound folder of clinical knowledge, and ways to spoil it."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.clinical import KnowledgeError, load

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
