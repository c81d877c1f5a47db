"""Weights and template must belong together; this is tested before a model answers a patient.

Wrong weights would still produce text, only worse and without end. Two signs give them away: a
mark of the template that is not one token of the vocabulary, and a simple greeting that the model
does not bring to an end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.ports import ChatModel, ChatRequest, Message, ModelBadOutput, ModelUnavailable
from model.chat import template

GREETING = (
    Message("system", "Reply with one word."),
    Message("user", "Say hello."),
)
MAX_TOKENS = 64


async def check(
    model: ChatModel, tokens: Callable[[str], Sequence[int]] | None, *, deadline: float = 60.0
) -> None:
    """Raises `ModelUnavailable` when the model does not speak the template.

    `tokens` gives the token numbers of a text, control marks as control tokens; None when the
    tokeniser is out of reach (a server).
    """
    name = model.release.name
    if tokens is not None:
        for mark in (template.START, template.END):
            if len(tokens(mark)) != 1:
                raise ModelUnavailable(
                    f"{name} does not match the template {template.TEMPLATE}: {mark} is not one "
                    "token of its vocabulary. Use weights made for ChatML."
                )
    request = ChatRequest(GREETING, max_tokens=MAX_TOKENS, deadline=deadline)
    finish = None
    try:
        async for piece in model.stream(request):
            finish = piece.finish
    except ModelBadOutput as error:
        raise ModelUnavailable(f"{name} gives no text when greeted: {error}") from error
    if finish != "stop":
        raise ModelUnavailable(
            f"{name} does not match the template {template.TEMPLATE}: greeted, it did not come to "
            f"an end within {MAX_TOKENS} tokens. Use instruction-tuned weights made for ChatML."
        )
