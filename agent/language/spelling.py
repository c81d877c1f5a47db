"""Corrects typing errors in English words: letters lost, doubled, changed or swapped, words as they
sound, and a space left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from agent.language.typed import HEARD

# Short words in which one slip is put right: few, since much lies near them.
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


@cache
def ordinary() -> frozenset[str]:
    """The words of everyday English (160,000, from pyspellchecker), which are right as they
    stand: a million is no melaena, and a station no statin."""
    from spellchecker import SpellChecker

    return frozenset(SpellChecker(language="en").word_frequency.keys())


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
        self._known = frozenset(known) | ordinary() | self._words
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
        if word in HEARD:
            return HEARD[word]
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
