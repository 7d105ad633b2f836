"""What is served of CC-Gateway, what is known and not served, and the routes of both."""

from __future__ import annotations

from sottovoce.http.ccgateway import (
    agentevent,
    agentgroup,
    calldata,
    onlineagent,
    qualitycontrol,
    queuedevice,
    recordplay,
    textchat,
    voicecall,
)
from sottovoce.http.ccgateway.dialect import GatewayDialect
from sottovoce.http.ccgateway.gateway import Gateway, Interface
from sottovoce.http.ccgateway.words import Form
from sottovoce.http.family.pending import not_served, pending
from sottovoce.http.family.routes import Places

LEDGER = "cc-gateway"

_PARTS = (
    onlineagent,
    agentevent,
    voicecall,
    qualitycontrol,
    agentgroup,
    calldata,
    queuedevice,
    recordplay,
    textchat,
)
SERVED: tuple[Interface, ...] = (
    *(interface for part in _PARTS for interface in part.INTERFACES),
    *recordplay.FILES,
)


def unserved() -> tuple[Interface, ...]:
    """Every interface that is known and not served."""
    return tuple(
        Interface(path=path, verbs=row.verbs, form=Form, serve=not_served) for row, path in pending(LEDGER)
    )


def gateway_places(gateway: Gateway) -> Places:
    """Where all of them are reached."""
    return Places((*SERVED, *unserved()), GatewayDialect(gateway))
