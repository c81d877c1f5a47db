"""Whether what was said is so: denial and its scope, doubt, the past, the merely possible.

Cues are found once per message; each mention is then judged by the cues whose scope it stands in.
The method follows NegEx and ConText (Chapman et al. 2001; Harkema et al. 2009): cues, look-alikes
that are no cues, scopes and words that end them; the Chinese lists are our own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.language.clauses import Clause, Sentence
from agent.language.cues import (
    AGAIN,
    ANSWERED_NO,
    ASKS,
    BUT,
    DENIED_AFTER,
    DIED,
    DIED_AFTER,
    DOUBT,
    END,
    EXCEPTION,
    FEAR,
    GENERAL,
    GONE_AFTER,
    HERE_AND_NOW,
    IF,
    IF_END,
    LEARNS,
    LIST_WORD,
    LONG_AGO,
    NEAR_PAST,
    NEGATION_EN,
    NEGATION_ZH,
    NO_QUALITY,
    OR,
    OVER,
    PAST,
    PERSONAL,
    STILL,
    STORY,
    UNDOING,
    WELL_AFTER,
)

Span = tuple[int, int]
Standing = Literal[
    "present", "absent", "unsure", "past", "hypothetical", "general", "feared", "over"
]


@dataclass(frozen=True, slots=True)
class _Cue:
    start: int
    end: int
    reach: int  # furthest distance to a mention, 0 for the whole clause


class Scopes:
    """The cues of one message, ready to judge its mentions."""

    def __init__(self, text: str, found: Sequence[Sentence]) -> None:
        self.text = text
        self.sentences = found
        self._cues: list[_Cue] = []
        self._lookalikes: list[Span] = []
        for pattern in (NEGATION_EN, NEGATION_ZH):
            for match in pattern.finditer(text):
                group = match.lastgroup
                if group == "none":
                    self._lookalikes.append(match.span())
                else:
                    self._cues.append(_Cue(match.start(), match.end(), 4 if group == "near" else 0))
        self._doubts = [match.span() for match in DOUBT.finditer(text)]
        self._ends = [match.span() for match in END.finditer(text)]
        self._ifs = list(IF.finditer(text))
        self._exceptions = [match.span() for match in EXCEPTION.finditer(text)]

    def judge(
        self,
        spans: Sequence[Span],
        sentence: Sentence,
        clause: Clause,
        others: Sequence[Span] = (),
        *,
        lasting: bool = False,
    ) -> Standing:
        """How a mention that covers `spans` stands.

        `others` are the spans of all mentions, by which lists are recognised. `lasting` is true
        for risks and histories, which the past does not undo.
        """
        end = max(b for _, b in spans)
        if self._feared(spans, sentence):
            return "feared"
        if self._hypothetical(spans, sentence):
            return "hypothetical"
        tail = self.text[end : clause.end]
        full_tail = self.text[end : sentence.end]
        if ANSWERED_NO.match(self.text, end):
            return "absent"
        if GONE_AFTER.match(full_tail) and not lasting:
            return "absent"
        if not lasting and WELL_AFTER.match(tail):
            return "absent"
        denied_after = DENIED_AFTER.match(tail)
        if denied_after is not None:
            asks = sentence.question and clause.end >= sentence.end
            return "unsure" if asks else "absent"
        negations = self._negations(spans, sentence, clause, others)
        if not lasting and self._overcome(spans, sentence):
            return "over"
        if not lasting and self._past(spans, sentence, clause):
            return "past"
        if negations % 2 == 1:
            return "absent"
        if self._general(sentence) or self._told(spans, sentence):
            return "general"
        if self._doubted(spans, clause) or self._asked(sentence, clause, end):
            return "unsure"
        return "present"

    # --- denial ------------------------------------------------------------------------------

    def _negations(
        self, spans: Sequence[Span], sentence: Sentence, clause: Clause, others: Sequence[Span]
    ) -> int:
        last = spans[-1][0]
        effective: list[_Cue] = []
        for cue in self._cues:
            if not sentence.start <= cue.start or cue.end > last:
                continue
            if any(a <= cue.start and cue.end <= b for a, b in spans):
                continue
            target = min(a for a, _ in spans if a >= cue.end)
            if any(a <= cue.start and cue.end <= b <= target for a, b in others):
                continue
            if cue.reach and target - cue.end > cue.reach:
                continue
            if self._ended(cue, target, spans):
                continue
            if cue.start >= clause.start or self._listed(cue, clause, sentence, others):
                effective.append(cue)
        # "Not" and "stop" are no denial of a cough that won't stop, but "does not stop breathing"
        # denies what begins with the look-alike's own last word.
        if any(a < start < b for a, b in self._lookalikes for start, _ in spans):
            return 1
        # Two cues undo each other only when nothing that is denied stands between them: 不是没有,
        # but not "no fever, no cough".
        count = 0
        nearest = len(self.text)
        for cue in reversed(effective):
            if count and any(cue.end <= a and b <= nearest for a, b in (*others, *spans)):
                break
            if count and not UNDOING.fullmatch(self.text, cue.end, nearest):
                break
            nearest = cue.start
            count += 1
        return count

    def _ended(self, cue: _Cue, target: int, spans: Sequence[Span]) -> bool:
        """Whether something between a cue and a mention closes the cue's scope."""
        return any(
            cue.end <= a and b <= target and not any(s <= a and b <= e for s, e in spans)
            for a, b in self._ends
        )

    def _listed(
        self, cue: _Cue, clause: Clause, sentence: Sentence, others: Sequence[Span]
    ) -> bool:
        """Whether a cue of an earlier clause reaches on by a list: "no fever, cough or rash"."""
        if cue.reach:
            return False
        between = [c for c in sentence.clauses if cue.start < c.end and c.start < clause.end]
        if len(between) < 2 or cue.start < between[0].start:
            return False
        rest = [self._bare_list(c, others) for c in between[1:]]
        if not all(rest):
            return False
        # The first clause of the list must end with what it denies.
        head = self.text[cue.end : between[0].end]
        if not any(cue.end <= a and b <= between[0].end for a, b in others) or len(head) > 60:
            return False
        formal = self.text.startswith(("否认", "den"), cue.start)
        later = [c for c in sentence.clauses if c.start >= between[0].start]
        tail = [c for c in later[1:] if self._bare_list(c, others)]
        says_or = any(OR.search(self.text[c.start : c.end]) for c in tail)
        return formal or says_or or (len(tail) >= 2 and self.text[cue.start].isascii())

    def _bare_list(self, clause: Clause, others: Sequence[Span]) -> bool:
        """Whether a clause is nothing but mentions and the words that join them."""
        inside = [(a, b) for a, b in others if clause.start <= a and b <= clause.end]
        if not inside:
            return False
        rest = list(self.text[clause.start : clause.end])
        for a, b in inside:
            for index in range(a - clause.start, b - clause.start):
                rest[index] = " "
        left = LIST_WORD.sub(" ", "".join(rest))
        words = re.findall(r"[a-z']+|\d+|[\u3400-\u9fff]", left)
        return len(words) <= 1 and not any(word in ("have", "has", "had", "有") for word in words)

    # --- doubt, the past, the possible ---------------------------------------------------------

    def _doubted(self, spans: Sequence[Span], clause: Clause) -> bool:
        first = spans[0][0]
        for a, b in self._doubts:
            if clause.start <= a and b <= spans[-1][0]:
                if any(s <= a and b <= e for s, e in spans):
                    continue
                if BUT.search(self.text, b, max(b, first)):
                    continue
                if first - b <= (40 if self.text[a].isascii() else 14):
                    return True
            if clause.start <= a < clause.end and 0 <= a - spans[-1][1] <= 3:
                return True
        return False

    def _asked(self, sentence: Sentence, clause: Clause, end: int) -> bool:
        if not sentence.question and not self.text[end : clause.end].endswith("吗"):
            return False
        head = self.text[sentence.start : sentence.end].lstrip()
        if re.match(r"(?:do|does|could|is|are|might|have) (?:i|he|she|this|it|we)\b", head):
            return not re.search(r"\bwith\b|\bwhen\b", head)
        return bool(re.search(r"(?:是|算).{0,6}吗$", self.text[clause.start : clause.end].rstrip()))

    def _past(self, spans: Sequence[Span], sentence: Sentence, clause: Clause) -> bool:
        here = self.text[clause.start : clause.end]
        cue = PAST.search(self.text, clause.start)
        if cue is not None and cue.end() > clause.end:
            cue = None
        if cue is not None and any(a <= cue.start() and cue.end() <= b for a, b in spans):
            return False  # the finding's own words speak of before: "never had it before"
        if cue is None:
            index = sentence.clauses.index(clause) if clause in sentence.clauses else 0
            after = sentence.clauses[index + 1 :][:1]
            if after and LONG_AGO.fullmatch(self.text, after[0].start, after[0].end):
                return True
            if index == 0:
                return False
            before = sentence.clauses[index - 1]
            head = self.text[before.start : before.end]
            cue = PAST.search(head)
            if cue is None or not _alone(head, cue):
                return False
            here = head + " " + here
        return STILL.search(here) is None and NEAR_PAST.search(here) is None

    def _overcome(self, spans: Sequence[Span], sentence: Sentence) -> bool:
        """Whether somebody died of it, or has got over it and says nothing of its return."""
        first, end = spans[0][0], spans[-1][1]
        if DIED.search(self.text, sentence.start, first) or DIED_AFTER.match(
            self.text[end : sentence.end]
        ):
            return True
        found = OVER.finditer(self.text, sentence.start, sentence.end)
        over = any(match.end() > first for match in found)
        return over and AGAIN.search(self.text, sentence.start, sentence.end) is None

    def _hypothetical(self, spans: Sequence[Span], sentence: Sentence) -> bool:
        first = spans[0][0]
        for match in self._ifs:
            if match.start() < sentence.start:
                continue
            if match.end() > spans[-1][1]:
                break
            if any(s <= match.start() and match.end() <= e for s, e in spans):
                continue
            if match.start() > first and match.end() <= spans[-1][0]:
                continue
            before = self.text[max(sentence.start, match.start() - 14) : match.start()]
            if re.search(r"\bas $|know $|tell $|sure $|wonder\w* $|see $|ask\w* $", before):
                continue  # "as if", "I don't know if": no supposition
            if match.end() > first and match.start() < first:
                return True
            stop = IF_END.search(self.text, match.end(), first)
            if stop is None:
                return True
        return False

    def _feared(self, spans: Sequence[Span], sentence: Sentence) -> bool:
        last = spans[-1][0]
        for match in FEAR.finditer(self.text, sentence.start, last):
            # The fear may begin inside: "worry that my baby will stop breathing".
            first = min((a for a, _ in spans if a >= match.end()), default=last)
            rest = self.text[match.end() : first]
            if len(rest) <= 24 and not re.search(r"[,]|\bbecause\b|\bbut\b|因为|但", rest):
                return True
        return False

    def _general(self, sentence: Sentence) -> bool:
        body = self.text[sentence.start : sentence.end]
        if LEARNS.search(body) and ASKS.search(body):
            return True
        if not sentence.question and not re.search(
            r"什么|吗|哪些|为什么|怎么|多少|^\W*(?:what|is|are|does|how|why)\b(?!')|tell me about|"
            r"explain",
            body,
        ):
            return False
        asked = GENERAL.search(body)
        if asked is None:
            return False
        # "How do I use it": the person is the one who asks.
        return PERSONAL.search(body[: asked.start()] + body[asked.end() :]) is None

    def denied_quality(self, start: int) -> bool:
        """Whether a word of quality is itself denied: "not sudden", 不是突然."""
        return NO_QUALITY.search(self.text, max(0, start - 30), start) is not None

    def denies_inside(self, spans: Sequence[Span]) -> bool:
        """Whether a cue of denial is part of a mention's own words."""
        return any(a <= cue.start and cue.end <= b for cue in self._cues for a, b in spans)

    def denied_from(self, spans: Sequence[Span]) -> int | None:
        """Where the first cue of denial begins that stands between the parts of a mention."""
        first, last = spans[0][1], spans[-1][0]
        between = (cue.start for cue in self._cues if first <= cue.start and cue.end <= last)
        return min(between, default=None)

    def _told(self, spans: Sequence[Span], sentence: Sentence) -> bool:
        """Whether a story is told: something seen on television or read."""
        first = spans[0][0]
        for match in STORY.finditer(self.text, sentence.start, sentence.end):
            if match.start() < first:
                rest = self.text[match.end() : first]
                if not re.search(r"\b(?:but|and) (?:i|my)\b|我(?!看)|但", rest):
                    return True
            elif match.start() - spans[-1][1] < 20 and self.text[match.start()].isascii():
                return True
        return False

    def supposed(self, sentence: Sentence) -> bool:
        """Whether a whole sentence speaks of the merely possible, the past, or a story."""
        body = self.text[sentence.start : sentence.end]
        gone = PAST.search(body) and not STILL.search(body) and not HERE_AND_NOW.search(body)
        return bool(gone) or any(cue.search(body) for cue in (IF, STORY, FEAR))

    # --- for others ----------------------------------------------------------------------------

    def excepted(self, position: int, sentence: Sentence) -> bool:
        """Whether "except" or 除了 stands shortly before a position."""
        return any(sentence.start <= a and 0 <= position - b <= 12 for a, b in self._exceptions)


def _alone(clause: str, cue: re.Match[str]) -> bool:
    """Whether a clause is little more than a cue: "Last year, I had ..."."""
    rest = clause[: cue.start()] + clause[cue.end() :]
    return len(rest.split()) <= 2 if rest.isascii() else len(rest.strip()) <= 3
