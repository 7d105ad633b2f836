"""The server at one moment, as one value. `plain` carries it to `sottovoce status`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import Spooled
from sottovoce.live.views import FloorView
from sottovoce.media.control import TickFigures


@dataclass(frozen=True, slots=True)
class WorkerReading:
    """A media worker."""

    name: str
    figures: TickFigures | None
    """None while it is not up, or does not answer."""


@dataclass(frozen=True, slots=True)
class RegisteredPhone:
    """A registered phone."""

    vdn: VdnId
    number: str


@dataclass(frozen=True, slots=True)
class JobsReading:
    """The jobs of one kind that are not done."""

    job: str
    waiting: int
    running: int
    failed: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class DatabaseReading:
    """Whether PostgreSQL answers; `why` it does not."""

    why: str | None
    jobs: tuple[JobsReading, ...] = ()


@dataclass(frozen=True, slots=True)
class DiskReading:
    """The file system of one of our folders (bytes); None where it cannot be asked."""

    folder: str
    """`data` or `recordings`."""
    path: str
    free: int | None
    size: int | None


@dataclass(frozen=True, slots=True)
class RequestCount:
    """HTTP requests since the start."""

    family: str
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """SIP requests since the start that were answered with a status above 299."""

    method: str
    status: int
    count: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The whole server."""

    at: datetime
    began_at: datetime
    version: str
    sip: str | None
    """Where it listens; None while it does not."""
    floors: tuple[FloorView, ...]
    phones: tuple[RegisteredPhone, ...]
    workers: tuple[WorkerReading, ...]
    recordings: int
    """That are being made."""
    database: DatabaseReading
    journals: tuple[Spooled, ...]
    disks: tuple[DiskReading, ...]
    polls: int
    """That hang."""
    events_lost: int
    """That gave way in full queues of agents, since the start."""
    requests: tuple[RequestCount, ...]
    refusals: tuple[RefusalCount, ...]

    @property
    def not_ready(self) -> tuple[str, ...]:
        """Why new calls cannot be served as they should be; nothing of it when ready."""
        reasons = [f"database: {self.database.why}"] if self.database.why is not None else []
        reasons += [f"media: worker {one.name} is not up" for one in self.workers if one.figures is None]
        if self.sip is None:
            reasons.append("sip: does not listen")
        for one in self.journals:
            if not one.keeps:
                why = "its disk fails" if one.failed else "is nearly full"
                reasons.append(f"calls: VDN {one.vdn} takes no new ones, the spool {why}")
        return tuple(reasons)

    def registered(self) -> Mapping[VdnId, int]:
        """How many phones of each VDN are registered."""
        counts = dict.fromkeys((floor.vdn for floor in self.floors), 0)
        for phone in self.phones:
            counts[phone.vdn] = counts.get(phone.vdn, 0) + 1
        return counts
