"""Assessing and parsing without a conversation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.fixtures import EMERGENCY, EN, ZH, Client, problem_of


async def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    answer = await client.http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_from_text(sqlite_client: Client) -> None:
    patient = {"age_years": 58, "sex": "male"}
    body = {"language": "en", "patient": patient, "text": EMERGENCY}
    found = await post(sqlite_client, "/v1/assess", body)
    assert found["triage"]["level"] == "emergency_ambulance"
    assert found["red_flags"]
    present = [f["id"] for f in found["findings"] if f["status"] == "present"]
    assert any(id.startswith("chest_pain") for id in present)
    first = found["differential"][0]
    assert {"condition", "name", "names", "icd10", "probability", "for", "against"} <= set(first)
    probabilities = [item["probability"] for item in found["differential"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) <= 1 + 1e-6


async def test_from_lists_and_over_candidates(sqlite_client: Client) -> None:
    desk = sqlite_client.service.desk
    chosen = ["common_cold", "influenza", "no such illness"]
    assert {"common_cold", "influenza"} <= desk.knowledge.conditions.keys()
    body = {
        "language": "en",
        "present": ["cough", "fever", "zzzz"],
        "absent": ["chest pain"],
        "candidates": chosen,
    }
    found = await post(sqlite_client, "/v1/assess", body)
    assert {"zzzz", "no such illness"} == set(found["unmatched"])
    status = {f["id"]: f["status"] for f in found["findings"]}
    assert status["cough"] == status["fever"] == "present"
    assert status["chest_pain"] == "absent"
    assert {item["condition"] for item in found["differential"]} == set(chosen[:2])
    assert sum(i["probability"] for i in found["differential"]) == pytest.approx(1, abs=0.01)
    assert found["question"]["finding"] in desk.knowledge.findings


async def test_nothing_told(sqlite_client: Client) -> None:
    found = await post(sqlite_client, "/v1/assess", {"language": "zh"})
    assert (found["findings"], found["differential"], found["triage"]) == ([], [], None)


@pytest.mark.parametrize(("text", "language"), [(EN, "en"), (ZH, "zh")])
async def test_parse(sqlite_client: Client, text: str, language: str) -> None:
    found = await post(sqlite_client, "/v1/parse", {"text": text})
    assert found["language"] == language
    by_id = {f["id"]: f for f in found["findings"]}
    assert by_id["sore_throat"]["status"] == "present"
    assert by_id["sore_throat"]["duration"] == "P2D"
    assert by_id["sore_throat"]["quote"].lower() in text.lower()


async def test_parse_an_answer_to_a_question(sqlite_client: Client) -> None:
    body = {"text": "no", "language": "en", "pending": "fever"}
    found = await post(sqlite_client, "/v1/parse", body)
    assert [(f["id"], f["status"]) for f in found["findings"]] == [("fever", "absent")]
    answer = await sqlite_client.http.post("/v1/parse", json={**body, "pending": "xyzzy"})
    problem_of(answer, 422, "finding.unknown", "xyzzy")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"language": "fr"},
        {"language": "en", "patient": {"age_years": 131}},
        {"language": "en", "text": "xyzzy" * 801},
        {"language": "en", "present": "xyzzy"},
        {"language": "en", "present": ["xyzzy"] * 201},
        {"language": "en", "present": [None]},
        {"language": "en", "candidates": {"xyzzy": 1}},
        {"language": "en", "xyzzy": 1},
    ],
)
async def test_bad_cases(sqlite_client: Client, body: dict[str, Any]) -> None:
    answer = await sqlite_client.http.post("/v1/assess", json=body)
    problem_of(answer, 422, "request.invalid", "xyzzy")


async def test_nothing_of_it_is_stored(sqlite_client: Client) -> None:
    await post(sqlite_client, "/v1/assess", {"language": "en", "text": EN})
    await post(sqlite_client, "/v1/parse", {"text": EN})
    async with sqlite_client.service.database.reading() as connection:
        for table in ("consultation", "turn", "event", "message"):
            found = await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")
            assert found.scalar() == 0
