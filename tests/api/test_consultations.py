"""Consultations over HTTP: opened, held, read back, closed."""

from __future__ import annotations

from typing import Any

import pytest

from agent.events import EVENT_TYPES
from records import chain, events
from tests.service.fixtures import EMERGENCY, EN, ZH, Client, problem_of


async def test_opened_with_the_releases_of_now(client: Client) -> None:
    patient = {"age_years": 34, "sex": "female", "pregnant": False}
    answer = await client.http.post(
        "/v1/consultations",
        json={"language": "en", "patient": patient, "consent": {"recorded": True}},
    )
    assert answer.status_code == 201
    body = answer.json()
    desk = client.service.desk
    assert body["knowledge_release"] == desk.knowledge.release
    assert body["model_release"] == "none"
    assert (body["status"], body["language"], body["patient"]) == ("open", "en", patient)
    assert body["closed_at"] is None
    assert await client.get(f"/v1/consultations/{body['id']}") == body
    (opened,) = await client.get(f"/v1/consultations/{body['id']}/events")
    assert opened["type"] == "consultation.opened"
    assert opened["payload"]["consent"] == {"recorded": True}


@pytest.mark.parametrize(("words", "language"), [(ZH, "zh"), (EN, "en")])
async def test_a_consultation_to_its_end(client: Client, words: str, language: str) -> None:
    id = await client.open(patient={"age_years": 28, "sex": "male"})
    yes, bye = {"zh": ("没有", "再见"), "en": ("no", "goodbye")}[language]
    said: list[tuple[str, str]] = []
    stages: list[str] = []
    text = words
    while len(stages) < 14:
        answer = await client.say(id, text, f"turn-{len(stages) + 1}")
        assert answer.status_code == 200, answer.text
        turn = answer.json()
        assert turn["consultation_id"] == id
        assert turn["turn"] == len(stages) + 1
        assert turn["language"] == language
        stages.append(turn["stage"])
        said += [("patient", text), ("service", turn["reply"])]
        if turn["stage"] == "ask":
            assert turn["question"]["text"] in turn["reply"]
            assert turn["question"]["reason"]
        if turn["stage"] == "closed":
            break
        text = yes if turn["stage"] == "ask" else bye
    # Some questions, then advice, then the farewell.
    assert stages[-2:] == ["advise", "closed"]
    assert set(stages[:-2]) == {"ask"}
    transcript, types = await client.record(id)
    assert transcript == said
    assert set(types) <= set(EVENT_TYPES)
    assert types.count("reply.given") == len(stages)
    assert (await client.get(f"/v1/consultations/{id}"))["status"] == "closed"
    problem_of(await client.say(id, words, "late"), 409, "consultation.closed", words)


async def test_advice_cites_passages_that_hold_its_sentences(client: Client) -> None:
    id = await client.open(language="en", patient={"age_years": 58, "sex": "male"})
    turn = (await client.say(id, EMERGENCY)).json()
    assert turn["stage"] == "emergency"
    assert turn["triage"]["level"] == "emergency_ambulance"
    assert turn["triage"]["within"] == "PT0S"
    assert turn["red_flags"]
    assert turn["citations"]
    for number, citation in enumerate(turn["citations"], start=1):
        assert f"{citation['quote']} [{number}]" in turn["reply"]
    assert (await client.get(f"/v1/consultations/{id}"))["status"] == "emergency"


async def test_the_record_is_a_chain_that_verifies(client: Client) -> None:
    id = await client.open(language="zh")
    await client.say(id, ZH)
    await client.say(id, "三十岁，男")
    found: list[dict[str, Any]] = await client.get(f"/v1/consultations/{id}/events")
    # From what came over HTTP alone: every hash covers the one before it.
    previous = chain.GENESIS
    for number, event in enumerate(found, start=1):
        assert (event["seq"], event["prev_hash"]) == (number, previous)
        previous = event["hash"]
    async with client.service.database.reading() as connection:
        assert await events.verify(connection, id) is None
        links = await events.links(connection, id)
    assert chain.verify(links) is None
    assert [link.hash for link in links] == [event["hash"] for event in found]
    assert await client.get(f"/v1/consultations/{id}/events?after=3") == found[3:]
    assert await client.get(f"/v1/consultations/{id}/events?after=2147483647") == []


async def test_closed_by_the_caller(client: Client) -> None:
    id = await client.open(language="en")
    await client.say(id, EN, "one")
    before, _ = await client.record(id)
    answer = await client.http.post(f"/v1/consultations/{id}/close")
    assert answer.status_code == 200
    assert answer.json()["status"] == "closed"
    assert answer.json()["closed_at"] is not None
    again = await client.http.post(f"/v1/consultations/{id}/close")
    problem_of(again, 409, "consultation.closed")
    problem_of(await client.say(id, "one thing more", "two"), 409, "consultation.closed")
    after, types = await client.record(id)
    assert after == before
    assert types[-1] == "consultation.closed"
    # What was answered before is still answered to a client that asks again.
    replayed = await client.say(id, EN, "one")
    assert replayed.status_code == 200
    assert replayed.json()["reply"] == before[1][1]


@pytest.mark.parametrize("id", ["0190b0e0-0000-7000-8000-000000000000", "x", "%00", "é", "1'--"])
@pytest.mark.parametrize("route", ["", "/transcript", "/events", "/close", "/turns"])
async def test_an_unknown_consultation(sqlite_client: Client, id: str, route: str) -> None:
    path = f"/v1/consultations/{id}{route}"
    if route == "/close":
        answer = await sqlite_client.http.post(path)
    elif route == "/turns":
        answer = await sqlite_client.http.post(path, json={"text": ZH})
    else:
        answer = await sqlite_client.http.get(path)
    problem_of(answer, 404, "consultation.not_found", ZH)


async def test_an_id_that_postgresql_cannot_hold(client: Client) -> None:
    for id in ("%00", "%ED%A0%80", "é" * 100):
        answer = await client.http.get(f"/v1/consultations/{id}")
        problem_of(answer, 404, "consultation.not_found")
