"""The settings of a door under test, its trunks and its proxy."""

from __future__ import annotations

from sottovoce.config import FarSideSettings, TrunkSettings
from sottovoce.doors.sip.hops import Transport
from sottovoce.doors.sip.ports import Account


def trunk(
    name: str,
    host: str,
    port: int = 5060,
    transport: Transport = Transport.UDP,
    account: Account | None = None,
    **more: object,
) -> TrunkSettings:
    """A trunk; `more` is what else can be set about one."""
    return TrunkSettings.model_validate({"name": name, **_where(host, port, transport, account), **more})


def proxy(
    host: str, port: int, transport: Transport = Transport.UDP, account: Account | None = None
) -> FarSideSettings:
    """An outbound proxy."""
    return FarSideSettings.model_validate(_where(host, port, transport, account))


def _where(host: str, port: int, transport: Transport, account: Account | None) -> dict[str, object]:
    where: dict[str, object] = {"host": host, "port": port, "transport": transport.lower()}
    if account is not None:
        where |= {"username": account.username, "password": account.password, "realm": account.realm}
    return where
