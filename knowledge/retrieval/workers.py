"""Worker threads that are there in a fork of the process too."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Workers:
    """Threads made by `make`, at once and anew in every fork.

    A fork has no thread but the one that forked, yet a pool of before believes that its threads are
    still there: what it is given would wait for ever.
    """

    def __init__(self, make: Callable[[], ThreadPoolExecutor]) -> None:
        self._make = make
        self._pool, self._process = make(), os.getpid()

    @property
    def pool(self) -> ThreadPoolExecutor:
        """The threads of this process."""
        if self._process != os.getpid():
            self._pool, self._process = self._make(), os.getpid()
        return self._pool
