"""The commands that measure the service on labelled cases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

    _on_split(triage, lambda desk: cases.load_vignettes(desk.knowledge), split, out)


@app.command("posteriors")
def posteriors(split: SPLIT = "all", out: OUT = None) -> None:
    """The posterior against naive Bayes and a noisy-or, on the findings of the vignettes."""
    from evaluation import cases, posteriors

    _on_split(posteriors, lambda desk: cases.load_vignettes(desk.knowledge), split, out)


@app.command("safety")
def safety(split: SPLIT = "dev", out: OUT = None) -> None:
    """Recall and false alarms of the red-flag rules, with every sentence heard wrongly."""
    from evaluation import cases, safety

    _on_split(safety, lambda _: cases.load_sentences(), split, out)


def _on_split(
    measure: Any, load: Callable[[Desk], Iterable[Any]], split: str, out: Path | None
) -> None:
    """Measure the project's own cases by a module with `evaluate` and `table`."""
    from evaluation.cases import CasesError

    _known_split(split)
    desk = _desk()
    try:
        found = measure.evaluate(desk, load(desk), split=split)
    except CasesError as error:
        fail(str(error))
    print(measure.table(found))
    _keep(found.model_dump_json(indent=1), out)


DATA = Annotated[Path, typer.Option(help="Folder of the public data set, or its file.")]
SAMPLE = Annotated[int | None, typer.Option(help="Only so many cases.", min=1)]


@app.command("assess")
def assess(data: DATA, out: OUT = None) -> None:
    """Diagnosis among three candidates on DxBench, in Chinese and English."""
    from evaluation import candidates, cases, datasets

    try:
        found = candidates.evaluate(_desk(), datasets.dxbench(data))
    except (cases.CasesError, OSError) as error:
        fail(str(error))
    print(candidates.table(found))
    _keep(found.model_dump_json(indent=1), out)


@app.command("departments")
def departments(
    data: DATA,
    mapping: Annotated[Path | None, typer.Option(help="Departments, as of a hospital.")] = None,
    out: OUT = None,
) -> None:
    """The department among the fifteen of DxBench, from the symptoms alone."""
    from evaluation import cases, datasets, departments
    from knowledge.clinical import KnowledgeError

    try:
        read = datasets.dxbench(data)
        found = departments.evaluate(_desk(), read, mapping or departments.MAPPING)
    except (cases.CasesError, KnowledgeError, OSError) as error:
        fail(str(error))
    print(departments.table(found))
    _keep(found.model_dump_json(indent=1), out)


@app.command("symptoms")
def symptoms(data: DATA, out: OUT = None) -> None:
    """Precision, recall and F1 of the symptoms in parents' first messages (dxy dialogues)."""
    from evaluation import cases, datasets, symptoms

    try:
        found = symptoms.evaluate(_desk(), datasets.first_messages(data))
    except (cases.CasesError, OSError) as error:
        fail(str(error))
    print(symptoms.table(found))
    _keep(found.model_dump_json(indent=1), out)


@app.command("facts")
def facts(data: DATA, out: OUT = None) -> None:
    """The share of the facts of English cases from which any finding is read."""
    from evaluation import cases, datasets, facts

    try:
        found = facts.evaluate(_desk(), datasets.facts(data))
    except (cases.CasesError, OSError) as error:
        fail(str(error))
    print(facts.table(found))
    _keep(found.model_dump_json(indent=1), out)


@app.command("inquiry")
def inquiry(
    data: DATA,
    set_: Annotated[str, typer.Option("--set", help="dxy, mz4 or mz10.")],
    folds: Annotated[int, typer.Option(help="Parts of the cross-validation.", min=2)] = 5,
    questions: Annotated[int, typer.Option(help="Most questions on findings.", min=0)] = 10,
    fitted: Annotated[
        bool, typer.Option(help="An overlay fitted to the other folds, or nothing fitted.")
    ] = True,
    sample: SAMPLE = None,
    seed: Annotated[int, typer.Option(help="Draws the sample and the patients' words.")] = 0,
    out: OUT = None,
) -> None:
    """Questions and diagnosis with simulated parents, cross-validated, through the real graph."""
    from evaluation import cases, datasets, inquiry

    if set_ not in inquiry.SETTINGS:
        fail(f"unknown set '{set_}'; use {', '.join(inquiry.SETTINGS)}", 2)
    name: inquiry.Name = set_
    try:
        read = datasets.inquiry(data, name)
        desk = _desk()
        found = inquiry.evaluate(
            read,
            (lambda training: inquiry.fitted_desk(desk, training, name))
            if fitted
            else (lambda _: desk),
            name=name,
            folds=folds,
            questions=questions,
            sample=sample,
            seed=seed,
            report=report,
        )
    except (cases.CasesError, OSError) as error:
        fail(str(error))
    print(inquiry.table(found))
    _keep(found.model_dump_json(indent=1), out)


@app.command("consultations")
def consultations(
    split: SPLIT = "dev",
    sample: SAMPLE = None,
    seed: Annotated[int, typer.Option(help="Draws the hidden findings and the words.")] = 0,
    out: OUT = None,
) -> None:
    """Whole consultations with the vignettes as simulated patients, through the real graph."""
    from evaluation import cases, consultations

    _known_split(split)
    desk = _desk()
    try:
        found = consultations.evaluate(
            desk,
            cases.load_vignettes(desk.knowledge),
            split=split,
            seed=seed,
            sample=sample,
            report=report,
        )
    except cases.CasesError as error:
        fail(str(error))
    print(consultations.table(found))
    _keep(found.model_dump_json(indent=1), out)


def _known_split(split: str) -> None:
    if split not in ("dev", "held_out", "all"):
        fail(f"unknown split '{split}'; use dev, held_out or all", 2)


def _desk() -> Desk:
    """The desk that is evaluated: the knowledge and the detector of alarms, no language model."""
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
