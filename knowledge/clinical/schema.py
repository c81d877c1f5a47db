"""The form of clinical knowledge: what an entry may say, field by field.

Entries are YAML files under `data/` (see `docs/clinical-authoring.md`). Every model forbids
unknown fields, so that a misspelt key is a fault and not a silence.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

SCHEMA_VERSION = 1

Level = Literal["emergency_ambulance", "emergency", "within_24h", "routine", "self_care"]
LEVELS: tuple[Level, ...] = (
    "emergency_ambulance",
    "emergency",
    "within_24h",
    "routine",
    "self_care",
)
"""Urgency, most urgent first."""

Band = Literal["newborn", "infant", "toddler", "child", "teen", "adult", "middle", "older"]
BANDS: dict[Band, tuple[float, float]] = {
    "newborn": (0.0, 28 / 365.25),
    "infant": (28 / 365.25, 1.0),
    "toddler": (1.0, 5.0),
    "child": (5.0, 12.0),
    "teen": (12.0, 18.0),
    "adult": (18.0, 40.0),
    "middle": (40.0, 65.0),
    "older": (65.0, 130.0),
}
"""Age bands in years, lower bound included, upper bound excluded."""

FREQUENCY_WORDS: dict[str, float] = {
    "always": 0.97,
    "usual": 0.80,
    "common": 0.55,
    "sometimes": 0.30,
    "uncommon": 0.12,
    "rare": 0.03,
    "never": 0.003,
}
"""How often a finding occurs in a condition, for authors who think in words."""

_ID = re.compile(r"^[a-z][a-z0-9_]{1,63}$")
_DURATION = re.compile(r"^P(?=.)(\d+(\.\d+)?[YMWD])*(T(?=.)(\d+(\.\d+)?[HMS])+)?$")


def _check_id(value: str) -> str:
    if not _ID.match(value):
        raise ValueError("an id is lower-case letters, digits and underscores, 2 to 64 long")
    return value


def _check_duration(value: str) -> str:
    if not _DURATION.match(value):
        raise ValueError("a duration is ISO 8601, such as PT30M, P2D, P3W or P6M")
    return value


def _frequency(value: Any) -> Any:
    if isinstance(value, str):
        if value not in FREQUENCY_WORDS:
            known = ", ".join(FREQUENCY_WORDS)
            raise ValueError(f"a frequency is a number between 0 and 1 or one of: {known}")
        return FREQUENCY_WORDS[value]
    return value


_PART = re.compile(r"(\d+(?:\.\d+)?)([YMWDHS])")
_DAYS = {"Y": 365.25, "M": 30.44, "W": 7.0, "D": 1.0}
_CLOCK = {"H": 1 / 24, "M": 1 / 1440, "S": 1 / 86400}


def days(duration: str) -> float:
    """The length of an ISO 8601 duration in days; a month counts 30.44 and a year 365.25."""
    date, _, clock = duration.removeprefix("P").partition("T")
    return sum(float(n) * _DAYS[unit] for n, unit in _PART.findall(date)) + sum(
        float(n) * _CLOCK[unit] for n, unit in _PART.findall(clock)
    )


Id = Annotated[str, AfterValidator(_check_id)]
Tier = Literal["written", "imported"]
"""Written: by hand, from public guidance, reviewed here. Imported: made from a public knowledge
base by a program, reviewed by nobody; it helps to name what is possible and never decides."""
Duration = Annotated[str, AfterValidator(_check_duration)]
Frequency = Annotated[float, BeforeValidator(_frequency), Field(gt=0, lt=1)]
Sex = Literal["female", "male"]


class Entry(BaseModel):
    """Base of everything that is read from a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(Entry):
    """The same said in both languages."""

    en: Annotated[str, Field(min_length=1)]
    zh: Annotated[str, Field(min_length=1)]


class Phrases(Entry):
    """Ways to say a thing. See `docs/clinical-authoring.md` for the pattern language."""

    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()


class Source(Entry):
    """Public guidance an entry rests on."""

    title: Annotated[str, Field(min_length=3)]
    url: Annotated[str, Field(pattern=r"^https://")]


class Who(Entry):
    """Whom an entry is about. Ages in years, lower bound included, upper bound excluded."""

    sex: Sex | None = None
    min_age: Annotated[float, Field(ge=0, le=130)] | None = None
    max_age: Annotated[float, Field(ge=0, le=130)] | None = None
    pregnant: bool | None = None


# --- vocabulary ------------------------------------------------------------------------------


class Word(Entry):
    """A word list that patterns refer to as `{id}`."""

    id: Id
    kind: Literal[
        "place",
        "sensation",
        "character",
        "onset",
        "severity",
        "course",
        "circumstance",
        "other",
    ]
    name: Text
    says: Phrases


# --- findings --------------------------------------------------------------------------------


class Measured(Entry):
    """Makes a finding follow from a number: 39.2 degrees is a high fever.

    Units: temperature degC, heart_rate and respiratory_rate per minute, systolic and diastolic
    mmHg, oxygen_saturation %, glucose and fasting_glucose mmol/L, weight kg. Bounds: minimum
    included, maximum excluded.
    """

    quantity: Literal[
        "temperature",
        "heart_rate",
        "respiratory_rate",
        "systolic",
        "diastolic",
        "oxygen_saturation",
        "glucose",
        "fasting_glucose",
        "weight",
    ]
    min: float | None = None
    max: float | None = None
    who: Who | None = None


class Qualifies(Entry):
    """Makes a finding follow from another one with a quality: chest pain that is pressing.

    All given fields must hold. `place`, `character`, `onset`, `severity`, `course` and
    `circumstance` name vocabulary words (one of those listed is enough); `min_duration` and
    `max_duration` bound how long it has lasted.
    """

    of: Id
    place: tuple[Id, ...] = ()
    character: tuple[Id, ...] = ()
    onset: tuple[Id, ...] = ()
    severity: tuple[Id, ...] = ()
    course: tuple[Id, ...] = ()
    circumstance: tuple[Id, ...] = ()
    min_duration: Duration | None = None
    max_duration: Duration | None = None


class Finding(Entry):
    """Something that a patient can have, tell or be asked about."""

    id: Id
    kind: Literal["symptom", "sign", "measurement", "risk"] = "symptom"
    name: Text
    ask: Text
    """One question in plain words that can be answered with yes, no or unsure."""
    says: Phrases
    base_rate: Frequency
    """How often it is present in people who consult for something else."""
    is_a: tuple[Id, ...] = ()
    group: Id | None = None
    """Findings of one group are asked one after another."""
    who: Who | None = None
    measured: tuple[Measured, ...] = ()
    qualifies: Qualifies | None = None
    askable: bool = True
    """False for what a patient cannot know (a sign that only an examination shows)."""

    @property
    def can_be_asked(self) -> bool:
        """Whether a question for it makes sense: a number is measured, not asked yes or no."""
        return self.askable and self.kind != "measurement"


class Terms(Entry):
    """How letters, forms and reports call a finding: further `says`, kept apart from the words of
    patients because others write them. `id` is the finding's."""

    id: Id
    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()


# --- conditions ------------------------------------------------------------------------------


class When(Entry):
    """A statement on the state of a patient. All parts that are given must hold.

    `any` and `all` name findings that are present, or hold nested statements; `none` must not be
    present. A finding counts as present also when one of its children is.
    """

    all: tuple[Id | When, ...] = ()
    any: tuple[Id | When, ...] = ()
    none: tuple[Id | When, ...] = ()
    at_least: Annotated[int, Field(ge=1)] = 1
    """How many of `any` must hold."""
    who: Who | None = None

    @model_validator(mode="after")
    def _says_something(self) -> When:
        if not (self.all or self.any or self.none or self.who):
            raise ValueError("a statement needs at least one of: all, any, none, who")
        if self.any and self.at_least > len(self.any):
            raise ValueError("at_least is larger than the number of statements under any")
        return self


class Prevalence(Entry):
    """How often a condition is the reason for a consultation.

    `per_10000` counts consultations of a general hospital's triage desk, all ages and sexes
    together. `sex` and `ages` are relative weights, 1 where nothing is said; 0 excludes.
    `pregnancy`: `only` in pregnancy (or the weeks after it, when the entry says so), `never` in
    pregnancy, or a factor.
    """

    per_10000: Annotated[float, Field(gt=0, le=3000)]
    sex: dict[Sex, Annotated[float, Field(ge=0, le=50)]] = {}
    ages: dict[Band, Annotated[float, Field(ge=0, le=50)]] = {}
    pregnancy: Literal["only", "never"] | Annotated[float, Field(gt=0, le=50)] = 1.0


class Onset(Entry):
    """How it begins and how long people have had it when they come."""

    speed: Literal["sudden", "acute", "subacute", "chronic"]
    """Sudden: minutes. Acute: hours to days. Subacute: weeks. Chronic: months and longer."""
    typical_min: Duration | None = None
    typical_max: Duration | None = None


class Raise(Entry):
    """A circumstance that makes the condition more urgent."""

    when: When
    to: Level
    because: Text


class Lookalike(Entry):
    """A condition that is easily taken for this one, and what tells them apart."""

    condition: Id
    differs: Text


class Advice(Entry):
    """What to tell the patient. One sentence an item; no dose and no prescription."""

    now: Annotated[tuple[Text, ...], Field(min_length=1)]
    avoid: tuple[Text, ...] = ()
    return_if: Annotated[tuple[Text, ...], Field(min_length=1)]
    ambulance_if: tuple[Text, ...] = ()


class Condition(Entry):
    """A disease or reason to consult, in full."""

    id: Id
    tier: Tier = "written"
    name: Text
    """Of an imported condition both may be the same, where no name in the other language is
    known."""
    synonyms: Phrases = Phrases()
    icd10: Annotated[str, Field(pattern=r"^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$")] | None = None
    """Always given where it is written; an imported condition may lack it."""
    departments: Annotated[tuple[Id, ...], Field(min_length=1)]
    about: Text
    """Two or three plain sentences: what it is."""
    prevalence: Prevalence
    risks: dict[Id, Annotated[float, Field(gt=0, le=200)]] = {}
    """Relative risk of the condition in people with the risk (findings of kind `risk`)."""
    findings: Annotated[dict[Id, Frequency], Field(min_length=2)]
    """How often each finding is present in people with the condition when they consult."""
    cardinal: Annotated[tuple[Id, ...], Field(min_length=1)]
    """Without at least one of these the condition is hardly thinkable."""
    onset: Onset
    urgency: Level
    raises: tuple[Raise, ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()
    advice: Advice
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]

    @field_validator("findings")
    @classmethod
    def _enough(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        if info.data.get("tier", "written") == "written" and len(value) < 3:
            raise ValueError("a written condition names at least 3 findings")
        return value


# --- red flags -------------------------------------------------------------------------------


class Cases(Entry):
    """Sentences in each language, for the tests of a rule."""

    en: Annotated[tuple[str, ...], Field(min_length=1)]
    zh: Annotated[tuple[str, ...], Field(min_length=1)]


class Rule(Entry):
    """A red flag. Fires on the patient's words, on the collected findings, or on both."""

    id: Id
    level: Literal["emergency_ambulance", "emergency", "within_24h"]
    department: Id
    because: Text
    """The reason as the patient reads it, one sentence."""
    advice: Annotated[tuple[Text, ...], Field(min_length=1)]
    """What to do now, one sentence an item, most important first."""
    when: When | None = None
    words: Phrases = Phrases()
    """Patterns that alone make it fire when nothing denies them."""
    who: Who | None = None
    crisis: bool = False
    """Self-harm and violence: the reply takes the crisis path."""
    source: Source
    fires: Cases
    spares: Cases

    @model_validator(mode="after")
    def _can_fire(self) -> Rule:
        if self.when is None and not (self.words.en and self.words.zh):
            raise ValueError("a rule needs `when`, or `words` in both languages")
        return self


# --- departments -----------------------------------------------------------------------------


class Department(Entry):
    """A department of a general hospital, as the patient is sent to it."""

    id: Id
    name: Text
    children: bool = False
    """True where only children are seen."""


class File(Entry):
    """One data file: the schema's version and entries of one kind."""

    schema_: Annotated[int, Field(alias="schema")]
    words: tuple[Word, ...] = ()
    findings: tuple[Finding, ...] = ()
    conditions: tuple[Condition, ...] = ()
    rules: tuple[Rule, ...] = ()
    departments: tuple[Department, ...] = ()


KINDS = ("words", "findings", "conditions", "rules", "departments")


def band_of(age_years: float) -> Band:
    """The age band of an age in years."""
    for band, (low, high) in BANDS.items():
        if low <= age_years < high:
            return band
    raise ValueError(f"age out of range: {age_years}")


def more_urgent(first: Level, second: Level) -> Level:
    """The more urgent of two levels."""
    return min(first, second, key=LEVELS.index)
