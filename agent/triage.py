"""How urgent and where to: red-flag rules, and the danger of what is still possible.

Pure functions. Rules outrank everything. Without a rule the level follows from the probability
mass of the conditions at least that urgent, not from the favourite alone: a small chance of a
deadly cause is enough. The thresholds express how many needless escalations one missed
emergency is worth; they are compared on labelled cases in docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from agent.departments import departments, own
from agent.state import Finding, Patient, RedFlag, Triage
from knowledge.clinical import ClinicalKnowledge, statements
from knowledge.clinical.schema import LEVELS, Level, Rule, Sex, When, Who, more_urgent
from knowledge.clinical.statements import present_closure

WITHIN: dict[Level, str] = {
    "emergency_ambulance": "PT0S",
    "emergency": "PT1H",
    "within_24h": "P1D",
    "routine": "P14D",
    "self_care": "P0D",
}
"""The time frame of a level. `self_care` asks for no appointment and has none."""

MASS: dict[Level, float] = {
    "emergency_ambulance": 0.15,
    "emergency": 0.20,
    "within_24h": 0.35,
    "routine": 0.40,
}
"""Probability mass of conditions at least as urgent from which a level is chosen."""

WORTH_SAYING = 0.05
"""Probability below which a condition is no reason that is given."""

EMERGENCIES: tuple[Level, ...] = ("emergency_ambulance", "emergency")
"""The levels that send a patient to an emergency department now."""

_ADULT = 18.0


def applies(
    who: Who | None, age_years: float | None, sex: Sex | None, pregnant: bool | None
) -> bool:
    """Whether an entry is about such a patient. What is not known does not exclude, except that
    an unknown age is taken for an adult's and an unknown pregnancy for none."""
    if who is None:
        return True
    age = _ADULT if age_years is None else age_years
    if who.min_age is not None and age < who.min_age and age_years is not None:
        return False
    if who.min_age is not None and age_years is None and who.min_age > 60:
        return False
    if who.max_age is not None and age >= who.max_age:
        return False
    if who.sex is not None and sex is not None and sex != who.sex:
        return False
    return who.pregnant is None or who.pregnant == bool(pregnant)


def holds(
    when: When,
    present: Set[str],
    age_years: float | None = None,
    sex: Sex | None = None,
    pregnant: bool | None = None,
) -> bool:
    """Whether a statement holds for a patient. `present` is closed upwards."""
    return statements.holds(
        when,
        present,
        lambda who: applies(who, age_years, sex, pregnant or "pregnant" in present),
    )


def fire(
    knowledge: ClinicalKnowledge, findings: Mapping[str, Finding], patient: Patient
) -> list[RedFlag]:
    """The red flags that the collected findings set off, most urgent first."""
    present = present_closure(
        (key for key, finding in findings.items() if finding.status == "present"), knowledge
    )
    pregnant = bool(patient.pregnant) or "pregnant" in present
    flags = [
        RedFlag(
            rule=rule.id,
            level=rule.level,
            department=rule.department,
            because=tuple(
                finding.quote or finding.label or key
                for key, finding in findings.items()
                if finding.status == "present"
                and _touches(rule, {key} | set(knowledge.ancestors.get(key, ())))
            ),
            crisis=rule.crisis,
        )
        for rule in knowledge.rules.values()
        if rule.when is not None
        and applies(rule.who, patient.age_years, patient.sex, pregnant)
        and holds(rule.when, present, patient.age_years, patient.sex, pregnant)
    ]
    return sorted(flags, key=lambda flag: LEVELS.index(flag.level))


def _touches(rule: Rule, keys: Set[str]) -> bool:
    def inside(when: When) -> bool:
        return any(
            inside(part) if isinstance(part, When) else part in keys
            for part in (*when.all, *when.any)
        )

    return rule.when is not None and inside(rule.when)


def level_of(
    condition: str, knowledge: ClinicalKnowledge, present: Set[str], patient: Patient
) -> tuple[Level, str | None]:
    """A condition's urgency in this patient, and the id of what raised it (its first reason in
    both languages joined by a newline), if anything did."""
    entry = knowledge.conditions[condition]
    level, reason = entry.urgency, None
    for raised in entry.raises:
        if holds(
            raised.when, present, patient.age_years, patient.sex, patient.pregnant
        ) and LEVELS.index(raised.to) < LEVELS.index(level):
            level, reason = raised.to, f"{raised.because.en}\n{raised.because.zh}"
    return level, reason


def level_from_mass(levels: Sequence[Level], probabilities: Iterable[float]) -> Level:
    """The level whose conditions together are probable enough. Both arguments run over the same
    conditions."""
    masses = dict.fromkeys(LEVELS, 0.0)
    for level, probability in zip(levels, probabilities, strict=True):
        masses[level] += float(probability)
    mass = 0.0
    for level in LEVELS[:-1]:
        mass += masses[level]
        if mass >= MASS[level]:
            return level
    return "self_care"


def decide(
    knowledge: ClinicalKnowledge,
    findings: Mapping[str, Finding],
    patient: Patient,
    probabilities: Mapping[str, float],
    flags: Iterable[RedFlag],
    language: str,
) -> Triage:
    """Urgency, time frame and department with reasons in words.

    `probabilities` maps conditions to their posterior; conditions far below one in a hundred may
    be left out.
    """
    present = present_closure(
        (key for key, finding in findings.items() if finding.status == "present"), knowledge
    )
    english = language == "en"
    raised = {key: level_of(key, knowledge, present, patient) for key in probabilities}
    levels = {key: value[0] for key, value in raised.items()}
    level: Level = (
        level_from_mass(tuple(levels.values()), probabilities.values())
        if probabilities
        else "routine"
    )
    flags = sorted(flags, key=lambda flag: LEVELS.index(flag.level))
    top = flags[0] if flags and more_urgent(flags[0].level, level) == flags[0].level else None
    if top is not None:
        level = top.level
    reasons = [
        knowledge.rules[flag.rule].because.en if english else knowledge.rules[flag.rule].because.zh
        for flag in flags
        if flag.rule in knowledge.rules
    ][:3]
    ranked = sorted(probabilities, key=lambda key: -probabilities[key])
    driving = [key for key in ranked if LEVELS.index(levels[key]) <= LEVELS.index(level)]
    for key in [key for key in driving if probabilities[key] >= WORTH_SAYING][:3]:
        name = knowledge.conditions[key].name
        chance = _chance(probabilities[key], english)
        reasons.append(
            f"{name.en} is {chance} on what is known so far"
            if english
            else f"就目前所知，{name.zh}的可能性{chance}"
        )
        reason = raised[key][1]
        if reason:
            reasons.append(reason.split("\n")[0 if english else 1])
    urgent = level in EMERGENCIES
    department = (
        top.department
        if top is not None
        else departments(knowledge, probabilities, patient, emergency=urgent)[0][0]
    )
    if urgent:
        now = own("emergency", knowledge)
        department = now if now in knowledge.departments else department
    entry = knowledge.departments.get(department)
    name_ = "" if entry is None else (entry.name.en if english else entry.name.zh)
    return Triage(
        level=level,
        within=WITHIN[level],
        department=department,
        department_name=name_,
        reasons=tuple(reasons),
    )


def _chance(probability: float, english: bool) -> str:
    for bound, en, zh in (
        (0.6, "likely", "较大"),
        (0.25, "quite possible", "存在"),
        (0.0, "possible", "不能排除"),
    ):
        if probability >= bound:
            return en if english else zh
    raise AssertionError(probability)
