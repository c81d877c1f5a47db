"""Every test of the records may use both databases."""

from tests.databases import (
    database,
    database_url,
    empty_database_url,
    postgresql_server,
    postgresql_template,
    sqlite_template,
    sqlite_url,
)

__all__ = [
    "database",
    "database_url",
    "empty_database_url",
    "postgresql_server",
    "postgresql_template",
    "sqlite_template",
    "sqlite_url",
]
