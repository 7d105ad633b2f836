"""One session's offer/answer state (RFC 3264): whose offer is open, what was said last, which version."""

from __future__ import annotations

from dataclasses import replace

from sottovoce.domain.legs import LegAddress, LegDirection, RemoteMedia
from sottovoce.doors.sip import sdp
from sottovoce.doors.sip.sdp import SessionDescription

_SILENCED = {LegDirection.SENDRECV: LegDirection.SENDONLY, LegDirection.RECVONLY: LegDirection.INACTIVE}
"""What we do instead while we hold the far side."""


class Negotiation:
    """What both sides agreed on. `local` must be set before anything is offered or answered.

    Raises `sdp.SdpError` for what is no SDP and `sdp.UnsupportedMedia` for what cannot be taken;
    then nothing changed.
    """

    def __init__(self, session_id: int) -> None:
        self.local: LegAddress | None = None
        self.remote: RemoteMedia | None = None
        self.holding = False
        """Whether we hold the far side: it shall hear us, and not speak."""
        self.offer_open = False
        """Whether our offer waits for its answer."""
        self.signalling_host: str | None = None
        self.nat = False
        self.last = b""
        """What we said last."""
        self._session_id = session_id
        self._version = 0
        self._said: SessionDescription | None = None
        self._said_before: SessionDescription | None = None

    @staticmethod
    def check(body: bytes) -> None:
        """Raise what `answer` would raise, before there is an address of ours."""
        theirs, first = SessionDescription.parse(body), None
        for host in ("192.0.2.1", "2001:db8::1"):
            try:
                sdp.answer(theirs, LegAddress(host, 9), session_id=0, version=0)
            except sdp.UnsupportedMedia as error:
                first = first or error
            else:
                return
        if first is not None:
            raise first

    def offer(self) -> bytes:
        """Our offer; `take_answer` or `withdraw` must follow."""
        assert self.local is not None, "an offer needs an address"
        self._said_before = self._said
        direction = LegDirection.SENDONLY if self.holding else LegDirection.SENDRECV
        made = sdp.offer(
            self.local,
            session_id=self._session_id,
            version=self._version,
            direction=direction,
            previous=self._said,
        )
        self.offer_open = True
        return self._say(made)

    def take_answer(self, body: bytes) -> RemoteMedia:
        """Read the answer to our offer."""
        remote = self.preview(body)
        self.offer_open = False
        self.remote = remote
        return remote

    def preview(self, body: bytes) -> RemoteMedia:
        """Read an answer that may still change: early media in an unreliable response."""
        assert self.local is not None, "an answer needs an offer before it"
        return sdp.read_answer(
            SessionDescription.parse(body),
            self.local,
            offered=self._said,
            signalling_host=self.signalling_host,
            nat=self.nat,
        )

    def withdraw(self) -> None:
        """Our offer was refused: what was agreed before stands (RFC 3261 14.1)."""
        self.offer_open = False
        self._said = self._said_before or self._said

    def answer(self, body: bytes) -> bytes:
        """Our answer to their offer."""
        assert self.local is not None, "an answer needs an address"
        made, remote = sdp.answer(
            SessionDescription.parse(body),
            self.local,
            session_id=self._session_id,
            version=self._version,
            preference=(self.remote.codec,) if self.remote is not None else (),
            signalling_host=self.signalling_host,
            nat=self.nat,
        )
        if self.holding:
            for media in made.media:
                media.attributes = [
                    (_SILENCED.get(LegDirection(name), name), None)
                    if name in set(LegDirection)
                    else (name, value)
                    for name, value in media.attributes
                ]
        self.remote = remote
        return self._say(made)

    @property
    def held(self) -> bool:
        """Whether the far side holds us."""
        return self.remote is not None and sdp.is_hold(self.remote)

    def _say(self, made: SessionDescription) -> bytes:
        """Raise the version if anything changed since what was said last (RFC 3264 8)."""
        if self._said is None or replace(self._said, version=0) != replace(made, version=0):
            self._version += 1
        made.version = self._version
        self._said = made
        self.last = made.encode()
        return self.last
