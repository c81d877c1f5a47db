"""From a source's words for symptoms to the findings that are known here.

First the names of the findings and a table of medical words, then what the rules and the lexicon
understand of the words, as if a patient had said them. Nothing is guessed: what none of these
knows is left out and counted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping

from agent.language.lexicon import Lexicon
from agent.language.names import key_of
from agent.language.understand import understand
from knowledge.clinical import ClinicalKnowledge
from knowledge.imported.rows import Language
from knowledge.imported.tables import Tables, digest

_LEAST = 2
"""Characters that must have been understood of the words, "斑" being part of too much else."""
_SHARE = {"zh": 0.4, "en": 0.5}
"""Share of the words that must have been understood."""

_AROUND = re.compile(
    "^(?:可?常?伴有?|[可常多或]有|出现|或|及|并|轻度|中度|重度|严重的?|明显的?|反复|持续性?)+"
    "|(?:等症状|等|症状|明显|加重)$"
)
"""What is said around a symptom and does not change what it is."""


class Vocabulary:
    """Words to findings, for one release of the findings. `found` may hold what an earlier run
    found with the same `release`; what is looked up is added to it."""

    def __init__(
        self,
        knowledge: ClinicalKnowledge,
        lexicon: Lexicon,
        tables: Tables,
        found: dict[str, list[str]] | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._lexicon = lexicon
        self.found = {} if found is None else found
        findings = knowledge.findings
        self._named: dict[str, tuple[str, ...]] = {}
        for finding in findings.values():
            for name in (finding.name.zh, finding.name.en):
                self._named.setdefault(key_of(name), (finding.id,))
        self.unknown = sorted({i for ids in tables.words.values() for i in ids} - findings.keys())
        """Findings that the table names and the knowledge does not have."""
        for words, ids in tables.words.items():
            if known := tuple(i for i in ids if i in findings):
                self._named[key_of(words)] = known

    def find(self, words: str, language: Language) -> tuple[str, ...]:
        """The findings that words speak of; several ways to say one thing are parted by `|` and
        the first that is understood counts. Risks are no findings of a disease."""
        if words not in self.found:
            self.found[words] = next(
                (ids for said in words.split("|") if (ids := self._look(said, language))), []
            )
        return tuple(self.found[words])

    def _look(self, words: str, language: Language) -> list[str]:
        bare = _AROUND.sub("", words) or words
        if named := self._named.get(key_of(words)) or self._named.get(key_of(bare)):
            ids: Iterable[str] = named
        else:
            reading = understand(words, lexicon=self._lexicon, language=language)
            mentions = [m for m in reading.mentions if m.status == "present"]
            understood = {at for m in mentions for at in range(m.start, m.end)}
            if len(understood) < _SHARE[language] * len(words):
                return []
            ids = (m.finding for m in mentions if m.end - m.start >= _LEAST)
        known = self._knowledge.findings
        return list(dict.fromkeys(i for i in ids if i in known and known[i].kind != "risk"))


def release_of(knowledge: ClinicalKnowledge) -> str:
    """Content address of what decides how words are understood."""
    parts: list[Mapping[str, object]] = [
        entry.model_dump(mode="json")
        for table in (knowledge.words, knowledge.findings)
        for _, entry in sorted(table.items())
    ]
    body = json.dumps([digest(), parts], sort_keys=True, ensure_ascii=False)
    return f"words-{hashlib.sha256(body.encode()).hexdigest()[:16]}"
