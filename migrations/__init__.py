"""The migrations of the store (Alembic). Run them with `records.schema.migrate`."""
