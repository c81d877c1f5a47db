"""The sentences that the detector of alarms learns from: those of the red flags and those of the
files of `told/`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from knowledge.clinical import ClinicalKnowledge

_EMERGENCIES = ("emergency_ambulance", "emergency")


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence to learn from: whether it tells of an emergency for an ambulance, or of another
    one; None where of none."""

    text: str
    ambulance: bool | None = None

    @property
    def alarming(self) -> bool:
        """Whether it tells of an emergency."""
        return self.ambulance is not None


def told(knowledge: ClinicalKnowledge) -> list[Told]:
    """Every sentence to learn from, each once. Raises ValueError as `written` does."""
    found: dict[str, Told] = {}
    for rule in knowledge.rules.values():
        if rule.level in _EMERGENCIES:
            for text in (*rule.fires.en, *rule.fires.zh):
                found.setdefault(text, Told(text, rule.level == "emergency_ambulance"))
        for text in (*rule.spares.en, *rule.spares.zh):
            found.setdefault(text, Told(text))
    for kind, text in written():
        found[text] = Told(text, None if kind == "calm" else kind == "ambulance")
    return list(found.values())


def written(folder: Path = Path(__file__).parent) -> Iterable[tuple[str, str]]:
    """(kind, sentence) of every sentence of `told/*.yaml`, in the order of the files' names; kinds
    are `ambulance`, `emergency` and `calm`. Raises ValueError for a kind that is none of these,
    and where there is no file."""
    paths = sorted((folder / "told").glob("*.yaml"))
    if not paths:
        raise ValueError(f"no sentences to learn from in {folder / 'told'}")
    for path in paths:
        table = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
        for kind, languages in table.items():
            if kind == "schema":
                continue
            if kind not in ("ambulance", "emergency", "calm"):
                raise ValueError(f"{path.name}: unknown kind of sentences '{kind}'")
            for texts in languages.values():
                yield from ((kind, text) for text in texts)
