"""Tables of review tasks, the draws that filled them, the plans that make them, and what was done to them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from sottovoce.storage.tables.schema import ID, NO_JSON, TIME, metadata, vdn

review_numbers = sa.Sequence(
    "review_numbers", minvalue=0, maxvalue=999_999_999, cycle=True, metadata=metadata
)
"""The last nine digits of ids; the first ten are the second in which it was made."""

review_tasks = sa.Table(
    "review_tasks",
    metadata,
    vdn(),
    sa.Column("task", ID, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, comment="`domain.reviews.TaskState`."),
    sa.Column("interaction", sa.SmallInteger, nullable=False),
    sa.Column("calls_from", TIME, comment="The range of calls asked for."),
    sa.Column("calls_until", TIME),
    sa.Column("conditions", JSONB, nullable=False, comment="`domain.sampling.Conditions`."),
    sa.Column("draw", sa.BigInteger, nullable=False, comment="Of `sampling_draws`: whose sample it has."),
    sa.Column("created_by", ID, nullable=False),
    sa.Column("created_at", TIME, nullable=False),
    sa.Column("takes_effect_at", TIME, comment="Reserved, or when it did."),
    sa.Column("ended_at", TIME, comment="Finished, terminated or deleted."),
    sa.Column("plan", ID, comment="Of the plan that made it."),
    sa.Index(None, "vdn", "created_at"),
    sa.Index(None, "state", "takes_effect_at", postgresql_where=sa.text("state = 'reserved'")),
)

review_items = sa.Table(
    "review_items",
    metadata,
    vdn(),
    sa.Column("item", ID, primary_key=True, autoincrement=False),
    sa.Column("task", ID, nullable=False),
    sa.Column("place", sa.Integer, nullable=False, comment="In the order of the draw, from 0."),
    sa.Column("contact", sa.BigInteger, nullable=False),
    sa.Column("began_at", TIME, nullable=False, comment="Of the contact."),
    sa.Column("agent", sa.Integer, comment="Of the contact."),
    sa.Column("inspector", ID),
    sa.Column("state", sa.Text, nullable=False, comment="`domain.reviews.ItemState`."),
    sa.Column("opened_at", TIME),
    sa.Column("ended_at", TIME, comment="Done or released."),
    sa.Column(
        "round",
        sa.Integer,
        nullable=False,
        server_default=sa.text("1"),
        comment="Of its drafts; those of an earlier one were dropped.",
    ),
    sa.ForeignKeyConstraint(["vdn", "task"], ["review_tasks.vdn", "review_tasks.task"]),
    sa.UniqueConstraint("vdn", "task", "place"),
    sa.UniqueConstraint("vdn", "contact", "task"),
    sa.Index(None, "vdn", "task", "state"),
    sa.Index(None, "vdn", "inspector"),
)

review_steps = sa.Table(
    "review_steps",
    metadata,
    vdn(),
    sa.Column("task", ID, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, comment="1, 2, 3 … without a gap."),
    sa.Column("at", TIME, nullable=False),
    sa.Column("user", ID, nullable=False, comment="0: the server itself (a plan, a reserved time)."),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("detail", JSONB, nullable=False, server_default=NO_JSON),
)
"""The history of tasks and plans; only ever added to."""

sampling_chains = sa.Table(
    "sampling_chains",
    metadata,
    vdn(),
    sa.Column("chain", sa.Integer, primary_key=True, autoincrement=False, comment="1, 2, 3 …"),
    sa.Column("root", sa.LargeBinary, nullable=False, comment="Secret: h[0] of `domain.lots`."),
    sa.Column("length", sa.Integer, nullable=False),
    sa.Column("used", sa.Integer, nullable=False, server_default=sa.text("0"), comment="Places of blocks."),
    sa.Column("committed_at", TIME, nullable=False, comment="When its end went into the audit."),
    sa.Column("numbered", sa.BigInteger, nullable=False, comment="The last contact on record then."),
    sa.Column("words", sa.Text, nullable=False, server_default=sa.text("''::text"), comment="For the next."),
)

sampling_blocks = sa.Table(
    "sampling_blocks",
    metadata,
    vdn(),
    sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False, comment="1, 2, 3 …"),
    sa.Column("chain", sa.Integer, nullable=False),
    sa.Column("place", sa.Integer, nullable=False, comment="In the chain, from 1."),
    sa.Column("after", sa.BigInteger, nullable=False, comment="Its contacts have higher numbers,"),
    sa.Column("until", sa.BigInteger, nullable=False, comment="up to this one."),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("closed_at", TIME, nullable=False),
    sa.ForeignKeyConstraint(["vdn", "chain"], ["sampling_chains.vdn", "sampling_chains.chain"]),
    sa.UniqueConstraint("vdn", "chain", "place"),
)
"""Contacts whose lots were decided together; only ever added to."""

sampling_draws = sa.Table(
    "sampling_draws",
    metadata,
    vdn(),
    sa.Column("draw", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("task", ID, nullable=False),
    sa.Column("seed", sa.LargeBinary, comment="Of version 1."),
    sa.Column("committed_at", TIME, nullable=False, comment="When it was begun, on record in the audit."),
    sa.Column("drawn_at", TIME),
    sa.Column("frame", sa.LargeBinary, comment="The ordered contacts that qualified, packed."),
    sa.Column("certificate", JSONB, comment="`domain.sampling.Certificate`."),
    sa.Column("maker", ID, comment="Who had it drawn; None: before this was kept."),
    sa.Column("block", sa.BigInteger, comment="The last one when it was begun."),
    sa.Column("first_contact", sa.BigInteger, comment="The lowest of the frame."),
    sa.Column("last_contact", sa.BigInteger),
    sa.Index(None, "vdn", "task"),
    sa.Index(None, "vdn", "maker", "draw"),
)

plans = sa.Table(
    "plans",
    metadata,
    vdn(),
    sa.Column("plan", ID, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("running", sa.Boolean, nullable=False),
    sa.Column("schedule", JSONB, nullable=False, comment="`domain.plans.Schedule`."),
    sa.Column("conditions", JSONB, nullable=False, comment="`domain.sampling.Conditions`."),
    sa.Column("shares", JSONB, nullable=False, comment="`domain.reviews.Shares`: who inspects how many."),
    sa.Column("runs", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("next_at", TIME, comment="When it comes due next; None: never."),
    sa.Column("created_by", ID, nullable=False),
    sa.Column("created_at", TIME, nullable=False),
    sa.Column("deleted_at", TIME),
    sa.Column(
        "taken_until",
        sa.BigInteger,
        nullable=False,
        server_default=sa.text("0"),
        comment="The last `arrival` that a run took.",
    ),
    sa.Column("begun_after", sa.BigInteger, comment="The last `arrival` when it was begun."),
    sa.Column(
        "began_from",
        TIME,
        comment="Of what had arrived when it was begun, the first run takes calls since then.",
    ),
    sa.Column("led_by", ID, comment="Whose agents its samples are of; None: of all."),
    sa.Index(None, "next_at", postgresql_where=sa.text("running")),
)

plan_runs = sa.Table(
    "plan_runs",
    metadata,
    vdn(),
    sa.Column("plan", ID, primary_key=True),
    sa.Column("due_at", TIME, primary_key=True),
    sa.Column("ran_at", TIME, nullable=False),
    sa.Column("missed", sa.Integer, nullable=False, comment="Earlier due times that nobody ran."),
    sa.Column("task", ID, comment="The task that it made."),
    sa.Column("failure", sa.Text),
    sa.ForeignKeyConstraint(["vdn", "plan"], ["plans.vdn", "plans.plan"]),
)
