"""SIP written by hand and sent from any loopback address: nothing here checks what it sends."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

from tests.e2e.served import LOOPBACK, Served

_numbers = itertools.count(1)

OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 {host}",
        "s=-",
        "c=IN IP4 {host}",
        "t=0 0",
        "m=audio 40000 RTP/AVP {formats}",
        "",
    ]
)


def offer(host: str, formats: str = "0 8") -> str:
    """A session description with one audio line of these payload types."""
    return OFFER.format(host=host, formats=formats)


def message(
    method: str,
    uri: str,
    host: str,
    port: int,
    *,
    call_id: str | None = None,
    sender: str = "<sip:stranger@strange.example>",
    from_tag: str | None = "intruder",
    to: str | None = None,
    to_tag: str | None = None,
    number: int = 1,
    branch: str | None = None,
    transport: str = "UDP",
    extra: Sequence[str] = (),
    body: str | bytes = "",
    length: int | str | None = None,
) -> bytes:
    """A request as a sender at `host`:`port` would write it; `length` is what it says its body has."""
    content = body.encode() if isinstance(body, str) else body
    serial = next(_numbers)
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/{transport} {host}:{port};branch={branch or f'z9hG4bKbad{serial}'};rport",
        "Max-Forwards: 70",
        f"From: {sender}" + (f";tag={from_tag}" if from_tag else ""),
        f"To: {to or f'<{uri}>'}" + (f";tag={to_tag}" if to_tag else ""),
        f"Call-ID: {call_id or f'bad-{serial}@{host}'}",
        f"CSeq: {number} {method}",
        f"Contact: <sip:stranger@{host}:{port}>",
        *(["Content-Type: application/sdp"] if content else []),
        *extra,
        f"Content-Length: {len(content) if length is None else length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


def status_of(answer: bytes) -> int:
    """The status of a response, 0 for anything else."""
    found = re.match(rb"SIP/2\.0 ([0-9]{3}) ", answer)
    return int(found[1]) if found else 0


def header_of(answer: bytes, name: str) -> str:
    """A header of a message, "" if it has none."""
    found = re.search(rf"^{name}: (.*?)\r$".encode(), answer, re.IGNORECASE | re.MULTILINE)
    return found[1].decode() if found else ""


class Intruder(asyncio.DatagramProtocol):
    """A UDP socket on a loopback address of its own, talking to the server's SIP port."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.port = 0
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = int(transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.heard.put_nowait(data)

    def throw(self, data: bytes) -> None:
        self._transport.sendto(data)

    def request(self, method: str, uri: str, **how: object) -> bytes:
        """A `message` from here."""
        return message(method, uri, self.host, self.port, **how)  # type: ignore[arg-type]

    async def ask(self, data: bytes) -> bytes:
        """Send a request; its final response, retransmissions and provisional ones dropped."""
        branch = re.search(rb"branch=([^;\r]+)", data)
        assert branch is not None
        self.throw(data)
        while True:
            answer = await asyncio.wait_for(self.heard.get(), 10)
            if branch[1] in answer and status_of(answer) >= 200:
                return answer

    async def count(self, quiet_s: float = 0.3) -> list[int]:
        """The statuses of all that came, once nothing more comes."""
        found = []
        while True:
            try:
                found.append(status_of(await asyncio.wait_for(self.heard.get(), quiet_s)))
            except TimeoutError:
                return found


@asynccontextmanager
async def intruder(served: Served, host: str) -> AsyncIterator[Intruder]:
    """An intruder at 127.0.0.x."""
    loop = asyncio.get_running_loop()
    transport, made = await loop.create_datagram_endpoint(
        lambda: Intruder(host), local_addr=(host, 0), remote_addr=(LOOPBACK, served.sip_port)
    )
    try:
        yield made
    finally:
        transport.close()


async def stream(served: Served, host: str, *pieces: bytes, answers: int = 0) -> bytes:
    """Send pieces over one TCP connection from `host`; what came until `answers` messages or the end."""
    reader, writer = await asyncio.open_connection(LOOPBACK, served.sip_port, local_addr=(host, 0))
    heard = b""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if not answers:
            writer.write_eof()
        while not answers or heard.count(b"\r\n\r\n") < answers:
            piece = await asyncio.wait_for(reader.read(65536), 10)
            if not piece:
                break
            heard += piece
    except OSError:
        pass
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    return heard
