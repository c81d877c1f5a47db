"""The house rules that a program can hold: who imports whom, and what no test may do."""

from __future__ import annotations

import ast
import socket
from pathlib import Path

import pytest

from tests.conftest import NetworkReached

ROOT = Path(__file__).parent.parent
ROOMS = (
    "agent",
    "knowledge",
    "model",
    "evaluation",
    "records",
    "api",
    "app",
    "migrations",
    "bench",
)

# For each room, what it may import from the others. A dotted name allows that module alone.
ALLOWED: dict[str, set[str]] = {
    "agent": {"knowledge.clinical", "knowledge.fitted"},
    "knowledge": {"agent.ports"},
    "knowledge.imported": {"agent.ports", "agent.language"},
    "model": {"agent.ports"},
    "model.training": {"evaluation", "agent", "knowledge.clinical", "model"},
    "evaluation": {"agent", "knowledge.clinical", "knowledge.fitted"},
    "records": {"agent.events", "migrations"},
    "migrations": {"records"},
    "api": {"agent", "knowledge", "model", "records", "evaluation"},
    "app": {"agent", "knowledge", "model", "records", "evaluation", "api", "bench"},
    "bench": {"agent", "knowledge", "model", "records", "evaluation", "api", "app"},
}
# What a room may not import from outside the house.
FORBIDDEN: dict[str, set[str]] = {
    "agent": {"fastapi", "starlette", "sqlalchemy", "torch", "faiss", "transformers", "httpx"},
    "records": {"fastapi", "torch", "faiss", "transformers"},
    "knowledge.clinical": {"fastapi", "sqlalchemy", "torch", "faiss", "transformers", "langgraph"},
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.ImportFrom):
            raise AssertionError(f"{path}: relative imports hide who imports whom")
    return found


def files() -> list[Path]:
    """Every source file of the house, tests aside."""
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def within(name: str, modules: set[str]) -> bool:
    """Whether a name is one of the modules or inside one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_plan(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    room = module.split(".")[0]
    key = next((part for part in ALLOWED if "." in part and within(module, {part})), room)
    for name in imports(path):
        first = name.split(".")[0]
        if first in ROOMS and first != room:
            partial = any(rule.startswith(f"{name}.") for rule in ALLOWED[key])
            assert within(name, ALLOWED[key]) or partial, f"{module} must not import {name}"
        if first == room and key == "model" and not module.startswith("model.training"):
            assert not within(name, {"model.training"}), f"{module} serves; {name} trains"
        for place, words in FORBIDDEN.items():
            if within(module, {place}):
                assert first not in words, f"{module} must not know {first}"


def test_the_rule_would_notice() -> None:
    """The check is no dead letter: what is forbidden is recognised as such."""
    assert not within("records.turns", ALLOWED["agent"])
    assert not within("agent.graph", ALLOWED["records"])
    assert within("agent.events.Event", ALLOWED["records"])


def test_no_test_reaches_the_network() -> None:
    with pytest.raises(NetworkReached), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))
