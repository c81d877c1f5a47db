"""The nodes together: consultations through the graph, in memory, without a server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

import agent.state
from agent.desk import Desk
from agent.events import EVENT_TYPES
from agent.graph import build
from agent.nodes import advise, safety
from agent.ports import Language
from agent.state import SERIALISED, Finding, Part, Patient, Possibility, RedFlag, Triage, opening
from agent.wording import replies
from app.picture import README, drawn
from records.checkpointer import Checkpointer
from tests.agent.knowledge import told


class Talk:
    """A consultation through the graph: what is shown, and the state after each turn."""

    def __init__(self, desk: Desk, language: Language = "en", **patient: Any) -> None:
        self.desk, self.language = desk, language
        self.patient = Patient(**patient)
        self.graph = build(InMemorySaver())
        self.state: dict[str, Any] = {}
        self.shown = ""
        self.events: list[dict[str, Any]] = []
        self.turn = 0

    async def say(self, text: str) -> dict[str, Any]:
        """Say something; the state when the graph waits again or has ended."""
        self.turn += 1
        self.shown = ""
        begin: Any = Command(resume={"turn": self.turn, "text": text})
        if self.turn == 1:
            begin = opening("c", self.language, self.patient, 1, text)
        async for mode, chunk in self.graph.astream(
            begin,
            {"configurable": {"thread_id": "c"}},
            context=self.desk,
            stream_mode=["custom", "values", "updates"],
        ):
            piece: Any = chunk
            if mode == "custom":
                self.shown += piece["text"]
            elif mode == "values":
                self.state = piece
            else:
                for node, update in piece.items():
                    if node != "__interrupt__":
                        self.events += (update or {}).get("outbox", [])
        return self.state

    def happened(self, type_: str) -> list[dict[str, Any]]:
        """The payloads of the events of a type."""
        return [item["payload"] for item in self.events if item.get("type") == type_]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_what_is_shown_is_what_is_kept(desk: Desk, language: Language) -> None:
    talk = Talk(desk, language, age_years=30, sex="female")
    words = {"en": "I have a sore throat and a runny nose", "zh": "嗓子疼，流鼻涕"}
    no = {"en": "no", "zh": "没有"}
    state = await talk.say(words[language])
    assert talk.shown == state["reply"]
    while state["question"] is not None:
        state = await talk.say(no[language])
        assert talk.shown == state["reply"]
    assert state["stage"] == "advise"
    assert {item["type"] for item in talk.events if item["kind"] == "event"} <= set(EVENT_TYPES)
    assert len(talk.happened("reply.given")) == talk.turn


async def test_denying_a_finding_takes_back_its_kinds(desk: Desk) -> None:
    talk = Talk(desk, age_years=40, sex="male")
    state = await talk.say("I have a fever of 39.6")
    assert state["findings"]["high_fever"].status == "present"
    state = await talk.say("Sorry, I was wrong, I have no fever")
    assert state["findings"]["fever"].status == "absent"
    assert state["findings"]["high_fever"].status == "absent"
    assert "correcting" in state["reply"]
    assert {"finding": "high_fever", "from": "present", "to": "absent"} in talk.happened(
        "finding.corrected"
    )


async def test_having_a_kind_takes_back_the_denial_of_it_all(desk: Desk) -> None:
    talk = Talk(desk, age_years=40, sex="male")
    await talk.say("I have a cough but no fever")
    state = await talk.say("Actually I just measured 39.6 degrees")
    assert state["findings"]["high_fever"].status == "present"
    assert state["findings"]["fever"].status == "present"


async def test_an_urgent_visit_to_the_toilet_is_no_farewell(desk: Desk) -> None:
    talk = Talk(desk, age_years=31, sex="female")
    state = await talk.say("It burns when I pee and I need to go every twenty minutes")
    assert state["stage"] == "ask"
    state = await talk.say("Thank you, I have to go now")
    assert state["stage"] == "closed"


async def test_nothing_told_ends_with_a_visit_and_not_with_silence(desk: Desk) -> None:
    talk = Talk(desk, age_years=31, sex="female")
    state = await talk.say("hello")
    while state["question"] is not None:
        state = await talk.say("hm")
    assert talk.turn == 4
    assert state["triage"].level == "routine"
    assert state["triage"].department == "general_medicine"
    assert state["triage"].department_name in state["reply"]


async def test_an_emergency_goes_on_being_one(desk: Desk) -> None:
    talk = Talk(desk, age_years=60, sex="male")
    state = await talk.say("I am coughing up cupfuls of blood")
    assert state["stage"] == "emergency"
    assert state["question"] is None
    for words in ("thanks, bye", "I want to talk to a person", "stop asking"):
        state = await talk.say(words)
        assert state["stage"] == "emergency"
        assert "120" in state["reply"]


def test_no_drive_to_hospital_stands_below_a_call_for_an_ambulance(desk: Desk) -> None:
    rule = desk.knowledge.rules["sudden_severe_abdominal_pain"]
    assert rule.level == "emergency"
    condition = desk.knowledge.conditions["perforated_viscus"]
    names = {"en": condition.name.en, "zh": condition.name.zh}
    state: Any = {
        "language": "en",
        "turn": 1,
        "patient": Patient(age_years=55, sex="male"),
        "findings": told(sudden_abdominal_pain="present"),
        "red_flags": [
            RedFlag(rule=rule.id, level=rule.level, department="emergency", because=("x",))
        ],
        "differential": [
            Possibility(
                condition=condition.id, name="x", names=names, icd10="K63.1", probability=0.6
            )
        ],
        "triage": Triage(level="emergency_ambulance", within="PT0S", department="emergency"),
    }
    reply = replies.Reply(lambda _: None)
    advise._emergency(reply, state, desk, advise._Citer(state, reply))
    assert all(sentence.en not in reply.text for sentence in rule.advice)
    assert condition.advice.now[0].en in reply.text


@pytest.mark.parametrize(
    ("intents", "more", "node"),
    [
        ([], {}, "diagnose"),
        (["wants_person"], {}, "hand_off"),
        (["wants_person", "override"], {}, "diagnose"),
        (["wants_to_end"], {}, "close"),
        (["wants_to_end"], {"understood": 1}, "diagnose"),
        (["goodbye"], {}, "diagnose"),
        (["goodbye"], {"advised": 3}, "close"),
        (["self_harm"], {}, "hand_off"),
        (["self_harm", "goodbye", "override"], {"advised": 3}, "hand_off"),
        ([], {"stage": "handed_off"}, "hand_off"),
    ],
)
def test_where_a_turn_goes(intents: list[str], more: dict[str, Any], node: str) -> None:
    state: Any = {"intents": intents, "red_flags": [], **more}
    assert safety.route(state) == node
    urgent = RedFlag(rule="r", level="emergency", department="emergency", because=("x",))
    crisis = urgent.model_copy(update={"crisis": True})
    assert safety.route(state | {"red_flags": [crisis]}) == "hand_off"
    if "self_harm" not in intents:
        assert safety.route(state | {"red_flags": [urgent]}) == "diagnose"


# --- who the patient is to the writer ------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "first", "no", "relation", "name"),
    [
        ("en", "My 2-year-old has a fever and is coughing", "no", "child", "your child"),
        ("en", "My mum is 70. She is dizzy and feels sick", "no", "mother", "your mother"),
        ("zh", "孩子两岁，发烧、咳嗽", "没有", "child", "孩子"),
        ("zh", "我妈70岁，头晕，想吐", "没有", "mother", "您母亲"),
    ],
)
async def test_a_consultation_speaks_of_who_is_ill(
    desk: Desk, language: Language, first: str, no: str, relation: str, name: str
) -> None:
    talk = Talk(desk, language)
    state = await talk.say(first)
    asked = []
    while state["question"] is not None:
        asked.append(state["question"].text)
        assert asked[-1] in state["reply"]
        state = await talk.say(no)
        assert state["about"] == relation
    you = (
        r"\b[Yy]ou(?:r|rs|rself)?\b(?! (?:child|mother)| or others)"
        if language == "en"
        else "[您你]"
    )
    # "Can you feel a lump in your child's neck?": the carer looks.
    to_reader = [
        text
        for text in asked
        if re.search(you, text.replace(name, "")) and not re.match("(?:Can|Have) you", text)
    ]
    assert len(asked) >= 3
    assert sum(name in text for text in asked) >= 2
    assert not to_reader
    assert {e["about"] for e in talk.happened("findings.understood")} == {relation}


@pytest.mark.parametrize(
    ("turns", "about"),
    [
        (["fever and sore throat", "my son is 6"], [None, "son"]),
        (["fever and sore throat", "6"], [None, "child"]),
        (["I have a question", "My wife has a headache"], [None, "wife"]),
        (["I have a cough", "My mum had a cough too last week"], ["self", "self"]),
        (["He has a rash and a fever", "my son is 4"], ["other", "son"]),
        (["My son is 5 and has a fever", "I measured 39.2"], ["son", "son"]),
        (["My daughter is 7 and has a cough", "her brother has a cough too"], ["daughter"] * 2),
        (["fever", "My mum had a fever too, she is fine"], [None, None]),
        (["My mum is 60 and has a cough", "No, it's about me"], ["mother", "self"]),
    ],
)
async def test_who_it_is_about_from_turn_to_turn(
    desk: Desk, turns: list[str], about: list[str | None]
) -> None:
    talk = Talk(desk)
    assert [(await talk.say(words)).get("about") for words in turns] == about


async def test_a_relative_who_cannot_be_the_patient_is_not(desk: Desk) -> None:
    talk = Talk(desk, age_years=30, sex="female")
    assert (await talk.say("my baby is breech and I have a headache"))["about"] != "baby"
    talk = Talk(desk, age_years=30, sex="female")
    assert (await talk.say("my husband says the headache is bad"))["about"] != "husband"


async def test_a_small_child_does_not_write_and_an_unknown_writer_is_asked_as_before(
    desk: Desk,
) -> None:
    assert (await Talk(desk, age_years=3).say("fever and cough"))["about"] == "child"
    state = await Talk(desk, age_years=40, sex="male").say("fever and cough")
    assert state["about"] is None
    assert "your child" not in state["reply"]


def test_a_state_from_before_is_of_who_writes() -> None:
    state: Any = {"language": "en", "patient": Patient(age_years=3)}
    assert replies.person_of(state) is None
    assert replies.person_of({"language": "en"}) is None


async def test_a_crisis_of_somebody_else(desk: Desk) -> None:
    state = await Talk(desk).say("My brother wants to kill himself")
    assert state["stage"] == "handed_off"
    assert "You do not have to carry this alone" in state["reply"]
    assert "If it is your brother who is in danger" in state["reply"]
    state = await Talk(desk).say("I want to kill myself")
    assert "who is in danger" not in state["reply"]


# --- replies -----------------------------------------------------------------------------------


def test_a_reply_joins_its_pieces_exactly() -> None:
    shown: list[str] = []
    reply = replies.Reply(shown.append)
    reply.paragraph("One.")
    reply.line("- two")
    reply.add("", before="never")
    reply.add("three", before=" ")
    reply.paragraph("Four.")
    assert reply.text == "One.\n- two three\n\nFour."
    assert "".join(shown) == reply.text


def test_the_same_quote_keeps_its_number() -> None:
    reply = replies.Reply(lambda _: None)
    passage = {"chunk": "k", "document": "d", "title": "t", "release": "r", "source": None}
    first, other = (advise.citation(passage, quote) for quote in ("a", "b"))
    assert [reply.cite(c) for c in (first, other, first)] == [1, 2, 1]
    assert len(reply.citations) == 2


def test_findings_in_a_row() -> None:
    findings = [
        Finding(id="cough", label="Cough", status="present"),
        Finding(id="fever", label="Fever", status="absent"),
        Finding(id="rash", label="Rash", status="unsure"),
    ]
    assert replies.told(findings, "en") == "cough, no fever, rash (not sure)"


# --- what is kept ------------------------------------------------------------------------------


def test_every_part_of_the_state_may_be_in_a_checkpoint() -> None:
    parts = {
        name
        for name, value in vars(agent.state).items()
        if isinstance(value, type) and issubclass(value, Part) and value is not Part
    }
    assert {("agent.state", name) for name in parts} == set(SERIALISED)


async def test_the_state_comes_back_from_a_checkpoint_as_it_was(desk: Desk) -> None:
    serde = Checkpointer(None, allowed=SERIALISED).serde  # type: ignore[arg-type]
    talk = Talk(desk, age_years=60, sex="male")
    states = [
        await talk.say("My chest hurts and I have a cough"),
        await talk.say("I am coughing up cupfuls of blood"),
    ]
    for state in states:
        for channel in ("patient", "findings", "question", "red_flags", "differential", "triage"):
            back = serde.loads_typed(serde.dumps_typed(state[channel]))
            assert back == state[channel]
            assert type(back) is type(state[channel])
    finding = next(iter(states[1]["findings"].values()))
    assert type(serde.loads_typed(serde.dumps_typed(finding))) is Finding


def test_what_is_not_allowed_is_never_made_from_a_checkpoint() -> None:
    whole = Checkpointer(None, allowed=SERIALISED).serde  # type: ignore[arg-type]
    bare = Checkpointer(None, allowed=[("agent.state", "Triage")]).serde  # type: ignore[arg-type]
    stored = whole.dumps_typed(Patient(age_years=3))
    assert type(whole.loads_typed(stored)) is Patient
    assert type(bare.loads_typed(stored)) is not Patient


def test_the_readme_shows_the_graph_of_now() -> None:
    text = Path(README).read_text(encoding="utf-8")
    assert "<!-- graph -->" in text
    assert drawn(text) == text
