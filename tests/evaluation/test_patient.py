"""The simulated patient: the same words from the same seed, and the truth but for one slip."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.desk import Desk
from agent.ports import Language
from agent.state import Patient, Question, Status
from evaluation.patient import STYLES, Facts, HiddenCase, SimulatedPatient, Style, phrases
from tests.agent.knowledge import finding, knowledge
from tests.evaluation.conftest import FixedClock

FINDINGS = ("cough", "fever", "rash", "nausea", "high_fever")


def _small() -> Desk:
    from agent.ports import Ports

    entries = [
        finding(key, says={"en": [key.replace("_", " ")], "zh": [key]}) for key in FINDINGS[:-1]
    ]
    entries.append(finding("high_fever", is_a=["fever"]))
    return Desk.build(knowledge(entries), Ports(clock=FixedClock()))


DESK = _small()


def _patient(case: HiddenCase, style: Style, seed: int = 0) -> SimulatedPatient:
    facts = Facts(case, DESK.knowledge, DESK.lexicon)
    return SimulatedPatient(case, facts, style=style, seed=seed)


def _ask(key: str) -> Question:
    return Question(finding=key, text="?", options=("yes", "no", "unsure"), reason="r")


def _case(language: Language = "en", **more: object) -> HiddenCase:
    fields = {"id": "c", "language": language, "present": ("cough",), "absent": ("rash",)}
    return HiddenCase.model_validate(fields | more)


statuses = st.dictionaries(st.sampled_from(FINDINGS[:-1]), st.sampled_from(get_args(Status)))


@given(
    told=statuses,
    asked=st.lists(st.sampled_from(FINDINGS), max_size=8),
    style=st.sampled_from(STYLES),
    language=st.sampled_from(get_args(Language)),
    seed=st.integers(0, 50),
)
@settings(max_examples=60, deadline=None)
def test_the_same_seed_says_the_same(
    told: dict[str, Status], asked: list[str], style: Style, language: Language, seed: int
) -> None:
    lists = {s: tuple(k for k, v in told.items() if v == s) for s in get_args(Status)}
    case = HiddenCase(id="x", language=language, **lists)  # type: ignore[arg-type]
    runs = []
    for _ in range(2):
        patient = _patient(case, style, seed)
        runs.append([patient.opening(), *(patient.answer(_ask(key)) for key in asked)])
    assert runs[0] == runs[1]
    assert all(text.strip() and "{" not in text for text in runs[0])


@given(
    asked=st.lists(st.sampled_from(FINDINGS), min_size=1, max_size=6, unique=True),
    style=st.sampled_from([s for s in STYLES if s != "correcting"]),
    silence=st.sampled_from(["unsure", "absent"]),
)
@settings(max_examples=40, deadline=None)
def test_all_but_the_correcting_tell_the_truth(
    asked: list[str], style: Style, silence: str
) -> None:
    patient = _patient(_case(silence=silence, chief={"cough": "present"}), style)
    truth = {"cough": "present", "rash": "absent"}
    for key in asked:
        patient.answer(_ask(key))
        assert patient.told[key] == truth.get(key, silence)


@pytest.mark.parametrize("language", get_args(Language))
def test_who_corrects_answers_wrongly_once_and_takes_it_back(language: Language) -> None:
    patient = _patient(_case(language), "correcting")
    first = [patient.answer(_ask("cough")), patient.answer(_ask("rash"))]
    assert {patient.told["cough"], patient.told["rash"]} in ({"present"}, {"absent"})
    later = patient.answer(_ask("nausea"))
    said = " ".join([*first, later])
    marks = {"zh": "说错了", "en": "wrong before|mistake earlier"}[language]
    assert len(re.findall(marks, said)) == 1
    assert patient.told["cough"] == "present"
    assert patient.told["rash"] == "absent"
    assert patient.correction() == ""


def test_a_kind_answers_for_the_whole_and_a_denial_for_the_kinds() -> None:
    patient = _patient(_case(present=("high_fever",)), "plain")
    assert patient.facts.of("fever", "absent") == "present"
    patient = _patient(_case(absent=("fever",)), "plain")
    assert patient.facts.of("high_fever", "unsure") == "absent"


def test_every_kind_of_question_is_answered() -> None:
    case = _case("zh", patient=Patient(age_years=0.5, sex="female"), duration="P3D")
    patient = _patient(case, "plain")
    said = {
        kind: patient.answer(Question(kind=kind, text="?", reason="r"))  # type: ignore[arg-type]
        for kind in ("profile", "duration", "open")
    }
    assert "6个月" in said["profile"]
    assert "女" in said["profile"]
    assert "3天" in said["duration"]
    assert "cough" in said["open"]
    choice = Question(text="?", options=("a rash", "cough"), reason="r")
    assert patient.answer(choice) == "cough"
    none = Question(text="?", options=("a rash", "nausea"), reason="r")
    assert patient.answer(none) == phrases()["zh"]["none"]
    bare = _patient(_case("en"), "vague")
    assert bare.answer(Question(kind="profile", text="?", reason="r"))
    assert bare.answer(Question(kind="duration", text="?", reason="r"))


def test_the_talkative_tell_more_than_was_asked() -> None:
    told = set()
    for seed in range(10):
        patient = _patient(_case(present=("cough", "fever")), "talkative", seed)
        patient.answer(_ask("rash"))
        told |= patient.told.keys()
    assert {"cough", "fever"} & told
