"""How much of the diagnoses of a set of cases is known: in which tier, in which departments.

A diagnosis is covered when it has an entry of its own or is a form of one ("acute", "in children").
Where only the broader disease has an entry it is told apart: it can be named, but not weighed for
what it is.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from agent.language.names import Names
from evaluation.cases import CasesError
from knowledge.clinical import ClinicalKnowledge

Way = Literal["written", "imported", "broader", "not"]
WAYS: tuple[Way, ...] = ("written", "imported", "broader", "not")
_DIAGNOSIS = ("diagnosis", "disease", "condition")
_CANDIDATES = ("candidates", "candidate_diseases")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one case asks of the knowledge."""

    diagnosis: str | None
    candidates: tuple[str, ...]
    department: str


class Counts(BaseModel):
    """How many names are known, and how."""

    written: int = 0
    imported: int = 0
    broader: int = 0
    """Known only as a kind of something that is known."""
    not_known: int = 0

    @property
    def total(self) -> int:
        """All names."""
        return self.written + self.imported + self.broader + self.not_known

    @property
    def covered(self) -> float:
        """Share with an entry of their own in either tier."""
        return (self.written + self.imported) / self.total if self.total else 1.0

    def add(self, way: Way) -> None:
        """Count one."""
        name = "not_known" if way == "not" else way
        setattr(self, name, getattr(self, name) + 1)


class FileCoverage(BaseModel):
    """Of one file."""

    name: str
    cases: int
    diagnoses: Counts
    candidates: Counts
    departments: dict[str, Counts]
    """Of the diagnoses, by the department of the case."""
    gaps: dict[str, int]
    """Diagnoses and candidates that are not known, and how often each is asked for."""
    broader: dict[str, str]
    """Names known only as a kind of something, with its id."""


class Coverage(BaseModel):
    """The whole report."""

    release: str
    written: int
    imported: int
    files: list[FileCoverage]


def read(path: Path) -> list[Asked]:
    """The diagnoses and candidates of a file of cases, a JSON array or a JSON object a line.

    Raises CasesError when it is neither, OSError when it cannot be read.
    """
    raw = path.read_bytes().removeprefix(BOM_UTF8)
    try:
        text = raw.decode("utf-8").strip()
        if text.startswith("["):
            rows = json.loads(text)
        else:
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise CasesError(f"{path.name}: neither JSON nor JSON by lines: {error}") from None
    if not all(isinstance(row, dict) for row in rows):
        raise CasesError(f"{path.name}: a case is a JSON object")
    asked = [_asked(row) for row in rows]
    if not any(case.diagnosis or case.candidates for case in asked):
        names = ", ".join((*_DIAGNOSIS, *_CANDIDATES))
        raise CasesError(f"{path.name}: no case has any of: {names}")
    return asked


def _asked(row: Mapping[str, Any]) -> Asked:
    expected = row.get("expected")
    around = {**(expected if isinstance(expected, dict) else {}), **row}
    diagnosis = next((str(around[key]) for key in _DIAGNOSIS if around.get(key)), None)
    lists = (around[key] for key in _CANDIDATES if isinstance(around.get(key), list))
    listed: list[Any] = next(lists, [])
    department = around.get("department") or ""
    return Asked(diagnosis, tuple(str(name) for name in listed), str(department))


def cover(
    knowledge: ClinicalKnowledge, names: Names, files: Sequence[tuple[str, Iterable[Asked]]]
) -> Coverage:
    """What of the names in the cases is known."""
    written = len(knowledge.written)
    return Coverage(
        release=knowledge.release,
        written=written,
        imported=len(knowledge.conditions) - written,
        files=[_file(knowledge, names, name, list(asked)) for name, asked in files],
    )


def _file(
    knowledge: ClinicalKnowledge, names: Names, name: str, asked: Sequence[Asked]
) -> FileCoverage:
    found = FileCoverage(
        name=name, cases=len(asked), diagnoses=Counts(), candidates=Counts(), departments={},
        gaps={}, broader={},
    )  # fmt: skip
    gaps: Counter[str] = Counter()

    def look(word: str) -> Way:
        named = names.find(word)
        if named is None:
            gaps[word] += 1
            return "not"
        if named.how == "broader":
            found.broader[word] = named.condition
            return "broader"
        return knowledge.conditions[named.condition].tier

    for case in asked:
        if case.diagnosis:
            way = look(case.diagnosis)
            found.diagnoses.add(way)
            found.departments.setdefault(case.department or "-", Counts()).add(way)
        for word in case.candidates:
            found.candidates.add(look(word))
    found.gaps = dict(sorted(gaps.items(), key=lambda item: (-item[1], item[0])))
    return found


def table(found: Coverage, gaps: int = 40) -> str:
    """The report for a person, in the terminal."""
    lines = [
        f"{found.release}: {found.written} written conditions, {found.imported} imported",
    ]
    for file in found.files:
        lines += ["", f"{file.name}: {file.cases} cases", _row("", WAYS, "covered")]
        lines.append(_counted("diagnoses", file.diagnoses))
        lines.append(_counted("candidates", file.candidates))
        for department, counts in sorted(file.departments.items(), key=lambda item: -item[1].total):
            lines.append(_counted(f"  {department}", counts))
        if file.gaps and gaps:
            worst = list(file.gaps.items())[:gaps]
            more = len(file.gaps) - len(worst)
            listed = ", ".join(f"{word} ({count})" for word, count in worst)
            lines.append(f"not known: {listed}" + (f", and {more} more" if more else ""))
    return "\n".join(lines)


def _counted(label: str, counts: Counts) -> str:
    total = max(counts.total, 1)
    numbers = (counts.written, counts.imported, counts.broader, counts.not_known)
    shares = tuple(f"{number} ({number / total:.1%})" for number in numbers)
    return _row(label, shares, f"{counts.covered:.1%}")


def _row(label: str, cells: Sequence[str], last: str) -> str:
    return f"{label:<28}" + "".join(f"{cell:>15}" for cell in cells) + f"{last:>10}"
