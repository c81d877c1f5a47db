"""The real server in a process of its own: dropped readers, SIGKILL, and what it tells."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy

from records import chain
from tests.service.fixtures import EMERGENCY, sse
from tests.service.process import Server

MARK = "xyzzyplugh"
WORDS = (
    f"I have had a sore throat for two days, no fever {MARK}",
    f"34, female {MARK}",
    f"no {MARK}",
    f"{EMERGENCY} {MARK}",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the default settings on a machine without weights, at the level debug."""
    made = Server(tmp_path_factory.mktemp("server") / "home", log_level="debug")
    yield made
    if made.process.poll() is None:
        made.stop()


def turn(server: Server, id: str, text: str, key: str, **headers: str) -> httpx.Response:
    return server.http.post(
        f"/v1/consultations/{id}/turns",
        json={"text": text},
        headers={"Idempotency-Key": key, **headers},
    )


def test_without_weights_it_works_all_the_same(server: Server) -> None:
    assert server.http.get("/health/live").json()["status"] == "ok"
    ready = server.http.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["parts"]["model"] == "none"
    assert turn(server, server.open(), EMERGENCY, "1").json()["stage"] == "emergency"


def test_a_stream_that_breaks_off(server: Server) -> None:
    """The reader goes away; the turn is answered, and is taken up where the reader was."""
    id = server.open()
    request = {"json": {"text": WORDS[0]}, "headers": {"Idempotency-Key": "1"}}
    request["headers"]["Accept"] = "text/event-stream"
    with server.http.stream("POST", f"/v1/consultations/{id}/turns", **request) as stream:  # type: ignore[arg-type]
        first = next(stream.iter_text())
    have = sse(first)[0]
    seen = json.loads(have["data"])["text"]
    again = turn(
        server, id, WORDS[0], "1", **{"Accept": "text/event-stream", "Last-Event-ID": have["id"]}
    )
    *deltas, last = sse(again.text)
    whole = seen + "".join(json.loads(delta["data"])["text"] for delta in deltas)
    assert whole == json.loads(last["data"])["reply"]
    said = server.http.get(f"/v1/consultations/{id}/transcript").json()
    assert [(m["role"], m["text"]) for m in said] == [("patient", WORDS[0]), ("service", whole)]


def test_nothing_tells_what_a_patient_said(server: Server) -> None:
    """Neither the log at its most talkative nor the metrics, of good requests and of bad ones."""
    id = server.open()
    for number, words in enumerate(WORDS):
        assert turn(server, id, words, str(number)).status_code == 200
    assert turn(server, id, MARK, "0").status_code == 422
    assert turn(server, id, MARK + "\0", "9").status_code == 422
    assert turn(server, MARK, MARK, "9").status_code == 404
    assert turn(server, id, MARK * 9999, "9").status_code == 413
    server.http.post("/v1/assess", json={"language": "en", "text": WORDS[0]})
    server.http.post("/v1/parse", json={"text": WORDS[0]})
    server.http.post("/v1/parse", json={"text": MARK, "pending": MARK})
    server.http.get(f"/v1/{MARK}?{MARK}={MARK}")
    metrics = server.http.get("/metrics")
    assert metrics.status_code == 200
    assert 'huatuo_turns_total{stage="emergency"}' in metrics.text
    assert MARK not in metrics.text
    log = server.log.read_text()
    assert "Application startup complete" in log
    assert MARK not in log
    # The patient's words are where they belong.
    assert MARK in server.http.get(f"/v1/consultations/{id}/transcript").text


def test_stopped_politely_it_ends_well(server: Server) -> None:
    id = server.open()
    reply = turn(server, id, WORDS[0], "1").json()
    assert server.stop() == 0
    server.start()
    assert turn(server, id, WORDS[0], "1").json() == reply
    assert turn(server, id, WORDS[1], "2").json()["turn"] == 2


def test_killed_once(server: Server) -> None:
    """SIGKILL under a turn; the next process answers it, and the consultation goes on."""
    id = server.open()
    thread = threading.Thread(target=talk, args=(server, id, 0))
    thread.start()
    time.sleep(0.05)
    server.process.kill()
    thread.join(60)
    server.kill()
    clear(f"sqlite:///{server.home / 'huatuo.db'}")
    server.start()
    retried(server, id, 0)
    assert turn(server, id, WORDS[1], "1").json()["turn"] == 2
    said = server.http.get(f"/v1/consultations/{id}/transcript").json()
    assert [m["role"] for m in said] == ["patient", "service"] * 2


# --- SIGKILL -------------------------------------------------------------------------------------


def clear(url: str) -> None:
    """Lets the leases of the killed process run out at once: a test need not wait for them."""
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE turn SET lease_until = '2020-01-01T00:00:00.000000Z' WHERE status = 'running'"
        )
    engine.dispose()


def talk(server: Server, id: str, number: int) -> None:
    """Takes a turn; a process that dies under it is part of the test."""
    with contextlib.suppress(httpx.TransportError):
        turn(server, id, WORDS[number], str(number))


def retried(server: Server, id: str, number: int) -> None:
    """What a client does: it sends the same words under the same key until they are answered."""
    until = time.monotonic() + 60
    while (answer := turn(server, id, WORDS[number], str(number))).status_code == 409:
        assert answer.json()["code"] == "turn.running"
        assert time.monotonic() < until
        time.sleep(0.2)
    assert answer.status_code == 200, server.log.read_text()
    assert answer.json()["turn"] == number + 1


@pytest.mark.slow
def test_killed_in_the_middle(empty_database_url: str, tmp_path: Path) -> None:
    """At random moments while consultations run, several times: every turn ends exactly once."""
    url = empty_database_url
    server = Server(
        tmp_path / "home", database_url=url, model="none", embeddings="false", log_level="error"
    )
    plain = url.replace("postgresql:", "postgresql+psycopg:")
    chance = random.Random(7)
    ids = [server.open() for _ in range(4)]
    for number in range(3):
        threads = [threading.Thread(target=talk, args=(server, id, number)) for id in ids]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.02, 0.3))
        server.process.kill()
        for thread in threads:
            thread.join(60)
        server.kill()
        clear(plain)
        server.start()
        for id in ids:
            retried(server, id, number)
    for id in ids:
        assert turn(server, id, WORDS[3], "3").json()["stage"] == "emergency"
        said = server.http.get(f"/v1/consultations/{id}/transcript").json()
        assert [m["role"] for m in said] == ["patient", "service"] * 4
        assert [m["text"] for m in said[::2]] == list(WORDS)
        found: list[dict[str, Any]] = server.http.get(f"/v1/consultations/{id}/events").json()
        previous = chain.GENESIS
        for place, event in enumerate(found, start=1):
            assert (event["seq"], event["prev_hash"]) == (place, previous)
            previous = event["hash"]
        for number in range(1, 5):
            types = [event["type"] for event in found if event["turn"] == number]
            for once in ("patient.said", "findings.understood", "reply.given"):
                assert types.count(once) == 1, (number, types)
    assert server.stop() == 0
    assert "turn.failed" not in server.log.read_text()
    assert "Traceback" not in server.log.read_text()
