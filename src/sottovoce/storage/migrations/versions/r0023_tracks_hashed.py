"""Inspectors' own tracks have their SHA-256 as recordings have it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("segments", "contacts"):
        op.add_column(
            table,
            sa.Column(
                "tracks_sha256",
                JSONB,
                nullable=False,
                server_default=sa.text("'{}'::jsonb"),
                comment="Inspector: of the track as it was closed, hexadecimal.",
            ),
        )
    op.alter_column(
        "quality_item_hits",
        "settled_by",
        comment="The other item that decided it when that was completed.",
        existing_comment="The completed item of the other kind that decided it.",
    )
