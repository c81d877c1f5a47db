"""Long messages in portions, and what several readings or mentions come to together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.language.derive import drop_ancestors
from agent.language.joining import Match
from agent.language.lexicon import Lexicon
from agent.language.normalise import Language
from agent.language.reading import Intent, Mention, Profile, Reading

# Longer messages are read in portions, so that the time grows with the length and no faster.
_PORTION = 800
_BREAK = re.compile(r"[。！？!?\n；;]|\.(?=\s)")


def portions(text: str) -> Iterable[tuple[int, int]]:
    """Bounds of portions that end with a sentence where one ends in time."""
    start = 0
    while len(text) - start > _PORTION:
        ends = [m.end() for m in _BREAK.finditer(text, start + _PORTION // 2, start + _PORTION)]
        end = ends[-1] if ends else start + _PORTION
        yield start, end
        start = end
    yield start, len(text)


def united(parts: Sequence[tuple[int, Reading]], language: Language, lexicon: Lexicon) -> Reading:
    """One reading of the readings of portions that begin at the given places."""
    mentions = [
        replace(m, start=m.start + at, end=m.end + at) for at, part in parts for m in part.mentions
    ]
    rules = {
        hit.rule: replace(hit, start=hit.start + at, end=hit.end + at)
        for at, part in reversed(parts)
        for hit in part.rules
    }
    conditions = [
        replace(hit, start=hit.start + at, end=hit.end + at)
        for at, part in parts
        for hit in part.conditions
    ]
    profile = Profile()
    wanted: frozenset[Intent] = frozenset()
    numbers: list[tuple[str, float]] = []
    for _, part in parts:
        profile = profile.updated(part.profile)
        wanted |= part.intents
        numbers.extend(part.measurements.items())
    if mentions or rules:
        wanted -= {"off_topic"}
    return Reading(
        language=language,
        text="".join(part.text for _, part in parts),
        mentions=tuple(drop_ancestors(merged(mentions), lexicon.knowledge)),
        profile=profile,
        intents=wanted,
        measurements=values(numbers),
        unread=tuple(clause for _, part in parts for clause in part.unread),
        rules=tuple(sorted(rules.values(), key=lambda hit: hit.start)),
        conditions=tuple(conditions),
    )


def longest(matches: Sequence[Match]) -> list[Match]:
    """Without the matches that a longer one covers."""
    kept: dict[int, list[Match]] = {}
    found: list[Match] = []
    for match in sorted(matches, key=lambda m: (-m.weight, m.spans, m.id)):
        first = match.start
        if not any(other.covers(match) for other in kept.get(first, ())):
            found.append(match)
            for start, end in match.spans:
                for position in range(start, end):
                    kept.setdefault(position, []).append(match)
    return sorted(found, key=lambda m: (m.spans, m.id))


def merged(mentions: Sequence[Mention]) -> list[Mention]:
    """One mention a finding: the last present one wins over unsure over absent, and takes what
    the others know."""
    rank = {"present": 2, "unsure": 1, "absent": 0}
    best: dict[str, Mention] = {}
    for mention in mentions:
        old = best.get(mention.finding)
        if old is None:
            best[mention.finding] = mention
            continue
        first, second = (
            (mention, old) if rank[mention.status] > rank[old.status] else (old, mention)
        )
        if first.status == second.status:
            first = replace(
                first,
                duration=first.duration or second.duration,
                severity=first.severity or second.severity,
                onset=first.onset or second.onset,
                course=first.course or second.course,
                place=first.place or second.place,
                characters=tuple(dict.fromkeys((*first.characters, *second.characters))),
                circumstances=tuple(dict.fromkeys((*first.circumstances, *second.circumstances))),
                value=first.value if first.value is not None else second.value,
                unit=first.unit or second.unit,
            )
        best[mention.finding] = first
    return sorted(best.values(), key=lambda m: (m.start, m.end, m.finding))


def values(numbers: Iterable[tuple[str, float]]) -> dict[str, float]:
    """One value a quantity: the highest, but the lowest oxygen saturation."""
    values: dict[str, float] = {}
    for quantity, value in numbers:
        pick = min if quantity == "oxygen_saturation" else max
        values[quantity] = pick(values.get(quantity, value), value)
    return values
