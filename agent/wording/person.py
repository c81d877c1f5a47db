"""Whom a text speaks of: what is written to the patient, turned to be about the patient where
somebody else writes ("Do you cough?" becomes "Does your child cough?").

Pure. A text whose turning is not sure stays as it is: a question to the wrong person is understood,
a garbled one is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from agent.language.relations import CHILDREN, Relation
from agent.ports import Language
from agent.wording import english
from knowledge.clinical.schema import Sex

# What each is called, and their sex where the word tells it.
_CALLED: dict[Relation, tuple[str, str, Sex | None]] = {
    "child": ("your child", "孩子", None),
    "baby": ("your baby", "宝宝", None),
    "son": ("your son", "孩子", "male"),
    "daughter": ("your daughter", "孩子", "female"),
    "grandchild": ("your grandchild", "孩子", None),
    "grandson": ("your grandson", "孩子", "male"),
    "granddaughter": ("your granddaughter", "孩子", "female"),
    "nephew": ("your nephew", "孩子", "male"),
    "niece": ("your niece", "孩子", "female"),
    "other": ("the patient", "病人", None),
    "elder": ("the patient", "老人", None),
    "mother": ("your mother", "您母亲", "female"),
    "father": ("your father", "您父亲", "male"),
    "wife": ("your wife", "您妻子", "female"),
    "husband": ("your husband", "您丈夫", "male"),
    "partner": ("your partner", "您爱人", None),
    "girlfriend": ("your girlfriend", "您女朋友", "female"),
    "boyfriend": ("your boyfriend", "您男朋友", "male"),
    "grandmother": ("your grandmother", "老人", "female"),
    "grandfather": ("your grandfather", "老人", "male"),
    "sister": ("your sister", "您姐妹", "female"),
    "elder_sister": ("your sister", "您姐姐", "female"),
    "younger_sister": ("your sister", "您妹妹", "female"),
    "brother": ("your brother", "您兄弟", "male"),
    "elder_brother": ("your brother", "您哥哥", "male"),
    "younger_brother": ("your brother", "您弟弟", "male"),
    "aunt": ("your aunt", "病人", "female"),
    "uncle": ("your uncle", "病人", "male"),
    "mother_in_law": ("your mother-in-law", "老人", "female"),
    "father_in_law": ("your father-in-law", "老人", "male"),
}

# In a text that speaks of a child already, the reader is the carer; so is who is asked what the
# consultation is for. "The baby" beside a grown patient is her baby.
_CHILD_ZH = re.compile(r"(?<![抱完过、])孩子|宝宝|婴儿|新生儿|小孩")
_CARER_ZH = re.compile(
    r"想咨询|想问|才来的|担心孩子|让您担心的|[您你](?:或[^，？。]{1,4})?有没有发现"
    r"|没人能送[您你]"
)
_YOU_ZH = re.compile(r"[您你](们)?")


@dataclass(frozen=True)
class Person:
    """The patient, as the one who writes would speak of them."""

    relation: Relation
    sex: Sex | None = None

    @classmethod
    def of(cls, relation: Relation | None, sex: Sex | None = None) -> Person | None:
        """None where the writer is the patient, as far as is known."""
        if relation is None or relation not in _CALLED:
            return None
        return cls(relation, _CALLED[relation][2] or sex)

    @property
    def child(self) -> bool:
        """Whether it is a child of the writer's, or one in their care."""
        return self.relation in CHILDREN

    def name(self, language: Language) -> str:
        """ "Your child", 孩子; without a capital."""
        english, chinese, _ = _CALLED[self.relation]
        return english if language == "en" else chinese


@cache
def names(language: Language) -> frozenset[str]:
    """Every name that a patient who does not write can go by."""
    return frozenset(Person(relation).name(language) for relation in _CALLED)


def about(text: str, person: Person | None, language: Language) -> str:
    """A text written to the patient, about this person; unchanged where that is not sure."""
    if person is None:
        return text
    if language == "en":
        return english.turned(text, person.name("en"), person.sex, child=person.child) or text
    return _chinese(text, person)


def _chinese(text: str, person: Person) -> str:
    if _CARER_ZH.search(text) or (person.child and _CHILD_ZH.search(text)):
        return text
    name = person.name("zh")
    again = {"female": "她", "male": "他", None: name}[person.sex]
    found = list(_YOU_ZH.finditer(text))
    if any(match[1] for match in found):
        return text  # 您们: to more than one
    for place, match in reversed(list(enumerate(found))):
        text = text[: match.start()] + (again if place else name) + text[match.end() :]
    return text
