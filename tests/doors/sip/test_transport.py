"""UDP and TCP sockets on loopback: framing, reuse, bounds."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from tests.doors.sip.network import eventually

from sottovoce.clock import ManualClock
from sottovoce.config import SipSettings
from sottovoce.domain.legs import LegAddress, ReleaseCause
from sottovoce.doors.sip.endpoint import Endpoint, SystemEntropy
from sottovoce.doors.sip.events import CallEnded, Event
from sottovoce.doors.sip.hops import Hop, Outgoing, Transport
from sottovoce.doors.sip.message import Request, Response, SipParseError
from sottovoce.doors.sip.transport import SipTransport
from sottovoce.doors.sip.ua import OutgoingCall
from sottovoce.tasks import Tasks

OPTIONS = (
    b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK%d\r\n"
    b"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: %d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


@asynccontextmanager
async def endpoint(max_connections: int = 10) -> AsyncIterator[tuple[Endpoint, ManualClock, list[Event]]]:
    tasks, clock, heard = Tasks(), ManualClock(), []  # type: ignore[var-annotated]
    made = Endpoint(
        SipSettings(domain="test"), clock, tasks, heard.append, max_connections=max_connections, idle=100.0
    )
    await made.start("127.0.0.1", 0)
    try:
        yield made, clock, heard
    finally:
        await made.stop()
        await tasks.close()


NUMBERS = itertools.count(100)


async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bring a call that is let in, and read the answer."""
    number = next(NUMBERS)
    invite = (OPTIONS % (number, number)).replace(b"OPTIONS", b"INVITE")
    writer.write(invite.replace(b"Content-Length", b"Contact: <sip:a@127.0.0.1>\r\nContent-Length"))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"SIP/2.0 100")


async def test_messages_that_come_in_pieces_or_together_are_answered_on_their_connection() -> None:
    async with endpoint() as (there, _, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
        data = OPTIONS % (1, 1)
        for byte in (data[:30], data[30:200], data[200:] + OPTIONS % (2, 2) + OPTIONS % (3, 3)):
            writer.write(byte)
            await writer.drain()
        for number in (1, 2, 3):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"SIP/2.0 200")
            assert b"Call-ID: %d\r\n" % number in head
        writer.close()
        await writer.wait_closed()


async def test_a_ping_gets_its_pong() -> None:
    async with endpoint() as (there, _, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (OPTIONS % (1, 1) + b"\x00" * 70000, b"200"),
        ((OPTIONS % (1, 1)).replace(b"Content-Length: 0", b"Content-Length: 999999"), b"513"),
        ((OPTIONS % (1, 1)).replace(b"Content-Length: 0\r\n", b""), b"400"),
    ],
)
async def test_a_stream_that_broke_is_answered_and_closed(data: bytes, answer: bytes) -> None:
    async with endpoint() as (there, _, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
        writer.write(data)
        everything = await reader.read()
        assert everything.startswith(b"SIP/2.0 " + answer)
        writer.close()
        await writer.wait_closed()


async def test_idle_connections_are_closed() -> None:
    async with endpoint() as (there, clock, _):
        old_reader, old = await asyncio.open_connection("127.0.0.1", there.port)
        await answered(old_reader, old)
        clock.advance(60)
        reader, young = await asyncio.open_connection("127.0.0.1", there.port)
        await answered(reader, young)
        clock.advance(60)
        assert there.sweep() == 1
        assert await old_reader.read() == b""
        for writer in (old, young):
            writer.close()
            await writer.wait_closed()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        (OPTIONS % (1, 1))[:-4],
        (OPTIONS % (1, 1)).replace(b"Content-Length: 0", b"Content-Length: 9") + b"12345678",
        b"no SIP at all\r\nContent-Length: 0\r\n\r\n",
        OPTIONS % (1, 1),
        (OPTIONS % (1, 1)).replace(b"OPTIONS sip:x@127.0.0.1 SIP/2.0", b"SIP/2.0 200 OK"),
    ],
    ids=["nothing", "pings", "a head without end", "a body without end", "no SIP", "OPTIONS", "an answer"],
)
async def test_a_connection_that_brings_nothing_that_is_let_in_is_closed_whatever_else_it_brings(
    data: bytes,
) -> None:
    async with endpoint() as (there, clock, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
        good_reader, good = await asyncio.open_connection("127.0.0.1", there.port)
        await answered(good_reader, good)
        for byte in data:
            writer.write(bytes([byte]))
        await eventually(lambda: there.connections == 2)
        clock.advance(29.9)
        assert there.sweep() == 0
        clock.advance(0.1)
        assert there.sweep() == 1
        with suppress(ConnectionError):  # a reset, where what came last was not read
            await reader.read()
        await eventually(lambda: there.connections == 1)
        await answered(good_reader, good)
        for each in (writer, good):
            each.close()
            with suppress(ConnectionError):
                await each.wait_closed()


async def test_a_connection_of_our_own_making_owes_no_message() -> None:
    accepted: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: accepted.append(writer), "127.0.0.1", 0)
    async with endpoint() as (here, clock, _):
        hop = Hop(Transport.TCP, "127.0.0.1", server.sockets[0].getsockname()[1])
        here.act(lambda ua: ua.invite(outgoing(hop)))
        await eventually(lambda: accepted)
        clock.advance(31)
        assert here.sweep() == 0
    for writer in accepted:
        writer.close()
    server.close()
    await server.wait_closed()


async def test_connections_beyond_the_bound_are_not_kept() -> None:
    async with endpoint(max_connections=2) as (there, _, _):
        kept = []
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
            writer.write(b"\r\n\r\n")
            await reader.readexactly(2)
            kept.append(writer)
        reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        for each in (*kept, writer):
            each.close()


async def test_strangers_make_room_for_who_is_known() -> None:
    async with endpoint(max_connections=2) as (there, clock, _):
        there.know(lambda host: host == "127.0.0.2")
        strangers = [await asyncio.open_connection("127.0.0.1", there.port) for _ in range(2)]
        for reader, writer in strangers:
            writer.write(b"\r\n\r\n")
            await reader.readexactly(2)
        reader, known = await asyncio.open_connection("127.0.0.1", there.port, local_addr=("127.0.0.2", 0))
        known.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        with suppress(ConnectionError):
            assert await strangers[0][0].read() == b""
        await answered(*strangers[1])
        reader, late = await asyncio.open_connection("127.0.0.1", there.port, local_addr=("127.0.0.2", 0))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        clock.advance(31)
        assert there.sweep() == 0
        for each in (known, late, *(writer for _, writer in strangers)):
            each.close()


async def test_one_host_does_not_take_all_connections() -> None:
    async with endpoint(max_connections=20) as (there, _, _):
        kept = []
        for _ in range(8):
            reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
            writer.write(b"\r\n\r\n")
            await reader.readexactly(2)
            kept.append(writer)
        reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        for each in (*kept, writer):
            each.close()


def outgoing(hop: Hop, **more: str) -> OutgoingCall:
    return OutgoingCall("sip:b@127.0.0.1", hop, LegAddress("127.0.0.1", 4000), "sip:a@test", **more)


async def test_a_connection_that_is_refused_is_unreachable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        hop = Hop(Transport.TCP, "127.0.0.1", closed.getsockname()[1])
        async with endpoint() as (here, _, heard):
            here.act(lambda ua: ua.invite(outgoing(hop)))
            await eventually(lambda: heard)
            assert [e.cause for e in heard if isinstance(e, CallEnded)] == [ReleaseCause.UNREACHABLE]


async def test_a_long_request_falls_back_to_udp_where_tcp_is_refused() -> None:
    received = asyncio.Queue[bytes]()

    class Listener(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            received.put_nowait(data)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Listener, local_addr=("127.0.0.1", 0))
    async with endpoint() as (here, _, _):
        hop = Hop(Transport.UDP, "127.0.0.1", transport.get_extra_info("sockname")[1])
        here.act(lambda ua: ua.invite(outgoing(hop, from_name="x" * 1000)))
        data = await received.get()
        assert len(data) > 1300
        assert b"Via: SIP/2.0/UDP" in data
    transport.close()


async def test_a_name_is_looked_up_and_an_unknown_one_fails() -> None:
    async with endpoint() as (here, _, heard), endpoint() as (there, _, _):
        here.act(lambda ua: ua.invite(outgoing(Hop(Transport.TCP, "localhost", there.port))))
        await eventually(lambda: there.ua.standing)
        here.act(lambda ua: ua.invite(outgoing(Hop(Transport.UDP, "no such name.invalid", 5060))))
        await eventually(lambda: heard)
        assert [e.cause for e in heard if isinstance(e, CallEnded)] == [ReleaseCause.UNREACHABLE]


async def test_the_receive_buffer_is_large_and_udp_and_tcp_share_a_port() -> None:
    tasks = Tasks()
    got: list[tuple[bytes, Hop]] = []

    def ignore(message: Request | Response | SipParseError, hop: Hop) -> None: ...

    made = SipTransport(
        ManualClock(), tasks, on_datagram=lambda d, h: got.append((d, h)), on_message=ignore, on_failed=print
    )
    await made.start("127.0.0.1", 0)
    made.send(Outgoing(b"hello", Hop(Transport.UDP, "127.0.0.1", made.port)))
    await eventually(lambda: got)
    assert got == [(b"hello", Hop(Transport.UDP, "127.0.0.1", made.port))]
    assert made.local_host("127.0.0.1") == "127.0.0.1"
    with pytest.raises(OSError, match="in use"):
        await SipTransport(
            ManualClock(), tasks, on_datagram=lambda d, h: None, on_message=ignore, on_failed=print
        ).start("127.0.0.1", made.port)
    await made.stop()
    await tasks.close()


def test_tokens_are_words() -> None:
    entropy = SystemEntropy()
    tokens = {entropy.token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(token.isalnum() and len(token) >= 16 for token in tokens)
    assert 0 <= entropy.fraction() < 1
