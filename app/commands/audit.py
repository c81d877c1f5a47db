"""The commands of an auditor: does the record hold, and how far is that vouched for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from app.console import expected, fail, note, notes, report
from app.console import settings as the_settings

if TYPE_CHECKING:
    from app.settings import Settings
    from records.database import Database

app = typer.Typer(no_args_is_help=True, help="The record: verify it, anchor it, rebuild from it.")

ONLY = Annotated[str | None, typer.Option("--consultation", help="Only this one.")]
Found = TypeVar("Found")


def _with_database(settings: Settings, work: Callable[[Database], Awaitable[Found]]) -> Found:
    """Run `work` on the database, which must be there and of this version."""
    from records.database import Database

    async def run() -> Found:
        async with Database(settings.database) as database:
            await database.check()
            return await work(database)

    try:
        return asyncio.run(run())
    except expected() as error:
        fail(str(error), 2)


@app.command("verify")
def verify(
    consultation: ONLY = None,
    anchors: Annotated[
        Path | None, typer.Option(help="A file of anchors that was kept elsewhere.", exists=True)
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The public key that the anchors must be signed with.")
    ] = None,
) -> None:
    """Verify every chain of events, what hangs on it, and the anchors.

    Ends with 0 where all holds, with 1 where something does not (each first broken place is on
    standard output), with 2 where it could not be looked at.
    """
    settings = the_settings()
    from app.progress import counted
    from records import anchors as signed
    from records import audit, signing
    from records.errors import RecordsError

    try:
        kept = signed.from_lines(anchors.read_text("utf-8")) if anchors is not None else []
        own = signing.read(settings.anchor_file) if settings.anchor_file.exists() else None
    except UnicodeDecodeError:
        fail(f"{anchors} is no text in UTF-8; export the anchors again.", 2)
    except RecordsError as error:
        fail(str(error), 2)
    trusted = key or (own.public if own is not None else None)
    with counted(notes, "consultations") as progress:
        found = _with_database(
            settings,
            lambda database: audit.verify(
                database, only=consultation, trusted=trusted, kept=kept, progress=progress
            ),
        )
    for link in found.broken:
        print(f"{link.consultation_id} event {link.seq}: {link.reason}")
    if found.broken_anchor is not None:
        print(f"anchor {found.broken_anchor.number}: {found.broken_anchor.reason}")
    report(
        f"{found.consultations} consultations with {found.events} events, {found.anchors} anchors; "
        f"{found.unanchored} events are not anchored yet"
    )
    if not found.holds:
        note("The record does not hold in the places above; the rest does.", "red")
        raise typer.Exit(1)
    report("all of it holds")


@app.command("anchor")
def anchor(
    out: Annotated[
        Path | None, typer.Option(help="Write all anchors there too, to be kept elsewhere.")
    ] = None,
) -> None:
    """Sign how far every chain has come. The server does so once a day by itself."""
    settings = the_settings()
    from datetime import UTC, datetime

    from records import anchors, signing

    async def work(database: Database) -> tuple[anchors.Anchor, str]:
        signer = signing.read_or_make(settings.anchor_file)
        async with database.transaction() as connection:
            made = await anchors.make(connection, signer, now=datetime.now(UTC))
        async with database.reading() as connection:
            return made, anchors.to_lines(await anchors.read(connection))

    made, lines = _with_database(settings, work)
    if out is not None:
        try:
            out.write_text(lines, "utf-8")
        except OSError as error:
            fail(f"cannot write {out} ({error.strerror}); the anchor itself is made", 2)
    report(f"anchor {made.number} over {len(made.heads)} consultations, key {made.key}")


@app.command("replay")
def replay(consultation: ONLY = None) -> None:
    """Run consultations again on what is on record of them: the patient's words, the model's
    outputs, what look-ups found. Rules, knowledge, prompts and code are those of now.

    Ends with 0 where all agree, with 1 where one does not; its first divergence is on standard
    output.
    """
    settings = the_settings()
    from api.replay import Replay, Replayer
    from app import wiring
    from app.progress import counted
    from records import audit

    async def work(database: Database) -> list[Replay]:
        ids = [consultation] if consultation else await audit.consultations(database)
        replayer = Replayer(desk)
        found = []
        with counted(notes, "consultations") as progress:
            for done, id in enumerate(ids, start=1):
                found.append(await replayer.replay(database, id))
                progress(done, len(ids))
        return found

    try:
        # The record answers in the model's place.
        silent = settings.model_copy(update={"model": "none"})
        desk = asyncio.run(wiring.build_desk(silent, report))
    except expected() as error:
        fail(str(error), 2)
    found = _with_database(settings, work)
    for item in found:
        if (first := item.divergence) is not None:
            place = f"event {first.seq}" if first.seq is not None else "an event more"
            print(f"{item.consultation_id} turn {first.turn} {place}: {first.what}")
            print(f"  recorded: {_short(first.recorded)}")
            print(f"  replayed: {_short(first.replayed)}")
    differing = sum(not item.agrees for item in found)
    incomplete = sum(not item.complete for item in found)
    report(
        f"{len(found)} consultations replayed, {differing} differ, "
        f"{incomplete} only as far as a turn that failed or is not answered yet"
    )
    if differing:
        raise typer.Exit(1)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:300]} ..."


@app.command("rebuild")
def rebuild(consultation: ONLY = None) -> None:
    """Make the messages again from the events, byte for byte."""
    settings = the_settings()
    from app.progress import counted
    from records import audit

    with counted(notes, "consultations") as progress:
        changed, left = _with_database(
            settings,
            lambda database: audit.rebuild(database, only=consultation, progress=progress),
        )
    report(f"{changed} messages put right")
    for id in left:
        print(f"{id}: its chain does not hold; left as it is")
    if left:
        raise typer.Exit(1)
