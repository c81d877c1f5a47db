"""Every setting of the service, from the environment (`HUATUO_...`) or a file `.env`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from model.base import default_home


class Settings(BaseSettings):
    """What an operator can change. The README lists them; a test holds it to this class."""

    model_config = SettingsConfigDict(env_prefix="HUATUO_", env_file=".env", extra="ignore")

    home: Path = Field(
        default_factory=default_home,
        description="Folder of weights, indexes and, by default, the database.",
    )
    database_url: str = Field(
        default="",
        description="sqlite:///FILE or postgresql://...; empty for a SQLite file in the home.",
    )
    host: str = Field(default="127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port that `serve` listens on.")
    model: Literal["auto", "llamacpp", "transformers", "http", "none"] = Field(
        default="auto",
        description="Which model speaks: `auto` takes llama.cpp with the default weights where "
        "they are there, and `none` where not.",
    )
    model_path: Path | None = Field(
        default=None, description="Weights in place of the default: a GGUF file or a folder."
    )
    model_url: str = Field(
        default="", description="Base URL of an OpenAI-compatible server, for model=http."
    )
    model_name: str = Field(default="", description="Name of the model on that server.")
    model_key: str = Field(default="", description="API key of that server.")
    threads: int = Field(default=0, ge=0, description="Threads of the model; 0 for all cores.")
    embeddings: bool = Field(
        default=True,
        description="Whether meaning (embeddings) joins words in retrieval and understanding.",
    )
    imported: bool = Field(
        default=True,
        description="Whether imported conditions stand beside the written ones, where they are "
        "here. They are marked, and decide on nothing.",
    )
    departments: Path | None = Field(
        default=None,
        description="A YAML file with the hospital's own departments in place of the service's.",
    )
    overlay: Path | None = Field(
        default=None,
        description="Parameters fitted to a hospital's own cases (`huatuo knowledge fit`).",
    )
    budget: int = Field(default=8, ge=0, le=30, description="Most questions before advice.")
    anchor_key: Path | None = Field(
        default=None,
        description="PEM file with the Ed25519 key that signs the anchors of the record; made in "
        "the home where there is none.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much is logged, to standard error."
    )

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.home / 'huatuo.db'}"

    @property
    def anchor_file(self) -> Path:
        """The file of the key that signs anchors."""
        return self.anchor_key or self.home / "anchor.pem"
