"""Writing the journal's changes to their tables, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import (
    AuditEntry,
    CallDataSet,
    Change,
    ContactBegan,
    ContactEnded,
    DialogEnded,
    DialogSaved,
    PasswordChanged,
    PhoneSaved,
    RecordingChanged,
    SegmentBegan,
    SegmentEnded,
    SessionEnded,
    SessionSaved,
    SignedInFrom,
    WaitBegan,
    WaitEnded,
)
from sottovoce.storage import audit
from sottovoce.storage.database import is_away, reason
from sottovoce.storage.live import calls, directory, registrations, sessions, talks, waits

ChangeT = TypeVar("ChangeT", bound=Change)

log = structlog.get_logger(__name__)


async def apply(connection: AsyncConnection, vdn: VdnId, changes: Sequence[Change]) -> None:
    """Write `changes`, all of them of `vdn`, in order; then the contacts of the calls that are over.

    The audit comes last, in one go: whoever waits for its head waits for nothing else.
    """
    told, phones = [], []
    for change in changes:
        if isinstance(change, AuditEntry):
            told.append(change)
        elif isinstance(change, PhoneSaved):
            phones.append(_own(vdn, change))
        else:
            await _apply(connection, vdn, change)
    await registrations.saved(connection, vdn, phones)
    await audit.append(connection, vdn, told + await talks.become_contacts(connection, vdn, _over(changes)))


async def apply_each(connection: AsyncConnection, vdn: VdnId, changes: Sequence[Change]) -> list[Change]:
    """Write what can be written; the changes that cannot, each logged. For changes that nobody waits for."""
    others = [change for change in changes if not isinstance(change, AuditEntry)]
    told = [change for change in changes if isinstance(change, AuditEntry)]
    refused = await _each(connection, vdn, others)
    await become_contacts_each(connection, vdn, _over(changes))
    return refused + await _each(connection, vdn, told)


async def become_contacts_each(connection: AsyncConnection, vdn: VdnId, over: Sequence[str]) -> None:
    """Make contacts of these calls; one of which that cannot be done is logged, and the others are."""
    told: list[AuditEntry] = []
    for call in over:
        try:
            async with connection.begin_nested():
                told += await talks.become_contacts(connection, vdn, [call])
        except (DBAPIError, ValueError, TypeError) as failure:
            if is_away(failure):
                raise
            log.error("a call cannot become a contact", vdn=vdn, call=call, reason=reason(failure))
    await audit.append(connection, vdn, told)


async def _each(connection: AsyncConnection, vdn: VdnId, changes: Sequence[Change]) -> list[Change]:
    refused = []
    for change in changes:
        try:
            async with connection.begin_nested():
                await _apply(connection, vdn, change)
        except (DBAPIError, ValueError, TypeError) as failure:
            if is_away(failure):
                raise
            log.error(
                "a change cannot be recorded", vdn=vdn, change=type(change).__name__, reason=reason(failure)
            )
            refused.append(change)
    return refused


def _over(changes: Sequence[Change]) -> list[str]:
    """The calls of which these changes may hold the last fact, each once, in order."""
    return list(
        dict.fromkeys(change.call for change in changes if isinstance(change, ContactEnded | SegmentEnded))
    )


def _own(vdn: VdnId, change: ChangeT) -> ChangeT:
    """The change, which must be of this VDN."""
    if change.vdn != vdn:
        raise ValueError(f"a change of VDN {change.vdn} in the journal of VDN {vdn}")
    return change


async def _apply(connection: AsyncConnection, vdn: VdnId, change: Change) -> None:
    _own(vdn, change)
    match change:
        case SessionSaved():
            await sessions.saved(connection, change)
        case SessionEnded():
            await sessions.ended(connection, change)
        case SignedInFrom():
            await sessions.signed_in_from(connection, change)
        case PasswordChanged():
            await directory.password_changed(connection, change)
        case DialogSaved():
            await sessions.dialog_saved(connection, change)
        case DialogEnded():
            await sessions.dialog_ended(connection, change)
        case PhoneSaved():
            await registrations.saved(connection, vdn, [change])
        case ContactBegan():
            await calls.began(connection, change)
        case WaitBegan():
            await waits.began(connection, change)
        case WaitEnded():
            await waits.ended(connection, change)
        case CallDataSet():
            await calls.data_set(connection, change)
        case SegmentBegan():
            await calls.segment_began(connection, change)
        case RecordingChanged():
            await calls.recording_changed(connection, change)
        case SegmentEnded():
            await calls.segment_ended(connection, change)
        case ContactEnded():
            await calls.ended(connection, change)
        case AuditEntry():
            await audit.append(connection, vdn, [change])
