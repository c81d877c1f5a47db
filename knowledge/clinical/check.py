"""Finds what a clinician would wince at, and says where."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from knowledge.clinical.load import DATA, Origin, Read, read_folder
from knowledge.clinical.schema import (
    LEVELS,
    Condition,
    Finding,
    Phrases,
    Rule,
    When,
)
from knowledge.clinical.sense import sense
from knowledge.clinical.source import Fault

Check = Callable[[Read], Iterator[Fault]]

_LEADING_EN = ("don't you", "isn't it", "surely", "you do not", "you don't")
_LEADING_ZH = ("难道", "肯定", "不会吧")
_DOSE = ("mg ", " mg", "毫克", "milligram", " tablets every", "片/次", "每次")


def check(outcome: Read) -> list[Fault]:
    """Every fault of a folder that was read, in the order of files and lines."""
    faults = list(outcome.faults)
    for part in (
        _references,
        _hierarchy,
        _findings,
        _conditions,
        _rules,
        _synonyms,
        _phrases,
    ):
        faults.extend(part(outcome))
    faults.extend(sense(outcome))
    return sorted(set(faults))


def statement_findings(when: When) -> Iterator[str]:
    """Every finding that a statement names, `none` included."""
    for part in (*when.all, *when.any, *when.none):
        if isinstance(part, When):
            yield from statement_findings(part)
        else:
            yield part


def _entries(outcome: Read, kind: str) -> Iterator[tuple[str, Condition | Finding | Rule, Origin]]:
    for key, entry in getattr(outcome.knowledge, kind).items():
        yield key, entry, outcome.origins[(kind, key)]


def _missing(
    origin: Origin, key: str, known: Iterable[str], names: Iterable[str], what: str, *path: str
) -> Iterator[Fault]:
    table = set(known)
    for name in names:
        if name not in table:
            yield origin.fault(f"unknown {what} '{name}'", *path, entry=key)


def _references(outcome: Read) -> Iterator[Fault]:
    base = outcome.knowledge
    departments = base.departments
    for key, finding in base.findings.items():
        origin = outcome.origins[("findings", key)]
        yield from _missing(origin, key, base.findings, finding.is_a, "finding", "is_a")
        if finding.qualifies:
            quality = finding.qualifies
            yield from _missing(
                origin, key, base.findings, [quality.of], "finding", "qualifies", "of"
            )
            for kind in ("place", "character", "onset", "severity", "course", "circumstance"):
                for name in getattr(quality, kind):
                    word = base.words.get(name)
                    if word is None or word.kind != kind:
                        message = f"'{name}' is no word of kind {kind} in the vocabulary"
                        yield origin.fault(message, "qualifies", kind, entry=key)
    for key, condition in base.conditions.items():
        origin = outcome.origins[("conditions", key)]
        yield from _missing(
            origin, key, departments, condition.departments, "department", "departments"
        )
        for name in condition.findings:
            yield from _missing(origin, key, base.findings, [name], "finding", "findings", name)
        for name in condition.risks:
            yield from _missing(origin, key, base.findings, [name], "finding", "risks", name)
        yield from _missing(
            origin, key, condition.findings, condition.cardinal, "finding of its own", "cardinal"
        )
        for index, raised in enumerate(condition.raises):
            for name in statement_findings(raised.when):
                if name not in base.findings:
                    yield origin.fault(f"unknown finding '{name}'", "raises", index, entry=key)
        for index, alike in enumerate(condition.lookalikes):
            if alike.condition not in base.conditions:
                message = f"unknown condition '{alike.condition}'"
                yield origin.fault(message, "lookalikes", index, entry=key, warning=True)
    for key, rule in base.rules.items():
        origin = outcome.origins[("rules", key)]
        yield from _missing(origin, key, departments, [rule.department], "department", "department")
        if rule.when:
            yield from _missing(
                origin, key, base.findings, statement_findings(rule.when), "finding", "when"
            )


def _hierarchy(outcome: Read) -> Iterator[Fault]:
    base = outcome.knowledge
    for key, finding in base.findings.items():
        parents = [*finding.is_a, *([finding.qualifies.of] if finding.qualifies else [])]
        seen: set[str] = set()
        frontier = [parent for parent in parents if parent in base.findings]
        while frontier:
            current = frontier.pop()
            if current == key:
                origin = outcome.origins[("findings", key)]
                yield origin.fault("the hierarchy has a cycle through this finding", entry=key)
                break
            if current in seen:
                continue
            seen.add(current)
            above = base.findings[current]
            frontier.extend(p for p in above.is_a if p in base.findings)
            if above.qualifies and above.qualifies.of in base.findings:
                frontier.append(above.qualifies.of)


def _findings(outcome: Read) -> Iterator[Fault]:
    base = outcome.knowledge
    for key, finding in base.findings.items():
        origin = outcome.origins[("findings", key)]
        derived = finding.measured or finding.qualifies or not finding.askable
        if not derived and not (finding.says.en and finding.says.zh):
            message = "no way to say it: give `says` in both languages"
            yield origin.fault(message, "says", entry=key)
        low_en = finding.ask.en.lower()
        if any(word in low_en for word in _LEADING_EN) or any(
            word in finding.ask.zh for word in _LEADING_ZH
        ):
            yield origin.fault("the question leads; ask openly", "ask", entry=key)
        if not finding.ask.en.rstrip().endswith("?"):
            yield origin.fault("the English question lacks its '?'", "ask", entry=key)
        if not finding.ask.zh.rstrip().endswith("？"):
            yield origin.fault("the Chinese question lacks its '？'", "ask", entry=key)
        for parent in base.ancestors[key]:
            above = base.findings[parent]
            if finding.base_rate > above.base_rate + 1e-9:
                message = (
                    f"base rate {finding.base_rate} is above that of '{parent}' "
                    f"({above.base_rate}), of which it is a kind"
                )
                yield origin.fault(message, "base_rate", entry=key)


def _conditions(outcome: Read) -> Iterator[Fault]:
    base = outcome.knowledge
    for key, condition in base.conditions.items():
        origin = outcome.origins[("conditions", key)]
        if condition.tier != "written":
            yield origin.fault("what stands in these files is written", "tier", entry=key)
        if condition.icd10 is None:
            yield origin.fault("icd10: Field required", entry=key)
        for name in condition.cardinal:
            if condition.findings.get(name, 1.0) < 0.2:
                message = f"cardinal finding '{name}' is rarer than 0.2 in its own condition"
                yield origin.fault(message, "findings", name, entry=key)
        for name in condition.findings:
            finding = base.findings.get(name)
            if finding is None:
                continue
            if finding.kind == "risk":
                message = f"'{name}' is a risk; move it to `risks`"
                yield origin.fault(message, "findings", name, entry=key)
            sexes = condition.prevalence.sex
            who = finding.who
            if who and who.sex and sexes.get(who.sex, 1.0) == 0:
                message = f"'{name}' is a finding of the other sex"
                yield origin.fault(message, "findings", name, entry=key)
        for name in condition.risks:
            finding = base.findings.get(name)
            if finding is not None and finding.kind != "risk":
                message = f"'{name}' is of kind {finding.kind}, not a risk; move it to `findings`"
                yield origin.fault(message, "risks", name, entry=key)
        for index, raised in enumerate(condition.raises):
            if LEVELS.index(raised.to) >= LEVELS.index(condition.urgency):
                message = f"raises to {raised.to}, which is not above {condition.urgency}"
                yield origin.fault(message, "raises", index, entry=key)
        advice = condition.advice
        for part in ("now", "avoid", "return_if", "ambulance_if"):
            for index, sentence in enumerate(getattr(advice, part)):
                low = sentence.en.lower()
                if any(word in low or word in sentence.zh for word in _DOSE):
                    message = "advice must not carry a dose"
                    yield origin.fault(message, "advice", part, index, entry=key)
        if condition.urgency in LEVELS[:3] and not advice.ambulance_if:
            message = "no `ambulance_if`: say when to call an ambulance"
            yield origin.fault(message, "advice", entry=key, warning=True)


def _rules(outcome: Read) -> Iterator[Fault]:
    base = outcome.knowledge
    for key, rule in base.rules.items():
        if rule.when is None or rule.who is not None or rule.when.who is not None:
            continue
        simple = not rule.when.all and rule.when.at_least == 1
        names = {part for part in rule.when.any if isinstance(part, str)} if simple else set()
        if len(rule.when.all) == 1 and not rule.when.any and isinstance(rule.when.all[0], str):
            names = {rule.when.all[0]}
        for other, condition in base.conditions.items():
            cardinal_always = [
                name
                for name in names
                if condition.findings.get(name, 0) >= 0.5 and name in condition.cardinal
            ]
            if cardinal_always and LEVELS.index(condition.urgency) > LEVELS.index(rule.level):
                origin = outcome.origins[("conditions", other)]
                message = (
                    f"urgency {condition.urgency} is below red flag '{key}' ({rule.level}), "
                    f"which its cardinal finding '{cardinal_always[0]}' sets off"
                )
                yield origin.fault(message, "urgency", entry=other)


def _synonyms(outcome: Read) -> Iterator[Fault]:
    base = outcome.knowledge
    for language in ("en", "zh"):
        owners: dict[str, str] = {}
        for key, finding in base.findings.items():
            for phrase in {getattr(finding.name, language), *getattr(finding.says, language)}:
                low = phrase.strip().lower()
                owner = owners.setdefault(low, key)
                if owner != key:
                    origin = outcome.origins[("findings", key)]
                    message = f"'{phrase}' already names '{owner}'"
                    yield origin.fault(message, "says", language, entry=key)


def _phrases(outcome: Read) -> Iterator[Fault]:
    base = outcome.knowledge

    def patterns(phrases: Phrases) -> Iterator[tuple[str, str]]:
        for language in ("en", "zh"):
            for phrase in getattr(phrases, language):
                yield language, phrase

    owned = [
        *((("findings", key), finding.says, "says") for key, finding in base.findings.items()),
        *((("rules", key), rule.words, "words") for key, rule in base.rules.items()),
    ]
    for place, phrases, part in owned:
        origin = outcome.origins[place]
        for language, phrase in patterns(phrases):
            for piece in phrase.split(" + "):
                for choice in piece.split("|"):
                    name = choice.strip()
                    if not name:
                        message = f"empty piece in '{phrase}'"
                        yield origin.fault(message, part, language, entry=place[1])
                    elif name.startswith("{"):
                        if not name.endswith("}") or name[1:-1] not in base.words:
                            message = f"unknown word list '{name}' in '{phrase}'"
                            yield origin.fault(message, part, language, entry=place[1])
                    elif "{" in name or "}" in name:
                        message = f"'{name}' mixes a word list with letters; join with ' + '"
                        yield origin.fault(message, part, language, entry=place[1])


def main(argv: list[str]) -> int:
    """Print every fault of a folder; 1 when there is one that refuses a release."""
    folder = Path(argv[0]) if argv else DATA
    outcome = read_folder(folder)
    faults = check(outcome)
    for fault in faults:
        print(fault)
    refused = sum(not fault.warning for fault in faults)
    base = outcome.knowledge
    print(
        f"{len(base.conditions)} conditions, {len(base.findings)} findings, "
        f"{len(base.rules)} red flags: {refused} fault(s), {len(faults) - refused} warning(s)"
    )
    return 1 if refused else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
