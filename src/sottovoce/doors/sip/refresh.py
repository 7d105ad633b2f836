"""Session timers (RFC 4028): who refreshes, how often, and when the session is given up."""

from __future__ import annotations

from collections.abc import Callable

from sottovoce.doors.sip.headers import MalformedHeader, parse_params
from sottovoce.doors.sip.message import Request, Response
from sottovoce.doors.sip.timers import Timer, Timers
from sottovoce.plain import natural

OPTION = "timer"
MINIMUM = 90
"""RFC 4028 4: no interval is shorter."""
LONGEST = 86400


class SessionTimer:
    """The session timer of one session: what we propose and the shortest we take, in seconds.

    `refresh` is called when it is ours to send a re-INVITE or UPDATE; `expire` when the far side
    let the interval run out.
    """

    def __init__(
        self,
        timers: Timers,
        interval: int,
        minimum: int,
        refresh: Callable[[], None],
        expire: Callable[[], None],
    ) -> None:
        self.interval = interval
        self.minimum = minimum
        self.ours = False
        """Whether we refresh."""
        self.running = False
        self._timers = timers
        self._refresh = refresh
        self._expire = expire
        self._timer: Timer | None = None

    def for_request(self, *, first: bool) -> list[tuple[str, str]]:
        """Headers of an INVITE or UPDATE of ours. The first leaves it to the far side who refreshes."""
        if not self.interval or not (first or self.running):
            return []
        role = "" if first else f";refresher={'uac' if self.ours else 'uas'}"
        return [("Session-Expires", f"{self.interval}{role}"), ("Min-SE", str(self.minimum))]

    def answer(self, request: Request) -> list[tuple[str, str]]:
        """Headers of our 2xx to an INVITE or UPDATE; starts or restarts the timer (RFC 4028 9)."""
        asked = _expires(request)
        supported = OPTION in request.headers.tokens("Supported")
        if asked is None and not self.interval:
            self.stop()
            return []
        interval = asked[0] if asked is not None else self.interval
        interval = max(interval, _min_se(request), self.minimum)
        if not supported:
            self._start(interval, ours=True)
            return [("Session-Expires", f"{interval};refresher=uas")]
        role = (asked[1] if asked is not None else None) or "uas"
        self._start(interval, ours=role == "uas")
        return [("Session-Expires", f"{interval};refresher={role}"), ("Require", OPTION)]

    def settled(self, response: Response) -> None:
        """A 2xx came to our INVITE or UPDATE (RFC 4028 7.2). Without its header we go on refreshing alone."""
        said = _expires(response)
        if said is not None:
            self._start(max(said[0], MINIMUM), ours=said[1] != "uas")
        elif self.interval:
            self._start(self.interval, ours=True)

    def raised(self, response: Response) -> bool:
        """Take the Min-SE of a 422; whether asking again makes sense."""
        wanted = _min_se(response)
        if not self.interval or wanted <= self.interval or wanted > LONGEST:
            return False
        self.interval = self.minimum = wanted
        return True

    def again(self) -> None:
        """Our refresh was refused but the session goes on: try after another half interval."""
        if self.running and self.ours:
            self._start(self.interval, ours=True)

    def stop(self) -> None:
        """Neither refresh nor expire any more."""
        self.running = False
        if self._timer is not None:
            self._timer.cancel()

    def _start(self, interval: int, *, ours: bool) -> None:
        self.stop()
        self.interval, self.ours, self.running = interval, ours, True
        if ours:
            self._timer = self._timers.after(interval / 2, self._refresh)
        else:
            self._timer = self._timers.after(interval - min(32.0, interval / 3), self._expire)


def too_small(request: Request, minimum: int) -> bool:
    """Whether an INVITE or UPDATE asks for an interval below our minimum: 422 (RFC 4028 9)."""
    asked = _expires(request)
    return asked is not None and OPTION in request.headers.tokens("Supported") and asked[0] < minimum


def _expires(message: Request | Response) -> tuple[int, str | None] | None:
    """Session-Expires: seconds and refresher; None where it is missing or unreadable."""
    value = message.headers.get("Session-Expires")
    if value is None:
        return None
    number, semicolon, tail = value.partition(";")
    try:
        role = parse_params(semicolon + tail).get("refresher")
    except MalformedHeader:
        return None
    seconds = _seconds(number)
    role = role.lower() if role else None
    return None if seconds is None else (min(seconds, LONGEST), role if role in ("uac", "uas") else None)


def _min_se(message: Request | Response) -> int:
    return _seconds((message.headers.get("Min-SE") or "").partition(";")[0]) or 0


def _seconds(text: str) -> int | None:
    return natural(text.strip(), 9)
