"""Where agents signed in from: others' wrong passwords do not keep them from signing in there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_sources",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("agent", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="An address, of IPv6 its /64."),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the agent signed in from there last.",
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name="sign_in_sources_vdn_fkey"),
        sa.PrimaryKeyConstraint("vdn", "agent", "source", name="sign_in_sources_pkey"),
    )
