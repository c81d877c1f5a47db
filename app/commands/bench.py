"""The commands that time the service."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer

from app.console import expected, fail, report
from app.console import settings as the_settings

app = typer.Typer(no_args_is_help=True, help="How fast it is.")


@app.command("turn")
def turn(
    turns: Annotated[int, typer.Option(help="How many turns.", min=10)] = 200,
) -> None:
    """Time turns without the model: understand, decide, persist."""
    settings = the_settings()
    from bench.turn import run

    print(json.dumps(asyncio.run(run(settings, turns)), indent=2))


@app.command("load")
def load(
    patients: Annotated[int, typer.Option(help="Consultations at once.", min=1)] = 50,
    rounds: Annotated[int, typer.Option(help="Consultations each, in turn.", min=1)] = 2,
) -> None:
    """Time many consultations at once without the model; on PostgreSQL if it is configured."""
    settings = the_settings()
    from bench.load import run

    try:
        print(json.dumps(asyncio.run(run(settings, patients=patients, rounds=rounds)), indent=2))
    except expected() as error:
        fail(str(error))


@app.command("reasoning")
def reasoning(
    conditions: Annotated[int, typer.Option(help="How many conditions.", min=100)] = 2000,
) -> None:
    """Time the reasoning alone: compiling, posterior, differential, next question."""
    settings = the_settings()
    from bench.reasoning import run

    try:
        print(json.dumps(run(settings, conditions=conditions, report=report), indent=2))
    except expected() as error:
        fail(str(error))


@app.command("chat")
def chat() -> None:
    """Time the model: first words, tokens a second."""
    settings = the_settings()
    from app import wiring
    from bench.chat import run

    async def measure() -> Any:
        model = await wiring.load_model(settings, report)
        if model is None:
            fail("no model here; run `huatuo model fetch`")
        try:
            return await run(model)
        finally:
            await model.aclose()

    print(json.dumps(asyncio.run(measure()), indent=2))


@app.command("retrieval")
def retrieval(
    build: Annotated[bool, typer.Option(help="Time a first build as well.")] = False,
) -> None:
    """Time retrieval: a start, a query; and measure what it finds."""
    settings = the_settings()
    from bench.retrieval import run

    try:
        print(json.dumps(asyncio.run(run(settings, build=build, report=report)), indent=2))
    except expected() as error:
        fail(str(error))
