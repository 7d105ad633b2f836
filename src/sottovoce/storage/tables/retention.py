"""Tables of what keeps contacts from being erased, and of what was. The periods are columns of `vdns`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

from sottovoce.storage.tables.schema import ID, TIME, metadata, vdn

contact_holds = sa.Table(
    "contact_holds",
    metadata,
    vdn(),
    sa.Column("contact", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("at", TIME, nullable=False),
)
"""Contacts that nothing erases."""

erasures = sa.Table(
    "erasures",
    metadata,
    vdn(),
    sa.Column("contact", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, primary_key=True, comment="`domain.retention.Erasable`."),
    sa.Column("uuid", UUID(as_uuid=True), nullable=False),
    sa.Column("at", TIME, nullable=False),
    sa.Column("user", ID, nullable=False, comment="0: the server itself, or a command."),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column(
        "files", JSONB, nullable=False, comment="Recordings that are still to be removed from the disk."
    ),
    sa.Index("erasures_left", "vdn", postgresql_where=sa.text("files <> '[]'::jsonb")),
    sa.Index(None, "vdn", "at"),
)
"""Tombstones; each has its row in the audit."""
