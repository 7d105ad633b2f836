"""`sottovoce serve` in a process of its own, as an operator runs it, with a VDN of four agents."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from sottovoce.client.ccgateway import AgentClient, Gateway
from sottovoce.client.ccsqm import Quality
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.ports import Account
from sottovoce.phones.phone import Phone, PhoneCall
from sottovoce.phones.sources import Quiet, Source

LOOPBACK = "127.0.0.1"
OUTSIDE = "127.0.0.2"
"""Where customers call from: the trunk's network, apart from that of the phones."""
ACCESS_CODE = "4000"
SECRET = "a-long-secret"
"""Without blanks, which baresip cannot be told."""
DIRECTOR, INSPECTOR, ANN = "1611917095665261978", "1600226476732482572", "1600226476732482601"
"""Users of the after-call half; Ann is agent 101."""
SEED = f"""
vdns:
  - vdn: 1
    name: Hotline
    outbound_allowed: ["555"]
    skills: [{{skill: 1, name: Sales}}]
    access_codes: [{{number: "{ACCESS_CODE}", skill: 1}}]
    phones:
      - {{number: "8101", password: "{SECRET}"}}
      - {{number: "8102", password: "{SECRET}"}}
      - {{number: "8103", password: "{SECRET}"}}
      - {{number: "8104", password: "{SECRET}"}}
    agents:
      - {{agent: 101, name: Ann, password: "{SECRET}", phone: "8101", skills: [1], rights: [call_out]}}
      - {{agent: 102, name: Ian, password: "{SECRET}", phone: "8102", rights: [inspect]}}
      - {{agent: 103, name: Ina, password: "{SECRET}", phone: "8103", rights: [inspect]}}
      - {{agent: 104, name: Bob, password: "{SECRET}", phone: "8104"}}
    users:
      - {{user: "{DIRECTOR}", name: Dora, roles: [quality_director]}}
      - {{user: "{INSPECTOR}", name: Ida, roles: [inspector]}}
      - {{user: "{ANN}", name: Ann, agent: 101, roles: [staff]}}
"""


kept_data: Path | None = None
"""Where the first data folder with SEED in it is kept, to be copied for those after it; None: nowhere."""
TRUNK = f'trunks = [{{name = "outside", host = "{OUTSIDE}", networks = ["{OUTSIDE}/32"]}}]'


class Served:
    """One installation: its folder, its ports, and the process that serves while there is one.

    `more` are settings beside the usual; `sip` is what its SIP section says beside host and port.
    """

    def __init__(self, folder: Path, more: str = "", sip: str = TRUNK) -> None:
        self.folder = folder
        self.http_port, self.sip_port = (
            free_port(socket.SOCK_STREAM),
            free_port(socket.SOCK_STREAM, socket.SOCK_DGRAM),
        )
        self.log = folder / "serve.log"
        self._config = folder / "sottovoce.toml"
        self._config.write_text(
            f"""
data = "{folder / "data"}"
[http]
port = {self.http_port}
[sip]
host = "{LOOPBACK}"
port = {self.sip_port}
{sip}
[operators]
token = "{SECRET}-for-operators"
[media]
host = "{LOOPBACK}"
workers = 1
[log]
format = "json"
{more}
"""
        )
        (folder / "seed.yaml").write_text(SEED)
        self.app_key = self.app_secret = ""
        """Once `quality` made them."""
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.http_port}"

    @property
    def hop(self) -> Hop:
        return Hop(Transport.UDP, LOOPBACK, self.sip_port)

    @property
    def process(self) -> psutil.Process:
        """What serves now."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def postgresql(self) -> list[psutil.Process]:
        """All processes of its own PostgreSQL."""
        pid = next((self.folder / "data").rglob("postmaster.pid")).read_text().split()[0]
        postmaster = psutil.Process(int(pid))
        return [postmaster, *postmaster.children()]

    def words(self, *words: str) -> tuple[str, ...]:
        """A `sottovoce` command with this installation's settings."""
        return (sys.executable, "-m", "sottovoce", *words, "--config", str(self._config))

    async def fill(self) -> None:
        """Make the data folder, with SEED in it."""
        data = self.folder / "data"
        if kept_data is not None and kept_data.exists():
            await _copy(kept_data, data)
            return
        await self.command("agents", "import", str(self.folder / "seed.yaml"))
        if kept_data is not None and (data / "postgresql").exists():
            await _copy(data, kept_data)

    async def command(self, *words: str) -> str:
        """Run one `sottovoce` command; its output. It must succeed."""
        process = await asyncio.create_subprocess_exec(
            *self.words(*words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()

    async def verified_audit(self) -> str:
        """What `audit verify` says against the server's own key, which whoever doubts has from elsewhere."""
        key = (await self.command("audit", "key")).split()[-1]
        return await self.command("audit", "verify", "--key", key)

    async def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Serve, and wait until requests are answered; `environment` is for the server alone."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.words("serve"),
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
            )
        async with asyncio.timeout(240):
            while True:
                assert self._process.returncode is None, self.log.read_text()
                try:
                    _, writer = await asyncio.open_connection(LOOPBACK, self.http_port)
                except OSError:
                    await asyncio.sleep(0.1)
                    continue
                writer.close()
                await writer.wait_closed()
                return

    async def stop(self, number: int = signal.SIGTERM) -> int | None:
        """End the process by a signal; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            os.kill(process.pid, number)
        return await asyncio.wait_for(process.wait(), 30)


async def _copy(data: Path, to: Path) -> None:
    """Copy a data folder, whoever its files belong to."""
    process = await asyncio.create_subprocess_exec("cp", "-a", str(data), str(to))
    assert await process.wait() == 0


@contextmanager
def stopped(*processes: psutil.Process) -> Iterator[None]:
    """These do nothing for a while."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            if process.is_running():
                process.resume()


def free_port(*kinds: socket.SocketKind) -> int:
    """A port that nobody has now for these kinds of sockets, below those that the system gives to clients."""
    for port in random.sample(range(10_000, 20_000), 100):
        try:
            for kind in kinds:
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind((LOOPBACK, port))
        except OSError:
            continue
        return port
    raise AssertionError("no free port")


@asynccontextmanager
async def serving(
    more: str = "", environment: Mapping[str, str] | None = None, *, sip: str = TRUNK
) -> AsyncIterator[Served]:
    """A configured installation that serves, with `more` settings; gone with the block, with its folder.

    FOLDER in `more` is the installation's; `environment` is for the server alone.
    """
    with tempfile.TemporaryDirectory(prefix="sottovoce-e2e-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # started as root, PostgreSQL runs as another user, who must reach it
        served = Served(folder, more.replace("FOLDER", name), sip)
        await served.fill()
        await served.start(environment)
        try:
            yield served
        finally:
            await served.stop()


@asynccontextmanager
async def gateway(served: Served) -> AsyncIterator[Gateway]:
    """A CC-Gateway client on it."""
    client = Gateway(served.url)
    try:
        yield client
    finally:
        await client.close()


async def quality(served: Served) -> tuple[Quality, Quality]:
    """Clients of the after-call half with an app key made for them: the director's and the inspector's."""
    said = await served.command("app-keys", "add", "--vdn", "1", "--name", "e2e")
    words = dict(line.split() for line in said.splitlines() if line.startswith("app_"))
    served.app_key, served.app_secret = words["app_key"], words["app_secret"]
    director, inspector = (
        Quality(served.url, served.app_key, served.app_secret, user) for user in (DIRECTOR, INSPECTOR)
    )
    return director, inspector


@asynccontextmanager
async def registered(
    served: Served, number: str, transport: Transport = Transport.UDP, say: Callable[[], Source] = Quiet
) -> AsyncIterator[Phone]:
    """One of the installation's phones, registered, answering by itself."""
    async with Phone(number, say) as phone:
        await phone.register(LOOPBACK, served.sip_port, Account(number, SECRET), transport=transport)
        yield phone


@asynccontextmanager
async def outside(name: str = "5551", say: Callable[[], Source] = Quiet) -> AsyncIterator[Phone]:
    """A customer's phone, on the trunk's side."""
    phone = Phone(name, say)
    await phone.start(OUTSIDE)
    try:
        yield phone
    finally:
        await phone.stop()


@dataclass(frozen=True)
class AtWork:
    """Ann (agent 101) and Ian (inspector 102) signed in at an installation, and a customer outside."""

    served: Served
    ann: AgentClient
    ian: AgentClient
    agent: Phone
    """Ann's phone."""
    inspector: Phone
    """Ian's."""
    customer: Phone

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        """Both clients poll while the block runs."""
        async with self.ann.polling(), self.ian.polling():
            yield

    async def talk(self) -> PhoneCall:
        """Let the customer call and talk with Ann, whose client polls; what was told before is forgotten."""
        self.ann.forget_events()
        self.ian.forget_events()
        call = await self.customer.call(ACCESS_CODE, via=self.served.hop)
        await call.talking()
        await self.ann.next_event("AgentEvent_Talking")
        return call


@asynccontextmanager
async def at_work(
    served: Served,
    *,
    agent: Callable[[], Source] = Quiet,
    inspector: Callable[[], Source] = Quiet,
    customer: Callable[[], Source] = Quiet,
    transport: Transport = Transport.UDP,
) -> AsyncIterator[AtWork]:
    """Two at work at their phones, with what each phone says, and the transport of the inspector's."""
    async with (
        gateway(served) as client,
        registered(served, "8101", say=agent) as agents,
        registered(served, "8102", transport, say=inspector) as inspectors,
        outside(say=customer) as customers,
    ):
        ann, ian = client.agent(101), client.agent(102)
        await ann.sign_in(SECRET, "8101")
        await ian.sign_in(SECRET, "8102")
        yield AtWork(served, ann, ian, agents, inspectors, customers)
