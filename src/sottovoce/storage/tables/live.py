"""Tables of the live half and of what both halves share.

What is configured: `vdns`, `skills`, `agents`, `access_codes`, `phones`. What is live: `leases`,
`sessions`, `dialogs`, `registrations`. What stays: `calls`, `waits`, `segments`, `audit`.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from sottovoce.storage.tables.schema import NO_JSON, NO_LIST, NO_TEXT, TIME, metadata, tracks_sha256, vdn

vdns = sa.Table(
    "vdns",
    metadata,
    sa.Column("vdn", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("outbound_allowed", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'::text[]")),
    sa.Column("inspect_inspectors", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column(
        "revision",
        sa.BigInteger,
        nullable=False,
        server_default=sa.text("0"),
        comment="Rises with every change of what is configured of the VDN.",
    ),
    sa.Column(
        "time_zone",
        sa.Text,
        nullable=False,
        server_default=sa.text("'UTC'::text"),
        comment="IANA name; plans run by its wall clock.",
    ),
    sa.Column(
        "rest_causes",
        JSONB,
        nullable=False,
        server_default=NO_LIST,
        comment="Why agents may rest, in words.",
    ),
    sa.Column(
        "agent_groups", JSONB, nullable=False, server_default=NO_LIST, comment="Names of the agents' groups."
    ),
    sa.Column("keep_recordings_days", sa.Integer, comment="Days from a contact's begin; None: for ever."),
    sa.Column("keep_transcripts_days", sa.Integer),
    sa.Column("keep_contacts_days", sa.Integer),
)

skills = sa.Table(
    "skills",
    metadata,
    vdn(),
    sa.Column("skill", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column(
        "rules",
        JSONB,
        nullable=False,
        server_default=NO_JSON,
        comment="How it treats those who wait: `domain.directory.QueueRules`.",
    ),
)

agents = sa.Table(
    "agents",
    metadata,
    sa.Column("agent", sa.Integer, primary_key=True, autoincrement=False),
    vdn(key=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("phone", sa.Text),
    sa.Column("skills", ARRAY(sa.Integer), nullable=False, server_default=sa.text("'{}'::integer[]")),
    sa.Column("rights", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'::text[]")),
    sa.Column("group", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column(
        "password_set_at",
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.func.now(),
        comment="When it was given its password.",
    ),
    sa.Column(
        "former_passwords",
        ARRAY(sa.Text),
        nullable=False,
        server_default=sa.text("'{}'::text[]"),
        comment="Hashes of those before, the latest first.",
    ),
    sa.Column(
        "levels",
        JSONB,
        nullable=False,
        server_default=NO_LIST,
        comment="Of skills that the agent has at another level than the best.",
    ),
    sa.Index(None, "vdn"),
)

access_codes = sa.Table(
    "access_codes",
    metadata,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("vdn", sa.Integer, nullable=False),
    sa.Column("skill", sa.Integer, nullable=False),
    sa.Column("early_media", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column(
        "head_start_s",
        sa.Float,
        nullable=False,
        server_default=sa.text("0"),
        comment="By which its calls are dealt with as if they had come earlier.",
    ),
    sa.ForeignKeyConstraint(["vdn", "skill"], ["skills.vdn", "skills.skill"]),
    sa.Index(None, "vdn"),
)

phones = sa.Table(
    "phones",
    metadata,
    sa.Column("username", sa.Text, primary_key=True),
    vdn(key=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("ha1", JSONB, nullable=False),
    sa.UniqueConstraint("vdn", "number"),
)

leases = sa.Table(
    "leases",
    metadata,
    vdn(),
    sa.Column("node", sa.Text, nullable=False, comment="Who owns the VDN."),
    sa.Column("address", sa.Text, nullable=False, comment="Where its HTTP is reached by other nodes."),
    sa.Column("epoch", sa.BigInteger, nullable=False, comment="Counts owners and restarts; in every write."),
    sa.Column(
        "held_since", sa.BigInteger, nullable=False, comment="First epoch of this node without a break."
    ),
    sa.Column(
        "position", sa.BigInteger, nullable=False, comment="Number of the last journal record applied."
    ),
    sa.Column("renewed_at", TIME, nullable=False),
    sa.Column("expires_at", TIME, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    vdn(),
    sa.Column("agent", sa.Integer, primary_key=True),
    sa.Column("guid", sa.Text, nullable=False, comment="Its SHA-256: `domain.journal.kept_guid`."),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("signed_in_at", TIME, nullable=False),
    sa.Column("skills", ARRAY(sa.Integer), nullable=False, server_default=sa.text("'{}'::integer[]")),
    sa.Column("settings", JSONB, nullable=False, server_default=NO_JSON),
)

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    vdn(),
    sa.Column("agent", sa.Integer, primary_key=True),
    sa.Column("signed_in_at", TIME, primary_key=True),
    sa.Column("signed_out_at", TIME),
    sa.Column("reason", sa.Text),
    sa.Column("phone", sa.Text, nullable=False),
)

sign_in_sources = sa.Table(
    "sign_in_sources",
    metadata,
    vdn(),
    sa.Column("agent", sa.Integer, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True, comment="An address, of IPv6 its /64."),
    sa.Column("at", TIME, nullable=False, comment="When the agent signed in from there last."),
    sa.Column(
        "phone",
        sa.Text,
        nullable=False,
        server_default=sa.text("''::text"),
        comment="That sign-in named then.",
    ),
)

dialogs = sa.Table(
    "dialogs",
    metadata,
    vdn(),
    sa.Column("leg", sa.Text, primary_key=True),
    sa.Column("dialog", JSONB, nullable=False),
)

registrations = sa.Table(
    "registrations",
    metadata,
    vdn(),
    sa.Column("username", sa.Text, primary_key=True),
    sa.Column("contacts", JSONB, nullable=False, comment="Newest last, each with the time until it holds."),
)

calls = sa.Table(
    "calls",
    metadata,
    vdn(),
    sa.Column("call", sa.Text, primary_key=True),
    sa.Column("began_at", TIME, nullable=False),
    sa.Column("ended_at", TIME),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("called", sa.Text, nullable=False),
    sa.Column("skill", sa.Integer),
    sa.Column("reason", sa.Text),
    sa.Column("data", sa.Text, nullable=False, server_default=NO_TEXT, comment="Call data, as last set."),
    sa.Index(None, "vdn", "ended_at"),
)

segments = sa.Table(
    "segments",
    metadata,
    vdn(),
    sa.Column("call", sa.Text, primary_key=True),
    sa.Column("agent", sa.Integer, primary_key=True),
    sa.Column("began_at", TIME, primary_key=True),
    sa.Column("ended_at", TIME, comment="None: it still runs."),
    sa.Column("recording", sa.Text),
    sa.Column("tracks", JSONB, nullable=False, server_default=NO_JSON),
    sa.Column("failure", sa.Text),
    sa.Column("supervisions", JSONB, nullable=False, server_default=NO_LIST),
    sa.Column("recording_sha256", sa.Text, comment="Of the recording as it was closed, hexadecimal."),
    tracks_sha256(),
    sa.Column("pauses", JSONB, nullable=False, server_default=NO_LIST, comment="What of it is not recorded."),
    sa.Column(
        "parties", JSONB, nullable=False, server_default=NO_JSON, comment="Others outside in it: number."
    ),
    sa.Index(None, "vdn", "agent", "began_at"),
)

waits = sa.Table(
    "waits",
    metadata,
    vdn(),
    sa.Column("call", sa.Text, primary_key=True),
    sa.Column("began_at", TIME, primary_key=True),
    sa.Column("skill", sa.Integer, nullable=False),
    sa.Column("ended_at", TIME, comment="None: it still waits."),
    sa.Column("outcome", sa.Text, comment="`domain.queueing.Outcome`."),
    sa.Column("agent", sa.Integer, comment="Who answered."),
    sa.Index(None, "vdn", "began_at"),
)

SUPERVISES = "action LIKE 'supervise.%'"
"""Which rows of the audit are about supervisions: one text for index and query."""

audit = sa.Table(
    "audit",
    metadata,
    vdn(),
    sa.Column("number", sa.BigInteger, primary_key=True, comment="1, 2, 3 … without a gap."),
    sa.Column("at", TIME, nullable=False),
    sa.Column(
        "actor",
        sa.Numeric(20, 0),
        nullable=False,
        comment="A work number or a user; 0 is the command.",
    ),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("detail", JSONB, nullable=False, server_default=NO_JSON),
    sa.Column("previous", sa.LargeBinary, nullable=False, comment="The hash of the row before."),
    sa.Column("hash", sa.LargeBinary, nullable=False, comment="SHA-256 over this row and `previous`."),
    sa.Column(
        "version",
        sa.SmallInteger,
        nullable=False,
        server_default=sa.text("1"),
        comment="How it is hashed: `domain.audit_chain`.",
    ),
    sa.Column("salt", sa.LargeBinary, comment="Chance, from version 2 on."),
    sa.Index(None, "vdn", "at"),
    sa.Index("audit_supervisions", "vdn", "actor", "number", postgresql_where=sa.text(SUPERVISES)),
)

audit_heads = sa.Table(
    "audit_heads",
    metadata,
    vdn(),
    sa.Column("number", sa.BigInteger, nullable=False, comment="The last row's."),
    sa.Column("hash", sa.LargeBinary, nullable=False, comment="The last row's."),
)

audit_signatures = sa.Table(
    "audit_signatures",
    metadata,
    vdn(),
    sa.Column("number", sa.BigInteger, primary_key=True, comment="Of the head that is signed."),
    sa.Column("hash", sa.LargeBinary, nullable=False, comment="Of that head."),
    sa.Column("at", TIME, primary_key=True),
    sa.Column("occasion", sa.Text, nullable=False),
    sa.Column("key", sa.LargeBinary, primary_key=True, comment="The public key, Ed25519."),
    sa.Column("signature", sa.LargeBinary, nullable=False),
)
"""Heads of the audit, signed."""

APPEND_ONLY = (
    """
    CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
    END
    $$
    """,
    *(
        f"""
    CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()
    """
        for table in ("audit", "audit_signatures")
    ),
    *(
        f"""
    CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
    """
        for table in ("audit", "audit_signatures")
    ),
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
    """,
    """
    DO $$
    BEGIN
        EXECUTE format(
            'ALTER FUNCTION audit_append SET search_path = %I, pg_temp', current_schema()
        );
    END
    $$
    """,
)
"""What refuses to change or delete audit rows, and the one way to add some; part of the declared schema.

`audit_append` runs with the rights of the schema's owner, whoever calls it: a role that may only read the
audit can add to it (`storage.own.roles`)."""


@sa.event.listens_for(metadata, "after_create")
def _append_only(_metadata: sa.MetaData, connection: sa.Connection, **_options: object) -> None:
    for statement in APPEND_ONLY:
        connection.execute(sa.text(statement))
