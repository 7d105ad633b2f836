"""Parties outside who were in a talk beside its customer, of talks and of their contacts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("segments", "contacts"):
        column = sa.Column(
            "parties",
            JSONB,
            nullable=False,
            server_default=sa.text("'{}'::jsonb"),
            comment="Others outside in it: number.",
        )
        op.add_column(table, column)
