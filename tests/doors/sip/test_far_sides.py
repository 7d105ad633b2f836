"""Far sides of the settings, as the core needs them."""

from __future__ import annotations

from sottovoce.config import FarSideSettings, Settings
from sottovoce.doors.sip.far_sides import account_at, hop_to
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.ports import Account


def test_the_outbound_proxy_comes_with_its_account() -> None:
    settings = Settings.model_validate(
        {
            "sip": {
                "outbound_proxy": {
                    "host": "edge",
                    "port": 5080,
                    "transport": "tcp",
                    "username": "u",
                    "password": "hush",
                    "realm": "r",
                }
            }
        }
    )
    proxy = settings.sip.outbound_proxy
    assert proxy is not None
    assert hop_to(proxy) == Hop(Transport.TCP, "edge", 5080)
    assert account_at(proxy) == Account("u", "hush", "r")
    assert account_at(FarSideSettings(host="edge")) is None
    assert Settings().sip.outbound_proxy is None
