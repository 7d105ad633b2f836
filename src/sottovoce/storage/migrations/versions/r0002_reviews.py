"""Contacts, people, review tasks, plans, results and quality items. What was `contacts` are now `calls`."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("contacts", "calls")
    op.execute("ALTER INDEX contacts_vdn_ended_at_idx RENAME TO calls_vdn_ended_at_idx")
    op.execute(
        """
    DO $$
    DECLARE
        name text;
    BEGIN
        FOR name IN SELECT conname FROM pg_constraint
            WHERE conrelid = 'calls'::regclass AND conname LIKE 'contacts%'
        LOOP
            EXECUTE format(
                'ALTER TABLE calls RENAME CONSTRAINT %I TO %I', name, replace(name, 'contacts', 'calls')
            );
        END LOOP;
    END
    $$
    """
    )
    op.alter_column("segments", "ended_at", nullable=True, comment="None: it still runs.")
    op.add_column(
        "segments",
        sa.Column(
            "supervisions",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
    )
    op.execute("CREATE SEQUENCE contact_numbers")
    op.execute("CREATE SEQUENCE review_numbers MINVALUE 0 MAXVALUE 999999999 CYCLE")
    op.create_table(
        "contact_sources",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False, comment="Of a live talk or an imported row."),
        sa.Column("contact", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("contact_sources_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "reference", name=op.f("contact_sources_pkey")),
    )
    op.create_table(
        "contacts",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "contact",
            sa.BigInteger(),
            server_default=sa.text("nextval('contact_numbers'::regclass)"),
            nullable=False,
            comment="Counts up over all tenants; `call_id` on the wire.",
        ),
        sa.Column("uuid", sa.UUID(), nullable=False, comment="`call_uuid` on the wire."),
        sa.Column("call", sa.Text(), nullable=False, comment="Of `calls`; of an import its own reference."),
        sa.Column("source", sa.Text(), nullable=False, comment="`live` or `import`."),
        sa.Column("interaction", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_s", sa.Integer(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("called", sa.Text(), nullable=False),
        sa.Column("agent", sa.Integer(), nullable=True, comment="None: no agent took the call."),
        sa.Column("skill", sa.Integer(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False, comment="`agent`, `customer` or `system`."),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), server_default=sa.text("''::text"), nullable=False),
        sa.Column(
            "recording", sa.Text(), nullable=True, comment="The stereo WAV: customer left, agent right."
        ),
        sa.Column(
            "tracks",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Inspector: his track.",
        ),
        sa.Column(
            "supervisions",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False, comment="Of the inspection by machine."),
        sa.Column("analysed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "analysis",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Speech and silence.",
        ),
        sa.Column("transcript", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "machine_score",
            sa.Numeric(precision=9, scale=2),
            nullable=True,
            comment="The lowest of its scenarios.",
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("contacts_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "began_at", "contact", name=op.f("contacts_pkey")),
        postgresql_partition_by="RANGE (began_at)",
    )
    op.create_index(
        op.f("contacts_vdn_agent_began_at_idx"), "contacts", ["vdn", "agent", "began_at"], unique=False
    )
    op.create_index(op.f("contacts_vdn_contact_idx"), "contacts", ["vdn", "contact"], unique=False)
    op.create_index(
        op.f("contacts_vdn_uploaded_at_contact_idx"),
        "contacts",
        ["vdn", "uploaded_at", "contact"],
        unique=False,
        postgresql_include=["began_at", "interaction", "status", "agent", "duration_s"],
    )
    op.create_index(op.f("contacts_vdn_uuid_idx"), "contacts", ["vdn", "uuid"], unique=False)
    op.create_index(
        "contacts_with_transcript",
        "contacts",
        ["vdn", "uploaded_at", "contact"],
        unique=False,
        postgresql_where=sa.text("transcript IS NOT NULL"),
    )
    op.create_index(
        "contacts_sampling_idx",
        "contacts",
        ["vdn", "interaction", "contact"],
        unique=False,
        postgresql_include=["began_at", "agent", "duration_s", "machine_score", "recording"],
        postgresql_where=sa.text(
            "agent IS NOT NULL AND status <> 9 AND NOT (status BETWEEN 31 AND 40) AND"
            " (interaction = 0 AND recording IS NOT NULL OR interaction = 2 AND transcript IS NOT NULL)"
        ),
    )
    op.create_table(
        "plans",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Numeric(precision=20, scale=0), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("running", sa.Boolean(), nullable=False),
        sa.Column(
            "schedule",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="`domain.plans.Schedule`.",
        ),
        sa.Column(
            "conditions",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="`domain.sampling.Conditions`.",
        ),
        sa.Column(
            "shares",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="`domain.reviews.Shares`: who inspects how many.",
        ),
        sa.Column("runs", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it comes due next; None: never.",
        ),
        sa.Column("created_by", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("plans_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "plan", name=op.f("plans_pkey")),
    )
    op.create_index(
        op.f("plans_next_at_idx"), "plans", ["next_at"], unique=False, postgresql_where=sa.text("running")
    )
    op.create_table(
        "quality_items",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("quality_item", sa.Numeric(precision=20, scale=0), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="`domain.appeals.Kind`."),
        sa.Column("state", sa.Text(), nullable=False, comment="`domain.appeals.State`."),
        sa.Column("contact", sa.BigInteger(), nullable=False),
        sa.Column(
            "review_item",
            sa.Numeric(precision=20, scale=0),
            nullable=True,
            comment="Whose result it is about; None: the machine's.",
        ),
        sa.Column("agent", sa.Integer(), nullable=False),
        sa.Column("initiator", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column(
            "inspector",
            sa.Numeric(precision=20, scale=0),
            nullable=True,
            comment="Who gave the result; never its reviewer.",
        ),
        sa.Column(
            "handler",
            sa.Numeric(precision=20, scale=0),
            nullable=True,
            comment="Whose turn it is; None: any supervisor of its side.",
        ),
        sa.Column(
            "previous_handler",
            sa.Numeric(precision=20, scale=0),
            nullable=True,
            comment="Who judged last.",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "passed",
            sa.Boolean(),
            nullable=True,
            comment="The conclusion; until it is completed, the one to verify.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("quality_items_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "quality_item", name=op.f("quality_items_pkey")),
    )
    op.create_index(op.f("quality_items_vdn_contact_idx"), "quality_items", ["vdn", "contact"], unique=False)
    op.create_index(
        op.f("quality_items_vdn_created_at_idx"), "quality_items", ["vdn", "created_at"], unique=False
    )
    op.create_index(op.f("quality_items_vdn_handler_idx"), "quality_items", ["vdn", "handler"], unique=False)
    op.create_index(
        op.f("quality_items_vdn_review_item_idx"), "quality_items", ["vdn", "review_item"], unique=False
    )
    op.create_index(
        "quality_items_one_open_appeal",
        "quality_items",
        ["vdn", "contact", "agent"],
        unique=True,
        postgresql_where=sa.text("kind = 'appeal' AND state <> 'completed'"),
    )
    op.create_table(
        "review_steps",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("task", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="1, 2, 3 … without a gap."),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "user",
            sa.Numeric(precision=20, scale=0),
            nullable=False,
            comment="0: the server itself (a plan, a reserved time).",
        ),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("review_steps_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "task", "number", name=op.f("review_steps_pkey")),
    )
    op.create_table(
        "review_tasks",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("task", sa.Numeric(precision=20, scale=0), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="`domain.reviews.TaskState`."),
        sa.Column("interaction", sa.SmallInteger(), nullable=False),
        sa.Column(
            "calls_from", sa.DateTime(timezone=True), nullable=True, comment="The range of calls asked for."
        ),
        sa.Column("calls_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "conditions",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="`domain.sampling.Conditions`.",
        ),
        sa.Column(
            "draw", sa.BigInteger(), nullable=False, comment="Of `sampling_draws`: whose sample it has."
        ),
        sa.Column("created_by", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "takes_effect_at", sa.DateTime(timezone=True), nullable=True, comment="Reserved, or when it did."
        ),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), nullable=True, comment="Finished, terminated or deleted."
        ),
        sa.Column(
            "plan", sa.Numeric(precision=20, scale=0), nullable=True, comment="Of the plan that made it."
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("review_tasks_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "task", name=op.f("review_tasks_pkey")),
    )
    op.create_index(
        op.f("review_tasks_state_takes_effect_at_idx"),
        "review_tasks",
        ["state", "takes_effect_at"],
        unique=False,
        postgresql_where=sa.text("state = 'reserved'"),
    )
    op.create_index(
        op.f("review_tasks_vdn_created_at_idx"), "review_tasks", ["vdn", "created_at"], unique=False
    )
    op.create_table(
        "sampling_draws",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("draw", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("task", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "committed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the seed's hash went into the audit.",
        ),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "frame", sa.LargeBinary(), nullable=True, comment="The ordered contacts that qualified, packed."
        ),
        sa.Column(
            "certificate",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="`domain.sampling.Certificate`.",
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("sampling_draws_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "draw", name=op.f("sampling_draws_pkey")),
    )
    op.create_index(op.f("sampling_draws_vdn_task_idx"), "sampling_draws", ["vdn", "task"], unique=False)
    op.create_table(
        "scenarios",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False, comment="`groupid_` and a UUID."),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''::text"), nullable=False),
        sa.Column("ignore_sensitive", sa.Boolean(), nullable=False),
        sa.Column("interaction", sa.SmallInteger(), nullable=False),
        sa.Column("calls_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calls_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "other",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="What else came in `other`.",
        ),
        sa.Column(
            "rules", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False
        ),
        sa.Column(
            "silence_rules",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'::text[]"),
            nullable=False,
        ),
        sa.Column(
            "speed_rules", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False
        ),
        sa.Column(
            "interposal_rules",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'::text[]"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "deleted_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Its results and scores stay.",
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("scenarios_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "scenario", name=op.f("scenarios_pkey")),
    )
    op.create_index(
        "scenarios_name",
        "scenarios",
        ["vdn", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "score_profiles",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("profile", sa.Numeric(precision=20, scale=0), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lower_bound", sa.Numeric(precision=9, scale=2), nullable=False),
        sa.Column("upper_bound", sa.Numeric(precision=9, scale=2), nullable=False),
        sa.Column("base", sa.Numeric(precision=9, scale=2), nullable=False),
        sa.Column("in_use", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("score_profiles_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "profile", name=op.f("score_profiles_pkey")),
    )
    op.create_index(
        "score_profiles_in_use", "score_profiles", ["vdn"], unique=True, postgresql_where=sa.text("in_use")
    )
    op.create_index(
        "score_profiles_name",
        "score_profiles",
        ["vdn", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "scores",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("contact", sa.BigInteger(), nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False, comment="`machine` or `manual`."),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="1, 2, 3 … without a gap; the last counts."
        ),
        sa.Column("score", sa.Numeric(precision=9, scale=2), nullable=False),
        sa.Column(
            "reasons",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Base, bounds, profile, and each deduction.",
        ),
        sa.Column("user", sa.Numeric(precision=20, scale=0), nullable=False, comment="0: the machine."),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("scores_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "contact", "scenario", "by", "version", name=op.f("scores_pkey")),
    )
    op.create_table(
        "user_groups",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False, comment="`quality` (inspectors) or `table` (agents)."),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("user_groups_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "name", name=op.f("user_groups_pkey")),
    )
    op.create_table(
        "plan_runs",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False, comment="Earlier due times that nobody ran."),
        sa.Column("task", sa.Numeric(precision=20, scale=0), nullable=True, comment="The task that it made."),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["vdn", "plan"], ["plans.vdn", "plans.plan"], name=op.f("plan_runs_vdn_plan_fkey")
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("plan_runs_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "plan", "due_at", name=op.f("plan_runs_pkey")),
    )
    op.create_table(
        "quality_item_steps",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("quality_item", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="1, 2, 3 … without a gap."),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user", sa.Numeric(precision=20, scale=0), nullable=False, comment="Who did it."),
        sa.Column("action", sa.Text(), nullable=False, comment="`domain.appeals.Step`."),
        sa.Column("state", sa.Text(), nullable=False, comment="After it."),
        sa.Column("handler", sa.Numeric(precision=20, scale=0), nullable=True, comment="After it."),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vdn", "quality_item"],
            ["quality_items.vdn", "quality_items.quality_item"],
            name=op.f("quality_item_steps_vdn_quality_item_fkey"),
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("quality_item_steps_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "quality_item", "number", name=op.f("quality_item_steps_pkey")),
    )
    op.create_table(
        "review_items",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("item", sa.Numeric(precision=20, scale=0), autoincrement=False, nullable=False),
        sa.Column("task", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False, comment="In the order of the draw, from 0."),
        sa.Column("contact", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False, comment="Of the contact."),
        sa.Column("agent", sa.Integer(), nullable=True, comment="Of the contact."),
        sa.Column("inspector", sa.Numeric(precision=20, scale=0), nullable=True),
        sa.Column("state", sa.Text(), nullable=False, comment="`domain.reviews.ItemState`."),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="Done or released."),
        sa.ForeignKeyConstraint(
            ["vdn", "task"],
            ["review_tasks.vdn", "review_tasks.task"],
            name=op.f("review_items_vdn_task_fkey"),
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("review_items_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "item", name=op.f("review_items_pkey")),
        sa.UniqueConstraint("vdn", "contact", "task", name=op.f("review_items_vdn_contact_task_key")),
        sa.UniqueConstraint("vdn", "task", "place", name=op.f("review_items_vdn_task_place_key")),
    )
    op.create_index(
        op.f("review_items_vdn_inspector_idx"), "review_items", ["vdn", "inspector"], unique=False
    )
    op.create_index(
        op.f("review_items_vdn_task_state_idx"), "review_items", ["vdn", "task", "state"], unique=False
    )
    op.create_table(
        "rule_results",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False, comment="`revise_id`: the rule's kind and a UUID."),
        sa.Column("contact", sa.BigInteger(), nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False, comment="`domain.scoring.RuleKind`."),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''::text"), nullable=False),
        sa.Column(
            "valid", sa.SmallInteger(), nullable=False, comment="1 kept, 0 violated, -1 not evaluated."
        ),
        sa.Column(
            "points",
            sa.Numeric(precision=9, scale=2),
            nullable=False,
            comment="What a violation deducts; not negative.",
        ),
        sa.Column(
            "segments",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vdn", "scenario"],
            ["scenarios.vdn", "scenarios.scenario"],
            name=op.f("rule_results_vdn_scenario_fkey"),
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("rule_results_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "result", name=op.f("rule_results_pkey")),
    )
    op.create_index(op.f("rule_results_vdn_contact_idx"), "rule_results", ["vdn", "contact"], unique=False)
    op.create_table(
        "users",
        sa.Column("user", sa.Numeric(precision=20, scale=0), autoincrement=False, nullable=False),
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("agent", sa.Integer(), nullable=True, comment="The work number."),
        sa.Column(
            "roles", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False
        ),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agent"], ["agents.agent"], name=op.f("users_agent_fkey")),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("users_vdn_fkey")),
        sa.PrimaryKeyConstraint("user", name=op.f("users_pkey")),
        sa.UniqueConstraint("agent", name=op.f("users_agent_key")),
    )
    op.create_index(op.f("users_vdn_idx"), "users", ["vdn"], unique=False)
    op.create_table(
        "app_keys",
        sa.Column("app_key", sa.Text(), nullable=False),
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the 256-bit secret."),
        sa.Column(
            "user",
            sa.Numeric(precision=20, scale=0),
            nullable=True,
            comment="Who acts where a request names nobody.",
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user"], ["users.user"], name=op.f("app_keys_user_fkey")),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("app_keys_vdn_fkey")),
        sa.PrimaryKeyConstraint("app_key", name=op.f("app_keys_pkey")),
    )
    op.create_index(op.f("app_keys_vdn_idx"), "app_keys", ["vdn"], unique=False)
    op.create_table(
        "group_members",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("leads", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.user"], name=op.f("group_members_user_fkey")),
        sa.ForeignKeyConstraint(
            ["vdn", "name"], ["user_groups.vdn", "user_groups.name"], name=op.f("group_members_vdn_name_fkey")
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("group_members_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "name", "user", name=op.f("group_members_pkey")),
    )
    op.create_index(op.f("group_members_vdn_user_idx"), "group_members", ["vdn", "user"], unique=False)
    op.create_table(
        "quality_item_hits",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("quality_item", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vdn", "quality_item"],
            ["quality_items.vdn", "quality_items.quality_item"],
            name=op.f("quality_item_hits_vdn_quality_item_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["vdn", "result"],
            ["rule_results.vdn", "rule_results.result"],
            name=op.f("quality_item_hits_vdn_result_fkey"),
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("quality_item_hits_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "quality_item", "result", name=op.f("quality_item_hits_pkey")),
    )
    op.create_table(
        "revisions",
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="1, 2, 3 … without a gap; the last counts."
        ),
        sa.Column("revise", sa.SmallInteger(), nullable=False, comment="1 kept, 0 violated."),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("user", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "review_item",
            sa.Numeric(precision=20, scale=0),
            nullable=True,
            comment="In which it was made: of a task …",
        ),
        sa.Column(
            "quality_item",
            sa.Numeric(precision=20, scale=0),
            nullable=True,
            comment="… or an appeal or problem.",
        ),
        sa.ForeignKeyConstraint(
            ["vdn", "result"],
            ["rule_results.vdn", "rule_results.result"],
            name=op.f("revisions_vdn_result_fkey"),
        ),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("revisions_vdn_fkey")),
        sa.PrimaryKeyConstraint("vdn", "result", "version", name=op.f("revisions_pkey")),
    )
    op.create_index(
        op.f("revisions_vdn_review_item_idx"),
        "revisions",
        ["vdn", "review_item"],
        unique=False,
        postgresql_where=sa.text("review_item IS NOT NULL"),
    )
    op.create_table(
        "access_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token."),
        sa.Column("vdn", sa.Integer(), nullable=False),
        sa.Column("app_key", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["app_key"], ["app_keys.app_key"], name=op.f("access_tokens_app_key_fkey")),
        sa.ForeignKeyConstraint(["vdn"], ["vdns.vdn"], name=op.f("access_tokens_vdn_fkey")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("access_tokens_pkey")),
    )
    op.create_index(op.f("access_tokens_app_key_idx"), "access_tokens", ["app_key"], unique=False)
    op.create_index(op.f("access_tokens_expires_at_idx"), "access_tokens", ["expires_at"], unique=False)
    op.alter_column(
        "audit",
        "actor",
        existing_type=sa.INTEGER(),
        type_=sa.Numeric(precision=20, scale=0),
        comment="A work number or a user; 0 is the command.",
        existing_comment="A work number; 0 is the command line.",
        existing_nullable=False,
    )
    op.add_column(
        "vdns",
        sa.Column(
            "time_zone",
            sa.Text(),
            server_default=sa.text("'UTC'::text"),
            nullable=False,
            comment="IANA name; plans run by its wall clock.",
        ),
    )
    op.execute(
        """
    CREATE FUNCTION contacts_month(month timestamptz) RETURNS void LANGUAGE plpgsql AS $$
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
    """
    )
    op.execute(
        """
    CREATE FUNCTION results_are_versions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a result is revised by another version' USING ERRCODE = 'insufficient_privilege';
    END
    $$
    """
    )
    for table in ("rule_results", "revisions", "scores"):
        op.execute(
            f"""
        CREATE TRIGGER {table}_no_change BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION results_are_versions()
        """
        )
    _procrastinate()


def _procrastinate() -> None:
    """The job queue, in a schema of its own, whose functions work whatever the caller's search path."""
    queue = (Path(__file__).parent / "r0002_procrastinate.sql").read_text(encoding="utf-8")
    connection = op.get_bind()
    before = connection.execute(sa.text("SELECT current_setting('search_path')")).scalar_one()
    op.execute("CREATE SCHEMA procrastinate")
    op.execute("SET LOCAL search_path = procrastinate")
    connection.exec_driver_sql(queue.replace("%", "%%"))
    op.execute(
        """
    DO $$
    DECLARE
        routine regprocedure;
    BEGIN
        FOR routine IN SELECT oid FROM pg_proc WHERE pronamespace = 'procrastinate'::regnamespace LOOP
            EXECUTE format('ALTER FUNCTION %s SET search_path = procrastinate, pg_temp', routine);
        END LOOP;
    END
    $$
    """
    )
    connection.execute(sa.text("SELECT set_config('search_path', :before, true)"), {"before": before})
