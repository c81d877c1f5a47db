"""Puts the pieces of a pattern together: which hits stand near enough and belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from typing import Literal

from agent.language.normalise import tokens
from agent.language.time import QUANTITY_ZH

Kind = Literal["finding", "rule", "condition", "word", "block"]
Span = tuple[int, int]

# Left out of English phrases, and stepped over in a message.
POSSESSIVES = frozenset(("my", "his", "her", "our", "your", "their", "its"))
ARTICLES = POSSESSIVES | {"a", "an", "the"}
# Stepped over in a message, but required where a phrase has them.
FILLERS = ARTICLES | frozenset(
    [
        "this",
        "that",
        "these",
        "those",
        "some",
        "any",
        "really",
        "very",
        "so",
        "quite",
        "just",
        "also",
        "bit",
        "little",
        "pretty",
        "rather",
        "extremely",
        "terribly",
        "somewhat",
        "be",
        "still",
        "always",
        "constantly",
        "all",
        "kind",
        "sort",
        "such",
        "too",
        "i'm",
        "it's",
        "feel",
        "i",
        "she",
        "he",
        "me",
        "him",
        "lot",
        "more",
        "much",
        "sudden",
        "suddenly",
        "definitely",
        "actually",
        "basically",
    ]
)
FILLERS_ZH = re.compile(
    rf"(?:{QUANTITY_ZH})(?:了|的|多|半)?|有一点儿?|有点儿?|有些|一点儿?|一直|总是|老是|总觉得|"
    rf"觉得|感觉|特别|"
    r"非常|比较|稍微|这个|那个|里面|里边|一下|开始|不停地?|不断地?|时不时|偶尔|突然|一阵阵|"
    r"一阵一阵|"
    r"严重|厉害|经常|常常|反复|什么|怎么|真的|老感觉|每天|天天|今天|昨天|最近|地方|部位|位置|"
    r"这里|那里|"
    r"之后|以后|的时候|时候|起来|十分|极其|最近|现在|已经|"
    r"[了着得的地很太挺好真也都还又就老总会要是这那超贼巨,、有儿 ]"
)
_CONNECTED = re.compile(
    r"^(?:[\s,、/&+]|\band\b|\bor\b|\bmy\b|\bthe\b|\bplus\b|\bboth\b|\bas well as\b|\balso\b"
    r"|和|跟|及|以及|与|还有|或者?|连着|并|也)*$"
)
_CONTRAST = re.compile(
    r"\bbut\b|\bhowever\b|\bexcept\b|\balthough\b|\bbecause\b|但|不过|除了|可是|然而"
)
STRONG = re.compile(r"[。！？!?；;\n]|\.(?!\d)")
# How far the pieces of a pattern may be apart, and over a comma. A rule names its dangerous
# combination in full, so that its pieces may be told in a longer breath.
_REACH = {"rule": (14, 12)}
_USUAL_REACH = (8, 4)


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern found in the normal form: whose it is and which stretches it covers."""

    kind: Kind
    id: str
    spans: tuple[Span, ...]

    @property
    def start(self) -> int:
        return self.spans[0][0]

    @property
    def end(self) -> int:
        return max(end for _, end in self.spans)

    def covers(self, other: Match) -> bool:
        """Whether this one covers all of the other's stretches, and more."""
        inside = all(any(s <= a and b <= e for s, e in self.spans) for a, b in other.spans)
        return inside and self.weight > other.weight

    @property
    def weight(self) -> int:
        """How many characters are covered."""
        return sum(end - start for start, end in self.spans)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of the knowledge: whose it is, and its pieces by number."""

    kind: Kind
    id: str
    pieces: tuple[int, ...]


def joined(
    pattern: Pattern,
    anchor: int,
    by_piece: dict[int, list[Span]],
    text: str,
    places: list[Span],
) -> Iterable[Match]:
    """The matches of a pattern of several pieces, at most one for each hit of its anchor."""
    others = [piece for piece in pattern.pieces if piece != anchor]
    reach = _REACH.get(pattern.kind, _USUAL_REACH)
    for hit in by_piece[anchor]:
        near = [
            sorted(
                (span for span in by_piece[piece] if span[1] <= hit[0] or span[0] >= hit[1]),
                key=lambda span: max(span[0] - hit[1], hit[0] - span[1]),
            )[:4]
            for piece in others
        ]
        best: tuple[Span, ...] | None = None
        for choice in product(*near):
            spans = tuple(sorted((hit, *choice)))
            if best is not None and _extent(spans) >= _extent(best):
                continue
            if (
                _apart(spans)
                and _near(spans, text, reach)
                and (pattern.kind == "rule" or _belongs(spans, text, places))
            ):
                best = spans
        if best is not None:
            yield Match(pattern.kind, pattern.id, best)


_BARE_DENIALS = frozenset(
    ("no", "not", "never", "can't", "cant", "cannot", "won't", "没", "没有", "不", "无")
)


_LAST = re.compile(r"\s*[了过]?\s*(?:[,.;。!?]|$)")  # nothing follows in the clause


def _extent(spans: tuple[Span, ...]) -> tuple[int, int]:
    return spans[-1][1] - spans[0][0], -sum(end - start for start, end in spans)


def _apart(spans: tuple[Span, ...]) -> bool:
    return all(a[1] <= b[0] for a, b in pairwise(spans))


def _near(spans: tuple[Span, ...], text: str, reach: tuple[int, int]) -> bool:
    for before, after in pairwise(spans):
        between = text[before[1] : after[0]]
        if between and _distance(between) > reach["," in between]:
            return False
        # A bare "no" or 没 denies what follows it in its own clause: the "no" of "kicks a lot, no
        # bleeding" is that of the bleeding.
        if "," in between and (
            text[before[0] : before[1]] in _BARE_DENIALS
            or (text[after[0] : after[1]] in _BARE_DENIALS and not _LAST.match(text, after[1]))
        ):
            return False
    return True


@lru_cache(maxsize=4096)
def _distance(between: str) -> int:
    """How far two pieces are apart: a Chinese character counts 1, an English word 2."""
    if STRONG.search(between) or _CONTRAST.search(between):
        return 99
    rest = FILLERS_ZH.sub("", between)
    words = [word for word in tokens(rest) if word.word not in FILLERS]
    return 2 * len(words) + sum(not char.isascii() for char in rest)


def _belongs(spans: tuple[Span, ...], text: str, places: list[Span]) -> bool:
    """Whether the place in a match is the one that the rest of it speaks of.

    In "my stomach is fine, my head hurts" the pain is the head's; in "stomach and head hurt" it
    is both's.
    """
    mine = [span for span in spans if any(s <= span[0] and span[1] <= e for s, e in places)]
    if not mine:
        return True
    rest = [span for span in spans if span not in mine]
    for place in mine:
        for sensation in rest:
            gap = _gap(place, sensation)
            for rival in places:
                if any(rival[0] < e and s < rival[1] for s, e in spans):
                    continue
                if _gap(rival, sensation) < gap and not _linked(rival, place, text, places):
                    between = min(place[1], sensation[1]) <= rival[0] < max(place[0], sensation[0])
                    if between or _gap(rival, sensation) == 0:
                        return False
    return True


def _gap(first: Span, second: Span) -> int:
    return max(second[0] - first[1], first[0] - second[1], 0)


def _linked(first: Span, second: Span, text: str, places: list[Span]) -> bool:
    """Whether two places are joined in a list, other places between them included."""
    low, high = sorted((first, second))
    rest = text[low[1] : high[0]]
    for start, end in places:
        if low[1] <= start and end <= high[0]:
            rest = rest.replace(text[start:end], "")
    return _CONNECTED.match(rest) is not None


def outermost(spans: list[Span]) -> list[Span]:
    """The spans that lie in no longer one."""
    unique = sorted(set(spans), key=lambda span: (span[0], -span[1]))
    kept: list[Span] = []
    for span in unique:
        if not kept or span[1] > kept[-1][1]:
            kept.append(span)
    return kept
