"""A stage for the live half: two VDNs, scripted phones, an engine without sound, a manual clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sottovoce.clock import ManualClock
from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import (
    AccessCode,
    AgentId,
    AgentProfile,
    PhoneAccount,
    Right,
    Skill,
    SkillId,
    VdnId,
    VdnProfile,
)
from sottovoce.domain.events import AgentEvent
from sottovoce.domain.legs import (
    LegAddress,
    LegFigures,
    LegId,
    Recording,
    RecordingId,
    RecordingResult,
    RemoteMedia,
    Routing,
    Sound,
)
from sottovoce.doors.inprocess import InProcessLines, ScriptedPhone
from sottovoce.errors import Code, Refused
from sottovoce.live.availability import ChooseSkills
from sottovoce.live.desk import Desk, DeskSettings
from sottovoce.live.memory import MemoryStore, ScryptPasswords
from sottovoce.live.state import FloorSettings
from sottovoce.live.views import SignIn
from sottovoce.media.engine import EngineEvent
from sottovoce.tasks import Tasks

PASSWORDS = ScryptPasswords()
SECRET = PASSWORDS.store("secret")


class SilentEngine:
    """A media engine that carries nothing and remembers what is true."""

    def __init__(self) -> None:
        self.open: dict[LegId, str] = {}
        self.ever_opened: list[LegId] = []
        self.hears: dict[LegId, frozenset[LegId]] = {}
        self.playing: dict[LegId, str] = {}
        self.digits: list[tuple[LegId, str]] = []
        self.recordings: dict[RecordingId, Recording] = {}
        self.recorded: frozenset[LegId] = frozenset()
        self.tables: list[Routing] = []
        self.refuse_recordings = False
        self.say = lambda event: None

    async def open_leg(self, leg: LegId, group: str) -> LegAddress:
        self.open[leg] = group
        self.ever_opened.append(leg)
        return LegAddress("127.0.0.1", 10000 + 2 * len(self.ever_opened))

    async def set_remote(self, leg: LegId, remote: RemoteMedia) -> None:
        if leg not in self.open:
            raise Refused(Code.NOT_FOUND)

    async def close_leg(self, leg: LegId) -> LegFigures:
        self.open.pop(leg, None)
        self.playing.pop(leg, None)
        self.hears = {k: v - {leg} for k, v in self.hears.items() if k != leg}
        return LegFigures()

    async def apply(self, routing: Routing) -> None:
        self.tables.append(routing)
        for leg, voices in routing.hears.items():
            if leg in self.open:
                self.hears[leg] = frozenset(voice for voice in voices if voice in self.open)
        self.recorded = routing.recorded

    async def play(self, leg: LegId, sound: Sound | None) -> None:
        if sound is None:
            self.playing.pop(leg, None)
        elif leg in self.open:
            self.playing[leg] = sound.name

    async def send_digits(self, leg: LegId, digits: str) -> None:
        self.digits.append((leg, digits))

    async def start_recording(self, recording: Recording) -> None:
        if self.refuse_recordings:
            raise Refused(Code.MEDIA_EXHAUSTED, "disk full")
        self.recordings[recording.recording] = recording

    async def stop_recording(self, recording: RecordingId) -> RecordingResult:
        made = self.recordings.pop(recording, None)
        if made is None:
            raise Refused(Code.NOT_FOUND, "no such recording")
        return RecordingResult(recording, made.path, 8000)

    async def figures(self, leg: LegId) -> LegFigures:
        return LegFigures()

    def subscribe(self, listener) -> None:
        self.say = listener

    def tell(self, event: EngineEvent) -> None:
        self.say(event)


def profiles(*, inspect_inspectors: bool = False) -> list[VdnProfile]:
    """VDN 1: agents 101-104, inspectors 300-302. VDN 2: agent 201, inspector 309. Phone = 1000 + agent."""

    def agent(number: int, vdn: int, *rights: Right) -> AgentProfile:
        skills = (SkillId(1), SkillId(2)) if number < 300 else ()
        return AgentProfile(
            AgentId(number),
            VdnId(vdn),
            f"Agent {number}",
            SECRET,
            str(1000 + number),
            skills,
            frozenset(rights),
        )

    def vdn(number: int, *agents: AgentProfile) -> VdnProfile:
        accounts = [str(1000 + one.agent) for one in agents]
        return VdnProfile(
            VdnId(number),
            f"VDN {number}",
            {one.agent: one for one in agents},
            {SkillId(1): Skill(SkillId(1), "sales"), SkillId(2): Skill(SkillId(2), "help")},
            {
                f"80{number}": AccessCode(f"80{number}", SkillId(1)),
                f"90{number}": AccessCode(f"90{number}", SkillId(2), True),
            },
            {one: PhoneAccount(one, f"u{one}", {}) for one in accounts},
            ("0", "5"),
            inspect_inspectors,
        )

    calls = Right.CALL_OUT
    inspects = Right.INSPECT
    return [
        vdn(
            1,
            *(agent(n, 1, calls) for n in (101, 102, 103)),
            agent(104, 1),
            *(agent(n, 1, inspects) for n in (300, 301, 302)),
        ),
        vdn(2, agent(201, 2, calls), agent(309, 2, inspects)),
    ]


class Stage:
    """Everything running, with short words for tests."""

    def __init__(
        self,
        *,
        inspect_inspectors: bool = False,
        settings: DeskSettings | None = None,
        floor: FloorSettings | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.tasks = Tasks()
        self.engine = SilentEngine()
        self.lines = InProcessLines(self.engine, self.tasks)
        self.store = MemoryStore(profiles(inspect_inspectors=inspect_inspectors))
        self.settings = settings
        self.floor = floor or FloorSettings(recordings=Path("/rec"))
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
            floor=self.floor,
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
    """Make further stages: `new_stage(inspect_inspectors=True)`; not opened."""
    return Stage
