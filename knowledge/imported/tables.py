"""The tables of `tables.yaml`, checked and ready to look things up in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from knowledge.clinical.schema import Band

_FILE = Path(__file__).with_name("tables.yaml")


class People(BaseModel):
    """Words for people, and the ages that they mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: tuple[str, ...]
    ages: dict[Band, float]


class Tables(BaseModel):
    """What the importer knows of the words of others; the file says what each part is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    departments: Mapping[str, str]
    department_parts: Mapping[str, str]
    words: Mapping[str, tuple[str, ...]]
    with_place: frozenset[str]
    places_left_out: frozenset[str]
    no_disease: frozenset[str]
    no_disease_endings: tuple[str, ...]
    people: tuple[People, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]
    pregnancy_only: tuple[str, ...]
    rare: tuple[str, ...]
    soon: tuple[str, ...]


@cache
def tables() -> Tables:
    """The tables, read once."""
    return Tables.model_validate(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


@cache
def digest() -> str:
    """Content address of the tables."""
    return hashlib.sha256(_FILE.read_bytes()).hexdigest()[:16]
