"""The compiled arrays are what the rules say, condition by condition and finding by finding."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from agent.compiled import FEMALE, POPULATION, Prevalences
from agent.diagnosis import FLOOR, Network
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import BANDS, Band, Condition
from tests.agent.knowledge import condition, finding, knowledge

EXACT = 1e-12


def slowly(network: Network, entry: Condition) -> dict[int, float]:
    """The probabilities of all findings in one condition, said plainly: named findings have their
    frequency, a child lifts its parent, a parent hands its share down."""
    base, parent, column = network.base, network.parent, network.column
    values = {column[key]: frequency for key, frequency in entry.findings.items()}
    for key, relative in entry.risks.items():
        rate = float(base[column[key]])
        values[column[key]] = relative * rate / (relative * rate + 1 - rate)

    def depth(at: int) -> int:
        above = int(parent[at])
        return 0 if above < 0 else depth(above) + 1

    order = sorted(range(len(parent)), key=depth)
    for at in reversed(order):
        above = int(parent[at])
        if above < 0 or at not in values:
            continue
        if above in values:
            values[above] = max(values[above], values[at])
        elif values[at] > base[at]:
            values[above] = 1 - (1 - values[at]) * (1 - float(base[above]))
    for at in order:
        above = int(parent[at])
        if at not in values:
            share = 1.0 if above < 0 else min(float(base[at]) / max(float(base[above]), 1e-9), 1.0)
            values[at] = share * (float(base[at]) if above < 0 else values[above])
    return values


def prevalence(
    entry: Condition, band: Band | None, sex: str | None, pregnant: bool | None
) -> float:
    """Consultations per 10,000 for such a patient, said plainly."""
    rule = entry.prevalence
    ages = {name: rule.ages.get(name, 1.0) for name in BANDS}
    mean_age = sum(POPULATION[name] * weight for name, weight in ages.items())
    age = 1.0 if band is None else ages[band] / mean_age if mean_age > 0 else 0.0
    female, male = rule.sex.get("female", 1.0), rule.sex.get("male", 1.0)
    mean_sex = FEMALE * female + (1 - FEMALE) * male
    chosen = {"female": female, "male": male, None: mean_sex}[sex]
    factor = chosen / mean_sex if mean_sex > 0 else 0.0
    if rule.pregnancy == "only":
        bearing = sex != "male" and band in (None, "teen", "adult", "middle")
        pregnancy = 25.0 if pregnant else (0.0 if pregnant is False or not bearing else 1.0)
    elif rule.pregnancy == "never":
        pregnancy = 0.0 if pregnant else 1.0
    else:
        pregnancy = float(rule.pregnancy) if pregnant else 1.0
    return rule.per_10000 * age * factor * pregnancy


@pytest.fixture(scope="module")
def network(real: ClinicalKnowledge) -> Network:
    return Network(real)


def test_every_probability_is_the_rules(network: Network, real: ClinicalKnowledge) -> None:
    parent = network.parent
    for row, entry in enumerate(real.conditions.values()):
        values = slowly(network, entry)
        plain = np.array([values[column] for column in range(len(parent))])
        plain = np.clip(plain, FLOOR, 1 - FLOOR)
        assert np.abs(network.given[row] - plain).max() <= EXACT, entry.id
        step = np.where(parent >= 0, plain / np.maximum(plain[parent], plain), plain)
        step = np.clip(step, FLOOR, 1 - FLOOR)
        assert np.abs(network.step[row] - step).max() <= EXACT, entry.id


def test_every_prior_is_the_rules(real: ClinicalKnowledge) -> None:
    entries = tuple(real.conditions.values())
    compiled = Prevalences(entries)
    bands: tuple[Band | None, ...] = (None, *BANDS)
    for who in product(bands, (None, "female", "male"), (None, True, False)):
        plain = np.array([prevalence(entry, *who) for entry in entries])
        assert np.allclose(compiled.of(*who), plain, rtol=EXACT, atol=0), who


def test_nobody_has_what_excludes_everybody() -> None:
    """Weights of zero throughout exclude, and divide by nothing."""
    never = condition("never", {"pain": 0.5, "rash": 0.5, "cough": 0.5}, prevalence={
        "ages": dict.fromkeys(BANDS, 0), "sex": {"female": 0, "male": 0}})  # fmt: skip
    compiled = Prevalences([never])
    assert compiled.of("adult", "male", False).tolist() == [0.0]
    assert compiled.of("adult", None, None).tolist() == [0.0]


def test_imported_conditions_change_nothing_of_the_written_ones() -> None:
    findings = [finding(key, base=0.05) for key in ("pain", "rash", "cough", "fever")]
    written = [
        condition("one", {"pain": 0.9, "rash": 0.5, "cough": 0.2}),
        condition("two", {"rash": 0.9, "cough": 0.5, "fever": 0.2}),
    ]
    alone = knowledge(findings, written)
    more = condition(
        "three", {"cough": 0.5, "fever": 0.4}, tier="imported", icd10=None, per_10000=3
    )
    both = replace(alone, conditions=alone.conditions | {more.id: more})
    first, second = Network(alone), Network(both)
    assert np.array_equal(second.given[:2], first.given)
    assert second.written.tolist() == [True, True, False]
    assert both.written == alone.conditions
    assert both.release != alone.release
