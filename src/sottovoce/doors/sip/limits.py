"""How much one source may ask of the SIP door (design decision 19). Pure: the time is handed in."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto

from sottovoce.limits import Buckets

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
class _Failing:
    failures: Counter[str] = field(default_factory=Counter)
    """By account, at most as many as block."""
    since: float = 0.0
    blocked_until: float = 0.0


class SourceLimits:
    """A token bucket per source host, and a block after many wrong passwords.

    Beyond the bucket a source is refused while it asks up to twice its rate, and then not answered at all.
    Of more than `capacity` sources the ones not heard of longest are forgotten.
    """

    def __init__(self, rate: float, burst: int, *, failures: int = 10, capacity: int = 10_000) -> None:
        self._burst = float(burst)
        self._buckets: Buckets[str] = Buckets(rate, burst, debt=burst, capacity=capacity)
        self._most_failures = failures
        self._capacity = capacity
        self._failing: OrderedDict[str, _Failing] = OrderedDict()

    def __len__(self) -> int:
        return max(len(self._buckets), len(self._failing))

    def judge(self, host: str, now: float, *, weight: float = 1.0, blockable: bool = True) -> LimitVerdict:
        """A request of `host`. `weight` below 1 lets it ask more; what is not `blockable` passes a block."""
        failing = self._failing.get(host)
        if blockable and failing is not None and failing.blocked_until > now:
            return LimitVerdict.DROP
        if self._buckets.take(host, now, weight):
            return LimitVerdict.ADMIT
        left = self._buckets.owe(host, now, weight / 2)
        return LimitVerdict.REFUSE if left > -self._burst / 2 else LimitVerdict.DROP

    def failed(self, host: str, now: float, account: str = "") -> bool:
        """A wrong password for `account` ("": there is none) came from `host`; whether that blocks it."""
        failing = self._failing.setdefault(host, _Failing())
        self._failing.move_to_end(host)
        if len(self._failing) > self._capacity:
            self._forget_one(now)
        if now - failing.since > FAILURE_WINDOW:
            failing.since, failing.failures = now, Counter()
        failing.failures[account] += 1
        if failing.failures.total() >= self._most_failures:
            failing.blocked_until = now + BLOCKED_FOR
            failing.failures.clear()
            return True
        return False

    def succeeded(self, host: str, account: str) -> None:
        """The right password for `account` came from `host`: wrong ones for it are forgiven there, those for
        others are not, or whoever has an account of their own could guess on."""
        failing = self._failing.get(host)
        if failing is not None:
            del failing.failures[account]

    def _forget_one(self, now: float) -> None:
        """Forget the oldest source that is not blocked, among the first few."""
        for host in list(self._failing)[:64]:
            if self._failing[host].blocked_until <= now:
                del self._failing[host]
                return
        self._failing.popitem(last=False)
