"""What every test runs under: no network, no tracing, no settings of the person who runs it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
os.environ["HF_HUB_OFFLINE"] = "1"
# Several test processes share few cores, and threads that wait for one another by spinning then
# take a hundred times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

_LOCAL = {"127.0.0.1", "::1", "localhost", "0.0.0.0", ""}


class NetworkReached(RuntimeError):
    """A test tried to leave this machine."""


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Fail any test that reaches beyond this machine; local sockets are allowed."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            if host not in _LOCAL and not host.startswith("127."):
                raise NetworkReached(f"a test tried to connect to {host}")
        real(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        socket.socket.connect = real  # type: ignore[method-assign]
