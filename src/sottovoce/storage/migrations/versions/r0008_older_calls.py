"""Calls that a version before 0002 finished become contacts; recordings are kept by paths below their folder.

A call that has results and whose recording nobody has heard waits for that. For plans that run all of them
were there before (`arrival` 1): they take what their last window of time left.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BELOW = r"'^/.*/(\d+/\d{4}/\d\d/\d\d/[^/]+)$', '\1'"


def upgrade() -> None:
    for table in ("segments", "contacts"):
        op.execute(
            f"""
            UPDATE {table} SET recording = regexp_replace(recording, {_BELOW}), tracks = (
                SELECT coalesce(jsonb_object_agg(key, regexp_replace(value, {_BELOW})), '{{}}')
                FROM jsonb_each_text(tracks)
            )
            WHERE recording LIKE '/%' OR tracks::text LIKE '%/%'
            """  # noqa: S608 - one of two names
        )
    op.execute(
        """
        UPDATE contacts SET status = 0
        WHERE status = 2 AND interaction = 0 AND recording IS NOT NULL AND analysed_at IS NULL
        """
    )
    op.execute(
        """
        CREATE TEMPORARY TABLE older_talks ON COMMIT DROP AS
        SELECT talk.*, nextval('contact_numbers') AS contact FROM (
            SELECT
                calls.vdn, calls.call, segments.agent,
                coalesce(segments.began_at, calls.began_at) AS began_at,
                coalesce(segments.ended_at, calls.ended_at) AS ended_at,
                greatest(calls.ended_at, segments.ended_at) AS uploaded_at,
                calls.direction, calls.caller, calls.called, calls.skill,
                CASE WHEN segments.ended_at < calls.ended_at THEN 'taken over' ELSE coalesce(calls.reason, '')
                END AS reason,
                segments.recording, coalesce(segments.tracks, '{}') AS tracks, segments.failure,
                coalesce(segments.supervisions, '[]') AS supervisions,
                'call/' || calls.call || coalesce(
                    '/' || segments.agent || '/'
                    || to_char(segments.began_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS')
                    || CASE WHEN date_trunc('second', segments.began_at) = segments.began_at THEN ''
                        ELSE to_char(segments.began_at AT TIME ZONE 'UTC', '.US') END
                    || '+00:00', ''
                ) AS reference
            FROM calls LEFT JOIN segments
                ON segments.vdn = calls.vdn AND segments.call = calls.call AND segments.ended_at IS NOT NULL
            WHERE calls.ended_at IS NOT NULL
        ) AS talk
        WHERE NOT EXISTS (
            SELECT FROM contact_sources AS known
            WHERE known.vdn = talk.vdn AND known.reference = talk.reference
        )
        """
    )
    op.execute(
        """
        INSERT INTO contact_sources (vdn, reference, contact, began_at)
        SELECT vdn, reference, contact, began_at FROM older_talks
        """
    )
    op.execute(
        """
        SELECT contacts_month(month)
        FROM (SELECT DISTINCT date_trunc('month', began_at, 'UTC') AS month FROM older_talks) AS months
        """
    )
    op.execute(
        """
        INSERT INTO contacts (
            vdn, began_at, contact, uuid, call, source, interaction, ended_at, duration_ms, direction, caller,
            called, agent, skill, ended_by, reason, file_name, recording, tracks, supervisions, uploaded_at,
            status, analysis, arrival
        )
        SELECT
            vdn, began_at, contact, gen_random_uuid(), call, 'live', 0, ended_at,
            greatest(0, round(extract(epoch FROM ended_at - began_at) * 1000)), direction, caller,
            called, agent, skill,
            CASE WHEN reason LIKE 'agent\\:%' THEN 'agent' WHEN reason LIKE 'customer\\:%' THEN 'customer'
            ELSE 'system' END,
            reason, coalesce(substring(recording FROM '[^/]+$'), ''), recording, tracks, supervisions,
            uploaded_at,
            CASE WHEN recording IS NULL THEN 40 ELSE 0 END,
            CASE WHEN recording IS NULL
                THEN jsonb_build_object('failure', coalesce(failure, 'there is no recording')) ELSE '{}' END,
            CASE WHEN agent IS NOT NULL AND recording IS NOT NULL THEN 1 END
        FROM older_talks
        """
    )
    op.execute(
        """
        SELECT procrastinate.procrastinate_defer_jobs_v1(ARRAY[ROW(
            'sottovoce', 'analyse_contact', 0, NULL, NULL,
            jsonb_build_object('vdn', vdn, 'contact', contact), NULL
        )::procrastinate.procrastinate_job_to_defer_v1])
        FROM older_talks WHERE recording IS NOT NULL ORDER BY contact
        """
    )
