"""Call data, of calls and of their contacts; causes of rest and agents' groups by name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, name, comment in (
        ("calls", "data", "Call data, as last set."),
        ("contacts", "call_data", "Of its call, as it ended."),
    ):
        column = sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''::text"), comment=comment)
        op.add_column(table, column)
    for name, comment in (
        ("rest_causes", "Why agents may rest, in words."),
        ("agent_groups", "Names of the agents' groups."),
    ):
        column = sa.Column(
            name, JSONB, nullable=False, server_default=sa.text("'[]'::jsonb"), comment=comment
        )
        op.add_column("vdns", column)
