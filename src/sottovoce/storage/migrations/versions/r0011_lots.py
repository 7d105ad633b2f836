"""Chains and blocks that decide the lots of contacts; who had a sample drawn, and from which contacts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sottovoce.storage.tables.schema import ID

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sampling_chains",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("chain", sa.Integer(), autoincrement=False, nullable=False, comment="1, 2, 3 …"),
        sa.Column("root", sa.LargeBinary(), nullable=False, comment="Secret: h[0] of `domain.lots`."),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column(
            "used", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Places of blocks."
        ),
        sa.Column("committed_at", _TIME, nullable=False, comment="When its end went into the audit."),
        sa.Column("numbered", sa.BigInteger(), nullable=False, comment="The last contact on record then."),
        sa.Column(
            "words", sa.Text(), server_default=sa.text("''::text"), nullable=False, comment="For the next."
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("sampling_chains_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "chain", name=op.f("sampling_chains_pkey")),
    )
    op.create_table(
        "sampling_blocks",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False, comment="1, 2, 3 …"),
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False, comment="In the chain, from 1."),
        sa.Column("after", sa.BigInteger(), nullable=False, comment="Its contacts have higher numbers,"),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="up to this one."),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("closed_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("sampling_blocks_vdn_fkey")),
        sa.ForeignKeyConstraint(
            ["vdn", "chain"],
            ["sampling_chains.vdn", "sampling_chains.chain"],
            name=op.f("sampling_blocks_vdn_chain_fkey"),
        ),
        sa.PrimaryKeyConstraint("vdn", "block", name=op.f("sampling_blocks_pkey")),
        sa.UniqueConstraint("vdn", "chain", "place", name=op.f("sampling_blocks_vdn_chain_place_key")),
    )
    op.alter_column("sampling_draws", "seed", nullable=True, comment="Of version 1.")
    op.alter_column("sampling_draws", "committed_at", comment="When it was begun, on record in the audit.")
    op.add_column(
        "sampling_draws", sa.Column("maker", ID, comment="Who had it drawn; None: before this was kept.")
    )
    op.add_column(
        "sampling_draws", sa.Column("block", sa.BigInteger(), comment="The last one when it was begun.")
    )
    op.add_column(
        "sampling_draws", sa.Column("first_contact", sa.BigInteger(), comment="The lowest of the frame.")
    )
    op.add_column("sampling_draws", sa.Column("last_contact", sa.BigInteger()))
    op.create_index("sampling_draws_vdn_maker_draw_idx", "sampling_draws", ["vdn", "maker", "draw"])
