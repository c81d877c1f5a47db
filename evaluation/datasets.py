"""Readers of public data sets in their own formats. The files stand outside the repository.

Nothing is fitted to them. A row that cannot be read is reported with its file, its number and the
reason, and the rest goes on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from agent.ports import Language
from agent.state import Patient, Status
from evaluation.cases import CasesError

T = TypeVar("T")

STATUS: dict[str, Status] = {"1": "present", "0": "absent", "2": "unsure"}
"""What the inquiry sets write for yes, no and unsure."""


@dataclass(frozen=True)
class Read(Generic[T]):
    """The cases that could be read, and the rows that could not: file, row, reason."""

    cases: tuple[T, ...]
    refused: tuple[str, ...] = ()


class RowFault(ValueError):
    """A row that is no case; the message says why."""


@dataclass(frozen=True)
class InquiryCase:
    """A patient with what is told at first and what only an answer brings out."""

    id: str
    explicit: dict[str, Status]
    implicit: dict[str, Status]
    label: str


@dataclass(frozen=True)
class Side:
    """One language's half of a case."""

    language: Language
    department: str
    symptoms: dict[str, Status]
    candidates: tuple[str, ...]
    disease: str


@dataclass(frozen=True)
class PairedCase:
    """The same case in Chinese and in English."""

    id: str
    zh: Side
    en: Side


@dataclass(frozen=True)
class FirstMessage:
    """A real first message and the normalised symptoms in it."""

    id: str
    text: str
    symptoms: dict[str, Status]


@dataclass(frozen=True)
class FactsCase:
    """A case told as single sentences."""

    id: str
    source: str
    patient: Patient
    facts: tuple[str, ...] = field(default=())


def files(data: Path, pattern: str) -> list[Path]:
    """The files of a set: `data` itself where it is a file, else those below it that fit the
    pattern. Raises CasesError where there is none."""
    if data.is_file():
        return [data]
    found = sorted(data.rglob(pattern))
    if not found:
        raise CasesError(f"{data}: no file {pattern} here; name the data set's folder with --data")
    return found


def inquiry(data: Path, name: Literal["dxy", "mz4", "mz10"]) -> Read[InquiryCase]:
    """The set `dxy`, `mz4` or `mz10`: exp_sxs, imp_sxs, label."""

    def case(row: Mapping[str, Any], key: str) -> InquiryCase:
        label = _text(row, "label")
        explicit, implicit = _graded(row, "exp_sxs"), _graded(row, "imp_sxs")
        if not explicit and not implicit:
            raise RowFault("no symptoms at all")
        return InquiryCase(f"{name}-{row.get('pid', key)}", explicit, implicit, label)

    return _read(files(data, f"{name}_*.json"), case)


def dxbench(data: Path) -> Read[PairedCase]:
    """DxBench in both languages, paired by id. A case that has only one is reported."""
    halves: dict[Language, dict[str, Side]] = {"zh": {}, "en": {}}
    refused: list[str] = []
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:

        def half(row: Mapping[str, Any], _: str, language: Language = language) -> tuple[str, Side]:
            candidates = row.get("candidate_diseases")
            disease = _text(row, "disease")
            if not isinstance(candidates, list) or disease not in candidates:
                raise RowFault("the diagnosis is not among candidate_diseases")
            pairs = [*_pairs(row, "explicit_symptoms"), *_pairs(row, "implicit_symptoms")]
            side = Side(
                language,
                _text(row, "department"),
                dict(pairs),
                tuple(dict.fromkeys(str(name) for name in candidates)),
                disease,
            )
            return _text(row, "id"), side

        read = _read(files(data, f"*_{language}.json"), half)
        refused += read.refused
        halves[language] = dict(read.cases)
    cases = [
        PairedCase(key, side, halves["en"][key])
        for key, side in halves["zh"].items()
        if key in halves["en"]
    ]
    refused += [
        f"{key}: only in one language" for key in sorted(halves["zh"].keys() ^ halves["en"].keys())
    ]
    return Read(tuple(cases), tuple(refused))


def first_messages(data: Path) -> Read[FirstMessage]:
    """The dxy dialogues: `self_repo` and the symptoms in it."""

    def case(row: Mapping[str, Any], key: str) -> FirstMessage:
        goal = row.get("goal")
        slots = goal.get("explicit_inform_slots") if isinstance(goal, dict) else None
        if not isinstance(slots, dict) or not slots:
            raise RowFault("goal.explicit_inform_slots is missing or empty")
        symptoms: dict[str, Status] = {}
        for name, value in slots.items():
            if not isinstance(value, bool):
                raise RowFault(f"the slot '{name}' is neither true nor false")
            symptoms[str(name)] = "present" if value else "absent"
        return FirstMessage(str(row.get("consult_id", key)), _text(row, "self_repo"), symptoms)

    return _read(files(data, "dxy_dialogues*.json"), case)


def facts(data: Path) -> Read[FactsCase]:
    """iCRAFT-MD and MediQ: cases as single sentences in English."""
    paths = [data] if data.is_file() else sorted(data.rglob("*.jsonl"))
    paths = [path for path in paths if re.search(r"icraft|mediq", path.name)]
    if not paths:
        raise CasesError(f"{data}: neither icraftmd.jsonl nor mediq*.jsonl here")
    found: list[FactsCase] = []
    refused: list[str] = []
    for path in paths:

        def case(row: Mapping[str, Any], key: str, source: str = path.stem) -> FactsCase:
            told = row.get("facts")
            if not isinstance(told, list) or not told:
                raise RowFault("facts are missing or empty")
            sentences = tuple(re.sub(r"^\s*\d+[.)]\s*", "", str(fact)) for fact in told)
            return FactsCase(
                f"{source}-{row.get('id', key)}", source, _patient(row.get("patient")), sentences
            )

        read = _read([path], case)
        found += read.cases
        refused += read.refused
    return Read(tuple(found), tuple(refused))


def _read(paths: list[Path], make: Callable[[Mapping[str, Any], str], T]) -> Read[T]:
    cases: list[T] = []
    refused: list[str] = []
    for path in paths:
        for number, row in _rows(path):
            try:
                if not isinstance(row, dict):
                    raise RowFault(row if isinstance(row, str) else "not an object")
                cases.append(make(row, f"{path.stem}-{number}"))
            except RowFault as fault:
                refused.append(f"{path.name}: row {number}: {fault}")
    return Read(tuple(cases), tuple(refused))


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """The rows of a JSON list or of JSON lines, counted from 1. A line that is no JSON comes as
    the text of its fault. Raises CasesError where a file is no JSON list."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CasesError(f"{path}: not UTF-8") from None
    if path.suffix == ".jsonl":
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    yield number, json.loads(line)
                except json.JSONDecodeError as error:
                    yield number, f"not JSON ({error.msg})"
        return
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise CasesError(f"{path}:{error.lineno}: not JSON ({error.msg})") from None
    if not isinstance(rows, list):
        raise CasesError(f"{path}: not a list of cases")
    yield from enumerate(rows, start=1)


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise RowFault(f"'{key}' is missing or empty")
    return value.strip()


def _graded(row: Mapping[str, Any], key: str) -> dict[str, Status]:
    value = row.get(key)
    if not isinstance(value, dict):
        raise RowFault(f"'{key}' is missing or no mapping")
    for name, grade in value.items():
        if str(grade) not in STATUS:
            raise RowFault(f"'{key}' says '{grade}' of '{name}', not 0, 1 or 2")
    return {str(name): STATUS[str(grade)] for name, grade in value.items()}


def _pairs(row: Mapping[str, Any], key: str) -> Iterator[tuple[str, Status]]:
    value = row.get(key)
    if not isinstance(value, list):
        raise RowFault(f"'{key}' is missing or no list")
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or str(pair[1]) not in ("True", "False"):
            raise RowFault(f"'{key}' holds something other than [symptom, True or False]")
        yield str(pair[0]), "present" if str(pair[1]) == "True" else "absent"


_YEARS = re.compile(r"(\d+(?:\.\d+)?)[\s-]*(year|month|week|day)?", re.IGNORECASE)
_PER_YEAR = {"year": 1.0, "month": 12.0, "week": 52.18, "day": 365.25}


def _patient(value: Any) -> Patient:
    """Age and sex as far as they can be read; they only group the figures."""
    if not isinstance(value, dict):
        return Patient()
    age = _YEARS.search(str(value.get("age", "")))
    years = float(age[1]) / _PER_YEAR[(age[2] or "year").lower()] if age else None
    sex = str(value.get("gender", "")).strip().lower()
    return Patient(
        age_years=years if years is not None and years <= 130 else None,
        sex="female" if sex == "female" else "male" if sex == "male" else None,
    )
