"""Partitions are made as the schema's owner, so that the server's role need not own anything."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
    DO $$
    BEGIN
        EXECUTE format(
            'ALTER FUNCTION contacts_month SECURITY DEFINER SET search_path = %I, pg_temp', current_schema()
        );
    END
    $$
    """
    )
