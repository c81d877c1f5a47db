"""Puts the picture of the graph, made from the graph itself, into the README."""

from __future__ import annotations

import re
from pathlib import Path

from agent.graph import picture

README = Path(__file__).parent.parent / "README.md"
_PLACE = re.compile(r"(<!-- graph -->\n).*?(<!-- /graph -->)", re.DOTALL)


def drawn(text: str) -> str:
    """The text with the graph of now between its marks."""
    body = picture().split("---\n", 2)[-1].replace("\t", "  ").strip()
    return _PLACE.sub(lambda m: f"{m[1]}```mermaid\n{body}\n```\n{m[2]}", text)


if __name__ == "__main__":
    README.write_text(drawn(README.read_text(encoding="utf-8")), encoding="utf-8")
