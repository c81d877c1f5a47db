"""Small knowledge made for a test, so that a property does not depend on what clinicians write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agent.state import Finding as Told
from agent.state import Status
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import Condition, Department, Finding, Rule

_SOURCE = {"title": "A source", "url": "https://example.org/guidance"}


def both(text: str) -> dict[str, str]:
    """A text that is the same in both languages."""
    return {"en": text, "zh": text}


def finding(id: str, *, base: float = 0.05, **more: Any) -> Finding:
    """A finding; what is not given is plain."""
    fields = {"id": id, "name": both(id), "ask": both(f"{id}?"), "says": {}, "base_rate": base}
    return Finding.model_validate(fields | more)


def condition(
    id: str,
    findings: Mapping[str, float],
    *,
    cardinal: Iterable[str] = (),
    per_10000: float = 50,
    prevalence: Mapping[str, Any] | None = None,
    urgency: str = "routine",
    onset: Mapping[str, Any] | None = None,
    **more: Any,
) -> Condition:
    """A condition with these frequencies of findings (three at least, as the schema asks)."""
    fields = {
        "id": id,
        "name": both(id),
        "icd10": "R69",
        "departments": ["general_medicine"],
        "about": both("About it."),
        "prevalence": {"per_10000": per_10000, **(prevalence or {})},
        "findings": dict(findings),
        "cardinal": list(cardinal) or list(findings)[:1],
        "onset": dict(onset or {"speed": "acute"}),
        "urgency": urgency,
        "advice": {"now": [both("Rest.")], "return_if": [both("It gets worse.")]},
        "sources": [_SOURCE],
    }
    return Condition.model_validate(fields | more)


def rule(id: str, when: Mapping[str, Any], *, level: str = "emergency", **more: Any) -> Rule:
    """A red flag on findings."""
    fields = {
        "id": id,
        "level": level,
        "department": "emergency",
        "because": both(f"Because of {id}."),
        "advice": [both("Go now.")],
        "when": dict(when),
        "source": _SOURCE,
        "fires": {"en": ["x"], "zh": ["x"]},
        "spares": {"en": ["y"], "zh": ["y"]},
    }
    return Rule.model_validate(fields | more)


def departments(**children: bool) -> dict[str, Department]:
    """General medicine, emergency and children's departments, and others by name."""
    known = {"general_medicine": False, "emergency": False, "paediatrics": True} | children
    return {
        key: Department.model_validate({"id": key, "name": both(key), "children": only})
        for key, only in known.items()
    }


def knowledge(
    findings: Iterable[Finding],
    conditions: Iterable[Condition] = (),
    rules: Iterable[Rule] = (),
    **children: bool,
) -> ClinicalKnowledge:
    """The whole, with the departments."""
    return ClinicalKnowledge(
        findings={f.id: f for f in findings},
        conditions={c.id: c for c in conditions},
        rules={r.id: r for r in rules},
        departments=departments(**children),
    )


def told(**status: Status) -> dict[str, Told]:
    """Findings of a patient with their status, as the state holds them."""
    return {
        key: Told(id=key, label=key, status=value, quote=key, turn=1)
        for key, value in status.items()
    }
