"""The commands that measure the service on labelled cases."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.console import expected, fail, report
from app.console import settings as the_settings

if TYPE_CHECKING:
    from agent.desk import Desk

app = typer.Typer(no_args_is_help=True, help="How good it is, on labelled cases.")

SPLIT = Annotated[str, typer.Option(help="dev, held_out or all.")]
OUT = Annotated[Path | None, typer.Option(help="Where the figures go as JSON.")]


@app.command("triage")
def triage(split: SPLIT = "dev", out: OUT = None) -> None:
    """Urgency, department and diagnosis on the vignettes, with every case that goes wrong."""
    from evaluation import cases, triage

    _known_split(split)
    desk = _desk()
    try:
        found = triage.evaluate(desk, cases.load_vignettes(desk.knowledge), split=split)
    except cases.CasesError as error:
        fail(str(error))
    print(triage.table(found))
    _keep(found.model_dump_json(indent=1), out)


@app.command("safety")
def safety(split: SPLIT = "dev", out: OUT = None) -> None:
    """Recall and false alarms of the red-flag rules, with every sentence heard wrongly."""
    from evaluation import cases, safety

    _known_split(split)
    desk = _desk()
    try:
        found = safety.evaluate(desk, cases.load_sentences(), split=split)
    except cases.CasesError as error:
        fail(str(error))
    print(safety.table(found))
    _keep(found.model_dump_json(indent=1), out)


def _known_split(split: str) -> None:
    if split not in ("dev", "held_out", "all"):
        fail(f"unknown split '{split}'; use dev, held_out or all", 2)


def _desk() -> Desk:
    """The desk that is evaluated: the knowledge and the phrase matcher, no language model."""
    settings = the_settings()
    settings.model = "none"
    from app import wiring

    try:
        return asyncio.run(wiring.build_desk(settings, report))
    except expected() as error:
        fail(str(error))


def _keep(text: str, out: Path | None) -> None:
    if out is None:
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
