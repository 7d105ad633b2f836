"""How much of what there is a bounded amount of each source may hold: connections, requests, bytes. Pure."""

from __future__ import annotations

from collections import Counter

from sottovoce.limits import Latest

KNOWN = 10_000
"""Known sources that are remembered."""


class Portions:
    """Of `limit` in all, one source may hold `of_one`."""

    def __init__(self, limit: int, of_one: int) -> None:
        self._limit, self._of_one = limit, of_one
        self._held: Counter[str] = Counter()
        self._total = 0

    def __len__(self) -> int:
        """Sources that hold something."""
        return len(self._held)

    def of(self, source: str) -> int:
        """How much it holds."""
        return self._held.get(source, 0)

    def take(self, source: str, amount: int = 1, *, of_one: int | None = None) -> bool:
        """Hold so much more, unless that is too much; `give_back` when it is done with."""
        most = self._of_one if of_one is None else of_one
        if self._total + amount > self._limit or self.of(source) + amount > most:
            return False
        if amount:
            self._held[source] += amount
            self._total += amount
        return True

    def give_back(self, source: str, amount: int = 1) -> None:
        """So much of it is free again, at most what it holds."""
        amount = min(amount, self.of(source))
        self._total -= amount
        self._held[source] -= amount
        if not self._held[source]:
            del self._held[source]


class Peers:
    """Connections. A source is known once a request of it was served to a caller; strangers hold few each,
    and three quarters of all together: whoever is at work has a reserve.
    """

    def __init__(self, limit: int, *, of_stranger: int, of_known: int) -> None:
        self._limit = limit
        self._all = Portions(limit, min(limit, of_known))
        self._strangers = Portions(max(1, limit * 3 // 4), of_stranger)
        self._known: Latest[str] = Latest(KNOWN)

    def enter(self, source: str, *, bounded: bool = True) -> bool:
        """Count one more connection of `source`, unless that is too many; `leave` when it ends.

        What is not `bounded` (a reverse proxy) may have all there are.
        """
        if not self._all.take(source, of_one=None if bounded else self._limit):
            return False
        if bounded and source not in self._known and not self._strangers.take(source):
            self._all.give_back(source)
            return False
        return True

    def leave(self, source: str) -> None:
        """One that was let in has ended."""
        self._all.give_back(source)
        self._strangers.give_back(source)

    def prove(self, source: str) -> None:
        """A request from there was served to a caller."""
        if source not in self._known:
            self._strangers.give_back(source, self._strangers.of(source))
        self._known.add(source)

    def __len__(self) -> int:
        """Sources that have a connection."""
        return len(self._all)
