"""Which completed appeal or problem decided a result that an item of the other kind is about as well."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "quality_item_hits",
        sa.Column(
            "settled_by",
            sa.Numeric(precision=20, scale=0),
            comment="The completed item of the other kind that decided it.",
        ),
    )
