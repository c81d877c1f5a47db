"""Words the advice: urgency, department, what to do now, when to come back, what is open.

Every sentence of advice is the knowledge's own and cites the passage that it stands in. The model
only restates what was told and what may fit; its sentences pass the check or are not shown.
Imported conditions are never named to a patient and give no advice: nobody has reviewed them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from langgraph.runtime import Runtime

from agent import triage
from agent.desk import Desk
from agent.events import Event, to_outbox
from agent.state import (
    Citation,
    ConsultationState,
    Patient,
    Possibility,
    RedFlag,
    Stage,
    written,
)
from agent.wording import prompts, replies, texts
from agent.wording.person import Person, about
from agent.wording.speak import speak
from knowledge.clinical.schema import LEVELS, Text
from knowledge.clinical.statements import present_closure

NAMED = 3
"""Conditions that the patient is told of."""
NAMED_FROM = 0.08
"""Probability below which a condition is not named to the patient."""

CLEAR_FROM = 0.2
"""Probability of the leading condition below which none is named, and none's home advice given."""

Mode = Literal["emergency", "advice", "answer", "follow_up"]


def speaking_conditions(state: ConsultationState, desk: Desk) -> list[str]:
    """The conditions whose advice is given, most relevant first: the most probable one that is at
    least as urgent as the decision, and the leader when it is as urgent."""
    decided = state.get("triage")
    differential = written(state.get("differential", []))
    if decided is None or not differential:
        return []
    patient = state.get("patient") or Patient()
    present = present_closure(
        (k for k, f in state.get("findings", {}).items() if f.status == "present"), desk.knowledge
    )
    limit = LEVELS.index(decided.level)
    urgent_enough = [
        item.condition
        for item in differential
        if LEVELS.index(triage.level_of(item.condition, desk.knowledge, present, patient)[0])
        <= limit
    ]
    named = [item.condition for item in differential[:NAMED] if item.probability >= NAMED_FROM]
    return list(dict.fromkeys([*urgent_enough[:1], *named]))[:NAMED]


def answering(state: ConsultationState) -> bool:
    """Whether the turn is a question after advice was given, with nothing new told."""
    return (
        bool(state.get("advised"))
        and not state.get("understood")
        and "question" in state.get("intents", [])
        and not replies.declined(state)
    )


def mode_of(state: ConsultationState) -> Mode:
    """What kind of reply this turn calls for."""
    advised = state.get("advised", 0)
    flags = urgent_flags(state)
    if answering(state):
        return "answer"
    if flags:
        return "follow_up" if advised and not state.get("understood") else "emergency"
    if advised and not state.get("understood"):
        return "follow_up"
    return "advice"


def urgent_flags(state: ConsultationState) -> list[RedFlag]:
    """The red flags that make this an emergency."""
    return [flag for flag in state.get("red_flags", []) if flag.level in triage.EMERGENCIES]


async def run(state: ConsultationState, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Give the advice, or answer, or say that it stands."""
    desk = runtime.context
    mode = mode_of(state)
    reply = replies.Reply(lambda text: runtime.stream_writer({"text": text}))
    replies.preface(reply, state)
    cite = _Citer(state, reply)
    outbox: list[dict[str, Any]] = []
    if mode == "answer":
        _answer(reply, state)
    elif mode == "follow_up":
        _follow_up(reply, state)
    elif mode == "emergency":
        _emergency(reply, state, desk, cite)
    else:
        outbox += await _advice(reply, state, desk, cite)
    stage = stage_of(state)
    outbox += [
        to_outbox(Event(type="request.declined", actor="service", payload={"intent": key}))
        for key in replies.declined(state)
    ]
    citations = [c.model_dump(mode="json") for c in reply.citations]
    if mode in ("emergency", "advice"):
        payload = {"turn": state["turn"], "mode": mode, "citations": citations}
        outbox.append(to_outbox(Event(type="advice.given", actor="service", payload=payload)))
    said = {"turn": state["turn"], "stage": stage, "text": reply.text, "citations": citations}
    outbox.append(to_outbox(Event(type="reply.given", actor="service", payload=said)))
    return {
        "advised": state["turn"] if mode in ("emergency", "advice") else state.get("advised", 0),
        "stage": stage,
        "reply": reply.text,
        "citations": reply.citations,
        "outbox": outbox,
    }


def stage_of(state: ConsultationState) -> Stage:
    """`emergency` when the decision is one, however it came about."""
    decided = state.get("triage")
    urgent = decided is not None and decided.level in triage.EMERGENCIES
    return "emergency" if urgent or urgent_flags(state) else "advise"


class _Citer:
    """Finds the passage that a sentence stands in, among those that were retrieved."""

    def __init__(self, state: ConsultationState, reply: replies.Reply) -> None:
        self.language = state["language"]
        self.passages = state.get("passages", [])
        self.reply = reply

    def mark(self, sentence: str, entry: str, person: Person | None = None) -> str:
        """The sentence, said of the person, with the number of its citation, when a passage of
        its entry holds it."""
        shown = about(sentence, person, self.language)
        for passage in self.passages:
            if passage["entry"] == entry and sentence in passage["text"]:
                number = self.reply.cite(citation(passage, sentence))
                return f"{shown} [{number}]"
        return shown


def citation(passage: dict[str, Any], quote: str) -> Citation:
    """The citation of a quote from a passage."""
    return Citation(
        chunk=passage["chunk"],
        document=passage["document"],
        title=passage["title"],
        release=passage["release"],
        quote=quote,
        source=passage["source"],
    )


def _bullets(
    reply: replies.Reply,
    title: dict[str, str],
    items: Iterable[tuple[str, Text]],
    language: str,
    cite: _Citer,
    person: Person | None = None,
) -> None:
    """A titled list of sentences, each with its citation. Items are (entry, sentence). With a
    `person` they are said of that person; what is cited stays as it is written."""
    rows = list(items)
    if not rows:
        return
    reply.paragraph(texts.say(title, language))
    for entry, text in rows:
        reply.line(f"- {cite.mark(getattr(text, language), entry, person)}")


def _emergency(reply: replies.Reply, state: ConsultationState, desk: Desk, cite: _Citer) -> None:
    """The headline first, then what to do now; nothing that could delay it. No model."""
    language = state["language"]
    decided = state["triage"]
    assert decided is not None  # a fired rule always has a decision
    reply.paragraph(texts.say(texts.LEVEL[decided.level], language))
    rules = [desk.knowledge.rules[flag.rule] for flag in urgent_flags(state)]
    for rule in rules[:2]:
        reply.line(cite.mark(getattr(rule.because, language), rule.id))
    items: dict[str, tuple[str, Text]] = {}
    # A rule's "go to an emergency department" may not stand below "call an ambulance": where the
    # danger of what is possible goes beyond the rules, that condition's first aid is given.
    if rules[0].level != decided.level and (speaking := speaking_conditions(state, desk)):
        for sentence in desk.knowledge.conditions[speaking[0]].advice.now:
            items.setdefault(getattr(sentence, language), (speaking[0], sentence))
        rules = []
    for rule in rules[:2]:
        for sentence in rule.advice:
            items.setdefault(getattr(sentence, language), (rule.id, sentence))
    _bullets(reply, texts.NOW, list(items.values())[:6], language, cite)
    reply.paragraph(texts.say(texts.WEIGH_AGAIN, language))


async def _advice(
    reply: replies.Reply, state: ConsultationState, desk: Desk, cite: _Citer
) -> list[dict[str, Any]]:
    language = state["language"]
    decided = state["triage"]
    assert decided is not None  # without a question there is a decision
    headline = texts.say(texts.LEVEL[decided.level], language, department=decided.department_name)
    reply.paragraph(headline)
    outbox: list[dict[str, Any]] = []
    urgent = decided.level in triage.EMERGENCIES
    if not urgent:
        outbox = await _summary(reply, state, desk)
        _reasons(reply, state)
    conditions = [desk.knowledge.conditions[key] for key in speaking_conditions(state, desk)]
    if conditions:
        first = conditions[0]
        if _clear(state) or decided.level in LEVELS[:3]:
            now = ((first.id, text) for text in first.advice.now)
            avoid = ((first.id, text) for text in first.advice.avoid)
            _bullets(reply, texts.NOW, now, language, cite)
            _bullets(reply, texts.AVOID, avoid, language, cite)
        for title, part, levels in (
            (texts.RETURN_IF, "return_if", LEVELS[2:]),
            (texts.AMBULANCE_IF, "ambulance_if", LEVELS[1:]),
        ):
            if decided.level not in levels:
                continue  # who is to call an ambulance now needs not hear when to see a doctor
            rows: dict[str, tuple[str, Text]] = {}
            for condition in conditions:
                for sentence in getattr(condition.advice, part):
                    rows.setdefault(getattr(sentence, language), (condition.id, sentence))
            # What to watch for is said of the patient; what to do, to whoever reads.
            person = replies.person_of(state)
            _bullets(reply, title, list(rows.values())[:4], language, cite, person)
    if urgent:  # what to do stands before why, and no model is waited for
        reply.paragraph(_fits(state))
        _reasons(reply, state)
    unsure = [f for f in state.get("findings", {}).values() if f.status == "unsure"]
    unknown = ""
    if unsure:
        items = texts.JOIN[language].join(f.label for f in unsure)
        unknown = texts.say(texts.UNKNOWN, language, items=items)
    reply.paragraph(texts.say(texts.NOT_CONSIDERED, language, unknown=unknown))
    reply.line(texts.say(texts.WEIGH_AGAIN, language))
    return outbox


def _clear(state: ConsultationState) -> bool:
    """Whether one condition stands out enough to be named to the patient."""
    return any(p.probability >= CLEAR_FROM for p in written(state.get("differential", []))[:1])


def _reasons(reply: replies.Reply, state: ConsultationState) -> None:
    decided = state["triage"]
    if decided is not None and decided.reasons and decided.level in LEVELS[:3]:
        reply.paragraph(texts.say(texts.WHY, state["language"]))
        for reason in decided.reasons[:3]:
            reply.line(f"- {reason}")


def _named(state: ConsultationState) -> list[Possibility]:
    """The conditions that the patient is told of; none when none stands out."""
    if not _clear(state):
        return []
    leading = written(state.get("differential", []))[:NAMED]
    return [p for p in leading if p.probability >= NAMED_FROM]


def _fits(state: ConsultationState) -> str:
    """What it may fit, in fixed words."""
    language = state["language"]
    names = texts.JOIN[language].join(item.name for item in _named(state))
    return texts.say(texts.FITS if names else texts.FITS_NOTHING, language, names=names)


async def _summary(
    reply: replies.Reply, state: ConsultationState, desk: Desk
) -> list[dict[str, Any]]:
    """What was told and what it may fit, in the model's words when they pass the check."""
    language = state["language"]
    named = _named(state)
    if not named:
        reply.paragraph(_fits(state))
        return []
    names = texts.JOIN[language].join(item.name for item in named)
    present = [f for f in state["findings"].values() if f.status == "present"]
    spoken = await speak(
        desk.ports.model,
        prompts.request(
            "summarise",
            language,
            seed=state.get("seed", 0),
            facts=replies.told(present, language),
            names=names,
            person=replies.person_of(state),
        ),
        purpose="summarise",
        facts=replies.facts(
            state, desk.knowledge, told=(), conditions=[item.condition for item in named]
        ),
        lexicon=desk.lexicon,
        language=language,
        clock=desk.ports.clock,
        show=reply.paragraph,
    )
    if spoken.text:
        reply.add(texts.say(texts.POSSIBLE, language), before=" " if language == "en" else "")
    else:
        reply.paragraph(_fits(state))
    return spoken.outbox


def _follow_up(reply: replies.Reply, state: ConsultationState) -> None:
    language = state["language"]
    if stage_of(state) == "emergency":
        decided = state.get("triage")
        if decided is not None:
            headline = texts.LEVEL[decided.level]
            reply.paragraph(texts.say(headline, language, department=decided.department_name))
        reply.paragraph(texts.say(texts.STILL_EMERGENCY, language))
    else:
        reply.paragraph(texts.say(texts.NOTHING_NEW, language))


def _answer(reply: replies.Reply, state: ConsultationState) -> None:
    """Answer a question with the sentences that answer it, under the name of what they are
    about, or say that there are none."""
    language = state["language"]
    passages = state.get("passages", [])
    if stage_of(state) == "emergency":
        reply.paragraph(texts.say(texts.STILL_EMERGENCY, language))
    if not passages:
        reply.paragraph(texts.say(texts.NO_ANSWER, language))
        return
    reply.paragraph(texts.say(texts.ANSWER_INTRO, language))
    heading = ""
    for passage in passages:
        above = f"{passage['title']} – {passage['section']}"
        if above != heading:
            heading = above
            reply.line(f"{heading}{':' if language == 'en' else '：'}")
        number = reply.cite(citation(passage, passage["text"]))
        reply.line(f"- {passage['text']} [{number}]")
