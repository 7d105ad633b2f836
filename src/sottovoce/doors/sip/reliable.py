"""What a session repeats until it is confirmed: a 2xx until its ACK, a reliable 1xx until its PRACK."""

from __future__ import annotations

from collections.abc import Callable

from sottovoce.doors.sip.message import Request
from sottovoce.doors.sip.timers import T1, T2, TIMEOUT, Timers
from sottovoce.plain import natural


class Repetition:
    """Bytes that are sent again from T1 on, each time twice as late, `longest` apart at most.

    `on_lost` is called once if nobody confirms within 64*T1 (RFC 3261 13.3.1.4, RFC 3262 3).
    """

    def __init__(
        self,
        timers: Timers,
        send: Callable[[], None],
        on_lost: Callable[[], None],
        *,
        longest: float = T2,
    ) -> None:
        self._timers = timers
        self._send = send
        self._on_lost = on_lost
        self._interval = T1
        self._longest = longest
        self._again = timers.after(T1, self._repeat)
        self._limit = timers.after(TIMEOUT, self._lost)

    @property
    def running(self) -> bool:
        """Whether it still waits to be confirmed."""
        return self._limit.running

    def confirm(self) -> None:
        """It arrived; nothing more is sent."""
        self._again.cancel()
        self._limit.cancel()

    def _repeat(self) -> None:
        self._send()
        self._interval = min(self._interval * 2, self._longest)
        self._again = self._timers.after(self._interval, self._repeat)

    def _lost(self) -> None:
        self.confirm()
        self._on_lost()


def confirmed_by(prack: Request) -> tuple[int, int] | None:
    """RSeq and CSeq number that a PRACK's RAck names (RFC 3262 7.2), None if unreadable."""
    words = (prack.headers.get("RAck") or "").split()
    if len(words) != 3 or words[2].upper() != "INVITE":
        return None
    rseq, cseq = (natural(word, 10) for word in words[:2])
    return None if rseq is None or cseq is None else (rseq, cseq)
