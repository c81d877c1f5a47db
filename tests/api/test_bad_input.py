"""Bad input over HTTP: for each the status, the code, and that everything stays as it was."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.service.fixtures import EN, Client, problem_of

SECRET = "xyzzy"
"""What a patient might have said: it stands in every bad body and in no answer."""


def turn(text: Any) -> bytes:
    return json.dumps({"text": text}).encode()


NOT_JSON = (400, "request.not_json")
INVALID = (422, "request.invalid")
TOO_LARGE = (413, "request.too_large")

# What is sent as the body of a turn: (body, status and code).
TURNS: dict[str, tuple[bytes, tuple[int, str]]] = {
    "empty text": (turn(""), INVALID),
    "blank text": (turn(" \n\t "), INVALID),
    "emoji only": (turn("🤒🤢💀"), INVALID),
    "marks only": (turn("?!..."), INVALID),
    "over 4000 characters": (turn(SECRET * 801), INVALID),
    "NUL": (turn(f"{SECRET}\0"), INVALID),
    "control characters": (turn(f"{SECRET}\x1b[2J"), INVALID),
    "lone surrogate": (b'{"text": "xyzzy \\ud800"}', INVALID),
    "half an emoji": (b'{"text": "xyzzy \\ude00 x"}', INVALID),
    "not a character": (turn(f"{SECRET}\uffff"), INVALID),
    "number": (turn(7), INVALID),
    "null": (turn(None), INVALID),
    "list": (turn([SECRET]), INVALID),
    "no text": (b"{}", INVALID),
    "another field": (json.dumps({"text": EN, SECRET: 1}).encode(), INVALID),
    "an array": (b'["xyzzy"]', INVALID),
    "empty body": (b"", INVALID),
    "binary": (bytes(range(256)) + SECRET.encode(), NOT_JSON),
    "not UTF-8": (b'{"text": "xyzzy \xff\xfe"}', NOT_JSON),
    "not JSON": (b"text=xyzzy", NOT_JSON),
    "broken off": (b'{"text": "xyzzy', NOT_JSON),
    "nested without end": (b'{"text":' + b"[" * 30_000, NOT_JSON),
    "nested deeply": (b'{"text":' + b"[" * 30_000 + b"]" * 30_000 + b"}", NOT_JSON),
    "100 kB": (turn(SECRET * 20_000), TOO_LARGE),
    "a byte over 64 kB": (turn("x" * (64 * 1024 - 12 + 1)), TOO_LARGE),
    "64 kB": (turn("x" * (64 * 1024 - 12)), INVALID),
}


@pytest.fixture
async def held(client: Client) -> AsyncIterator[tuple[Client, str]]:
    """A consultation in which one turn was taken; at the end it stands as it stood, and goes on."""
    id = await client.open(language="en", patient={"age_years": 30, "sex": "female"})
    await client.say(id, EN, "first")
    before = await client.record(id)
    yield client, id
    assert await client.record(id) == before
    assert (await client.get(f"/v1/consultations/{id}"))["status"] == "open"
    after = await client.say(id, "since yesterday", "next")
    assert (after.status_code, after.json()["turn"]) == (200, 2)


@pytest.mark.parametrize("name", TURNS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_bad_turn(held: tuple[Client, str], name: str) -> None:
    client, id = held
    body, (status, code) = TURNS[name]
    headers = {"Content-Type": "application/json", "Idempotency-Key": "second"}
    path = f"/v1/consultations/{id}/turns"
    for accept in ("application/json", "text/event-stream"):
        answer = await client.http.post(path, content=body, headers={**headers, "Accept": accept})
        problem = problem_of(answer, status, code, SECRET)
        assert all(set(fault) == {"place", "fault"} for fault in problem.get("errors", []))


async def test_a_body_that_does_not_say_how_long_it_is(held: tuple[Client, str]) -> None:
    client, id = held

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"text": "'
        for _ in range(100):
            yield SECRET.encode() * 200
        yield b'"}'

    headers = {"Content-Type": "application/json"}
    path = f"/v1/consultations/{id}/turns"
    answer = await client.http.post(path, content=pieces(), headers=headers)
    problem_of(answer, 413, "request.too_large", SECRET)


@pytest.mark.parametrize("type_", ["application/octet-stream", "text/plain", "", "image/png"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_body_of_another_kind(held: tuple[Client, str], type_: str) -> None:
    client, id = held
    path = f"/v1/consultations/{id}/turns"
    for body in (turn(SECRET), b"\xff\xfe\x00" + SECRET.encode()):
        answer = await client.http.post(path, content=body, headers={"Content-Type": type_})
        problem_of(answer, 422, "request.invalid", SECRET)


# What is sent to open a consultation.
OPENINGS: dict[str, Any] = {
    "unknown language": {"language": "xyzzy"},
    "language in capitals": {"language": "EN"},
    "age below zero": {"patient": {"age_years": -1}},
    "age 300": {"patient": {"age_years": 300}},
    "age in words": {"patient": {"age_years": "abc"}},
    "age not a number": b'{"patient": {"age_years": NaN}}',
    "age without end": b'{"patient": {"age_years": 1e999}}',
    "unknown sex": {"patient": {"sex": "xyzzy"}},
    "pregnant perhaps": {"patient": {"pregnant": "xyzzy"}},
    "another field": {"xyzzy": 1},
    "another field of the patient": {"patient": {"xyzzy": 1}},
    "consent that is no object": {"consent": ["xyzzy"]},
    "consent without number": b'{"consent": {"xyzzy": NaN}}',
    "consent of no text": b'{"consent": {"x": "xyzzy\\ud800"}}',
    "consent under no text": b'{"consent": {"a": {"xyzzy\\ud800": 1}}}',
    "consent nested deeply": b'{"consent": {"x":' + b"[" * 400 + b"]" * 400 + b"}}",
}


@pytest.mark.parametrize("name", OPENINGS)
async def test_a_bad_opening(sqlite_client: Client, name: str) -> None:
    body = OPENINGS[name]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    answer = await sqlite_client.http.post("/v1/consultations", content=content, headers=headers)
    problem_of(answer, 422, "request.invalid", SECRET)
    async with sqlite_client.service.database.reading() as connection:
        for table in ("consultation", "event"):
            found = await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")
            assert found.scalar() == 0


async def test_an_odd_consent_comes_back_as_it_was(client: Client) -> None:
    consent = {"": [None, True, -0.5, 10**30, {"名": "é\u0000\u2028🤒"}], "b" * 300: ""}
    id = await client.open(consent=consent)
    (opened,) = await client.get(f"/v1/consultations/{id}/events")
    assert opened["payload"]["consent"] == consent


@pytest.mark.parametrize("key", ["a\x01b", "a\x7fb", "é", "密", "x" * 256, ""])
async def test_a_bad_idempotency_key(held: tuple[Client, str], key: str) -> None:
    client, id = held
    headers = {"Idempotency-Key": key.encode()}
    answer = await client.http.post(
        f"/v1/consultations/{id}/turns", json={"text": SECRET}, headers=headers
    )
    problem_of(answer, 422, "idempotency.key_invalid", SECRET)


async def test_an_idempotency_key_with_another_body(held: tuple[Client, str]) -> None:
    client, id = held
    answer = await client.say(id, f"{EN} {SECRET}", "first")
    problem_of(answer, 422, "idempotency.mismatch", SECRET)


@pytest.mark.parametrize("after", ["-1", "x", "1e3", "99999999999999999999", "2147483648", "NaN"])
async def test_a_bad_place_in_the_record(sqlite_client: Client, after: str) -> None:
    id = await sqlite_client.open()
    answer = await sqlite_client.http.get(f"/v1/consultations/{id}/events?after={after}")
    problem_of(answer, 422, "request.invalid")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1/xyzzy", 404, "not_found"),
        ("GET", "/v1/consultations/a/b/c", 404, "not_found"),
        ("DELETE", "/v1/consultations/x", 405, "method_not_allowed"),
        ("GET", "/v1/assess", 405, "method_not_allowed"),
    ],
)
async def test_a_bad_address(
    sqlite_client: Client, method: str, path: str, status: int, code: str
) -> None:
    answer = await sqlite_client.http.request(method, path)
    problem_of(answer, status, code, SECRET)
    assert (status == 405) == ("allow" in answer.headers)
