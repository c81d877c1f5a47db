"""The auditor's commands, on a record with a consultation in it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from records.database import Database
from records.schema import migrate
from tests.records.samples import a_turn, open_consultation


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a database in which one consultation stands."""
    url = f"sqlite:///{tmp_path / 'huatuo.db'}"
    migrate(url)

    async def talk() -> None:
        async with Database(url) as database:
            await a_turn(database, await open_consultation(database))

    asyncio.run(talk())
    monkeypatch.setenv("HUATUO_HOME", str(tmp_path))
    monkeypatch.setenv("HUATUO_MODEL", "none")
    monkeypatch.setenv("HUATUO_EMBEDDINGS", "false")
    monkeypatch.setenv("HUATUO_IMPORTED", "false")
    monkeypatch.delenv("HUATUO_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def forge(home: Path, *statements: str) -> None:
    connection = sqlite3.connect(home / "huatuo.db")
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_anchored_verified_cut_and_found(home: Path) -> None:
    cli, copy = CliRunner(), home / "elsewhere.jsonl"
    made = cli.invoke(app, ["audit", "anchor", "--out", str(copy)])
    assert made.exit_code == 0, made.output
    assert len(copy.read_text("utf-8").splitlines()) == 1
    held = cli.invoke(app, ["audit", "verify", "--anchors", str(copy)])
    assert (held.exit_code, held.stdout) == (0, "")
    forge(home, "DELETE FROM message", "DELETE FROM event WHERE seq = 2")
    found = cli.invoke(app, ["audit", "verify"])
    assert found.exit_code == 1
    assert found.stdout.endswith(" event 2: event 2 is missing; it was anchored\n")
    # With the anchors gone too, only the copy knows.
    forge(home, "DELETE FROM anchor_head", "DELETE FROM anchor")
    assert cli.invoke(app, ["audit", "verify"]).exit_code == 0
    found = cli.invoke(app, ["audit", "verify", "--anchors", str(copy)])
    assert found.exit_code == 1
    assert "event 2 is missing" in found.stdout
    assert "anchor 1: is missing" in found.stdout


def test_replayed_from_the_command_line(home: Path) -> None:
    """A consultation held in the terminal agrees with itself; one that is forged does not."""
    cli = CliRunner()
    (home / "huatuo.db").unlink()
    held = cli.invoke(app, ["consult", "--language", "en"], input="I have a sore throat\nno\n")
    assert held.exit_code == 0, held.output
    agreed = cli.invoke(app, ["audit", "replay"])
    assert (agreed.exit_code, agreed.stdout) == (0, "")
    assert "1 consultations replayed, 0 differ" in agreed.stderr
    forge(home, "UPDATE event SET payload = replace(payload, 'sore throat', 'cough')")
    differs = cli.invoke(app, ["audit", "replay"])
    assert differs.exit_code == 1
    assert " turn 1 event 3: findings.understood: " in differs.stdout


def test_messages_are_rebuilt(home: Path) -> None:
    cli = CliRunner()
    forge(home, "UPDATE message SET text = 'forged'")
    assert cli.invoke(app, ["audit", "verify"]).exit_code == 1
    again = cli.invoke(app, ["audit", "rebuild"])
    assert again.exit_code == 0
    assert "1 messages put right" in again.stderr
    assert cli.invoke(app, ["audit", "verify"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["verify", "--consultation", "nobody"], "no such consultation"),
        (["verify", "--anchors", "huatuo.db"], "export the anchors again"),
    ],
)
def test_what_cannot_be_looked_at(home: Path, arguments: list[str], says: str) -> None:
    done = CliRunner().invoke(app, ["audit", *arguments])
    assert done.exit_code == 2
    assert says in done.stderr


def test_a_key_that_is_none(home: Path) -> None:
    (home / "anchor.pem").write_text("no key")
    done = CliRunner().invoke(app, ["audit", "anchor"])
    assert done.exit_code == 2
    assert "HUATUO_ANCHOR_KEY" in done.stderr


def test_a_database_that_is_not_there(home: Path) -> None:
    (home / "huatuo.db").unlink()
    assert CliRunner().invoke(app, ["audit", "verify"]).exit_code == 2
