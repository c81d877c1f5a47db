"""A simulated patient: a hidden case that answers in free text.

The same case, style and seed say the same in the same dialogue. The phrases stand in
`patient.yaml`. What the case does not say is answered as the data set has it: the patient does not
know, or does not have it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from agent.diagnosis import seconds
from agent.language.reading import Mention
from agent.language.understand import Lexicon, understand
from agent.ports import Language
from agent.state import Patient, Question, Status
from agent.wording.texts import OPTIONS
from knowledge.clinical import ClinicalKnowledge

PHRASES = Path(__file__).parent / "patient.yaml"

Style = Literal["plain", "vague", "talkative", "parent", "correcting"]
STYLES: tuple[Style, ...] = ("plain", "vague", "talkative", "parent", "correcting")

_OPPOSITE: dict[Status, Status] = {"present": "absent", "absent": "present"}
_SPANS = (
    ("years", 365.25 * 86_400),
    ("months", 30.44 * 86_400),
    ("weeks", 7 * 86_400),
    ("days", 86_400),
    ("hours", 3_600),
    ("minutes", 60),
)


class HiddenCase(BaseModel):
    """What a simulated patient has, and what is right to conclude from it.

    `present`, `absent` and `unsure` hold ids of findings, or words of the case's language that are
    said as they are. Without `opening` the patient opens with `chief`, else with what is present.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    language: Language
    patient: Patient = Patient()
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    chief: dict[str, Status] = {}
    """What is told at first, each with its status."""
    opening: str | None = None
    duration: str | None = None  # ISO 8601
    diagnosis: str | None = None
    silence: Literal["unsure", "absent"] = "absent"
    """What is answered of a finding that the case does not name."""


class Facts:
    """A hidden case's facts as findings of the knowledge, each with the words it is said in."""

    def __init__(self, case: HiddenCase, knowledge: ClinicalKnowledge, lexicon: Lexicon) -> None:
        self.knowledge = knowledge
        self.status: dict[str, Status] = {}
        self.words: dict[str, str] = {}
        self._lexicon = lexicon
        self._language = case.language
        groups: tuple[tuple[Iterable[str], Status], ...] = (
            (case.unsure, "unsure"),
            (case.absent, "absent"),
            (case.present, "present"),
        )
        for words, status in groups:
            for fact in words:
                self._take(fact, status)
        for fact, status in case.chief.items():
            self._take(fact, status)

    def _take(self, fact: str, status: Status) -> None:
        for key in self.findings(fact):
            self.status[key] = status
            self.words[key] = self.said(fact)

    def findings(self, fact: str) -> list[str]:
        """The findings that a fact means: itself, or what its words are read as."""
        if fact in self.knowledge.findings:
            return [fact]
        found: tuple[Mention, ...] = understand(
            fact, lexicon=self._lexicon, language=self._language
        ).mentions
        return [m.finding for m in found if m.finding in self.knowledge.findings]

    def said(self, fact: str) -> str:
        """How a fact is called in the case's language."""
        if fact not in self.knowledge.findings:
            return fact
        name = self.knowledge.findings[fact].name
        return f"{name.en[:1].lower()}{name.en[1:]}" if self._language == "en" else name.zh

    def of(self, finding: str, silence: Status) -> Status:
        """What the case says of a finding: itself, through a kind of it, or through what it is a
        kind of; else silence."""
        if finding in self.status:
            return self.status[finding]
        if finding not in self.knowledge.findings:
            return silence
        below = self.knowledge.descendants[finding]
        if any(self.status.get(key) == "present" for key in below):
            return "present"
        above = self.knowledge.ancestors[finding]
        if any(self.status.get(key) == "absent" for key in above):
            return "absent"
        return silence


class SimulatedPatient:
    """Speaks for one hidden case through one dialogue."""

    def __init__(self, case: HiddenCase, facts: Facts, *, style: Style, seed: int = 0) -> None:
        self.case = case
        self.facts = facts
        self.style: Style = style
        self.told: dict[str, Status] = {}
        """What was said so far of which finding, as it was said."""
        self._random = random.Random(f"{seed}:{case.id}:{style}")
        self._phrases: Mapping[str, Any] = phrases()[case.language]
        self._wrong: tuple[str, Status] | None = None  # said wrongly, with the truth
        self._erred = style != "correcting"
        self._errs_at = self._random.randint(1, 2)  # which answer is the wrong one
        self._answers = 0

    def opening(self) -> str:
        """The first message."""
        if self.case.opening is not None:
            for key in self.facts.findings(self.case.opening):
                self.told.setdefault(key, self.facts.of(key, "present"))
            return self.case.opening
        chief: Mapping[str, Status] = self.case.chief or dict.fromkeys(
            self.case.present[:2], "present"
        )
        if not chief:
            return self._pick(self._phrases["open"]["nothing"])
        return self._pick(self._phrases["opening"][self.style]).format(facts=self._list(chief))

    def answer(self, question: Question) -> str:
        """The answer to any question of the service; what was said wrongly before is corrected."""
        correction = self.correction()
        said = self._answer(question)
        if not correction:
            return said
        stop = "。" if self.case.language == "zh" else ". "
        return f"{said}{stop}{correction}"

    def correction(self) -> str:
        """What takes the wrong answer back, once; empty where nothing is to be taken back."""
        if self._wrong is None:
            return ""
        finding, truth = self._wrong
        self._wrong = None
        self.told[finding] = truth
        name = self.facts.said(finding)
        return self._pick(self._phrases["corrections"][truth]).format(finding=name)

    def _answer(self, question: Question) -> str:
        if question.kind == "profile":
            return self._profile()
        if question.kind == "duration":
            return self._duration()
        choices = set(question.options) - set(OPTIONS)
        if choices:
            return self._choice(question.options)
        if question.kind == "open" or question.finding is None:
            return self._open()
        return self._finding(question.finding)

    def _finding(self, finding: str) -> str:
        truth = self.facts.of(finding, self.case.silence)
        status = truth
        self._answers += 1
        if not self._erred and truth in _OPPOSITE and self._answers >= self._errs_at:
            self._erred = True
            status = _OPPOSITE[truth]
            self._wrong = (finding, truth)
        self.told[finding] = status
        pronoun = self._phrases["pronoun"][self.case.patient.sex or "unknown"]
        said = self._pick(self._phrases["answers"][self.style][status]).format(pronoun=pronoun)
        more = self._untold()
        if self.style == "talkative" and more and self._random.random() < 0.5:
            key = self._random.choice(more)
            self.told[key] = "present"
            fact = self.facts.words.get(key, self.facts.said(key))
            said += self._pick(self._phrases["more"]).format(fact=fact)
        return said

    def _untold(self) -> list[str]:
        """What is present and was neither said nor follows from what was said."""
        known: Set[str] = self.told.keys()
        return sorted(
            key
            for key, status in self.facts.status.items()
            if status == "present"
            and key not in known
            and self.facts.knowledge.descendants[key].isdisjoint(known)
            and self.facts.knowledge.findings[key].askable
        )

    def _choice(self, options: Sequence[str]) -> str:
        """The first option that names something the patient has, else that there is none."""
        for option in options:
            for key in self.facts.findings(option):
                if self.facts.of(key, self.case.silence) == "present":
                    self.told[key] = "present"
                    return option
        return str(self._phrases["none"])

    def _open(self) -> str:
        facts: dict[str, Status] = dict.fromkeys(self._untold()[:2], "present")
        facts = facts or dict.fromkeys(
            [key for key, status in self.facts.status.items() if status == "present"][:2], "present"
        )
        if not facts:
            return self._pick(self._phrases["open"]["nothing"])
        return self._pick(self._phrases["open"]["more"]).format(facts=self._list(facts))

    def _list(self, facts: Mapping[str, Status]) -> str:
        parts = []
        for fact, status in facts.items():
            for key in self.facts.findings(fact):
                self.told[key] = status
            parts.append(str(self._phrases["status"][status]).format(finding=self.facts.said(fact)))
        return str(self._phrases["join"]).join(parts)

    def _profile(self) -> str:
        patient = self.case.patient
        kinds = self._phrases["profile"]
        age = None if patient.age_years is None else self._age(patient.age_years)
        sex = None if patient.sex is None else str(self._phrases[patient.sex])
        if age and sex:
            return str(kinds["known"][self.style]).format(age=age, sex=sex)
        if age:
            return str(kinds["age"][self.style]).format(age=age)
        if sex:
            return str(kinds["sex"][self.style]).format(sex=sex)
        return str(kinds["unknown"][self.style])

    def _age(self, years: float) -> str:
        forms = self._phrases["age"]
        if years >= 2:
            return str(forms["years"]).format(n=int(years))
        if years >= 1 / 12:
            return str(forms["months"]).format(n=max(1, round(years * 12)))
        return str(forms["days"]).format(n=max(1, round(years * 365.25)))

    def _duration(self) -> str:
        kinds = self._phrases["duration"]
        if self.case.duration is None:
            return self._pick(kinds["unknown"])
        length = seconds(self.case.duration)
        unit, size = next(((u, s) for u, s in _SPANS if length >= 2 * s), _SPANS[-1])
        span = str(self._phrases["units"][unit]).format(n=max(1, round(length / size)))
        return self._pick(kinds["known"]).format(span=span)

    def _pick(self, choices: Sequence[str]) -> str:
        return str(self._random.choice(choices))


@cache
def phrases(path: Path = PHRASES) -> dict[str, Any]:
    """What the patient says, by language."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found
