"""One RTP stream over real UDP: a source out at a real 20 ms pace, an ear in."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sottovoce.clock import Clock, SystemClock
from sottovoce.domain.audio import FRAME, FRAME_S, RATE
from sottovoce.domain.legs import LegAddress, RemoteMedia
from sottovoce.media import codecs, rtp
from sottovoce.media.dtmf import DIGITS, KeySender
from sottovoce.phones import tones
from sottovoce.phones.ear import Ear
from sottovoce.phones.sources import Quiet, Source
from sottovoce.phones.tones import Hearing, Samples

SENT_KEPT_S = 4
"""How much of what was said is kept for the meters."""
_BEHIND = 5
"""Frames that are sent at once after a stall; more are skipped, as a phone's sound card would."""


@dataclass(frozen=True, slots=True)
class Second:
    """One second of what a phone heard."""

    hearing: Hearing
    packets: int
    """Audio packets that make it up; 50 when nothing was lost."""
    level_dbov: float
    residue_dbov: float
    """What is not one of the tones."""

    @property
    def steady(self) -> bool:
        """Whether the second is an undisturbed mixture of tones; only such a one is compared with another."""
        return self.residue_dbov < tones.STEADY_BELOW_DBOV


def nothing_heard(among: Sequence[int] = tones.TONES) -> Second:
    """The second of one who is in no call."""
    levels = Hearing(dict.fromkeys(among, tones.SILENCE_DBOV))
    return Second(levels, 0, tones.SILENCE_DBOV, tones.SILENCE_DBOV)


class PhoneMedia:
    """RTP and RTCP sockets of one call of a phone.

    `source` is what it says and may be changed at any time. Nothing is sent before `set_remote`,
    nor while the far side's direction forbids it or `muted` is set.
    """

    def __init__(self, source: Source | None = None, *, clock: Clock | None = None) -> None:
        self.source: Source = source or Quiet()
        self._clock = clock or SystemClock()
        self.ear = Ear()
        self.holding = False
        """While the phone holds the far side it sends digital silence."""
        self.muted = False
        """A muted phone sends nothing at all (a dead microphone, not silence)."""
        self.sent = 0
        self._arrived = asyncio.Event()
        self._remote: RemoteMedia | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._rtcp: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(16)
        self._timestamp = secrets.randbits(32)
        self._said: deque[Samples] = deque(maxlen=SENT_KEPT_S * RATE // FRAME)
        self._keys = KeySender()

    async def open(self, host: str) -> LegAddress:
        """Bind an even port for RTP and the next for RTCP; OSError if there is none."""
        loop = asyncio.get_running_loop()
        for _ in range(50):
            transport, _protocol = await loop.create_datagram_endpoint(
                lambda: _Packets(self), local_addr=(host, 0)
            )
            port = int(transport.get_extra_info("sockname")[1])
            try:
                if port % 2:
                    raise OSError("RTP wants an even port (RFC 3550 11)")
                self._rtcp, _ = await loop.create_datagram_endpoint(
                    asyncio.DatagramProtocol, local_addr=(host, port + 1)
                )
            except OSError:
                transport.close()
                continue
            self._transport = transport
            self._due = loop.time()
            self._timer = loop.call_at(self._due, self._tick)
            return LegAddress(host, port)
        raise OSError("no pair of free ports")

    def set_remote(self, remote: RemoteMedia) -> None:
        """Where to send from now on, in which codec (again after a re-INVITE)."""
        self._remote = remote
        self.ear.dtmf_payload_type = remote.dtmf_payload_type

    async def close(self) -> None:
        """Stop sending and close the sockets."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for transport in (self._transport, self._rtcp):
            if transport is not None:
                transport.close()
        self._transport = self._rtcp = None
        await asyncio.sleep(0)

    def press(self, digits: str) -> None:
        """Send RFC 4733 events, 100 ms each with 100 ms between; ValueError for another sign.

        Refused if more than 64 wait. Ignored while the far side takes none.
        """
        for digit in digits:
            if digit.upper() not in DIGITS:
                raise ValueError(f"no key for {digit!r}")
            self._keys.add(digit.upper())

    async def hear(
        self, *, settle_s: float = 0.0, patience_s: float = 0.0, among: Sequence[int] = tones.TONES
    ) -> Second:
        """Wait `settle_s`, listen for one second, and say which tones were in it.

        While it is disturbed (`Second.steady`) the window moves on, by frames and for `patience_s` at
        most; the least disturbed one is returned. Where packets stop coming the rest is silence.
        """
        if settle_s:
            await asyncio.sleep(settle_s)
        start, last = self.ear.end, self.ear.end + round(patience_s * RATE)
        best: Second | None = None
        while await self._filled(start + tones.WINDOW):
            second = self.second(start, among=among)
            if best is None or second.residue_dbov < best.residue_dbov:
                best = second
            start += FRAME
            if second.steady or start > last:
                return best
        return best or self.second(start, among=among)

    async def _filled(self, position: int) -> bool:
        """Wait until what is heard reaches `position`; False if it stops coming."""
        try:
            async with asyncio.timeout(1.5):
                while self.ear.end < position:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    def second(self, start: int, *, among: Sequence[int] = tones.TONES) -> Second:
        """What was heard in the second from timeline position `start`."""
        samples = self.ear.window(start)
        inside = [entry for entry in self.ear.arrivals if start <= entry.position < start + tones.WINDOW]
        return Second(
            tones.levels(samples, among),
            len(inside),
            tones.rms_level(samples),
            tones.residue(samples, among),
        )

    def said(self, samples: int) -> Samples:
        """The last `samples` samples that were sent, silence before the beginning."""
        whole = np.concatenate([np.zeros(samples, dtype=np.int16), *self._said])
        return whole[whole.size - samples :]

    def received(self, packet: bytes) -> None:
        """A datagram came; called by the socket."""
        self.ear.accept(packet, self._clock.monotonic())
        self._arrived.set()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        behind = int((now - self._due) / FRAME_S) + 1
        if behind > _BEHIND:
            self._timestamp = (self._timestamp + (behind - _BEHIND) * FRAME) % 2**32
            self._due += (behind - _BEHIND) * FRAME_S
            behind = _BEHIND
        for _ in range(behind):
            self._send_frame()
        self._due += behind * FRAME_S
        self._timer = loop.call_at(self._due, self._tick)

    def _send_frame(self) -> None:
        remote = self._remote
        if remote is None or self._transport is None:
            return
        samples = np.zeros(FRAME, dtype=np.int16) if self.holding else self.source.frame()
        silent = self.muted or remote.direction.value in ("sendonly", "inactive")
        self._said.append(np.zeros(FRAME, dtype=np.int16) if silent else samples)
        if not silent:
            kind = remote.dtmf_payload_type
            key = self._keys.next(self._timestamp) if kind is not None else None
            if kind is not None and key is not None:
                payload, began, _ = key
                self._send(payload, kind, began, remote)
            else:
                payload = codecs.encode(samples, remote.codec).tobytes()
                self._send(payload, remote.codec.value, self._timestamp, remote)
        self._timestamp = (self._timestamp + FRAME) % 2**32

    def _send(self, payload: bytes, payload_type: int, timestamp: int, remote: RemoteMedia) -> None:
        packet = rtp.packet(payload_type, self._sequence, timestamp, self._ssrc, payload)
        self._sequence = (self._sequence + 1) % 2**16
        self.sent += 1
        assert self._transport is not None
        self._transport.sendto(packet, (remote.host, remote.port))


class _Packets(asyncio.DatagramProtocol):
    def __init__(self, media: PhoneMedia) -> None:
        self._media = media

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._media.received(data)
