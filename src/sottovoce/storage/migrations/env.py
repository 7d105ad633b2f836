"""What Alembic runs: the revisions, on the connection that `migrations.upgrade` hands in."""

from alembic import context

from sottovoce.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
