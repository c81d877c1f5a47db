"""Properties of the posterior, on knowledge made up by hypothesis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.diagnosis import TEMPER, Evidence, Network, evidence_of, seconds
from agent.state import Patient
from tests.agent.knowledge import condition, finding, knowledge, told

# `core` is cardinal to every condition and always present, so that what is tested is the
# likelihood and not the factor on conditions without a cardinal finding.
TREE = {
    "core": (),
    "pain": (),
    "pain_left": ("pain",),
    "pain_right": ("pain",),
    "pain_left_sharp": ("pain_left",),
    "rash": (),
    "cough": (),
}
CONDITIONS = ("one", "two", "three", "four")
NAMED = sorted(TREE.keys() - {"core"})
frequencies = st.floats(0.01, 0.97)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A network over the tree with frequencies and priors of any size."""
    conditions = []
    for name in CONDITIONS:
        own = draw(st.lists(st.sampled_from(NAMED), min_size=2, max_size=6, unique=True))
        shares = {"core": 0.9} | {key: draw(frequencies) for key in own}
        prior = draw(st.floats(1, 500))
        conditions.append(condition(name, shares, cardinal=["core"], per_10000=prior))
    # The deeper in the tree the rarer, as the checker of the knowledge demands.
    rates = draw(st.lists(st.floats(0.002, 0.3), min_size=len(TREE), max_size=len(TREE)))
    base: dict[str, float] = {}
    for (key, above), rate in zip(TREE.items(), rates, strict=True):
        base[key] = min([rate, *(base[parent] for parent in above)])
    findings = [finding(key, is_a=above, base=base[key]) for key, above in TREE.items()]
    return Network(knowledge(findings, conditions))


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    """Some findings present, some denied, none both; `core` always present."""
    status = draw(
        st.fixed_dictionaries({key: st.sampled_from(["yes", "no", "unknown"]) for key in NAMED})
    )
    return Evidence(
        present=frozenset({"core"} | {key for key, said in status.items() if said == "yes"}),
        absent=frozenset(key for key, said in status.items() if said == "no"),
        duration=draw(st.none() | st.floats(60, 1e9)),
    )


def ask(present: set[str], absent: set[str] | None = None) -> Evidence:
    return Evidence(frozenset({"core"} | present), frozenset(absent or ()))


ANYONE = Patient()


@given(networks(), evidence())
def test_a_posterior_is_a_distribution(network: Network, known: Evidence) -> None:
    posterior = network.posterior(known, ANYONE)
    assert posterior.shape == (len(CONDITIONS),)
    assert posterior.sum() == pytest.approx(1)
    assert (posterior >= 0).all()


@given(networks(), st.sampled_from(["pain", "rash", "cough"]))
def test_a_finding_helps_the_condition_it_is_most_frequent_in(network: Network, key: str) -> None:
    column = network.column[key]
    best = int(np.argmax(network.given[:, column]))
    before = network.posterior(ask(set()), ANYONE)
    assert network.posterior(ask({key}), ANYONE)[best] >= before[best] - 1e-12
    assert network.posterior(ask(set(), {key}), ANYONE)[best] <= before[best] + 1e-12


@given(networks(), evidence())
def test_a_kind_says_what_it_is_a_kind_of(network: Network, known: Evidence) -> None:
    above = {a for key in known.present for a in network.knowledge.ancestors[key]}
    said = Evidence(known.present | above, known.absent - above, known.duration)
    unsaid = Evidence(known.present, known.absent - above, known.duration)
    assert np.allclose(network.posterior(unsaid, ANYONE), network.posterior(said, ANYONE))


@given(networks())
def test_what_is_denied_needs_no_denial_of_its_kinds(network: Network) -> None:
    denied = network.posterior(ask(set(), {"pain"}), ANYONE)
    kinds = {"pain_left", "pain_right", "pain_left_sharp"}
    assert np.allclose(denied, network.posterior(ask(set(), {"pain", *kinds}), ANYONE))
    assert np.allclose(denied, network.posterior(ask(set(), {"pain", "pain_left"}), ANYONE))


@given(networks())
def test_two_kinds_of_a_pain_count_the_pain_once(network: Network) -> None:
    known = ask({"pain_left", "pain_right"})
    once = [network.column[key] for key in ("core", "pain", "pain_left", "pain_right")]
    likelihood = np.log(network.step[:, once]).sum(axis=1)
    prior = np.log(network.prior(ANYONE))
    assert np.allclose(network.log_joint(known, ANYONE), prior + network.temper(known) * likelihood)


def test_one_finding_counts_in_full_and_many_count_more() -> None:
    network = of_patients(anyone={})
    chances = [network.temper(ask(keys)) for keys in (set(), {"pain"}, {"pain", "rash"})]
    assert chances[0] == 1.0 < chances[1] < chances[2] < TEMPER


@given(networks())
def test_a_kind_is_never_more_frequent_than_what_it_is_a_kind_of(network: Network) -> None:
    for key, above in TREE.items():
        for parent in above:
            child = network.given[:, network.column[key]]
            assert (child <= network.given[:, network.column[parent]] + 1e-12).all()


def test_a_named_kind_lifts_what_lies_between_it_and_a_rarer_named_one() -> None:
    chain = {"core": (), "pain": ("core",), "pain_left": ("pain",)}
    tree = chain | {"rash": ()}
    findings = [finding(key, is_a=above, base=0.25) for key, above in tree.items()]
    ill = condition("ill", {"core": 0.125, "pain_left": 0.25, "rash": 0.5})
    network = Network(knowledge(findings, [ill]))
    core, pain, left = (float(network.given[0, network.column[key]]) for key in chain)
    assert core >= pain >= left == 0.25


@given(networks(), evidence(), st.randoms())
def test_the_order_of_the_evidence_does_not_matter(
    network: Network, known: Evidence, random: object
) -> None:
    again = Evidence(
        frozenset(sorted(known.present, reverse=True)),
        frozenset(sorted(known.absent, reverse=True)),
        known.duration,
    )
    assert np.allclose(network.posterior(known, ANYONE), network.posterior(again, ANYONE))


def test_unsure_says_nothing() -> None:
    known = told(core="present", rash="absent")
    network = Network(
        knowledge(
            [finding(key) for key in ("core", "rash", "cough", "pain")],
            [
                condition(name, {"core": 0.9, "rash": share, "cough": 0.2})
                for name, share in (("one", 0.2), ("two", 0.6))
            ],
        )
    )
    unsure = evidence_of(known | told(cough="unsure"), "P2D")
    plain = evidence_of(known, "P2D")
    assert np.array_equal(network.posterior(unsure, ANYONE), network.posterior(plain, ANYONE))
    assert evidence_of(known, "P2D").duration == 2 * 86_400


@pytest.mark.parametrize(
    ("iso", "expected"),
    [
        ("PT30M", 1800),
        ("PT2H", 7200),
        ("P1D", 86_400),
        ("P2W", 14 * 86_400),
        ("P1M", 30.44 * 86_400),
        ("P1DT12H", 1.5 * 86_400),
        ("P2Y", 2 * 365.25 * 86_400),
        ("P0.5D", 43_200),
    ],
)
def test_durations_in_seconds(iso: str, expected: float) -> None:
    assert seconds(iso) == pytest.approx(expected)


# --- who the patient is ------------------------------------------------------------------------

SHARES = {"core": 0.9, "pain": 0.5, "rash": 0.5}


def of_patients(**prevalences: dict[str, object]) -> Network:
    """A network of conditions that differ in nothing but whom they strike."""
    conditions = [
        condition(name, SHARES, cardinal=["core"], prevalence=rule)
        for name, rule in prevalences.items()
    ]
    return Network(knowledge([finding(key) for key in SHARES], conditions))


def test_sex_age_and_pregnancy_exclude() -> None:
    network = of_patients(
        anyone={},
        men={"sex": {"female": 0}},
        grown={"ages": {"newborn": 0, "infant": 0, "toddler": 0, "child": 0}},
        expecting={"pregnancy": "only"},
        never_expecting={"pregnancy": "never"},
    )

    def possible(patient: Patient) -> set[str]:
        posterior = network.posterior(ask({"pain"}), patient)
        return {name for name, p in zip(network.conditions, posterior, strict=True) if p > 0}

    everything = {"anyone", "men", "grown", "expecting", "never_expecting"}
    assert possible(Patient()) == everything
    assert possible(Patient(sex="female")) == everything - {"men"}
    assert possible(Patient(sex="male")) == everything - {"expecting"}
    assert possible(Patient(age_years=3)) == {"anyone", "men", "never_expecting"}
    assert possible(Patient(age_years=80)) == everything - {"expecting"}
    woman = Patient(age_years=30, sex="female", pregnant=True)
    assert possible(woman) == {"anyone", "grown", "expecting"}
    assert "expecting" not in possible(Patient(age_years=30, sex="female", pregnant=False))


def test_an_unknown_patient_is_the_mean_of_those_who_come() -> None:
    network = of_patients(anyone={}, women={"sex": {"female": 3, "male": 1}})
    women = network.row["women"]
    her, him, unknown = (
        network.posterior(ask(set()), Patient(sex=sex))[women] for sex in ("female", "male", None)
    )
    assert him < unknown < her


def test_a_course_out_of_the_usual_counts_against_the_more_the_further() -> None:
    short = condition("short", SHARES, cardinal=["core"], onset={"speed": "acute"})
    long = condition("long", SHARES, cardinal=["core"], onset={"speed": "chronic"})
    network = Network(knowledge([finding(key) for key in SHARES], [short, long]))

    def chance(days: float) -> float:
        known = Evidence(frozenset({"core"}), frozenset(), days * 86_400)
        return float(network.posterior(known, ANYONE)[network.row["short"]])

    assert chance(2) > 0.5 > chance(400)
    assert chance(15) >= chance(60) >= chance(400) > 0.01
    inside = network.log_joint(Evidence(frozenset({"core"}), frozenset(), 86_400.0), ANYONE)
    unsaid = network.log_joint(ask(set()), ANYONE)
    assert inside[network.row["short"]] == pytest.approx(unsaid[network.row["short"]])


def test_cardinal_findings_unnamed_and_denied_make_less_probable() -> None:
    chest = condition("chest", {"cough": 0.9, "pain": 0.4, "rash": 0.1}, cardinal=["cough"])
    skin = condition("skin", {"rash": 0.9, "pain": 0.4, "cough": 0.1}, cardinal=["rash"])
    network = Network(knowledge([finding(key) for key in ("cough", "pain", "rash")], [chest, skin]))
    row = network.row["chest"]

    def chance(present: set[str], absent: set[str]) -> float:
        known = Evidence(frozenset(present), frozenset(absent))
        return float(network.posterior(known, ANYONE)[row])

    assert chance({"pain"}, set()) == pytest.approx(0.5)
    assert chance({"pain"}, {"cough"}) < 0.05
    assert chance({"cough"}, set()) > 0.9


@given(networks(), evidence())
def test_a_differential_is_ordered_and_speaks_of_what_was_told(
    network: Network, known: Evidence
) -> None:
    posterior = network.posterior(known, ANYONE)
    found = network.differential(known, posterior, "en")
    chances = [item.probability for item in found]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) <= 1.001
    said = {network.label(key, "en", known) for key in known.present | known.absent}
    for item in found:
        assert {*item.supporting, *item.against} <= said
        assert not set(item.supporting) & set(item.against)


def test_among_named_candidates_the_commoner_leads_where_findings_leave_them_equal() -> None:
    conditions = [
        condition("rare", {"core": 0.9, "rash": 0.6, "pain": 0.3}, cardinal=["core"], per_10000=2),
        condition(
            "common", {"core": 0.9, "cough": 0.6, "pain": 0.3}, cardinal=["core"], per_10000=400
        ),
    ]
    network = Network(
        knowledge([finding(key) for key in ("core", "rash", "cough", "pain")], conditions)
    )
    core, rash = Evidence(frozenset({"core"}), frozenset()), frozenset({"core", "rash"})
    rare, common = network.posterior(core, ANYONE, equal=True)
    assert 0.4 < rare < common
    rare, common = network.posterior(Evidence(rash, frozenset()), ANYONE, equal=True)
    assert rare > common


@given(networks(), evidence())
def test_candidates_bound_the_differential(network: Network, known: Evidence) -> None:
    posterior = network.posterior(known, ANYONE)
    found = network.differential(known, posterior, "zh", candidates=["two", "four", "unknown"])
    assert {item.condition for item in found} <= {"two", "four"}
    if len(found) == 2:
        assert sum(item.probability for item in found) == pytest.approx(1, abs=0.001)
