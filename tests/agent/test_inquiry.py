"""Questions: never twice, never what is known, never what does not fit; and an end in time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import inquiry
from agent.diagnosis import Network, evidence_of
from agent.inquiry import Choice
from agent.state import Finding, Patient, Status
from knowledge.clinical import ClinicalKnowledge
from tests.agent.knowledge import condition, finding, knowledge, rule, told

ADULT = Patient(age_years=40, sex="female", pregnant=False)


def made() -> ClinicalKnowledge:
    """Three harmless conditions, a dangerous one, and findings that not everybody is asked of."""
    findings = [
        finding("pain", base=0.1),
        finding("pain_left", is_a=["pain"], base=0.02),
        finding("pain_right", is_a=["pain"], base=0.02),
        finding("fever", base=0.1),
        finding("high_fever", is_a=["fever"], base=0.02),
        finding("rash", base=0.05),
        finding("cough", base=0.1),
        finding("collapse", base=0.005),
        finding("stiff_neck", base=0.005),
        finding("prostate", base=0.02, who={"sex": "male"}),
        finding("not_feeding", base=0.02, who={"max_age": 1}),
        finding("waters", base=0.02, who={"pregnant": True}),
        finding("murmur", base=0.02, askable=False),
        finding("pressure", base=0.02, kind="measurement"),
    ]
    unfit = {"prostate": 0.5, "not_feeding": 0.5, "waters": 0.5, "murmur": 0.5, "pressure": 0.5}
    conditions = [
        condition("left", {"pain": 0.9, "pain_left": 0.8, "rash": 0.1, **unfit}),
        condition("right", {"pain": 0.9, "pain_right": 0.8, "cough": 0.5, "fever": 0.2}),
        condition("flu", {"fever": 0.9, "high_fever": 0.5, "cough": 0.8, "pain": 0.3}),
        condition(
            "deadly",
            {"pain": 0.9, "collapse": 0.6, "stiff_neck": 0.5, "fever": 0.6},
            per_10000=5,
            urgency="emergency_ambulance",
        ),
    ]
    rules = [
        rule("neck", {"all": ["pain", "stiff_neck"]}, level="emergency_ambulance"),
        rule("fall", {"all": ["pain"], "any": ["collapse"]}, level="emergency_ambulance"),
    ]
    return knowledge(findings, conditions, rules)


NETWORK = Network(made())
KEYS = tuple(NETWORK.findings)
ANYBODY = ["pain", "pain_left", "pain_right", "fever", "high_fever", "rash", "cough", "collapse"]


def choose(
    known: dict[str, Finding], asked: list[str], *, patient: Patient = ADULT, budget: int = 8
) -> Choice:
    evidence = evidence_of(known, None)
    posterior = NETWORK.posterior(evidence, patient)
    return inquiry.choose(
        NETWORK, evidence, patient, known, asked, posterior=posterior, budget=budget
    )


def no(key: str) -> dict[str, Finding]:
    """A denial."""
    return told(**{key: STATUS[1]})


STATUS: tuple[Status, ...] = ("present", "absent", "unsure")
cases = st.dictionaries(st.sampled_from(ANYBODY), st.sampled_from(STATUS), max_size=5)


@given(cases, st.lists(st.sampled_from(KEYS), max_size=4, unique=True))
def test_it_asks_nothing_known_implied_asked_or_unsuitable(
    status: dict[str, Status], asked: list[str]
) -> None:
    known = told(**status) | told(pain="present")
    choice = choose(known, asked)
    if choice.finding is None:
        assert choice.stop is not None
        return
    ancestors = NETWORK.knowledge.ancestors
    present = {key for key, said in known.items() if said.status == "present"}
    absent = {key for key, said in known.items() if said.status == "absent"}
    assert choice.finding not in known
    assert choice.finding not in asked
    assert not any(choice.finding in ancestors[key] for key in present)
    assert not ancestors[choice.finding] & absent
    assert choice.finding not in {"prostate", "not_feeding", "waters", "murmur", "pressure"}


@given(cases, st.lists(st.sampled_from(KEYS), max_size=4, unique=True))
def test_the_same_case_gets_the_same_question(status: dict[str, Status], asked: list[str]) -> None:
    known = told(**status) | told(pain="present")
    again = dict(reversed(known.items()))
    assert choose(known, asked) == choose(again, asked)


@given(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(STATUS)))
def test_it_ends_within_its_budget_whatever_is_answered(answers: dict[str, Status]) -> None:
    known = told(pain="present")
    asked: list[str] = []
    while (choice := choose(known, asked, budget=4)).finding is not None:
        asked.append(choice.finding)
        known |= told(**{choice.finding: answers.get(choice.finding, "absent")})
        assert len(asked) <= 4
    assert choice.stop in ("budget", "no_gain", "advice_settled", "confident")


def test_a_spent_budget_ends_it_at_once() -> None:
    assert choose(told(pain="present"), ["fever", "cough"], budget=2).stop == "budget"
    assert choose(told(pain="present"), ["open", "profile"], budget=2).finding is not None


def test_danger_is_looked_for_before_it_stops() -> None:
    known = told(pain="present")
    asked: list[str] = []
    while (choice := choose(known, asked)).finding is not None:
        asked.append(choice.finding)
        known |= no(choice.finding)
    assert {"collapse", "stiff_neck"} <= set(asked)


def test_a_question_that_would_set_off_a_red_flag_says_so() -> None:
    known = told(pain="present")
    asked: list[str] = []
    reasons = {}
    while (choice := choose(known, asked)).finding is not None:
        reasons[choice.finding] = inquiry.reason(choice, NETWORK, "en")
        asked.append(choice.finding)
        known |= no(choice.finding)
    assert all(reasons.values())
    for key in ("collapse", "stiff_neck"):
        assert "miss" in reasons[key]


@pytest.mark.parametrize(
    ("patient", "finding_"),
    [
        (Patient(age_years=40, sex="male"), "prostate"),
        (Patient(age_years=0.5, sex="female"), "not_feeding"),
        (Patient(age_years=30, sex="female", pregnant=True), "waters"),
    ],
)
def test_those_it_fits_are_asked(patient: Patient, finding_: str) -> None:
    known = told(pain="present", pain_left="present")
    asked: list[str] = []
    while (choice := choose(known, asked, patient=patient, budget=30)).finding is not None:
        asked.append(choice.finding)
        known |= told(**{choice.finding: STATUS[2]})
    assert finding_ in asked
    assert not ({"prostate", "not_feeding", "waters"} - {finding_}) & set(asked)
