"""Of Guids only the SHA-256 is kept; an inspector's last supervision is found at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE sessions SET guid = encode(sha256(convert_to(guid, 'UTF8')), 'hex')")
    op.alter_column("sessions", "guid", comment="Its SHA-256: `domain.journal.kept_guid`.")
    op.create_index(
        "audit_supervisions",
        "audit",
        ["vdn", "actor", "number"],
        postgresql_where=sa.text("action LIKE 'supervise.%'"),
    )
