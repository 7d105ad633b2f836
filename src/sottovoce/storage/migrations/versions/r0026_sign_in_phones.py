"""Which phone agents named when they signed in from somewhere: their tries there are counted apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column(
        "phone",
        sa.Text(),
        nullable=False,
        server_default=sa.text("''::text"),
        comment="That sign-in named then.",
    )
    op.add_column("sign_in_sources", column)
