"""Who leads a group of agents for inspection alone, whatever their roles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "group_members",
        sa.Column(
            "inspects",
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
            comment="Leads it to have its agents inspected, and for nothing else.",
        ),
    )
