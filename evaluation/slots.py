"""What the public sets call a symptom, and the findings that count as it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from agent.desk import Desk
from agent.language.understand import understand

TABLE = Path(__file__).parent / "slots.yaml"


@cache
def slots(path: Path = TABLE) -> dict[str, tuple[str, ...]]:
    """The table: a symptom's name and the findings that count as it."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))["slots"]
    return {str(name): tuple(findings) for name, findings in table.items()}


def findings_of(name: str, desk: Desk) -> tuple[str, ...]:
    """The known findings that count as a symptom, the nearest first; none where the service knows
    none. A name that is not in the table is read like a patient's own words."""
    if name in slots():
        return tuple(key for key in slots()[name] if key in desk.knowledge.findings)
    reading = understand(name, lexicon=desk.lexicon, language="zh")
    return tuple(
        mention.finding
        for mention in reading.mentions
        if mention.status == "present" and mention.finding in desk.knowledge.findings
    )


def counts_as(finding: str, findings: tuple[str, ...], desk: Desk) -> bool:
    """Whether a finding is one of these or a kind of one."""
    return finding in findings or not desk.knowledge.ancestors[finding].isdisjoint(findings)
