"""Progress of long work, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from model import base
from model.base import Artefact


@contextmanager
def bars(console: Console) -> Iterator[base.Progress]:
    """A bar for each artefact that is fetched inside; gives what `model.base.fetch` calls."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as shown:
        rows: dict[str, TaskID] = {}

        def show(artefact: Artefact, done: int, total: int) -> None:
            if artefact.name not in rows:
                rows[artefact.name] = shown.add_task(artefact.name, total=total)
            shown.update(rows[artefact.name], completed=done, total=total)

        yield show


@contextmanager
def counted(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for work that is counted; gives what is told how much is done, and of how much."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as shown:
        row = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(row, completed=done, total=total)


def fetch_all(home: Path, console: Console, *, tests: bool = False) -> dict[str, Path]:
    """Fetch the default weights with a bar each; with `tests`, also what only the tests need.

    Raises WeightsError.
    """
    with bars(console) as show:
        found = base.fetch_default(home, show)
        if tests:
            found[base.SMOLLM2.name] = base.fetch(base.SMOLLM2, home, progress=show)
        return found
