"""Keeps what was imported: one file a source, which says what it was made from.

The first line is the manifest, the second the additional names, every other a condition. A file
is used as it is while its manifest holds: the same bytes of the source, the same written release,
the same importer. Otherwise it is made anew from the source, which takes a minute at most.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.language.lexicon import Lexicon
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import Condition
from knowledge.imported import vocabulary
from knowledge.imported.mapping import OWN, Mapped, condition, map_rows
from knowledge.imported.rows import Origin, Row
from knowledge.imported.tables import digest, tables
from knowledge.imported.vocabulary import Vocabulary

VERSION = 1
"""Goes up whenever the importer makes something else of the same source."""


@dataclass(frozen=True)
class Imported:
    """The tier of one source, and where the account of it lies."""

    conditions: dict[str, Condition]
    aliases: dict[str, str]
    manifest: dict[str, Any]
    account: Path


def manifest_of(origin: Origin, sha256: str, written: ClinicalKnowledge) -> dict[str, Any]:
    """What a file is made from."""
    return {
        "source": origin.key,
        "sha256": sha256,
        "written": written.release,
        "importer": f"{VERSION}-{digest()}",
    }


def current(folder: Path, origin: Origin, manifest: dict[str, Any]) -> Imported | None:
    """What is kept of a source in `folder` if it was made from just this, else None."""
    path = folder / f"{origin.key}.jsonl"
    try:
        with path.open("rb") as lines:
            kept = json.loads(next(lines))
            if {key: kept.get(key) for key in manifest} != manifest:
                return None
            aliases = json.loads(next(lines))
            conditions = [condition(origin, json.loads(line)) for line in lines]
        if len(conditions) != kept["conditions"]:
            return None  # cut off
    except (OSError, ValueError, KeyError, AttributeError, StopIteration, ValidationError):
        return None
    table = {entry.id: entry for entry in conditions}
    return Imported(table, aliases, kept, _account(folder, origin))


def make(
    folder: Path,
    origin: Origin,
    rows: Iterable[Row],
    manifest: dict[str, Any],
    written: ClinicalKnowledge,
    lexicon: Lexicon | None = None,
) -> Imported:
    """Map a source's rows onto what is written, keep the outcome and the account in `folder`.

    Raises OSError, and SourceFault where reading the rows does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = folder / f"{origin.key}.words.json"
    release = vocabulary.release_of(written)
    known = Vocabulary(
        written, lexicon or Lexicon.compile(written), tables(), _found(words, release)
    )
    mapped = map_rows(origin, rows, written, known, tables())
    manifest = {**manifest, "conditions": len(mapped.conditions)}
    _write(words, [{"release": release, "found": known.found}])
    _write(_account(folder, origin), [{**manifest, **mapped.account.as_json()}], indent=1)
    bodies = (
        entry.model_dump(mode="json", include=set(OWN), exclude_defaults=True)
        for entry in mapped.conditions
    )
    _write(folder / f"{origin.key}.jsonl", [manifest, mapped.aliases, *bodies])
    return _imported(mapped, manifest, _account(folder, origin))


def joined(written: ClinicalKnowledge, tiers: Sequence[Imported]) -> ClinicalKnowledge:
    """Both tiers: the written conditions first, then the imported ones."""
    conditions, aliases = dict(written.conditions), dict(written.aliases)
    for tier in tiers:
        for key, entry in tier.conditions.items():
            conditions.setdefault(key, entry)
        for name, key in tier.aliases.items():
            aliases.setdefault(name, key)
    return replace(written, conditions=conditions, aliases=aliases)


def _imported(mapped: Mapped, manifest: dict[str, Any], account: Path) -> Imported:
    table = {entry.id: entry for entry in mapped.conditions}
    return Imported(table, mapped.aliases, manifest, account)


def _account(folder: Path, origin: Origin) -> Path:
    return folder / f"{origin.key}.report.json"


def _found(path: Path, release: str) -> dict[str, list[str]]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["release"] == release and isinstance(kept["found"], dict):
            return dict(kept["found"])
    return {}


def _write(path: Path, lines: Iterable[Any], indent: int | None = None) -> None:
    """Lines of JSON; the file appears whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with partial.open("w", encoding="utf-8") as out:
            for line in lines:
                out.write(json.dumps(line, ensure_ascii=False, indent=indent) + "\n")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
