"""Hearing recordings: who may, with each playback in the audit; and the peaks of their waveforms.

A playback is begun with its purpose, which commits its row in the audit before a byte of sound can be had;
all that is then read under its id, by however many requests, is this one playback. The right is looked at
each time. `docs/decisions/0021-hearing-a-recording.md`.
"""

from __future__ import annotations

import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sottovoce.domain import playbacks
from sottovoce.domain.contacts import Contact
from sottovoce.domain.directory import AgentId
from sottovoce.domain.playbacks import LASTS, TALK, Playback
from sottovoce.errors import Code, Refused
from sottovoce.quality import contacts, peaks, recordings
from sottovoce.quality.access import Reach
from sottovoce.quality.office import Office
from sottovoce.quality.recordings import BadRecording, StillRecording
from sottovoce.storage.review import contacts as stored_contacts
from sottovoce.storage.review import playbacks as stored
from sottovoce.storage.work import Work

_NAMED = re.compile(
    r"(?:(?P<folder>[0-9/]{1,64})/)?(?P<id>(?P<since>[0-9]{1,11})-[0-9]{1,11}-(?P<agent>[0-9]{3,6})-[0-9]{1,6})"
    r"(?:\.wav)?"
)
"""`<vdn>/<year>/<month>/<day>/<call>-<agent>-<n>.wav`, or its stem (`live.hearing.begin_segment`)."""
_DRAWERS = ThreadPoolExecutor(1, "peaks", contacts.stand_back)
"""One waveform at a time, so that none is computed twice."""


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A file that may be handed out, as it was when it was looked at."""

    path: Path
    state: os.stat_result


async def named(office: Office, reach: Reach, recording: str) -> UUID:
    """The contact whose recording has that path or that id, as events of the live half name it.

    Refused(NOT_FOUND) of what is out of reach as of what is not there, (UNAVAILABLE).
    """
    found = _NAMED.fullmatch(recording)
    if found is None:
        raise Refused(Code.NOT_FOUND, "that names no recording of this server")
    since = datetime.fromtimestamp(int(found["since"]), UTC)
    async with office.work(reach.user.vdn, reach.user.user) as work:
        ending = f"/{found['id']}.wav"
        contact = await stored_contacts.of_recording(work, AgentId(int(found["agent"])), since, ending)
        if contact is None or found["folder"] not in (None, (contact.recording or "").removesuffix(ending)):
            raise Refused(Code.NOT_FOUND, "there is no such recording")
        return (await _contact(work, reach, contact.uuid)).uuid


async def running(office: Office, reach: Reach, contact: UUID, track: str = TALK) -> Playback | None:
    """The playback that the user has begun last of a track, if it is not over. Refused(UNAVAILABLE)."""
    async with office.work(reach.user.vdn, reach.user.user) as work:
        begun = await stored.latest(work, contact, track)
        return begun if begun is not None and work.at - begun.at <= LASTS else None


async def begin(office: Office, reach: Reach, contact: UUID, purpose: str, track: str = TALK) -> Playback:
    """Begin to hear a track of a contact's recording, on record; for LASTS.

    Refused(BAD_PARAMETER), (NOT_FOUND) where contact, track or file are not there or out of reach,
    (WRONG_STATE) while it is being recorded, (UNAVAILABLE).
    """
    wanted = playbacks.purpose(purpose)
    async with office.work(reach.user.vdn, reach.user.user) as work:
        found = await _contact(work, reach, contact)
        await _file(office, _recording(found, track))
        playback = Playback(uuid4(), work.user, contact, track, wanted, work.at)
        await stored.insert(work, playback)
        work.audit(
            "recording.play",
            str(found.contact if found.agent is None else found.agent),
            contact=found.contact,
            track=track,
            purpose=wanted,
            playback=str(playback.playback),
        )
    return playback


async def sound(office: Office, reach: Reach, playback: UUID) -> SoundFile:
    """The file of a playback that its user has begun.

    Refused(NOT_FOUND) of another's as of none, (WRONG_STATE) where it is over; else as `begin`.
    """
    async with office.work(reach.user.vdn, reach.user.user) as work:
        begun = await stored.find(work, playback)
        if begun is None or begun.user != work.user:
            raise Refused(Code.NOT_FOUND, "there is no such playback")
        if work.at - begun.at > LASTS:
            raise Refused(Code.WRONG_STATE, "the playback is over: begin another")
        recording = _recording(await _contact(work, reach, begun.contact), begun.track)
    return await _file(office, recording)


async def waveform(office: Office, reach: Reach, contact: UUID, track: str = TALK) -> SoundFile:
    """The file with the peaks of a track (`quality.peaks`), made now if it is not there; heard is nothing.

    Refused as `begin`; (UNAVAILABLE) also where it cannot be kept.
    """
    async with office.work(reach.user.vdn, reach.user.user) as work:
        recording = _recording(await _contact(work, reach, contact), track)
    wav = await _file(office, recording)
    loop = asyncio.get_running_loop()
    try:
        path = await loop.run_in_executor(_DRAWERS, peaks.kept, wav.path)
        return SoundFile(path, await asyncio.to_thread(path.stat))
    except BadRecording as bad:
        raise Refused(Code.NOT_FOUND, f"the recording has no waveform: {bad}") from bad
    except StillRecording as still:
        raise Refused(Code.WRONG_STATE, str(still)) from still
    except OSError as failure:
        raise Refused(Code.UNAVAILABLE, f"the peaks cannot be kept: {failure.strerror}") from failure


async def _contact(work: Work, reach: Reach, contact: UUID) -> Contact:
    return (await contacts.show(work, reach, contact)).contact


def _recording(contact: Contact, track: str) -> str:
    """Where the contact says that a track is. Refused(NOT_FOUND)."""
    found = contact.recording if track == TALK else contact.tracks.get(track)
    if not found:
        raise Refused(Code.NOT_FOUND, "the call has no such recording")
    return found


async def _file(office: Office, recording: str) -> SoundFile:
    """A recording's file, below the folder of recordings. Refused(NOT_FOUND), (WRONG_STATE)."""
    try:
        path = await asyncio.to_thread(recordings.inside, office.recordings, recording)
        return SoundFile(path, await asyncio.to_thread(recordings.state, path))
    except BadRecording as bad:
        raise Refused(Code.NOT_FOUND, f"the call's recording is not there: {bad}") from bad
    except StillRecording as still:
        raise Refused(Code.WRONG_STATE, str(still)) from still
