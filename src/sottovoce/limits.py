"""How much one source may ask, and who is known, in bounded memory. Pure: the time is handed in.

Limits are per source before they are per victim (design, decision 32). Times are seconds of a clock that
never jumps.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

LONGEST_SOURCE = 64


def source_of(host: str) -> str:
    """Where that address counts as coming from: of IPv6 the /64, which one subscriber has; else itself."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host[:LONGEST_SOURCE]
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((address, 64), strict=False))
    return str(address)


class Buckets(Generic[K]):
    """A token bucket for each key: `burst` at once, `rate` more in a second.

    Of more than `capacity` keys those not heard of longest are forgotten.
    """

    def __init__(self, rate: float, burst: float, *, debt: float = 0.0, capacity: int = 10_000) -> None:
        self._rate, self._burst, self._debt, self._capacity = rate, float(burst), debt, capacity
        self._levels: OrderedDict[K, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def left(self, key: K, now: float) -> float:
        """How many tokens the key has; below zero where it asked on all the same."""
        level, since = self._levels.get(key, (self._burst, now))
        return min(self._burst, level + max(0.0, now - since) * self._rate)

    def take(self, key: K, now: float, tokens: float = 1.0) -> bool:
        """Take these, if the key has them; whether it did."""
        left = self.left(key, now)
        if left < tokens:
            return False
        self._put(key, left - tokens, now)
        return True

    def owe(self, key: K, now: float, tokens: float) -> float:
        """Take these from a key that has not as many, down to its greatest debt; what is left."""
        left = max(self.left(key, now) - tokens, -self._debt)
        self._put(key, left, now)
        return left

    def _put(self, key: K, level: float, now: float) -> None:
        since = max(now, self._levels[key][1]) if key in self._levels else now
        self._levels[key] = level, since
        self._levels.move_to_end(key)
        if len(self._levels) > self._capacity:
            self._levels.popitem(last=False)


class Latest(Generic[K]):
    """A set of the `capacity` keys that were added last."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._keys: OrderedDict[K, None] = OrderedDict()

    def __contains__(self, key: K) -> bool:
        return key in self._keys

    def add(self, key: K) -> None:
        """It is the last one now."""
        self._keys[key] = None
        self._keys.move_to_end(key)
        if len(self._keys) > self._capacity:
            self._keys.popitem(last=False)

    def discard(self, key: K) -> None:
        """It is no member any more, if it was."""
        self._keys.pop(key, None)
