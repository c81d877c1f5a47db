"""Counters for operators. They carry stages, codes and times, never a patient's words."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.turns = Counter(
            "huatuo_turns", "Turns answered, by stage.", ["stage"], registry=self.registry
        )
        self.failures = Counter(
            "huatuo_turn_failures", "Turns that failed, by code.", ["code"], registry=self.registry
        )
        self.seconds = Histogram(
            "huatuo_turn_seconds",
            "Seconds from the patient's words to the answer.",
            buckets=(0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32),
            registry=self.registry,
        )
        self.levels = Counter(
            "huatuo_triage", "Turns answered, by urgency.", ["level"], registry=self.registry
        )

    def render(self) -> bytes:
        """All of them in the text format of Prometheus."""
        return generate_latest(self.registry)
