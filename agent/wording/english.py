"""English sentences turned from "you" to somebody: pronouns, and the verbs that go with them.

Verbs are known by list, because "cough" and "faint" are more than verbs; what no rule is sure of
gives None.
"""

from __future__ import annotations

import re

from knowledge.clinical.schema import Sex

_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|\d[\d.,]*\d|\d|[^\w\s]")
_CONTRACTED = {"'re": " are", "'ve": " have", "'ll": " will"}
# Inverted before "you", and what becomes of it before one person.
_AUX = {
    "do": "does", "have": "has", "are": "is", "were": "was", "did": "did", "can": "can",
    "could": "could", "will": "will", "would": "would", "should": "should", "had": "had",
    "may": "may", "might": "might", "must": "must",
}  # fmt: skip


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


_MODAL = _words("can could will would should may might must cannot can't couldn't won't")
_VERBS = _words(
    "ache act avoid become begin bend bleed breathe bring bruise brush carry chew choke climb come "
    "comb drink drive drool drop eat ejaculate exert faint fall feel fight find gain get go have "
    "hear hold keep laugh lean lie lift lose mix move need nod open pass plan push raise refuse "
    "rest rise scratch shake shiver sit sleep smile smoke sneeze soak speak stand start stay stop "
    "strain struggle sway swallow sweat swell take talk think tire turn use vomit wait wake walk "
    "want weigh wheeze wish work wring write cough jump bite see bump run doze change worry live "
    "scroll retch press collapse limp"
)
_PAST = _words(
    "ate began came drank fell felt got had heard hit knew lay lost sat saw slept stood swam took "
    "used was went woke"
)
# Nouns or adjectives as well: behind another verb they are verbs only where something follows.
_DOUBTFUL = _words(
    "ache cough drink drop fall faint gain itch jump need rest shake sleep smoke strain sweat "
    "swell turn use walk work act bite come limp"
)
_FOLLOWED = _words("up blood out more heavily much easily off asleep")
# Verbs that take a noun or an adjective: "you have fever or cough", "you are confused, faint".
_LINKING = _words("are were have had feel get become see lose need want")
_ADVERBS = _words(
    "already also always again even ever first just never no longer not often only once really "
    "still suddenly then usually yourself"
)
# "You" stands as the object behind these.
_BEFORE_OBJECT = _words(
    "about around at behind beside between by for from in near of on over than to with without "
    "bother bothers bothering control drive drives frighten frightens hurt keep keeps leave "
    "leaves rob robs stop stops take told tell treated trouble troubled troubles wake wakes worry "
    "worries makes make help helps dazzle dazzles scratch"
)
# "Makes you cough": the verb behind is another's.
_CAUSING = _words("make makes made let lets see seen saw hear heard")
# What a carer does, or anyone: "if you press on the rash".
_CARERS = re.compile(
    r"\b(?:if|when|although) (you) (?:press|touch|pinch|pinched|pull the|feed|speak loudly)\b"
    r"|\bor can (you) see\b",
    re.IGNORECASE,
)
_LOOKS = re.compile(r"^(?:have|can) (you)(?: or others)? (?:seen|noticed|see|feel)\b", re.I)
_CHILD = re.compile(r"(?<!as a )\b(?:child|baby|newborn|infant|girl|boy)\b(?! of yours)", re.I)
# To the reader and nobody else.
_READER = re.compile(
    r"^(?:did you come|is your question|are you asking|are you worried|call|do not|go|tell|take|ask"
    r")\b|\btell that\b|\byou (?:are|be) worried\b|\bnot know you\b|\bnobody can take you\b"
    r"|\b(?:the child|newborn|the person|the patient)\b",
    re.IGNORECASE,
)
_EFFORT = re.compile(r"\b(?:hard|difficult|hurts?|easy) to\b")
_BREAK = frozenset(".?!;:")


def conjugated(verb: str) -> str:
    """A verb's form for one person: he coughs, he is, he can."""
    if verb in _AUX:
        return _AUX[verb]
    if verb in _MODAL or verb in _PAST:
        return verb
    if re.search(r"(?:s|x|z|ch|sh|o)$", verb):
        return verb + "es"
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    return verb + "s"


def turned(text: str, name: str, sex: Sex | None, *, child: bool) -> str | None:
    """A sentence to the patient, about the one who goes by `name` ("your child"). None where it
    is the carer's own already, or where its grammar is not sure."""
    if _READER.search(text) or (child and _CHILD.search(text)):
        return None
    text = re.sub(
        r"\b(you)['’](re|ve|ll)\b", lambda m: m[1] + _CONTRACTED[f"'{m[2]}"], text, flags=re.I
    )
    return _Turning(text, name, sex, child=child).done()


class _Turning:
    """One sentence on its way: its words, and what takes their place."""

    def __init__(self, text: str, name: str, sex: Sex | None, *, child: bool) -> None:
        self.text = text
        self.found = list(_WORD.finditer(text))
        self.words = [match[0].lower() for match in self.found]
        self.new: dict[int, str] = {}
        self.name = name
        self.named = False
        self.he, self.him, self.his, self.own = {
            "male": ("he", "him", "his", "himself"),
            "female": ("she", "her", "her", "herself"),
            None: ("they", "them", "their", "themselves"),
        }[sex]
        self.several = sex is None  # "they" takes the verb that "you" has
        self.hers = {"male": "his", "female": "hers", None: "theirs"}[sex]
        self.kept = {match.start(match.lastindex or 0) for match in _CARERS.finditer(text)}
        if child and (match := _LOOKS.match(text)):
            self.kept.add(match.start(1))

    def word(self, index: int) -> str:
        return self.words[index] if 0 <= index < len(self.words) else ""

    def done(self) -> str | None:
        """The whole sentence, or None."""
        parted = False  # behind ":" or ";" stands what the reader is to do
        for index, word in enumerate(self.words):
            parted = parted or word in (";", ":")
            if word not in ("you", "your", "yours", "yourself") or self._stays(index):
                continue
            if parted or not self._turn(index, word):
                return None
        return self._joined() if self.new else None

    def _stays(self, index: int) -> bool:
        if self.words[index] == "your" and self.word(index + 1) == "local":
            return True
        return self.found[index].start() in self.kept

    def _turn(self, index: int, word: str) -> bool:
        if word == "your":
            if self.word(index - 1) == "on" and self.word(index + 1) == "own":
                return False
            if not self.named and _EFFORT.search(self.text[: self.found[index].start()]):
                return False  # "hard to lift your arms": the reader would lift the child's
            self._put(index, self.his if self.named else f"{self.name}'s")
        elif word == "yours":
            self._put(index, self.hers if self.named else f"{self.name}'s")
        elif word == "yourself":
            if not self.named:
                return False
            self._put(index, self.own)
            return True
        else:
            return self._you(index)
        self.named = True
        return True

    def _you(self, index: int) -> bool:
        before = self.word(index - 1)
        if before == "seen" and self.word(index - 2) == "being":
            before = ""
        one = not (self.named and self.several)
        subject = self.he if self.named else self.name
        if before in _AUX:
            self._put(index - 1, _AUX[before] if one else before)
            self._put(index, subject)
            self.named = True
            return True
        verb = index + 1
        while self.word(verb) in _ADVERBS or self.word(verb).endswith("ly"):
            verb += 1
        follows = self.word(verb)
        acting = follows in _AUX or follows in _MODAL or follows in _VERBS or _past(follows)
        if acting and before not in _CAUSING:
            self._put(index, subject)
            self.named = True
            return not one or self._conjugate(verb)
        if follows == "or" and before == "if":
            self._put(index, subject)
        elif before in _BEFORE_OBJECT or before in _CAUSING or self._listed(index):
            self._put(index, self.him if self.named else self.name)
        else:
            return False
        self.named = True
        return True

    def _listed(self, index: int) -> bool:
        """ "Hit, threaten, force or control you": an object at the end of its clause."""
        return self.word(index + 1) in ("", "?", ".", ",") and self.word(index - 1) in _VERBS

    def _conjugate(self, index: int) -> bool:
        """The verb behind "you", and those that are joined to it: "you cough, laugh or sneeze"."""
        first = self.words[index]
        self._put(index, conjugated(first) if not _past(first) else first)
        modal, past, inner = first in _MODAL or first in ("did", "do"), _past(first), False
        infinitive = False
        for at in range(index + 1, len(self.words)):
            word, before = self.words[at], self.words[at - 1]
            if word in _BREAK:
                break
            if word in (
                "you",
                "that",
                "who",
                "when",
                "if",
                "because",
                "while",
                "after",
                "although",
            ):
                inner = True
                continue
            infinitive = infinitive or word == "to"
            if before == "," and word in ("or", "and"):
                continue
            comma = before == "," or (before in ("or", "and") and self.words[at - 2] == ",")
            if before not in (",", "or", "and"):
                continue
            if before == "and" and comma:
                break  # ", and ease when you rest" is said of the pain
            finite = word in _VERBS or word in ("are", "have", "do", "were") or word in _MODAL
            if not finite or word in _MODAL:
                continue
            if infinitive and not comma:
                continue  # "about to die or lose control"
            if word in _DOUBTFUL and first in _LINKING and self.word(at + 1) not in _FOLLOWED:
                if word == "faint" and first in ("are", "feel"):
                    continue  # how one is
                return False
            if inner or infinitive or past or (modal and (before != "," and comma)):
                return False
            if not modal:
                self._put(at, conjugated(word))
        return True

    def _put(self, index: int, new: str) -> None:
        if self.found[index][0][:1].isupper():
            new = new[0].upper() + new[1:]
        self.new[index] = new

    def _joined(self) -> str:
        text = self.text
        for index in sorted(self.new, reverse=True):
            match = self.found[index]
            text = text[: match.start()] + self.new[index] + text[match.end() :]
        return text


def _past(word: str) -> bool:
    return word in _PAST or (
        word.endswith("ed") and word not in _VERBS and word not in ("need", "feed", "bleed")
    )
