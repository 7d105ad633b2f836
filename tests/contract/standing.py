"""A whole gateway in memory: two VDNs, scripted phones, in-process media, a manual clock, the site."""

from __future__ import annotations

from pathlib import Path

import httpx
from tests.contract.client import LedgerClient
from tests.memory import MemoryStore
from tests.scripted_phones import InProcessLines, ScriptedPhone
from tests.vdns import CALLS, INSPECTS, PASSWORDS, vdn

from sottovoce.clock import ManualClock
from sottovoce.config import AgentSettings, HttpSettings, MediaSettings, PushSettings, RecordingSettings
from sottovoce.domain.directory import VdnId
from sottovoce.http.ccgateway.gateway import Gateway
from sottovoce.http.ccgateway.pushes import PushWire
from sottovoce.http.site import site
from sottovoce.live.desk import Desk
from sottovoce.live.state import LiveSettings
from sottovoce.media.inprocess import InProcessEngine
from sottovoce.pushing.pusher import Pusher
from sottovoce.pushing.seals import KEY_BYTES, Seals
from sottovoce.tasks import Tasks

AGENTS, INSPECTORS = (101, 102, 103), (300, 301)
PRINTED = (291, 49999)
"""Agents that the manual's examples name, of VDN 3; their inspector is 30169."""
FOREIGN_AGENT, FOREIGN_INSPECTOR = 201, 309


class Standing:
    """Everything running in this loop, and a client that knows the ledger."""

    def __init__(
        self,
        folder: Path,
        *,
        agents: AgentSettings | None = None,
        gateway: AgentSettings | None = None,
        push: PushSettings | None = None,
        recordings: RecordingSettings | None = None,
    ) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.tasks = Tasks()
        self.engine = InProcessEngine()
        self.lines = InProcessLines(self.engine, self.tasks)
        self.store = MemoryStore(
            [
                vdn(
                    1,
                    {**dict.fromkeys(AGENTS, CALLS), **dict.fromkeys(INSPECTORS, INSPECTS)},
                    causes={1: "lunch", 2: "training"},
                    leader=300,
                ),
                vdn(2, {FOREIGN_AGENT: CALLS, FOREIGN_INSPECTOR: INSPECTS}),
                vdn(
                    3,
                    {**dict.fromkeys(PRINTED, CALLS), 30169: INSPECTS},
                    queues={10: "queue 10", 25: "queue 25"},
                ),
            ]
        )
        self.desk = Desk(
            store=self.store,
            engine=self.engine,
            lines=self.lines,
            passwords=PASSWORDS,
            clock=self.clock,
            tasks=self.tasks,
            settings=LiveSettings(
                folder,
                agents or AgentSettings(ring_timeout=20, wrap_up_limit=0),
                recordings or RecordingSettings(),
                media=MediaSettings(agent_numbers=folder),
            ),
        )
        settings = gateway or AgentSettings(poll_wait=0.02, queries_per_agent=0)
        seals = Seals(b"k" * KEY_BYTES)
        self.pusher = Pusher(self.desk, push or PushSettings(), seals, PushWire(), self.clock, self.tasks)
        self.gateway = Gateway(self.desk, self.clock, self.tasks, settings, self.pusher)
        self.app = site(self.gateway, HttpSettings(docs=True))
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
        await self.pusher.close()
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
