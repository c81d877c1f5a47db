"""Reads YAML with the line of every value, so that a fault can name file and line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong with the knowledge. `warning` faults do not refuse a release."""

    file: str
    line: int
    message: str
    entry: str = ""
    warning: bool = False

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        entry = f" [{self.entry}]" if self.entry else ""
        return f"{where}:{entry} {'warning: ' if self.warning else ''}{self.message}"


@dataclass(slots=True)
class Sourced:
    """A parsed file: plain data, and the line (from 1) of each place in it."""

    path: str
    data: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest place around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


class _Loader(yaml.CSafeLoader):
    """Safe loader that leaves dates and yes/no alone: an answer "no" is a word here."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool"))
    ]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_BOOLS = {"true": True, "false": False}


def read(path: Path, name: str) -> tuple[Sourced | None, list[Fault]]:
    """Parse one YAML file. Returns the data, or None, and the faults found on the way."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        return None, [Fault(name, line, "the file is not UTF-8 text; save it as UTF-8")]
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            faults: list[Fault] = []
            lines: dict[Place, int] = {}
            data = _build(loader, node, (), lines, faults, name) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        return None, [Fault(name, line, f"this is not YAML: {error.problem or error.context}")]
    except yaml.YAMLError as error:
        return None, [Fault(name, 1, f"this is not YAML: {error}")]
    return Sourced(name, data, lines), faults


def _build(
    loader: Any,
    node: yaml.Node,
    place: Place,
    lines: dict[Place, int],
    faults: list[Fault],
    name: str,
) -> Any:
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in mapping:
                faults.append(Fault(name, line, f"'{key}' is given twice; keep one"))
            mapping[key] = _build(loader, value_node, (*place, key), lines, faults, name)
            lines[(*place, key)] = line
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(loader, item, (*place, index), lines, faults, name)
            for index, item in enumerate(node.value)
        ]
    value = loader.construct_object(node)
    if isinstance(value, str) and isinstance(node, yaml.ScalarNode) and not node.style:
        return _BOOLS.get(value, value)
    return value
