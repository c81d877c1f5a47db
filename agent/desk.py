"""What a consultation is conducted with: one knowledge release, compiled, and the ports."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.diagnosis import Network
from agent.inquiry import BUDGET
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

    @classmethod
    def build(cls, knowledge: ClinicalKnowledge, ports: Ports, *, budget: int = BUDGET) -> Desk:
        """Compile a knowledge release; takes about a second for 600 findings."""
        return cls(knowledge, Network(knowledge), Lexicon.compile(knowledge), ports, budget)
