"""The posteriors that ours is compared with."""

from __future__ import annotations

import numpy as np
import pytest

from agent.desk import Desk
from agent.diagnosis import Evidence
from agent.state import Patient
from evaluation import posteriors
from evaluation.cases import load_vignettes

FEVER = Evidence(present=frozenset({"fever", "cough"}), absent=frozenset({"rash"}))


@pytest.mark.parametrize("method", posteriors.METHODS)
def test_each_divides_one_among_what_the_patient_can_have(desk: Desk, method: str) -> None:
    man = Patient(age_years=30, sex="male")
    given = posteriors.METHODS[method](desk.network, FEVER, man)
    assert given.sum() == pytest.approx(1)
    assert (given[desk.network.prior(man) == 0] == 0).all()
    assert given[desk.network.row["common_cold"]] > given[desk.network.row["migraine"]]


@pytest.mark.parametrize("method", [posteriors.naive, posteriors.noisy_or])
def test_without_findings_the_prior_speaks(desk: Desk, method: posteriors.Posterior) -> None:
    nothing = Evidence(present=frozenset(), absent=frozenset())
    prior = desk.network.prior(Patient())
    given = method(desk.network, nothing, Patient())
    assert np.argsort(-given, kind="stable")[0] == np.argsort(-prior, kind="stable")[0]


def test_every_method_weighs_the_same_cases(desk: Desk) -> None:
    cases = [case for case in load_vignettes(desk.knowledge) if case.split == "dev"][:12]
    found = posteriors.evaluate(desk, cases, split="dev")
    sizes = {name: group.cases for name, group in found.by["method"].items()}
    assert set(sizes) == set(posteriors.METHODS)
    assert len(set(sizes.values())) == 1
    assert found.overall.cases == 3 * sizes["this one"]
    assert "noisy-or" in posteriors.table(found)
