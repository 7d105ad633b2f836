"""The use cases of the live half: what the wire, the console and the demo may ask.

One per process; it finds the floor by the agent. Every method may raise `Refused`; those that name an
agent who is not signed in raise NOT_SIGNED_IN (TARGET_NOT_SIGNED_IN when another agent is meant).
The use cases stand by subject in `presence_desk`, `call_desk` and `inspection_desk`.
"""

from __future__ import annotations

from collections.abc import Iterable

from sottovoce.domain.directory import VdnId
from sottovoce.errors import Code, Refused
from sottovoce.live import pictures
from sottovoce.live.call_desk import CallDesk
from sottovoce.live.front import DeskSettings
from sottovoce.live.inspection_desk import InspectionDesk
from sottovoce.live.presence_desk import PresenceDesk
from sottovoce.live.views import FloorView

__all__ = ["Desk", "DeskSettings"]


class Desk(PresenceDesk, CallDesk, InspectionDesk):
    """The live half's front."""

    async def open(self, vdns: Iterable[VdnId]) -> None:
        """Open these VDNs' floors, with what a crash left. Engine and lines must run already."""
        for session in await self._building.start(vdns):
            self._sessions.open(session.agent, session.guid, self._clock.monotonic())

    async def close(self) -> None:
        """End all calls, close their recordings, end. Sign-ins stay for the next start.

        Close the desk before the door and the engine."""
        await self._building.stop()

    async def reload(self, vdn: VdnId) -> None:
        """Read a VDN's configuration anew. Rights that were withdrawn end supervisions, agents who are gone
        are signed out, the others stay signed in. Raises as the store does."""
        for agent in await self._building.reload(vdn):
            self._sessions.close(agent)
            self._failures.pop(agent, None)
            self._last_turn.pop(agent, None)

    async def settled(self) -> None:
        """Wait until everything that the floors wanted so far is done (tests, bench)."""
        for driver in self._building.floors.values():
            await driver.settled()

    async def run_due(self) -> None:
        """Run the timers that are due by the clock, and wait for what follows (tests on a manual clock)."""
        for driver in self._building.floors.values():
            await driver.settled()
            driver.run_due()
            await driver.settled()

    def floor_view(self, vdn: VdnId) -> FloorView:
        """The whole floor now. NOT_FOUND for an unknown VDN."""
        driver = self._building.floors.get(vdn)
        if driver is None:
            raise Refused(Code.NOT_FOUND, f"no VDN {vdn} here")
        driver.floor.state.now = self._clock.now()
        return pictures.view(driver.floor.state)
