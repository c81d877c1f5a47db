"""Texts to the patient, turned to be about the patient: forms, and every text of the knowledge."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from agent.ports import Language
from agent.wording.person import Person, about
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import Text

CHILD, SON, BABY = Person.of("child"), Person.of("son"), Person.of("baby")
GIRL, MOTHER, FATHER = Person.of("child", "female"), Person.of("mother"), Person.of("father")
OTHER, ELDER = Person.of("other"), Person.of("elder")

ENGLISH: list[tuple[Person | None, str, str]] = [
    (CHILD, "Do you have a cough?", "Does your child have a cough?"),
    (MOTHER, "Are you short of breath?", "Is your mother short of breath?"),
    (FATHER, "Have you vomited?", "Has your father vomited?"),
    (SON, "Were you stung by a bee?", "Was your son stung by a bee?"),
    (BABY, "Does your belly hurt?", "Does your baby's belly hurt?"),
    (OTHER, "Do you feel dizzy?", "Does the patient feel dizzy?"),
    (CHILD, "Do your eyes itch?", "Do your child's eyes itch?"),
    (CHILD, "Can you take four steps?", "Can your child take four steps?"),
    (CHILD, "Did you twist your ankle?", "Did your child twist their ankle?"),
    (GIRL, "Did you twist your ankle?", "Did your child twist her ankle?"),
    (SON, "Have you lost your appetite?", "Has your son lost his appetite?"),
    (CHILD, "Does it burn when you cough?", "Does it burn when your child coughs?"),
    (MOTHER, "Does it hurt when you cry?", "Does it hurt when you cry?"),  # a verb not known
    (
        MOTHER,
        "Does urine leak when you cough, laugh or lift?",
        "Does urine leak when your mother coughs, laughs or lifts?",
    ),
    (
        FATHER,
        "Does the pain come when you walk, and ease when you rest?",
        "Does the pain come when your father walks, and ease when he rests?",
    ),
    (CHILD, "Have you hurt yourself on purpose?", "Has your child hurt themselves on purpose?"),
    (MOTHER, "Do voices tell you to hurt yourself?", "Do voices tell your mother to hurt herself?"),
    (SON, "Does the pain wake you at night?", "Does the pain wake your son at night?"),
    (MOTHER, "Does it make you cough or choke?", "Does it make your mother cough or choke?"),
    (FATHER, "Do you smoke, or have you smoked?", "Does your father smoke, or has he smoked?"),
    (CHILD, "Do you smoke, or have you smoked?", "Does your child smoke, or have they smoked?"),
    (
        FATHER,
        "Has a parent or brother of yours had it?",
        "Has a parent or brother of your father's had it?",
    ),
    (MOTHER, "Is it what you're eating?", "Is it what your mother is eating?"),
    (MOTHER, "Do you fear to die or lose it?", "Does your mother fear to die or lose it?"),
    (MOTHER, "You faint, are confused, or vomit.", "Your mother faints, is confused, or vomits."),
    (SON, "You cannot walk or pass urine.", "Your son cannot walk or pass urine."),
    # The reader looks, presses and asks; the patient is looked at.
    (CHILD, "Have you seen blood in your stool?", "Have you seen blood in your child's stool?"),
    (MOTHER, "Have you seen blood in your stool?", "Has your mother seen blood in her stool?"),
    (CHILD, "Can you feel a lump in your neck?", "Can you feel a lump in your child's neck?"),
    (
        CHILD,
        "Does it hurt more when you press on your chest?",
        "Does it hurt more when you press on your child's chest?",
    ),
    (CHILD, "Is your question about a vaccine?", "Is your question about a vaccine?"),
    (
        CHILD,
        "Did you come because you worry that it could be cancer?",
        "Did you come because you worry that it could be cancer?",
    ),
    # What speaks of somebody already, and what the reader is to do.
    (CHILD, "Are you worried that the child is pale?", "Are you worried that the child is pale?"),
    (CHILD, "Is the child drinking?", "Is the child drinking?"),
    (CHILD, "Can you wake the child?", "Can you wake the child?"),
    (MOTHER, "Do you feel close to the baby?", "Does your mother feel close to the baby?"),
    (CHILD, "Do you feel close to the baby?", "Do you feel close to the baby?"),
    (CHILD, "A fit: call 120 (or your local number).", "A fit: call 120 (or your local number)."),
    (CHILD, "A fit: call your local emergency number.", "A fit: call your local emergency number."),
    (CHILD, "Do not drive yourself.", "Do not drive yourself."),
    (CHILD, "Go now and take your medicines along.", "Go now and take your medicines along."),
    (MOTHER, "You bleed; kneel while you wait.", "You bleed; kneel while you wait."),
    # Not sure, so left: what is joined might be a verb or not.
    (MOTHER, "You cannot drink, or pass little urine.", "You cannot drink, or pass little urine."),
    (MOTHER, "You have fever or cough.", "You have fever or cough."),
    (MOTHER, "Is it hard to lift your arms?", "Is it hard to lift your arms?"),
    (None, "Do you have a cough?", "Do you have a cough?"),
]  # fmt: skip
CHINESE: list[tuple[Person | None, str, str]] = [
    (CHILD, "您咳嗽吗？", "孩子咳嗽吗？"),
    (BABY, "您的鼻子在流血吗？", "宝宝的鼻子在流血吗？"),
    (SON, "你有没有被蛇咬？", "孩子有没有被蛇咬？"),
    (MOTHER, "您头晕吗？", "您母亲头晕吗？"),
    (ELDER, "最近几天您有没有漏打胰岛素？", "最近几天老人有没有漏打胰岛素？"),
    (OTHER, "医生说过您有高血压吗？", "医生说过病人有高血压吗？"),
    (MOTHER, "您有房颤，或您装有起搏器吗？", "您母亲有房颤，或她装有起搏器吗？"),
    (CHILD, "头痛会把您痛醒吗？", "头痛会把孩子痛醒吗？"),
    (MOTHER, "您打字、抱孩子时手麻吗？", "您母亲打字、抱孩子时手麻吗？"),
    (CHILD, "有没有皮疹？", "有没有皮疹？"),
    (CHILD, "您是不是担心孩子长得慢？", "您是不是担心孩子长得慢？"),
    (CHILD, "孩子一离开您就哭吗？", "孩子一离开您就哭吗？"),
    (CHILD, "您是想咨询打疫苗的事吗？", "您是想咨询打疫苗的事吗？"),
    (MOTHER, "您或家人有没有发现口臭？", "您或家人有没有发现口臭？"),
    (MOTHER, "您们都咳嗽吗？", "您们都咳嗽吗？"),
    (None, "您咳嗽吗？", "您咳嗽吗？"),
]  # fmt: skip


@pytest.mark.parametrize(("person", "text", "expected"), ENGLISH)
def test_english(person: Person | None, text: str, expected: str) -> None:
    assert about(text, person, "en") == expected


@pytest.mark.parametrize(("person", "text", "expected"), CHINESE)
def test_chinese(person: Person | None, text: str, expected: str) -> None:
    assert about(text, person, "zh") == expected


def test_who_writes_for_themselves_is_no_person() -> None:
    assert Person.of(None) is None
    assert Person.of("self", "male") is None


# --- everything that is asked ------------------------------------------------------------------

PEOPLE = (CHILD, GIRL, SON, BABY, MOTHER, FATHER, OTHER)
ONE = r"(?:your (?:child|son|baby|mother|father)|the patient)"
_BAD = {
    "an auxiliary for you": rf"\b(?:[Dd]o|[Hh]ave|[Aa]re|[Ww]ere) {ONE}(?!')\b",
    "one who do": rf"\b{ONE} (?:have|are|were|do|get|feel|eat|cough|lie|go)\b",
    "you with a verb of one": r"\b[Yy]ou (?:has|is|was|does)\b",
    "he with a verb of several": r"\b(?:he|she) (?:have|are|were|do|get|feel|eat|cough|lie|go)\b",
    "twice": rf"\b{ONE} {ONE}\b|\b(\w+) \1\b",
}
_READER = re.compile(
    r"\b[Yy]ou (?:come|worry|fear|asking|worried|need|seen|noticed|or others|see|feel|press|touch|"
    r"pull|pinched|speak|find|had|feed)\b|not know you|parting from you|worry you|[Yy]our question|"
    r"your new baby|your health"
)


def _finite(text: str) -> str:
    """Without "Does your child have", where the verb is rightly bare."""
    return re.sub(
        rf"\b(?:[Dd]oes|[Dd]id|[Cc]an|[Cc]ould|[Mm]ake|[Ss]een|[Mm]akes) (?:he|she|{ONE})\b",
        "X",
        text,
    )


def asked(knowledge: ClinicalKnowledge, person: Person) -> Iterator[Text]:
    """The questions that may be asked about such a person."""
    for finding in knowledge.findings.values():
        who = finding.who
        if who is not None:
            if person.sex and who.sex not in (None, person.sex):
                continue
            if person.child and (who.min_age or 0) >= 14:
                continue
            if not person.child and (who.max_age or 130) <= 18:
                continue
        yield finding.ask


@pytest.mark.parametrize("person", PEOPLE, ids=lambda p: f"{p.relation}_{p.sex}")
def test_every_question_in_english(real: ClinicalKnowledge, person: Person) -> None:
    wrong, turned, left = [], 0, []
    for ask in asked(real, person):
        text = about(ask.en, person, "en")
        if text == ask.en:
            if re.search(r"\b[Yy]ou(?:r|rs|rself)?\b", text):
                left.append(text)
            continue
        turned += 1
        bare = _finite(text)
        wrong += [f"{why}: {text}" for why, bad in _BAD.items() if re.search(bad, bare)]
        rest = re.sub(rf"\b{ONE}\b", "", bare, flags=re.IGNORECASE)
        if re.search(r"\b[Yy]ou(?:r|rs|rself)?\b", rest) and not _READER.search(rest):
            wrong.append(f"you: {text}")
        if not text.endswith("?") or not text[0].isupper() or "  " in text:
            wrong.append(f"form: {text}")
    assert not wrong, "\n".join(wrong)
    assert turned > 400
    assert not [text for text in left if not _READER.search(text) and "the baby" not in text]


@pytest.mark.parametrize("person", PEOPLE, ids=lambda p: f"{p.relation}_{p.sex}")
def test_every_question_in_chinese(real: ClinicalKnowledge, person: Person) -> None:
    name = person.name("zh")
    turned, left = 0, []
    for ask in asked(real, person):
        text = about(ask.zh, person, "zh")
        assert text.endswith("？")
        assert name * 2 not in text
        if text != ask.zh:
            turned += 1
            assert name in text
            assert not re.search("[您你]", text.replace(name, "")), text
        elif re.search("[您你]", text):
            left.append(text)
    assert turned > 180
    assert len(left) < 16, left


@pytest.mark.parametrize("person", PEOPLE, ids=lambda p: f"{p.relation}_{p.sex}")
def test_what_to_watch_for(real: ClinicalKnowledge, person: Person) -> None:
    turned = 0
    for condition in real.conditions.values():
        for text in (*condition.advice.return_if, *condition.advice.ambulance_if):
            for language in ("en", "zh"):
                before, after = _both(text, person, language)
                turned += before != after
                assert before.count("120") == after.count("120")
                assert before.count("your local") == after.count("your local")
                if before != after and language == "en":
                    bare = _finite(after)
                    assert not any(re.search(bad, bare) for bad in _BAD.values()), after
    assert turned > 250


def _both(text: Text, person: Person, language: Language) -> tuple[str, str]:
    before = text.en if language == "en" else text.zh
    return before, about(before, person, language)
