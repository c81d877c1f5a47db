"""A real server in a process of its own, as an operator starts it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


class Server:
    """`huatuo serve` on a free port; everything that it says stands in `log`."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home, self.settings = home, settings
        self.log = home.with_suffix(".log")
        self.key = ""
        self.start()

    def start(self) -> None:
        """Starts the process and waits until it is ready."""
        before = self.log.stat().st_size if self.log.exists() else 0
        given = {f"HUATUO_{name.upper()}": value for name, value in self.settings.items()}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HUATUO_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve", "--port", "0"],
                cwd=ROOT,
                env={**kept, "HUATUO_HOME": str(self.home), **given},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 120
        while True:
            said = self.log.read_bytes()[before:].decode()
            if found := re.search(r"listening on (http://\S+)", said):
                self.url = found[1]
                if key := re.search(r"^hk_\S+$", said, re.MULTILINE):
                    self.key = key[0]
                if self._answers():
                    break
            assert self.process.poll() is None, said
            assert time.monotonic() < until, said
            time.sleep(0.05)
        self.http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=120
        )

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/live", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """SIGKILL: nothing is put in order."""
        self.http.close()
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.http.close()
        self.process.terminate()
        return self.process.wait(60)

    def open(self) -> str:
        """Opens a consultation and returns its id."""
        return str(self.http.post("/v1/consultations", json={"language": "en"}).json()["id"])
