"""A trunk or proxy of the settings, as the core needs it: where to send, and what answers its challenges."""

from __future__ import annotations

from sottovoce.config import FarSideSettings
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.ports import Account


def hop_to(far_side: FarSideSettings) -> Hop:
    """Where requests for it are sent."""
    return Hop(Transport(far_side.transport.value.upper()), far_side.host, far_side.port)


def account_at(far_side: FarSideSettings) -> Account | None:
    """What answers its 401 and 407, None if nothing does."""
    if far_side.username is None or far_side.password is None:
        return None
    return Account(far_side.username, far_side.password.get_secret_value(), far_side.realm)
