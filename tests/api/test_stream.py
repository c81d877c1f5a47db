"""A turn as a stream of server-sent events: whole, joined, taken up again."""

from __future__ import annotations

import asyncio
import json

import pytest

from agent.desk import Desk
from model.chat.scripted import Hang, ScriptedChat
from tests.service.fixtures import EN, SAID, ZH, Client, Serve, problem_of, sse, with_model

STREAM = {"Accept": "text/event-stream"}


def read(body: str, have: str = "") -> tuple[str, dict[str, object]]:
    """The reply as a client builds it from what it has, and the turn that ended the stream."""
    events = sse(body)
    for event in events[:-1]:
        assert event["event"] == "delta"
        have += json.loads(event["data"])["text"]
        assert int(event["id"]) == len(have)
    assert events[-1]["event"] == "turn"
    turn = json.loads(events[-1]["data"])
    assert int(events[-1]["id"]) == len(turn["reply"])
    return have, turn


@pytest.mark.parametrize("words", [ZH, EN])
async def test_the_pieces_join_to_the_reply(client: Client, words: str) -> None:
    id = await client.open()
    answer = await client.say(id, words, "one", **STREAM)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    reply, turn = read(answer.text)
    assert reply == turn["reply"]
    assert (await client.say(id, words, "one")).json() == turn
    assert (await client.record(id))[0] == [("patient", words), ("service", reply)]


async def test_taken_up_after_the_end(client: Client) -> None:
    id = await client.open(language="en")
    whole, turn = read((await client.say(id, EN, "one", **STREAM)).text)
    for seen in (0, 1, 17, len(whole) - 1, len(whole)):
        again = await client.say(id, EN, "one", **STREAM, **{"Last-Event-ID": str(seen)})
        assert read(again.text, whole[:seen]) == (whole, turn)
    transcript, types = await client.record(id)
    assert len(transcript) == 2
    assert types.count("patient.said") == 1


@pytest.mark.parametrize("odd", ["x", "-1", "²", "1e3", "9" * 5000, "٣", " ", "1,2"])
async def test_an_odd_place_to_go_on_from_is_the_beginning(sqlite_client: Client, odd: str) -> None:
    id = await sqlite_client.open(language="en")
    headers = {"Idempotency-Key": b"one", "Last-Event-ID": odd.encode(), **STREAM}
    answer = await sqlite_client.http.post(
        f"/v1/consultations/{id}/turns", json={"text": EN}, headers=headers
    )
    whole, turn = read(answer.text)
    assert whole == turn["reply"]


async def test_beyond_the_end_there_is_only_the_turn(sqlite_client: Client) -> None:
    id = await sqlite_client.open(language="en")
    answer = await sqlite_client.say(id, EN, "one", **STREAM, **{"Last-Event-ID": "99999"})
    (event,) = sse(answer.text)
    assert event["event"] == "turn"


@pytest.fixture
async def hanging(serve: Serve, desk: Desk) -> Client:
    """A client of a service whose model says a sentence's beginning and then nothing more."""
    return await serve(with_model(desk, ScriptedChat([Hang("You told")])))


async def running(client: Client, id: str) -> None:
    """Waits until the consultation's turn has said something."""
    async with asyncio.timeout(60):
        while not (id in client.service._running and client.service._running[id].text):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_joined_while_it_runs(serve: Serve, desk: Desk) -> None:
    """Everyone with the same key reads the same stream; the turn happens once."""
    model = ScriptedChat([SAID], pause=0.05)
    client = await serve(with_model(desk, model))
    id = await client.open(language="en")
    first = asyncio.create_task(client.say(id, EN, "one", **STREAM))
    await running(client, id)
    more = [client.say(id, EN, "one", **STREAM, **{"Last-Event-ID": str(n)}) for n in (0, 9)]
    json_, *streams = await asyncio.gather(client.say(id, EN, "one"), first, *more)
    whole, turn = read(streams[0].text)
    assert whole == turn["reply"]
    assert SAID in whole
    assert read(streams[1].text) == (whole, turn)
    assert read(streams[2].text, whole[:9]) == (whole, turn)
    assert json_.json() == turn
    assert len(model.requests) == 1
    assert (await client.record(id))[1].count("patient.said") == 1


async def test_ten_at_once_with_the_same_key(client: Client) -> None:
    id = await client.open(language="en")
    answers = await asyncio.gather(*(client.say(id, EN, "one") for _ in range(10)))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert len({answer.text for answer in answers}) == 1
    assert len((await client.record(id))[0]) == 2


async def test_busy(hanging: Client) -> None:
    id = await hanging.open(language="en")
    first = asyncio.create_task(hanging.say(id, EN, "one"))
    await running(hanging, id)
    for answer in (
        await hanging.say(id, "my ear hurts too", "two"),
        await hanging.say(id, "my ear hurts too", "two", **STREAM),
        await hanging.say(id, EN),
        await hanging.http.post(f"/v1/consultations/{id}/close"),
    ):
        problem_of(answer, 409, "turn.running", "ear")
        assert answer.headers["retry-after"] == "1"
    wrong = await hanging.say(id, "my ear hurts too", "one")
    problem_of(wrong, 422, "idempotency.mismatch", "ear")
    said, types = await hanging.record(id)
    assert said == [("patient", EN)]
    assert types.count("patient.said") == 1
    # Another consultation is not held up by it.
    other = await hanging.open(language="en")
    second = asyncio.create_task(hanging.say(other, "hello", "one"))
    assert (await second).status_code == 200
    first.cancel()


async def test_a_reader_who_leaves_stops_nothing(serve: Serve, desk: Desk) -> None:
    client = await serve(with_model(desk, ScriptedChat([SAID], pause=0.05)))
    id = await client.open(language="en")
    reader = asyncio.create_task(client.say(id, EN, "one", **STREAM))
    await running(client, id)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    again = await client.say(id, EN, "one")
    assert again.status_code == 200
    assert SAID in again.json()["reply"]
    said, types = await client.record(id)
    assert said == [("patient", EN), ("service", again.json()["reply"])]
    assert types.count("reply.given") == 1
