"""Corrects typing errors in English words: letters lost, doubled, changed or swapped, words as they
sound, and a space left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

# Everyday words that lie near a medical one.
_EVERYDAY = frozenset(
    [
        "always",
        "another",
        "anything",
        "around",
        "beast",
        "beaver",
        "because",
        "before",
        "behind",
        "belief",
        "believe",
        "bell",
        "bellies",
        "below",
        "belt",
        "berry",
        "between",
        "billy",
        "black",
        "blame",
        "bleak",
        "bled",
        "bleep",
        "blend",
        "block",
        "blond",
        "bloom",
        "blow",
        "blown",
        "board",
        "bold",
        "bother",
        "brand",
        "breach",
        "bread",
        "bream",
        "breast",
        "breed",
        "broad",
        "brood",
        "brother",
        "bully",
        "buying",
        "calling",
        "chalk",
        "chance",
        "change",
        "charge",
        "chart",
        "chase",
        "cheat",
        "check",
        "cheek",
        "cheer",
        "cheese",
        "chef",
        "chess",
        "chew",
        "chicken",
        "choir",
        "choose",
        "chore",
        "chose",
        "clock",
        "coast",
        "coke",
        "coming",
        "crest",
        "doctor",
        "dummy",
        "during",
        "earth",
        "either",
        "else",
        "evening",
        "ever",
        "everything",
        "fainter",
        "farther",
        "fast",
        "fatal",
        "fated",
        "father",
        "favor",
        "favour",
        "feast",
        "feather",
        "feint",
        "fewer",
        "first",
        "fished",
        "fist",
        "flavor",
        "flint",
        "flood",
        "forever",
        "friend",
        "future",
        "getting",
        "ground",
        "having",
        "healthy",
        "hear",
        "heard",
        "hearing",
        "hears",
        "hearty",
        "heat",
        "heater",
        "heating",
        "hopeful",
        "hoping",
        "kicking",
        "kitchen",
        "leader",
        "leaving",
        "letting",
        "level",
        "lever",
        "listen",
        "little",
        "looking",
        "making",
        "matter",
        "maybe",
        "minute",
        "missing",
        "mission",
        "moment",
        "months",
        "morning",
        "mother",
        "mummy",
        "never",
        "nothing",
        "number",
        "office",
        "omit",
        "others",
        "painted",
        "passed",
        "passing",
        "pasted",
        "paying",
        "people",
        "person",
        "picking",
        "playing",
        "please",
        "plum",
        "posted",
        "pretty",
        "pules",
        "pulls",
        "purse",
        "rather",
        "really",
        "reason",
        "relief",
        "resting",
        "river",
        "saying",
        "school",
        "seat",
        "second",
        "seize",
        "sheet",
        "should",
        "showing",
        "sister",
        "sized",
        "something",
        "staying",
        "stoke",
        "stone",
        "store",
        "streak",
        "strict",
        "strike",
        "string",
        "stroked",
        "strokes",
        "stroll",
        "strong",
        "struck",
        "sudden",
        "summer",
        "swear",
        "sweat",
        "sweep",
        "sweet",
        "taint",
        "taking",
        "talking",
        "tested",
        "there",
        "things",
        "thinking",
        "though",
        "thought",
        "threat",
        "three",
        "throne",
        "through",
        "throw",
        "ticking",
        "together",
        "tommy",
        "tonight",
        "toward",
        "travel",
        "treat",
        "trying",
        "tummies",
        "waiting",
        "wanting",
        "washed",
        "weather",
        "weekend",
        "whether",
        "winter",
        "wished",
        "within",
        "without",
        "wonder",
        "working",
        "wreath",
        "yesterday",
        "yummy",
    ]
)
# Words that are written as they are heard, or by voice input.
_HEARD = {
    "breth": "breath", "brethe": "breathe", "breeth": "breathe", "brething": "breathing",
    "breathin": "breathing", "beathing": "breathing", "seizer": "seizure", "movd": "moved", "wks":
    "weeks", "nite": "night", "lite": "light", "stif": "stiff", "wekk": "week", "hed": "head",
    "hedd": "head", "nek": "neck", "leggs": "legs", "bludd": "blood", "dyin": "dying", "hav":
    "have", "seizers": "seizures", "seezure": "seizure", "siezure": "seizure", "sezure": "seizure",
    "ceasure": "seizure", "numness": "numbness", "nummness": "numbness", "throte": "throat",
    "throt": "throat", "thoat": "throat", "stomack": "stomach", "stumach": "stomach", "testical":
    "testicle", "testicals": "testicles", "stroak": "stroke", "tounge": "tongue", "tung": "tongue",
    "toung": "tongue", "weezing": "wheezing", "wheesing": "wheezing", "feinted": "fainted",
    "fanted": "fainted", "pased": "passed", "bleedin": "bleeding", "bleading": "bleeding",
    "bleding": "bleeding", "blud": "blood", "blod": "blood", "hart": "heart", "hert": "hurt",
    "cheast": "chest", "chset": "chest", "ches": "chest", "chast": "chest", "pregnet": "pregnant",
    "sweling": "swelling", "swolen": "swollen", "swollin": "swollen", "vommit": "vomit", "vomting":
    "vomiting", "vommiting": "vomiting", "alergic": "allergic", "allergik": "allergic", "alergy":
    "allergy", "suiside": "suicide", "sucide": "suicide", "suicde": "suicide", "suicidle":
    "suicidal", "poisend": "poisoned", "poisned": "poisoned", "overdoze": "overdose",
    "parasetamol": "paracetamol", "paracetemol": "paracetamol", "parcetamol": "paracetamol",
    "ibuprofin": "ibuprofen", "asprin": "aspirin", "unconcious": "unconscious", "unconsious":
    "unconscious", "unconcsious": "unconscious", "uncontious": "unconscious", "diarea": "diarrhea",
    "newmonia": "pneumonia", "asma": "asthma", "azma": "asthma", "asthama": "asthma", "inhailer":
    "inhaler", "babys": "baby's", "vison": "vision", "paralized": "paralyzed", "parralysed":
    "paralysed", "fitts": "fits", "convulshun": "convulsion", "coffing": "coughing", "coffed":
    "coughed", "anafylaxis": "anaphylaxis", "anaphalaxis": "anaphylaxis", "anaphylaxsis":
    "anaphylaxis", "miscarige": "miscarriage", "umbillical": "umbilical", "dizy": "dizzy", "dizzi":
    "dizzy", "purpel": "purple", "swet": "sweat", "swetting": "sweating", "sweting": "sweating",
    "cluthing": "clutching", "collasped": "collapsed", "colapsed": "collapsed", "collapsd":
    "collapsed", "ambulence": "ambulance", "stabed": "stabbed", "chocking": "choking", "chokin":
    "choking", "choaking": "choking", "swallered": "swallowed", "swalowed": "swallowed", "batery":
    "battery", "bleech": "bleach", "wont": "won't", "dosent": "doesn't", "dosnt": "doesn't",
    "doesent": "doesn't", "cnt": "can't", "carnt": "can't", "cudnt": "couldn't",
}  # fmt: skip
# Short words in which one slip is put right: few, and what lies near them is in `_EVERYDAY`.
_SHORT = frozenset(
    [
        "blood",
        "bleed",
        "breath",
        "chest",
        "choke",
        "faint",
        "fever",
        "heart",
        "pulse",
        "stroke",
        "throat",
        "tummy",
        "belly",
        "vomit",
    ]
)
_LEAST = 6  # letters of a word that is corrected to any word of the lexicon


class Speller:
    """Finds the word that is meant.

    One edit away: a letter lost, added, changed, or two swapped. Symmetric deletes: a word and
    its misspelling share a form with one letter taken out. Words must begin with the same letter
    and be at least six letters long, or mean one of a few short words. Two edits away only when
    the words sound alike.
    """

    def __init__(self, words: Iterable[str], known: Iterable[str] = ()) -> None:
        """`words` may be put in; `known` are other words that are right as they stand."""
        self._words = frozenset(words) | _SHORT
        self._known = frozenset(known) | _EVERYDAY | self._words
        self._forms: dict[str, set[str]] = {}
        self._alike: dict[str, set[str]] = {}
        for word in sorted(self._words):
            for form in _deletes(word):
                self._forms.setdefault(form, set()).add(word)
            if len(word) > _LEAST:
                self._alike.setdefault(_sound(word), set()).add(word)
        self.correct = lru_cache(maxsize=4096)(self._correct)
        self.parted = lru_cache(maxsize=4096)(self._parted)

    def _correct(self, word: str) -> str | None:
        """The known word that is meant, or None."""
        if word in _HEARD:
            return _HEARD[word]
        if word in self._known or len(word) < 4:
            return None
        near = {
            known
            for form in _deletes(word)
            for known in self._forms.get(form, ())
            if known[0] == word[0] and _one_edit(word, known)
        }
        if len(word) < _LEAST:
            near &= _SHORT
        elif not near:
            near = {
                known
                for known in self._alike.get(_sound(word), ())
                if known[0] == word[0] and abs(len(known) - len(word)) <= 2
            }
        return min(near, key=lambda known: (abs(len(known) - len(word)), known), default=None)

    def _parted(self, word: str) -> int | None:
        """Where a space was left out of "chestpain", or None. Both parts are known words."""
        if len(word) < 7 or word in self._known or self.correct(word) is not None:
            return None
        for cut in range(4, len(word) - 3):
            if word[:cut] in self._words and word[cut:] in self._known:
                return cut
            if word[:cut] in self._known and word[cut:] in self._words:
                return cut
        return None


_SOFT = re.compile(r"[aeiouyhw]")


def _sound(word: str) -> str:
    """A word by its consonants as they are heard: "diarhoea" and "diarrhoea" agree."""
    heard = word.replace("ph", "f").replace("ck", "k").replace("sc", "s").replace("x", "ks")
    heard = re.sub(r"c(?=[eiy])", "s", heard).replace("c", "k").replace("z", "s").replace("q", "k")
    heard = heard[0] + _SOFT.sub("", heard[1:])
    return re.sub(r"(.)\1+", r"\1", heard)


def _deletes(word: str) -> set[str]:
    return {word, *(word[:i] + word[i + 1 :] for i in range(1, len(word)))}


def _one_edit(first: str, second: str) -> bool:
    """Whether one insertion, deletion, change or swap turns one word into the other."""
    if abs(len(first) - len(second)) > 1:
        return False
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    a, b = first[start:], second[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (a[2:] == b[2:] and a[:2] == b[1::-1])
    return a[1:] == b if len(a) > len(b) else a == b[1:]
