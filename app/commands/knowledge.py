"""The commands on knowledge: check it, search it, import it, say what it covers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from app.console import expected, fail, notes, report
from app.console import settings as the_settings

app = typer.Typer(no_args_is_help=True, help="What is known: check, search, import, coverage.")


@app.command("check")
def check(
    folder: Annotated[Path | None, typer.Argument(help="Folder of data files.")] = None,
) -> None:
    """Check the clinical knowledge; every fault names file and line."""
    from knowledge.clinical import check as checker

    raise typer.Exit(checker.main([str(folder)] if folder else []))


@app.command("search")
def search(
    query: str,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    k: Annotated[int, typer.Option(help="How many passages.", min=1, max=50)] = 5,
) -> None:
    """Show the passages that a query finds."""
    settings = the_settings()
    if language not in ("zh", "en"):
        fail(f"unknown language '{language}'; use zh or en", 2)
    from app import wiring
    from knowledge import clinical

    async def run() -> None:
        retriever, _ = wiring.load_retrieval(settings, clinical.load(), report)
        assert retriever is not None  # by words alone at the least
        found = await retriever.search(query, language=language, k=k)  # type: ignore[arg-type]
        for passage in found.passages:
            print(f"{passage.score:.3f}  {passage.title} / {passage.section}  [{passage.chunk}]")
            print(f"       {passage.text}")

    try:
        asyncio.run(run())
    except expected() as error:
        fail(str(error))


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="cmekg (Chinese, 4,000 conditions) or hpo (rare).")],
    file: Annotated[
        Path | None, typer.Option(help="The package or its data file, in place of a download.")
    ] = None,
    optional: Annotated[
        bool, typer.Option(help="When it cannot be had, say so and succeed nevertheless.")
    ] = False,
) -> None:
    """Add conditions from a public source, marked as imported, and report what is not mapped."""
    from app import imported
    from app.progress import bars

    settings = the_settings()
    if source not in imported.SOURCES:
        fail(f"unknown source '{source}'; use {' or '.join(imported.SOURCES)}", 2)
    if optional and not settings.imported:
        report("imported knowledge is switched off (HUATUO_IMPORTED)")
        return
    from knowledge import clinical

    try:
        with bars(notes) as show:
            written = clinical.load()
            made = imported.bring(
                source, settings.home, written, file=file, progress=show, report=report
            )
    except expected() as error:
        if not optional:
            fail(str(error))
        report(f"no imported knowledge: {error}")
        report("The service runs on the written knowledge alone.")
        return
    account = json.loads(made.account.read_text(encoding="utf-8"))
    for line in imported.told(account):
        report(line)
    report(f"All that was not mapped: {made.account}")


@app.command("coverage")
def coverage(
    cases: Annotated[list[Path], typer.Option(help="Cases: JSON, or a JSON object a line.")],
    out: Annotated[Path | None, typer.Option(help="Where the figures go as JSON.")] = None,
    gaps: Annotated[int, typer.Option(help="How many gaps are listed.", min=0)] = 40,
) -> None:
    """Say how much of the diagnoses of cases is known, by department, and list the gaps."""
    settings = the_settings()
    from agent.language.names import Names
    from app import imported
    from evaluation import coverage as measured
    from evaluation.cases import CasesError

    try:
        knowledge = imported.known(settings, report)
        asked = [(path.name, measured.read(path)) for path in cases]
    except CasesError as error:
        fail(str(error))
    except expected() as error:
        fail(str(error))
    found = measured.cover(knowledge, Names(knowledge), asked)
    print(measured.table(found, gaps))
    if out is not None:
        try:
            out.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            fail(f"{error.filename}: {error.strerror}")


@app.command("fit")
def fit(
    dataset: Annotated[Path, typer.Option(help="Cases: a JSON object a line, or a JSON list.")],
    out: Annotated[Path, typer.Option(help="Where the overlay goes.")] = Path("overlay.json"),
    silence: Annotated[
        str, typer.Option(help="What is taken for said of what no case tells: unsure or absent.")
    ] = "unsure",
    seed: Annotated[int, typer.Option(help="Where the fitting starts.")] = 0,
) -> None:
    """Fit parameters to a hospital's cases, as an overlay that leaves the knowledge as it is."""
    the_settings()
    if silence not in ("unsure", "absent"):
        fail(f"unknown silence '{silence}'; use unsure or absent", 2)
    from app.fitting import fit_file
    from knowledge import clinical
    from knowledge.fitted import OverlayError

    try:
        overlay = fit_file(
            dataset,
            clinical.load(),
            silence=silence,  # type: ignore[arg-type]
            seed=seed,
            report=report,
        )
        overlay.save(out)
    except OverlayError as error:
        fail(str(error))
    except expected() as error:
        fail(str(error))
    report(
        f"{out}: {overlay.cases} cases, {len(overlay.conditions)} conditions, "
        f"{len(overlay.findings)} findings, {len(overlay.condition_of)} presentations; "
        f"use it with HUATUO_OVERLAY={out}"
    )
