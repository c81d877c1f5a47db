"""From the rows of a source to conditions of the same form as the written ones.

What a row does not say is not made up: there is one text for all about what the entry is and what
to do, no course, and a prior so low that the whole source weighs a few percent of what is
written. A row whose name is that of a written condition gives it its other names and nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from agent.language.names import Names, key_of
from agent.language.normalise import has_chinese
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import Advice, Band, Condition, Onset, Source, Text
from knowledge.clinical.statements import statement_findings
from knowledge.imported.rows import Origin, Row
from knowledge.imported.tables import Tables
from knowledge.imported.vocabulary import Vocabulary

SHARE = {"cmekg": 0.035, "hpo": 0.01}
"""Prior mass of a whole source beside that of everything written."""
MOST = 0.6
"""Highest frequency that an imported finding may have: nobody has counted."""
_FINDINGS = 24
_LEAST_FINDINGS = 2
_NO_CODE = "RUVWXYZ"  # chapters of ICD-10: symptoms, causes from outside, reasons for contact


@dataclass
class Account:
    """What became of a source: the numbers, and what could not be mapped."""

    rows: int = 0
    conditions: int = 0
    already_written: int = 0
    aliases: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    words: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    departments: Counter[str] = field(default_factory=Counter)
    """Departments that no table knows."""
    unknown_findings: list[str] = field(default_factory=list)
    """Findings that the importer's own table names and the knowledge does not have."""

    def drop(self, reason: str, name: str) -> None:
        """Count a row that becomes no condition."""
        self.dropped[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < 20:
            examples.append(name)

    def as_json(self) -> dict[str, Any]:
        """For the file beside the conditions."""
        said, lost = sum(self.words.values()), sum(self.unmapped.values())
        return {
            "rows": self.rows,
            "conditions": self.conditions,
            "already_written": self.already_written,
            "aliases": self.aliases,
            "dropped": dict(self.dropped.most_common()),
            "examples": self.examples,
            "symptom_words": len(self.words),
            "symptom_words_unmapped": len(self.unmapped),
            "symptom_mentions": said,
            "symptom_mentions_mapped": round((said - lost) / said, 4) if said else 1.0,
            "unmapped": dict(self.unmapped.most_common(300)),
            "unknown_departments": dict(self.departments.most_common(100)),
            "unknown_findings": self.unknown_findings,
        }


@dataclass
class Mapped:
    """The conditions of a source, more names for written ones, and the account."""

    conditions: list[Condition]
    aliases: dict[str, str]
    account: Account


def map_rows(
    origin: Origin,
    rows: Iterable[Row],
    written: ClinicalKnowledge,
    vocabulary: Vocabulary,
    tables: Tables,
) -> Mapped:
    """Map the rows of a source onto the findings and departments of what is written."""
    return _Mapper(origin, written, vocabulary, tables).run(list(rows))


class _Mapper:
    def __init__(
        self, origin: Origin, written: ClinicalKnowledge, vocabulary: Vocabulary, tables: Tables
    ) -> None:
        self.origin = origin
        self.written = written
        self.vocabulary = vocabulary
        self.tables = tables
        self.names = Names(written)
        self.symptoms = {
            key_of(name)
            for finding in written.findings.values()
            for name in (finding.name.zh, finding.name.en)
        }
        self.departments = {entry.name.zh: key for key, entry in written.departments.items()}
        self.dangers = {
            key
            for rule in written.rules.values()
            if rule.when and rule.level in ("emergency_ambulance", "emergency")
            for key in statement_findings(rule.when)
        }
        self.account = Account(unknown_findings=vocabulary.unknown)

    def run(self, rows: Sequence[Row]) -> Mapped:
        self.account.rows = len(rows)
        aliases: dict[str, str] = {}
        kept: dict[str, tuple[Row, dict[str, float], list[str]]] = {}
        for row in sorted(rows, key=lambda row: (-row.told, row.id)):
            if reason := self._no_disease(row):
                self.account.drop(reason, row.names[0])
            elif owner := self._owner(row):
                self.account.already_written += 1
                for name in row.names:
                    if self.names.exact(name) is None:
                        aliases.setdefault(name, owner)
            else:
                findings, cardinal = self._findings(row)
                name = key_of(row.names[0])
                if len(findings) < _LEAST_FINDINGS:
                    self.account.drop("fewer than two of its symptoms are known", row.names[0])
                elif name in kept:
                    self.account.drop("named like another row", row.names[0])
                else:
                    kept[name] = (row, findings, cardinal)
        self.account.aliases = len(aliases)
        self.account.conditions = len(kept)
        total = sum(c.prevalence.per_10000 for c in self.written.conditions.values())
        weights = [self._weight(row) for row, _, _ in kept.values()]
        unit = SHARE[self.origin.key] * total / max(sum(weights), 1e-9)
        conditions = [
            self._condition(row, findings, cardinal, weight * unit)
            for (row, findings, cardinal), weight in zip(kept.values(), weights, strict=True)
        ]
        return Mapped(sorted(conditions, key=lambda c: c.id), aliases, self.account)

    # --- whether it is one ---------------------------------------------------------------------

    def _no_disease(self, row: Row) -> str | None:
        """Why a row is no disease, if it is none."""
        name = row.names[0]
        if row.language == "zh" and not has_chinese(name):
            return "no name"
        if name in self.tables.no_disease or len(name) < 2:
            return "too general to be a disease"
        if name.endswith(self.tables.no_disease_endings):
            return "a procedure or a pattern, not a disease"
        if row.icd10 is not None and row.icd10[0] in _NO_CODE:
            return "a symptom or a circumstance, by its ICD-10 code"
        if row.icd10 is None and key_of(name) in self.symptoms and not self.names.exact(name):
            return "a symptom"
        return None

    def _owner(self, row: Row) -> str | None:
        """The written condition that a row is about. An English name alone is believed only where
        the codes do not speak against it: several rows may be given the same one."""
        for name in row.zh:
            if owner := self.names.exact(name):
                return owner
        for name in row.en:
            owner = self.names.exact(name)
            code = self.written.conditions[owner].icd10 if owner else None
            if owner and (not row.zh or (code and row.icd10 and code[:3] == row.icd10[:3])):
                return owner
        return None

    # --- what it is ----------------------------------------------------------------------------

    def _findings(self, row: Row) -> tuple[dict[str, float], list[str]]:
        """How often each finding occurs, as far as can be said, and which are cardinal."""
        main: Counter[str] = Counter()
        counted: dict[str, float] = {}
        beside: set[str] = set()
        for symptom in row.symptoms:
            ids = self._ids(symptom.words, row)
            words = symptom.words.split("|")[0]
            self.account.words[words] += 1
            if not ids:
                self.account.unmapped[words] += 1
            for key in ids:
                if symptom.frequency is not None:
                    counted[key] = max(counted.get(key, 0.0), symptom.frequency)
                elif symptom.main:
                    main[key] += 1
                else:
                    beside.add(key)
        usual = min(0.5, max(0.3, 3.5 / max(len(main), 1)))  # of a long list less is usual
        shares = {key: usual + 0.1 * (times > 1) for key, times in main.items()}
        shares |= dict.fromkeys(beside - main.keys(), 0.2)
        shares |= counted
        sex = self._sex(row)
        known = self.written.findings
        fit: dict[str, float] = {}
        for key, share in shares.items():
            who = known[key].who
            if who and who.sex and sex.get(who.sex) == 0:
                continue
            # What a source names at all is not rarer in the disease than elsewhere.
            fit[key] = round(min(MOST, max(share, 0.05, 1.5 * known[key].base_rate)), 3)
        best = sorted(fit, key=lambda key: (-fit[key], key))[:_FINDINGS]
        findings = {key: fit[key] for key in best}
        cardinal = [key for key in best if key in main or counted.get(key, 0.0) >= 0.4]
        return findings, cardinal or best

    def _ids(self, words: str, row: Row) -> tuple[str, ...]:
        """Findings of a symptom; one that says too little alone is taken with the place that the
        source gives the disease."""
        if words in self.tables.with_place:
            for place in row.places[:4]:
                if place not in self.tables.places_left_out:
                    plain = words.removesuffix("病")  # 溃疡病 of the skin is an ulcer
                    if ids := self.vocabulary.find(place + plain, row.language):
                        return ids
        return self.vocabulary.find(words, row.language)

    def _departments(self, row: Row) -> list[str]:
        found: list[str] = []
        for told in row.departments:
            for word in filter(None, re.split(r"[；;、，,/\s]+|-|—", told)):
                key = self.departments.get(word) or self.tables.departments.get(word)
                if key is None:
                    parts = self.tables.department_parts
                    key = next((parts[part] for part in parts if part in word), None)
                if key is None or key not in self.written.departments:
                    self.account.departments[word] += 1
                elif key not in found:
                    found.append(key)
        return found[:4] or ["general_medicine"]

    def _sex(self, row: Row) -> dict[str, float]:
        """Weights of the sexes: who lacks the organ is excluded."""
        name = row.names[0]
        if any(word in name for word in self.tables.women):
            return {"female": 1.0, "male": 0.0}
        if any(word in name for word in self.tables.men):
            return {"female": 0.0, "male": 1.0}
        said = "".join(row.people)
        women = "女" in said or "妇" in said
        men = "男" in said
        if women == men:
            return {}
        return {"female": 1.0, "male": 0.3} if women else {"female": 0.3, "male": 1.0}

    def _ages(self, row: Row) -> dict[Band, float]:
        name = row.names[0]
        for group in self.tables.people:
            if any(name.startswith(word) for word in group.words):
                return {**group.ages}
        told = [
            group.ages
            for group in self.tables.people
            if any(word in text for word in group.words for text in row.people)
        ]
        if not told:
            return {}
        # What the source says of people is a tendency, and no bound.
        return {band: max(0.2, *(ages.get(band, 1.0) for ages in told)) for band in told[0]}

    def _weight(self, row: Row) -> float:
        text = "".join((*row.names[:1], *row.kinds))
        rare = row.rare or any(word in text for word in self.tables.rare)
        return min(row.told, 14) * (0.2 if rare else 1.0) + 0.1

    def _condition(
        self, row: Row, findings: dict[str, float], cardinal: list[str], per_10000: float
    ) -> Condition:
        zh, en = row.zh[:1] or row.en[:1], row.en[:1] or row.zh[:1]
        only = any(word in row.names[0] for word in self.tables.pregnancy_only)
        departments = self._departments(row)
        soon = "emergency" in departments or any(w in row.names[0] for w in self.tables.soon)
        urgent = soon or any(findings[key] >= 0.3 for key in self.dangers & findings.keys())
        fields = {
            "id": row.id,
            "name": {"zh": zh[0], "en": en[0]},
            "synonyms": {"zh": row.zh[1:], "en": row.en[1:]},
            "icd10": row.icd10,
            "departments": departments,
            "prevalence": {
                "per_10000": max(round(per_10000, 6), 1e-6),
                "sex": self._sex(row),
                "ages": self._ages(row),
                "pregnancy": "only" if only else 1.0,
            },
            "findings": findings,
            "cardinal": cardinal,
            "urgency": "within_24h" if urgent else "routine",
        }
        return condition(self.origin, fields)


def condition(origin: Origin, fields: Mapping[str, Any]) -> Condition:
    """A condition of what a source says of it, and of what is said of all it holds.

    Raises ValidationError.
    """
    return Condition.model_validate({**fields, "tier": "imported", **_common(origin)})


OWN = ("id", "name", "synonyms", "icd10", "departments", "prevalence", "findings", "cardinal",
       "urgency")  # fmt: skip
"""The fields that differ between the conditions of a source."""


@cache
def _common(origin: Origin) -> Mapping[str, Any]:
    return {
        "about": Text(
            en=f"Taken over by a program from {origin.en}; no clinician has reviewed it. "
            "A doctor of the department can say more.",
            zh=f"由程序从{origin.zh}导入，未经医生审阅，仅供参考，请以相应科室医生的意见为准。",
        ),
        # No source says how long people have had it: a course that fits any duration.
        "onset": Onset(speed="chronic", typical_min="PT1M", typical_max="P60Y"),
        "advice": _ADVICE,
        "sources": (Source(title=origin.title, url=origin.url),),
    }


_ADVICE = Advice(
    now=(
        Text(
            en="See a doctor of the department named, and tell them everything you have noticed.",
            zh="请到所示科室就诊，把您注意到的情况都告诉医生。",
        ),
    ),
    return_if=(
        Text(en="It gets worse, or something new comes up.", zh="症状加重，或者出现新的不适。"),
    ),
    ambulance_if=(
        Text(
            en="You can hardly breathe, faint, become confused, or have severe pain or heavy "
            "bleeding.",
            zh="呼吸很困难、晕倒、神志不清，或者出现剧烈疼痛、大量出血。",
        ),
    ),
)
