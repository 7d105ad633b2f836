"""Corrections of imported contacts: the row as it is now, and every version before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from sottovoce.domain.contacts import Contact
from sottovoce.plain import to_plain
from sottovoce.storage.rows import columns_of
from sottovoce.storage.tables import contact_corrections, contact_sources, contacts, review_items
from sottovoce.storage.work import Work

_NUMBERS = ("caller", "called")
"""What the audit does not repeat: it is kept for ever, and a customer's number is not."""


async def sampled(work: Work, contact: int) -> bool:
    """Whether any review task ever had it."""
    about = (review_items.c.vdn == work.vdn) & (review_items.c.contact == contact)
    return bool((await work.connection.execute(sa.select(sa.exists().where(about)))).scalar_one())


async def keep(work: Work, before: Contact, after: Contact, changed: Sequence[str], why: str) -> int:
    """Write the contact as it shall be, and what it was as a version; the version's number."""
    number = before.contact
    last = sa.select(sa.func.max(contact_corrections.c.version)).where(
        contact_corrections.c.vdn == work.vdn, contact_corrections.c.contact == number
    )
    version = ((await work.connection.execute(last)).scalar_one() or 0) + 1
    old, new = (_plain(contact, changed) for contact in (before, after))
    await work.connection.execute(
        sa.insert(contact_corrections).values(
            vdn=work.vdn, contact=number, version=version, before=old, after=new, why=why, user=work.user,
            at=work.at,
        )
    )  # fmt: skip
    await work.connection.execute(sa.select(sa.func.contacts_month(after.began_at)))
    values = {name: value for name, value in columns_of(after).items() if name in {*changed, "ended_at"}}
    of = (contacts.c.vdn == work.vdn, contacts.c.contact == number, contacts.c.began_at == before.began_at)
    await work.connection.execute(sa.update(contacts).where(*of).values(values))
    await work.connection.execute(
        sa.update(contact_sources)
        .where(contact_sources.c.vdn == work.vdn, contact_sources.c.contact == number)
        .values(began_at=after.began_at)
    )
    told = {
        f"{name}_{when}": one
        for when, some in (("was", old), ("is", new))
        for name, one in some.items()
        if name not in _NUMBERS
    }
    told["changed"] = " ".join(changed)
    work.audit("contact.correct", str(before.uuid), contact=number, version=version, why=why, **told)
    return version


def _plain(contact: Contact, names: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = to_plain(contact)
    return {name: "" if found[name] is None else found[name] for name in names}
