"""Hearing a recording: a playback is begun once with its purpose; all that it reads of the file is one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sottovoce.domain.people import UserId
from sottovoce.errors import Code, Refused

TALK = "talk"
"""The track with customer and agent; any other is an inspector's, by their work number."""
LONGEST_PURPOSE = 256
LASTS = timedelta(hours=8)
"""A shift: whoever hears the recording later does so anew, and says again what for."""


@dataclass(frozen=True, slots=True)
class Playback:
    """A user hears one track of a contact's recording."""

    playback: UUID
    user: UserId
    contact: UUID
    track: str
    purpose: str
    at: datetime


def purpose(text: str) -> str:
    """What a recording is heard for, without blanks around it. Refused(BAD_PARAMETER)."""
    bare = text.strip()
    if not 1 <= len(bare) <= LONGEST_PURPOSE:
        raise Refused(Code.BAD_PARAMETER, f"must have 1 to {LONGEST_PURPOSE} characters", field="purpose")
    return bare
