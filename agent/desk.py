"""What a consultation is conducted with: one knowledge release, compiled, and the ports."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from agent.diagnosis import Network
from agent.inquiry import BUDGET
from agent.language.names import Names
from agent.language.understand import Lexicon
from agent.ports import Ports
from knowledge.clinical import ClinicalKnowledge


@dataclass(frozen=True)
class Desk:
    """Shared by all consultations on the same release; holds nothing of any patient."""

    knowledge: ClinicalKnowledge
    network: Network
    lexicon: Lexicon
    ports: Ports
    budget: int = field(default=BUDGET)

    @cached_property
    def names(self) -> Names:
        """Every name of every condition."""
        return Names(self.knowledge)

    @classmethod
    def build(cls, knowledge: ClinicalKnowledge, ports: Ports, *, budget: int = BUDGET) -> Desk:
        """Compile a knowledge release; takes a second or two."""
        desk = cls(knowledge, Network(knowledge), Lexicon.compile(knowledge), ports, budget)
        _ = desk.names  # now, and not while somebody waits for an answer
        return desk
