"""Whole consultations on a small knowledge, through the real graph."""

from __future__ import annotations

import pytest

from agent.desk import Desk
from agent.ports import Ports
from agent.state import Patient
from evaluation.dialogue import Job, hold, hold_all
from evaluation.patient import STYLES, HiddenCase
from tests.agent.knowledge import condition, finding, knowledge, rule
from tests.evaluation.conftest import FixedClock


@pytest.fixture(scope="module")
def small() -> Desk:
    def says(word: str) -> dict[str, list[str]]:
        return {"en": [word], "zh": [word]}

    entries = [
        finding("cough", says=says("cough")),
        finding("fever", says=says("fever")),
        finding("rash", says=says("rash")),
        finding("nausea", says=says("nausea")),
        finding("beard", says=says("beard"), who={"sex": "male"}),
        finding("stiff_neck", says=says("stiff neck"), base=0.001),
    ]
    conditions = [
        condition("cold", {"cough": 0.9, "fever": 0.3, "nausea": 0.05}),
        condition("spots", {"cough": 0.3, "fever": 0.8, "rash": 0.95}),
        condition("upset", {"nausea": 0.9, "fever": 0.2, "cough": 0.1, "beard": 0.5}),
        condition("menin", {"fever": 0.9, "stiff_neck": 0.9, "nausea": 0.6}, urgency="emergency"),
    ]
    rules = [rule("neck", {"all": ["fever", "stiff_neck"]})]
    return Desk.build(knowledge(entries, conditions, rules), Ports(clock=FixedClock()))


CASE = HiddenCase(
    id="case",
    language="en",
    patient=Patient(age_years=30, sex="female"),
    present=("fever", "rash"),
    chief={"cough": "present"},
    duration="P3D",
    diagnosis="spots",
)


async def test_a_dialogue_finds_what_was_hidden(small: Desk) -> None:
    found = await hold(small, Job(CASE))
    assert found.stage == "advise"
    assert not found.broken_off
    assert found.turns == len(found.asked) + 1
    assert [line.speaker for line in found.transcript] == ["patient", "service"] * found.turns
    assert found.findings["cough"] == "present"
    assert {"fever", "rash"} & {k for k, status in found.findings.items() if status == "present"}
    assert found.differential[0].condition == "spots"
    assert found.triage is not None
    assert "beard" not in found.questions
    assert not any(item.repeated or item.unfitting for item in found.asked)
    assert all(item.reason for item in found.asked)


async def test_age_and_sex_are_told_when_asked(small: Desk) -> None:
    found = await hold(small, Job(CASE, profile_known=False))
    assert found.questions[0] == "profile"
    assert found.patient == CASE.patient


async def test_a_red_flag_ends_the_questions(small: Desk) -> None:
    found = await hold(small, Job(CASE.model_copy(update={"opening": "fever and stiff neck"})))
    assert found.red_flags == ("neck",)
    assert found.stage == "emergency"
    assert not found.asked


@pytest.mark.parametrize("style", STYLES)
async def test_every_style_comes_to_an_end_the_same_way_twice(small: Desk, style: str) -> None:
    job = Job(CASE, style, seed=4)  # type: ignore[arg-type]
    first, again = await hold(small, job), await hold(small, job)
    assert first == again
    assert first.stage == "advise"


def test_many_at_once_are_the_same_as_one_by_one(small: Desk) -> None:
    jobs = [Job(CASE, style, seed) for style in STYLES for seed in (1, 2)]
    told: list[str] = []
    assert hold_all(small, jobs, processes=2, report=told.append) == hold_all(
        small, jobs, processes=1
    )
