"""Why a contact's recording is cut, though it looks whole; of older ones as their talks say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "contacts",
        sa.Column("recording_failure", sa.Text(), comment="Why the recording is cut; None: it is not."),
    )
    op.execute(
        """
        UPDATE contacts SET recording_failure = segments.failure FROM segments
        WHERE segments.vdn = contacts.vdn AND segments.call = contacts.call
            AND segments.agent = contacts.agent AND segments.began_at = contacts.began_at
            AND segments.failure IS NOT NULL AND contacts.recording IS NOT NULL AND contacts.source = 'live'
        """
    )
