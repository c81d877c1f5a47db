"""Lets the model speak, sentence by sentence, each checked before anyone sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from agent.events import Event, ModelCall, to_outbox
from agent.language.understand import Lexicon
from agent.ports import ChatModel, ChatRequest, Clock, Language, ModelError
from agent.wording.check import Facts, refuse

_END = re.compile(r"[。！？!?]+[”」』\"']?|\.(?=\s|$)[\"']?|\n+")


@dataclass
class Spoken:
    """What the model said and may be shown, and what goes on record about it."""

    text: str = ""
    outbox: list[dict[str, Any]] = field(default_factory=list)


def sentences(text: str) -> tuple[list[str], str]:
    """The finished sentences of a growing text, and the unfinished rest."""
    done: list[str] = []
    start = 0
    for match in _END.finditer(text):
        piece = text[start : match.end()].strip()
        start = match.end()
        if piece:
            done.append(piece)
    return done, text[start:]


async def speak(
    model: ChatModel | None,
    request: ChatRequest,
    *,
    purpose: str,
    facts: Facts,
    lexicon: Lexicon,
    language: Language,
    clock: Clock,
    show: Callable[[str], None],
    most: int = 1,
) -> Spoken:
    """Have the model answer `request` and show its sentences as they pass the check.

    Stops at the first sentence that is refused, at `most` sentences, or when the model fails;
    the caller words the reply itself when `text` stays empty. Never raises a ModelError.
    """
    spoken = Spoken()
    if model is None:
        return spoken
    started = clock.now()
    raw, shown = "", 0
    finish, prompt_tokens, output_tokens = "cancelled", 0, 0
    refused: tuple[str, str] | None = None
    stream = model.stream(request)
    try:
        async for piece in stream:
            raw += piece.text
            finished, rest = sentences(raw)
            if piece.finish:
                finish = piece.finish
                prompt_tokens, output_tokens = piece.prompt_tokens, piece.output_tokens
                # A text cut off by the length limit ends in the middle: its rest is no sentence.
                if rest.strip() and finish == "stop":
                    finished.append(rest.strip())
            for sentence in finished[shown:most]:
                why = refuse(sentence, facts, lexicon, language)
                if why:
                    refused = (sentence, why)
                    break
                shown += 1
                joined = sentence if language == "zh" or not spoken.text else f" {sentence}"
                spoken.text += joined
                show(joined)
            if refused or shown >= most:
                break
    except ModelError as error:
        finish = error.code
        spoken.outbox.append(
            to_outbox(
                Event(
                    type="model.failed",
                    actor="model",
                    payload={"purpose": purpose, "code": error.code},
                )
            )
        )
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
    spoken.outbox.insert(
        0,
        to_outbox(
            ModelCall(
                purpose=purpose,
                prompt=[asdict(message) for message in request.messages],
                parameters={
                    "max_tokens": request.max_tokens,
                    "temperature": request.temperature,
                    "seed": request.seed,
                    "deadline": request.deadline,
                },
                output=raw,
                finish=finish,
                model_release=model.release.id,
                prompt_tokens=prompt_tokens,
                output_tokens=output_tokens,
                seconds=(clock.now() - started).total_seconds(),
            )
        ),
    )
    if refused:
        spoken.outbox.append(
            to_outbox(
                Event(
                    type="wording.refused",
                    actor="service",
                    payload={"purpose": purpose, "sentence": refused[0], "why": refused[1]},
                )
            )
        )
    return spoken
