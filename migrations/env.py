"""Runs the migrations on the connection that `records.schema` hands over.

There is no `alembic.ini`: the settings are made in code, so that an installed package can migrate
wherever it stands. The caller has opened the transaction and commits it; a migration that fails
half-way therefore leaves nothing behind, on SQLite too.
"""

from alembic import context

from records.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
