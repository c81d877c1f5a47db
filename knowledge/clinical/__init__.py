"""Conditions, findings and red flags: the schema, the data files and the checks on them."""

from knowledge.clinical.load import ClinicalKnowledge, KnowledgeError, load

__all__ = ["ClinicalKnowledge", "KnowledgeError", "load"]
