"""Corrections of imported contacts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contact_corrections",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("contact", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column(
            "version", sa.Integer(), nullable=False, autoincrement=False, comment="1, 2, 3 … without a gap."
        ),
        sa.Column("before", postgresql.JSONB(), nullable=False, comment="What was changed, as it was."),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("user", sa.Numeric(20, 0), nullable=False, comment="0: the command."),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name="contact_corrections_vdn_fkey"),
        sa.PrimaryKeyConstraint("vdn", "contact", "version", name="contact_corrections_pkey"),
    )
    op.create_index("contact_sources_vdn_contact_idx", "contact_sources", ["vdn", "contact"])
