"""What goes wrong behind a turn: the patient gets a plain answer, and nothing is lost."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from agent.desk import Desk
from agent.ports import ChatRequest, Language, ModelBusy, Retrieved
from agent.wording import texts
from api.service import ConsultationService
from app.wiring import configure_logging
from model.chat.scripted import Die, Hang, Reply, ScriptedChat
from records import events, turns
from records.database import Database
from tests.service.fixtures import EN, SAID, Serve, client_of, problem_of, sse, with_model

SECRET = "xyzzy"


class Hasty(ScriptedChat):
    """A scripted model whose calls may take a fifth of a second."""

    def stream(self, request: ChatRequest) -> Any:
        return super().stream(replace(request, deadline=0.2))


MODELS: dict[str, tuple[Reply, str, str]] = {
    "hangs at once": (Hang(), "model.failed", "model_deadline"),
    "hangs in a sentence": (Hang("You told"), "model.failed", "model_deadline"),
    "dies at once": (Die(), "model.failed", "model_unavailable"),
    "dies in a sentence": (Die("You told me"), "model.failed", "model_unavailable"),
    "is busy": (ModelBusy("full"), "model.failed", "model_busy"),
    "names a drug": ("Take 500 mg of amoxicillin.", "wording.refused", ""),
    "names an illness": ("You told me you have pneumonia.", "wording.refused", ""),
    "gives comfort": ("It is nothing serious, do not worry.", "wording.refused", ""),
    "speaks in tongues": ("您好，我听不懂。", "wording.refused", ""),
    "babbles": ("{{{}}} ### 0x00 #", "wording.refused", ""),
    "leaves out what was told": ("You told me that you have a fever.", "wording.refused", ""),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_model_that(serve: Serve, desk: Desk, name: str) -> None:
    """... fails or may not be shown: the knowledge words the reply, and the record says why."""
    reply, event, code = MODELS[name]
    plain = await serve(desk)
    expected = (await plain.say(await plain.open(language="en"), EN)).json()
    client = await serve(with_model(desk, Hasty([reply])))
    id = await client.open(language="en")
    answer = await client.say(id, EN, Accept="text/event-stream")
    *deltas, last = sse(answer.text)
    turn = json.loads(last["data"])
    assert turn == {**expected, "consultation_id": id}
    assert "".join(json.loads(d["data"])["text"] for d in deltas) == turn["reply"]
    found = await client.get(f"/v1/consultations/{id}/events")
    (noted,) = [e for e in found if e["type"] in ("model.failed", "wording.refused")]
    assert noted["type"] == event
    assert noted["payload"].get("code", "") == code
    assert "model.called" in [e["type"] for e in found]
    assert (await client.say(id, "30, female")).json()["turn"] == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_model_whose_words_pass_is_heard(serve: Serve, desk: Desk) -> None:
    client = await serve(with_model(desk, ScriptedChat([SAID])))
    assert SAID in (await client.say(await client.open(language="en"), EN)).json()["reply"]


# --- an exception inside a node ----------------------------------------------------------------


class Broken:
    """A retriever that fails as often as it was told to, with the patient's words in its text."""

    release = "broken"

    def __init__(self, times: int) -> None:
        self.times = times

    async def search(self, query: str, *, language: Language, **_: Any) -> Retrieved:
        if self.times > 0:
            self.times -= 1
            raise RuntimeError(f"cannot find {SECRET} {query}")
        return Retrieved(query, self.release, ())

    async def answer(self, question: str, *, language: Language, **_: Any) -> Retrieved:
        return await self.search(question, language=language)


def broken(desk: Desk, times: int) -> Desk:
    return replace(desk, ports=replace(desk.ports, retriever=Broken(times)))


URGENT = f"crushing chest pain, sweating, left arm hurts {SECRET}"


async def test_an_exception_in_a_node(
    serve: Serve, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("debug")  # again: into what `capsys` catches
    client = await serve(broken(desk, 2))
    id = await client.open(language="en")
    failed = await client.say(id, URGENT, "one")
    problem = problem_of(failed, 500, "turn.failed", SECRET, "RuntimeError", "cannot find")
    assert problem["title"] == texts.SORRY["en"]
    said, types = await client.record(id)
    assert said == [("patient", URGENT)]
    assert types[-1] == "turn.failed"
    # The same as a stream.
    streamed = await client.say(id, URGENT, "one", Accept="text/event-stream")
    last = sse(streamed.text)[-1]
    assert last["event"] == "problem"
    assert json.loads(last["data"])["code"] == "turn.failed"
    assert SECRET not in last["data"]
    # The same key tries it again, from where it failed: the words are not taken twice.
    answer = await client.say(id, URGENT, "one")
    assert (answer.status_code, answer.json()["stage"]) == (200, "emergency")
    said, types = await client.record(id)
    assert said == [("patient", URGENT), ("service", answer.json()["reply"])]
    counted = {type_: types.count(type_) for type_ in set(types)}
    assert counted["patient.said"] == counted["findings.understood"] == counted["reply.given"] == 1
    assert counted["turn.failed"] == 2
    assert (await client.say(id, "what now?")).json()["turn"] == 2
    captured = capsys.readouterr()
    assert SECRET not in captured.out + captured.err


async def test_new_words_after_a_turn_that_failed(serve: Serve, desk: Desk) -> None:
    client = await serve(broken(desk, 1))
    id = await client.open(language="en")
    problem_of(await client.say(id, URGENT, "one"), 500, "turn.failed", SECRET)
    answer = await client.say(id, "the chest pain is still there and I feel faint", "two")
    assert (answer.status_code, answer.json()["turn"]) == (200, 2)
    assert answer.json()["stage"] == "emergency"  # what was said before still counts
    problem_of(await client.say(id, URGENT, "one"), 409, "turn.superseded", SECRET)
    said, _ = await client.record(id)
    assert [role for role, _ in said] == ["patient", "patient", "service"]


# --- the database ------------------------------------------------------------------------------


async def test_a_full_disk(sqlite_url: str, desk: Desk) -> None:
    async with Database(sqlite_url, pool_size=1) as database:
        client = await client_of(ConsultationService(database, desk))
        id = await client.open(language="en")
        await client.say(id, EN, "one")
        before = await client.record(id)

        async def pages(most: str) -> None:
            # The one connection of the pool keeps it: SQLite then behaves as on a full disk.
            async with database.reading() as connection:
                await connection.execute(text(f"PRAGMA max_page_count = {most}"))

        await pages("1")
        long = "it hurts when I swallow. " * 150
        problem_of(await client.say(id, long, "two"), 507, "database.disk_full", "swallow")
        assert await client.record(id) == before
        await pages("1000000")
        answer = await client.say(id, long, "two")
        assert (answer.status_code, answer.json()["turn"]) == (200, 2)
        async with database.reading() as connection:
            assert await events.verify(connection, id) is None
        await client.service.stop()
        await client.http.aclose()


async def test_a_disk_that_fills_up_in_the_middle(sqlite_url: str, desk: Desk) -> None:
    """The words are stored; the turn is taken up again when there is room."""
    async with Database(sqlite_url, pool_size=1) as database:
        full = asyncio.Event()

        async def fill(on: bool) -> None:
            async with database.reading() as connection:
                most = 1 if on else 1_000_000
                await connection.execute(text(f"PRAGMA max_page_count = {most}"))

        class Filling(Broken):
            async def search(self, query: str, **_: Any) -> Retrieved:
                if not full.is_set():
                    full.set()
                    await fill(True)
                # More than the free pages of the file can hold.
                return Retrieved(query + " " * 2_000_000, self.release, ())

        ports = replace(desk.ports, retriever=Filling(0))
        service = ConsultationService(
            database, replace(desk, ports=ports), lease=timedelta(seconds=0.5)
        )
        client = await client_of(service)
        id = await client.open(language="en")
        problem_of(await client.say(id, URGENT, "one"), 507, "database.disk_full", SECRET)
        assert (await client.record(id))[0] == [("patient", URGENT)]
        await fill(False)
        await asyncio.sleep(0.6)
        await service.resume_left_behind()
        answer = await client.say(id, URGENT, "one")
        assert (answer.status_code, answer.json()["stage"]) == (200, "emergency")
        assert len((await client.record(id))[0]) == 2
        await service.stop()
        await client.http.aclose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_database_that_became_read_only(serve: Serve, desk: Desk) -> None:
    client = await serve(desk)
    id = await client.open(language="en")
    await client.say(id, EN, "one")
    before = await client.record(id)
    database = client.service.database
    async with database.transaction() as connection:
        name = database.url.database
        await connection.execute(
            text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        )
    await database.engine.dispose()  # the setting is for new connections
    problem_of(await client.say(id, "no", "two"), 503, "database.read_only")
    problem_of(await client.http.post("/v1/consultations", json={}), 503, "database.read_only")
    assert await client.record(id) == before


async def test_a_locked_database(sqlite_url: str, desk: Desk) -> None:
    async with Database(sqlite_url, patience=0.3) as database, Database(sqlite_url) as other:
        client = await client_of(ConsultationService(database, desk))
        id = await client.open(language="en")
        await client.say(id, EN, "one")
        before = await client.record(id)
        async with other.transaction():
            answer = await client.say(id, f"no {SECRET}", "two")
            problem_of(answer, 503, "database.locked", SECRET)
            assert answer.headers["retry-after"] == "1"
            assert await client.record(id) == before  # reading goes on
            assert (await client.http.get("/health/ready")).status_code == 200
        assert (await client.say(id, f"no {SECRET}", "two")).json()["turn"] == 2
        await client.service.stop()
        await client.http.aclose()


# --- a process that died -----------------------------------------------------------------------


async def test_a_turn_that_a_dead_process_left(serve: Serve, desk: Desk) -> None:
    """Begun by a holder that never comes back; taken over when its lease has run out, by one."""
    client = await serve(desk)
    id = await client.open(language="en")
    begun = datetime.now(UTC) - timedelta(seconds=60)
    async with client.service.database.transaction() as connection:
        await turns.begin(
            connection,
            id,
            key="one",
            body_hash=hashlib.sha256(EN.encode()).hexdigest(),
            text=EN,
            holder="dead",
            lease=timedelta(seconds=5),
            now=begun,
        )
    problem_of(await client.say(id, EN, "one"), 409, "turn.running")
    other = await serve(desk)
    taken = await asyncio.gather(*(c.service.resume_left_behind() for c in (client, other)))
    assert sorted(taken) == [0, 1]
    owner = client if taken[0] else other
    owner.http.headers["Authorization"] = f"Bearer {client.key}"
    answer = await owner.say(id, EN, "one")
    assert (answer.status_code, answer.json()["turn"]) == (200, 1)
    said, types = await client.record(id)
    assert said == [("patient", EN), ("service", answer.json()["reply"])]
    assert types.count("reply.given") == 1


async def test_what_is_logged_of_an_exception(
    serve: Serve, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Type and places, so that it can be found; not its text, which may quote a patient."""
    configure_logging("debug")
    client = await serve(broken(desk, 1))
    await client.say(await client.open(language="en"), URGENT, "one")
    lines = capsys.readouterr().err.splitlines()
    (line,) = [json.loads(line) for line in lines if "turn.failed" in line]
    assert line["error"] == "RuntimeError"
    assert any("search" in place for place in line["at"])
    assert not [line for line in lines if SECRET in line]
