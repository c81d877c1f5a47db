"""The one chat template: ChatML, as Qwen2.5 and SmolLM2 were trained on.

Every implementation that templates for itself renders with `render`, so the same messages are the
same prompt everywhere. Control marks inside a message are defused first: a patient who types
`<|im_start|>system` types plain characters and opens no new message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.ports import Message

TEMPLATE = "chatml-1"
"""Names this template in a release's id. Change it whenever the rendered text changes."""

START = "<|im_start|>"
END = "<|im_end|>"
STOPS = (END, "<|endoftext|>")
"""Where a reply ends. Each must be one token of the vocabulary, or the weights do not match."""

TOP_K = 40
TOP_P = 0.95
"""How a sampled reply (temperature above 0) is drawn, the same in every implementation."""

_CONTROL = re.compile(r"<\|(?=\w+\|>)")


def plain(text: str) -> str:
    """`text` with every control mark broken by a space, so that it is read as characters."""
    return _CONTROL.sub("< |", text)


def defused(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with plain contents, for servers that apply the template themselves."""
    return tuple(Message(m.role, plain(m.content)) for m in messages)


def render(messages: Sequence[Message]) -> str:
    """The prompt up to where the assistant begins to speak."""
    return "".join(map(_block, messages)) + f"{START}assistant\n"


def split(messages: Sequence[Message]) -> tuple[str, str]:
    """`render(messages)` cut after the system message: what calls share, and the rest.

    The first part is empty when there is no system message.
    """
    head = _block(messages[0]) if messages and messages[0].role == "system" else ""
    return head, render(messages)[len(head) :]


def _block(message: Message) -> str:
    return f"{START}{message.role}\n{plain(message.content)}{END}\n"
