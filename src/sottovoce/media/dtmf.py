"""Keys pressed, as RFC 4733 telephone events: read from what a leg sends, written to what it gets.

Event packets of one key share the timestamp of its beginning; the last three say "end". Any of
them may be lost, doubled or out of order: a key is reported once, at its first end packet, at the
next key, or when no more packets come.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from sottovoce.domain.audio import FRAME, RATE, Samples
from sottovoce.errors import Code, Refused

DIGITS = "0123456789*#ABCD"
"""Digit by event code (RFC 4733 3.2)."""
QUIET_S = 0.12
"""An event without an end packet is over when nothing was heard of it for this long."""
STALE = 16000
"""A packet may come out of order by this many samples: 2 s."""
EVENT_TICKS = 5
"""100 ms."""
ENDS = 3
"""Packets that say "end" (RFC 4733 2.5.1.4)."""
PAUSE_TICKS = 3
"""Between the last end packet of a key and the next key; the keys are 100 ms apart then."""
MOST_QUEUED = 64
"""Digits waiting to be sent to one leg."""
VOLUME = 10
"""-dBm0 written into events."""
_SEGMENT = 0xFFFF
_LOWS = (697, 770, 852, 941)
_HIGHS = (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")


class KeyReader:
    """The events that one leg sends."""

    def __init__(self) -> None:
        self._digit: str | None = None
        self._stamp = 0
        self._duration = 0
        self._heard = 0.0
        self._reported: int | None = None

    def read(self, payload: bytes, timestamp: int, now: float) -> list[str]:
        """Take an event packet's payload; returns keys that are over now. Nonsense is passed over."""
        if len(payload) < 4 or payload[0] >= len(DIGITS):
            return []
        digit, ended = DIGITS[payload[0]], bool(payload[1] & 0x80)
        duration = int.from_bytes(payload[2:4], "big")
        if self._reported is not None and _stale(timestamp, self._reported):
            return []  # the rest of a key that was reported already
        over: list[str] = []
        if self._digit is not None and timestamp != self._stamp:
            if _stale(timestamp, self._stamp):
                return []
            # A key held for more than 8 s goes on in a segment of its own (RFC 4733 2.5.1.3).
            goes_on = (
                digit == self._digit and (timestamp - self._stamp) & 0xFFFFFFFF == self._duration >= _SEGMENT
            )
            if not goes_on:
                over.append(self._digit)
                self._reported = self._stamp
        self._digit, self._stamp, self._heard = digit, timestamp, now
        self._duration = duration
        if ended:
            over += self._finish()
        return over

    def quiet(self, now: float) -> list[str]:
        """The key whose end packets were all lost, once nothing more came."""
        if self._digit is None or now - self._heard < QUIET_S:
            return []
        return self._finish()

    @property
    def busy(self) -> bool:
        """Whether a key is down."""
        return self._digit is not None

    def _finish(self) -> list[str]:
        digit, self._digit = self._digit, None
        self._reported = self._stamp
        return [digit] if digit is not None else []


def _stale(timestamp: int, other: int) -> bool:
    """Whether a timestamp is that of `other` or shortly before; one long before is another clock's."""
    return (other - timestamp) & 0xFFFFFFFF < STALE


class KeySender:
    """The events to be sent to one leg, one packet a tick."""

    def __init__(self) -> None:
        self._queue: deque[str] = deque()
        self._tick = 0
        self._stamp = 0

    def add(self, digits: str) -> None:
        """Queue keys. BAD_PARAMETER."""
        checked(digits, len(self._queue))
        self._queue.extend(digits)

    def next(self, timestamp: int) -> tuple[bytes, int, bool] | None:
        """Payload, timestamp and marker of the packet of the tick at `timestamp`, or None for a pause."""
        if not self._queue:
            return None
        if self._tick == 0:
            self._stamp = timestamp
        at = self._tick
        self._tick += 1
        if self._tick == EVENT_TICKS + ENDS - 1 + PAUSE_TICKS:
            digit, self._tick = self._queue.popleft(), 0
        else:
            digit = self._queue[0]
        if at >= EVENT_TICKS + ENDS - 1:
            return None
        duration = FRAME * min(at + 1, EVENT_TICKS)
        last = at >= EVENT_TICKS - 1
        payload = bytes((DIGITS.index(digit), (0x80 if last else 0) | VOLUME)) + duration.to_bytes(2, "big")
        return payload, self._stamp, at == 0

    @property
    def done(self) -> bool:
        """Whether all keys are sent, pauses included."""
        return not self._queue


def checked(digits: str, queued: int = 0) -> str:
    """`digits` if they are keys and not too many. BAD_PARAMETER."""
    if not digits or any(digit not in DIGITS for digit in digits):
        raise Refused(Code.BAD_PARAMETER, "keys are 0-9, *, # and A-D")
    if queued + len(digits) > MOST_QUEUED:
        raise Refused(Code.BAD_PARAMETER, f"more than {MOST_QUEUED} keys are waiting")
    return digits


def tones(digits: str) -> Samples:
    """The keys as sound, 100 ms each with 100 ms between, for a far side that has no telephone events."""
    moment = np.arange(RATE // 10) / RATE
    pieces = []
    for digit in checked(digits):
        row = next(index for index, keys in enumerate(_KEYS) if digit in keys)
        low, high = _LOWS[row], _HIGHS[_KEYS[row].index(digit)]
        wave = 5000.0 * np.sin(2.0 * np.pi * low * moment) + 6000.0 * np.sin(2.0 * np.pi * high * moment)
        pieces += [np.rint(wave).astype(np.int16), np.zeros(800, np.int16)]
    return np.concatenate(pieces)
