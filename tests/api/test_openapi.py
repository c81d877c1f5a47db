"""The OpenAPI document: complete, sound, and true to what is sent."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tests.service.fixtures import EMERGENCY, EN, Client

PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


async def test_every_route_tells_all(sqlite_client: Client) -> None:
    document = await sqlite_client.get("/openapi.json")
    assert document["openapi"].startswith("3.1")
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        answers = operation["responses"]
        good = [answer for status, answer in answers.items() if status.startswith("2")]
        assert len(good) == 1, name
        for kind, content in good[0]["content"].items():
            assert content["schema"], (name, kind)
        if name.startswith("GET /health"):
            continue
        assert operation["security"], name
        assert {"401", "403", "default"} <= answers.keys(), name
        if "requestBody" in operation:
            assert {"400", "413", "422"} <= answers.keys(), name
        if "{id}" in name:
            assert {"404", "422"} <= answers.keys(), name
        for status, answer in answers.items():
            if not status.startswith("2"):
                assert answer["content"] == {"application/problem+json": PROBLEM}, (name, status)
                assert answer["description"], (name, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_every_reference_leads_somewhere(sqlite_client: Client) -> None:
    document = await sqlite_client.get("/openapi.json")
    seen = 0

    def walk(value: Any) -> None:
        nonlocal seen
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                seen += 1
                at: Any = document
                for part in value["$ref"].removeprefix("#/").split("/"):
                    at = at[part]
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(document)
    assert seen > 20
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("text", [EN, EMERGENCY])
async def test_what_is_sent_is_what_is_described(sqlite_client: Client, text: str) -> None:
    document = await sqlite_client.get("/openapi.json")
    known = {"components": document["components"]}

    async def check(method: str, path: str, template: str, body: Any = None) -> Any:
        answer = await sqlite_client.http.request(method, path, json=body)
        described = document["paths"][template][method.lower()]["responses"]
        found = described.get(str(answer.status_code)) or described["default"]
        kind = answer.headers["content-type"].split(";")[0]
        jsonschema.validate(answer.json(), {**found["content"][kind]["schema"], **known})
        return answer.json()

    base = "/v1/consultations"
    id = (await check("POST", base, base, {"language": "en", "patient": {"age_years": 50}}))["id"]
    for path, given in (("/turns", {"text": text}), ("/turns", {"text": ""}), ("/close", None)):
        await check("POST", f"{base}/{id}{path}", f"{base}/{{id}}{path}", given)
    for path in ("", "/transcript", "/events"):
        await check("GET", f"{base}/{id}{path}", f"{base}/{{id}}{path}")
        await check("GET", f"{base}/unknown{path}", f"{base}/{{id}}{path}")
    await check("POST", "/v1/assess", "/v1/assess", {"language": "en", "text": text})
    await check("POST", "/v1/parse", "/v1/parse", {"text": text})
    for path in ("/health/live", "/health/ready"):
        await check("GET", path, path)
    await check("GET", "/metrics", "/metrics")  # refused: the key is no operator's
