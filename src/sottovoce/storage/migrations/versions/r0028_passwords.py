"""When agents were given their passwords, and which they had before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    set_at = sa.Column(
        "password_set_at",
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.func.now(),
        comment="When it was given its password.",
    )
    former: sa.Column[list[str]] = sa.Column(
        "former_passwords",
        ARRAY(sa.Text),
        nullable=False,
        server_default=sa.text("'{}'::text[]"),
        comment="Hashes of those before, the latest first.",
    )
    op.add_column("agents", set_at)
    op.add_column("agents", former)
