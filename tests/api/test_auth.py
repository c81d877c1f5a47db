"""API keys: who may do what, and whose consultations they see."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from records import keys
from tests.service.fixtures import EN, Client, client_of, make_key, problem_of

ID = "0190b0e0-0000-7000-8000-000000000000"
ROUTES = [
    ("POST", "/v1/consultations"),
    ("GET", f"/v1/consultations/{ID}"),
    ("POST", f"/v1/consultations/{ID}/turns"),
    ("GET", f"/v1/consultations/{ID}/transcript"),
    ("GET", f"/v1/consultations/{ID}/events"),
    ("POST", f"/v1/consultations/{ID}/close"),
    ("POST", f"/v1/audit/consultations/{ID}/replay"),
    ("POST", "/v1/assess"),
    ("POST", "/v1/parse"),
    ("GET", "/metrics"),
]
BODIES = {"turns": {"text": EN}, "assess": {"language": "en"}, "parse": {"text": EN}}


async def call(client: Client, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """The answer to a call with these headers alone."""
    del client.http.headers["Authorization"]
    body = BODIES.get(path.rsplit("/", 1)[-1], {})
    return await client.http.request(
        method, path, json=body if method == "POST" else None, headers=headers
    )


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_no_route_without_a_key(sqlite_client: Client, method: str, path: str) -> None:
    answer = await call(sqlite_client, method, path, {})
    problem_of(answer, 401, "api_key.missing")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_no_route_is_forgotten(sqlite_client: Client) -> None:
    """The routes above are all there are, but the two that say whether the server lives."""
    found = {
        (method.upper(), path)
        for path, methods in sqlite_client.app.openapi()["paths"].items()
        for method in methods
    }
    tested = {(method, path.replace(ID, "{id}")) for method, path in ROUTES}
    assert found - tested == {("GET", "/health/live"), ("GET", "/health/ready")}
    assert tested <= found


WRONG = [
    {"Authorization": "Bearer wrong"},
    {"Authorization": "Bearer hk_"},
    {"Authorization": f"Bearer hk_{ID}_secret"},
    {"Authorization": f"Bearer hk_{ID.replace('0', 'Ā')[:36]}_x".encode().decode("latin-1")},
    {"X-API-Key": "hk_é_x"},
    {"X-API-Key": "x" * 4000},
]


@pytest.mark.parametrize("headers", WRONG, ids=range(len(WRONG)))
async def test_a_wrong_key(client: Client, headers: dict[str, str]) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    del client.http.headers["Authorization"]
    answer = await client.http.get(f"/v1/consultations/{ID}", headers=encoded)  # type: ignore[arg-type]
    problem_of(answer, 401, "api_key.invalid")


async def test_a_key_with_another_secret(client: Client) -> None:
    id, (one, two) = await client.open(), (client.key, await make_key(client.service, "consult"))
    mixed = "_".join([*one.split("_", 2)[:2], two.split("_", 2)[2]])
    answer = await call(client, "GET", f"/v1/consultations/{id}", {"X-API-Key": mixed})
    problem_of(answer, 401, "api_key.invalid")


async def test_a_key_in_either_header(client: Client) -> None:
    id = await client.open()
    for headers in (
        {"X-API-Key": client.key},
        {"Authorization": f"Bearer {client.key}"},
        {"Authorization": f"bearer {client.key}"},
    ):
        client.http.headers["Authorization"] = "-"
        answer = await call(client, "GET", f"/v1/consultations/{id}", headers)
        assert answer.status_code == 200


async def test_a_revoked_key(client: Client) -> None:
    id = await client.open()
    assert (await client.http.get(f"/v1/consultations/{id}")).status_code == 200
    async with client.service.database.transaction() as connection:
        assert await keys.revoke(connection, client.key.split("_")[1], now=datetime.now(UTC))
    answer = await client.http.get(f"/v1/consultations/{id}")
    problem_of(answer, 401, "api_key.invalid")


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_key_of_the_wrong_scope(sqlite_client: Client, method: str, path: str) -> None:
    key = await make_key(sqlite_client.service, "knowledge")
    answer = await call(sqlite_client, method, path, {"X-API-Key": key})
    problem_of(answer, 403, "api_key.scope")


async def test_consultations_of_another_key(client: Client) -> None:
    id = await client.open(language="en")
    await client.say(id, EN, "one")
    mine = await client.record(id)
    other = await client_of(client.service)
    async with other.http:
        for path in ("", "/transcript", "/events"):
            answer = await other.http.get(f"/v1/consultations/{id}{path}")
            problem_of(answer, 404, "consultation.not_found")
        for key in ("one", "two"):  # not even the stored answer, to one who knows its key
            problem_of(await other.say(id, EN, key), 404, "consultation.not_found")
        answer = await other.http.post(f"/v1/consultations/{id}/close")
        problem_of(answer, 404, "consultation.not_found")
    assert await client.record(id) == mine


async def test_an_auditor_reads_and_does_not_speak(client: Client) -> None:
    id = await client.open(language="en")
    await client.say(id, EN, "one")
    mine = await client.record(id)
    for scopes, status, code in (
        (("audit",), 403, "api_key.scope"),
        (("audit", "consult"), 404, "consultation.not_found"),
    ):
        auditor = await client_of(client.service, *scopes)
        async with auditor.http:
            assert await auditor.record(id) == mine
            assert (await auditor.get(f"/v1/consultations/{id}"))["id"] == id
            problem_of(await auditor.say(id, EN, "one"), status, code)
            problem_of(await auditor.say(id, EN, "two"), status, code)
            closing = await auditor.http.post(f"/v1/consultations/{id}/close")
            problem_of(closing, status, code)
            problem_of(await auditor.http.get("/metrics"), 403, "api_key.scope")
    assert await client.record(id) == mine
    assert (await client.get(f"/v1/consultations/{id}"))["status"] == "open"
