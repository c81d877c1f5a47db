"""The words of the clinical knowledge, compiled once, matched in one walk over a message.

Every literal phrase of every pattern stands in one of two tries: English by word stems, Chinese
by characters. A walk may step over filler words. A pattern of several pieces matches where all of
its pieces were hit near each other; see `docs/clinical-authoring.md` for the pattern language.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from agent.language.blocked import BLOCKED
from agent.language.homophones import Homophones
from agent.language.joining import (
    ARTICLES,
    FILLERS,
    FILLERS_ZH,
    POSSESSIVES,
    STRONG,
    Kind,
    Match,
    Pattern,
    Span,
    joined,
    outermost,
)
from agent.language.normalise import Token, has_chinese, plain, stem, tokens
from agent.language.spelling import Speller
from knowledge.clinical.load import ClinicalKnowledge

# Euphemisms after a body word mean its underside: 肚子下面.
# No phrase of several words reaches over these, but for an enumeration: hand, foot and mouth.
_ENDS = re.compile(rf"{STRONG.pattern}|[:()]|,(?!\s*[a-z]+ (?:and|or|&) )")
_BELOW = frozenset({"下面", "后面"})
# A place that begins with a side may be two words: 下来后心慌 speaks of no 后心.
_SIDES = frozenset("前后上下左右里外中内双两")


def _ends(text: str, start: int, end: int) -> bool:
    found = _ENDS.search(text, start, end + 30)
    return found is not None and found.start() < end


@dataclass(slots=True)
class Found:
    """All that the lexicon finds in one message."""

    matches: list[Match]
    words: list[Match]


class Lexicon:
    """Compiled patterns of a clinical knowledge. Immutable after `compile`; safe to share."""

    def __init__(self, knowledge: ClinicalKnowledge) -> None:
        self.knowledge = knowledge
        self._english: dict[str, Any] = {}
        self._chinese: dict[str, Any] = {}
        self._pieces: dict[tuple[str, ...], int] = {}
        self._of_literal: list[list[int]] = []  # literal -> pieces
        self._words_of: list[set[str]] = []  # literal -> vocabulary words
        self._literals: dict[tuple[str, ...], int] = {}
        self._patterns: list[Pattern] = []
        self._anchored: dict[int, list[Pattern]] = defaultdict(list)
        self._stems: set[str] = set()
        self._spelt: set[str] = set()
        self._hanzi: set[str] = set()
        self.speller = Speller(())
        self._homophones = Homophones(())

    @classmethod
    def compile(cls, knowledge: ClinicalKnowledge) -> Lexicon:
        """Compile every pattern, word list, rule and condition name of a knowledge."""
        lexicon = cls(knowledge)
        for word in knowledge.words.values():
            piece = lexicon._piece((f"{{{word.id}}}",))
            lexicon._patterns.append(Pattern("word", word.id, (piece,)))
        for finding in knowledge.findings.values():
            says = finding.says
            names = (_bare(finding.name.en), _bare(finding.name.zh))
            for phrase in {*says.en, *says.zh, *names}:
                lexicon._add("finding", finding.id, phrase)
        for rule in knowledge.rules.values():
            for phrase in (*rule.words.en, *rule.words.zh):
                lexicon._add("rule", rule.id, phrase)
        for condition in knowledge.written.values():
            called = condition.synonyms
            names = (_bare(condition.name.en), _bare(condition.name.zh))
            for phrase in {*called.en, *called.zh, *names}:
                lexicon._add("condition", condition.id, phrase)
        for phrase in BLOCKED:
            lexicon._add("block", "", phrase)
        lexicon._anchor()
        lexicon.speller = Speller(lexicon._spelt, _prose(knowledge))
        lexicon._homophones = Homophones(lexicon._hanzi)
        return lexicon

    # --- compiling ---------------------------------------------------------------------------

    def _add(self, kind: Kind, id: str, phrase: str) -> None:
        pieces = []
        for part in phrase.split(" + "):
            choices = tuple(sorted({choice.strip() for choice in part.split("|")} - {""}))
            if choices:
                pieces.append(self._piece(choices))
        if pieces:
            self._patterns.append(Pattern(kind, id, tuple(pieces)))

    def _piece(self, choices: tuple[str, ...]) -> int:
        if choices in self._pieces:
            return self._pieces[choices]
        piece = self._pieces[choices] = len(self._pieces)
        for choice in choices:
            if choice.startswith("{") and choice.endswith("}"):
                word = self.knowledge.words.get(choice[1:-1])
                if word is None:
                    continue
                for says in (*word.says.en, *word.says.zh):
                    for alternative in says.split("|"):
                        literal = self._literal(alternative.strip())
                        if literal is not None:
                            self._of_literal[literal].append(piece)
                            if len(choices) == 1:
                                self._words_of[literal].add(word.id)
            else:
                literal = self._literal(choice)
                if literal is not None:
                    self._of_literal[literal].append(piece)
        return piece

    def _literal(self, phrase: str) -> int | None:
        """The number of a literal phrase, put into its trie when it is new."""
        phrase = plain(phrase).strip()
        if has_chinese(phrase):
            key = tuple(char for char in phrase if not char.isspace())
            trie = self._chinese
            self._hanzi.add("".join(key))
        else:
            words = tokens(phrase)
            kept = [word for word in words if word.stem not in ARTICLES] or words
            if len(kept) == 1 and any(word.stem in POSSESSIVES for word in words):
                kept = words  # "my waters" is not any water
            key = tuple(word.stem for word in kept)
            trie = self._english
            for word in kept:
                self._stems.add(word.stem)
                if len(word.word) >= 6 and word.word.isalpha():
                    self._spelt.add(word.word)
        if not key:
            return None
        number = self._literals.get(key)
        if number is None:
            number = self._literals[key] = len(self._of_literal)
            self._of_literal.append([])
            self._words_of.append(set())
            node = trie
            for step in key:
                node = node.setdefault(step, {})
            node[""] = number
        return number

    def _anchor(self) -> None:
        """File each pattern under its rarest piece, so that few are tried on a message."""
        uses: dict[int, int] = defaultdict(int)
        for pattern in self._patterns:
            for piece in set(pattern.pieces):
                uses[piece] += 1
        for pattern in self._patterns:
            self._anchored[min(pattern.pieces, key=lambda piece: (uses[piece], piece))].append(
                pattern
            )

    # --- matching ----------------------------------------------------------------------------

    def find(self, text: str) -> Found:
        """Everything in a normal form: findings, rules and conditions, and vocabulary words."""
        hits = self._hits(text)
        by_piece: dict[int, list[Span]] = defaultdict(list)
        places: list[Span] = []
        place_words: dict[Span, set[str]] = {}
        words = self.knowledge.words
        for start, end, literal in hits:
            for piece in self._of_literal[literal]:
                by_piece[piece].append((start, end))
            named = {w for w in self._words_of[literal] if words[w].kind == "place"}
            if named - {"whole_body", "one_side", "skin", "muscle", "joint", "bone"}:
                places.append((start, end))
                place_words.setdefault((start, end), set()).update(named)
        places = outermost(places)
        matches: list[Match] = []
        found_words: list[Match] = []
        for piece in by_piece:
            for pattern in self._anchored.get(piece, ()):
                if pattern.kind == "block":
                    continue
                if len(pattern.pieces) == 1:
                    out = found_words if pattern.kind == "word" else matches
                    out.extend(Match(pattern.kind, pattern.id, (s,)) for s in by_piece[piece])
                elif all(other in by_piece for other in pattern.pieces):
                    matches.extend(joined(pattern, piece, by_piece, text, places))
        return Found(_unique(matches), _unique(found_words))

    def mend(self, text: str) -> str:
        """A normal form with Chinese characters of the right sound put right; as long as it was."""
        return self._homophones.mend(text)

    def knows(self, word_stem: str) -> bool:
        """Whether an English stem occurs anywhere in the patterns."""
        return word_stem in self._stems

    def _hits(self, text: str) -> list[tuple[int, int, int]]:
        hits: list[tuple[int, int, int]] = []
        if has_chinese(text):
            hits.extend(self._chinese_hits(text))
        words = [part for word in tokens(text) for part in self._parts(word)]
        if words:
            hits.extend(self._english_hits(words, text))
        return self._without_blocked(hits, text)

    def _english_hits(self, words: list[Token], text: str) -> Iterable[tuple[int, int, int]]:
        stems = [self._spell(word) for word in words]
        ends_here = [_ends(text, a.end, b.start) for a, b in pairwise(words)]
        for first, word in enumerate(words):
            node = self._english.get(stems[first])
            if node is None:
                continue
            stack = [(node, first, 0)]
            while stack:
                node, last, skipped = stack.pop()
                if "" in node:
                    yield word.start, words[last].end, node[""]
                at = last + 1
                while at < len(words) and not ends_here[at - 1]:
                    follow = node.get(stems[at])
                    if follow is not None:
                        stack.append((follow, at, skipped))
                    if words[at].word not in FILLERS and stems[at] not in FILLERS:
                        break
                    if skipped + at - last > 3:
                        break
                    at += 1

    def _spell(self, word: Token) -> str:
        if len(word.word) < 3 or word.stem in self._stems or not word.word.isalpha():
            return word.stem
        meant = self.speller.correct(word.word)
        return stem(meant) if meant else word.stem

    def _parts(self, word: Token) -> Iterable[Token]:
        """A word, or both words where a space was left out between them."""
        cut = None
        if len(word.word) >= 7 and word.stem not in self._stems and word.word.isalpha():
            cut = self.speller.parted(word.word)
        if cut is None:
            return (word,)
        first, second, at = word.word[:cut], word.word[cut:], word.start + cut
        return (
            Token(stem(first), first, word.start, at),
            Token(stem(second), second, at, word.end),
        )

    def _chinese_hits(self, text: str) -> Iterable[tuple[int, int, int]]:
        length = len(text)
        fillers: dict[int, list[int]] = {}
        for first in range(length):
            node = self._chinese.get(text[first])
            if node is None:
                continue
            stack = [(node, first + 1, 0)]
            while stack:
                node, at, skipped = stack.pop()
                if "" in node:
                    yield first, at, node[""]
                # A walk past a filler may end only on a character of the phrase.
                if len(node) == 1 and "" in node:
                    continue
                doubled = at < length and text[at] == text[at - 1]
                ahead = (at, at + 1) if doubled else (at,)
                for position in (*ahead, *self._past_fillers(text, at, fillers, skipped)):
                    if position < length:
                        follow = node.get(text[position])
                        if follow is not None and text[position] != "":
                            stack.append((follow, position + 1, skipped + position - at))

    @staticmethod
    def _past_fillers(
        text: str, at: int, known: dict[int, list[int]], skipped: int
    ) -> Iterable[int]:
        if skipped > 6:
            return ()
        if at not in known:
            ends: list[int] = []
            position = at
            for _ in range(3):
                match = FILLERS_ZH.match(text, position)
                if match is None or match.end() - at > 8 or "," in match.group():
                    break
                position = match.end()
                ends.append(position)
            known[at] = ends
        return known[at]

    def _without_blocked(
        self, hits: list[tuple[int, int, int]], text: str
    ) -> list[tuple[int, int, int]]:
        """Leave out body words inside longer ones that mean something else (石头, 嗓子眼)."""
        blocks: list[Span] = []
        longer: list[tuple[int, int, frozenset[str]]] = []
        for start, end, literal in hits:
            words = self._words_of[literal]
            if self._blocking(literal):
                blocks.append((start, end))
            if end - start > 1 and not text[start].isascii():
                named = frozenset(w for w in words if self.knowledge.words[w].kind == "place")
                if named:
                    longer.append((start, end, named))
        hits = self._without_torn(hits, text, longer)
        ends = {end for start, end, _ in longer}
        if not blocks and not longer:
            return hits
        kept = []
        for start, end, literal in hits:
            if any(s <= start and end <= e and e - s > end - start for s, e in blocks):
                continue
            if text[start].isascii() and any(start < s < end < e for s, e in blocks):
                continue  # "he can't breathe through his nose"
            if any(s < start < e < end for s, e in blocks) and any(
                start < s < end < e for s, e in blocks
            ):
                continue  # torn out of two words: 诊断手足口病 holds no 断手
            if start in ends and text[start:end] in _BELOW:
                continue
            own = self._words_of[literal]
            if own and "one_side" not in own:
                inside = [
                    named
                    for s, e, named in longer
                    if s <= start and end <= e and e - s > end - start
                ]
                if any(not (own & named) for named in inside):
                    continue
            kept.append((start, end, literal))
        return kept

    def _without_torn(
        self,
        hits: list[tuple[int, int, int]],
        text: str,
        places: list[tuple[int, int, frozenset[str]]],
    ) -> list[tuple[int, int, int]]:
        """Leave out hits that tear another word apart.

        With a denial at their head, a finding: 没有尿 in 没有尿频; with the end of a place that
        means another place alone, that place: 头疼 in 舌头疼, but not 胸口疼 in 左胸口疼.
        """
        denials = [hit for hit in hits if text[hit[0]] in "没不无" and hit[1] - hit[0] > 1]
        whole = [(start, end) for start, end, literal in hits if self._finding_alone(literal)]
        torn = {
            (a, b, literal)
            for a, b, literal in denials
            if any(a < start < b < end for start, end in whole)
        }
        if places:
            named: dict[Span, set[str]] = defaultdict(set)
            for start, end, literal in hits:
                named[start, end] |= {
                    word
                    for word in self._words_of[literal]
                    if self.knowledge.words[word].kind == "place"
                }
            spans = [(a, b) for a, b, _ in places]
            torn |= {
                (start, end, literal)
                for start, end, literal in hits
                for a, b, words in places
                if a < start < b < end
                and text[a] not in _SIDES
                and named.get((start, b))
                and not named[start, b] & words
            }
            # 右手 in 右手臂 is the side of another place.
            torn |= {
                (start, end, literal)
                for start, end, literal in hits
                if text[start] in _SIDES and any(a == start + 1 and a < end < b for a, b in spans)
            }
        return [hit for hit in hits if hit not in torn] if torn else hits

    def _finding_alone(self, literal: int) -> bool:
        return any(
            pattern.kind == "finding" and len(pattern.pieces) == 1
            for piece in self._of_literal[literal]
            for pattern in self._anchored.get(piece, ())
        )

    def _blocking(self, literal: int) -> bool:
        return any(
            pattern.kind == "block"
            for piece in self._of_literal[literal]
            for pattern in self._anchored.get(piece, ())
        )


def _unique(matches: list[Match]) -> list[Match]:
    return sorted(set(matches), key=lambda m: (m.spans, m.kind, m.id))


_LETTERS = re.compile(r"[a-z]{4,}")


def _prose(knowledge: ClinicalKnowledge) -> set[str]:
    """The English words that the knowledge itself is written in, which are right as they stand."""
    texts: list[str] = []
    for finding in knowledge.findings.values():
        texts += [finding.ask.en, finding.name.en] if finding.ask else [finding.name.en]
    for condition in knowledge.conditions.values():
        texts += [condition.about.en, condition.name.en]
    for rule in knowledge.rules.values():
        texts += [rule.because.en, *rule.fires.en, *rule.spares.en]
    return set(_LETTERS.findall(" ".join(texts).lower())) | {"cant", "dont", "wont", "didnt"}


_PARENTHESIS = re.compile(r"\s*[(（][^)）]*[)）]")


def _bare(name: str) -> str:
    """A name without what stands in brackets."""
    return _PARENTHESIS.sub("", name).strip()
