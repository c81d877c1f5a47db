"""Assembles replies: the parts that every reply shares, and the pieces of an advice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from agent.diagnosis import evidence_of
from agent.state import CORRECTED, Citation, ConsultationState, Finding, Patient
from agent.wording import texts
from agent.wording.check import Facts
from agent.wording.person import Person
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.statements import present_closure

_DECLINES = (
    "override",
    "dose_request",
    "prescription_request",
    "diagnosis_certainty",
    "off_topic",
)


@dataclass
class Reply:
    """A reply in the making. What is added is shown at once, so that the patient can read along;
    the joined pieces are the reply as it is kept."""

    show: Callable[[str], None]
    text: str = ""
    citations: list[Citation] = field(default_factory=list)

    def add(self, piece: str, *, before: str = "") -> None:
        """Add a piece, separated from what stands before it."""
        if not piece:
            return
        joined = f"{before}{piece}" if self.text else piece
        self.text += joined
        self.show(joined)

    def line(self, piece: str) -> None:
        """Add a line of its own."""
        self.add(piece, before="\n")

    def paragraph(self, piece: str) -> None:
        """Add a paragraph of its own."""
        self.add(piece, before="\n\n")

    def cite(self, citation: Citation) -> int:
        """The number of a citation, counted from 1; the same passage keeps its number."""
        for index, known in enumerate(self.citations, start=1):
            if known.chunk == citation.chunk and known.quote == citation.quote:
                return index
        self.citations.append(citation)
        return len(self.citations)


def declined(state: ConsultationState) -> list[str]:
    """Which requests of this turn are declined, most important first."""
    intents = state.get("intents", [])
    if state.get("understood") and "off_topic" in intents:
        intents = [intent for intent in intents if intent != "off_topic"]
    return [key for key in _DECLINES if key in intents]


def preface(reply: Reply, state: ConsultationState) -> None:
    """What comes before the matter: who speaks, what is declined, what was corrected."""
    language = state["language"]
    if state["turn"] == 1:
        reply.paragraph(texts.say(texts.DISCLOSURE, language))
    for key in declined(state):
        reply.paragraph(texts.say(texts.DECLINED[key], language))
    if any(f.by in CORRECTED and f.turn == state["turn"] for f in state["findings"].values()):
        reply.paragraph(texts.say(texts.CORRECTED, language))


def person_of(state: ConsultationState) -> Person | None:
    """The patient, where somebody else writes for them."""
    return Person.of(state.get("about"), (state.get("patient") or Patient()).sex)


def told(findings: Iterable[Finding], language: str) -> str:
    """Findings in a row, as the patient would recognise them."""
    words = []
    for finding in findings:
        label = finding.label
        if language == "en":
            label = label[0].lower() + label[1:]
        if finding.status == "absent":
            label = texts.say(texts.DENIED, language, finding=label)
        elif finding.status == "unsure":
            label = texts.say(texts.UNSURE, language, finding=label)
        words.append(label)
    return texts.JOIN[language].join(words)


def new_findings(state: ConsultationState) -> list[Finding]:
    """The findings that this turn brought, present ones first, without what was only derived."""
    found = [
        finding
        for finding in state.get("findings", {}).values()
        if finding.turn == state["turn"] and finding.by not in ("derived", "implied")
    ]
    return sorted(found, key=lambda finding: finding.status != "present")


def facts(
    state: ConsultationState,
    knowledge: ClinicalKnowledge,
    *,
    told: Iterable[Finding],
    conditions: Iterable[str] = (),
) -> Facts:
    """What the model may repeat in this state, and must: what it was `told`, and `conditions`."""
    evidence = evidence_of(state.get("findings", {}), state.get("duration"))
    absent = set(evidence.absent)
    for key in evidence.absent:
        absent |= knowledge.descendants.get(key, frozenset())
    named = frozenset(conditions)
    return Facts(
        present=present_closure(evidence.present, knowledge),
        absent=absent,
        unsure={k for k, f in state.get("findings", {}).items() if f.status == "unsure"},
        conditions=named,
        person=person_of(state),
        must_name={finding.id for finding in told},
        must_fit=named,
    )
