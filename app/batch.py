"""Assesses a file of cases: one JSON object a line in, one a line out."""

from __future__ import annotations

import json
import time
from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.assess import assess
from agent.desk import Desk
from agent.ports import Language
from agent.state import Patient
from knowledge.clinical.schema import Sex


class Case(BaseModel):
    """A line of the input."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    id: str
    language: Language
    age_years: Annotated[float, Field(ge=0, le=130)] | None = None
    sex: Sex | None = None
    pregnant: bool | None = None
    text: str = ""
    present: list[str] = []
    absent: list[str] = []
    candidates: list[str] | None = None


def assess_file(desk: Desk, cases: Path, out: Path, report: Callable[[str], None]) -> int:
    """Assess every case and return how many lines were refused. A refused line is reported with
    its number and goes out with an `error` in its place, so that no line is lost."""
    refused = done = 0
    # Read as bytes, so that a line that is not UTF-8 is refused like any other that is no case.
    with cases.open("rb") as lines, out.open("w", encoding="utf-8") as sink:
        for number, raw in enumerate(lines, start=1):
            line = raw.removeprefix(BOM_UTF8) if number == 1 else raw
            if not line.strip():
                continue
            try:
                row = assess_case(desk, Case.model_validate_json(line))
            except ValidationError as error:
                refused += 1
                places = ", ".join(".".join(map(str, e["loc"])) or "line" for e in error.errors())
                report(f"{cases.name}:{number}: not a case; look at: {places}")
                row = {"id": None, "line": number, "error": f"not a case; look at: {places}"}
            sink.write(json.dumps(row, ensure_ascii=False) + "\n")
            done += 1
            if done % 100 == 0:
                report(f"{done} cases")
    report(f"{done} cases, {refused} refused: {out}")
    return refused


def assess_case(desk: Desk, case: Case) -> dict[str, Any]:
    """The assessment of one case, as it is written out."""
    started = time.perf_counter()
    found = assess(
        desk,
        language=case.language,
        patient=Patient(age_years=case.age_years, sex=case.sex, pregnant=case.pregnant),
        text=case.text,
        present=case.present,
        absent=case.absent,
        candidates=case.candidates,
    )
    body = found.model_dump(mode="json", by_alias=True)
    return {
        "id": case.id,
        "findings": body["findings"],
        "differential": body["differential"],
        "triage": body["triage"],
        "red_flags": body["red_flags"],
        "unmatched": body["unmatched"],
        "seconds": round(time.perf_counter() - started, 4),
    }
