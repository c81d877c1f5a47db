"""A folder for the life of one process that no other user can enter.

A process that is killed leaves its folder behind; the next one that makes a folder sweeps it away.
Each folder holds a lock that ends with its process, so a living one is never touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

_LOCK = "lock"


class PrivateFolder:
    """Made on construction under the system's temporary folder, removed by `remove`."""

    def __init__(self, prefix: str) -> None:
        for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            _sweep(left)
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._lock = (self.path / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _sweep(folder: Path) -> None:
    """Remove `folder` if its process has ended. A folder without a lock is just being made."""
    lock: TextIO
    with contextlib.suppress(OSError), (folder / _LOCK).open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
