"""The cases that are measured on: vignettes and red-flag sentences, read from YAML.

Cases are divided once and for all by a hash of their id: knowledge and parameters may be improved
by looking at `dev`, never at `held_out`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.ports import Language
from agent.state import Patient
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import LEVELS, Level

SCHEMA_VERSION = 1
HERE = Path(__file__).parent
VIGNETTES = HERE / "vignettes"
RED_FLAGS = HERE / "red_flags"
DEV_SHARE = 0.6
"""Share of the cases that may be looked at."""

Split = Literal["dev", "held_out"]
Kind = Literal["plain", "paraphrase", "typing", "negation", "past", "other", "hypothetical"]


class CasesError(ValueError):
    """Case files with faults; the message lists every one with its file."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Expected(_Entry):
    """What a careful doctor at the desk would say of a vignette."""

    condition: str | None = None
    """None where the words do not say enough for any one condition."""
    level: Level
    at_least: Level | None = None
    """For emergencies: the lowest level that does no harm. A lower one is a missed emergency."""
    departments: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _emergencies_have_a_floor(self) -> Expected:
        if (self.level in EMERGENCIES) != (self.at_least is not None):
            raise ValueError("`at_least` stands with the two emergency levels, and only there")
        if self.at_least is not None and self.at_least not in EMERGENCIES:
            raise ValueError("`at_least` must itself be an emergency")
        return self


class Vignette(_Entry):
    """A patient's opening words and what they should lead to."""

    id: str
    language: Language
    patient: Patient
    text: Annotated[str, Field(min_length=1)]
    expected: Expected

    @property
    def split(self) -> Split:
        """Which part of the cases it belongs to."""
        return split_of(self.id)


class Sentence(_Entry):
    """One sentence that must set off a red flag, or must not."""

    id: str
    language: Language
    text: Annotated[str, Field(min_length=1)]
    kind: Kind
    patient: Patient = Patient()
    fires: Level | None = None
    """The lowest level that is right, or None where no emergency may be declared."""

    @property
    def split(self) -> Split:
        """Which part of the cases it belongs to."""
        return split_of(self.id)


class _Vignettes(_Entry):
    schema_: Annotated[int, Field(alias="schema")]
    vignettes: tuple[Vignette, ...]


class _Sentences(_Entry):
    schema_: Annotated[int, Field(alias="schema")]
    sentences: tuple[Sentence, ...]


EMERGENCIES: tuple[Level, ...] = ("emergency_ambulance", "emergency")

Case = TypeVar("Case", Vignette, Sentence)


def split_of(key: str) -> Split:
    """The part that a case belongs to, by the first four bytes of the SHA-256 of its id."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
    return "dev" if number < DEV_SHARE * 2**32 else "held_out"


def load_vignettes(knowledge: ClinicalKnowledge, folder: Path = VIGNETTES) -> tuple[Vignette, ...]:
    """Read all vignettes; conditions and departments must be known.

    Raises CasesError with every fault.
    """
    faults: list[str] = []
    found = _read(folder, _Vignettes, faults)
    cases = tuple(case for file in found.values() for case in file.vignettes)
    for name, file in found.items():
        for case in file.vignettes:
            own = case.expected
            if own.condition is not None and own.condition not in knowledge.conditions:
                faults.append(f"{name}: {case.id}: unknown condition '{own.condition}'")
            for department in own.departments:
                if department not in knowledge.departments:
                    faults.append(f"{name}: {case.id}: unknown department '{department}'")
    return _unique(cases, faults)


def load_sentences(folder: Path = RED_FLAGS) -> tuple[Sentence, ...]:
    """Read all red-flag sentences. Raises CasesError with every fault."""
    faults: list[str] = []
    found = _read(folder, _Sentences, faults)
    return _unique(tuple(case for file in found.values() for case in file.sentences), faults)


File = TypeVar("File", _Vignettes, _Sentences)


def _read(folder: Path, form: type[File], faults: list[str]) -> dict[str, File]:
    found: dict[str, File] = {}
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        faults.append(f"{folder}: no case files here (*.yaml)")
    for path in paths:
        try:
            file = form.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            faults.append(f"{path.name}: not YAML: {' '.join(str(error).split())}")
        except ValidationError as error:
            for item in error.errors():
                place = ".".join(map(str, item["loc"]))
                faults.append(f"{path.name}: {place}: {item['msg']}")
        else:
            if file.schema_ != SCHEMA_VERSION:
                faults.append(f"{path.name}: schema {file.schema_}, this reads {SCHEMA_VERSION}")
            found[path.name] = file
    return found


def _unique(cases: tuple[Case, ...], faults: list[str]) -> tuple[Case, ...]:
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            faults.append(f"two cases are called '{case.id}'")
        seen.add(case.id)
    if faults:
        raise CasesError(f"{len(faults)} fault(s) in the cases:\n" + "\n".join(faults))
    return cases


def reaches(level: Level, floor: Level) -> bool:
    """Whether a level is at least as urgent as another."""
    return LEVELS.index(level) <= LEVELS.index(floor)


def sex_of(patient: Patient) -> str:
    """The sex as a group's name; who is pregnant is a group of her own."""
    return ("pregnant" if patient.pregnant else patient.sex) or "unknown"
