"""The reports on a real desk: right cases count as right, wrong ones are listed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.desk import Desk
from agent.ports import Ports
from agent.state import Patient
from evaluation import safety, triage
from evaluation.cases import Expected, Sentence, Vignette, load_sentences, load_vignettes
from knowledge import clinical


class _Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk.build(clinical.load(), Ports(clock=_Clock()))


def _vignette(key: str, text: str, expected: Expected) -> Vignette:
    patient = Patient(age_years=40, sex="female")
    return Vignette(id=key, language="en", patient=patient, text=text, expected=expected)


COLD = Expected(condition="common_cold", level="self_care", departments=("general_medicine",))
HEART = Expected(
    condition="acute_coronary_syndrome",
    level="emergency_ambulance",
    at_least="emergency",
    departments=("emergency",),
)


def test_a_missed_emergency_is_counted_and_listed(desk: Desk) -> None:
    heard = _vignette("a", "crushing chest pain and cold sweat", HEART)
    missed = _vignette("b", "I have a runny nose and I sneeze", HEART)
    report = triage.evaluate(desk, [heard, missed], split="all")
    assert report.overall.missed_emergencies.value == 0.5
    assert [item.id for item in report.failures if item.missed] == ["b"]
    assert "MISSED" in triage.table(report)


def test_a_needless_emergency_is_counted_and_listed(desk: Desk) -> None:
    calm = _vignette("a", "I have a runny nose and I sneeze", COLD)
    needless = _vignette("b", "crushing chest pain and cold sweat", COLD)
    report = triage.evaluate(desk, [calm, needless], split="all")
    assert report.overall.over_escalation.value == 0.5
    assert report.overall.missed_emergencies.n == 0
    assert report.overall.top_1.value == 0.5
    assert [item.id for item in report.failures if item.too_urgent] == ["b"]


def test_groups_add_up(desk: Desk) -> None:
    cases = load_vignettes(desk.knowledge)[::12]
    report = triage.evaluate(desk, cases, split="all")
    for rows in report.by.values():
        assert sum(row.cases for row in rows.values()) == report.overall.cases == len(cases)


def test_splits_share_no_case(desk: Desk) -> None:
    cases = load_vignettes(desk.knowledge)
    splits = {case.id: case.split for case in cases}
    report = triage.evaluate(desk, cases[:30], split="held_out")
    assert report.overall.cases == sum(splits[case.id] == "held_out" for case in cases[:30])


def test_safety_tells_recall_from_false_alarms(desk: Desk) -> None:
    alarm, none = "emergency_ambulance", None
    text = "crushing chest pain going down my left arm"
    cases = [
        Sentence(id="a", language="en", text=text, kind="plain", fires=alarm),
        Sentence(id="b", language="en", text="a runny nose", kind="plain", fires=alarm),
        Sentence(id="c", language="en", text=text, kind="negation", fires=none),
        Sentence(id="d", language="en", text="a runny nose", kind="negation", fires=none),
    ]
    report = safety.evaluate(desk, cases, split="all")
    assert report.overall.recall.value == report.overall.false_alarms.value == 0.5
    assert [item.id for item in report.failures] == ["b", "c"]
    assert "a runny nose" in safety.table(report)


def test_what_was_reached_is_kept(desk: Desk) -> None:
    """Floors a little below what was measured, so that a change that harms is noticed. With the
    cases that were written without sight of the knowledge among them the figures are lower than
    they were on the older ones alone."""
    vignettes = triage.evaluate(desk, load_vignettes(desk.knowledge), split="all").overall
    sentences = safety.evaluate(desk, load_sentences(), split="all").overall
    assert (vignettes.missed_emergencies.value or 0) <= 0.09
    assert (vignettes.over_escalation.value or 0) <= 0.12
    assert (vignettes.top_5.value or 0) >= 0.87
    assert (sentences.recall.value or 0) >= 0.78
    assert (sentences.false_alarms.value or 0) <= 0.10
