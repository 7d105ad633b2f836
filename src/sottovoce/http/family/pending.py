"""The interfaces that are known but not served: each refuses in the family's own form, never a success.

The ledgers say which, with the codes that they may answer. They need a caller like all others, so that a
stranger learns nothing from them. A general failure is answered, which no client takes for the end of its
session.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from sottovoce.contracts import Row, rows
from sottovoce.errors import Code, Refused
from sottovoce.http.family.form import Form


async def not_served(caller: object, form: Form) -> NoReturn:
    """Not served."""
    raise Refused(Code.NOT_SERVED, "the interface is known and not served")


def pending(family: str) -> Iterator[tuple[Row, str]]:
    """The rows of a ledger that are not served, each with its path as a route has it."""
    for row in rows(family):
        if row.status != "done":
            path = row.path
            for parameter in row.parameters:
                if parameter.slashes:
                    path = path.replace(f"{{{parameter.name}}}", f"{{{parameter.name}:path}}")
            yield row, path
