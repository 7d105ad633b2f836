"""How long contacts and their recordings are kept, what holds them, and tombstones of what was erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for kind in ("recordings", "transcripts", "contacts"):
        comment = "Days from a contact's begin; None: for ever." if kind == "recordings" else None
        op.add_column("vdns", sa.Column(f"keep_{kind}_days", sa.Integer(), comment=comment))
    op.create_table(
        "contact_holds",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("contact", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name="contact_holds_vdn_fkey"),
        sa.PrimaryKeyConstraint("vdn", "contact", name="contact_holds_pkey"),
    )
    op.create_table(
        "erasures",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("contact", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="`domain.retention.Erasable`."),
        sa.Column("uuid", postgresql.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user", sa.Numeric(20, 0), nullable=False, comment="0: the server itself, or a command."),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column(
            "files",
            postgresql.JSONB(),
            nullable=False,
            comment="Recordings that are still to be removed from the disk.",
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name="erasures_vdn_fkey"),
        sa.PrimaryKeyConstraint("vdn", "contact", "kind", name="erasures_pkey"),
    )
    op.create_index("erasures_left", "erasures", ["vdn"], postgresql_where=sa.text("files <> '[]'::jsonb"))
    op.create_index("erasures_vdn_at_idx", "erasures", ["vdn", "at"])
