"""Corrections of an open item are drafts, those of before too; scores that they changed are given anew."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_VERSIONS = ("revisions", "scores")


def upgrade() -> None:
    op.add_column(
        "review_items",
        sa.Column(
            "round",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="Of its drafts; those of an earlier one were dropped.",
        ),
    )
    op.add_column(
        "revisions",
        sa.Column("draft", sa.Integer(), comment="In which round of an open item; None: it counts."),
    )
    op.add_column(
        "scores",
        sa.Column(
            "draft",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Given for drafts by a version that let them count; it does not.",
        ),
    )
    for table in _VERSIONS:
        op.alter_column(table, "version", comment="1, 2, 3 … without a gap.")
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_no_change")
    op.execute(
        """
    UPDATE revisions SET draft = 1 WHERE review_item IS NOT NULL AND NOT EXISTS (
        SELECT FROM review_items
        WHERE review_items.vdn = revisions.vdn AND item = review_item AND state = 'done'
    )
    """
    )
    op.execute(
        """
    UPDATE scores SET draft = true WHERE by = 'manual' AND EXISTS (
        SELECT FROM rule_results
        JOIN revisions ON revisions.vdn = rule_results.vdn AND revisions.result = rule_results.result
        WHERE rule_results.vdn = scores.vdn AND rule_results.contact = scores.contact
            AND rule_results.scenario = scores.scenario AND draft IS NOT NULL AND revisions.at <= scores.at
    )
    """
    )
    for table in _VERSIONS:
        op.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_no_change")
    _score_anew(op.get_bind())


def _score_anew(connection: sa.Connection) -> None:
    """A manual score without drafts, where somebody completed the call or corrected it in an appeal."""
    inspected = sa.text(
        """
    SELECT scores.vdn, scores.contact, scores.scenario, max(scores.version) AS version, ignore_sensitive,
        coalesce(lower_bound, 0) AS lower, coalesce(upper_bound, 100) AS upper, coalesce(base, 100) AS base,
        profile::text, coalesce(score_profiles.name, '') AS profile_name
    FROM scores
    JOIN scenarios ON scenarios.vdn = scores.vdn AND scenarios.scenario = scores.scenario
    LEFT JOIN score_profiles ON score_profiles.vdn = scores.vdn AND in_use
    WHERE by = 'manual' AND draft AND (
        EXISTS (
            SELECT FROM review_items
            WHERE review_items.vdn = scores.vdn AND review_items.contact = scores.contact AND state = 'done'
        ) OR EXISTS (
            SELECT FROM rule_results
            JOIN revisions ON revisions.vdn = rule_results.vdn AND revisions.result = rule_results.result
            WHERE rule_results.vdn = scores.vdn AND rule_results.contact = scores.contact
                AND rule_results.scenario = scores.scenario AND revisions.draft IS NULL
        )
    )
    GROUP BY scores.vdn, scores.contact, scores.scenario, scenarios.vdn, scenarios.scenario,
        score_profiles.vdn, score_profiles.profile
    """
    )
    violated = sa.text(
        """
    SELECT rule_results.result, kind, name, points, coalesce(last.version, 0) AS version
    FROM rule_results LEFT JOIN LATERAL (
        SELECT version, revise FROM revisions
        WHERE revisions.vdn = rule_results.vdn AND revisions.result = rule_results.result AND draft IS NULL
        ORDER BY version DESC LIMIT 1
    ) AS last ON true
    WHERE vdn = :vdn AND contact = :contact AND scenario = :scenario
        AND coalesce(last.revise, valid) = 0 AND NOT (kind = 60 AND :ignore_sensitive)
    ORDER BY made_at, rule_results.result
    """
    )
    added = sa.text(
        """
    INSERT INTO scores (vdn, contact, scenario, by, version, score, reasons, "user", at)
    VALUES (:vdn, :contact, :scenario, 'manual', :version, :score, CAST(:reasons AS jsonb), 0, now())
    """
    )
    for row in connection.execute(inspected).mappings().all():
        found = connection.execute(violated, dict(row)).mappings().all()
        whole = row["base"] - sum((one["points"] for one in found), Decimal(0))
        given: dict[str, Any] = {
            **{name: row[name] for name in ("vdn", "contact", "scenario")},
            "version": row["version"] + 1,
            "score": max(row["lower"], min(row["upper"], whole)),
            "reasons": json.dumps(
                {
                    **{name: str(row[name]) for name in ("base", "lower", "upper")},
                    "profile": row["profile"],
                    "profile_name": row["profile_name"],
                    "deductions": [{**one, "points": str(one["points"])} for one in found],
                }
            ),
        }
        connection.execute(added, given)
