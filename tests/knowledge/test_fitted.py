"""Fitting an overlay to cases: what it learns, what it leaves alone, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import inquiry
from agent.diagnosis import Network, evidence_of
from agent.state import Finding, Patient
from knowledge.clinical import ClinicalKnowledge
from knowledge.fitted import Case, Overlay, OverlayError, fit, join
from tests.agent.knowledge import condition, finding

FINDINGS = ("aa", "bb", "cc", "dd", "ee")


def knowledge() -> ClinicalKnowledge:
    found = {key: finding(key) for key in FINDINGS}
    given_ = dict.fromkeys(FINDINGS, 0.3)
    conditions = {
        key: condition(key, given_, per_10000=weight)
        for key, weight in (("left", 50), ("right", 50), ("apart", 50), ("deadly", 5))
    }
    return ClinicalKnowledge(findings=found, conditions=conditions)


def cases(count: int = 240, seed: int = 1) -> list[Case]:
    """Everybody has `aa`; `bb` goes with the left, `cc` with the right, `dd` and `ee` together."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        left = number % 2 == 0
        answered = {
            "bb": "present" if left == (random.random() < 0.9) else "absent",
            "cc": "absent" if left == (random.random() < 0.9) else "present",
        }
        if random.random() < 0.5:
            answered |= {"dd": "present", "ee": "present"}
        made.append(Case("L" if left else "R", {"aa": "present"}, answered))
    return made


def overlay(**more: object) -> Overlay:
    return fit(
        cases(),
        findings={key: key for key in FINDINGS} | {"house word": None},
        conditions={"L": "left", "R": "right"},
        title="test",
        dataset_sha256="0" * 64,
        **more,  # type: ignore[arg-type]
    )


def told(**status: str) -> dict[str, Finding]:
    return {key: Finding(id=key, status=value) for key, value in status.items()}  # type: ignore[arg-type]


def network(found: Overlay | None = None) -> Network:
    base = knowledge()
    return Network(base if found is None else join(base, found), overlay=found)


def test_it_tells_apart_what_the_written_knowledge_cannot() -> None:
    evidence = evidence_of(told(aa="present", bb="present", cc="absent"), None)
    plain, fitted = network(), network(overlay())
    before = plain.posterior(evidence, Patient())
    after = fitted.posterior(evidence, Patient())
    assert before[plain.row["left"]] == pytest.approx(before[plain.row["right"]])
    assert after[fitted.row["left"]] > 5 * after[fitted.row["right"]]


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(FINDINGS), st.sampled_from(["present", "absent", "unsure"])))
def test_nothing_outside_its_own_conditions_moves(status: dict[str, str]) -> None:
    """The written knowledge decides how probable a danger is that the cases never saw."""
    evidence = evidence_of(told(**status), None)
    before = NETWORK.posterior(evidence, Patient())
    after = FITTED.posterior(evidence, Patient())
    assert after.sum() == pytest.approx(1.0)
    for key in ("apart", "deadly"):
        assert after[FITTED.row[key]] == pytest.approx(before[NETWORK.row[key]])


def test_presentations_keep_together_what_comes_together() -> None:
    fitted = FITTED.fitted
    assert fitted is not None
    evidence = evidence_of(told(aa="present"), None)
    place = {own.name: index for index, own in enumerate(fitted.overlay.findings)}
    before, _ = fitted.answers(FITTED.states(evidence)[0])
    after, _ = fitted.answers(FITTED.states(evidence_of(told(aa="present", dd="present"), None))[0])
    assert (after[:, place["ee"]] > before[:, place["ee"]] + 0.1).all()


def test_the_question_is_one_that_tells_its_conditions_apart() -> None:
    findings = told(aa="present")
    evidence = evidence_of(findings, None)
    posterior = FITTED.posterior(evidence, Patient())
    choice = inquiry.choose(FITTED, evidence, Patient(), findings, [], posterior=posterior)
    assert choice.finding in ("bb", "cc")


def test_the_same_cases_give_the_same_overlay_and_it_survives_a_file(tmp_path: Path) -> None:
    first = overlay()
    first.save(tmp_path / "overlay.json")
    assert Overlay.load(tmp_path / "overlay.json") == first == overlay()


def test_own_names_become_findings_and_a_second_label_a_division() -> None:
    made = [*cases(), *(Case("L two", {"house word": "present"}, {}) for _ in range(6))]
    found = fit(
        made,
        findings={key: key for key in FINDINGS} | {"house word": None},
        conditions={"L": "left", "R": "right", "L two": "left"},
        title="test",
        dataset_sha256="0" * 64,
    )
    joined = join(knowledge(), found)
    own = next(item.id for item in found.findings if item.name == "house word")
    division = next(item.id for item in found.conditions if item.name == "L two")
    assert joined.findings[own].says.zh == ("house word",)
    assert joined.conditions[division].urgency == knowledge().conditions["left"].urgency
    assert set(knowledge().conditions) < set(joined.conditions)


def test_a_silent_patient_counts_as_the_cases_have_it() -> None:
    unsure, absent = overlay(silence="unsure"), overlay(silence="absent")
    place = [own.name for own in unsure.findings].index("bb")
    assert max(row[place] for row in unsure.other) > 0.2  # denials are told apart from silence
    assert max(row[place] for row in absent.other) < 0.1  # and are silence where that is a no


def test_too_few_cases_and_unknown_labels_are_refused() -> None:
    with pytest.raises(OverlayError, match="R"):
        fit(
            cases(),
            findings={},
            conditions={"L": "left"},
            title="",
            dataset_sha256="",
        )
    with pytest.raises(OverlayError, match="five cases"):
        fit(
            cases(6),
            findings={},
            conditions={"L": "left", "R": "right"},
            title="",
            dataset_sha256="",
        )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 99}, "schema 99"),
        ({"share": [0.5]}, "one row a presentation"),
        ({"intercepts": [1.0]}, "intercepts"),
        ({"cases": 0}, "cases"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_damaged_file_is_refused_whole(
    tmp_path: Path, change: dict[str, object], says: str
) -> None:
    path = tmp_path / "overlay.json"
    overlay().save(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(OverlayError, match=says):
        Overlay.load(path)


def test_an_overlay_for_other_knowledge_is_refused() -> None:
    base = knowledge()
    smaller = ClinicalKnowledge(
        findings={k: v for k, v in base.findings.items() if k != "bb"}, conditions=base.conditions
    )
    with pytest.raises(OverlayError, match="'bb'"):
        join(smaller, overlay())


NETWORK = network()
FITTED = network(overlay())
