"""How much one source may ask, in bounded memory (design decision 19). Pure: the time is handed in."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto

FAILURE_WINDOW = 60.0
BLOCKED_FOR = 300.0


class LimitVerdict(Enum):
    """What becomes of a request."""

    ADMIT = auto()
    REFUSE = auto()
    """503 with Retry-After."""
    DROP = auto()
    """No answer: it would only feed the flood."""


@dataclass(slots=True)
class _Source:
    tokens: float
    seen: float
    failures: int = 0
    failing_since: float = 0.0
    blocked_until: float = 0.0


class SourceLimits:
    """A token bucket per source host, and a block after many wrong passwords.

    Beyond the bucket a source is refused while it asks up to twice its rate, and then not answered at all.
    Of more than `capacity` sources the ones not heard of longest are forgotten.
    """

    def __init__(self, rate: float, burst: int, *, failures: int = 10, capacity: int = 10_000) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._failures = failures
        self._capacity = capacity
        self._sources: OrderedDict[str, _Source] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sources)

    def judge(self, host: str, now: float, *, weight: float = 1.0, blockable: bool = True) -> LimitVerdict:
        """A request of `host`. `weight` below 1 lets it ask more; what is not `blockable` passes a block."""
        source = self._source(host, now)
        if blockable and source.blocked_until > now:
            return LimitVerdict.DROP
        grown = source.tokens + (now - source.seen) * self._rate
        source.tokens = min(self._burst, grown)
        source.seen = max(source.seen, now)
        if source.tokens >= weight:
            source.tokens -= weight
            return LimitVerdict.ADMIT
        source.tokens = max(source.tokens - weight / 2, -self._burst)
        return LimitVerdict.REFUSE if source.tokens > -self._burst / 2 else LimitVerdict.DROP

    def failed(self, host: str, now: float) -> bool:
        """A wrong password came from `host`; whether that blocks it."""
        source = self._source(host, now)
        if now - source.failing_since > FAILURE_WINDOW:
            source.failing_since, source.failures = now, 0
        source.failures += 1
        if source.failures >= self._failures:
            source.blocked_until = now + BLOCKED_FOR
            source.failures = 0
            return True
        return False

    def succeeded(self, host: str) -> None:
        """A right password came from `host`."""
        source = self._sources.get(host)
        if source is not None:
            source.failures = 0

    def _source(self, host: str, now: float) -> _Source:
        source = self._sources.get(host)
        if source is None:
            source = self._sources[host] = _Source(self._burst, now)
            if len(self._sources) > self._capacity:
                self._forget_one(now)
        else:
            self._sources.move_to_end(host)
        return source

    def _forget_one(self, now: float) -> None:
        """Forget the oldest source that is not blocked, among the first few."""
        for host in list(self._sources)[:64]:
            if self._sources[host].blocked_until <= now:
                del self._sources[host]
                return
        self._sources.popitem(last=False)
