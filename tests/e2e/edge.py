"""Kamailio and rtpengine of Debian on loopback, configured as shipped in `deploy/kamailio/`."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.e2e.served import free_port

from sottovoce.doors.sip.hops import Hop, Transport

SHIPPED = Path(__file__).parents[2] / "deploy" / "kamailio"
EDGE, PROVIDER, MEDIA = "127.0.0.4", "127.0.0.3", "127.0.0.7"
"""Where the edge listens, customers call from, and rtpengine sends from."""
DOMAIN, PASSWORD = "sottovoce.local", "change-me"
PATIENCE_S = 20.0

needs_edge = pytest.mark.skipif(
    shutil.which("kamailio") is None or shutil.which("rtpengine") is None,
    reason="kamailio or rtpengine is missing (Debian packages kamailio and rtpengine-daemon)",
)


@dataclass
class Edge:
    """An edge that may run; its ports are chosen at once, so that Sottovoce can be told of them."""

    folder: Path
    port: int = field(default_factory=lambda: free_port(socket.SOCK_STREAM, socket.SOCK_DGRAM))
    defines: tuple[str, ...] = ()

    @property
    def hop(self) -> Hop:
        return Hop(Transport.UDP, EDGE, self.port)

    @property
    def settings(self) -> str:
        """What Sottovoce's SIP section says, as shipped, for this edge."""
        shipped = (SHIPPED / "sottovoce.toml").read_text()
        if "REGISTRAR_BEHIND" in self.defines:
            shipped = shipped.partition("[sip.outbound_proxy]")[0].replace("carries_phones = true\n", "")
        here = f'host = "{EDGE}"\nport = {self.port}'
        return shipped.replace("[sip]\n", "").replace('host = "192.0.2.4"', here).replace("192.0.2.4", EDGE)

    @asynccontextmanager
    async def running(self, sip_port: int, provider_port: int) -> AsyncIterator[None]:
        """The edge in front of a Sottovoce at that port, until the block ends."""
        control, first = free_port(socket.SOCK_DGRAM), 20_000 + 200 * (self.port % 100)
        listed = self.folder / "dispatcher.list"
        listed.write_text(
            (SHIPPED / "dispatcher.list").read_text().replace("192.0.2.1:5060", f"127.0.0.1:{sip_port}")
        )
        sites = {
            "EDGE": f"{EDGE}:{self.port}",
            "PROVIDER": f'"{PROVIDER}"',
            "PROVIDER_URI": f'"sip:{PROVIDER}:{provider_port}"',
            "SOTTOVOCE": f'"{listed}"',
            "RTPENGINE": f'"udp:127.0.0.1:{control}"',
        }
        defines = [word for name, value in sites.items() for word in ("-A", f"{name}={value}")]
        defines += [word for name in self.defines for word in ("-A", name)]
        media = [
            "--config-file=none",
            "--table=-1",
            f"--interface={MEDIA}",
            f"--listen-ng=127.0.0.1:{control}",
        ]
        media += [f"--port-min={first}", f"--port-max={first + 199}", "--foreground", "--log-stderr"]
        config = [
            "-f",
            str(SHIPPED / "kamailio.cfg"),
            "-Y",
            str(self.folder),
            "-n",
            "2",
            "-m",
            "32",
            "-M",
            "4",
        ]
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._process("rtpengine", *media))
            await _answers(("127.0.0.1", control), b"1 d7:command4:pinge")
            await stack.enter_async_context(self._process("kamailio", "-DD", "-E", *config, *defines))
            await _answers((EDGE, self.port), OPTIONS)
            yield

    @asynccontextmanager
    async def _process(self, *command: str) -> AsyncIterator[None]:
        with (self.folder / f"{command[0]}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), PATIENCE_S)


OPTIONS = (
    f"OPTIONS sip:{EDGE} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKup;rport\r\n"
    f"Max-Forwards: 9\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:{EDGE}>\r\nCall-ID: up\r\n"
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
).encode()


async def _answers(address: tuple[str, int], asked: bytes) -> None:
    """Wait until a program that was just started answers a datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        probe.setblocking(False)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                probe.sendto(asked, address)
                with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                    async with asyncio.timeout(0.2):
                        await asyncio.get_running_loop().sock_recv(probe, 2048)
                        return


@asynccontextmanager
async def an_edge(*defines: str) -> AsyncIterator[Edge]:
    """An edge with a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="sottovoce-edge-") as name:
        edge = Edge(Path(name), defines=defines)
        try:
            yield edge
        except BaseException:
            for log in Path(name).glob("*.log"):
                print(log.name, log.read_text(errors="replace")[-3000:])
            raise
