"""What the state machine knows at any moment, and the parts it is made of.

The parts are the API's vocabulary too: a turn is returned to the caller in these very forms.
The state is working memory. It can be rebuilt from the recorded events; nothing but the graph
reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypedDict

from langgraph.channels import EphemeralValue, Topic
from pydantic import BaseModel, ConfigDict, Field

from agent.language.relations import Relation
from agent.ports import Language
from knowledge.clinical.schema import Level, Sex, Tier

Status = Literal["present", "absent", "unsure"]
Confidence = Literal["reviewed", "lower"]
Stage = Literal["ask", "advise", "emergency", "handed_off", "closed"]


class Part(BaseModel):
    """Base of the state's parts: immutable, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Patient(Part):
    """Whom the consultation is about. None where it is not known."""

    age_years: Annotated[float, Field(ge=0, le=130)] | None = None
    sex: Sex | None = None
    pregnant: bool | None = None


class Finding(Part):
    """A finding of this patient, as it was said."""

    id: str
    label: str = ""
    status: Status
    duration: str | None = None  # ISO 8601
    severity: str | None = None
    onset: str | None = None
    course: str | None = None
    place: str | None = None
    character: tuple[str, ...] = ()
    circumstance: tuple[str, ...] = ()
    value: float | None = None
    unit: str | None = None
    quote: str = ""
    turn: int = 0
    # lexicon, number, embedding, answer, derived, form; corrected where it was said otherwise
    # before, implied where something else that was said leaves nothing else.
    by: str = "lexicon"


CORRECTED = ("corrected", "implied")
"""`by` of a finding whose earlier status was taken back."""


class Question(Part):
    """What is asked next. `kind` says which answer is understood as the answer."""

    kind: Literal["finding", "duration", "profile", "open"] = "finding"
    finding: str | None = None
    text: str
    options: tuple[str, ...] = ()
    reason: str


class RedFlag(Part):
    """A red-flag rule that fired, and on what."""

    rule: str
    level: Level
    department: str
    because: tuple[str, ...]
    crisis: bool = False


class Names(Part):
    """A name in both languages."""

    en: str
    zh: str


class Possibility(Part):
    """One condition of the differential."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    condition: str
    name: str
    names: Names
    icd10: str | None = Field(description="None where an imported condition comes without it.")
    probability: float
    supporting: tuple[str, ...] = Field(default=(), alias="for")
    against: tuple[str, ...] = ()
    tier: Tier = Field(
        default="written",
        description="written: by hand, from public guidance. imported: made by a program from a "
        "public knowledge base; it takes no part in urgency, questions and advice.",
    )
    confidence: Confidence = Field(
        default="reviewed", description="lower: from an unreviewed source (tier imported)."
    )
    asked: tuple[str, ...] = Field(
        default=(), description="Of an assessment: the entries of `candidates` it stands for."
    )


def written(differential: Iterable[Possibility]) -> list[Possibility]:
    """Without the imported conditions: what is told to a patient and what advice rests on."""
    return [item for item in differential if item.tier == "written"]


class Triage(Part):
    """How urgent, how soon, where, and why."""

    level: Level
    within: str  # ISO 8601
    department: str
    department_name: str = ""
    reasons: tuple[str, ...] = ()


class Citation(Part):
    """The passage behind a sentence of the advice."""

    chunk: str
    document: str
    title: str
    release: str
    quote: str
    source: str | None = None


class ConsultationState(TypedDict, total=False):
    """The channels of the graph. Every node returns only what it changed."""

    consultation: str
    language: Language
    patient: Patient
    about: Relation | None  # who the patient is to the one who writes; None while nothing says so
    seed: int

    turn: int
    text: str  # the patient's words of this turn
    intents: list[str]  # what the words want besides telling findings
    understood: int  # how many findings this turn's words gave

    findings: dict[str, Finding]
    chief: str | None  # the finding the patient came with
    duration: str | None  # how long it has lasted, ISO 8601
    asked: list[str]
    question: Question | None

    red_flags: list[RedFlag]
    differential: list[Possibility]
    triage: Triage | None
    advised: int  # turn of the last advice, 0 before

    # Passages from `retrieve` to `advise`, for that one step.
    passages: Annotated[list[dict[str, Any]], EphemeralValue]

    stage: Stage
    reply: str
    citations: list[Citation]
    reason: str  # why the consultation was handed off or closed

    # What goes on record. Taken out of the checkpoint and stored beside it, see agent.events.
    # A Topic gathers the items of a super-step and is empty again in the next.
    outbox: Annotated[list[dict[str, Any]], Topic(dict)]


def opening(
    consultation: str, language: Language, patient: Patient, seed: int, text: str
) -> dict[str, Any]:
    """The state that a consultation begins with: its first message, and nothing known."""
    return {
        "consultation": consultation,
        "language": language,
        "patient": patient,
        "seed": seed,
        "turn": 1,
        "text": text,
        "findings": {},
        "asked": [],
        "red_flags": [],
        "differential": [],
        "advised": 0,
    }


SERIALISED: tuple[tuple[str, str], ...] = tuple(
    ("agent.state", part.__name__)
    for part in (Patient, Finding, Question, RedFlag, Names, Possibility, Triage, Citation)
)
"""The types that a checkpoint may hold, for the serialiser's allow-list."""
