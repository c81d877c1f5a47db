"""Loads the clinical knowledge: files to checked entries, whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from knowledge.clinical import schema
from knowledge.clinical.schema import (
    Condition,
    Department,
    Entry,
    Finding,
    Phrases,
    Rule,
    Terms,
    Word,
)
from knowledge.clinical.source import Fault, Sourced, read

DATA = Path(__file__).parent / "data"
LATER_CHOICE = 0.3
"""What each further choice among a condition's departments counts, relative to the one before."""

_TYPES: dict[str, TypeAdapter[Any]] = {
    "words": TypeAdapter(Word),
    "findings": TypeAdapter(Finding),
    "terms": TypeAdapter(Terms),
    "conditions": TypeAdapter(Condition),
    "rules": TypeAdapter(Rule),
    "departments": TypeAdapter(Department),
}


class KnowledgeError(Exception):
    """The clinical knowledge cannot be used. `faults` lists everything that is wrong."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        shown = "\n".join(str(fault) for fault in faults[:50])
        more = f"\n... and {len(faults) - 50} more" if len(faults) > 50 else ""
        super().__init__(f"{len(faults)} fault(s) in the clinical knowledge:\n{shown}{more}")


@dataclass(slots=True, frozen=True)
class Origin:
    """Where an entry was read from."""

    source: Sourced
    place: tuple[str | int, ...]

    def fault(
        self, message: str, *path: str | int, entry: str = "", warning: bool = False
    ) -> Fault:
        """A fault at a place inside the entry."""
        line = self.source.line((*self.place, *path))
        return Fault(self.source.path, line, message, entry, warning)

    def raw(self) -> Any:
        """The entry as it was read."""
        value = self.source.data
        for part in self.place:
            value = value[part]
        return value


@dataclass(frozen=True)
class ClinicalKnowledge:
    """Everything that is known, by id, in the order of the files."""

    words: dict[str, Word] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    conditions: dict[str, Condition] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    departments: dict[str, Department] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    """More names of conditions, each with the condition's id, from where the imported conditions
    come from. They are looked up when a condition is asked for by name, nowhere else."""

    sent_to: dict[str, str] = field(default_factory=dict)
    """Where a hospital's own department stands for one of the service's (`hospital.apply`)."""

    @cached_property
    def written(self) -> dict[str, Condition]:
        """The conditions that were written by hand. They alone decide on urgency and questions,
        and no others are named to a patient."""
        return {key: entry for key, entry in self.conditions.items() if entry.tier == "written"}

    @cached_property
    def release(self) -> str:
        """Content address: the same entries have the same release, whatever file they are in."""
        digest = hashlib.sha256()
        for kind in schema.KINDS:
            table: dict[str, Entry] = getattr(self, kind)
            for key in sorted(table):
                entry = table[key]
                if isinstance(entry, Condition) and entry.tier == "imported":
                    digest.update(entry.model_dump_json().encode())  # thousands, so the quick way
                    continue
                body = json.dumps(
                    [kind, entry.model_dump(mode="json")], sort_keys=True, ensure_ascii=False
                )
                digest.update(body.encode())
        if self.aliases:
            digest.update(json.dumps(self.aliases, sort_keys=True, ensure_ascii=False).encode())
        return f"clinical-{digest.hexdigest()[:16]}"

    @cached_property
    def ancestors(self) -> dict[str, frozenset[str]]:
        """For each finding, everything that it is a kind of; a qualified finding is a kind of
        the one that it qualifies."""
        found: dict[str, frozenset[str]] = {}

        def above(key: str) -> frozenset[str]:
            if key not in found:
                found[key] = frozenset()  # a cycle is the checker's to report
                finding = self.findings[key]
                parents = set(finding.is_a)
                if finding.qualifies:
                    parents.add(finding.qualifies.of)
                known = parents & self.findings.keys()
                found[key] = frozenset(known.union(*(above(parent) for parent in known)))
            return found[key]

        for key in self.findings:
            above(key)
        return found

    @cached_property
    def consultations(self) -> dict[str, float]:
        """The share of all consultations that each department's conditions make up."""
        found = dict.fromkeys(self.departments, 0.0)
        for condition in self.conditions.values():
            for place, key in enumerate(condition.departments):
                weight = condition.prevalence.per_10000 * LATER_CHOICE**place
                found[key] = found.get(key, 0.0) + weight
        total = sum(found.values()) or 1.0
        return {key: weight / total for key, weight in found.items()}

    @cached_property
    def descendants(self) -> dict[str, frozenset[str]]:
        """The inverse of `ancestors`."""
        below: dict[str, set[str]] = {key: set() for key in self.findings}
        for key, above in self.ancestors.items():
            for parent in above:
                below[parent].add(key)
        return {key: frozenset(value) for key, value in below.items()}


@dataclass(slots=True)
class Read:
    """The outcome of reading a folder: the knowledge so far, its origins, and every fault."""

    knowledge: ClinicalKnowledge
    origins: dict[tuple[str, str], Origin]
    faults: list[Fault]


def files(folder: Path) -> Iterator[Path]:
    """The data files of a folder, in a fixed order."""
    yield from sorted(folder.rglob("*.yaml"))


def read_folder(folder: Path = DATA) -> Read:
    """Read every file of a folder, collecting faults instead of stopping at the first."""
    tables: dict[str, dict[str, Any]] = {kind: {} for kind in (*schema.KINDS, "terms")}
    origins: dict[tuple[str, str], Origin] = {}
    faults: list[Fault] = []
    seen_any = False
    for path in files(folder):
        seen_any = True
        name = path.relative_to(folder).as_posix()
        sourced, found = read(path, name)
        faults.extend(found)
        if sourced is not None:
            _read_file(sourced, tables, origins, faults)
    if not seen_any:
        faults.append(Fault(str(folder), 1, "no clinical knowledge here: no .yaml file was found"))
    _add_terms(tables["findings"], tables.pop("terms"), origins, faults)
    return Read(ClinicalKnowledge(**tables), origins, faults)


def _add_terms(
    findings: dict[str, Finding],
    terms: dict[str, Terms],
    origins: dict[tuple[str, str], Origin],
    faults: list[Fault],
) -> None:
    for key, own in terms.items():
        finding = findings.get(key)
        if finding is None:
            faults.append(origins[("terms", key)].fault("there is no such finding", entry=key))
            continue
        says = Phrases(en=(*finding.says.en, *own.en), zh=(*finding.says.zh, *own.zh))
        findings[key] = finding.model_copy(update={"says": says})


def _read_file(
    sourced: Sourced,
    tables: dict[str, dict[str, Any]],
    origins: dict[tuple[str, str], Origin],
    faults: list[Fault],
) -> None:
    data = sourced.data
    if not isinstance(data, dict):
        faults.append(Fault(sourced.path, 1, "a data file is a mapping that begins with 'schema:'"))
        return
    version = data.get("schema")
    if not isinstance(version, int):
        faults.append(Fault(sourced.path, 1, "the file lacks 'schema: 1' at its top"))
        return
    if version > schema.SCHEMA_VERSION:
        message = (
            f"the file has schema {version}, this program knows up to {schema.SCHEMA_VERSION}; "
            "update the program"
        )
        faults.append(Fault(sourced.path, sourced.line(("schema",)), message))
        return
    for key, entries in data.items():
        if key == "schema":
            continue
        if key not in _TYPES:
            message = f"unknown part '{key}'; known are: {', '.join(_TYPES)}"
            faults.append(Fault(sourced.path, sourced.line((key,)), message))
            continue
        if not isinstance(entries, list):
            message = f"'{key}' must be a list of entries, each beginning with '- id:'"
            faults.append(Fault(sourced.path, sourced.line((key,)), message))
            continue
        for index, raw in enumerate(entries):
            _read_entry(sourced, key, index, raw, tables, origins, faults)


def _read_entry(
    sourced: Sourced,
    kind: str,
    index: int,
    raw: Any,
    tables: dict[str, dict[str, Any]],
    origins: dict[tuple[str, str], Origin],
    faults: list[Fault],
) -> None:
    place = (kind, index)
    label = str(raw.get("id", "?")) if isinstance(raw, dict) else "?"
    try:
        entry = _TYPES[kind].validate_python(raw)
    except ValidationError as error:
        for item in error.errors():
            where = (*place, *item["loc"])
            message = f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            faults.append(Fault(sourced.path, sourced.line(where), message, label))
        return
    if entry.id in tables[kind]:
        first = origins[(kind, entry.id)]
        message = (
            f"'{entry.id}' is defined twice; first in "
            f"{first.source.path}:{first.source.line(first.place)}"
        )
        faults.append(Fault(sourced.path, sourced.line(place), message, label))
        return
    tables[kind][entry.id] = entry
    origins[(kind, entry.id)] = Origin(sourced, place)


def load(folder: Path = DATA) -> ClinicalKnowledge:
    """Load and check a folder of knowledge.

    Raises KnowledgeError with every fault when anything is wrong; warnings do not count.
    """
    from knowledge.clinical.check import check

    outcome = read_folder(folder)
    faults = [fault for fault in check(outcome) if not fault.warning]
    if faults:
        raise KnowledgeError(faults)
    return outcome.knowledge
