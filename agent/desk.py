"""What a consultation is conducted with: one knowledge release, compiled, and the ports."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from functools import cached_property

from agent.diagnosis import Network
from agent.inquiry import BUDGET
from agent.language.names import Names
from agent.language.understand import Lexicon
from agent.ports import Ports
from knowledge.clinical import ClinicalKnowledge
from knowledge.fitted import Overlay, join


@dataclass(frozen=True)
class Desk:
    """Shared by all consultations on the same release; holds nothing of any patient."""

    knowledge: ClinicalKnowledge
    network: Network
    lexicon: Lexicon
    ports: Ports
    budget: int = field(default=BUDGET)
    thorough: bool = False
    """Whether it asks on until the budget is spent, though the advice would not change."""

    @cached_property
    def names(self) -> Names:
        """Every name of every condition."""
        return Names(self.knowledge)

    @classmethod
    def build(
        cls,
        knowledge: ClinicalKnowledge,
        ports: Ports,
        *,
        budget: int = BUDGET,
        overlay: Overlay | None = None,
        among: Set[str] | None = None,
        thorough: bool = False,
    ) -> Desk:
        """Compile a knowledge release; takes a second or two. `overlay` and `among` as `Network`
        has them. Raises OverlayError where the overlay does not fit the knowledge."""
        if overlay is not None:
            knowledge = join(knowledge, overlay)
        network = Network(knowledge, overlay=overlay, among=among)
        desk = cls(knowledge, network, Lexicon.compile(knowledge), ports, budget, thorough)
        _ = desk.names  # now, and not while somebody waits for an answer
        return desk
