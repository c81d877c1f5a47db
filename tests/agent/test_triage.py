"""Urgency: red flags outrank, danger in sum decides, and whom an entry is about."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import triage
from agent.state import Patient, RedFlag
from knowledge.clinical.schema import LEVELS, Level, When, Who
from knowledge.clinical.statements import present_closure
from tests.agent.knowledge import both, condition, finding, knowledge, rule, told

SHARES = {"pain": 0.9, "rash": 0.5, "cough": 0.5}
FINDINGS = [
    finding("pain"),
    finding("pain_left", is_a=["pain"]),
    finding("rash"),
    finding("cough"),
    finding("pregnant", kind="risk"),
]
KNOWN = knowledge(
    FINDINGS,
    [condition(f"is_{level}", SHARES, urgency=level) for level in LEVELS],
    [rule(f"flag_{level}", {"any": ["pain"]}, level=level) for level in LEVELS[:3]],
)
ADULT = Patient(age_years=40, sex="female")
URGENCY = st.sampled_from(LEVELS[:3])


def flags(*levels: Level) -> list[RedFlag]:
    return [
        RedFlag(rule=f"flag_{level}", level=level, department="emergency", because=("x",))
        for level in levels
    ]


def decide(masses: dict[Level, float], *fired: Level, patient: Patient = ADULT) -> Any:
    probabilities = {f"is_{level}": mass for level, mass in masses.items()}
    return triage.decide(KNOWN, told(pain="present"), patient, probabilities, flags(*fired), "en")


masses = st.lists(st.floats(0.001, 1), min_size=5, max_size=5).map(
    lambda values: {level: value / sum(values) for level, value in zip(LEVELS, values, strict=True)}
)


@given(masses, st.lists(URGENCY, max_size=3), URGENCY)
def test_another_red_flag_never_makes_it_less_urgent(
    mass: dict[Level, float], fired: list[Level], more: Level
) -> None:
    before = LEVELS.index(decide(mass, *fired).level)
    after = LEVELS.index(decide(mass, *fired, more).level)
    assert after <= before
    assert after <= LEVELS.index(more)


@given(masses, st.floats(0, 0.5))
def test_more_danger_never_makes_it_less_urgent(mass: dict[Level, float], moved: float) -> None:
    worse = dict(mass)
    worse["emergency_ambulance"] += moved * mass["self_care"]
    worse["self_care"] -= moved * mass["self_care"]
    levels = tuple(mass)
    before = triage.level_from_mass(levels, mass.values())
    after = triage.level_from_mass(levels, worse.values())
    assert LEVELS.index(after) <= LEVELS.index(before)


def test_a_small_chance_of_a_deadly_cause_outweighs_a_harmless_favourite() -> None:
    assert decide({"self_care": 0.84, "emergency_ambulance": 0.16}).level == "emergency_ambulance"
    assert decide({"self_care": 0.97, "emergency_ambulance": 0.03}).level == "self_care"
    # Neither alone would do; together what is at least an emergency is probable enough.
    both_kinds: dict[Level, float] = {
        "self_care": 0.78,
        "emergency": 0.11,
        "emergency_ambulance": 0.11,
    }
    assert decide(both_kinds).level == "emergency"


def test_reasons_are_of_the_decision() -> None:
    decided = decide({"self_care": 0.98, "emergency_ambulance": 0.02}, "emergency_ambulance")
    assert decided.level == "emergency_ambulance"
    assert decided.department == "emergency"
    assert decided.within == "PT0S"
    assert decided.reasons == ("Because of flag_emergency_ambulance.",)
    quiet = decide({"self_care": 0.98, "emergency_ambulance": 0.02})
    assert quiet.reasons == ("is_self_care is likely on what is known so far",)


def test_every_red_flag_is_given_as_a_reason_even_below_the_decision() -> None:
    decided = decide({"emergency_ambulance": 0.9, "self_care": 0.1}, "within_24h")
    assert decided.level == "emergency_ambulance"
    assert "Because of flag_within_24h." in decided.reasons


def test_nothing_known_is_a_routine_visit() -> None:
    assert decide({}).level == "routine"
    assert decide({}).department == "general_medicine"
    assert decide({}, patient=Patient(age_years=3)).department == "paediatrics"


@pytest.mark.parametrize("age", [1.0, 9.0, 13.9, 14.0, 40.0])
def test_children_go_to_childrens_departments(age: float) -> None:
    of_children = condition("case", SHARES, departments=["paediatrics", "ent"])
    known = knowledge(FINDINGS, [of_children], ent=False)
    decided = triage.decide(
        known, told(pain="present"), Patient(age_years=age), {"case": 0.9}, [], "en"
    )
    assert decided.department == ("paediatrics" if age < 14 else "ent")


def test_a_circumstance_raises_a_condition() -> None:
    raised = {"when": {"any": ["rash"]}, "to": "emergency", "because": both("The rash.")}
    known = knowledge(FINDINGS, [condition("case", SHARES, urgency="routine", raises=[raised])])
    calm = triage.decide(known, told(pain="present"), ADULT, {"case": 1.0}, [], "en")
    rash = triage.decide(
        known, told(pain="present", rash="present"), ADULT, {"case": 1.0}, [], "en"
    )
    assert (calm.level, rash.level) == ("routine", "emergency")
    assert "The rash." in rash.reasons


# --- statements --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "present", "holds"),
    [
        ({"all": ["pain", "rash"]}, {"pain", "rash"}, True),
        ({"all": ["pain", "rash"]}, {"pain"}, False),
        ({"any": ["pain", "rash"]}, {"rash"}, True),
        ({"any": ["pain", "rash"]}, set(), False),
        ({"any": ["pain", "rash", "cough"], "at_least": 2}, {"pain"}, False),
        ({"any": ["pain", "rash", "cough"], "at_least": 2}, {"pain", "cough"}, True),
        ({"all": ["pain"], "none": ["rash"]}, {"pain"}, True),
        ({"all": ["pain"], "none": ["rash"]}, {"pain", "rash"}, False),
        ({"none": ["rash"]}, set(), True),
        ({"all": [{"any": ["pain", "rash"]}, "cough"]}, {"rash", "cough"}, True),
        ({"all": [{"any": ["pain", "rash"]}, "cough"]}, {"cough"}, False),
        ({"any": [{"all": ["pain", "rash"]}, "cough"]}, {"pain"}, False),
        ({"none": [{"all": ["pain", "rash"]}]}, {"pain"}, True),
        ({"none": [{"all": ["pain", "rash"]}]}, {"pain", "rash"}, False),
        ({"all": ["pain"]}, {"pain_left"}, True),
        ({"none": ["pain"]}, {"pain_left"}, False),
        ({"all": ["pain_left"]}, {"pain"}, False),
        ({"all": ["pain"], "who": {"min_age": 50}}, {"pain"}, False),
        ({"all": ["pain"], "who": {"min_age": 40}}, {"pain"}, True),
        ({"all": ["pain"], "who": {"sex": "male"}}, {"pain"}, False),
        ({"all": ["pain"], "who": {"pregnant": True}}, {"pain"}, False),
        ({"all": ["pain"], "who": {"pregnant": True}}, {"pain", "pregnant"}, True),
    ],
)
def test_holds(when: dict[str, Any], present: set[str], holds: bool) -> None:
    closed = present_closure(present, KNOWN)
    statement = When.model_validate(when)
    assert triage.holds(statement, closed, ADULT.age_years, ADULT.sex) is holds


@pytest.mark.parametrize(
    ("who", "patient", "about"),
    [
        ({}, Patient(), True),
        ({"min_age": 18}, Patient(age_years=18), True),
        ({"min_age": 18}, Patient(age_years=17.9), False),
        ({"max_age": 3}, Patient(age_years=3), False),
        ({"max_age": 3}, Patient(age_years=2.9), True),
        ({"max_age": 3}, Patient(), False),  # an unknown age is taken for an adult's
        ({"min_age": 50}, Patient(), True),  # and may be any adult's
        ({"min_age": 75}, Patient(), False),
        ({"sex": "male"}, Patient(), True),
        ({"sex": "male"}, Patient(sex="female"), False),
        ({"pregnant": True}, Patient(), False),
        ({"pregnant": True}, Patient(pregnant=True), True),
        ({"pregnant": False}, Patient(pregnant=True), False),
    ],
)
def test_applies(who: dict[str, Any], patient: Patient, about: bool) -> None:
    entry = Who.model_validate(who)
    assert triage.applies(entry, patient.age_years, patient.sex, patient.pregnant) is about


def test_rules_fire_on_present_findings_only_most_urgent_first() -> None:
    fired = triage.fire(KNOWN, told(pain_left="present", rash="present"), ADULT)
    assert [flag.level for flag in fired] == list(LEVELS[:3])
    assert all(flag.because == ("pain_left",) for flag in fired)
    assert triage.fire(KNOWN, told(pain="absent", rash="present"), ADULT) == []
    assert triage.fire(KNOWN, told(pain="unsure"), ADULT) == []
