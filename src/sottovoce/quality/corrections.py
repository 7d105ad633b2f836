"""Corrections of contacts that an import brought in with wrong facts: each a version, on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.contacts import Contact, Ender, Origin
from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.errors import Code, Refused
from sottovoce.quality.foreign_calls import Mistake, known, moment, one_of, short
from sottovoce.storage.review import contacts, corrections, draws, imports, quality_items
from sottovoce.storage.review.imports import Tenant
from sottovoce.storage.work import Work

LONGEST_WHY = 256
FIELDS = ("began_at", "agent", "caller", "called", "direction", "skill", "ended_by")
"""What can be corrected, by the names that a CSV of calls has for it."""
_SAMPLED = ("began_at", "agent")
"""What a draw's frame and certificate say of a contact."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A contact as it is now, and which version that is (the imported one is 0)."""

    contact: Contact
    version: int
    warnings: tuple[str, ...]


async def correct(work: Work, number: int, given: Mapping[str, str], why: str) -> Corrected:
    """Correct an imported contact: `given` is some of FIELDS, spelt as in a CSV; an empty text takes it away.

    Its begin and agent cannot be changed once a task has it, nor its agent while an appeal or a problem about
    it is open: whoever appealed is owed an answer. Refused(NOT_FOUND), (BAD_PARAMETER), (WRONG_STATE).
    """
    if set(given) & set(_SAMPLED):
        await draws.hold_facts(work, alone=True)  # else a draw under way would have it as it was
    before = await contacts.find(work, number, lock=True)
    tenant = await imports.tenant(work)
    if before is None or tenant is None:
        raise Refused(Code.NOT_FOUND, f"VDN {work.vdn} has no contact {number}")
    if before.source is not Origin.IMPORT:
        raise Refused(Code.WRONG_STATE, "it was not imported: what this server recorded stays as it is")
    warnings: list[str] = []
    try:
        reason = short("the reason", why, LONGEST_WHY)
        after = _changed(before, given, tenant, work.at, warnings)
    except Mistake as mistake:
        raise Refused(Code.BAD_PARAMETER, str(mistake)) from None
    if not reason:
        raise Refused(Code.BAD_PARAMETER, "a correction needs its reason")
    changed = [name for name in FIELDS if getattr(before, name) != getattr(after, name)]
    if not changed:
        raise Refused(Code.BAD_PARAMETER, "that is what it says already")
    if set(changed) & set(_SAMPLED) and await corrections.sampled(work, number):
        raise Refused(Code.WRONG_STATE, "a review task has it: its begin and its agent stay")
    if "agent" in changed and (disputes := await quality_items.open_about(work, number)):
        why = f"{disputes[0]} about it is open: its agent stays until that is completed"
        raise Refused(Code.WRONG_STATE, why)
    version = await corrections.keep(work, before, after, changed, reason)
    return Corrected(after, version, tuple(warnings))


def _changed(
    contact: Contact, given: Mapping[str, str], tenant: Tenant, now: datetime, warnings: list[str]
) -> Contact:
    """The contact as it shall be. Mistake."""
    read: dict[str, Callable[[str], Any]] = {
        "began_at": lambda text: moment(text, tenant.zone, now, warnings),
        "agent": lambda text: known("agent", text, AgentId, tenant.agents, tenant.vdn),
        "caller": lambda text: short("caller", text),
        "called": lambda text: short("called", text),
        "direction": lambda text: CallDirection(one_of("direction", text, CallDirection)),
        "skill": lambda text: known("skill queue", text, SkillId, tenant.skills, tenant.vdn),
        "ended_by": lambda text: Ender(one_of("ended_by", text, Ender)),
    }
    after = replace(contact, **{name: read[name](text) for name, text in given.items()})
    return replace(after, ended_at=contact.ended_at + (after.began_at - contact.began_at))
