"""Checks the clinical knowledge: references and form here, what is said of conditions in `wince`,
words in `phrasing`. Every fault says where it is."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from knowledge.clinical import phrasing, wince
from knowledge.clinical.load import DATA, Origin, Read, read_folder
from knowledge.clinical.source import Fault
from knowledge.clinical.statements import statement_findings


def check(outcome: Read) -> list[Fault]:
    """Every fault of a folder that was read, in the order of files and lines."""
    faults = list(outcome.faults)
    form = (_references, _hierarchy, _findings, _conditions)
    for part in (*form, *wince.CHECKS, *phrasing.CHECKS):
        faults.extend(part(outcome))
    return sorted(set(faults))


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
        for parent in base.ancestors[key]:
            above = base.findings[parent]
            if finding.base_rate > above.base_rate + 1e-9:
                message = (
                    f"base rate {finding.base_rate} is above that of '{parent}' "
                    f"({above.base_rate}), of which it is a kind"
                )
                origin = outcome.origins[("findings", key)]
                yield origin.fault(message, "base_rate", entry=key)


def _conditions(outcome: Read) -> Iterator[Fault]:
    base = outcome.knowledge
    for key, condition in base.conditions.items():
        origin = outcome.origins[("conditions", key)]
        if condition.tier != "written":
            yield origin.fault("what stands in these files is written", "tier", entry=key)
        if condition.icd10 is None:
            yield origin.fault("icd10: Field required", entry=key)
        for part, risk in (("findings", False), ("risks", True)):
            for name in getattr(condition, part):
                finding = base.findings.get(name)
                if finding is not None and (finding.kind == "risk") is not risk:
                    other = "findings" if risk else "risks"
                    message = f"'{name}' is of kind {finding.kind}; move it to `{other}`"
                    yield origin.fault(message, part, name, entry=key)


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
