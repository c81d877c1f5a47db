"""A replay comes to the same, turn by turn, and says where it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from agent.desk import Desk
from agent.ports import ModelUnavailable
from agent.wording import texts
from api.replay import Divergence, Replayer
from api.service import ConsultationService, TurnFailed
from model.chat.scripted import ScriptedChat
from records import events
from records.errors import NotFound
from tests.records.test_audit import forge
from tests.service.fixtures import EMERGENCY, EN, SAID, ZH, Client, make_key, with_model

CONVERSATIONS: dict[str, list[str]] = {
    "questions and advice": [EN, "no", "no", "yes", "no", "not sure", "no", "no", "no", "no"],
    "chinese": [ZH, "没有", "是的", "不确定", "没有", "没有", "没有", "没有", "没有", "没有"],
    "emergency": [EMERGENCY, "65, male", "I called them", "what should I do now?"],
    "corrected": [EN, "sorry, I do have a fever", "38.9", "no", "no", "no", "no", "no"],
    "a person": ["I want to talk to a human"],
    "crisis": ["I want to kill myself"],
    "declined": [EN, "which antibiotic should I take and how many mg?", "no"],
    "a question afterwards": [EN, *["no"] * 9, "can I eat ice cream with a sore throat?"],
    "goodbye": [EN, "goodbye", "that is all, goodbye"],
    "nonsense": ["\U0001f912 ...", "asdf", "42"],
}


async def hold(service: ConsultationService, said: list[str], **given: Any) -> str:
    """A whole consultation; ends early where the service closes it."""
    id = (await service.open(owner="key-1", **given)).id
    for words in said:
        result = await (await service.take_turn(id, words)).answer()
        if result["stage"] == "closed":
            break
    return id


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_agrees_with_what_was(service: ConsultationService, name: str) -> None:
    id = await hold(service, CONVERSATIONS[name])
    found = await Replayer(service.desk).replay(service.database, id)
    assert found.divergence is None
    assert found.agrees
    assert found.complete
    assert found.events >= 3


@pytest.mark.parametrize(
    "replies",
    [
        [SAID],
        ["You surely have cancer. " + SAID],
        [ModelUnavailable()],
        [SAID, ModelUnavailable(), "words without end " * 40],
        [],
    ],
)
async def test_the_model_is_not_asked_again(
    service: ConsultationService, desk: Desk, replies: list[Any]
) -> None:
    script = ScriptedChat(replies, script=lambda _: "I am sorry to hear it.")
    service.desk = with_model(desk, script)
    id = await hold(service, [EN, "no", "yes, also a cough", *["no"] * 8])
    asked = len(script.requests)
    assert asked
    found = await Replayer(desk).replay(service.database, id)
    assert found.divergence is None
    assert len(script.requests) == asked


def asking(desk: Desk, finding: str, **ask: str) -> Desk:
    """The same desk, which asks for a finding in other words."""
    knowledge = desk.knowledge
    entry = knowledge.findings[finding]
    assert entry.ask is not None
    changed = entry.model_copy(update={"ask": entry.ask.model_copy(update=ask)})
    findings = {**knowledge.findings, finding: changed}
    return Desk.build(replace(knowledge, findings=findings), desk.ports)


async def test_a_changed_question_is_where_it_diverges(sqlite_service: ConsultationService) -> None:
    id = await hold(sqlite_service, [EN, "no"], language="en")
    async with sqlite_service.database.reading() as connection:
        record = await events.read(connection, id)
    asked = [event for event in record if event.type == "question.asked"][1]
    finding, words = asked.payload["finding"], asked.payload["text"]
    other = asking(sqlite_service.desk, finding, en="Really?")
    found = await Replayer(other).replay(sqlite_service.database, id)
    assert not found.agrees
    assert found.divergence == Divergence(
        turn=2, seq=asked.seq, what="question.asked: text", recorded=words, replayed="Really?"
    )
    # In a language that was not spoken the same change shows in the release alone.
    other = asking(sqlite_service.desk, finding, zh="真的吗？")
    found = await Replayer(other).replay(sqlite_service.database, id)
    assert found.divergence is not None
    assert found.divergence.what == "consultation.opened: knowledge_release"


async def test_a_rule_that_is_gone_is_missed(sqlite_service: ConsultationService) -> None:
    id = await hold(sqlite_service, [EMERGENCY])
    knowledge = replace(sqlite_service.desk.knowledge, rules={})
    ports = replace(sqlite_service.desk.ports, alarms=None)
    found = await Replayer(Desk.build(knowledge, ports)).replay(sqlite_service.database, id)
    assert found.divergence is not None
    assert (found.divergence.turn, found.divergence.recorded) == (1, "red_flag.raised")


async def test_a_changed_prompt_is_seen(
    sqlite_service: ConsultationService, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.wording import prompts

    sqlite_service.desk = with_model(desk, ScriptedChat([SAID]))
    id = await hold(sqlite_service, [EN])
    request = prompts.request

    def altered(*args: Any, **given: Any) -> Any:
        made = request(*args, **given)
        first = replace(made.messages[0], content=made.messages[0].content + "!")
        return replace(made, messages=(first, *made.messages[1:]))

    monkeypatch.setattr(prompts, "request", altered)
    found = await Replayer(desk).replay(sqlite_service.database, id)
    assert found.divergence is not None
    assert found.divergence.what == "model.called: prompt of acknowledge"


async def test_changed_words_of_the_reply_are_seen(
    sqlite_service: ConsultationService, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await hold(sqlite_service, [EN])
    monkeypatch.setitem(texts.DISCLOSURE, "en", "I am a doctor.")
    found = await Replayer(desk).replay(sqlite_service.database, id)
    assert found.divergence is not None
    assert found.divergence.what == "reply.given: text"


async def test_other_words_of_the_patient_lead_elsewhere(
    sqlite_service: ConsultationService, desk: Desk
) -> None:
    id = await hold(sqlite_service, [EN, "no"])
    await forge(
        sqlite_service.database,
        "UPDATE event SET payload = '{\"text\":\"I cough\"}' WHERE type = 'patient.said'",
    )
    found = await Replayer(desk).replay(sqlite_service.database, id)
    assert not found.agrees


async def test_a_turn_that_failed_ends_the_replay(
    sqlite_service: ConsultationService, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await hold(sqlite_service, [EN])

    async def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(sqlite_service, "_stream_graph", fails)
    with pytest.raises(TurnFailed):
        await (await sqlite_service.take_turn(id, "no")).answer()
    found = await Replayer(desk).replay(sqlite_service.database, id)
    assert (found.agrees, found.complete, found.turns) == (True, False, 2)


async def test_records_without_passages_are_told_apart(
    sqlite_service: ConsultationService, desk: Desk
) -> None:
    id = await hold(sqlite_service, [EMERGENCY])
    async with sqlite_service.database.transaction() as connection:
        await connection.execute(text("DROP TRIGGER passage_no_delete"))
        await connection.execute(text("DELETE FROM passage"))
    found = await Replayer(desk).replay(sqlite_service.database, id)
    assert found.divergence is not None
    assert found.divergence.what == "retrieval.made: recorded without its passages"


async def test_an_unknown_consultation(sqlite_service: ConsultationService, desk: Desk) -> None:
    with pytest.raises(NotFound):
        await Replayer(desk).replay(sqlite_service.database, "nobody")


async def test_over_http_with_an_auditors_key(client: Client) -> None:
    id = await client.open(language="en")
    await client.say(id, EN)
    path = f"/v1/audit/consultations/{id}/replay"
    assert (await client.http.post(path)).status_code == 403
    auditor = {"Authorization": f"Bearer {await make_key(client.service, 'audit')}"}
    answer = await client.http.post(path, headers=auditor)
    assert answer.status_code == 200
    assert (answer.json()["agrees"], answer.json()["turns"]) == (True, 1)
    gone = await client.http.post("/v1/audit/consultations/nobody/replay", headers=auditor)
    assert gone.status_code == 404
