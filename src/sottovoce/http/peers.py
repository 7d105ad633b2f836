"""How many connections each peer has. Pure."""

from __future__ import annotations

from collections import Counter

from sottovoce.config.kinds import is_loopback


class Peers:
    """Connections in all and by host: one host gets a quarter of `limit`, one of this machine all of it.

    A loopback peer is a reverse proxy, or somebody who can stop the server anyway.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._of_one = max(1, limit // 4)
        self._hosts: Counter[str] = Counter()
        self._total = 0

    def enter(self, host: str) -> bool:
        """Count one more connection of `host`, unless that is too many; `leave` when it ends."""
        if self._total >= self._limit or self._hosts[host] >= self._bound_of(host):
            self._forget_idle(host)
            return False
        self._hosts[host] += 1
        self._total += 1
        return True

    def leave(self, host: str) -> None:
        """One that was let in has ended."""
        self._hosts[host] -= 1
        self._total -= 1
        self._forget_idle(host)

    def __len__(self) -> int:
        """Hosts that have a connection."""
        return len(self._hosts)

    def _bound_of(self, host: str) -> int:
        return self._limit if is_loopback(host) else self._of_one

    def _forget_idle(self, host: str) -> None:
        if not self._hosts[host]:
            del self._hosts[host]
