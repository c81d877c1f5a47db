"""What a source is read into, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]


class SourceFault(Exception):
    """A source is not what it should be. The message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """A word or phrase for a symptom, and how often the source says that it occurs.

    `frequency` is None where the source only says that it does. `main` is what the source counts
    among the disease's own symptoms, and not among what may come beside it.
    """

    words: str
    main: bool = True
    frequency: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One subject of a source that may be a disease."""

    id: str
    language: Language
    """The language of `symptoms`; the source's own."""
    zh: tuple[str, ...] = ()
    """Names, the usual one first."""
    en: tuple[str, ...] = ()
    icd10: str | None = None
    departments: tuple[str, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    places: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """What the source says that it is a kind of."""
    told: int = 0
    """How many things the source tells of it: what is common is told more of."""
    rare: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, in both languages."""
        return (*self.zh, *self.en)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a tier of conditions comes from."""

    key: str
    """Begins the id of every condition of it."""
    title: str
    url: str
    en: str
    """What it is called in a sentence."""
    zh: str
