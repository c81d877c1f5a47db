"""Which relative of the writer a word names: 我妈 and "mum" both name the mother."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, get_args

Relation = Literal[
    "self", "child", "baby", "son", "daughter", "grandchild", "grandson", "granddaughter",
    "nephew", "niece", "other", "elder", "mother", "father", "wife", "husband", "partner",
    "girlfriend", "boyfriend", "grandmother", "grandfather", "sister", "elder_sister",
    "younger_sister", "brother", "elder_brother", "younger_brother", "aunt", "uncle",
    "mother_in_law", "father_in_law",
]  # fmt: skip
"""Who the patient is to the one who writes. `child` and `other` where no more is known."""
CHILDREN: frozenset[Relation] = frozenset(get_args(Relation)[1:10])

# The first that fits counts: what is longer stands before what it begins with. "Child" and words
# for anybody are left out; they say no more than the role does.
_WORDS: tuple[tuple[Relation, str], ...] = (
    ("grandson", r"grandson|孙子|外孙(?!女)"),
    ("granddaughter", r"granddaughter|孙女|外孙女"),
    ("grandchild", r"grandchild"),
    ("nephew", r"nephew|侄子|外甥(?!女)"),
    ("niece", r"niece|侄女|外甥女"),
    ("son", r"son\b|儿子|大儿子|小儿子|男宝|我家小子"),
    ("daughter", r"daughter|女儿|闺女|女宝|小丫头"),
    ("baby", r"baby|infant|newborn|宝宝|婴儿|新生儿|男婴|女婴"),
    ("mother_in_law", r"(?:mother|mum|mom)[- ]in[- ]law|婆婆|岳母|丈母娘"),
    ("father_in_law", r"(?:father|dad)[- ]in[- ]law|公公|岳父"),
    ("mother", r"mother\b|mum|mom|妈|母亲|老妈"),
    ("father", r"father\b|dad|爸|父亲|老爸"),
    ("wife", r"wife|老婆|妻子|媳妇"),
    ("husband", r"husband|hubby|老公|丈夫"),
    ("partner", r"partner|spouse|爱人"),
    ("girlfriend", r"girlfriend|女朋友"),
    ("boyfriend", r"boyfriend|男朋友"),
    ("grandmother", r"grandm|nan|gran(?:ny)?\b|奶奶|外婆|姥姥"),
    ("grandfather", r"grandfather|grandpa|grandad|granddad|爷爷|外公|姥爷"),
    ("elder_sister", r"姐"),
    ("younger_sister", r"妹"),
    ("sister", r"sister\b"),
    ("elder_brother", r"哥"),
    ("younger_brother", r"弟"),
    ("brother", r"brother\b"),
    ("aunt", r"aunt|姑|姨妈"),
    ("uncle", r"uncle|叔|舅|伯"),
    ("elder", r"老人|老头|老伴"),
)  # fmt: skip
_ANY = re.compile("|".join(f"(?P<{relation}>{words})" for relation, words in _WORDS))
# Named, and not the one who is ill: the unborn, who is quarrelled with, who might be harmed.
_NOT_ILL = re.compile(
    r"\banother baby\b|\bbaby(?:'?s)? (?:(?:is|has|not|isn'?t|hasn'?t) )*(?:kick|mov)|"
    r"\bbaby(?:'s)? head\b|\b(?:hurt|harm|shake) (?:my|the) (?:baby|child)\b|"
    r"\b(?:boyfriend|husband|partner|girlfriend|wife) (?:hits?|beats?|choked|threw|pushed|had his"
    r" hands)\b|大姨妈|伤害(?:我的?)?(?:孩子|宝宝)|(?:孩子|宝宝)要(?:掉|生|出来)|[和跟].{1,5}吵架"
)
_STEPS = frozenset({"son", "daughter", "sister", "brother"})


def relation_at(text: str, start: int) -> Relation | None:
    """The relation that a person's word at a place names; None where it says only the role."""
    match = _ANY.match(text, start)
    if match is None:
        return None
    relation: Relation = match.lastgroup  # type: ignore[assignment]
    # A son-in-law is no child, and a word of his own is not worth having.
    if relation in _STEPS and text[match.end() :].startswith(("-in-law", " in law")):
        return "other"
    return relation


def names_the_ill(text: str) -> bool:
    """Whether the relatives in a text are not clearly something else than the patient."""
    return not _NOT_ILL.search(text)


def one_of(relations: Sequence[Relation], *, child: bool) -> Relation:
    """The relation that a message's words come to. Two different people leave only the role."""
    found = set(relations)
    if child:
        named = found - {"child", "baby"}
        if not named and "baby" in found:
            return "baby"
        return named.pop() if len(named) == 1 else "child"
    named = found - {"other", "elder"}
    if not named and found == {"elder"}:
        return "elder"
    return named.pop() if len(named) == 1 else "other"
