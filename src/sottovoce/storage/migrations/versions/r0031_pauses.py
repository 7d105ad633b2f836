"""What of a talk is not recorded: pauses of recordings, and what was before one that an agent asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("segments", "contacts"):
        op.add_column(
            table,
            sa.Column(
                "pauses",
                JSONB,
                nullable=False,
                server_default=sa.text("'[]'::jsonb"),
                comment="What of it is not recorded.",
            ),
        )
