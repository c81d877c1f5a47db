"""What every command says to the person at the terminal: on standard error, as it is."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console

from app.settings import Settings

notes = Console(stderr=True, highlight=False)


def note(line: str, style: str | None = None) -> None:
    """A line as it is: nothing in it is markup, and no line is broken for want of width."""
    notes.print(line, style=style, markup=False, soft_wrap=True)


def report(line: str) -> None:
    """A line about what is being done."""
    note(line, "dim")


def fail(message: str, status: int = 1) -> NoReturn:
    """Say what is wrong and end the command."""
    note(message, "red")
    raise typer.Exit(status)


def settings() -> Settings:
    """The settings in force, with logging set up; ends the command when one is not valid."""
    from pydantic import ValidationError

    from app.wiring import configure_logging

    try:
        found = Settings()
    except ValidationError as error:
        for item in error.errors():
            name = "HUATUO_" + "_".join(str(part) for part in item["loc"]).upper()
            note(f"{name}: {item['msg']}")
        fail("The settings above are not valid.", 2)
    configure_logging(found.log_level)
    return found


def expected() -> tuple[type[Exception], ...]:
    """What can go wrong at start and has a message that says what to do."""
    from agent.ports import ModelError
    from knowledge.clinical import KnowledgeError
    from knowledge.fitted import OverlayError
    from knowledge.imported.rows import SourceFault
    from model.base import WeightsError
    from records.errors import RecordsError

    return (
        KnowledgeError,
        OverlayError,
        SourceFault,
        WeightsError,
        ModelError,
        RecordsError,
        OSError,
    )
