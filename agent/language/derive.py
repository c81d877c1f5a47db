"""Findings that follow from others: from numbers and from qualities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.language.numbers import Measurement
from agent.language.reading import Mention, Profile, Status
from knowledge.clinical.load import ClinicalKnowledge
from knowledge.clinical.schema import Measured, Qualifies, Who, days

_ADULT = 40.0
_CHILD = 5.0


def measured(
    number: Measurement, knowledge: ClinicalKnowledge, profile: Profile | None
) -> Iterable[tuple[str, Status]]:
    """Findings that a number makes present, and those that it rules out.

    A normal value rules out the findings of its quantity; only the most general of a chain is
    reported (36.6 degrees: no fever, and so no high fever either).
    """
    present: set[str] = set()
    absent: set[str] = set()
    for key, finding in knowledge.findings.items():
        bounds = [
            m for m in finding.measured if m.quantity == number.quantity and _suits(m.who, profile)
        ]
        if not bounds:
            continue
        (present if any(_within(m, number.value) for m in bounds) else absent).add(key)
    for key in sorted(present):
        yield key, "present"
    for key in sorted(absent if not present else ()):
        if not knowledge.ancestors[key] & absent:
            yield key, "absent"


def _within(bound: Measured, value: float) -> bool:
    return (bound.min is None or value >= bound.min) and (bound.max is None or value < bound.max)


def _suits(who: Who | None, profile: Profile | None) -> bool:
    """Whether a bound may apply. An unknown age is an adult's, an unknown pregnancy none."""
    if who is None:
        return True
    profile = profile or Profile()
    if who.sex is not None and profile.sex != who.sex:
        return False
    if who.pregnant is not None and bool(profile.pregnant) != who.pregnant:
        return False
    age = profile.age_years
    if age is None:
        age = _CHILD if profile.who == "child" else _ADULT
    return (who.min_age is None or age >= who.min_age) and (
        who.max_age is None or age < who.max_age
    )


def derive(mentions: Sequence[Mention], knowledge: ClinicalKnowledge) -> list[Mention]:
    """The mentions and those that follow from their qualities, until nothing new follows."""
    children: dict[str, list[tuple[str, Qualifies]]] = {}
    for key, finding in knowledge.findings.items():
        if finding.qualifies:
            children.setdefault(finding.qualifies.of, []).append((key, finding.qualifies))
    found = list(mentions)
    seen = {(mention.finding, mention.start) for mention in mentions}
    queue = [mention for mention in mentions if mention.status != "absent"]
    while queue:
        mention = queue.pop(0)
        for above in (mention.finding, *sorted(knowledge.ancestors.get(mention.finding, ()))):
            for key, quality in children.get(above, ()):
                if (key, mention.start) not in seen and _holds(quality, mention):
                    seen.add((key, mention.start))
                    derived = replace(mention, finding=key, by="derived")
                    found.append(derived)
                    queue.append(derived)
    return found


def _holds(quality: Qualifies, mention: Mention) -> bool:
    single = (
        (quality.place, mention.place),
        (quality.onset, mention.onset),
        (quality.severity, mention.severity),
        (quality.course, mention.course),
    )
    if any(wanted and value not in wanted for wanted, value in single):
        return False
    several = (
        (quality.character, mention.characters),
        (quality.circumstance, mention.circumstances),
    )
    if any(wanted and not set(wanted) & set(values) for wanted, values in several):
        return False
    if quality.min_duration or quality.max_duration:
        if mention.duration is None:
            return False
        length = days(mention.duration)
        if quality.min_duration and length < days(quality.min_duration) - 0.01:
            return False
        if quality.max_duration and length > days(quality.max_duration) + 0.01:
            return False
    return True


def drop_ancestors(mentions: Sequence[Mention], knowledge: ClinicalKnowledge) -> list[Mention]:
    """Without findings that a more special one says as well; it takes over what they know."""
    kept: list[Mention] = []
    for mention in mentions:
        below = knowledge.descendants.get(mention.finding, frozenset())
        if mention.status != "absent" and any(
            other.finding in below and other.status == mention.status for other in mentions
        ):
            continue
        kept.append(mention)
    return [_informed(mention, mentions, knowledge) for mention in kept]


def _informed(
    mention: Mention, mentions: Sequence[Mention], knowledge: ClinicalKnowledge
) -> Mention:
    above = knowledge.ancestors.get(mention.finding, frozenset())
    for other in mentions:
        if other.finding in above and other.status == mention.status:
            mention = replace(
                mention,
                duration=mention.duration or other.duration,
                severity=mention.severity or other.severity,
                onset=mention.onset or other.onset,
                course=mention.course or other.course,
                value=mention.value if mention.value is not None else other.value,
                unit=mention.unit or other.unit,
            )
    return mention
