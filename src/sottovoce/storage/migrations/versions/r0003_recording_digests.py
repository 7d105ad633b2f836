"""The SHA-256 of recordings, of talks and of contacts; older ones have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "segments",
        sa.Column("recording_sha256", sa.Text(), comment="Of the recording as it was closed, hexadecimal."),
    )
    op.add_column(
        "contacts",
        sa.Column("recording_sha256", sa.Text(), comment="Of the recording as it was finished, hexadecimal."),
    )
