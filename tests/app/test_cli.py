"""The command line, as a person and as a script use it."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import socket
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app import imported
from app.cli import app
from model import artefacts, base
from tests.service.fixtures import EMERGENCY

ROOT = Path(__file__).parents[2]
WIDE = {"COLUMNS": "500", "NO_COLOR": "1"}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command in this process, with a home of its own, without weights or settings."""
    for name in os.environ:
        if name.startswith("HUATUO_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)  # where no .env lies
    monkeypatch.setenv("HUATUO_HOME", str(tmp_path / "home"))
    return CliRunner()


def run(cli: CliRunner, *arguments: str, say: str | None = None) -> Result:
    return cli.invoke(app, arguments, input=say)


def test_a_consultation_through_a_pipe(tmp_path: Path) -> None:
    """The real process: the conversation alone on standard output, all else on standard error."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HUATUO_")}
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "consult", "--language", "en", "--age", "58"],
        input=f"{EMERGENCY}\n\n\U0001f912\n\x00\x1b[2J\nI feel faint\n".encode() + b"\xff\xfe\n",
        capture_output=True,
        cwd=ROOT,
        env={**kept, "HUATUO_HOME": str(tmp_path)},
        timeout=240,
        check=False,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == 0, err
    assert out.startswith("I am an automated assistant")
    assert "120" in out
    assert "consultation " not in out
    assert "reading the clinical knowledge" in err
    assert "Traceback" not in err
    assert "chest pain" not in err
    assert re.search(r"huatuo consult --resume [0-9a-f-]{36}", err)


def test_a_consultation_that_goes_on(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUATUO_LOG_LEVEL", "error")
    first = run(cli, "consult", "--language", "en", say="I have had a cough for two days\n")
    assert first.exit_code == 0, first.output
    found = re.search(r"--resume (\S+)", first.stderr)
    assert found
    again = run(cli, "consult", "--resume", found[1], say="34, male\n")
    assert again.exit_code == 0, again.output
    assert again.stdout.strip()
    assert "automated assistant" not in again.stdout  # who speaks was said in the first turn
    nobody = run(cli, "consult", "--resume", "nobody", say="hello\n")
    assert nobody.exit_code == 1
    assert nobody.stdout == ""
    assert "There is no such consultation." in nobody.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["consult", "--language", "fr"],
        ["consult", "--age", "300"],
        ["consult", "--age", "-1"],
        ["consult", "--age", "abc"],
        ["consult", "--sex", "other"],
        ["consult", "--nothing"],
        ["assess"],
        ["nothing"],
        ["key", "create", "label", "--scope", "everything"],
        ["knowledge", "search", "cough", "--language", "fr"],
        ["serve", "--port", "x"],
    ],
)
def test_wrong_options(cli: CliRunner, tmp_path: Path, arguments: list[str]) -> None:
    result = run(cli, *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("MODEL", "gpt"), ("BUDGET", "31"), ("PORT", "70000"), ("LOG_LEVEL", "loud"), ("THREADS", "")],
)
def test_wrong_settings(
    cli: CliRunner, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"HUATUO_{name}", value)
    result = run(cli, "consult")
    assert result.exit_code == 2
    assert f"HUATUO_{name}: " in result.stderr


# --- start ---------------------------------------------------------------------------------------


def refused(result: Result, words: str) -> None:
    """One clear message, exit status 1, no conversation."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("command", [["consult"], ["serve", "--port", "0"]])
def test_a_database_of_a_newer_version(
    cli: CliRunner,
    tmp_path: Path,
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'r9999'")
    connection.close()
    before = path.read_bytes()
    monkeypatch.setenv("HUATUO_DATABASE_URL", sqlite_url)
    refused(run(cli, *command), "newer version of this service")
    assert path.read_bytes() == before


def test_a_database_that_can_only_be_read(
    cli: CliRunner, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    monkeypatch.setenv("HUATUO_DATABASE_URL", f"sqlite:///file:{path}?mode=ro&uri=true")
    refused(run(cli, "serve", "--port", "0"), "can only be read")


def test_a_database_that_is_locked(
    cli: CliRunner, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("records.schema._PATIENCE", 0.3)
    monkeypatch.setenv("HUATUO_DATABASE_URL", sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused(run(cli, "serve", "--port", "0"), "The database is busy")
    other.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://x", "must be sqlite:///FILE or postgresql:"),
        ("sqlite:////not/there/huatuo.db", "cannot be reached"),
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be reached"),
    ],
)
def test_a_database_that_cannot_be(
    cli: CliRunner, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv("HUATUO_DATABASE_URL", url)
    refused(run(cli, "consult"), words)


@pytest.mark.parametrize("artefact", [base.QWEN, base.E5], ids=lambda a: a.name)
def test_damaged_weights(cli: CliRunner, tmp_path: Path, artefact: base.Artefact) -> None:
    path = tmp_path / "home" / "weights" / artefact.path
    path.parent.mkdir(parents=True)
    if artefact.convert:
        path.mkdir()
        (path / "model.safetensors").write_bytes(b"half a file")
    else:
        path.write_bytes(b"half a file")
    refused(run(cli, "consult", say="hello\n"), "are damaged. Run `huatuo model fetch`")


def test_weights_that_were_demanded(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUATUO_MODEL", "llamacpp")
    refused(run(cli, "consult", say="hello\n"), "Run `huatuo model fetch`")


def test_a_port_that_is_taken(cli: CliRunner, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused(run(cli, "serve", "--port", str(taken.getsockname()[1])), "cannot listen on")
    assert not (tmp_path / "home").exists()


# --- the other commands --------------------------------------------------------------------------


def test_assess(cli: CliRunner, tmp_path: Path) -> None:
    cases, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    good = {"id": 1, "language": "en", "age_years": 58, "sex": "male", "text": EMERGENCY}
    lines = [
        b"\xef\xbb\xbf" + json.dumps(good).encode(),
        b'{"id": "2", "language": "fr"}',
        b"",
        b"not JSON",
        b'{"id": "4", "language": "zh", "text": "\xff"}',
        '{"id": "5", "language": "zh", "present": ["发热"], "absent": ["咳嗽"]}'.encode(),
    ]
    cases.write_bytes(b"\n".join(lines))
    result = run(cli, "assess", "--cases", str(cases), "--out", str(out))
    assert result.exit_code == 1
    assert result.stdout == ""
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["1", None, None, None, "5"]
    assert [row["line"] for row in rows if "error" in row] == [2, 4, 5]
    for number in (2, 4, 5):
        assert f"in.jsonl:{number}: not a case" in result.stderr
    assert rows[0]["triage"]["level"] == "emergency_ambulance"
    assert rows[0]["differential"]
    assert rows[0]["seconds"] >= 0
    assert {f["id"]: f["status"] for f in rows[4]["findings"]}["cough"] == "absent"
    cases.write_bytes(lines[0])
    assert run(cli, "assess", "--cases", str(cases), "--out", str(out)).exit_code == 0
    same = run(cli, "assess", "--cases", str(cases), "--out", str(cases))
    assert same.exit_code == 2
    assert cases.read_bytes() == lines[0]
    missing = run(cli, "assess", "--cases", str(tmp_path / "none"), "--out", str(out))
    refused(missing, "No such file")


def test_doctor(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(cli, "doctor")
    assert result.exit_code == 1  # the weights are missing, and it says how to get them
    assert result.stdout == ""
    assert "run `huatuo model fetch`" in result.stderr
    assert "knowledge: clinical-" in result.stderr
    assert "will be made at the first start" in result.stderr
    monkeypatch.setenv("HUATUO_DATABASE_URL", "mysql://x")
    assert "must be sqlite:///FILE" in run(cli, "doctor").stderr


def test_keys(cli: CliRunner) -> None:
    made = run(cli, "key", "create", "ward 7", "--scope", "consult", "--scope", "audit")
    assert made.exit_code == 0
    assert re.fullmatch(r"hk_[0-9a-f-]{36}_\S{43}\n", made.stdout)


def test_the_knowledge(cli: CliRunner, tmp_path: Path) -> None:
    assert run(cli, "knowledge", "check").exit_code == 0
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "x.yaml").write_text("schema: 1\nfindings:\n  - id: 7\n")
    checked = run(cli, "knowledge", "check", str(bad))
    assert checked.exit_code == 1
    assert "x.yaml:3" in checked.output


def test_importing(cli: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a file by its hash, marked in what is assessed, and off by a setting."""
    rows = {"膝怪病": {"常见症状": ["发热", "咳嗽", "怪象"], "就诊科室": ["骨科"]}}
    content = pickle.dumps(rows)
    package = tmp_path / "package"
    package.write_bytes(content)
    made = replace(
        artefacts.CMEKG, sha256=hashlib.sha256(content).hexdigest(), size=len(content), packages=()
    )
    source = replace(imported.SOURCES["cmekg"], artefacts=(made,))
    monkeypatch.setitem(imported.SOURCES, "cmekg", source)
    assert run(cli, "knowledge", "import", "nothing").exit_code == 2
    other = tmp_path / "other"
    other.write_bytes(b"other")
    refused(run(cli, "knowledge", "import", "cmekg", "--file", str(other)), "is expected")
    lenient = run(cli, "knowledge", "import", "cmekg", "--file", str(other), "--optional")
    assert lenient.exit_code == 0
    assert "on the written knowledge alone" in lenient.stderr

    done = run(cli, "knowledge", "import", "cmekg", "--file", str(package))
    assert done.exit_code == 0, done.output
    assert "1 conditions imported of 1 rows" in done.stderr
    assert "怪象" in done.stderr
    cases, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    case = {"id": "1", "language": "zh", "present": ["发热"], "candidates": ["膝怪病", "普通感冒"]}
    cases.write_text(json.dumps(case), encoding="utf-8")
    assert run(cli, "assess", "--cases", str(cases), "--out", str(out)).exit_code == 0
    (row,) = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    tiers = {item["tier"]: item for item in row["differential"]}
    assert tiers["imported"]["confidence"] == "lower"
    assert tiers["imported"]["asked"] == ["膝怪病"]
    figures = tmp_path / "coverage.json"
    shown = run(cli, "knowledge", "coverage", "--cases", str(cases), "--out", str(figures))
    assert "1 imported" in shown.stdout
    assert (
        json.loads(figures.read_text(encoding="utf-8"))["files"][0]["candidates"]["imported"] == 1
    )

    monkeypatch.setenv("HUATUO_IMPORTED", "false")
    off = run(cli, "knowledge", "coverage", "--cases", str(cases))
    assert "0 imported" in off.stdout
    assert "膝怪病 (1)" in off.stdout
