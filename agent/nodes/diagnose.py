"""Forms the differential, decides the urgency, and chooses the next question or none."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent import inquiry, triage
from agent.desk import Desk
from agent.events import Event, to_outbox
from agent.state import ConsultationState, Patient, Possibility, Question, written
from agent.weigh import Weighed, weigh
from agent.wording import replies, texts
from knowledge.clinical.statements import present_closure

URGENT_AFTER = 4
"""Questions after which it stops as soon as what is known weighs as an emergency: whoever may
have to go to hospital now is not kept for the rest of the budget."""
AFTER_ADVICE = 3
"""Questions that may follow when something new is told after advice was given."""


async def run(state: ConsultationState, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Weigh everything that is known."""
    desk = runtime.context
    language = state["language"]
    patient = state.get("patient") or Patient()
    findings = state.get("findings", {})
    weighed = weigh(
        desk,
        findings,
        patient,
        state.get("red_flags", []),
        language,
        duration=state.get("duration"),
    )
    differential, decided = weighed.differential, weighed.triage
    question, stop = (None, None) if _urgent(state) else _question(state, desk, patient, weighed)
    if decided is None and question is None:  # nothing was told: a doctor should hear it
        decided = triage.decide(desk.knowledge, findings, patient, {}, (), language)
    outbox: list[dict[str, Any]] = []
    if differential != state.get("differential", []):
        outbox.append(_event("differential.formed", _record(differential, stop)))
    if decided is not None and decided != state.get("triage"):
        outbox.append(_event("triage.decided", decided.model_dump(mode="json")))
    return {
        "differential": differential,
        "triage": decided,
        "question": question,
        "outbox": outbox,
    }


def _event(type_: str, payload: dict[str, Any]) -> dict[str, Any]:
    return to_outbox(Event(type=type_, actor="service", payload=payload))


def _record(differential: list[Possibility], stop: str | None) -> dict[str, Any]:
    return {
        "differential": [item.model_dump(mode="json", by_alias=True) for item in differential],
        "stop": stop,
    }


def _urgent(state: ConsultationState) -> bool:
    return any(flag.level in triage.EMERGENCIES for flag in state.get("red_flags", []))


def _question(
    state: ConsultationState, desk: Desk, patient: Patient, weighed: Weighed
) -> tuple[Question | None, str | None]:
    """The next question, or None and the reason to stop."""
    language = state["language"]
    findings = state.get("findings", {})
    asked = state.get("asked", [])
    say = texts.say
    if state.get("advised") and not state.get("understood"):
        return None, "advised"
    if not any(finding.status == "present" for finding in findings.values()):
        if asked.count("open") >= 3:
            return None, "nothing_told"
        person = replies.person_of(state)
        text = say(texts.OPEN_QUESTION, language)
        if person is not None:
            text = say(texts.OPEN_QUESTION_ABOUT, language, person=person.name(language))
        return Question(kind="open", text=text, reason=say(texts.OPEN_REASON, language)), None
    if _favourite_is_deadly(desk, patient, weighed):
        return None, "urgent"
    if patient.age_years is None and "profile" not in asked:
        text = say(texts.PROFILE_QUESTION, language)
        reason = say(texts.PROFILE_REASON, language)
        return Question(kind="profile", text=text, reason=reason), None
    chief = state.get("chief")
    if chief and not state.get("duration") and "duration" not in asked and len(asked) >= 1:
        name = desk.knowledge.findings[chief].name
        label = name.en.lower() if language == "en" else name.zh
        text = say(texts.DURATION_QUESTION, language, finding=label)
        reason = say(texts.DURATION_REASON, language)
        return Question(kind="duration", text=text, reason=reason), None
    spent = sum(key in desk.knowledge.findings for key in asked)
    budget = desk.budget if not state.get("advised") else min(desk.budget, spent) + AFTER_ADVICE
    if state.get("advised") and spent >= desk.budget + AFTER_ADVICE:
        return None, "budget"
    if spent >= URGENT_AFTER and weighed.triage and weighed.triage.level in triage.EMERGENCIES:
        return None, "urgent"
    choice = inquiry.choose(
        desk.network,
        weighed.evidence,
        patient,
        findings,
        asked,
        posterior=weighed.reviewed,
        budget=budget,
        thorough=desk.thorough,
    )
    person = replies.person_of(state)
    return inquiry.question(choice, desk.network, language, person), choice.stop


def _favourite_is_deadly(desk: Desk, patient: Patient, weighed: Weighed) -> bool:
    """Whether an ambulance is called for and the leading condition is what calls for it: then no
    question may stand before the advice, whether or not a rule fired."""
    if weighed.triage is None or weighed.triage.level != "emergency_ambulance":
        return False
    present = present_closure(weighed.evidence.present, desk.knowledge)
    leader = next((item.condition for item in written(weighed.differential)), None)
    return leader is not None and (
        triage.level_of(leader, desk.knowledge, present, patient)[0] == "emergency_ambulance"
    )


def route(state: ConsultationState) -> str:
    """Ask while there is a question, else advise."""
    return "ask" if state.get("question") is not None else "retrieve"
