"""Imported conditions are named, marked, and decide on nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import inquiry
from agent.assess import assess
from agent.desk import Desk
from agent.nodes import advise
from agent.ports import Ports
from agent.state import Patient, written
from agent.weigh import weigh
from knowledge.clinical.schema import LEVELS
from knowledge.documents.articles import articles
from tests.agent.conftest import FixedClock
from tests.agent.knowledge import condition, finding, knowledge, rule, told

FINDINGS = ("pain", "rash", "cough", "fever", "swelling", "dizziness")
WRITTEN = knowledge(
    [finding(key, base=0.05, says={"en": [key], "zh": []}) for key in FINDINGS],
    [
        condition("deadly", {"pain": 0.9, "fever": 0.5, "cough": 0.1},
                  urgency="emergency_ambulance", per_10000=5),
        condition("serious", {"rash": 0.8, "fever": 0.6, "pain": 0.2}, urgency="within_24h"),
        condition("plain", {"cough": 0.9, "fever": 0.3, "rash": 0.05}, urgency="routine"),
        condition("harmless", {"cough": 0.5, "dizziness": 0.5, "pain": 0.1}, urgency="self_care",
                  per_10000=300),
    ],
    [rule("red", {"all": ["swelling"]})],
)  # fmt: skip


def desk_with(*imported: dict[str, Any]) -> Desk:
    """A desk of what is written and of imported conditions."""
    entries = [
        condition(
            f"imported_{number}", fields["findings"], tier="imported", icd10=None,
            name={"en": f"Imported {number}", "zh": f"导入病{number}"},
            per_10000=fields.get("per_10000", 5), urgency=fields.get("urgency", "routine"),
        )
        for number, fields in enumerate(imported)
    ]  # fmt: skip
    both = replace(WRITTEN, conditions=WRITTEN.conditions | {e.id: e for e in entries})
    return Desk.build(both, Ports(clock=FixedClock()))


ALONE = desk_with()
ANYTHING = st.lists(
    st.fixed_dictionaries(
        {
            "findings": st.dictionaries(
                st.sampled_from(FINDINGS), st.floats(0.05, 0.6), min_size=2, max_size=5
            ),
            "per_10000": st.floats(0.001, 3000),  # far more than any import may have
            "urgency": st.sampled_from(LEVELS),
        }
    ),
    min_size=1,
    max_size=4,
)
STATUS = st.dictionaries(
    st.sampled_from(FINDINGS), st.sampled_from(["present", "absent", "unsure"]), min_size=1
)


@settings(deadline=None, max_examples=60)
@given(ANYTHING, STATUS)
def test_imported_mass_changes_neither_urgency_nor_question(
    imported: list[dict[str, Any]], status: dict[str, Any]
) -> None:
    desk = desk_with(*imported)
    findings = told(**status)
    patient = Patient(age_years=40)
    alone = weigh(ALONE, findings, patient, (), "en")
    both = weigh(desk, findings, patient, (), "en")
    assert both.triage == alone.triage

    def asked(desk: Desk, weighed: Any) -> Any:
        return inquiry.choose(
            desk.network, weighed.evidence, patient, findings, [], posterior=weighed.reviewed
        )

    first, second = asked(ALONE, alone), asked(desk, both)
    assert (first.finding, first.stop) == (second.finding, second.stop)
    own = [item.condition for item in alone.differential]
    assert [item.condition for item in written(both.differential)] == own


def test_equally_probable_conditions_keep_their_order_beside_others() -> None:
    imported = {"findings": {"pain": 0.5, "rash": 0.5}, "per_10000": 1.0}
    patient, findings = Patient(age_years=40), told(fever="present")
    orders = []
    for count in range(5):
        both = weigh(desk_with(*[imported] * count), findings, patient, (), "en")
        orders.append([item.condition for item in written(both.differential)])
    assert orders == [["serious", "plain", "harmless", "deadly"]] * 5


def test_a_possibility_says_where_it_comes_from() -> None:
    desk = desk_with({"findings": {"rash": 0.6, "swelling": 0.6}, "per_10000": 100})
    found = assess(desk, language="zh", present=["rash", "swelling"])
    marks = {item.condition: item for item in found.differential}
    imported = marks["imported_0"]
    assert (imported.tier, imported.confidence, imported.icd10) == ("imported", "lower", None)
    assert {i.confidence for i in marks.values() if i.tier == "written"} == {"reviewed"}
    body = imported.model_dump(mode="json")
    assert (body["tier"], body["confidence"]) == ("imported", "lower")


def test_many_imported_ones_displace_no_written_one() -> None:
    many = [{"findings": {"rash": 0.6, "fever": 0.6}, "per_10000": 500} for _ in range(12)]
    desk = desk_with(*many)
    differential = weigh(desk, told(rash="present"), Patient(), (), "en").differential
    assert sum(item.tier == "imported" for item in differential) == 5
    assert "serious" in {item.condition for item in differential}


def test_a_patient_is_told_of_written_conditions_alone() -> None:
    desk = desk_with({"findings": {"rash": 0.6, "fever": 0.6}, "per_10000": 60})
    findings = told(rash="present", fever="present")
    weighed = weigh(desk, findings, Patient(), (), "en")
    assert weighed.differential[0].condition in {"serious", "imported_0"}
    assert any(item.tier == "imported" for item in weighed.differential)
    state: Any = {
        "language": "en",
        "findings": findings,
        "differential": weighed.differential,
        "triage": weighed.triage,
    }
    spoken = advise.speaking_conditions(state, desk)
    assert spoken
    assert all(desk.knowledge.conditions[key].tier == "written" for key in spoken)
    assert "Imported" not in advise._fits(state)
    assert all("imported" not in chunk.entry for chunk in articles(desk.knowledge))


def test_candidates_are_found_in_both_tiers_and_say_what_they_stand_for() -> None:
    desk = desk_with({"findings": {"rash": 0.6, "fever": 0.6}})
    entries = ["PLAIN", "acute plain", "导入病0", "no such illness"]
    found = assess(desk, language="en", present=["fever"], candidates=entries)
    asked = {item.condition: item.asked for item in found.differential}
    assert asked == {"plain": ("PLAIN", "acute plain"), "imported_0": ("导入病0",)}
    assert found.unmatched == ["no such illness"]
    assert sum(item.probability for item in found.differential) == pytest.approx(1, abs=0.01)
    alone = assess(desk, language="en", present=["fever"], candidates=["imported 0"])
    assert [item.condition for item in alone.differential] == ["imported_0"]
