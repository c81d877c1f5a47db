"""Traditional and simplified characters."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def simplified() -> dict[str, str]:
    """Traditional to simplified, one character each, from the table of OpenCC."""
    table: dict[str, str] = {}
    text = files("opencc").joinpath("dictionary/TSCharacters.txt").read_text("utf-8")
    for line in text.splitlines():
        source, _, targets = line.partition("\t")
        target = targets.split(" ")[0]
        if len(source) == 1 and len(target) == 1:
            table[source] = target
    return table
