"""Durations of contacts in milliseconds: what was heard of a live recording, else from begin to end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP INDEX contacts_vdn_uploaded_at_contact_idx, contacts_sampling_idx")
    op.execute("ALTER TABLE contacts RENAME COLUMN duration_s TO duration_ms")
    op.execute(
        """
    DO $$
    BEGIN
        IF EXISTS (SELECT FROM pg_constraint WHERE conname = 'contacts_duration_s_not_null') THEN
            ALTER TABLE contacts RENAME CONSTRAINT contacts_duration_s_not_null
                TO contacts_duration_ms_not_null;
        END IF;
    END
    $$
    """
    )
    op.execute(
        """
        ALTER TABLE contacts ALTER COLUMN duration_ms TYPE bigint USING greatest(0, round(coalesce(
            CASE WHEN source = 'live' THEN nullif((analysis ->> 'duration_s')::numeric, 0) END,
            extract(epoch FROM ended_at - began_at)
        ) * 1000))::bigint
        """
    )
    op.create_index(
        "contacts_vdn_uploaded_at_contact_idx",
        "contacts",
        ["vdn", "uploaded_at", "contact"],
        unique=False,
        postgresql_include=["began_at", "interaction", "status", "agent", "duration_ms"],
    )
    op.create_index(
        "contacts_sampling_idx",
        "contacts",
        ["vdn", "interaction", "contact"],
        unique=False,
        postgresql_include=["began_at", "duration_ms", "agent", "machine_score", "recording"],
        postgresql_where=sa.text(
            "agent IS NOT NULL AND status <> 9 AND NOT (status BETWEEN 31 AND 40) AND"
            " (interaction = 0 AND recording IS NOT NULL OR interaction = 2 AND transcript IS NOT NULL)"
        ),
    )
