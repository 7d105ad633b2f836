"""Directory, lease, journal, contacts and audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vdns",
        sa.Column("vdn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "outbound_allowed",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'::text[]"),
            nullable=False,
        ),
        sa.Column("inspect_inspectors", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "revision",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Rises with every change of what is configured of the VDN.",
        ),
        sa.PrimaryKeyConstraint("vdn", name=op.f("vdns_pkey")),
    )
    op.create_table(
        "agents",
        sa.Column("agent", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column(
            "skills",
            postgresql.ARRAY(sa.Integer()),
            server_default=sa.text("'{}'::integer[]"),
            nullable=False,
        ),
        sa.Column(
            "rights", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False
        ),
        sa.Column("group", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("agents_vdn_fkey")),
        sa.PrimaryKeyConstraint("agent", name=op.f("agents_pkey")),
    )
    op.create_index(op.f("agents_vdn_idx"), "agents", ["vdn"], unique=False)
    op.create_table(
        "audit",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="1, 2, 3 … without a gap."),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Integer(), nullable=False, comment="A work number; 0 is the command line."),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False, comment="The hash of the row before."),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 over this row and `previous`."),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("audit_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "number", name=op.f("audit_pkey")),
    )
    op.create_index(op.f("audit_vdn_at_idx"), "audit", ["vdn", "at"], unique=False)
    op.create_table(
        "audit_heads",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="The last row's."),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="The last row's."),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("audit_heads_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", name=op.f("audit_heads_pkey")),
    )
    op.create_table(
        "contacts",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("called", sa.Text(), nullable=False),
        sa.Column("skill", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("contacts_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "call", name=op.f("contacts_pkey")),
    )
    op.create_index(op.f("contacts_vdn_ended_at_idx"), "contacts", ["vdn", "ended_at"], unique=False)
    op.create_table(
        "dialogs",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("dialog", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("dialogs_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "leg", name=op.f("dialogs_pkey")),
    )
    op.create_table(
        "leases",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False, comment="Who owns the VDN."),
        sa.Column("address", sa.Text(), nullable=False, comment="Where its HTTP is reached by other nodes."),
        sa.Column(
            "epoch", sa.BigInteger(), nullable=False, comment="Counts owners and restarts; in every write."
        ),
        sa.Column(
            "held_since", sa.BigInteger(), nullable=False, comment="First epoch of this node without a break."
        ),
        sa.Column(
            "position", sa.BigInteger(), nullable=False, comment="Number of the last journal record applied."
        ),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("leases_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", name=op.f("leases_pkey")),
    )
    op.create_table(
        "phones",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("ha1", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("phones_vdn_fkey")),
        sa.PrimaryKeyConstraint("username", name=op.f("phones_pkey")),
        sa.UniqueConstraint("vdn", "number", name=op.f("phones_vdn_number_key")),
    )
    op.create_table(
        "segments",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("agent", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recording", sa.Text(), nullable=True),
        sa.Column("tracks", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("segments_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "call", "agent", "began_at", name=op.f("segments_pkey")),
    )
    op.create_index(
        op.f("segments_vdn_agent_began_at_idx"), "segments", ["vdn", "agent", "began_at"], unique=False
    )
    op.create_table(
        "sessions",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("agent", sa.Integer(), nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "skills",
            postgresql.ARRAY(sa.Integer()),
            server_default=sa.text("'{}'::integer[]"),
            nullable=False,
        ),
        sa.Column("settings", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("sessions_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "agent", name=op.f("sessions_pkey")),
    )
    op.create_table(
        "sign_ins",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("agent", sa.Integer(), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("sign_ins_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "agent", "signed_in_at", name=op.f("sign_ins_pkey")),
    )
    op.create_table(
        "skills",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("skill", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("skills_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "skill", name=op.f("skills_pkey")),
    )
    op.create_table(
        "access_codes",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("skill", sa.Integer(), nullable=False),
        sa.Column("early_media", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vdn", "skill"], ["skills.vdn", "skills.skill"], name=op.f("access_codes_vdn_skill_fkey")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("access_codes_pkey")),
    )
    op.create_index(op.f("access_codes_vdn_idx"), "access_codes", ["vdn"], unique=False)

    op.execute(
        """
        CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
    END
    $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit
            FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()
        """
    )
    op.execute(
        """
        CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
            FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
        """
    )
