"""A whole gateway in memory: two VDNs, scripted phones, in-process media, a manual clock, the site."""

from __future__ import annotations

from pathlib import Path

import httpx
from tests.contract.client import LedgerClient

from sottovoce.clock import ManualClock
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
from sottovoce.doors.inprocess import InProcessLines, ScriptedPhone
from sottovoce.http.ccgateway import Gateway, GatewaySettings
from sottovoce.http.site import SiteSettings, site
from sottovoce.live.desk import Desk, DeskSettings
from sottovoce.live.memory import MemoryStore, ScryptPasswords
from sottovoce.live.state import FloorSettings
from sottovoce.media.inprocess import InProcessEngine
from sottovoce.tasks import Tasks

PASSWORDS = ScryptPasswords()
STORED = PASSWORDS.store("secret")
AGENTS, INSPECTORS = (101, 102, 103), (300, 301)
PRINTED = (291, 49999)
"""Agents that the manual's examples name, of VDN 3; their inspector is 30169."""
FOREIGN_AGENT, FOREIGN_INSPECTOR = 201, 309


def vdn(number: int, *agents: tuple[int, Right], queues: tuple[int, ...] = (1, 2)) -> VdnProfile:
    """A VDN whose agents have phones at 1000 + their number and all skills; access code 80<vdn>."""
    names = {1: "sales", 2: "help"}
    skills = {SkillId(queue): Skill(SkillId(queue), names.get(queue, f"queue {queue}")) for queue in queues}
    profiles = {
        AgentId(agent): AgentProfile(
            AgentId(agent),
            VdnId(number),
            f"Agent {agent}",
            STORED,
            str(1000 + agent),
            () if right is Right.INSPECT else tuple(skills),
            frozenset({right}),
        )
        for agent, right in agents
    }
    phones = {str(1000 + agent): PhoneAccount(str(1000 + agent), f"u{agent}", {}) for agent, _ in agents}
    codes = {f"80{number}": AccessCode(f"80{number}", SkillId(queues[0]))}
    return VdnProfile(VdnId(number), f"VDN {number}", profiles, skills, codes, phones, ("0", "5"))


class Standing:
    """Everything running in this loop, and a client that knows the ledger."""

    def __init__(
        self, folder: Path, *, desk: DeskSettings | None = None, gateway: GatewaySettings | None = None
    ) -> None:
        self.clock = ManualClock()
        self.tasks = Tasks()
        self.engine = InProcessEngine()
        self.lines = InProcessLines(self.engine, self.tasks)
        self.store = MemoryStore(
            [
                vdn(1, *((a, Right.CALL_OUT) for a in AGENTS), *((a, Right.INSPECT) for a in INSPECTORS)),
                vdn(2, (FOREIGN_AGENT, Right.CALL_OUT), (FOREIGN_INSPECTOR, Right.INSPECT)),
                vdn(3, *((a, Right.CALL_OUT) for a in PRINTED), (30169, Right.INSPECT), queues=(10, 25)),
            ]
        )
        self.desk = Desk(
            store=self.store,
            engine=self.engine,
            lines=self.lines,
            passwords=PASSWORDS,
            clock=self.clock,
            tasks=self.tasks,
            floor=FloorSettings(recordings=folder),
            settings=desk,
        )
        settings = gateway or GatewaySettings(poll_wait_s=0.02)
        self.gateway = Gateway(self.desk, self.clock, self.tasks, settings)
        self.app = site(self.gateway, SiteSettings(docs=True))
        self.client = LedgerClient(
            httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test")
        )

    async def open(self) -> None:
        for profile in self.store.profiles.values():
            for number in profile.phones:
                self.lines.phone(number, ready=True)
        await self.desk.open(self.store.profiles)

    async def close(self) -> None:
        await self.client.http.aclose()
        await self.desk.close()
        await self.tasks.close()

    async def quiet(self) -> None:
        """Wait until nothing moves any more."""
        for _ in range(4):
            await self.lines.settled()
            await self.desk.settled()

    def phone(self, agent: int) -> ScriptedPhone:
        return self.lines.phones[str(1000 + agent)]

    async def at_work(self, *agents: int) -> None:
        """Sign in, choose all skills, and read all events."""
        for agent in agents:
            assert (await self.client.sign_in(agent)).retcode == "0"
            await self.client.ok(agent, "POST", "/onlineagent/{a}/resetskill/true")
            await self.quiet()
            await self.client.events(agent)

    async def call_in(self, number: str = "555", to: int = 1) -> ScriptedPhone:
        """A customer calls a VDN; whoever is idle longest answers at once."""
        customer = self.lines.phone(number)
        self.lines.call_in(VdnId(to), customer, f"80{to}")
        await self.quiet()
        return customer
