"""Corrects typing errors in long English words, one edit away from a word of the lexicon."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

# Everyday words that lie one edit from a medical one.
_EVERYDAY = frozenset(
    [
        "another",
        "because",
        "before",
        "between",
        "bother",
        "brother",
        "chance",
        "change",
        "charge",
        "cheese",
        "choose",
        "doctor",
        "during",
        "either",
        "father",
        "friend",
        "future",
        "ground",
        "hearing",
        "heating",
        "leader",
        "leaving",
        "listen",
        "little",
        "matter",
        "minute",
        "moment",
        "mother",
        "number",
        "office",
        "others",
        "people",
        "person",
        "please",
        "pretty",
        "rather",
        "really",
        "reason",
        "school",
        "second",
        "should",
        "sister",
        "summer",
        "things",
        "though",
        "thought",
        "through",
        "together",
        "toward",
        "travel",
        "trying",
        "weather",
        "weekend",
        "whether",
        "winter",
        "within",
        "without",
        "wonder",
        "working",
        "yesterday",
        "morning",
        "evening",
        "tonight",
        "looking",
        "letting",
        "getting",
        "having",
        "making",
        "taking",
        "coming",
        "calling",
        "talking",
        "thinking",
        "nothing",
        "anything",
        "something",
        "everything",
        "maybe",
        "always",
        "around",
        "months",
        "sudden",
        "father",
        "farther",
        "showing",
        "saying",
        "buying",
        "playing",
        "paying",
        "staying",
        "waiting",
        "wanting",
        "passing",
        "missing",
        "mission",
        "kitchen",
        "chicken",
        "kicking",
        "picking",
        "ticking",
        "tested",
        "resting",
        "hoping",
        "hopeful",
        "passed",
        "pasted",
        "posted",
        "washed",
        "wished",
        "fished",
        "healthy",
    ]
)


class Speller:
    """Finds the word one edit away: a letter lost, added, changed, or two swapped.

    Symmetric deletes: a word and its misspelling share a form with one letter taken out. Words
    must be at least six letters long and begin with the same letter.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._forms: dict[str, set[str]] = {}
        for word in sorted(self._words):
            for form in _deletes(word):
                self._forms.setdefault(form, set()).add(word)
        self.correct = lru_cache(maxsize=4096)(self._correct)

    def _correct(self, word: str) -> str | None:
        """The known word that is meant, or None."""
        if word in self._words or word in _EVERYDAY or len(word) < 6:
            return None
        candidates = {
            known
            for form in _deletes(word)
            for known in self._forms.get(form, ())
            if known[0] == word[0] and _one_edit(word, known)
        }
        return min(candidates, key=lambda known: (abs(len(known) - len(word)), known), default=None)


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
