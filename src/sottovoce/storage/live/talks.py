"""Finished calls become contacts: one for each talk, one for a call that no agent took.

It happens in the transaction that brings the last of a call's facts, whichever that is, and doing it
again changes nothing: each talk is a source (`contact_sources`) that has its contact once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import PurePath
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.contacts import (
    INTERRUPTED,
    Analysis,
    Contact,
    Inspection,
    Interaction,
    Origin,
    RecordingPause,
    ended_by,
)
from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import AuditEntry, SegmentEnded
from sottovoce.storage.live import calls
from sottovoce.storage.live.calls import KeptCall
from sottovoce.storage.review import contacts

TAKEN_OVER = "taken over"
"""Why a talk ended whose call went on."""
NOT_RECORDED = "there is no recording"


async def become_contacts(connection: AsyncConnection, vdn: VdnId, wanted: Sequence[str]) -> list[AuditEntry]:
    """Make contacts of those of these calls that are over, where they are not there yet.

    What the caller has to add to the audit: the digests of their recordings.
    """
    if not wanted:
        return []
    told = []
    for call in await calls.ended_ones(connection, vdn, wanted):
        talks: Sequence[SegmentEnded | None] = call.segments or [None]
        for segment in talks:
            contact = _contact(call, segment)
            number = await contacts.keep(connection, reference(call.call, segment), contact)
            if number is not None and contact.recording_sha256 is not None:
                told.append(contacts.recorded(contact, number, contact.uploaded_at))
    return told


def reference(call: str, segment: SegmentEnded | None) -> str:
    """What a live contact came from: `call/agent/begin`, or the call alone where nobody took it."""
    if segment is None:
        return f"call/{call}"
    return f"call/{call}/{segment.agent}/{segment.began_at.isoformat()}"


def _contact(call: KeptCall, segment: SegmentEnded | None) -> Contact:
    began_at: datetime = segment.began_at if segment is not None else call.began_at
    ended_at: datetime = segment.ended_at if segment is not None else call.ended_at
    reason = TAKEN_OVER if segment is not None and _left_before(call, segment) else call.reason
    recording = segment.recording if segment is not None else None
    missing = (segment.failure if segment is not None else None) or NOT_RECORDED
    return Contact(
        contact=0,
        uuid=uuid4(),
        vdn=call.vdn,
        call=call.call,
        source=Origin.LIVE,
        interaction=Interaction.VOICE,
        began_at=began_at,
        ended_at=ended_at,
        duration_ms=max(0, round((ended_at - began_at) / timedelta(milliseconds=1))),
        direction=CallDirection(call.direction),
        caller=call.caller,
        called=call.called,
        agent=segment.agent if segment is not None else None,
        skill=call.skill,
        ended_by=ended_by(reason),
        reason=reason,
        file_name=PurePath(recording).name if recording else "",
        recording=recording,
        tracks=segment.tracks if segment is not None else {},
        supervisions=segment.supervisions if segment is not None else (),
        uploaded_at=max(call.ended_at, ended_at),
        status=Inspection.WAITING if recording else Inspection.BAD_RECORDING,
        analysis=Analysis() if recording else Analysis(failure=missing),
        recording_sha256=segment.recording_sha256 if segment is not None else None,
        tracks_sha256=segment.tracks_sha256 if segment is not None else {},
        parties=segment.parties if segment is not None else {},
        call_data=call.data,
        recording_failure=segment.failure if segment is not None and recording else None,
        pauses=_pauses(segment) if segment is not None else (),
    )


def _pauses(segment: SegmentEnded) -> tuple[RecordingPause, ...]:
    """The pauses of its recording; one that a crash ended lasted until the talk's end."""
    return tuple(
        pause
        if pause.ended_at is not None
        else replace(pause, ended_at=max(pause.began_at, segment.ended_at))
        for pause in segment.pauses
    )


def _left_before(call: KeptCall, segment: SegmentEnded) -> bool:
    """Whether the call went on without that agent. An interrupted one ends at its last sign of life."""
    if call.reason == INTERRUPTED:
        return any(other.began_at > segment.began_at for other in call.segments)
    return segment.ended_at < call.ended_at
