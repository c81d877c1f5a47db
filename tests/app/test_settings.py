"""The settings, and that the README tells of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import Settings

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_told(name: str) -> None:
    assert Settings.model_fields[name].description
    assert f"HUATUO_{name.upper()}`" in README.read_text(encoding="utf-8")
