"""Playbacks of recordings; an index by which the results of one rule are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "playbacks",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("playback", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("user", sa.Numeric(20, 0), nullable=False, comment="Who hears."),
        sa.Column("contact", postgresql.UUID(as_uuid=True), nullable=False, comment="`uuid` of `contacts`."),
        sa.Column("track", sa.Text(), nullable=False, comment="`talk`, or an inspector's work number."),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name="playbacks_vdn_fkey"),
        sa.PrimaryKeyConstraint("vdn", "playback", name="playbacks_pkey"),
    )
    op.create_index("playbacks_vdn_contact_idx", "playbacks", ["vdn", "contact"])
    op.create_index("rule_results_vdn_scenario_rule_idx", "rule_results", ["vdn", "scenario", "rule"])
