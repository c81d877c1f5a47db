"""What understanding yields: plain, immutable data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agent.language.normalise import Language
from agent.language.relations import Relation

Status = Literal["present", "absent", "unsure"]
By = Literal["lexicon", "number", "detector", "answer", "derived"]
Sex = Literal["female", "male"]
Intent = Literal[
    "dose_request",
    "prescription_request",
    "diagnosis_certainty",
    "off_topic",
    "override",
    "self_harm",
    "wants_person",
    "greeting",
    "thanks",
    "goodbye",
    "wants_to_end",
    "question",
    "no_more",
]


@dataclass(frozen=True, slots=True)
class Mention:
    """A finding that the patient spoke of.

    `severity`, `onset`, `course`, `place`, `characters` and `circumstances` name words of the
    vocabulary. `quote` is a substring of the original message, at `original[start:end]`.
    `value` and `unit` are given for what was measured (units as in the clinical schema).
    """

    finding: str
    status: Status
    quote: str
    start: int
    end: int
    by: By = "lexicon"
    duration: str | None = None
    severity: str | None = None
    onset: str | None = None
    course: str | None = None
    place: str | None = None
    characters: tuple[str, ...] = ()
    circumstances: tuple[str, ...] = ()
    value: float | None = None
    unit: str | None = None
    correction: bool = False
    """True when the patient takes back or corrects something said before."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of the person who is ill. None where nothing was said."""

    age_years: float | None = None
    sex: Sex | None = None
    pregnant: bool | None = None
    who: Literal["self", "child", "other"] | None = None
    relation: Relation | None = None
    """Who it is to the writer, as near as the words tell; goes with `who`."""

    def updated(self, other: Profile) -> Profile:
        """This profile, overridden by what another one says."""
        return Profile(
            other.age_years if other.age_years is not None else self.age_years,
            other.sex or self.sex,
            other.pregnant if other.pregnant is not None else self.pregnant,
            other.who or self.who,
            other.relation or self.relation,
        )


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A red flag whose `words` fire on the message itself."""

    rule: str
    quote: str
    start: int
    end: int
    status: Status = "present"
    by: By = "lexicon"


@dataclass(frozen=True, slots=True)
class ConditionHit:
    """A condition that the patient names: "I think it's gout"."""

    condition: str
    status: Status
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was understood of one message."""

    language: Language
    text: str
    mentions: tuple[Mention, ...] = ()
    profile: Profile = Profile()
    intents: frozenset[Intent] = frozenset()
    measurements: Mapping[str, float] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    rules: tuple[RuleHit, ...] = ()
    conditions: tuple[ConditionHit, ...] = ()
