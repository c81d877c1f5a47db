"""Which weights these are, and how far they are trusted.

A release's card, `card.json` beside its weights, is written by the evaluation. It counts only for
the very bytes it names: a card with another sha256, or no card, means the lowest trust.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.ports import ModelRelease, Trust
from model.sources import sha256_of


class CardError(Exception):
    """A card is there but cannot be read. The message names the file."""


class Card(BaseModel):
    """What the evaluation says about one set of weights."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    name: str
    sha256: str
    trust: Trust
    base: str | None = None
    adapter: str | None = None
    """sha256 of the adapter that the weights were evaluated with, if they were."""


def fingerprint(weights: Path) -> str:
    """sha256 of a weights file; of a folder, over the names and hashes of its files.

    A file that was fetched has a stamp: its hash is taken from there while size and time agree.
    """
    if weights.is_file():
        return _stamped(weights) or sha256_of(weights)
    digest = hashlib.sha256()
    for file in sorted(weights.rglob("*")):
        if file.is_file() and file.name != "card.json":
            digest.update(f"{file.relative_to(weights).as_posix()}\0{sha256_of(file)}\n".encode())
    return digest.hexdigest()


def read_card(weights: Path) -> Card | None:
    """The card beside the weights, or None.

    Raises:
        CardError: the card is not valid.
    """
    path = (weights if weights.is_dir() else weights.parent) / "card.json"
    if not path.exists():
        return None
    try:
        return Card.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise CardError(f"{path} is no valid model card: {error}") from error


def describe(
    weights: Path, *, template: str, context_tokens: int, adapter: Path | None = None
) -> ModelRelease:
    """The release that these weights are with this template and adapter.

    Raises:
        CardError: the card is not valid.
        OSError: the weights cannot be read.
    """
    sha256 = fingerprint(weights)
    adapter_sha256 = fingerprint(adapter) if adapter is not None else None
    card = read_card(weights)
    if card is not None and (card.sha256 != sha256 or card.adapter != adapter_sha256):
        card = None
    identity = {"weights": sha256, "template": template, "adapter": adapter_sha256}
    name = card.name if card else weights.name.removesuffix(".gguf")
    return ModelRelease(
        id=f"{name}@{identity_hash(identity)}",
        name=name,
        sha256=sha256,
        trust=card.trust if card else "wording",
        context_tokens=context_tokens,
    )


def identity_hash(identity: dict[str, Any]) -> str:
    """A short, stable hash of what makes a release what it is."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]


def _stamped(file: Path) -> str | None:
    try:
        stamp = json.loads(file.with_name(file.name + ".stamp.json").read_text(encoding="utf-8"))
        size, mtime, sha256 = stamp["files"][""]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    status = file.stat()
    return str(sha256) if (status.st_size, status.st_mtime_ns) == (size, mtime) else None
