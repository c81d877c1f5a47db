"""A red flag that was answered wrongly and taken back stands no more; no other falls with it."""

from __future__ import annotations

import pytest

from agent.desk import Desk
from agent.language.answers import answer
from tests.agent.test_graph import Talk


async def test_a_red_flag_goes_with_the_answer_that_raised_it(desk: Desk) -> None:
    talk = Talk(desk, "zh", age_years=26, sex="female")
    state = await talk.say("怀孕七周，早上有点恶心，爱困")
    while state["question"] is not None and state["question"].finding != "vaginal_bleeding":
        state = await talk.say("没有")
        if talk.turn > 12:
            pytest.skip("bleeding is not asked about in this order of questions")
    state = await talk.say("有")
    assert "bleeding_in_pregnancy" in [flag.rule for flag in state["red_flags"]]
    state = await talk.say("不好意思，前面说错了，并没有阴道出血")
    assert not state["red_flags"]
    assert state["stage"] != "emergency"


async def test_what_was_said_in_words_stays(desk: Desk) -> None:
    talk = Talk(desk, age_years=60, sex="male")
    state = await talk.say("I am coughing up cupfuls of blood and I have a fever")
    assert state["stage"] == "emergency"
    state = await talk.say("Sorry, I was wrong, I have no fever")
    assert state["stage"] == "emergency"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("他没有", "absent"),
        ("孩子没有。", "absent"),
        ("这个倒没有，我特意留意过", "absent"),
        ("这个有", "present"),
        ("孩子有的，昨天开始", "present"),
        ("这个我不知道", None),
        ("我有发烧", None),
        ("他不舒服", None),
    ],
)
def test_a_subject_before_the_answer(text: str, status: str | None) -> None:
    assert answer(text) == status
