"""Tables of the contacts: one row per call and agent (a talk), one for a call that no agent took."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

from sottovoce.storage.tables.schema import ID, NO_JSON, NO_LIST, NO_TEXT, TIME, metadata, tracks_sha256, vdn

INSPECTABLE = (
    "agent IS NOT NULL AND status <> 9 AND NOT (status BETWEEN 31 AND 40) AND"
    " (interaction = 0 AND recording IS NOT NULL OR interaction = 2 AND transcript IS NOT NULL)"
)
"""Which contacts a sample may have: one text for index and query, so that the one serves the other."""

UNHEARD = sa.text("(interaction = 0 AND recording IS NOT NULL AND analysed_at IS NULL)")
"""Whose speech and silence are not known yet."""

contact_numbers = sa.Sequence("contact_numbers", metadata=metadata)
contact_arrivals = sa.Sequence("contact_arrivals", start=2, metadata=metadata)
"""Counts contacts as they become inspectable; 1 are those that were there before this was counted."""

contacts = sa.Table(
    "contacts",
    metadata,
    vdn(),
    sa.Column("began_at", TIME, primary_key=True),
    sa.Column(
        "contact",
        sa.BigInteger,
        primary_key=True,
        server_default=sa.text("nextval('contact_numbers'::regclass)"),
        comment="Counts up over all tenants; `call_id` on the wire.",
    ),
    sa.Column("uuid", UUID(as_uuid=True), nullable=False, comment="`call_uuid` on the wire."),
    sa.Column("call", sa.Text, nullable=False, comment="Of `calls`; of an import its own reference."),
    sa.Column("source", sa.Text, nullable=False, comment="`live` or `import`."),
    sa.Column("interaction", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("ended_at", TIME, nullable=False),
    sa.Column("duration_ms", sa.BigInteger, nullable=False),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("called", sa.Text, nullable=False),
    sa.Column("agent", sa.Integer, comment="None: no agent took the call."),
    sa.Column("skill", sa.Integer),
    sa.Column("ended_by", sa.Text, nullable=False, comment="`agent`, `customer` or `system`."),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("file_name", sa.Text, nullable=False, server_default=NO_TEXT),
    sa.Column("recording", sa.Text, comment="The stereo WAV: customer left, agent right."),
    sa.Column("tracks", JSONB, nullable=False, server_default=NO_JSON, comment="Inspector: his track."),
    sa.Column("supervisions", JSONB, nullable=False, server_default=NO_LIST),
    sa.Column("uploaded_at", TIME, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False, comment="Of the inspection by machine."),
    sa.Column("analysed_at", TIME),
    sa.Column("analysis", JSONB, nullable=False, server_default=NO_JSON, comment="Speech and silence."),
    sa.Column("transcript", JSONB),
    sa.Column("machine_score", sa.Numeric(9, 2), comment="The lowest of its scenarios."),
    sa.Column("recording_sha256", sa.Text, comment="Of the recording as it was finished, hexadecimal."),
    sa.Column("arrival", sa.BigInteger, comment="Counts up as contacts become inspectable; None: not yet."),
    sa.Column(
        "call_data", sa.Text, nullable=False, server_default=NO_TEXT, comment="Of its call, as it ended."
    ),
    sa.Column("recording_failure", sa.Text, comment="Why the recording is cut; None: it is not."),
    tracks_sha256(),
    sa.Column("pauses", JSONB, nullable=False, server_default=NO_LIST, comment="What of it is not recorded."),
    sa.Column(
        "parties", JSONB, nullable=False, server_default=NO_JSON, comment="Others outside in it: number."
    ),
    sa.Index(None, "vdn", "contact"),
    sa.Index(None, "vdn", "uuid"),
    sa.Index(None, "vdn", "agent", "began_at"),
    sa.Index(
        None,
        "vdn",
        "uploaded_at",
        "contact",
        postgresql_include=["began_at", "interaction", "status", "agent", "duration_ms"],
    ),
    sa.Index(
        "contacts_sampling_idx",
        "vdn",
        "interaction",
        "contact",
        postgresql_include=["began_at", "duration_ms", "agent", "machine_score", "recording", "arrival"],
        postgresql_where=sa.text(INSPECTABLE),
    ),
    sa.Index(
        "contacts_with_transcript",
        "vdn",
        "uploaded_at",
        "contact",
        postgresql_where=sa.text("transcript IS NOT NULL"),
    ),
    postgresql_partition_by="RANGE (began_at)",
)

contact_sources = sa.Table(
    "contact_sources",
    metadata,
    vdn(),
    sa.Column("reference", sa.Text, primary_key=True, comment="Of a live talk or an imported row."),
    sa.Column("contact", sa.BigInteger, nullable=False),
    sa.Column("began_at", TIME, nullable=False),
    sa.Index(None, "vdn", "contact"),
)
"""What each contact came from: makes recording and importing twice harmless."""

playbacks = sa.Table(
    "playbacks",
    metadata,
    vdn(),
    sa.Column("playback", UUID(as_uuid=True), primary_key=True),
    sa.Column("user", ID, nullable=False, comment="Who hears."),
    sa.Column("contact", UUID(as_uuid=True), nullable=False, comment="`uuid` of `contacts`."),
    sa.Column("track", sa.Text, nullable=False, comment="`talk`, or an inspector's work number."),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("at", TIME, nullable=False),
    sa.Index(None, "vdn", "contact"),
)
"""Who began to hear which recording, and what for; only ever added to."""

contact_corrections = sa.Table(
    "contact_corrections",
    metadata,
    vdn(),
    sa.Column("contact", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column(
        "version", sa.Integer, primary_key=True, autoincrement=False, comment="1, 2, 3 … without a gap."
    ),
    sa.Column("before", JSONB, nullable=False, comment="What was changed, as it was."),
    sa.Column("after", JSONB, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("user", ID, nullable=False, comment="0: the command."),
    sa.Column("at", TIME, nullable=False),
)
"""The versions of imported contacts; only ever added to."""

PARTITIONS = (
    """
    CREATE FUNCTION contacts_month(month timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE
        first timestamptz := date_trunc('month', month, 'UTC');
        name text := 'contacts_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
    BEGIN
        IF to_regclass(name) IS NOT NULL THEN
            RETURN;
        END IF;
        PERFORM pg_advisory_xact_lock(7310203);
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE contacts INCLUDING ALL)', name);
            EXECUTE format(
                'ALTER TABLE %I SET (autovacuum_vacuum_insert_scale_factor = 0.02,'
                ' autovacuum_vacuum_scale_factor = 0.05)', name
            );
            EXECUTE format(
                'ALTER TABLE contacts ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                name, first, date_trunc('month', first + interval '32 days', 'UTC')
            );
        END IF;
    END
    $$
    """,
    """
    DO $$
    BEGIN
        EXECUTE format('ALTER FUNCTION contacts_month SET search_path = %I, pg_temp', current_schema());
    END
    $$
    """,
)
"""What makes a month's partition, as the schema's owner whoever asks; part of the declared schema.

It is attached, not created in its place: that lets others read and write contacts meanwhile. It is vacuumed
sooner than by default: a sample is read from the index alone only where vacuum has been."""

ARRIVING = 7310206
"""The highest 24 bits of the advisory locks of transactions that make contacts inspectable."""
ARRIVALS = (
    f"""
    CREATE FUNCTION contact_arrives() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.agent IS NOT NULL AND NEW.status <> 9 AND NOT (NEW.status BETWEEN 31 AND 40)
            AND (NEW.interaction = 0 AND NEW.recording IS NOT NULL
                OR NEW.interaction = 2 AND NEW.transcript IS NOT NULL)
        THEN
            IF current_setting('sottovoce.arriving', true) IS DISTINCT FROM 'yes' THEN
                PERFORM pg_advisory_xact_lock_shared(({ARRIVING}::bigint << 40) + (
                    SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END
                    FROM contact_arrivals
                ));
                PERFORM set_config('sottovoce.arriving', 'yes', true);
            END IF;
            NEW.arrival := nextval('contact_arrivals');
        END IF;
        RETURN NEW;
    END
    $$
    """,  # noqa: S608
    """
    CREATE TRIGGER contacts_arrive BEFORE INSERT OR UPDATE ON contacts
        FOR EACH ROW WHEN (NEW.arrival IS NULL) EXECUTE FUNCTION contact_arrives()
    """,
)
"""What numbers contacts when they become inspectable (INSPECTABLE); part of the declared schema.

Before its first number, a transaction takes a lock that is named by the last number given out: all of its own
are higher. So whoever reads the locks knows below which number nothing is under way any more, and nobody
waits (`storage.review.plans.arrived`).
"""


@sa.event.listens_for(metadata, "after_create")
def _partitions(_metadata: sa.MetaData, connection: sa.Connection, **_options: object) -> None:
    for statement in PARTITIONS + ARRIVALS:
        connection.execute(sa.text(statement))
