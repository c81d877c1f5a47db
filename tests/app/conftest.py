"""Every test of the command line may use both databases and the whole desk."""

from tests.databases import (
    database,
    database_url,
    empty_database_url,
    postgresql_server,
    postgresql_template,
    sqlite_template,
    sqlite_url,
)
from tests.service.fixtures import (
    client,
    desk,
    production_logs,
    serve,
    service,
    sqlite_client,
    sqlite_service,
)

__all__ = [
    "client",
    "database",
    "database_url",
    "desk",
    "empty_database_url",
    "postgresql_server",
    "postgresql_template",
    "production_logs",
    "serve",
    "service",
    "sqlite_client",
    "sqlite_service",
    "sqlite_template",
    "sqlite_url",
]
