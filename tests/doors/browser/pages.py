"""The page's side of a path, in Python: offers, checks, says hello by DTLS, sends and hears audio."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from aioice import stun
from tests.doors.sip.network import eventually
from tests.media.tone_phones import TonePhone

from sottovoce.domain.directory import VdnId
from sottovoce.doors.browser.control import PathId
from sottovoce.doors.browser.door import BrowserDoor, PageEvent
from sottovoce.doors.browser.offers import Secrets
from sottovoce.doors.browser.secured import Identity, Secured, identity

Source = tuple[str, int]
HERE: Source = ("192.0.2.7", 40_000)
IDENTITY = identity()


def offer(secrets_: Secrets, *, changes: Callable[[str], str] = lambda sdp: sdp) -> str:
    """What Chromium offers, shortened."""
    lines = [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 126",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=ice-ufrag:{secrets_.fragment}",
        f"a=ice-pwd:{secrets_.password}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {secrets_.fingerprint}",
        "a=setup:actpass",
        "a=mid:0",
        "a=sendrecv",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:126 telephone-event/8000",
    ]
    return changes("\r\n".join(lines) + "\r\n")


def value(sdp: str, name: str) -> str:
    """The value of an a-line."""
    return next(line.partition(":")[2] for line in sdp.splitlines() if line.startswith(f"a={name}:"))


class Page:
    """One page. `send` takes what it sends; what comes for it is given to `take`."""

    def __init__(self, identity: Identity = IDENTITY) -> None:
        self.secrets = Secrets(secrets.token_hex(2), secrets.token_hex(12), identity.fingerprint)
        self.secured: Secured | None = None
        self.heard: list[bytes] = []
        self.reports: list[bytes] = []
        self.checked = 0
        self._identity = identity
        self._theirs: Secrets | None = None

    def offer(self) -> str:
        return offer(self.secrets)

    def answered(self, sdp: str) -> None:
        fingerprint = value(sdp, "fingerprint").removeprefix("sha-256 ")
        self._theirs = Secrets(value(sdp, "ice-ufrag"), value(sdp, "ice-pwd"), fingerprint)
        self.secured = Secured(self._identity, fingerprint, begins=True)

    def check(
        self, *, password: str | None = None, nominate: bool = True, fragment: str | None = None
    ) -> bytes:
        assert self._theirs is not None
        asked = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        asked.attributes["USERNAME"] = f"{fragment or self._theirs.fragment}:{self.secrets.fragment}"
        asked.attributes["PRIORITY"] = 1
        asked.attributes["ICE-CONTROLLING"] = 1
        if nominate:
            asked.attributes["USE-CANDIDATE"] = None
        asked.add_message_integrity((password or self._theirs.password).encode())
        return bytes(asked)

    def take(self, datagram: bytes) -> list[bytes]:
        """What is sent because of it."""
        assert self.secured is not None
        if datagram[0] < 4:
            said = stun.parse_message(datagram)
            assert self._theirs is not None
            assert said.check_message_integrity(self._theirs.password.encode())
            self.checked += 1
            return self.secured.take() if self.checked == 1 else []
        if datagram[0] < 64:
            return self.secured.take(datagram)
        if 192 <= datagram[1] < 224:
            report = self.secured.open_rtcp(datagram)
            assert report is not None
            self.reports.append(report)
        else:
            packet = self.secured.open_rtp(datagram)
            assert packet is not None
            self.heard.append(packet)
        return []


def rtp(sequence: int, *, ssrc: int = 7, timestamp: int = 0, payload: bytes = b"\xd5" * 160) -> bytes:
    """A packet of PCMU."""
    return (
        bytes([0x80, 0])
        + b"".join(
            number.to_bytes(size, "big") for number, size in ((sequence, 2), (timestamp, 4), (ssrc, 4))
        )
        + payload
    )


class PagePhone(TonePhone):
    """A page on a socket of its own, connected to a door, with a tone and ears."""

    def __init__(self, name: str, door: BrowserDoor) -> None:
        super().__init__(name)
        self.page = Page()
        self.told: list[PageEvent] = []
        self.path = PathId("")
        self._door = door
        self._at: Source = ("", 0)

    async def be_phone(self, vdn: VdnId, number: str, *, answers: bool) -> PagePhone:
        """Become that number's phone."""
        await self.listen()
        offered = self.page.offer()
        self.path, sdp = await self._door.connect(vdn, number, offered, self.told.append, answers=answers)
        self.page.answered(sdp)
        words = value(sdp, "candidate").split()
        self._at = ("127.0.0.1", int(words[5]))
        self.check()
        await eventually(lambda: self._door.is_phone(vdn, number))
        return self

    def check(self) -> None:
        """Say that it is there, as browsers do every few seconds."""
        self.transport.sendto(self.page.check(), self._at)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for further in self.page.take(data):
            self.transport.sendto(further, addr)
        while self.page.heard:
            super().datagram_received(self.page.heard.pop(0), addr)

    def speak(self) -> None:
        secured = self.page.secured
        if self.talks and secured is not None and not self.transport.is_closing():
            sealed = secured.seal_rtp(self.packet())
            if sealed is not None:
                self.transport.sendto(sealed, self._at)

    # tests.doors.lines_contract.FarPhone

    def close(self) -> None:
        """Close the page: the browser says so."""
        assert self.page.secured is not None
        for datagram in self.page.secured.close():
            self.transport.sendto(datagram, self._at)

    def lift(self) -> None:
        self._door.lift(self.path)

    def hang_up(self) -> None:
        self._door.put_down(self.path)

    async def free(self) -> None:
        await eventually(lambda: not self._door.busy(self.path))
