"""All browsers' paths behind one UDP port: whose a datagram is, and what becomes of it. Owns no socket.

What a datagram is, its first byte says (RFC 7983). A check by its integrity proves where a browser is;
DTLS and audio are taken from there alone, and audio by its SRTP alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sottovoce.doors.browser import offers
from sottovoce.doors.browser.checks import Source, check
from sottovoce.doors.browser.control import Answered, PathConnected, PathEvent, PathId, PathLost
from sottovoce.doors.browser.offers import Offer, OfferRefused, Secrets
from sottovoce.doors.browser.secured import Identity, Secured
from sottovoce.doors.browser.streams import Continuous
from sottovoce.errors import Code, Refused

MOST_SOURCES = 8
"""Addresses that one browser may be at: it has a few, and takes one."""
_DTLS, _RTP = range(20, 64), range(128, 192)
_RTCP_KINDS = range(192, 224)
Send = Callable[[bytes, Source], None]


@dataclass(slots=True)
class Path:
    """One browser's."""

    id: PathId
    ours: Secrets
    theirs: Secrets
    secured: Secured
    out: Continuous
    opened_at: float
    checked_at: float
    source: Source | None = None
    """Where its audio goes: the newest address that it chose."""
    sources: list[Source] = field(default_factory=list)
    """All that proved themselves."""
    connected: bool = False
    to_leg: Callable[[bytes, bool], None] | None = None
    """Where its audio goes on to, RTCP if the second is true; None between calls."""


class Paths:
    """The paths of one process."""

    def __init__(
        self,
        identity: Identity,
        send: Send,
        tell: Callable[[PathEvent], None],
        *,
        most: int,
        bits: Callable[[int], int],
    ) -> None:
        """`bits` gives so many random ones, which nobody can guess."""
        self._identity, self._send, self._tell, self._most = identity, send, tell, most
        self._bits = bits
        self._by_id: dict[PathId, Path] = {}
        self._by_fragment: dict[str, Path] = {}
        self._by_source: dict[Source, Path] = {}
        self.received = self.sent = self.dropped = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Path]:
        return iter(list(self._by_id.values()))

    def find(self, path: PathId) -> Path:
        """NOT_FOUND for one that ended."""
        if path not in self._by_id:
            raise Refused(Code.NOT_FOUND, "no such path")
        return self._by_id[path]

    def open(self, path: PathId, sdp: str, addresses: list[Source], now: float) -> Answered:
        """Our answer to an offer. BAD_PARAMETER, MEDIA_EXHAUSTED."""
        if path in self._by_id:
            raise Refused(Code.BAD_PARAMETER, "the path is open already")
        if len(self._by_id) >= self._most:
            raise Refused(Code.MEDIA_EXHAUSTED, f"all {self._most} browsers' places are taken")
        try:
            offer: Offer = offers.read(sdp)
        except OfferRefused as refused:
            raise Refused(Code.BAD_PARAMETER, str(refused)) from None
        bits = self._bits
        ours = Secrets(f"{bits(32):08x}", f"{bits(128):032x}", self._identity.fingerprint)
        made = Path(
            path,
            ours,
            offer.secrets,
            Secured(self._identity, offer.secrets.fingerprint),
            Continuous(bits(32), bits(15), bits(32)),
            now,
            now,
        )
        self._by_id[path] = self._by_fragment[ours.fragment] = made
        sdp_ours = offers.answer(offer, ours, addresses, made.out.ssrc, bits(62))
        return Answered(sdp_ours, offer.dtmf_payload_type)

    def close(self, path: PathId) -> None:
        """End one, and say so to its browser."""
        ended = self._forget(path)
        if ended is not None and ended.source is not None:
            for datagram in ended.secured.close():
                self._send(datagram, ended.source)

    def _forget(self, path: PathId) -> Path | None:
        ended = self._by_id.pop(path, None)
        if ended is not None:
            del self._by_fragment[ended.ours.fragment]
            for source in ended.sources:
                self._leave(ended, source)
        return ended

    def _leave(self, path: Path, source: Source) -> None:
        """The path is there no more; a later one that proved itself there stays."""
        if self._by_source.get(source) is path:
            del self._by_source[source]

    def _lose(self, path: Path, why: str) -> None:
        self._forget(path.id)
        self._tell(PathLost(path.id, why))

    # Datagrams

    def take(self, datagram: bytes, source: Source, now: float) -> None:
        """What came from the outside."""
        first = datagram[0] if datagram else 255
        path = self._by_source.get(source)
        if first < 4:
            self._check(datagram, source, now)
        elif path is None:
            self.dropped += 1
        elif first in _RTP:
            self._hear(path, datagram)
        elif first in _DTLS:
            self._secure(path, path.secured.take(datagram), source)
        else:
            self.dropped += 1

    def _check(self, datagram: bytes, source: Source, now: float) -> None:
        passed = check(datagram, source, self._secrets)
        if passed is None:
            self.dropped += 1
            return
        path = self._by_fragment[passed.fragment]
        path.checked_at = now
        if source not in path.sources:
            if len(path.sources) >= MOST_SOURCES:
                oldest = next(one for one in path.sources if one != path.source)
                path.sources.remove(oldest)
                self._leave(path, oldest)
            path.sources.append(source)
        self._by_source[source] = path
        if passed.nominates or path.source is None:
            path.source = source
        self._send(passed.answer, source)

    def _secrets(self, fragment: str) -> tuple[Secrets, Secrets] | None:
        path = self._by_fragment.get(fragment)
        return (path.ours, path.theirs) if path is not None else None

    def _secure(self, path: Path, datagrams: list[bytes], source: Source) -> None:
        for datagram in datagrams:
            self._send(datagram, source)
        if path.secured.failed is not None:
            self._lose(path, path.secured.failed)
        elif path.secured.ready and not path.connected:
            path.connected = True
            self._tell(PathConnected(path.id))

    def _hear(self, path: Path, datagram: bytes) -> None:
        control = len(datagram) > 1 and datagram[1] in _RTCP_KINDS
        packet = path.secured.open_rtcp(datagram) if control else path.secured.open_rtp(datagram)
        if packet is not None and control:
            packet = path.out.rtcp_in(packet)
        if packet is None:
            self.dropped += 1
        elif path.to_leg is not None:
            self.received += 1
            path.to_leg(packet, control)

    def pass_on(self, path: Path, packet: bytes, *, control: bool, now: float) -> None:
        """A leg's audio, or its report, to the browser."""
        if not path.connected or path.source is None:
            return
        if control:
            report = path.out.rtcp_out(packet)
            sealed = path.secured.seal_rtcp(report) if report is not None else None
        else:
            plain = path.out.rtp(packet, now)
            sealed = path.secured.seal_rtp(plain) if plain is not None else None
        if sealed is not None:
            self.sent += 1
            self._send(sealed, path.source)

    def wake(self, now: float, *, half_open_s: float, consent_s: float) -> None:
        """Repeat what may be lost, and give up who is gone. To be called several times a second."""
        for path in self:
            if path.connected:
                if now - path.checked_at > consent_s:
                    self._lose(path, "the browser is silent")
            elif now - path.opened_at > half_open_s:
                self._lose(path, "the browser did not connect")
            elif path.source is not None:
                self._secure(path, path.secured.wake(), path.source)
