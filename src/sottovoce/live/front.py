"""What the parts of the desk share: the building, the feed, the Guids, and how a command is asked."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from sottovoce.clock import Clock
from sottovoce.domain.directory import AgentId
from sottovoce.domain.supervision import Mode
from sottovoce.live.building import Building
from sottovoce.live.commands import Command
from sottovoce.live.feed import Feed
from sottovoce.live.ports import Lines, Passwords, Store
from sottovoce.live.sessions import Sessions
from sottovoce.live.state import FloorSettings, FloorState, Seat
from sottovoce.media.engine import MediaEngine
from sottovoce.tasks import Tasks


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What is set for sessions and sign-in. Times in seconds."""

    dynamic_guid: bool = False
    """AUTHMODE 2: polls and handshakes carry new Guids."""
    guid_renew_s: float = 300.0
    guid_grace_s: float = 60.0
    lock_after: int = 10
    """Wrong passwords in a row that lock an agent's sign-in for `lock_s`; 0 never locks."""
    lock_s: float = 300.0
    queue_capacity: int = 1000
    """Events that wait for one agent."""


class Front:
    """The desk without its use cases."""

    def __init__(
        self,
        *,
        store: Store,
        engine: MediaEngine,
        lines: Lines,
        passwords: Passwords,
        clock: Clock,
        tasks: Tasks,
        floor: FloorSettings | None = None,
        settings: DeskSettings | None = None,
    ) -> None:
        self._settings = settings or DeskSettings()
        self._passwords, self._clock = passwords, clock
        self._feed = Feed(self._settings.queue_capacity)
        self._sessions = Sessions(
            dynamic=self._settings.dynamic_guid,
            renew_s=self._settings.guid_renew_s,
            grace_s=self._settings.guid_grace_s,
        )
        self._building = Building(
            store=store,
            engine=engine,
            lines=lines,
            clock=clock,
            tasks=tasks,
            feed=self._feed,
            settings=floor or FloorSettings(),
        )
        self._signing: set[AgentId] = set()
        self._failures: dict[AgentId, tuple[int, float]] = {}
        self._starting: dict[AgentId, tuple[AgentId, Mode]] = {}
        self._turn = itertools.count(1)
        self._last_turn: dict[AgentId, int] = {}
        """The latest supervision command of an inspector that took effect."""

    def _floor(self, agent: AgentId) -> FloorState:
        floor = self._building.of(agent).floor.state
        floor.seat(agent)
        return floor

    def _seat(self, agent: AgentId) -> Seat:
        return self._building.of(agent).floor.state.seat(agent)

    async def _ask(self, agent: AgentId, command: Command) -> None:
        driver = self._building.of(agent)
        driver.floor.state.seat(agent)
        await driver.ask(command)

    async def _ask_in_turn(self, inspector: AgentId, command: Command) -> None:
        """Ask, unless a later supervision command of this inspector takes effect before."""
        driver = self._building.of(inspector)
        driver.floor.state.seat(inspector)
        turn = next(self._turn)
        await driver.ask(
            command,
            still=lambda: self._last_turn.get(inspector, 0) < turn,
            then=lambda: self._last_turn.__setitem__(inspector, turn),
        )
