"""How bad, how it began, how it goes, where, of what kind, when: attached to what they describe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.language.clauses import Clause, Sentence
from agent.language.joining import Match
from agent.language.time import Duration, durations
from knowledge.clinical.schema import Word

QualityKind = Literal["severity", "onset", "course", "place", "character", "circumstance"]
KINDS: tuple[QualityKind, ...] = (
    "severity",
    "onset",
    "course",
    "place",
    "character",
    "circumstance",
)

_SCALE = re.compile(
    r"(?<![\d/.])(10|\d)(?:\.\d)?\s*(?:/|out of|over)\s*(?:10|ten)(?![\d/])|(?:疼痛|痛感|评分|"
    r"打)\D{0,3}(10|\d)分"
)
_UNDENIED = re.compile(
    r"(?:\bnot\b|\bisn't\b|\bno\b|n't|不是?|没有?|不太|不怎么)\s*(?:too |that |very |really |"
    r"很|太|特别|那么)?$"
)


@dataclass(frozen=True, slots=True)
class Quality:
    """A quality of something, or how long it has lasted (`kind` "duration")."""

    kind: QualityKind | Literal["duration"]
    value: str
    start: int
    end: int


def qualities(text: str, words: Sequence[Match], table: dict[str, Word]) -> list[Quality]:
    """Every quality and duration of a message, in order."""
    found: list[Quality] = []
    for match in words:
        kind = table[match.id].kind
        if kind in ("sensation", "other"):
            continue
        before = text[max(0, match.start - 12) : match.start]
        if match.id == "severe" and _UNDENIED.search(before):
            found.append(Quality("severity", "mild", match.start, match.end))
            continue
        found.append(Quality(kind, match.id, match.start, match.end))  # type: ignore[arg-type]
    for scale in _SCALE.finditer(text):
        score = int(scale[1] or scale[2])
        word = "severe" if score >= 7 else "moderate" if score >= 4 else "mild"
        if word in table:
            found.append(Quality("severity", word, scale.start(), scale.end()))
    found.extend(_duration(duration) for duration in durations(text))
    return sorted(found, key=lambda q: (q.start, q.end, q.value))


def _duration(duration: Duration) -> Quality:
    return Quality("duration", duration.iso, duration.start, duration.end)


def owners(
    quality: Quality,
    anchors: Sequence[tuple[int, int, Clause]],
    sentences: Sequence[Sentence],
) -> list[int]:
    """Which mentions a quality describes, as indices of `anchors` (start, end, clause).

    Those of its own clause if there are any: all of them for a duration, the nearest for the
    rest; else those of the nearest clause before it in the sentence, then after it; else, for a
    sentence that speaks of no finding, those of the sentence before.
    """
    sentence = next((s for s in sentences if s.start <= quality.start < s.end), None)
    if sentence is None:
        return []
    in_sentence = [i for i, a in enumerate(anchors) if sentence.start <= a[0] < sentence.end]
    if in_sentence:
        clause = next(
            (c for c in sentence.clauses if c.start <= quality.start < c.end), sentence.clauses[0]
        )
        group = [
            i for i in in_sentence if anchors[i][0] < clause.end and anchors[i][1] > clause.start
        ]
        if not group:
            before = [i for i in in_sentence if anchors[i][1] <= clause.start]
            after = [i for i in in_sentence if anchors[i][0] >= clause.end]
            if quality.kind == "duration" and not before:
                return after
            if before:
                nearest = max(anchors[i][2].start for i in before)
                group = [i for i in before if anchors[i][2].start == nearest]
            else:
                nearest = min(anchors[i][2].start for i in after)
                group = [i for i in after if anchors[i][2].start == nearest]
        if quality.kind in ("duration", "onset") and _spread(quality, group, anchors):
            return group
        return [min(group, key=lambda i: _distance(quality, anchors[i]))]
    index = sentences.index(sentence)
    if index == 0:
        return []
    previous = sentences[index - 1]
    return [i for i, a in enumerate(anchors) if previous.start <= a[0] < previous.end]


def _spread(
    quality: Quality, group: Sequence[int], anchors: Sequence[tuple[int, int, Clause]]
) -> bool:
    """A duration that stands before or after all mentions of a clause is about all of them."""
    return all(anchors[i][0] >= quality.end for i in group) or all(
        anchors[i][1] <= quality.start for i in group
    )


def _distance(quality: Quality, anchor: tuple[int, int, Clause]) -> tuple[int, int]:
    gap = max(anchor[0] - quality.end, quality.start - anchor[1], 0)
    return gap, anchor[0]
