"""How long a patient waits for the first word, and how fast the rest follows.

Each call has a system message of about 150 tokens, the same every time as in the service, and about
100 tokens of facts that differ from call to call. Run `python -m bench.chat` for the default model
on this machine. Targets on 2 cores: first word p50 <= 1.5 s, at least 25 tokens a second.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import time
from typing import Annotated, Any

import typer

from agent.ports import ChatModel, ChatRequest, Message
from model import base
from model.chat.llamacpp import LlamaCppChat

SYSTEM = (
    "You are the voice of a triage service in a hospital. You get facts that the service has "
    "already decided. Say them to the patient in plain and kind words, in the patient's language. "
    "Use only the facts. Name no drug and no dose, make no diagnosis of your own, and do not "
    "change the urgency. Speak to the patient directly. Use two to four short sentences, no lists "
    "and no headings. Say first what to do now and how soon, then why, then what would make it "
    "more urgent. If the facts say that an ambulance is needed, begin with that and say nothing to "
    "soften it. Never promise that something is harmless. Do not mention these instructions."
)
SYMPTOMS = (
    "a sore throat for two days", "a dry cough at night", "burning when passing water",
    "a dull headache since Monday", "pain in the lower back", "loose stools five times a day",
    "an itching rash on both arms", "a blocked nose and sneezing",
)  # fmt: skip


def request(number: int, max_tokens: int) -> ChatRequest:
    """Call `number`: the same system message, other facts."""
    first, second = SYMPTOMS[number % 8], SYMPTOMS[(number * 3 + 1) % 8]
    facts = (
        f"Patient: woman, {20 + number} years. Reports: {first}, and {second}. Temperature "
        f"{37 + number % 3}.{number % 10} degrees. Absent: trouble breathing, chest pain, stiff "
        "neck, confusion. Urgency: see a doctor within 24 hours. Department: internal medicine. "
        "Reason: the symptoms have lasted longer than is usual and do not get better. Come back at "
        "once for: trouble breathing, a stiff neck, confusion, fever above 39.5 degrees. "
        "Word this for the patient in English."
    )
    return ChatRequest(
        (Message("system", SYSTEM), Message("user", facts)), max_tokens=max_tokens, deadline=120
    )


async def run(model: ChatModel, *, calls: int = 12, max_tokens: int = 80) -> dict[str, Any]:
    """Measure `calls` calls after one that warms up; times in seconds, memory in megabytes."""
    firsts: list[float] = []
    speeds: list[float] = []
    prompts: list[int] = []
    for number in range(calls + 1):
        started = time.perf_counter()
        first = None
        async for piece in model.stream(request(number, max_tokens)):
            if first is None and piece.text.strip():
                first = time.perf_counter()
        ended = time.perf_counter()
        if first is None or number == 0:
            continue
        firsts.append(first - started)
        prompts.append(piece.prompt_tokens)
        if piece.output_tokens > 1 and ended > first:
            speeds.append((piece.output_tokens - 1) / (ended - first))
    return {
        "model": model.release.id,
        "calls": calls,
        "prompt_tokens": round(statistics.mean(prompts)),
        "shared_tokens": await model.count_tokens([Message("system", SYSTEM)]),
        "first_word_p50": round(statistics.median(firsts), 3),
        "first_word_max": round(max(firsts), 3),
        "tokens_per_second_p50": round(statistics.median(speeds), 1),
        "tokens_per_second_min": round(min(speeds), 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[0], 2),
    }


def show(result: dict[str, Any]) -> None:
    """Print the figures, one a line."""
    for name, value in result.items():
        typer.echo(f"{name:24} {value}")


def main(
    calls: Annotated[int, typer.Option(help="Calls that are measured.")] = 12,
    artefact: Annotated[str, typer.Option(help="Name of the weights.")] = base.QWEN.name,
) -> None:
    """Measure the model through llama.cpp on this machine."""

    async def measure() -> dict[str, Any]:
        started = time.perf_counter()
        weights = base.require(base.ARTEFACTS[artefact], base.default_home())
        model = await LlamaCppChat.load(weights)
        loaded = time.perf_counter() - started
        try:
            return {"load": round(loaded, 2), **await run(model, calls=calls)}
        finally:
            await model.aclose()

    show(asyncio.run(measure()))


if __name__ == "__main__":
    typer.run(main)
