"""Progress of long work, on standard error."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from model import base
from model.base import Artefact


def fetch_all(home: Path, console: Console, *, tests: bool = False) -> dict[str, Path]:
    """Fetch the default weights with a bar each; with `tests`, also what only the tests need.

    Raises WeightsError.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        rows: dict[str, TaskID] = {}

        def show(artefact: Artefact, done: int, total: int) -> None:
            if artefact.name not in rows:
                rows[artefact.name] = bars.add_task(artefact.name, total=total)
            bars.update(rows[artefact.name], completed=done, total=total)

        found = base.fetch_default(home, show)
        if tests:
            found[base.SMOLLM2.name] = base.fetch(base.SMOLLM2, home, progress=show)
        return found
