"""Targets that stand over many inputs and grow old: what one leaves behind may be the next one's trouble."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import numpy as np
from structlog.testing import capture_logs
from tests.contract.standing import Standing
from tests.doors.sip.far_sides import trunk
from tests.doors.sip.test_registrar import Office
from tests.fuzz.parsing import chosen
from tests.media.talkers import Talker
from tests.media.test_mixer import A, C, Q, Stage
from tests.media.test_ports_pool import PHONE, Bench
from uvicorn.server import ServerState

from sottovoce.config import HttpSettings
from sottovoce.doors.sip.events import CallOffered
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.http.server import Connection, ServerLimits, _Config
from sottovoce.http.site import FAMILIES
from sottovoce.media.mmsg import PACKET_BYTES
from sottovoce.media.ports_pool import PortsPool

LIFE = 400
"""Inputs that one standing gets; then a new one takes its place."""
TRUNK, STRANGER = (Hop(Transport.UDP, host, 5060) for host in ("203.0.113.1", "198.51.100.7"))
AN_ANSWER = 400
"""What a refusal may be longer than twice what it answers: a challenge of ours."""


class UserAgents:
    """A user agent with trunk, registered phone and strangers around it. `@TAG@` is the last call's tag."""

    def __init__(self) -> None:
        self.inputs = 0
        self.begin()

    def begin(self) -> None:
        """Stand anew."""
        self.office = Office((trunk("provider", TRUNK.host, networks=("203.0.113.0/29",)),))
        self.office.send("<sip:a@10.0.0.1>")
        self.tag = ""

    def __call__(self, data: bytes) -> int:
        """One datagram, from the trunk, a phone or a stranger."""
        self.inputs += 1
        if self.inputs % LIFE == 0:
            self.begin()
        ua, network = self.office.server.ua, self.office.network
        source = (TRUNK, self.office.phone.hop, STRANGER)[chosen(data, 3)]
        data = data.replace(b"@TAG@", self.tag.encode()).replace(b"@N@", str(self.inputs).encode())
        network.now += 0.01
        ua.timers.advance(network.now)
        ua.take()  # what was due anyhow
        ua.receive(data, source, network.now)
        out, said = ua.take()
        answered = sum(len(message.data) for message in out)
        drawn = [len(message.data) for message in out if message.hop.host == STRANGER.host]
        assert len(drawn) <= 1, "a stranger draws one answer at most"
        assert sum(drawn) <= 2 * len(data) + AN_ANSWER, "a stranger draws no more than was sent"
        if source is STRANGER:
            assert answered - sum(drawn) <= 1000, "who knows a call's tags ends it, and draws no more"
        assert len(out) <= 6
        for event in said:
            if isinstance(event, CallOffered):
                self._take(event, chosen(data, 5))
        if self.inputs % 50 == 0:
            network.now += 40.0
            ua.timers.advance(network.now)
            ua.take()
        return answered

    def _take(self, offered: CallOffered, how: int) -> None:
        server = self.office.server
        session = server.ua.offer(offered.call)
        self.tag = session.key.local_tag
        session.place(server.media)
        for step in (session.ring, session.early, session.accept, session.hang_up)[: how or 1]:
            step()
        server.ua.take()


class Media:
    """A mixer with three legs and a port of the pool: RTP, RTCP and what is neither."""

    def __init__(self) -> None:
        self.inputs = 0
        self.begin()

    def begin(self) -> None:
        """Stand anew."""
        self.stage = Stage()
        for leg, ssrc in ((C, 1), (A, 2), (Q, 3)):
            self.stage.enter(leg, Talker(ssrc=ssrc))
        self.bench = Bench(PortsPool(8, 8))
        self.index = self.bench.leg(0)

    def __call__(self, data: bytes) -> int:
        """One datagram on the RTP port and on the RTCP port of a leg."""
        self.inputs += 1
        if self.inputs % LIFE == 0:
            self.begin()
        stage, slot = self.stage, chosen(data, 3)
        packet = data[:PACKET_BYTES]
        assert self.bench.send(self.index, PHONE, packet)[0] in (0, -1, -2)
        self.bench.pool.rtcp_owner(self.index, 0, data)
        row = np.zeros((1, PACKET_BYTES), np.uint8)
        row[0, : len(packet)] = np.frombuffer(packet, np.uint8)
        stage.mixer.receive(np.array([slot]), row, np.array([len(packet)], np.int32), stage.now)
        stage.mixer.receive_rtcp(slot, data, stage.now)
        if self.inputs % 8:
            return 0
        stage.now += 0.02
        out = stage.mixer.tick(stage.now)
        assert len(out.slots) <= 6, "a tick sends a packet a leg, and a report"
        return int(out.lengths.sum())


class Wire(asyncio.Transport):
    """A TCP connection without a socket: counts what is written, and is lost soon after it is closed."""

    def __init__(self, protocol: asyncio.Protocol, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__({"peername": ("127.0.0.1", 40_000), "sockname": ("127.0.0.1", 80)})
        self._protocol, self._loop = protocol, loop
        self.written = 0
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += len(data)

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


class Http:
    """A whole gateway behind the server's own protocol. `@GUID@` is that of agent 101, who is signed in."""

    def __init__(self) -> None:
        self.inputs = 0
        self.loop = asyncio.new_event_loop()
        self.failures: list[logging.LogRecord] = []
        self._handler = logging.Handler(logging.ERROR)
        self._handler.emit = self.failures.append  # type: ignore[method-assign]
        logging.getLogger("uvicorn.error").addHandler(self._handler)
        self.standing: Standing | None = None
        self.loop.run_until_complete(self.begin())

    async def begin(self) -> None:
        """Stand anew."""
        await self.end()
        self.standing = Standing(Path("/nowhere"))
        await self.standing.open()
        self.standing.gateway.stopping = True  # no poll hangs
        assert (await self.standing.client.sign_in(101)).retcode == "0"
        self.guid = self.standing.client.guids[101]
        self.config = _Config(self.standing.app, HttpSettings(), ServerLimits(), FAMILIES)
        self.config.load()

    async def end(self) -> None:
        """Close what stands."""
        if self.standing is not None:
            await self.standing.close()

    def close(self) -> None:
        """Leave nothing behind."""
        logging.getLogger("uvicorn.error").removeHandler(self._handler)
        self.loop.run_until_complete(self.end())
        self.loop.close()

    def __call__(self, data: bytes) -> int:
        """All that one connection sends before it is closed."""
        self.inputs += 1
        with capture_logs() as said:
            if self.inputs % LIFE == 0:
                self.loop.run_until_complete(self.begin())
            written = self.loop.run_until_complete(self._connection(data))
        faults = [line for line in said if line["log_level"] in ("error", "critical")]
        assert not faults, faults[0]
        assert not self.failures, self.failures.pop().getMessage()
        return written

    async def _connection(self, data: bytes) -> int:
        state = ServerState()
        self.config.peers.enter("127.0.0.1")
        connection = Connection(self.config, "127.0.0.1", state, {}, _loop=self.loop)
        wire = Wire(connection, self.loop)
        connection.connection_made(wire)
        data = data.replace(b"@GUID@", self.guid.encode())
        cut = chosen(data, len(data) + 1)
        for part in (data[:cut], data[cut:]):
            if part and not wire.closing:
                connection.data_received(part)
                await asyncio.sleep(0)
        for _ in range(100):
            if not state.tasks:
                break
            await asyncio.sleep(0)
        wire.close()
        await asyncio.sleep(0)
        await asyncio.gather(*state.tasks)
        return wire.written
