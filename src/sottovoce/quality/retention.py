"""Retention and erasure: contacts and their sound go when their time is over, or because somebody asks.

What a legal hold keeps stays; what an open review task, appeal or problem has waits until that is over. The
rows change in one transaction with their tombstones and the audit; files go after it, and what a crash left
of them goes with the next run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER
from sottovoce.domain.retention import Erasable, Periods
from sottovoce.errors import Code, Refused
from sottovoce.quality import peaks
from sottovoce.quality.office import Office
from sottovoce.quality.recordings import BadRecording, inside
from sottovoce.storage.live import sessions
from sottovoce.storage.review import contacts, draws, erasing

log = structlog.get_logger(__name__)

LONGEST_WHY = 256
BATCH = 200
"""Contacts of one transaction; draws wait for its end."""
MOST_A_RUN = 50_000
"""Of a kind and tenant; the rest goes with the next run."""


@dataclass(slots=True)
class Swept:
    """What a run of a tenant did, or would do."""

    periods: Periods
    erased: dict[Erasable, int] = field(default_factory=dict)
    held: int = 0
    """Over their time, and kept by a hold."""
    reviewed: int = 0
    """… by an open review task, appeal or problem."""
    files: int = 0
    """Removed from the disk."""
    sources: int = 0
    """Places that agents signed in from last 90 days ago; forgotten."""


async def erase(office: Office, vdn: VdnId, number: int, why: str) -> int:
    """Erase a contact with all that is known of it; how many files were removed.

    Refused(NOT_FOUND), (BAD_PARAMETER) without a reason, (WRONG_STATE) while something keeps it,
    (UNAVAILABLE).
    """
    async with office.work(vdn, SERVER) as work:
        reason = _reason(why)
        await draws.hold_facts(work, alone=True)
        found = await contacts.find(work, number, lock=True)
        if found is None:
            raise _no_contact(vdn, number)
        keeping = await erasing.keeping(work, number)
        if keeping:
            raise Refused(Code.WRONG_STATE, f"contact {number} stays: {'; '.join(keeping)}")
        await erasing.erase(work, [found], Erasable.CONTACT, reason)
    return await sweep(office, vdn)


async def hold(office: Office, vdn: VdnId, number: int, why: str) -> None:
    """Let nothing erase a contact until it is released. Refused as `erase`."""
    async with office.work(vdn, SERVER) as work:
        reason = _reason(why)
        if await contacts.find(work, number, lock=True) is None:
            raise _no_contact(vdn, number)
        await erasing.hold(work, number, reason)
        work.audit("contact.hold", str(number), why=reason)


async def release(office: Office, vdn: VdnId, number: int, why: str) -> None:
    """End a hold. Refused as `erase`, (WRONG_STATE) where there is none."""
    async with office.work(vdn, SERVER) as work:
        reason = _reason(why)
        if not await erasing.release(work, number):
            raise Refused(Code.WRONG_STATE, f"contact {number} is not held")
        work.audit("contact.release", str(number), why=reason)


async def run(office: Office, vdn: VdnId, *, dry_run: bool = False) -> Swept:
    """Erase what is over its time, and remove files that are left of before. Refused(UNAVAILABLE)."""
    now = office.clock.now()
    async with office.work(vdn, SERVER) as work:
        done = Swept(await erasing.periods(work))
        for kind, before in done.periods.due(now).items():
            would_go, held, reviewed = await erasing.counted(work, kind, before)
            done.held, done.reviewed = max(done.held, held), max(done.reviewed, reviewed)
            done.erased[kind] = would_go
    if dry_run:
        return done
    async with office.work(vdn, SERVER) as work:
        done.sources = await sessions.forget_sources(work.connection, vdn, now)
    for kind, before in done.periods.due(now).items():
        days = (now - before).days
        done.erased[kind] = 0
        while done.erased[kind] < MOST_A_RUN:
            async with office.work(vdn, SERVER) as work:
                await draws.hold_facts(work, alone=True)
                found = await erasing.due(work, kind, before, limit=BATCH)
                await erasing.erase(work, found, kind, f"kept for {days} days")
            done.erased[kind] += len(found)
            if len(found) < BATCH:
                break
    done.files = await sweep(office, vdn)
    return done


async def tenants(office: Office) -> list[VdnId]:
    """All tenants: each may have something to erase, or files left of it. Refused(UNAVAILABLE)."""
    async with office.transaction() as connection:
        return await erasing.tenants(connection)


async def sweep(office: Office, vdn: VdnId) -> int:
    """Remove the files of what is erased; how many. What cannot be removed is logged, and is tried again."""
    removed, stuck = 0, set[int]()
    while True:
        async with office.work(vdn, SERVER) as work:
            left = [one for one in await erasing.left(work, limit=BATCH + len(stuck)) if one[0] not in stuck]
        if not left:
            return removed
        for contact, kind, files in left:
            try:
                removed += await asyncio.to_thread(_remove, office.recordings, files)
            except (OSError, BadRecording) as failure:
                log.error("erased recording not removed", vdn=vdn, contact=contact, reason=str(failure))
                stuck.add(contact)
                continue
            async with office.work(vdn, SERVER) as work:
                await erasing.removed(work, contact, kind)


def _remove(folder: Path, files: Sequence[str]) -> int:
    """Remove recordings with what was drawn from them. OSError, BadRecording. Blocks."""
    removed = 0
    for name in files:
        path = inside(folder, name)
        path.with_name(path.name + peaks.SUFFIX).unlink(missing_ok=True)
        try:
            path.unlink()
            removed += 1
        except FileNotFoundError:
            if not folder.is_dir() or not any(folder.iterdir()):
                raise  # not mounted: what seems to be gone would come back
    return removed


def _reason(why: str) -> str:
    reason = why.strip()
    if not reason or len(reason) > LONGEST_WHY or not reason.isprintable():
        raise Refused(Code.BAD_PARAMETER, f"give a reason of one line, up to {LONGEST_WHY} signs")
    return reason


def _no_contact(vdn: VdnId, number: int) -> Refused:
    return Refused(Code.NOT_FOUND, f"VDN {vdn} has no contact {number}, or it is erased")
