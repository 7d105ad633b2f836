"""The RTCP of all slots: reports due, and the round trip and loss that the far sides report."""

from __future__ import annotations

import numpy as np

from sottovoce.media import rtcp
from sottovoce.media.jitter import JitterBank
from sottovoce.media.outgoing import Senders

INTERVAL_S = 5.0
"""Between two reports of a slot: RFC 3550 6.2's least, for two parties never too often."""
PER_TICK = 64
"""Reports built in one tick at most; the others wait for the next."""


class Reports:
    """When each slot reports, and what its far side reported.

    `wall_s` is added to `now` for NTP times.
    """

    def __init__(self, capacity: int, senders: Senders, buffers: JitterBank, wall_s: float) -> None:
        self._senders = senders
        self._buffers = buffers
        self._wall = wall_s
        self._due = np.full(capacity, np.inf)
        self._quoted = np.zeros(capacity, np.int64)
        self._quoted_at = np.zeros(capacity)
        self._expected = np.zeros(capacity, np.int64)
        self._lost = np.zeros(capacity, np.int64)
        self._packets = np.zeros(capacity, np.int64)
        self._round_trip: dict[int, float] = {}
        self._remote_lost: dict[int, float] = {}

    def reset(self, slot: int) -> None:
        """Zero a slot; it reports no more."""
        self._due[slot] = np.inf
        for held in (self._quoted, self._quoted_at, self._expected, self._lost, self._packets):
            held[slot] = 0
        self._round_trip.pop(slot, None)
        self._remote_lost.pop(slot, None)

    def begin(self, slot: int, now: float) -> None:
        """The far side is known: the first report comes after half an interval, spread over the slots."""
        if np.isinf(self._due[slot]):
            self._due[slot] = now + INTERVAL_S * (0.5 + slot % 16 / 32)

    def round_trip_ms(self, slot: int) -> float | None:
        """By the far side's last report."""
        return self._round_trip.get(slot)

    def remote_lost_fraction(self, slot: int) -> float | None:
        """What the far side lost of what it was sent between its last two reports, 0-1."""
        return self._remote_lost.get(slot)

    def receive(self, slot: int, data: bytes, now: float) -> None:
        """Take a compound packet. RtcpError."""
        for report in rtcp.parse(data):
            if report.sender is not None:
                self._quoted[slot] = rtcp.middle(report.sender.ntp)
                self._quoted_at[slot] = now
            for block in report.blocks:
                if block.ssrc != self._senders.ssrc[slot]:
                    continue
                self._remote_lost[slot] = block.fraction_lost / 256
                round_trip = rtcp.round_trip_s(block, rtcp.ntp(self._wall + now))
                if round_trip is not None:
                    self._round_trip[slot] = round_trip * 1000.0

    def due(self, now: float) -> list[tuple[int, bytes]]:
        """The reports to be sent now."""
        who = np.flatnonzero(self._due <= now)[:PER_TICK]
        if not who.size:
            return []
        self._due[who] = now + INTERVAL_S
        lost = self._buffers.lost()
        return [(slot, self._report(slot, int(lost[slot]), now)) for slot in who.tolist()]

    def _report(self, slot: int, lost: int, now: float) -> bytes:
        senders, buffers = self._senders, self._buffers
        ssrc = int(senders.ssrc[slot])
        packets = int(senders.packets[slot])
        sender = None
        if packets > self._packets[slot]:
            sender = rtcp.SenderInfo(
                rtcp.ntp(self._wall + now), int(senders.timestamp[slot]), packets, int(senders.octets[slot])
            )
        self._packets[slot] = packets
        blocks: tuple[rtcp.ReportBlock, ...] = ()
        if buffers.synced[slot]:
            expected = int(buffers.received[slot]) + lost
            newly, missing = expected - int(self._expected[slot]), lost - int(self._lost[slot])
            fraction = min(max(256 * missing // newly, 0), 255) if newly > 0 else 0
            self._expected[slot], self._lost[slot] = expected, lost
            delay = 0
            if self._quoted[slot]:
                delay = int((now - self._quoted_at[slot]) * 65536)
            blocks = (
                rtcp.ReportBlock(
                    int(buffers.ssrc[slot]),
                    fraction,
                    lost,
                    int(buffers.highest[slot]),
                    int(buffers.jitter[slot]),
                    int(self._quoted[slot]),
                    delay,
                ),
            )
        return rtcp.build(ssrc, b"%08x" % ssrc, sender, blocks)
