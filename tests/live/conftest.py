"""A stage for the live half: two VDNs, scripted phones, an engine without sound, a manual clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.memory import MemoryStore
from tests.scripted_phones import InProcessLines, ScriptedPhone
from tests.silent_engine import SilentEngine
from tests.vdns import CALLS, INSPECTS, NO_RIGHT, PASSWORDS, vdn

from sottovoce.clock import ManualClock
from sottovoce.config import AgentSettings
from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId, VdnId, VdnProfile
from sottovoce.domain.events import AgentEvent
from sottovoce.live.availability import ChooseSkills
from sottovoce.live.desk import Desk
from sottovoce.live.state import LiveSettings
from sottovoce.live.views import SignIn
from sottovoce.tasks import Tasks

SETTINGS = LiveSettings(Path("/rec"), AgentSettings(ring_timeout=20, wrap_up_limit=0))


def profiles(*, inspectors: int = 3, mutual: bool = False) -> list[VdnProfile]:
    """VDN 1: agents 101-104, inspectors from 300 on. VDN 2: agent 201, inspector 309."""
    one = {
        101: CALLS,
        102: CALLS,
        103: CALLS,
        104: NO_RIGHT,
        **dict.fromkeys(range(300, 300 + inspectors), INSPECTS),
    }
    return [
        vdn(number, agents, codes={f"80{number}": (1, False), f"90{number}": (2, True)}, mutual=mutual)
        for number, agents in ((1, one), (2, {201: CALLS, 309: INSPECTS}))
    ]


class Stage:
    """Everything running, with short words for tests."""

    def __init__(
        self, settings: LiveSettings = SETTINGS, *, inspectors: int = 3, mutual: bool = False
    ) -> None:
        self.clock = ManualClock()
        self.tasks = Tasks()
        self.engine = SilentEngine(capacity=2000)
        self.lines = InProcessLines(self.engine, self.tasks)
        self.store = MemoryStore(profiles(inspectors=inspectors, mutual=mutual))
        self.settings = settings
        self.desk = self.new_desk()
        self.guids: dict[int, str] = {}
        for profile in self.store.profiles.values():
            for number in profile.phones:
                self.lines.phone(number, ready=True)

    def new_desk(self) -> Desk:
        return Desk(
            store=self.store,
            engine=self.engine,
            lines=self.lines,
            passwords=PASSWORDS,
            clock=self.clock,
            tasks=self.tasks,
            settings=self.settings,
        )

    async def quiet(self) -> None:
        """Wait until nothing moves any more."""
        for _ in range(4):
            await self.lines.settled()
            await self.desk.settled()

    async def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)
        await self.desk.run_due()
        await self.quiet()

    def phone(self, agent: int) -> ScriptedPhone:
        return self.lines.phones[str(1000 + agent)]

    async def sign_in(self, *agents: int, skills: bool = True, **wish) -> None:
        for agent in agents:
            signed = await self.desk.sessions.sign_in(AgentId(agent), SignIn("secret", "", **wish))
            self.guids[agent] = signed.guid
            if skills:
                await self.desk.ask(ChooseSkills(AgentId(agent), every=True))
        await self.quiet()

    async def call_in(self, number: str = "555", called: str = "801") -> ScriptedPhone:
        customer = self.lines.phone(number)
        self.lines.call_in(VdnId(1), customer, called)
        await self.quiet()
        return customer

    async def events(self, agent: int) -> list[AgentEvent]:
        """Take all that waits for an agent."""
        await self.quiet()
        taken: list[AgentEvent] = []
        while (queued := await self.desk.next_event(AgentId(agent), 0)) is not None:
            taken.append(queued.event)
            self.desk.feed.delivered(AgentId(agent), queued.id)
        return taken

    async def names(self, agent: int) -> list[str]:
        """The kinds of events that wait for an agent, in order."""
        return [type(event).__name__ for event in await self.events(agent)]

    async def forget(self, *agents: int) -> None:
        for agent in agents:
            await self.events(agent)

    def hears(self) -> dict[str, set[str]]:
        """Phone number to the numbers that its leg hears, by the engine's tables; music as ♪."""
        names = {leg: phone.number for leg, phone in self.lines.legs.items()}
        heard = {number: set() for number in names.values()}
        for leg, voices in self.engine.hears.items():
            if leg in names:
                heard[names[leg]] |= {names[voice] for voice in voices if voice in names}
        for leg in self.engine.playing:
            heard[names[leg]].add("♪")
        return heard

    def state(self, agent: int) -> AgentState:
        return self.desk.status(AgentId(agent)).state


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    await made.desk.open([VdnId(1), VdnId(2)])
    yield made
    await made.desk.close()
    await made.tasks.close()


@pytest.fixture
async def on_call(stage):
    """Agent 101 talks with 555; inspectors 300 and 301 are idle; all queues are empty."""
    await stage.sign_in(101, 300, 301)
    await stage.call_in("555")
    await stage.forget(101, 300, 301)
    return stage


@pytest.fixture
async def standing(stage):
    """The same with a phone that stays off-hook between calls."""
    await stage.sign_in(101, 300, 301, release_phone=False)
    await stage.call_in("555")
    await stage.forget(101, 300, 301)
    return stage


@pytest.fixture
def new_stage():
    """Make further stages: `new_stage(mutual=True)`; not opened."""
    return Stage
