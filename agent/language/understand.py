"""Understands a patient's message: findings with their status and qualities, who is ill, what is
wanted, which red flags the words themselves set off.

Rules and lexicon decide; sentences in which they hear no danger are judged by `AlarmDetector`.
Pure: the same message, lexicon and circumstances give the same reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from agent.language import answers
from agent.language.clauses import Clause, Sentence, sentences
from agent.language.derive import derive, drop_ancestors, measured
from agent.language.intents import intents
from agent.language.joining import Match
from agent.language.judge import Judge, status_of
from agent.language.lexicon import Lexicon
from agent.language.normalise import Language, Normalised, detect_language, normalise
from agent.language.numbers import Measurement, ages, measurements
from agent.language.people import People, Role
from agent.language.qualities import Quality, owners, qualities
from agent.language.reading import (
    By,
    Mention,
    Profile,
    Reading,
    RuleHit,
    Status,
)
from agent.language.status import Scopes
from agent.language.time import durations
from agent.language.uniting import longest, merged, portions, united, values
from agent.ports import AlarmDetector

__all__ = ["Lexicon", "Mention", "Profile", "Reading", "RuleHit", "detect_language", "understand"]

_MEDICAL = re.compile(
    r"\b(?:feel\w*|felt|pain\w*|hurt\w*|ache\w*|sore|sick|symptoms?|problem|trouble|swell\w*|"
    r"swollen|"
    r"itch\w*|burn\w*|bleed\w*|numb\w*|weak\w*|can't|rash|lump|dizz\w*|breath\w*|weird|strange)\b"
    r"|感觉|觉得|疼|痛|痒|肿|麻|酸|胀|晕|难受|不舒服|不适|出血|无力|发|症状|不对劲|怪怪的|闷|"
    r"抽|硬|红"
)


_DATED = re.compile(r"(?:昨天?|今天?|前天|当天|那天|\b(?:last|this|yesterday))\s*$", re.IGNORECASE)


@dataclass(slots=True)
class _Draft:
    """A mention in the making."""

    finding: str
    spans: tuple[tuple[int, int], ...]
    clause: Clause
    sentence: Sentence
    by: By = "lexicon"
    status: Status = "present"
    role: Role = "self"
    value: float | None = None
    unit: str | None = None
    duration: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    characters: list[str] = field(default_factory=list)
    circumstances: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    @property
    def start(self) -> int:
        return self.spans[0][0]

    @property
    def end(self) -> int:
        return max(end for _, end in self.spans)


def understand(
    text: str,
    *,
    lexicon: Lexicon,
    language: Language,
    pending: str | None = None,
    profile: Profile | None = None,
    alarms: AlarmDetector | None = None,
) -> Reading:
    """Read one message.

    `pending` is the finding that was just asked for, so that "yes" and "not really" mean
    something; `profile` is what is known of the patient. Never raises for any text; an empty
    message gives an empty reading.
    """
    parts: list[tuple[int, Reading]] = []
    known = profile
    for start, end in portions(text):
        normal = normalise(text[start:end])
        normal = replace(normal, text=lexicon.mend(normal.text))
        if not normal.text.strip():
            continue
        asked = pending if not parts else None
        reading = _Reader(normal, lexicon, language, asked, known, alarms).read()
        known = (known or Profile()).updated(reading.profile)
        parts.append((start, reading))
    if len(parts) == 1 and parts[0][0] == 0:
        return parts[0][1]
    return united(parts, language, lexicon)


class _Reader:
    """Everything about one message while it is read."""

    def __init__(
        self,
        normal: Normalised,
        lexicon: Lexicon,
        language: Language,
        pending: str | None,
        profile: Profile | None,
        alarms: AlarmDetector | None,
    ) -> None:
        self.normal = normal
        self.text = normal.text
        self.lexicon = lexicon
        self.knowledge = lexicon.knowledge
        self.language = language
        self.pending = pending if pending in self.knowledge.findings else None
        self.known = profile
        self.alarms = alarms
        self.sentences = sentences(self.text)
        self.scopes = Scopes(self.text, self.sentences)
        self.people = People(self.text, self.sentences, profile)
        self.durations = durations(self.text)
        self.judge = Judge(
            normal, lexicon.knowledge, self.sentences, self.scopes, self.people, self.durations
        )
        self.ages = ages(self.text)
        self.correction = answers.is_correction(self.text)

    def read(self) -> Reading:
        found = self.lexicon.find(self.text)
        numbers = measurements(self.text)
        kept = self._chosen([m for m in found.matches if m.kind == "finding"])
        claimed = [span for match in kept for span in match.spans]
        drafts = self._drafts(kept, claimed)
        drafts.extend(self._from_numbers(numbers))
        unread = self._unread(found.matches, numbers)
        rules, rule_roles = self.judge.rules(found.matches, claimed)
        if self.alarms is not None and not rules:
            rules = self.judge.alarms(self.alarms, [m.start for m in kept])
        patient = self.people.patient([d.role for d in sorted(drafts, key=_order)] or rule_roles)
        drafts = [d for d in drafts if self._is_patients(d, patient)]
        self._qualify(drafts, self._qualities(found.words))
        mentions = [self._mention(draft) for draft in drafts]
        mentions.extend(self._answer(mentions))
        profile = self.people.profile(patient)
        whole = derive(mentions, self.knowledge)
        whole = drop_ancestors(merged(whole), self.knowledge)
        rules = [(hit, role) for hit, role in rules if not self.judge.explained(hit, whole)]
        conditions = self.judge.conditions(found.matches, claimed)
        medical = bool(whole or rules or numbers or conditions or unread)
        return Reading(
            language=self.language,
            text=self.text,
            mentions=tuple(whole),
            profile=profile,
            intents=intents(self.text, medical=medical),
            measurements=values([(n.quantity, n.value) for n in numbers]),
            unread=tuple(self.normal.quote(a, b) for a, b in unread),
            rules=tuple(hit for hit, role in rules if self._counts(role, patient)),
            conditions=conditions,
        )

    # --- findings ----------------------------------------------------------------------------

    def _chosen(self, matches: Sequence[Match]) -> list[Match]:
        """The longest matches.

        Some swallow nothing of what they cover. Left out is one that is itself denied while it
        holds a denial ("no cough and no phlegm" is no dry cough), and one whose pieces stand
        differently ("the cough is gone, now my head hurts"). One that speaks of a named person
        stays beside what it covers ("my son has a fever": a contact, or the patient himself).
        """
        spared: list[Match] = []
        left: list[Match] = []
        for match in matches:
            if self.people.inside(match.spans):
                spared.append(match)
            elif len(match.spans) == 1 or not self._self_contradicting(match):
                left.append(match)
                spared.extend(self._untouched(match, matches))
        return sorted({*longest(left), *longest(spared)}, key=lambda m: (m.spans, m.id))

    def _untouched(self, match: Match, matches: Sequence[Match]) -> Iterable[Match]:
        """What is said before the denial within a match, and is true: "a rash that does not itch"
        is a rash."""
        denial = self.scopes.denied_from(match.spans)
        if denial is None:
            return []
        above = self.knowledge.ancestors[match.id]
        return [m for m in matches if m.id in above and m.end <= denial]

    def _self_contradicting(self, match: Match) -> bool:
        where = self.judge.place(match.spans)
        if where is None or self._timed(match):
            return True
        if len(self.judge.standings(match, match.spans)) > 1:
            return True
        if not self.scopes.denies_inside(match.spans):
            return False
        return self.scopes.judge(match.spans, *where, match.spans) == "absent"

    def _timed(self, match: Match) -> bool:
        """Whether a match reads by words a duration that was read by value, which decides ("a
        cough for a week and a fever" is no week of fever), or takes an age for a duration."""
        if any(a < y.end and y.start < b for a, b in match.spans for y in self.ages):
            return len(match.spans) > 1
        quality = self.knowledge.findings[match.id].qualifies
        if quality is None or not (quality.min_duration or quality.max_duration):
            return False
        return any(a < d.end and d.start < b for a, b in match.spans for d in self.durations)

    def _drafts(self, kept: Sequence[Match], claimed: Sequence[tuple[int, int]]) -> list[_Draft]:
        drafts: list[_Draft] = []
        for match in kept:
            where = self.judge.place(match.spans)
            if where is None:
                continue
            sentence, clause = where
            lasting = self.knowledge.findings[match.id].kind == "risk"
            standing = self.scopes.judge(match.spans, sentence, clause, claimed, lasting=lasting)
            status = status_of(standing)
            if status is None:
                continue
            role = self.people.of(match.spans[-1][0], match.spans)
            drafts.append(_Draft(match.id, match.spans, clause, sentence, status=status, role=role))
        return drafts

    def _from_numbers(self, numbers: Sequence[Measurement]) -> Iterable[_Draft]:
        said = self.people.profile(self.people.patient([]))
        profile = (self.known or Profile()).updated(said)
        for number in numbers:
            spans = ((number.start, number.end),)
            where = self.judge.place(spans)
            if where is None:
                continue
            sentence, clause = where
            standing = self.scopes.judge(spans, sentence, clause, spans, lasting=True)
            if standing not in ("present", "unsure"):
                continue
            role = self.people.of(number.start)
            for finding, status in measured(number, self.knowledge, profile):
                yield _Draft(
                    finding,
                    spans,
                    clause,
                    sentence,
                    by="number",
                    status=status,
                    role=role,
                    value=number.value,
                    unit=number.unit,
                )

    def _is_patients(self, draft: _Draft, patient: Role) -> bool:
        named = self.people.inside(draft.spans)
        if named and self.knowledge.findings[draft.finding].kind == "risk":
            # "My mother has diabetes" is a family history, unless she is the patient.
            return patient not in named
        if draft.role == patient:
            return True
        # "I" tells, and the patient is someone else who is spoken of without a name.
        return draft.role == "self" and patient != "self" and not self._first_person(draft)

    def _first_person(self, draft: _Draft) -> bool:
        return any(p.role == "self" for p in self.people.named_before(draft.start))

    def _counts(self, role: Role, patient: Role) -> bool:
        """Whether a danger that is told of a person concerns this consultation. Of two relatives
        in one message either may be in danger: a wife in labour, and her child's head."""
        if role == "stranger" and patient == "self":
            return self.people.stranger_in_danger()
        return role == patient or (patient in ("child", "other") and role != "stranger")

    # --- qualities ---------------------------------------------------------------------------

    def _qualities(self, words: Sequence[Match]) -> list[Quality]:
        """Qualities and durations, without the ages that look like durations."""
        return [
            quality
            for quality in qualities(self.text, words, self.knowledge.words)
            if not (quality.kind == "duration" and self._is_age(quality))
            # "It began last night" says since when, not that nights are worse.
            and not (
                quality.kind in ("onset", "severity", "character")
                and self.scopes.denied_quality(quality.start)
            )
            and not (quality.kind == "circumstance" and _DATED.search(self.text[: quality.start]))
        ]

    def _is_age(self, quality: Quality) -> bool:
        return any(a.start < quality.end and quality.start < a.end for a in self.ages)

    def _qualify(self, drafts: list[_Draft], found: Sequence[Quality]) -> None:
        anchors = [(draft.start, draft.end, draft.clause) for draft in drafts]

        def inside(quality: Quality) -> bool:
            """The cough of "cough" is no circumstance, of itself or of what stands beside it."""
            return any(
                a <= quality.start and quality.end <= b for draft in drafts for a, b in draft.spans
            )

        for quality in found:
            for index in owners(quality, anchors, self.sentences):
                draft = drafts[index]
                if quality.kind == "circumstance" and inside(quality):
                    continue
                if quality.kind == "place" and not _of_place(quality, draft, drafts):
                    continue
                if draft.status == "absent" and quality.kind != "place":
                    continue
                if quality.kind == "duration":
                    draft.duration = draft.duration or quality.value
                elif quality.kind == "character":
                    draft.characters.append(quality.value)
                elif quality.kind == "circumstance":
                    draft.circumstances.append(quality.value)
                elif quality.kind == "place":
                    draft.places.append(quality.value)
                else:
                    draft.fields.setdefault(quality.kind, quality.value)

    def _mention(self, draft: _Draft) -> Mention:
        start, end = self.normal.span(draft.start, draft.end)
        return Mention(
            finding=draft.finding,
            status=draft.status,
            quote=self.normal.original[start:end],
            start=start,
            end=end,
            by=draft.by,
            duration=draft.duration,
            severity=draft.fields.get("severity"),
            onset=draft.fields.get("onset"),
            course=draft.fields.get("course"),
            place=draft.places[0] if draft.places else None,
            characters=tuple(dict.fromkeys(draft.characters)),
            circumstances=tuple(dict.fromkeys(draft.circumstances)),
            value=draft.value,
            unit=draft.unit,
            correction=self.correction,
        )

    # --- the answer to the question just asked -------------------------------------------------

    def _answer(self, mentions: Sequence[Mention]) -> Iterable[Mention]:
        if self.pending is None:
            return
        below = self.knowledge.descendants[self.pending] | {self.pending}
        if any(mention.finding in below for mention in mentions):
            return
        status = answers.answer(self.text)
        found = self._qualities(self.lexicon.find(self.text).words)
        duration = next((q.value for q in found if q.kind == "duration"), None)
        if status is None:
            if duration is None or mentions or self.correction:
                return
            status = "present"
        end = len(self.text.rstrip())
        start = len(self.text) - len(self.text.lstrip())
        first, last = self.normal.span(start, end)
        own = not mentions and status != "absent"
        kinds: dict[str, list[str]] = {}
        for quality in found if own else ():
            kinds.setdefault(quality.kind, []).append(quality.value)
        yield Mention(
            finding=self.pending,
            status=status,
            quote=self.normal.original[first:last],
            start=first,
            end=last,
            by="answer",
            duration=duration if own else None,
            severity=next(iter(kinds.get("severity", ())), None),
            onset=next(iter(kinds.get("onset", ())), None),
            course=next(iter(kinds.get("course", ())), None),
            place=next(iter(kinds.get("place", ())), None),
            characters=tuple(dict.fromkeys(kinds.get("character", ()))),
            circumstances=tuple(dict.fromkeys(kinds.get("circumstance", ()))),
            correction=self.correction,
        )

    # --- what the lexicon missed ---------------------------------------------------------------

    def _unread(
        self, matches: Sequence[Match], numbers: Sequence[Measurement]
    ) -> list[tuple[int, int]]:
        """Clauses that look medical and hold nothing that the lexicon knows."""
        missed: list[tuple[int, int]] = []
        for sentence in self.sentences:
            for clause in sentence.clauses:
                used = any(m.start < clause.end and clause.start < m.end for m in matches) or any(
                    n.start < clause.end and clause.start < n.end for n in numbers
                )
                body = self.text[clause.start : clause.end]
                if not used and len(body.strip()) > 1 and _MEDICAL.search(body):
                    start = clause.start + len(body) - len(body.lstrip())
                    missed.append((start, clause.start + len(body.rstrip())))
        return missed


def _of_place(quality: Quality, draft: _Draft, drafts: Sequence[_Draft]) -> bool:
    """A place belongs to the mention that holds it, or stands near it in its clause and in no
    other mention."""
    if any(a <= quality.start and quality.end <= b for a, b in draft.spans):
        return True
    if any(a <= quality.start and quality.end <= b for d in drafts for a, b in d.spans):
        return False
    gap = max(draft.start - quality.end, quality.start - draft.end)
    return draft.clause.start <= quality.start < draft.clause.end and gap <= 15


def _order(draft: _Draft) -> int:
    return draft.start
