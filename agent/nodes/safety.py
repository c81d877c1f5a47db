"""Red-flag rules: first on the words themselves, then on everything that is known."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent import triage
from agent.desk import Desk
from agent.events import Event, to_outbox
from agent.language.understand import understand
from agent.state import CORRECTED, ConsultationState, Patient, RedFlag
from knowledge.clinical.schema import LEVELS


async def on_words(state: ConsultationState, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Fire the rules that the words alone set off, before anything else is read from them."""
    desk = runtime.context
    language = state["language"]
    patient = state.get("patient") or Patient()
    reading = understand(state["text"], lexicon=desk.lexicon, language=language)
    age = reading.profile.age_years if reading.profile.age_years is not None else patient.age_years
    sex = reading.profile.sex or patient.sex
    pregnant = (
        reading.profile.pregnant if reading.profile.pregnant is not None else patient.pregnant
    )
    fired: dict[str, RedFlag] = {}
    for hit in reading.rules:
        rule = desk.knowledge.rules[hit.rule]
        if hit.rule not in fired and triage.applies(rule.who, age, sex, pregnant):
            fired[hit.rule] = RedFlag(
                rule=rule.id,
                level=rule.level,
                department=rule.department,
                because=(hit.quote,),
                crisis=rule.crisis,
            )
    return _merged(state, list(fired.values()), stage="words")


async def on_findings(state: ConsultationState, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Fire the rules on the collected findings. A rule that fired on findings alone and no longer
    holds after a correction is taken back; one that fired on words stays unless what it quoted
    was taken back."""
    desk = runtime.context
    fired = triage.fire(desk.knowledge, state.get("findings", {}), state["patient"])
    return _merged(state, fired, stage="findings")


def _merged(state: ConsultationState, fired: list[RedFlag], *, stage: str) -> dict[str, Any]:
    before = {flag.rule: flag for flag in state.get("red_flags", [])}
    if stage == "findings":
        holding = {flag.rule for flag in fired}
        kept = {
            rule: flag
            for rule, flag in before.items()
            if not _withdrawn(flag, state, holds=rule in holding)
        }
    else:
        kept = dict(before)
    for flag in fired:
        kept.setdefault(flag.rule, flag)
    flags = sorted(kept.values(), key=lambda flag: LEVELS.index(flag.level))
    outbox = [
        to_outbox(
            Event(
                type="red_flag.raised",
                actor="rule",
                payload={"stage": stage, **flag.model_dump(mode="json")},
            )
        )
        for flag in flags
        if flag.rule not in before
    ]
    return {"red_flags": flags, "outbox": outbox}


def _withdrawn(flag: RedFlag, state: ConsultationState, *, holds: bool) -> bool:
    """Whether what made a rule fire has since been taken back by the patient: all of it, or, where
    it took several findings together and does not hold without one of them, that one."""
    findings = state.get("findings", {})
    taken_back = [f for f in findings.values() if f.status == "absent" and f.by in CORRECTED]
    gone = [
        any(quote and (quote in f.quote or f.quote in quote) for f in taken_back if f.quote)
        for quote in flag.because
    ]
    return bool(gone) and (all(gone) or (len(gone) > 1 and not holds and any(gone)))


def route(state: ConsultationState) -> str:
    """Where the turn goes once everything said has been weighed by the rules."""
    flags = state.get("red_flags", [])
    intents = state.get("intents", [])
    urgent = any(flag.level in ("emergency_ambulance", "emergency") for flag in flags)
    if any(flag.crisis for flag in flags) or "self_harm" in intents:
        return "hand_off"
    if urgent:
        return "diagnose"
    # "Pretend to be a real doctor" asks for no person; "I need to go every hour" is a complaint.
    if ("wants_person" in intents and "override" not in intents) or (
        state.get("stage") == "handed_off"
    ):
        return "hand_off"
    leaves = "wants_to_end" in intents or ("goodbye" in intents and state.get("advised"))
    if leaves and not state.get("understood"):
        return "close"
    return "diagnose"
