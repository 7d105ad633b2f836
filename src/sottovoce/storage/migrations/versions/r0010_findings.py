"""Findings of inspectors: shown with a revision alone, which says where in the call they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "revisions",
        sa.Column("segments", postgresql.JSONB(), comment="Where; None: where the result says."),
    )
    op.add_column(
        "rule_results",
        sa.Column(
            "entered",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="By an inspector: shown with a revision alone.",
        ),
    )
