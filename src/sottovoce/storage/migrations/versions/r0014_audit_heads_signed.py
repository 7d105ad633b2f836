"""The audit: rows with a digest of their own, one function that adds them, heads that are signed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "audit",
        sa.Column(
            "version",
            sa.SmallInteger(),
            server_default=sa.text("1"),
            nullable=False,
            comment="How it is hashed: `domain.audit_chain`.",
        ),
    )
    op.add_column("audit", sa.Column("salt", sa.LargeBinary(), comment="Chance, from version 2 on."))
    op.create_table(
        "audit_signatures",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="Of the head that is signed."),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="Of that head."),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False, comment="The public key, Ed25519."),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("audit_signatures_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "number", "at", "key", name=op.f("audit_signatures_pkey")),
    )
    op.execute(
        """
        CREATE TRIGGER audit_signatures_no_change BEFORE UPDATE OR DELETE ON audit_signatures
            FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()
        """
    )
    op.execute(
        """
        CREATE TRIGGER audit_signatures_no_truncate BEFORE TRUNCATE ON audit_signatures
            FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
        """
    )
    op.execute(
        """
    CREATE FUNCTION audit_append(
        tenant integer, ats timestamptz[], actors numeric[], actions text[], targets text[], details jsonb[],
        salts bytea[], digests bytea[]
    ) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE
        last bigint;
        previous bytea;
        following bytea;
    BEGIN
        INSERT INTO audit_heads (vdn, number, hash)
            VALUES (tenant, 0, sha256(convert_to('sottovoce audit of VDN ' || tenant, 'UTF8')))
            ON CONFLICT DO NOTHING;
        SELECT heads.number, heads.hash INTO last, previous
            FROM audit_heads heads WHERE heads.vdn = tenant FOR UPDATE;
        FOR place IN 1 .. cardinality(digests) LOOP
            last := last + 1;
            following := sha256(previous || digests[place]);
            INSERT INTO audit (vdn, number, at, actor, action, target, detail, previous, hash, version, salt)
                VALUES (tenant, last, ats[place], actors[place], actions[place], targets[place],
                        details[place], previous, following, 2, salts[place]);
            previous := following;
        END LOOP;
        UPDATE audit_heads heads SET number = last, hash = previous WHERE heads.vdn = tenant;
        RETURN last;
    END
    $$
    """
    )
    op.execute(
        """
    DO $$
    BEGIN
        EXECUTE format(
            'ALTER FUNCTION audit_append SET search_path = %I, pg_temp', current_schema()
        );
    END
    $$
    """
    )
