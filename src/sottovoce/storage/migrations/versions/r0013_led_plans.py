"""A leader's plan draws from the agents whom they lead; those of before, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "plans",
        sa.Column(
            "led_by",
            sa.Numeric(precision=20, scale=0),
            comment="Whose agents its samples are of; None: of all.",
        ),
    )
    op.execute(
        """
    UPDATE plans SET led_by = created_by FROM users
    WHERE users.vdn = plans.vdn AND users."user" = created_by
        AND 'quality_leader' = ANY(roles) AND NOT 'quality_director' = ANY(roles)
    """
    )
