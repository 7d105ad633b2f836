"""Which addresses may be connected to: public ones, and the networks that the operator named.

A name is resolved once, and what is connected to is what was looked at: a name that changes its address
between the two leads nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052 2.1: the last 32 bits are an address of IPv4."""
_OWN_NAT64 = IPv6Network("64:ff9b:1::/48")
"""RFC 8215: of a network's own making; what its addresses stand for is not to be known."""


def networks(named: Iterable[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks of a setting."""
    return tuple(ip_network(one) for one in named)


def permitted(addresses: Iterable[str], besides: Sequence[IPv4Network | IPv6Network]) -> list[str]:
    """Those of a name's addresses that may be connected to, in their order."""
    return [one for one in addresses if _permitted(ip_address(one), besides)]


def _permitted(address: Address, besides: Sequence[IPv4Network | IPv6Network]) -> bool:
    meant = _meant(address)
    public = meant.is_global and not meant.is_multicast and meant not in _OWN_NAT64
    return public or any(meant in network for network in besides)


def _meant(address: Address) -> Address:
    """The address of IPv4 that one of IPv6 stands for; else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
