"""A progress bar for fetching weights, on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from model.base import Artefact, Progress


@contextmanager
def bars(*, quiet: bool = False) -> Iterator[Progress]:
    """Yields a callback for `fetch` that draws one bar an artefact.

    On a standard error that is no terminal rich draws each bar once, when it is complete.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), disable=quiet) as display:
        tasks: dict[str, TaskID] = {}

        def progress(artefact: Artefact, done: int, total: int) -> None:
            if artefact.name not in tasks:
                tasks[artefact.name] = display.add_task(artefact.name, total=total)
            display.update(tasks[artefact.name], completed=done)

        yield progress
