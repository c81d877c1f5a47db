"""A hospital's own departments in place of the service's.

The file says which departments the hospital has, what each of them takes over from the service's
list, and which conditions go elsewhere than their department says. It is applied to the knowledge
as a whole: whatever is said, recorded or returned then names the hospital's departments, and the
release's address changes with it, because what is advised changes.

    schema: 1
    departments:
      - {id: internal, name: {en: Internal medicine, zh: 内科}, takes: [cardiology, respiratory]}
      - {id: skin, name: {en: Skin clinic, zh: 皮肤科}, takes: [dermatology]}
    conditions: {shingles: [skin, internal]}   # exceptions, first choice first
    icd10: {C: oncology}                       # exceptions by code; the longest beginning wins

What no department takes keeps its own id and name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, ValidationError

from knowledge.clinical.load import ClinicalKnowledge, KnowledgeError
from knowledge.clinical.schema import Condition, Department, Entry, Id, Text
from knowledge.clinical.source import Fault

SCHEMA_VERSION = 1


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Departments = Annotated[tuple[Id, ...], BeforeValidator(_listed), Field(min_length=1)]


class OwnDepartment(Entry):
    """A department of the hospital, and which of the service's departments it stands for."""

    id: Id
    name: Text
    takes: tuple[Id, ...] = ()
    """Where nothing is said: the service's department of the same id."""
    children: bool = False
    """True where only children are seen."""


class Hospital(Entry):
    """The departments of one hospital."""

    schema_: Annotated[int, Field(alias="schema")]
    departments: Annotated[tuple[OwnDepartment, ...], Field(min_length=1)]
    conditions: dict[Id, Departments] = Field(default={})
    icd10: dict[Annotated[str, Field(pattern=r"^[A-Z][0-9A-Z.]*$")], Departments] = Field(
        default={}
    )


def read_hospital(path: Path) -> Hospital:
    """Read a hospital's file. Raises KnowledgeError with every fault, OSError where it cannot be
    read."""
    try:
        hospital = Hospital.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KnowledgeError([Fault(str(path), 1, " ".join(str(error).split()))]) from None
    except ValidationError as error:
        raise KnowledgeError(
            [
                Fault(str(path), 1, f"{'.'.join(map(str, item['loc']))}: {item['msg']}")
                for item in error.errors()
            ]
        ) from None
    if hospital.schema_ != SCHEMA_VERSION:
        told = f"the file has schema {hospital.schema_}, this program reads {SCHEMA_VERSION}"
        raise KnowledgeError([Fault(str(path), 1, told)])
    return hospital


def apply(hospital: Hospital, knowledge: ClinicalKnowledge, name: str = "") -> ClinicalKnowledge:
    """The knowledge with the hospital's departments. `name` is the file's, for the faults.

    Raises KnowledgeError where it names a department or a condition that does not exist, or where
    two departments take the same one.
    """
    faults = [Fault(name, 1, told) for told in _faults(hospital, knowledge)]
    if faults:
        raise KnowledgeError(faults)
    sent = {taken: own.id for own in hospital.departments for taken in (own.takes or (own.id,))}
    own = {
        entry.id: Department(id=entry.id, name=entry.name, children=entry.children)
        for entry in hospital.departments
    }
    kept = {key: entry for key, entry in knowledge.departments.items() if key not in sent}
    return replace(
        knowledge,
        departments=own | {key: entry for key, entry in kept.items() if key not in own},
        conditions={
            key: entry.model_copy(update={"departments": _departments(hospital, entry, sent)})
            for key, entry in knowledge.conditions.items()
        },
        rules={
            key: entry.model_copy(
                update={"department": sent.get(entry.department, entry.department)}
            )
            for key, entry in knowledge.rules.items()
        },
        sent_to=sent,
    )


def _departments(
    hospital: Hospital, condition: Condition, sent: Mapping[str, str]
) -> tuple[str, ...]:
    if condition.id in hospital.conditions:
        return hospital.conditions[condition.id]
    codes = [code for code in hospital.icd10 if (condition.icd10 or "").startswith(code)]
    if codes:
        return hospital.icd10[max(codes, key=len)]
    return tuple(dict.fromkeys(sent.get(key, key) for key in condition.departments))


def _faults(hospital: Hospital, knowledge: ClinicalKnowledge) -> list[str]:
    own = [entry.id for entry in hospital.departments]
    told = [f"two departments are called '{key}'" for key in set(own) if own.count(key) > 1]
    taken: dict[str, str] = {}
    for entry in hospital.departments:
        for key in entry.takes:
            if key not in knowledge.departments:
                told.append(f"departments.{entry.id}: takes unknown department '{key}'")
            elif key in taken:
                told.append(f"'{key}' is taken by both '{taken[key]}' and '{entry.id}'")
            taken[key] = entry.id
    exceptions = [
        *((f"conditions.{key}", chosen) for key, chosen in hospital.conditions.items()),
        *((f"icd10.{code}", chosen) for code, chosen in hospital.icd10.items()),
    ]
    for place, chosen in exceptions:
        told += [f"{place}: unknown department '{key}'" for key in chosen if key not in own]
    told += [
        f"conditions: unknown condition '{key}'"
        for key in hospital.conditions
        if key not in knowledge.conditions
    ]
    return sorted(told)
