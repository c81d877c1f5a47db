"""The command `huatuo`. Imports what is heavy only where it is needed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.commands import audit, bench, evaluate, knowledge
from app.console import expected as _expected
from app.console import fail as _fail
from app.console import note as _note
from app.console import notes
from app.console import report as _report
from app.console import settings as _settings

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("LANGSMITH_TRACING", "false")
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Huatuo, an open medical consultation service. It is automated and no doctor.",
)
model_app = typer.Typer(no_args_is_help=True, help="The language model's weights.")
key_app = typer.Typer(no_args_is_help=True, help="API keys.")
app.add_typer(audit.app, name="audit")
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(model_app, name="model")
app.add_typer(key_app, name="key")
app.add_typer(bench.app, name="bench")
app.add_typer(evaluate.app, name="evaluate")


@app.command()
def consult(
    language: Annotated[str | None, typer.Option(help="zh or en; else recognised.")] = None,
    age: Annotated[float | None, typer.Option(help="Age in years.", min=0, max=130)] = None,
    sex: Annotated[str | None, typer.Option(help="female or male.")] = None,
    pregnant: Annotated[bool | None, typer.Option(help="Whether pregnant.")] = None,
    resume: Annotated[str | None, typer.Option(help="Id of a consultation to go on with.")] = None,
) -> None:
    """Open a consultation in the terminal. Standard input may be a file of the patient's lines."""
    if language not in (None, "zh", "en"):
        _fail(f"unknown language '{language}'; use zh or en", 2)
    if sex not in (None, "female", "male"):
        _fail(f"unknown sex '{sex}'; use female or male", 2)
    settings = _settings()
    from app import terminal, wiring

    patient = {"age_years": age, "sex": sex, "pregnant": pregnant}
    tongue: Literal["zh", "en"] | None = language  # type: ignore[assignment]

    async def run() -> int:
        async with wiring.running(settings, _report) as service:
            await service.start()
            try:
                return await terminal.converse(
                    service, language=tongue, patient=patient, resume=resume
                )
            finally:
                await service.stop()

    try:
        status = asyncio.run(run())
    except _expected() as error:
        _fail(str(error))
    except KeyboardInterrupt:
        status = 130
    raise typer.Exit(status)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the HTTP API. At the first start an API key is made and shown once."""
    settings = _settings()
    import uvicorn

    from api.app import create_app
    from app import wiring
    from app.anchoring import keep_anchored
    from app.keys import first_key
    from records.signing import read_or_make

    address = (host or settings.host, settings.port if port is None else port)
    try:  # before anything is loaded: a port that is taken is told at once
        listener = _listen(*address)
    except OSError as error:
        _fail(f"cannot listen on {address[0]}:{address[1]} ({error.strerror}); see --host, --port")

    async def run() -> None:
        async with wiring.running(settings, _report) as service:
            secret = await first_key(service.database)
            if secret:
                _note("API key, shown this once (all scopes):")
                _note(secret)
            config = uvicorn.Config(
                create_app(service),
                log_level=settings.log_level,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=15,
            )
            name, number = listener.getsockname()[:2]
            _report(f"listening on http://{f'[{name}]' if ':' in name else name}:{number}")
            # Once all is in order uvicorn raises the signal that ended it again; by then nothing
            # is left but to close the model and the database, and that shall happen.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            anchoring = asyncio.create_task(
                keep_anchored(service.database, read_or_make(settings.anchor_file))
            )
            try:
                await uvicorn.Server(config).serve(sockets=[listener])
            finally:
                anchoring.cancel()

    try:
        with listener:
            asyncio.run(run())
    except _expected() as error:
        _fail(str(error))
    except KeyboardInterrupt:
        pass


def _listen(host: str, port: int) -> socket.socket:
    """A socket that holds the address; port 0 takes any that is free."""
    family, kind, proto, _, place = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, proto)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
    except OSError:
        listener.close()
        raise
    return listener


@app.command()
def doctor(
    full: Annotated[bool, typer.Option(help="Check every byte of the weights.")] = False,
) -> None:
    """Say what is there, what is missing and how to get it."""
    from app.examine import examine

    settings = _settings()
    try:
        found = examine(settings, full=full)
    except _expected() as error:
        _fail(str(error))
    for part in found:
        mark = {"ok": "[green]ok     [/green]", "note": "[yellow]note   [/yellow]"}.get(
            part.state, "[red]missing[/red]"
        )
        notes.print(f"{mark} {part.name}: ", end="")
        _note(part.says)
    raise typer.Exit(1 if any(part.state == "missing" for part in found) else 0)


@app.command()
def assess(
    cases: Annotated[Path, typer.Option(help="Cases, a JSON object a line.")],
    out: Annotated[Path, typer.Option(help="Where the assessments go, a JSON object a line.")],
) -> None:
    """Assess a file of cases without conversations."""
    if out.exists() and cases.exists() and out.samefile(cases):
        _fail("--out is the file of --cases; name another", 2)
    settings = _settings()
    from app import wiring
    from app.batch import assess_file

    async def run() -> int:
        settings.model = "none"  # an assessment is the knowledge's alone
        desk = await wiring.build_desk(settings, _report)
        return assess_file(desk, cases, out, _report)

    try:
        refused = asyncio.run(run())
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}")
    except _expected() as error:
        _fail(str(error))
    raise typer.Exit(1 if refused else 0)


@model_app.command("fetch")
def model_fetch(
    tests: Annotated[bool, typer.Option(help="Also what only the tests need.")] = False,
) -> None:
    """Fetch the weights that the service needs, by hash; what is there is kept."""
    settings = _settings()
    from app.progress import fetch_all
    from model.base import WeightsError

    try:
        for name, path in fetch_all(settings.home, notes, tests=tests).items():
            _report(f"{name}: {path}")
    except WeightsError as error:
        _fail(str(error))


@model_app.command("list")
def model_list() -> None:
    """Show which weights are here."""
    settings = _settings()
    from model import base

    for artefact in base.ARTEFACTS.values():
        try:
            path = base.locate(artefact, settings.home)
            print(f"{artefact.name}: {path or 'not here'}")
        except base.WeightsError as error:
            print(f"{artefact.name}: {error}")


@key_app.command("create")
def key_create(
    label: str,
    scope: Annotated[list[str] | None, typer.Option(help="consult, audit, ...")] = None,
) -> None:
    """Make an API key; it is shown this once, on standard output."""
    settings = _settings()
    from app.keys import make_key

    try:
        print(asyncio.run(make_key(settings, label, scope or ["consult"])))
    except ValueError as error:
        _fail(str(error), 2)
    except _expected() as error:
        _fail(str(error))


def main() -> None:
    """Entry point of the command."""
    started = time.monotonic()
    try:
        app()
    finally:
        if os.environ.get("HUATUO_TIMING"):
            print(f"{time.monotonic() - started:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
