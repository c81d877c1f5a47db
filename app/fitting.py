"""Fits an overlay to a hospital's file of cases: reads, names, fits, saves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.language.names import Names
from agent.language.normalise import detect_language
from agent.language.understand import Lexicon, understand
from evaluation.datasets import STATUS
from knowledge.clinical import ClinicalKnowledge
from knowledge.fitted import Case, Overlay, OverlayError, fit

Told = dict[str, Literal["present", "absent", "unsure"]]
Report = Callable[[str], None]


class Line(BaseModel):
    """A case: what was told unasked, what answers brought out, and what it turned out to be."""

    model_config = ConfigDict(extra="ignore")

    condition: Annotated[str, Field(min_length=1)]
    told: Told = {}
    answered: Told = {}


def fit_file(
    path: Path,
    knowledge: ClinicalKnowledge,
    *,
    silence: Literal["unsure", "absent"],
    seed: int,
    report: Report,
) -> Overlay:
    """Fit an overlay to a file: JSON Lines of `Line`, or a JSON list with `exp_sxs`, `imp_sxs` and
    `label` as the public inquiry sets have it. A row that is no case is reported and left out.

    Raises OverlayError, OSError.
    """
    raw = path.read_bytes()
    cases: list[Case] = []
    refused = 0
    for number, row in _rows(raw, path):
        try:
            line = Line.model_validate(row)
        except ValidationError as error:
            refused += 1
            where = ", ".join(".".join(map(str, e["loc"])) or "row" for e in error.errors())
            report(f"{path.name}: row {number}: not a case; look at: {where}")
            continue
        cases.append(Case(line.condition, line.told, line.answered))
    if not cases:
        raise OverlayError(f"{path.name}: no case could be read")
    report(f"{len(cases)} cases read, {refused} refused")
    conditions = _conditions(cases, Names(knowledge))
    findings = _findings(cases, knowledge)
    known = sum(key is not None for key in findings.values())
    report(f"{known} of {len(findings)} names of findings are known; the others become its own")
    return fit(
        cases,
        findings=findings,
        conditions=conditions,
        title=path.name,
        dataset_sha256=hashlib.sha256(raw).hexdigest(),
        silence=silence,
        seed=seed,
    )


def _rows(raw: bytes, path: Path) -> Iterator[tuple[int, Any]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OverlayError(f"{path.name}: not UTF-8 text; save it as UTF-8") from error
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text)
        except ValueError as error:
            raise OverlayError(f"{path.name}: not JSON: {error}") from error
        yield from enumerate(map(_as_line, rows), start=1)
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield number, _as_line(json.loads(line))
            except ValueError:
                yield number, None  # refused like any row that is no case


def _as_line(row: Any) -> Any:
    if not isinstance(row, dict) or "label" not in row:
        return row
    sides = (row.get("exp_sxs") or {}, row.get("imp_sxs") or {})
    if not all(isinstance(side, dict) for side in sides):
        return None
    told, answered = ({k: STATUS.get(str(v), v) for k, v in side.items()} for side in sides)
    return {"condition": row["label"], "told": told, "answered": answered}


def _conditions(cases: list[Case], names: Names) -> dict[str, str]:
    found: dict[str, str] = {}
    unknown: list[str] = []
    for label in sorted({case.label for case in cases}):
        named = names.find(label)
        if named is None or names.conditions[named.condition].tier != "written":
            unknown.append(label)
        else:
            found[label] = named.condition
    if unknown:
        raise OverlayError(
            "no written condition has these names; call them by an id, a name or a synonym of "
            f"one, or add the synonym: {', '.join(unknown)}"
        )
    return found


def _findings(cases: list[Case], knowledge: ClinicalKnowledge) -> dict[str, str | None]:
    lexicon = Lexicon.compile(knowledge)
    found: dict[str, str | None] = {}
    for name in sorted({name for case in cases for name in (*case.told, *case.answered)}):
        if name in knowledge.findings:
            found[name] = name
            continue
        reading = understand(name, lexicon=lexicon, language=detect_language(name) or "zh")
        present = [m.finding for m in reading.mentions if m.status == "present"]
        entry = knowledge.findings.get(present[0]) if len(present) == 1 else None
        found[name] = entry.id if entry is not None and entry.can_be_asked else None
    return found
