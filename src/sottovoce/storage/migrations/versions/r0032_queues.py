"""How queues treat those who wait, how well agents have their skills; and the waits themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0032"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, name, kind, default, comment in (
        (
            "skills",
            "rules",
            JSONB,
            "'{}'::jsonb",
            "How it treats those who wait: `domain.directory.QueueRules`.",
        ),
        (
            "agents",
            "levels",
            JSONB,
            "'[]'::jsonb",
            "Of skills that the agent has at another level than the best.",
        ),
        (
            "access_codes",
            "head_start_s",
            sa.Float,
            "0",
            "By which its calls are dealt with as if they had come earlier.",
        ),
    ):
        column = sa.Column(name, kind, nullable=False, server_default=sa.text(default), comment=comment)
        op.add_column(table, column)
    time = sa.DateTime(timezone=True)
    op.create_table(
        "waits",
        sa.Column("vdn", sa.Integer, sa.ForeignKey("vdns.vdn", name="waits_vdn_fkey"), nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("began_at", time, nullable=False),
        sa.Column("skill", sa.Integer, nullable=False),
        sa.Column("ended_at", time, comment="None: it still waits."),
        sa.Column("outcome", sa.Text, comment="`domain.queueing.Outcome`."),
        sa.Column("agent", sa.Integer, comment="Who answered."),
        sa.PrimaryKeyConstraint("vdn", "call", "began_at", name="waits_pkey"),
    )
    op.create_index("waits_vdn_began_at_idx", "waits", ["vdn", "began_at"])
