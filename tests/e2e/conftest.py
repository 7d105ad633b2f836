"""A whole server with one VDN, and phones that are not ours at it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from tests.e2e import served, under_attack
from tests.e2e.pjsua2_phones import Pjsua2Phone

from sottovoce.app import Running
from sottovoce.client.ccgateway import AgentClient, Gateway
from sottovoce.demo.trial import trial_server, trunk_host

WORD = "a long enough password"
ACCESS_CODE = "4000"
AGENTS = {101: "8101", 102: "8102"}
INSPECTORS = {301: "8301", 302: "8302"}


def vdn() -> dict[str, object]:
    """A seed file's entry: two agents, two inspectors, one skill queue."""
    return {
        "vdn": 1,
        "name": "Supervised calls",
        "skills": [{"skill": 1, "name": "Hotline"}],
        "access_codes": [{"number": ACCESS_CODE, "skill": 1}],
        "phones": [{"number": phone, "password": WORD} for phone in (AGENTS | INSPECTORS).values()],
        "agents": [
            *(
                {"agent": agent, "name": f"Agent {agent}", "password": WORD, "phone": phone, "skills": [1]}
                for agent, phone in AGENTS.items()
            ),
            *(
                {
                    "agent": agent,
                    "name": f"Inspector {agent}",
                    "password": WORD,
                    "phone": phone,
                    "rights": ["inspect"],
                }
                for agent, phone in INSPECTORS.items()
            ),
        ],
    }


@dataclass(frozen=True)
class Standing:
    """A running server and a gateway client for it."""

    server: Running
    gateway: Gateway

    @property
    def sip(self) -> tuple[str, int]:
        return self.server.sip_host, self.server.sip_port

    async def sign_in(self, agent: int, *, release_phone: bool = True) -> AgentClient:
        """An agent or inspector at work with their own phone."""
        client = self.gateway.agent(agent)
        phone = (AGENTS | INSPECTORS)[agent]
        await client.sign_in(WORD, phone, autoanswer=True, releasephone=release_phone, status=4)
        return client

    async def seat(self, phone: Pjsua2Phone, number: str, *, transport: str = "udp") -> None:
        """Register a phone under a number and let it answer by itself."""
        await phone.register(*self.sip, number, WORD, transport=transport)
        await phone.auto_answer()


@pytest.fixture
async def standing() -> AsyncIterator[Standing]:
    """A server with `vdn`, gone at the end."""
    if trunk_host() is None:
        pytest.skip("this system has no second loopback address for the trunk")
    async with trial_server(vdn(), media={"timeout": 5.0}) as server:
        gateway = Gateway(server.http_url)
        try:
            yield Standing(server, gateway)
        finally:
            await gateway.close()


@pytest.fixture(scope="session", autouse=True)
def kept_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The seed is imported once in a session; further installations begin with a copy of the data."""
    folder = tmp_path_factory.mktemp("kept")
    served.kept_data = folder / "data"
    yield
    served.kept_data = None
    shutil.rmtree(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacked() -> AsyncIterator[under_attack.Standing]:
    """A supervised call at a server of its own, for all tests of a module."""
    async with under_attack.standing_call() as standing:
        yield standing
