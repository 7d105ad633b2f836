"""Two roles of the database: the owner of the schema, who migrates, and the one that the server works as.

The server's role reads and writes all tables but the audit's: there it reads, and adds by `audit_append` and
signatures. It can neither change, remove nor empty what is there, and owns nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_AUDIT = ("audit", "audit_heads", "audit_signatures")
_GRANTS = """
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[current_schema(), 'procrastinate'] LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO ROLE_NAME', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO ROLE_NAME', name);
        EXECUTE format('GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA %I TO ROLE_NAME', name);
    END LOOP;
    REVOKE INSERT, UPDATE, DELETE ON alembic_version, audit, audit_heads, audit_signatures FROM ROLE_NAME;
    GRANT INSERT ON audit_signatures TO ROLE_NAME;
END
$$
"""


async def let_serve(connection: AsyncConnection, role: str) -> None:
    """Give `role` what the server needs, and no more of the audit. For the owner, after each migration."""
    quoted = connection.dialect.identifier_preparer.quote(role)
    await connection.execute(sa.text(_GRANTS.replace("ROLE_NAME", quoted)))


async def rewriter(connection: AsyncConnection) -> str | None:
    """The role of this connection if it could write the audit anew; None: it can only add to it."""
    rights = (
        sa.func.has_table_privilege(sa.func.current_user(), table, "UPDATE, DELETE, TRUNCATE")
        for table in _AUDIT
    )
    role, may = (await connection.execute(sa.select(sa.func.current_user(), sa.or_(*rights)))).one()
    return str(role) if may else None
