"""Tables of the people of the after-call half: users, groups, and the app keys of those who call for them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from sottovoce.storage.tables.schema import ID, TIME, metadata, vdn

users = sa.Table(
    "users",
    metadata,
    sa.Column("user", ID, primary_key=True, autoincrement=False),
    vdn(key=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("agent", sa.Integer, sa.ForeignKey("agents.agent"), unique=True, comment="The work number."),
    sa.Column("roles", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'::text[]")),
    sa.Column("disabled_at", TIME),
    sa.Index(None, "vdn"),
)

user_groups = sa.Table(
    "user_groups",
    metadata,
    vdn(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("side", sa.Text, nullable=False, comment="`quality` (inspectors) or `table` (agents)."),
)

group_members = sa.Table(
    "group_members",
    metadata,
    vdn(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("user", ID, sa.ForeignKey("users.user"), primary_key=True),
    sa.Column("leads", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column(
        "inspects",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="Leads it to have its agents inspected, and for nothing else.",
    ),
    sa.ForeignKeyConstraint(["vdn", "name"], ["user_groups.vdn", "user_groups.name"]),
    sa.Index(None, "vdn", "user"),
)

app_keys = sa.Table(
    "app_keys",
    metadata,
    sa.Column("app_key", sa.Text, primary_key=True),
    vdn(key=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False, comment="SHA-256 of the 256-bit secret."),
    sa.Column("user", ID, sa.ForeignKey("users.user"), comment="Who acts where a request names nobody."),
    sa.Column("made_at", TIME, nullable=False),
    sa.Column("revoked_at", TIME),
    sa.Index(None, "vdn"),
)

access_tokens = sa.Table(
    "access_tokens",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True, comment="SHA-256 of the token."),
    vdn(key=False),
    sa.Column("app_key", sa.Text, sa.ForeignKey("app_keys.app_key"), nullable=False),
    sa.Column("made_at", TIME, nullable=False),
    sa.Column("expires_at", TIME, nullable=False),
    sa.Index(None, "expires_at"),
    sa.Index(None, "app_key"),
)
