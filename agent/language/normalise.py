"""Brings a message into one form, and remembers where every character came from.

Full-width and traditional characters, capitals, typographic quotes and emoji make no difference
to understanding. Quotes must nevertheless be the patient's own words, so the map back to the
original is kept for each character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from knowledge.clinical.characters import simplified

Language = Literal["zh", "en"]

_PUNCTUATION = {
    "’": "'",
    "‘": "'",
    "´": "'",
    "`": "'",
    "“": '"',
    "”": '"',
    "—": "-",
    "–": "-",
    "。": "。",
    "\n": "\n",
    "\t": " ",
    "°": "°",
    "º": "°",
}
# Characters that the single-character table of OpenCC leaves or turns in a way that does not
# suit what patients mean.
_CHARACTERS = {
    "囗": "口", "著": "着", "妳": "你", "痠": "酸", "癢": "痒", "徵": "征", "乾": "干", "嚥": "咽",
}  # fmt: skip
# Frequent slips of the Chinese keyboard; same length, so that positions stay.
_SLIPS = {
    "咳漱": "咳嗽",
    "喷涕": "喷嚏",
    "喷踢": "喷嚏",
    "咳瘶": "咳嗽",
    "克嗽": "咳嗽",
    "鼻踢": "鼻涕",
    "发绕": "发烧",
    "发浇": "发烧",
    "发骚": "发烧",
    "拉肚了": "拉肚子",
    "头庝": "头疼",
    "头腾": "头疼",
    "吼咙": "喉咙",
    "候咙": "喉咙",
    "恶芯": "恶心",
    "呕土": "呕吐",
    "胸囗": "胸口",
    "按疮": "暗疮",
}
_SLIP = re.compile("|".join(map(re.escape, _SLIPS)))


@cache
def _simplified() -> dict[str, str]:
    """Traditional to simplified, as patients mean it."""
    return simplified() | _CHARACTERS


@lru_cache(maxsize=8192)
def _character(char: str) -> str:
    """What one character becomes: nothing, one character or a few."""
    if char in _PUNCTUATION:
        return _PUNCTUATION[char]
    if char.isascii():
        return char.lower() if char.isprintable() else " "
    category = unicodedata.category(char)
    if category in ("Cf", "Mn", "Me", "Cs", "Co"):
        return ""
    if category in ("Zs", "Zl", "Zp", "Cc", "Cn"):
        return " "
    plain = unicodedata.normalize("NFKC", char).lower()
    if category == "So" and plain == char:
        return " "
    table = _simplified()
    return "".join(table.get(part, part) for part in plain)


@dataclass(frozen=True, slots=True)
class Normalised:
    """A message in its normal form. `starts[i]` and `ends[i]` bound, in the original, what the
    i-th character came from."""

    original: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def quote(self, start: int, end: int) -> str:
        """The patient's own words behind `text[start:end]`."""
        if start >= end:
            return ""
        return self.original[self.starts[start] : self.ends[end - 1]]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Bounds in the original of `text[start:end]`."""
        return self.starts[start], self.ends[end - 1]


def normalise(original: str) -> Normalised:
    """The normal form of a message. Works on every string; never fails."""
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for index, char in enumerate(original):
        for part in _character(char):
            out.append(part)
            starts.append(index)
            ends.append(index + 1)
    text = "".join(out)
    if not text.isascii():
        text = _SLIP.sub(_slip, text)
    return Normalised(original, text, tuple(starts), tuple(ends))


def plain(text: str) -> str:
    """The normal form alone, for patterns of the knowledge."""
    return normalise(text).text


def _slip(match: re.Match[str]) -> str:
    return _SLIPS[match.group()]


_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]+")


def has_chinese(text: str) -> bool:
    """Whether there is at least one Chinese character."""
    return _CJK.search(text) is not None


def detect_language(text: str) -> Language | None:
    """The language of a message, or None when it holds no letters of either.

    A Chinese character carries about as much as a word, so the two are compared as such.
    """
    chinese = len(_CJK.findall(text))
    words = len(_LATIN.findall(text))
    if chinese == 0 and words == 0:
        return None
    return "zh" if chinese >= words else "en"


# --- English words ----------------------------------------------------------------------------

_IRREGULAR = {
    # The stemmer takes these two for "over".
    "overeating": "overeat", "overate": "overeat", "overeaten": "overeat",
    "threw": "throw", "thrown": "throw", "felt": "feel", "came": "come", "ate": "eat",
    "eaten": "eat", "fell": "fall", "fallen": "fall", "broke": "break", "broken": "break",
    "bitten": "bite", "stung": "sting", "bled": "bleed", "swollen": "swell", "swole": "swell",
    "got": "get", "gotten": "get", "has": "have", "had": "have", "having": "have",
    "took": "take", "taken": "take", "ran": "run", "drank": "drink", "slept": "sleep",
    "woke": "wake", "woken": "wake", "lost": "lose", "feet": "foot", "teeth": "tooth",
    "children": "child", "went": "go", "gone": "go", "goes": "go", "seen": "see", "saw": "see",
    "began": "begin", "begun": "begin", "spoke": "speak", "shook": "shake", "burnt": "burn",
    "unable": "can't", "cannot": "can't", "cant": "can't", "couldn't": "can't", "couldnt": "can't",
    "dont": "don't", "doesnt": "doesn't", "didnt": "didn't", "isnt": "isn't",
    "wasnt": "wasn't", "havent": "haven't", "hasnt": "hasn't", "wont": "won't", "im": "i'm",
    "ive": "i've", "arent": "aren't", "ache": "ach", "stomachache": "stomachach",
    "lying": "lie", "laying": "lie", "died": "died", "dying": "die", "worse": "worse",
    "crushed": "crushed", "pian": "pain", "apin": "pain", "stomache": "stomach",
    "hedache": "headach",
    "headche": "headach", "headace": "headach", "diarrea": "diarrhea", "diarhea": "diarrhea",
    "diahrea": "diarrhea", "diahrrea": "diarrhea", "diarreah": "diarrhea", "diahorrea": "diarrhea",
    "diarrhoea": "diarrhea", "diarrhea": "diarrhea", "diarhoea": "diarrhea", "brething": "breath",
    "breating": "breath", "breathe": "breath", "coff": "cough", "couging": "cough",
    "throught": "throat", "feaver": "fever", "fevr": "fever", "vomitting": "vomit",
    # Words whose stem means something else: no walking limp is limp, no stabbing pain a stab.
    "limping": "limping", "limps": "limping", "limped": "limping", "stabbed": "stabbed",
    "knifed": "knifed", "spotting": "spotting", "irritable": "irritable",
    "irritability": "irritable", "irritably": "irritable", "alcoholic": "alcoholic",
    "alcoholics": "alcoholic", "alcoholism": "alcoholism", "retractions": "retractions",
    "severed": "severed", "faintly": "faintly", "weakly": "weakly", "lately": "lately",
    "cervicitis": "cervicitis", "prostatitis": "prostatitis", "thyroiditis": "thyroiditis",
    "tearful": "tearful", "tearfulness": "tearful",
    "am": "be", "is": "be", "are": "be", "was": "be", "were": "be", "been": "be", "being": "be",
}  # fmt: skip
_OUR = re.compile(r"(?<=[a-z]{3})our(?=$|s$|ed$|less$|ing$)")
_YSE = re.compile(r"(?<=[a-z]{3})([yi])z(?=e|ing)")
_SHORT_OUR = frozenset({"hours", "yours", "flour", "pours", "tours", "sours", "fours"})
_WORD = re.compile(r"[a-zà-ɏ]+(?:'[a-z]+)*|\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Token:
    """An English word or number: its stem and its place in the normal form."""

    stem: str
    word: str
    start: int
    end: int


@cache
def _stemmer() -> Callable[[str], str]:
    import snowballstemmer

    stem: Callable[[str], str] = snowballstemmer.stemmer("english").stemWord
    return stem


@lru_cache(maxsize=32768)
def stem(word: str) -> str:
    """The stem under which a word is compared; British and American spelling agree."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("'s"):
        word = word[:-2]
        if word in _IRREGULAR:
            return _IRREGULAR[word]
    if "'" in word or word[0].isdigit():
        return word
    if len(word) >= 6:
        word = word.replace("oe", "e").replace("ae", "e")
        word = _YSE.sub(r"\1s", word)
    if len(word) >= 5 and word not in _SHORT_OUR:
        word = _OUR.sub("or", word)
    return _stemmer()(word)


def tokens(text: str) -> list[Token]:
    """The English words and the numbers of a normal form, in order."""
    found: list[Token] = []
    for match in _WORD.finditer(text):
        word = match.group()
        if word == "to" and found and found[-1].stem == "can't":
            continue  # "unable to pee" is "can't pee"
        if word == "able" and found:
            denial = found[-1] if found[-1].stem != "be" else found[-2] if found[1:] else None
            if denial is not None and (denial.word == "not" or denial.word.endswith("n't")):
                del found[found.index(denial) :]
                found.append(Token("can't", "can't", denial.start, match.end()))
                continue
        if word == "not" and found and found[-1].word == "can":
            last = found.pop()
            found.append(Token("can't", "can't", last.start, match.end()))
            continue
        found.append(Token(stem(word), word, match.start(), match.end()))
    return found
