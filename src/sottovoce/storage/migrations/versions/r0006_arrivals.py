"""The order in which contacts became inspectable, and how far each plan has taken them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INSPECTABLE = (
    "agent IS NOT NULL AND status <> 9 AND NOT (status BETWEEN 31 AND 40) AND"
    " (interaction = 0 AND recording IS NOT NULL OR interaction = 2 AND transcript IS NOT NULL)"
)


def upgrade() -> None:
    op.execute("CREATE SEQUENCE contact_arrivals START WITH 2")
    op.add_column("contacts", sa.Column("arrival", sa.BigInteger(), server_default=sa.text("1")))
    op.alter_column(
        "contacts",
        "arrival",
        server_default=None,
        comment="Counts up as contacts become inspectable; None: not yet.",
    )
    op.execute(f"UPDATE contacts SET arrival = NULL WHERE ({_INSPECTABLE}) IS NOT TRUE")  # noqa: S608
    op.drop_index("contacts_sampling_idx", "contacts")
    op.create_index(
        "contacts_sampling_idx",
        "contacts",
        ["vdn", "interaction", "contact"],
        postgresql_include=["began_at", "duration_ms", "agent", "machine_score", "recording", "arrival"],
        postgresql_where=sa.text(_INSPECTABLE),
    )
    op.execute(
        """
    CREATE FUNCTION contact_arrives() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.agent IS NOT NULL AND NEW.status <> 9 AND NOT (NEW.status BETWEEN 31 AND 40)
            AND (NEW.interaction = 0 AND NEW.recording IS NOT NULL
                OR NEW.interaction = 2 AND NEW.transcript IS NOT NULL)
        THEN
            IF current_setting('sottovoce.arriving', true) IS DISTINCT FROM 'yes' THEN
                PERFORM pg_advisory_xact_lock_shared((7310206::bigint << 40) + (
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
    """
    )
    op.execute(
        """
    CREATE TRIGGER contacts_arrive BEFORE INSERT OR UPDATE ON contacts
        FOR EACH ROW WHEN (NEW.arrival IS NULL) EXECUTE FUNCTION contact_arrives()
    """
    )
    op.add_column(
        "plans",
        sa.Column(
            "taken_until",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("0"),
            comment="The last `arrival` that a run took.",
        ),
    )
    op.add_column(
        "plans",
        sa.Column("begun_after", sa.BigInteger(), comment="The last `arrival` when it was begun."),
    )
    op.add_column(
        "plans",
        sa.Column(
            "began_from",
            sa.DateTime(timezone=True),
            comment="Of what had arrived when it was begun, the first run takes calls since then.",
        ),
    )
    # A plan that runs goes on where its windows of time ended: with the due time before the next one.
    op.execute(
        """
    UPDATE plans SET begun_after = 1, began_from = next_at - CASE schedule ->> 'cycle'
        WHEN 'daily' THEN interval '1 day' WHEN 'weekly' THEN interval '7 days' ELSE interval '1 month' END
    WHERE running
    """
    )
