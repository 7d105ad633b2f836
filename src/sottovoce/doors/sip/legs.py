"""One leg in the door's books."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sottovoce.config import TrunkSettings
from sottovoce.domain.directory import VdnId
from sottovoce.domain.legs import LegAddress, LegId, RemoteMedia
from sottovoce.doors.sip.hops import Hop
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.session import Session
from sottovoce.doors.steps import Steps
from sottovoce.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Target:
    """One way to ring somebody."""

    uri: str
    hop: Hop
    account: Account | None = None
    nat: bool = False
    trunk: TrunkSettings | None = None
    proxied: bool = False
    routes: tuple[str, ...] = ()
    """The Path of a registered phone."""


class SipLeg:
    """A leg's state at the door."""

    def __init__(self, id: LegId, vdn: VdnId, tasks: Tasks, on_stuck: Callable[[LegId], None]) -> None:
        self.id = id
        self.vdn = vdn
        self.session: Session | None = None
        self.targets: list[Target] = []
        """Where else it can be rung."""
        self.target: Target | None = None
        """Where it is rung now."""
        self.lifting: asyncio.Future[bool] | None = None
        """Told whether the phone that rings lifts, or is about to."""
        self.caller = ""
        self.trunk = ""
        self.proxied = False
        """Whether it was rung through the outbound proxy."""
        self.address: LegAddress | None = None
        self.remote: RemoteMedia | None = None
        self.media_open = False
        self.announced = False
        """Whether the floor knows it, and so is owed LegGone."""
        self.rang = False
        self.keys_in_media = False
        """Whether keys came as RFC 4733 events: a phone that sends INFO as well means the same keys."""
        self.ending = False
        """LegGone is on its way; nothing else is said any more."""
        steps = Steps(id, tasks, on_stuck)
        self.then, self.settled = steps.then, steps.settled

    def note_lifting(self, lifts: bool) -> None:
        """The phone lifts, or will not; whoever waits for it is told."""
        if self.lifting is not None and not self.lifting.done():
            self.lifting.set_result(lifts)
