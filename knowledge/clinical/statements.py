"""Statements of red flags and raised urgencies: what they name, and whether they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set

from knowledge.clinical.load import ClinicalKnowledge
from knowledge.clinical.schema import When, Who


def statement_findings(when: When) -> Iterator[str]:
    """Every finding that a statement names, `none` included."""
    for part in (*when.all, *when.any, *when.none):
        if isinstance(part, When):
            yield from statement_findings(part)
        else:
            yield part


def present_closure(findings: Iterable[str], knowledge: ClinicalKnowledge) -> set[str]:
    """The findings and everything that they are kinds of."""
    closed: set[str] = set()
    for key in findings:
        if key in knowledge.findings:
            closed.add(key)
            closed |= knowledge.ancestors[key]
    return closed


def holds(
    when: When,
    present: Set[str],
    about: Callable[[Who], bool],
    possible: Set[str] | None = None,
) -> bool:
    """Whether a statement holds.

    `present` is closed upwards (see `present_closure`); `about` says whether an entry is about
    this patient. Where not everything is known, `possible` is what may be present besides: then
    the statement must hold whether it is or not.
    """
    # Run for every rule in every turn: plain loops, and nothing is built on the way.
    if when.who is not None and not about(when.who):
        return False
    if possible is None:
        possible = present
    for value in when.all:
        if isinstance(value, str):
            if value not in present:
                return False
        elif not holds(value, present, about, possible):
            return False
    for value in when.none:
        if isinstance(value, str):
            if value in possible:
                return False
        elif holds(value, possible, about, present):
            return False
    if not when.any:
        return True
    lacking = when.at_least
    for value in when.any:
        if value in present if isinstance(value, str) else holds(value, present, about, possible):
            lacking -= 1
            if lacking == 0:
                return True
    return False
