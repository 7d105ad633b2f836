"""Which addresses may be connected to."""

from __future__ import annotations

import pytest

from sottovoce.pushing.addresses import networks, permitted

PUBLIC = ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]
OTHERS = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
    *("2002:7f00:1::", "64:ff9b:1::1"),
]


def test_public_ones_may_and_no_others() -> None:
    assert permitted([*OTHERS, *PUBLIC], ()) == PUBLIC


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7"])
def test_networks_that_were_named_may_too(address: str) -> None:
    besides = networks(["10.1.0.0/16", "fd00::/64"])
    assert permitted([address, "10.2.0.1", "127.0.0.1", "fd01::1"], besides) == [address]
