"""Clinical sense: what is well-formed and would still make a clinician wince."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from knowledge.clinical.load import Origin, Read
from knowledge.clinical.schema import BANDS, LEVELS, Condition, Finding, Sex, Text, When
from knowledge.clinical.source import Fault

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_APART = re.compile(r"[\s\-‐-―·•'’]+")
_CHILDHOOD = ("newborn", "infant", "toddler")
_ADULT = 16.0
"""Age from which a finding is one of grown-up people."""


def sense(outcome: Read) -> Iterator[Fault]:
    """Every such fault of a folder."""
    for part in (_names, _frequencies, _ages, _sexes, _rules, _translations, _lookalikes):
        yield from part(outcome)


def _key(name: str) -> str:
    return _APART.sub("", unicodedata.normalize("NFKC", name)).casefold()


def _written(outcome: Read) -> Iterator[tuple[str, Condition]]:
    for key, entry in outcome.knowledge.conditions.items():
        if ("conditions", key) in outcome.origins:
            yield key, entry


def _names(outcome: Read) -> Iterator[Fault]:
    """A name that two conditions share: an assessment could not tell which is meant."""
    owner: dict[str, str] = {}
    for key, entry in _written(outcome):
        origin = outcome.origins[("conditions", key)]
        own = (entry.name.en, entry.name.zh, *entry.synonyms.en, *entry.synonyms.zh)
        for name in dict.fromkeys(own):
            first = owner.setdefault(_key(name), key)
            if first != key:
                message = f"'{name}' already names the condition '{first}'"
                yield origin.fault(message, "synonyms", entry=key)


def _frequencies(outcome: Read) -> Iterator[Fault]:
    """A kind of finding more frequent than the finding, in one condition."""
    base = outcome.knowledge
    for key, entry in _written(outcome):
        origin = outcome.origins[("conditions", key)]
        for name, share in entry.findings.items():
            for above in base.ancestors.get(name, ()):
                if share > entry.findings.get(above, 1.0) + 1e-9:
                    message = (
                        f"'{name}' ({share}) is a kind of '{above}' "
                        f"({entry.findings[above]}) and cannot be more frequent"
                    )
                    yield origin.fault(message, "findings", name, entry=key)


def _youngest(finding: Finding) -> float:
    return finding.who.min_age or 0.0 if finding.who else 0.0


def _oldest(finding: Finding) -> float:
    return finding.who.max_age if finding.who and finding.who.max_age is not None else 130.0


def _ages(outcome: Read) -> Iterator[Fault]:
    """Grown-up people's findings in a small child's disease, and the other way round."""
    base = outcome.knowledge
    for key, entry in _written(outcome):
        origin = outcome.origins[("conditions", key)]
        weights = {band: entry.prevalence.ages.get(band, 1.0) for band in BANDS}
        possible = [band for band, weight in weights.items() if weight > 0]
        if not possible:
            yield origin.fault("no age can have it", "prevalence", "ages", entry=key)
            continue
        young = all(band in _CHILDHOOD for band in possible)
        for name in (*entry.findings, *entry.risks):
            finding = base.findings.get(name)
            if finding is None:
                continue
            if young and _youngest(finding) >= _ADULT:
                message = f"'{name}' is a finding of grown-up people, in a small child's condition"
                yield origin.fault(message, "findings", name, entry=key)
            if min(BANDS[band][0] for band in possible) >= _oldest(finding):
                message = f"'{name}' is found in younger people than have this condition"
                yield origin.fault(message, "findings", name, entry=key)


def _sexes(outcome: Read) -> Iterator[Fault]:
    """A cardinal finding that only one sex has, in a condition of both."""
    base = outcome.knowledge
    for key, entry in _written(outcome):
        finds = [base.findings[name] for name in entry.cardinal if name in base.findings]
        sexes = {finding.who.sex if finding.who else None for finding in finds}
        if len(sexes) == 1 and (only := sexes.pop()) is not None:
            other: Sex = "male" if only == "female" else "female"
            if entry.prevalence.sex.get(other, 1.0) > 0.1:  # a carrier now and then is true
                origin = outcome.origins[("conditions", key)]
                message = f"its cardinal findings are of one sex; give {other} the weight 0"
                yield origin.fault(message, "prevalence", entry=key)


def _rules(outcome: Read) -> Iterator[Fault]:
    """A condition less urgent than a red flag that most of its patients set off."""
    base = outcome.knowledge
    for key, entry in _written(outcome):
        usual = {name for name, share in entry.findings.items() if share >= 0.5}
        closed = usual.union(*(base.ancestors.get(name, frozenset()) for name in usual))
        for rule in base.rules.values():
            if rule.when is None or rule.who is not None or _who(rule.when):
                continue
            if LEVELS.index(entry.urgency) > LEVELS.index(rule.level) and _met(rule.when, closed):
                origin = outcome.origins[("conditions", key)]
                message = (
                    f"urgency {entry.urgency} is below red flag '{rule.id}' ({rule.level}), "
                    "which what most of its patients have sets off"
                )
                yield origin.fault(message, "urgency", entry=key, warning=True)


def _who(when: When) -> bool:
    parts = (*when.all, *when.any, *when.none)
    return when.who is not None or any(_who(part) for part in parts if isinstance(part, When))


def _met(when: When, present: set[str] | frozenset[str]) -> bool:
    def one(part: str | When) -> bool:
        return _met(part, present) if isinstance(part, When) else part in present

    return (
        all(one(part) for part in when.all)
        and not any(one(part) for part in when.none)
        and (not when.any or sum(one(part) for part in when.any) >= when.at_least)
    )


def _translations(outcome: Read) -> Iterator[Fault]:
    """A text that is not in its language."""
    base = outcome.knowledge
    for kind in ("findings", "conditions", "rules"):
        for key, entry in getattr(base, kind).items():
            origin = outcome.origins.get((kind, key))
            if origin is None:
                continue
            for field in type(entry).model_fields:
                value = getattr(entry, field)
                if isinstance(value, Text):
                    yield from _translation(value, origin, field, key)


def _translation(text: Text, origin: Origin, field: str, key: str) -> Iterator[Fault]:
    if _CHINESE.search(text.en):
        yield origin.fault("the English text holds Chinese", field, entry=key)
    if not _CHINESE.search(text.zh) and not text.zh.isascii():
        yield origin.fault("the Chinese text holds no Chinese", field, entry=key)
    if len(text.en) > 12 and text.en == text.zh:
        yield origin.fault("both languages have the same text", field, entry=key)


def _lookalikes(outcome: Read) -> Iterator[Fault]:
    """A condition that is its own look-alike."""
    for key, entry in _written(outcome):
        for index, alike in enumerate(entry.lookalikes):
            if alike.condition == key:
                origin = outcome.origins[("conditions", key)]
                yield origin.fault("it is its own look-alike", "lookalikes", index, entry=key)
