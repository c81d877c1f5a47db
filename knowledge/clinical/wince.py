"""What a clinician would wince at in conditions and their findings: frequencies, people, urgency
and advice that cannot be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Set
from functools import partial
from typing import get_args

from knowledge.clinical.load import ClinicalKnowledge, Origin, Read
from knowledge.clinical.schema import (
    BANDS,
    LEVELS,
    Band,
    Condition,
    Finding,
    Prevalence,
    Sex,
    When,
    Who,
    days,
    more_urgent,
)
from knowledge.clinical.source import Fault
from knowledge.clinical.statements import holds, present_closure

_EPSILON = 1e-9
_LIKELY = 0.5
"""A finding at this frequency or above belongs to the usual patient with the condition."""
_FACE = 0.4
"""One finding at least is this frequent, or a condition could not be recognised."""
_NEARLY_ALL = 0.8
_OFTEN = 5.0
"""A relative risk from which on many of those with the condition have the risk."""
_HARDLY = 0.02
"""Ages with less than this share of the heaviest band's weight count as free of the condition."""
_PREGNANT = 10.0
"""Factor of pregnancy from which on nearly all with the condition are pregnant."""
_CARRIERS = 0.1
"""Weight of a sex that may have what is otherwise the other sex's condition."""
_ENOUGH = 4
"""So many look-alikes say enough: influenza cannot name every fever there is."""
_EARLY: frozenset[Band] = frozenset({"newborn", "infant", "toddler"})
_ADULT_LIFE = re.compile(r"^smok|tobacco|alcohol|driv|menopaus|sexual|erectile|libido|occupation")
"""Of whom only grown-ups can be asked, where a finding does not say so itself (`who`)."""
_DOSE = re.compile(
    r"(?<![a-z])mg(?![a-z])|milligram|microgram|毫克|微克|片/次|tablets every|"
    r"\d\s*(mcg|µg|ug|iu|units?|tablets?|capsules?|pills?|drops)\b|"
    r"(吃|服|含|用|每次|每日|每天)\s*[\d一二两三四半]+\s*(片|粒|丸|颗|单位|喷|毫升)",
    re.IGNORECASE,
)


def _conditions(outcome: Read) -> Iterator[tuple[str, Condition, Origin]]:
    for key, condition in outcome.knowledge.conditions.items():
        yield key, condition, outcome.origins[("conditions", key)]


def frequencies(outcome: Read) -> Iterator[Fault]:
    """Conditions whose findings contradict each other or leave the condition without a face."""
    base = outcome.knowledge
    for key, condition, origin in _conditions(outcome):
        for name in condition.cardinal:
            if condition.findings.get(name, 1.0) < 0.2:
                message = f"cardinal finding '{name}' is rarer than 0.2 in its own condition"
                yield origin.fault(message, "findings", name, entry=key)
        named = [condition.findings[n] for n in condition.cardinal if n in condition.findings]
        if named and 1 - math.prod(1 - frequency for frequency in named) < _LIKELY:
            message = "most of its patients would have none of its cardinal findings"
            yield origin.fault(message, "cardinal", entry=key)
        if (most := max(condition.findings.values())) < _FACE:
            message = f"its most common finding is rarer than {_FACE} ({most})"
            yield origin.fault(message, "findings", entry=key)
        for name, frequency in condition.findings.items():
            for parent in sorted(base.ancestors.get(name, ())):
                above = condition.findings.get(parent)
                if above is not None and frequency > above + _EPSILON:
                    message = (
                        f"'{name}' ({frequency}) is more frequent than '{parent}' ({above}), "
                        "of which it is a kind"
                    )
                    yield origin.fault(message, "findings", name, entry=key)


def named_findings(outcome: Read) -> Iterator[Fault]:
    """Conditions that are called after a finding which they do not list."""
    base = outcome.knowledge
    names = {
        finding.name.zh.strip(): key
        for key, finding in base.findings.items()
        if len(finding.name.zh.strip()) > 1 and finding.kind != "risk"
    }
    for key, condition, origin in _conditions(outcome):
        listed = condition.findings.keys() | condition.risks.keys()
        for title in re.split(r"[（）、/]|伴|与|和", condition.name.zh):
            found = names.get(title)
            if found is None:
                continue
            kin = {found} | base.ancestors[found] | base.descendants[found]
            if not kin & listed:
                message = f"it is called after '{found}', which is not among its findings"
                yield origin.fault(message, "findings", entry=key)


# --- people ----------------------------------------------------------------------------------


def people(outcome: Read) -> Iterator[Fault]:
    """Findings and risks of people who do not have the condition; prevalences that cannot be."""
    base = outcome.knowledge
    for key, condition, origin in _conditions(outcome):
        present = _ages(condition)
        for place, message in _prevalence(condition, present):
            yield origin.fault(message, "prevalence", place, entry=key)
        for message in _one_sex(condition, base):
            yield origin.fault(message, "prevalence", "sex", entry=key)
        for part in ("findings", "risks"):
            for name, value in getattr(condition, part).items():
                finding = base.findings.get(name)
                if finding is None:
                    continue
                often = part == "findings" and value >= _NEARLY_ALL
                for message in _misfits(name, finding, condition, present, often):
                    yield origin.fault(message, part, name, entry=key)


def _ages(condition: Condition) -> Set[Band]:
    """The age bands in which the condition is found."""
    weights = {band: condition.prevalence.ages.get(band, 1.0) for band in BANDS}
    least = _HARDLY * max(weights.values())
    return {band for band, weight in weights.items() if weight > 0 and weight >= least}


def _prevalence(condition: Condition, present: Set[Band]) -> Iterator[tuple[str, str]]:
    prevalence = condition.prevalence
    if all(prevalence.sex.get(sex, 1.0) == 0 for sex in ("female", "male")):
        yield "sex", "the weights exclude both sexes"
    if not present:
        yield "ages", "the weights exclude every age"
    if prevalence.pregnancy == "only":
        if prevalence.sex.get("male", 1.0) > 0:
            yield "pregnancy", "only in pregnancy, but men have it: give `sex: {male: 0}`"
        if outside := sorted((_EARLY | {"older"}) & present):
            yield "ages", f"only in pregnancy, but the ages include {', '.join(outside)}"


def _one_sex(condition: Condition, base: ClinicalKnowledge) -> Iterator[str]:
    """A finding that nearly everyone has, or all cardinal ones, of a sex that is not alone."""

    def sex_of(name: str) -> Sex | None:
        finding = base.findings.get(name)
        return finding.who.sex if finding and finding.who else None

    weights = condition.prevalence.sex
    usual = {sex_of(n) for n, share in condition.findings.items() if share >= _NEARLY_ALL}
    cardinal = {sex_of(name) for name in condition.cardinal}
    others: tuple[tuple[Sex, Sex], ...] = (("female", "male"), ("male", "female"))
    for sex, other in others:
        theirs = sex in usual or cardinal == {sex}
        if theirs and weights.get(sex, 1.0) > 0 and weights.get(other, 1.0) > _CARRIERS:
            yield f"its findings are those of one sex ({sex}): weigh `sex`"


def _misfits(
    name: str, finding: Finding, condition: Condition, present: Set[Band], often: bool
) -> Iterator[str]:
    who, prevalence = finding.who, condition.prevalence
    if who is not None:
        low, high = who.min_age or 0.0, who.max_age or 130.0
        if present and not any(BANDS[band][0] < high and low < BANDS[band][1] for band in present):
            yield f"'{name}' is asked at an age at which nobody has the condition"
        if who.sex and prevalence.sex.get(who.sex, 1.0) == 0:
            yield f"'{name}' is a finding of the other sex"
        if who.pregnant and prevalence.pregnancy == "never":
            yield f"'{name}' is a finding of pregnancy, which the condition excludes"
        elif who.pregnant and often and not _mostly_in_pregnancy(prevalence):
            yield f"nearly everyone has '{name}', a finding of pregnancy: weigh `pregnancy`"
    if present and present <= _EARLY and _ADULT_LIFE.search(name):
        yield f"'{name}' belongs to grown-ups, and the condition to the first years of life"


def _mostly_in_pregnancy(prevalence: Prevalence) -> bool:
    weight = prevalence.pregnancy
    return weight == "only" or (weight != "never" and weight >= _PREGNANT)


# --- urgency ---------------------------------------------------------------------------------


def urgency(outcome: Read) -> Iterator[Fault]:
    """Conditions less urgent than a red flag that most of their patients set off, and urgencies
    that hardly anyone keeps. Refused where one cardinal finding sets the red flag off: then the
    two say opposite things of one patient. Else it is the author's to judge."""
    base = outcome.knowledge
    for key, condition, origin in _conditions(outcome):
        patient = _Patient(condition, base)
        level = condition.urgency
        for index, raised in enumerate(condition.raises):
            if patient.fulfils(raised.when, _LIKELY):
                level = more_urgent(level, raised.to)
            if LEVELS.index(raised.to) >= LEVELS.index(condition.urgency):
                message = f"raises to {raised.to}, which is not above {condition.urgency}"
                yield origin.fault(message, "raises", index, entry=key)
            elif patient.fulfils(raised.when, _NEARLY_ALL):
                message = (
                    f"nearly all of its patients are raised to {raised.to}: is it the urgency?"
                )
                yield origin.fault(message, "raises", index, entry=key, warning=True)
        for rule in base.rules.values():
            if rule.when is None or LEVELS.index(rule.level) >= LEVELS.index(level):
                continue
            if rule.who is not None and not patient.always(rule.who):
                continue
            if patient.fulfils(rule.when, _LIKELY):
                alone = next(filter(partial(patient.alone, rule.when), condition.cardinal), None)
                what = f"its cardinal finding '{alone}' sets" if alone else "its usual findings set"
                message = (
                    f"urgency {level} is below red flag '{rule.id}' ({rule.level}), "
                    f"which {what} off"
                )
                yield origin.fault(message, "urgency", entry=key, warning=alone is None)


class _Patient:
    """Someone with a condition, of whom no more is known."""

    def __init__(self, condition: Condition, base: ClinicalKnowledge) -> None:
        self.condition = condition
        self.base = base
        self.ages = _ages(condition)
        self.maybe = {name for name, risk in condition.risks.items() if risk >= _OFTEN}

    def fulfils(self, when: When, share: float) -> bool:
        """Whether a statement holds for one with all findings that are at least so frequent. What
        must not be present may well be where the condition is much more frequent with it."""
        return self._with(when, (n for n, s in self.condition.findings.items() if s >= share))

    def alone(self, when: When, name: str) -> bool:
        """Whether one finding, if it is a usual one, makes a statement hold."""
        return self.condition.findings.get(name, 0.0) >= _LIKELY and self._with(when, [name])

    def always(self, who: Who) -> bool:
        """Whether everyone with the condition is among those that `who` describes."""
        prevalence = self.condition.prevalence
        sexes = {sex for sex in get_args(Sex) if prevalence.sex.get(sex, 1.0) > 0}
        if who.sex and sexes != {who.sex}:
            return False
        if who.pregnant is not None and (prevalence.pregnancy == "only") is not who.pregnant:
            return False
        low, high = who.min_age or 0.0, who.max_age or 130.0
        return all(low <= BANDS[band][0] and BANDS[band][1] <= high for band in self.ages)

    def _with(self, when: When, findings: Iterable[str]) -> bool:
        present = present_closure(findings, self.base)
        return holds(when, present, self.always, present | self.maybe)


# --- look-alikes, times, advice --------------------------------------------------------------


def lookalikes(outcome: Read) -> Iterator[Fault]:
    """Look-alikes that are the condition itself, given twice or not known; a dangerous condition
    that warns of a harmless one which does not warn of it."""
    base = outcome.knowledge
    named = {
        key: [alike.condition for alike in condition.lookalikes]
        for key, condition in base.conditions.items()
    }
    for key, condition, origin in _conditions(outcome):
        dangerous = condition.urgency == "emergency_ambulance"
        for index, other in enumerate(named[key]):
            message, warning = None, False
            if other == key:
                message = "it is its own look-alike"
            elif other in named[key][:index]:
                message = f"look-alike '{other}' is given twice"
            elif other not in base.conditions:
                message, warning = f"unknown condition '{other}'", True
            elif (
                dangerous
                and base.conditions[other].urgency == "self_care"
                and key not in named[other]
                and len(named[other]) < _ENOUGH
            ):
                message = f"look-alike '{other}' does not name this more urgent condition in turn"
                warning = True
            if message:
                yield origin.fault(message, "lookalikes", index, entry=key, warning=warning)


def times(outcome: Read) -> Iterator[Fault]:
    """Times whose shorter bound is the longer one."""
    for key, condition, origin in _conditions(outcome):
        low, high = condition.onset.typical_min, condition.onset.typical_max
        if low and high and days(low) > days(high):
            message = f"typical_min {low} is longer than typical_max {high}"
            yield origin.fault(message, "onset", entry=key)
    for key, finding in outcome.knowledge.findings.items():
        quality = finding.qualifies
        low, high = (quality.min_duration, quality.max_duration) if quality else (None, None)
        if low and high and days(low) > days(high):
            origin = outcome.origins[("findings", key)]
            message = f"min_duration {low} is longer than max_duration {high}"
            yield origin.fault(message, "qualifies", entry=key)


def advice(outcome: Read) -> Iterator[Fault]:
    """Advice that names a dose, and urgent conditions that do not say when to call for help."""
    for key, condition, origin in _conditions(outcome):
        for part in ("now", "avoid", "return_if", "ambulance_if"):
            for index, sentence in enumerate(getattr(condition.advice, part)):
                if _DOSE.search(sentence.en) or _DOSE.search(sentence.zh):
                    message = "advice must not carry a dose"
                    yield origin.fault(message, "advice", part, index, entry=key)
        if condition.urgency in LEVELS[:3] and not condition.advice.ambulance_if:
            message = "no `ambulance_if`: say when to call an ambulance"
            yield origin.fault(message, "advice", entry=key, warning=True)
    for key, rule in outcome.knowledge.rules.items():
        for index, sentence in enumerate(rule.advice):
            if _DOSE.search(sentence.en) or _DOSE.search(sentence.zh):
                origin = outcome.origins[("rules", key)]
                yield origin.fault("advice must not carry a dose", "advice", index, entry=key)


CHECKS = (frequencies, named_findings, people, urgency, lookalikes, times, advice)
