"""How what was matched stands, and which dangers and conditions that makes: red flags by their
words, those that only the detector of alarms hears, and illnesses that are named."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.language.clauses import Clause, Sentence, clause_at
from agent.language.cues import HERE_AND_NOW
from agent.language.joining import Match
from agent.language.normalise import Normalised
from agent.language.people import People, Role
from agent.language.reading import ConditionHit, Mention, RuleHit, Status
from agent.language.status import Scopes, Standing
from agent.language.time import Duration
from agent.language.uniting import longest
from agent.ports import AlarmDetector
from knowledge.clinical.load import ClinicalKnowledge
from knowledge.clinical.schema import days

# The red flags that the detector of alarms raises: without and with an ambulance.
_UNLISTED = ("unlisted_emergency", "unlisted_emergency_ambulance")
_UNRESPONSIVE = frozenset({"unresponsive", "loss_of_consciousness", "syncope"})
_TEMPTED = re.compile(
    r"\bif i (?:just |were to |was to )?(?:took|take|jump\w*|end\w*|cut|swallow\w*|hang|hung|"
    r"kill\w*|died?|disappear\w*)\b|(?:如果|要是|万一|假如)我.{0,6}(?:死|跳|吞|吃光|全吃|割|消失)"
)
# Who it is about is no part of what happened: "stopped breathing last year, he's five now".
_PRONOUN = re.compile(
    r"(?:i|he|she|it|they)(?:'s|'m|'re|'ve)?|my|his|her|him|me|their|them|its|[我他她它咱俺]们?"
)
_LONG = 14.0  # days after which what is told is hardly an emergency of now
_LIKELY = 0.08  # doubt up to which the detector is believed
_SURE = 0.03  # and of a sentence that the lexicon understood, in which it heard no alarm
_TELLING = 5  # characters that a sentence has at least that tells of something


class Judge:
    """Judges the matches of one message."""

    def __init__(
        self,
        normal: Normalised,
        knowledge: ClinicalKnowledge,
        found: list[Sentence],
        scopes: Scopes,
        people: People,
        durations: Sequence[Duration],
    ) -> None:
        self.normal, self.text = normal, normal.text
        self.knowledge = knowledge
        self.sentences = found
        self.scopes = scopes
        self.people = people
        self.durations = durations

    def place(self, spans: Sequence[tuple[int, int]]) -> tuple[Sentence, Clause] | None:
        """The sentence and clause of the last piece, which carries the sensation most often."""
        clause = clause_at(self.sentences, spans[-1][0])
        if clause is None:
            return None
        return self.sentences[clause.sentence], clause

    def standings(
        self, match: Match, claimed: Sequence[tuple[int, int]], *, lasting: bool = False
    ) -> set[Standing]:
        """How the parts of a match stand that lie in different clauses."""
        parts: dict[Clause, list[tuple[int, int]]] = {}
        told = [(a, b) for a, b in match.spans if not _PRONOUN.fullmatch(self.text, a, b)]
        for span in told or match.spans:
            clause = clause_at(self.sentences, span[0])
            if clause is not None:
                parts.setdefault(clause, []).append(span)
        return {
            self.scopes.judge(
                spans, self.sentences[clause.sentence], clause, claimed, lasting=lasting
            )
            for clause, spans in parts.items()
        }

    def rules(
        self, matches: Sequence[Match], claimed: Sequence[tuple[int, int]]
    ) -> tuple[list[tuple[RuleHit, Role]], list[Role]]:
        hits: list[tuple[RuleHit, Role]] = []
        seen: set[str] = set()
        for match in matches:
            if match.kind != "rule" or match.id in seen:
                continue
            where = self.place(match.spans)
            if where is None:
                continue
            standings = self.standings(match, claimed)
            # What went before may be part of a danger: bitten two months ago, and now afraid of
            # water.
            if self.knowledge.rules[match.id].crisis and self._tempted(match):
                standings.discard("hypothetical")
                standings.add("unsure")
            if standings - {"present", "unsure", "past"} or standings == {"past"}:
                continue
            role = self.people.of(match.spans[-1][0], match.spans)
            status: Status = "present" if "present" in standings else "unsure"
            seen.add(match.id)
            start, end = self.normal.span(match.start, match.end)
            quote = self.normal.original[start:end]
            hits.append((RuleHit(match.id, quote, start, end, status), role))
        return hits, [role for _, role in hits]

    def _tempted(self, match: Match) -> bool:
        """Whether somebody asks what came of it if they did themselves harm: no supposition."""
        cue = _TEMPTED.search(self.text)
        return cue is not None and cue.start() <= match.end

    def explained(self, hit: RuleHit, mentions: Sequence[Mention]) -> bool:
        """Whether something was told that the rule itself excepts (`none`), as iron tablets explain
        black stools. Nothing explains anything in a person who does not respond."""
        when = self.knowledge.rules[hit.rule].when
        there = {m.finding for m in mentions if m.status == "present"}
        if when is None or hit.by != "lexicon" or there & _UNRESPONSIVE:
            return False
        return any(item in there for item in when.none if isinstance(item, str))

    def alarms(self, detector: AlarmDetector, heard: Sequence[int]) -> list[tuple[RuleHit, Role]]:
        """Emergencies that no listed words told of, sentence by sentence.

        Where findings were `heard`, of which none is alarming, more must speak for an alarm.
        """
        spans: list[tuple[int, int]] = []
        for sentence in self.sentences:
            body = self.text[sentence.start : sentence.end]
            start = sentence.start + len(body) - len(body.lstrip())
            long = any(
                sentence.start <= d.start < sentence.end and days(d.iso) >= _LONG
                for d in self.durations
            )
            # "Migraines for twenty years, and this is nothing like them" tells of today.
            if len(body.strip()) >= _TELLING and (not long or HERE_AND_NOW.search(body)):
                spans.append((start, sentence.start + len(body.rstrip())))
        hits: list[tuple[RuleHit, Role]] = []
        said = [self.text[a:b] for a, b in spans]
        for (first, last), alarm in zip(spans, detector.judge(said), strict=True):
            rule = _UNLISTED[alarm.ambulance]
            where = self.place(((last - 1, last),))
            if rule not in self.knowledge.rules or where is None:
                continue
            understood = any(first <= start < last for start in heard)
            if alarm.doubt > (_SURE if understood else _LIKELY):
                continue
            status = status_of(self.scopes.judge(((last - 1, last),), *where, ()))
            if status in ("present", "unsure") and not self.scopes.supposed(where[0]):
                start, end = self.normal.span(first, last)
                quote = self.normal.original[start:end]
                hit = RuleHit(rule, quote, start, end, status, "detector")
                hits.append((hit, self.people.of(last)))
        return hits[:1]

    def conditions(
        self, matches: Sequence[Match], claimed: Sequence[tuple[int, int]]
    ) -> tuple[ConditionHit, ...]:
        found: list[ConditionHit] = []
        for match in longest([m for m in matches if m.kind == "condition"]):
            where = self.place(match.spans)
            if where is None:
                continue
            status = status_of(self.scopes.judge(match.spans, *where, claimed))
            if status is None:
                continue
            start, end = self.normal.span(match.start, match.end)
            quote = self.normal.original[start:end]
            found.append(ConditionHit(match.id, status, quote, start, end))
        return tuple(found)


def status_of(standing: Standing) -> Status | None:
    """The status of a mention, or None for what is not said of now and here."""
    return standing if standing in ("present", "absent", "unsure") else None
