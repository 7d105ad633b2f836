"""What all tables are made with: their metadata, and the columns that many of them have."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

TIME = sa.DateTime(timezone=True)


class Digits(sa.TypeDecorator[str]):
    """An id of 18 to 20 decimal digits: a number in the database, a text of digits in Python."""

    impl = sa.Numeric(20, 0)
    cache_ok = True

    def process_bind_param(self, value: str | int | None, dialect: Any) -> Decimal | None:
        """As the database holds it."""
        return None if value is None else Decimal(value)

    def process_result_value(self, value: Decimal | None, dialect: Any) -> str | None:
        """As Python holds it."""
        return None if value is None else str(int(value))


ID = Digits()
NO_JSON = sa.text("'{}'::jsonb")
NO_LIST = sa.text("'[]'::jsonb")
NO_TEXT = sa.text("''::text")


def vdn(*, key: bool = True) -> sa.Column[int]:
    """The tenant, of a configured VDN."""
    return sa.Column("vdn", sa.Integer, sa.ForeignKey("vdns.vdn"), primary_key=key, nullable=False)


def tracks_sha256() -> sa.Column[object]:
    """The digests of the inspectors' tracks of a talk or contact."""
    return sa.Column(
        "tracks_sha256",
        JSONB,
        nullable=False,
        server_default=NO_JSON,
        comment="Inspector: of the track as it was closed, hexadecimal.",
    )
