"""Changes of bytes, drawn from a seeded generator: the same seed makes the same inputs."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

MOST = 65_535
"""Bytes of an input at most: a UDP datagram's."""
NUMBER = re.compile(rb"[0-9]+")
EDGES = [
    b"0",
    b"-1",
    b"00",
    b"255",
    b"256",
    b"65535",
    b"65536",
    b"2147483648",
    b"4294967296",
    b"9" * 20,
    b"9" * 400,
]
SPICE = [
    *(b"\r\n", b"\r\n ", b"\r\n\r\n", b"\n", b"\x00", b"\xff", b"\xc3", b"\xe2\x80\xae", b"\xed\xa0\x80"),
    *(b'"', b"\\", b"<", b">", b";", b",", b":", b"@", b"%", b"%00", b"%ff", b"=", b" ", b"&", b"[", b"{"),
    *(
        b"\t" * 50,
        b"(" * 50,
        b"[" * 2000,
        b'{"a":' * 1000,
        b"z9hG4bK",
        b"SIP/2.0",
        b" HTTP/1.1",
        b"null",
        b"1e999",
    ),
    *(b"\r\nContent-Length: 99999", b"\r\nTransfer-Encoding: chunked", b"\r\nVia: ", b"\r\nContact: *"),
]


def mutants(corpus: Sequence[bytes], seed: int | str) -> Iterator[bytes]:
    """Endless inputs made of a corpus' entries; some as they are."""
    draw = random.Random(seed)
    while True:
        data = bytearray(draw.choice(corpus))
        for _ in range(draw.choice((0, 1, 1, 1, 2, 2, 3, 5, 8))):
            _change(data, draw, corpus)
        yield bytes(data[:MOST])


def _change(data: bytearray, draw: random.Random, corpus: Sequence[bytes]) -> None:
    size = len(data)
    at = draw.randrange(size + 1)
    to = min(size, at + draw.choice((1, 2, 4, 12, 60)))
    match draw.randrange(10):
        case 0 if size:
            data[min(at, size - 1)] ^= 1 << draw.randrange(8)
        case 1 if size:
            data[min(at, size - 1)] = draw.randrange(256)
        case 2:
            data[at:at] = draw.randbytes(draw.randrange(1, 9))
        case 3:
            del data[at:to]
        case 4:
            data[at:at] = data[at:to]
        case 5:
            data[at:at] = bytes(data[at:to]) * draw.choice((2, 8, 64))
        case 6:
            other = draw.choice(corpus)
            cut = draw.randrange(len(other) + 1)
            data[at:] = other[cut:]
        case 7:
            numbers = list(NUMBER.finditer(data))
            if numbers:
                found = draw.choice(numbers)
                data[found.start() : found.end()] = draw.choice(EDGES)
        case 8:
            del data[at:]
        case _:
            data[at:to] = draw.choice(SPICE)
