"""Registrations of phones outlive the server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registrations",
        sa.Column("vdn", sa.Integer, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column(
            "contacts", JSONB, nullable=False, comment="Newest last, each with the time until it holds."
        ),
        sa.PrimaryKeyConstraint("vdn", "username", name="registrations_pkey"),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name="registrations_vdn_fkey"),
    )
