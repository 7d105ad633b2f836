"""RFC 4475's messages and a fuzzer's, sent to a real door: fitting answers, and it goes on serving."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from tests.doors.sip.peers.harness import HOST, Switch, switch

from sottovoce.doors.sip.hops import Transport
from sottovoce.doors.sip.message import Response, StreamFramer, parse

MESSAGES = Path(__file__).parent.parent / "torture"

# What the transaction user owes (RFC 4475 3.3 and 3.4), beside what the parser refuses.
OWED = {
    "bext01": 420,
    "invut": 415,
    "regaut01": 401,
    "zeromf": 200,
    "mpart01": 405,
    "esc02": 501,
    "unkscm": 416,
    "novelsc": 416,
    "badvers": 505,
    "insuf": 400,
    "badbranch": 400,
    "multi01": 400,
    "mcl01": 400,
    "mismatch01": 400,
    "quotbal": 400,
    "clerr": 400,
    "lwsdisp": 200,
    "semiuri": 200,
}

PING = (
    "OPTIONS sip:{host} SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:9;rport;branch=z9hG4bK{word}\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: {word}\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


class Datagrams(asyncio.DatagramProtocol):
    """What comes back over UDP."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.got.put_nowait(data)


async def answers_until_pong(line: Switch, data: list[bytes], word: str) -> list[Response]:
    """Send these, then an OPTIONS, over UDP; everything answered until that one's answer came."""
    loop = asyncio.get_running_loop()
    wire, heard = await loop.create_datagram_endpoint(Datagrams, remote_addr=(HOST, line.port(Transport.UDP)))
    found: list[Response] = []
    try:
        for each in data:
            # Where the message names somebody else, ask for the answer to come here (RFC 3581).
            wire.sendto(each)
        wire.sendto(PING.format(host=HOST, transport="UDP", word=word).encode())
        async with asyncio.timeout(10):
            while True:
                message = parse_answer(await heard.got.get())
                if message is not None and message.call_id == word:
                    return found
                if message is not None:
                    found.append(message)
    finally:
        wire.close()


def parse_answer(data: bytes) -> Response | None:
    """An answer; one that copies broken headers is read by its first line."""
    status = int(data[8:11])
    try:
        message = parse(data)
    except Exception:
        return Response(status)
    assert isinstance(message, Response)
    return message


def rport_asked(data: bytes) -> bytes:
    """The message with rport in its first Via, so that its answer comes back to us."""
    for mark in (b"branch=", b"Branch="):
        at = data.find(mark)
        if at > 0:
            return data[:at] + b"rport;" + data[at:]
    return data


@pytest.mark.parametrize(("name", "status"), OWED.items())
async def test_what_the_rfc_says_is_owed(name: str, status: int) -> None:
    async with switch() as line:
        data = rport_asked((MESSAGES / f"{name}.sip").read_bytes())
        answers = await answers_until_pong(line, [data], "pong1")
        finals = [answer.status for answer in answers if answer.status >= 200]
        assert finals[:1] == [status]


async def test_all_of_them_at_once_leave_the_door_serving() -> None:
    async with switch() as line:
        messages = [path.read_bytes() for path in sorted(MESSAGES.glob("*.sip"))]
        await answers_until_pong(line, messages, "pong2")
        for leg in line.legs:
            line.door.hang_up(leg)
        await line.all_gone()


async def test_garbage_leaves_the_door_serving() -> None:
    chance = random.Random(4475)
    seeds = [path.read_bytes() for path in sorted(MESSAGES.glob("*.sip"))]
    async with switch() as line:
        for round_ in range(10):
            batch = []
            for _ in range(20):
                data = bytearray(chance.choice(seeds))
                for _ in range(chance.randrange(1, 5)):
                    at = chance.randrange(len(data))
                    data[at : at + chance.randrange(8)] = chance.randbytes(chance.randrange(4))
                batch.append(bytes(data))
            await answers_until_pong(line, batch, f"pong-{round_}")
        for leg in line.legs:
            line.door.hang_up(leg)
        await line.all_gone()


async def test_a_broken_stream_is_closed_and_others_go_on() -> None:
    async with switch() as line:
        port = line.port(Transport.TCP)
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"INVITE sip:x@y SIP/2.0\r\nContent-Length: -5\r\n\r\n")
        async with asyncio.timeout(10):
            await reader.read()
        writer.close()
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"\r\n\r\n" + PING.format(host=HOST, transport="TCP", word="pong3").encode())
        framer = StreamFramer()
        async with asyncio.timeout(10):
            while not (found := framer.feed(await reader.read(4096))):
                pass
        assert isinstance(found[0], Response)
        assert found[0].status == 200
        assert framer.pings == 0
        writer.close()
        await writer.wait_closed()
