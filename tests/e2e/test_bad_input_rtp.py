"""RTP and RTCP that no honest phone sends, at the ports of a supervised call's own legs.

Forged audio is a tone that nobody else sends, as loud as the true ones: one that is let in is heard.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from tests.e2e.served import LOOPBACK, OUTSIDE
from tests.e2e.under_attack import AGENT, CUSTOMER, INTRUDER, Standing

from sottovoce.domain.legs import Codec
from sottovoce.media import codecs
from sottovoce.phones import tones
from sottovoce.phones.phone import PhoneCall

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

FRAME = 160
STRANGE = "127.0.0.21"
FORGED = [
    codecs.encode(tones.tone(INTRUDER, FRAME, start=FRAME * number), Codec.PCMU).tobytes()
    for number in range(50)
]
"""A second of the intruder's tone: its frames join, and so do its end and its beginning."""


def leg_of(call: PhoneCall) -> tuple[str, int]:
    """Where the server receives that call's RTP."""
    assert call.session is not None
    assert call.session.remote is not None
    return call.session.remote.host, call.session.remote.port


def ssrc_of(call: PhoneCall) -> int:
    """The SSRC that the phone sends: what an intruder would have to have overheard."""
    return call.media._ssrc


def packet(
    sequence: int, ssrc: int, *, kind: int = 0, first: int = 0x80, payload: bytes | None = None
) -> bytes:
    """An RTP packet of the forged stream, or one that differs from it as told."""
    timestamp = (sequence * FRAME) % 2**32
    head = struct.pack("!BBHII", first, kind, sequence % 2**16, timestamp, ssrc % 2**32)
    return head + (FORGED[sequence % len(FORGED)] if payload is None else payload)


@contextmanager
def sender(host: str) -> Iterator[socket.socket]:
    """A UDP socket on a port of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind((host, 0))
        yield made


def throw_as(call: PhoneCall, data: bytes, *, rtcp: bool = False) -> None:
    """Send from the phone's own socket: what a forged source address looks like to the server."""
    transport = call.media._rtcp if rtcp else call.media._transport
    assert transport is not None
    host, port = leg_of(call)
    transport.sendto(data, (host, port + rtcp))


async def test_streams_of_strangers(attacked: Standing) -> None:
    for host in (STRANGE, LOOPBACK, OUTSIDE):
        with sender(host) as stranger:
            for call in attacked.calls.values():
                for ssrc in (7, ssrc_of(call)):
                    for sequence in range(100):
                        stranger.sendto(packet(sequence, ssrc), leg_of(call))
                        if sequence % 20 == 0:
                            await asyncio.sleep(0.005)
    await attacked.unharmed()


async def test_packets_that_lie_about_themselves(attacked: Standing) -> None:
    chance = random.Random(3)

    def lies(ssrc: int) -> Iterator[bytes]:
        for length in range(14):
            yield b"\x80" * length
        for _ in range(100):
            yield chance.randbytes(chance.randrange(1, 1400))
        for first in (0x00, 0x40, 0xC0, 0x8F, 0x90, 0xA0, 0xBF, 0x9F):  # version, CSRCs, extension, padding
            yield packet(1, ssrc, first=first, payload=b"")
            yield packet(1, ssrc, first=first, payload=b"\xff" * 4)
            yield packet(1, ssrc, first=first, payload=b"\xff" * 160)
        for kind in (1, 3, 9, 13, 18, 34, 72, 76, 96, 101, 127, 200, 255):
            yield packet(1, ssrc, kind=kind)
            yield packet(1, ssrc, kind=kind, payload=b"\xff" * 2)
        for size in (0, 1, 7, 481, 1400, 9000, 60_000):
            yield packet(1, ssrc, payload=b"\x00" * size)

    with sender(STRANGE) as stranger:
        for call in attacked.calls.values():
            for lie in lies(chance.getrandbits(32)):
                stranger.sendto(lie, leg_of(call))
                throw_as(call, lie)
                await asyncio.sleep(0)
    await attacked.unharmed()


async def test_another_source_under_the_phones_address(attacked: Standing) -> None:
    """Its address forged, but not its SSRC: while the phone is heard, the other stream is not."""
    for sequence in range(60):
        for call in attacked.calls.values():
            throw_as(call, packet(sequence, 7))
        await asyncio.sleep(0.01)
    await attacked.unharmed()


async def test_keys_that_nobody_pressed(attacked: Standing) -> None:
    with sender(STRANGE) as stranger:
        for call in attacked.calls.values():
            for sequence in range(20):
                event = struct.pack("!BBH", chance_key(sequence), 0x8A, 800)
                stranger.sendto(packet(sequence, ssrc_of(call), kind=101, payload=event), leg_of(call))
                throw_as(call, packet(sequence, 7, kind=101, payload=event))
                throw_as(call, packet(sequence, 7, kind=101, payload=event[: sequence % 4]))
    await attacked.unharmed()
    for call in attacked.calls.values():
        assert not call.media.ear.digits, "no key reaches anybody"


def chance_key(number: int) -> int:
    """An event number, most of them no key at all."""
    return (number * 37) % 256


def report(ssrc: int, kind: int, body: bytes) -> bytes:
    """One RTCP packet; its length is right."""
    whole = struct.pack("!I", ssrc) + body
    return struct.pack("!BBH", 0x81, kind, len(whole) // 4) + whole


async def test_rtcp_that_ends_nothing(attacked: Standing) -> None:
    chance = random.Random(4)
    for call in attacked.calls.values():
        ssrc = ssrc_of(call)
        block = struct.pack("!IIIIII", ssrc, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        empty = b"\x80\xc9\x00\x01" + struct.pack("!I", ssrc)
        bye = b"\x81\xcb\x00\x01" + struct.pack("!I", ssrc)
        forged = [
            bye,
            empty + bye,
            report(ssrc, 200, b"\xff" * 20 + block),
            report(ssrc, 201, block),
            report(ssrc, 201, block) + bye,
            report(ssrc, 202, b"\x01\xff" + b"x" * 6),
            report(ssrc, 204, b"\xff" * 400),
            b"\x9f\xc9\x00\x01" + struct.pack("!I", ssrc),
            b"\x80\xc9\xff\xff" + struct.pack("!I", ssrc),
            b"\xa0\xc9\x00\x01" + b"\xff" * 4,
            empty * 180,
            *(chance.randbytes(chance.randrange(0, 1600)) for _ in range(60)),
        ]
        host, port = leg_of(call)
        with sender(STRANGE) as stranger, sender(LOOPBACK) as neighbour:
            for data in forged:
                stranger.sendto(data, (host, port + 1))
                neighbour.sendto(data, (host, port + 1))
                neighbour.sendto(data, (host, port))
                throw_as(call, data, rtcp=True)
                throw_as(call, data)
            await asyncio.sleep(0)
    await attacked.unharmed()


async def test_floods(attacked: Standing) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (100, 172), dtype=np.uint8)
    junk = [row.tobytes() for row in noise]
    for hosts in ((STRANGE, "127.0.0.22"), (LOOPBACK, OUTSIDE)):
        for target in (CUSTOMER, AGENT):
            with sender(hosts[0]) as one, sender(hosts[1]) as two:
                for number in range(2000):
                    one.sendto(packet(number, 7), leg_of(attacked.calls[target]))
                    two.sendto(junk[number % len(junk)], leg_of(attacked.calls[target]))
                    if number % 25 == 0:
                        await asyncio.sleep(0.002)  # the phones of this test need their turn
    for number in range(200):  # a new source for each packet
        with sender(f"127.0.1.{number + 1}") as passing:
            passing.sendto(packet(number, 7), leg_of(attacked.calls[CUSTOMER]))
    await attacked.unharmed()
