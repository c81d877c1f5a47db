"""The overlay: parameters fitted to a hospital's cases, beside the written knowledge.

An overlay tells apart the conditions that its cases carry as labels. How probable they are
together stays with the written knowledge; how that probability is divided among them is the
overlay's (`agent.fitted`). Names that the written knowledge lacks come along as findings and
conditions of the hospital's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import Condition, Finding, Phrases, Text

SCHEMA_VERSION = 1

Share = Annotated[float, Field(ge=0, le=1)]


class OverlayError(ValueError):
    """An overlay, or the cases for one, cannot be used; the message says why."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Own(_Part):
    """A name of the hospital's, and what it is called here."""

    name: Annotated[str, Field(min_length=1)]
    id: str
    like: str | None = None
    """Of a condition: the written one that it is a division of, where its id is its own."""


class Overlay(_Part):
    """Fitted parameters. L conditions, S findings, R presentations.

    A presentation is one way in which a condition comes: a row of `present` (R, S) gives the
    shares of its patients who report a finding; a row of `other` the shares who deny it, where
    silence is "unsure", or are unsure of it, where silence is a denial; the rest are silent.
    `weights` are those of a multinomial logistic regression, (4 S + 1, L): present, absent,
    unsure, and told unasked for each finding, then "nothing told unasked".
    """

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA_VERSION
    title: str
    dataset_sha256: str
    silence: Literal["unsure", "absent"]
    """What a patient of the cases is taken to say who has nothing to report."""
    cases: Annotated[int, Field(gt=0)]
    conditions: tuple[Own, ...]
    findings: tuple[Own, ...]
    condition_of: tuple[int, ...]
    share: tuple[Share, ...]
    present: tuple[tuple[Share, ...], ...]
    other: tuple[tuple[Share, ...], ...]
    weights: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]

    @model_validator(mode="after")
    def _shapes_agree(self) -> Overlay:
        rows, columns, labels = len(self.condition_of), len(self.findings), len(self.conditions)
        if self.schema_ > SCHEMA_VERSION:
            raise ValueError(f"schema {self.schema_}, this program knows up to {SCHEMA_VERSION}")
        if not (len(self.share) == len(self.present) == len(self.other) == rows):
            raise ValueError("share, present and other must have one row a presentation")
        if any(len(row) != columns for row in (*self.present, *self.other)):
            raise ValueError("present and other must have one column a finding")
        if any(not 0 <= row < labels for row in self.condition_of):
            raise ValueError("condition_of names a condition that is not there")
        if len(self.weights) != 4 * columns + 1 or any(len(r) != labels for r in self.weights):
            raise ValueError("weights must be (4 findings + 1, conditions)")
        if len(self.intercepts) != labels:
            raise ValueError("intercepts must have one value a condition")
        return self

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(self.model_dump(by_alias=True), ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, path: Path) -> Overlay:
        """Read an overlay. Raises OverlayError with everything that is wrong."""
        try:
            return cls.model_validate_json(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise OverlayError(f"{path}: cannot be read: {error}") from error
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'overlay'}: {e['msg']}"
                for e in error.errors()[:20]
            )
            raise OverlayError(f"{path}: not an overlay: {faults}") from error


def join(knowledge: ClinicalKnowledge, overlay: Overlay) -> ClinicalKnowledge:
    """The knowledge with the overlay's own findings and conditions beside what is written.

    Raises OverlayError where the overlay names what this knowledge does not have.
    """
    findings = dict(knowledge.findings)
    conditions = dict(knowledge.conditions)
    for column, own in enumerate(overlay.findings):
        if own.id not in findings:
            _expect(own.id.startswith("own_"), f"finding '{own.id}' ({own.name})")
            findings[own.id] = _finding(own, _rate(overlay, column))
    for own in overlay.conditions:
        if own.id in conditions:
            continue
        like = conditions.get(own.like or "")
        _expect(like is not None, f"condition '{own.like or own.id}' ({own.name})")
        assert like is not None
        conditions[own.id] = _division(like, own)
    return replace(knowledge, findings=findings, conditions=conditions)


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise OverlayError(f"the overlay names a {what} that the knowledge lacks; fit it anew")


def _rate(overlay: Overlay, column: int) -> float:
    rate = sum(
        share * row[column] for share, row in zip(overlay.share, overlay.present, strict=True)
    )
    return min(max(rate, 0.001), 0.5)


def _finding(own: Own, rate: float) -> Finding:
    return Finding(
        id=own.id,
        name=Text(en=own.name, zh=own.name),
        ask=Text(en=f"Is there: {own.name}?", zh=f"有没有“{own.name}”这种情况？"),
        says=Phrases(en=(own.name,), zh=(own.name,)),
        base_rate=rate,
    )


def _division(like: Condition, own: Own) -> Condition:
    return like.model_copy(
        update={
            "id": own.id,
            "name": Text(en=f"{like.name.en} ({own.name})", zh=own.name),
            "synonyms": Phrases(),
        }
    )


def own_ids(names: Mapping[str, str | None], prefix: str) -> dict[str, str]:
    """An id for every name: the one given, once; else one of the hospital's own."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for number, (name, given) in enumerate(names.items()):
        key = given if given is not None and given not in taken else f"{prefix}{number}"
        taken.add(key)
        found[name] = key
    return found
