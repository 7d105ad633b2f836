"""Tables of results: scenarios, score profiles, rule results with their revisions, scores, quality items."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from sottovoce.storage.tables.schema import ID, NO_JSON, TIME, metadata, vdn

_NO_TEXTS = sa.text("'{}'::text[]")
_POINTS = sa.Numeric(9, 2)

scenarios = sa.Table(
    "scenarios",
    metadata,
    vdn(),
    sa.Column("scenario", sa.Text, primary_key=True, comment="`groupid_` and a UUID."),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''::text")),
    sa.Column("ignore_sensitive", sa.Boolean, nullable=False),
    sa.Column("interaction", sa.SmallInteger, nullable=False),
    sa.Column("calls_from", TIME),
    sa.Column("calls_until", TIME),
    sa.Column("other", JSONB, nullable=False, server_default=NO_JSON, comment="What else came in `other`."),
    sa.Column("rules", ARRAY(sa.Text), nullable=False, server_default=_NO_TEXTS),
    sa.Column("silence_rules", ARRAY(sa.Text), nullable=False, server_default=_NO_TEXTS),
    sa.Column("speed_rules", ARRAY(sa.Text), nullable=False, server_default=_NO_TEXTS),
    sa.Column("interposal_rules", ARRAY(sa.Text), nullable=False, server_default=_NO_TEXTS),
    sa.Column("created_at", TIME, nullable=False),
    sa.Column("deleted_at", TIME, comment="Its results and scores stay."),
    sa.Index("scenarios_name", "vdn", "name", unique=True, postgresql_where=sa.text("deleted_at IS NULL")),
)

score_profiles = sa.Table(
    "score_profiles",
    metadata,
    vdn(),
    sa.Column("profile", ID, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("lower_bound", _POINTS, nullable=False),
    sa.Column("upper_bound", _POINTS, nullable=False),
    sa.Column("base", _POINTS, nullable=False),
    sa.Column("in_use", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", TIME, nullable=False),
    sa.Column("deleted_at", TIME),
    sa.Index("score_profiles_in_use", "vdn", unique=True, postgresql_where=sa.text("in_use")),
    sa.Index(
        "score_profiles_name", "vdn", "name", unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    ),
)

rule_results = sa.Table(
    "rule_results",
    metadata,
    vdn(),
    sa.Column("result", sa.Text, primary_key=True, comment="`revise_id`: the rule's kind and a UUID."),
    sa.Column("contact", sa.BigInteger, nullable=False),
    sa.Column("scenario", sa.Text, nullable=False),
    sa.Column("kind", sa.SmallInteger, nullable=False, comment="`domain.scoring.RuleKind`."),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''::text")),
    sa.Column("valid", sa.SmallInteger, nullable=False, comment="1 kept, 0 violated, -1 not evaluated."),
    sa.Column("points", _POINTS, nullable=False, comment="What a violation deducts; not negative."),
    sa.Column("segments", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    sa.Column("made_at", TIME, nullable=False),
    sa.Column(
        "entered",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="By an inspector: shown with a revision alone.",
    ),
    sa.ForeignKeyConstraint(["vdn", "scenario"], ["scenarios.vdn", "scenarios.scenario"]),
    sa.Index(None, "vdn", "contact"),
    sa.Index(None, "vdn", "scenario", "rule"),
)

revisions = sa.Table(
    "revisions",
    metadata,
    vdn(),
    sa.Column("result", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, comment="1, 2, 3 … without a gap."),
    sa.Column("revise", sa.SmallInteger, nullable=False, comment="1 kept, 0 violated."),
    sa.Column("remark", sa.Text, nullable=False),
    sa.Column("user", ID, nullable=False),
    sa.Column("at", TIME, nullable=False),
    sa.Column("review_item", ID, comment="In which it was made: of a task …"),
    sa.Column("quality_item", ID, comment="… or an appeal or problem."),
    sa.Column("draft", sa.Integer, comment="In which round of an open item; None: it counts."),
    sa.Column("segments", JSONB(none_as_null=True), comment="Where; None: where the result says."),
    sa.ForeignKeyConstraint(["vdn", "result"], ["rule_results.vdn", "rule_results.result"]),
    sa.Index(None, "vdn", "review_item", postgresql_where=sa.text("review_item IS NOT NULL")),
)
"""What inspectors said of rule results; only ever added to. The last one that is no draft counts."""

scores = sa.Table(
    "scores",
    metadata,
    vdn(),
    sa.Column("contact", sa.BigInteger, primary_key=True),
    sa.Column("scenario", sa.Text, primary_key=True),
    sa.Column("by", sa.Text, primary_key=True, comment="`machine` or `manual`."),
    sa.Column("version", sa.Integer, primary_key=True, comment="1, 2, 3 … without a gap."),
    sa.Column("score", _POINTS, nullable=False),
    sa.Column("reasons", JSONB, nullable=False, comment="Base, bounds, profile, and each deduction."),
    sa.Column("user", ID, nullable=False, comment="0: the machine."),
    sa.Column("at", TIME, nullable=False),
    sa.Column(
        "draft",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="Given for drafts by a version that let them count; it does not.",
    ),
)
"""Scores as they were given; only ever added to. The last one that is no draft counts."""

NEVER_CHANGED = (
    """
    CREATE FUNCTION results_are_versions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a result is revised by another version' USING ERRCODE = 'insufficient_privilege';
    END
    $$
    """,
    *(
        f"""
        CREATE TRIGGER {table}_no_change BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION results_are_versions()
        """
        for table in ("rule_results", "revisions", "scores")
    ),
)
"""What makes the three tables refuse to be overwritten; part of the declared schema."""


@sa.event.listens_for(metadata, "after_create")
def _never_changed(_metadata: sa.MetaData, connection: sa.Connection, **_options: object) -> None:
    for statement in NEVER_CHANGED:
        connection.execute(sa.text(statement))


quality_items = sa.Table(
    "quality_items",
    metadata,
    vdn(),
    sa.Column("quality_item", ID, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False, comment="`domain.appeals.Kind`."),
    sa.Column("state", sa.Text, nullable=False, comment="`domain.appeals.State`."),
    sa.Column("contact", sa.BigInteger, nullable=False),
    sa.Column("review_item", ID, comment="Whose result it is about; None: the machine's."),
    sa.Column("agent", sa.Integer, nullable=False),
    sa.Column("initiator", ID, nullable=False),
    sa.Column("inspector", ID, comment="Who gave the result; never its reviewer."),
    sa.Column("handler", ID, comment="Whose turn it is; None: any supervisor of its side."),
    sa.Column("previous_handler", ID, comment="Who judged last."),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("passed", sa.Boolean, comment="The conclusion; until it is completed, the one to verify."),
    sa.Column("created_at", TIME, nullable=False),
    sa.Column("updated_at", TIME, nullable=False),
    sa.Index(None, "vdn", "created_at"),
    sa.Index(None, "vdn", "contact"),
    sa.Index(None, "vdn", "handler"),
    sa.Index(None, "vdn", "review_item"),
    sa.Index(
        "quality_items_one_open_appeal",
        "vdn",
        "contact",
        "agent",
        unique=True,
        postgresql_where=sa.text("kind = 'appeal' AND state <> 'completed'"),
    ),
)

quality_item_hits = sa.Table(
    "quality_item_hits",
    metadata,
    vdn(),
    sa.Column("quality_item", ID, primary_key=True),
    sa.Column("result", sa.Text, primary_key=True),
    sa.Column("settled_by", ID, comment="The other item that decided it when that was completed."),
    sa.ForeignKeyConstraint(["vdn", "quality_item"], ["quality_items.vdn", "quality_items.quality_item"]),
    sa.ForeignKeyConstraint(["vdn", "result"], ["rule_results.vdn", "rule_results.result"]),
)
"""Which rule results an item is about."""

quality_item_steps = sa.Table(
    "quality_item_steps",
    metadata,
    vdn(),
    sa.Column("quality_item", ID, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, comment="1, 2, 3 … without a gap."),
    sa.Column("at", TIME, nullable=False),
    sa.Column("user", ID, nullable=False, comment="Who did it."),
    sa.Column("action", sa.Text, nullable=False, comment="`domain.appeals.Step`."),
    sa.Column("state", sa.Text, nullable=False, comment="After it."),
    sa.Column("handler", ID, comment="After it."),
    sa.Column("remark", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["vdn", "quality_item"], ["quality_items.vdn", "quality_items.quality_item"]),
)
"""The history of quality items; only ever added to."""
