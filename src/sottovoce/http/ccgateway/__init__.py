"""The agent gateway (CC-Gateway) on the wire: `/agentgateway/resource/...`, as existing clients expect it.

* ``interface``   what an interface is: path, verbs, form, listed codes, use case; and an answer's bytes
* ``onlineagent`` ``agentevent`` ``voicecall`` ``qualitycontrol`` ``agentgroup`` ``calldata``
                  the interfaces served, one module per word of the path
* ``pending``     the known ones that are not served
* ``decode``      lenient input; ``retcodes`` refusals to codes; ``states`` the numbers of states;
                  ``events`` and ``snapshot`` domain events and pictures in the wire's spelling
* ``polls``       the long poll's exact delivery
* ``router``      routes of all of them; the only place where a caller comes into being

The ledger is ``contracts/cc-gateway.yaml``; tests compare it with the routes both ways. Called by
`http.site`; asks `live.desk.Desk` with the live half's commands.
"""

from __future__ import annotations

from starlette.routing import BaseRoute

from sottovoce.http.ccgateway import agentevent, agentgroup, calldata, onlineagent, qualitycontrol, voicecall
from sottovoce.http.ccgateway.decode import AgentIds
from sottovoce.http.ccgateway.interface import Gateway, GatewaySettings, Interface
from sottovoce.http.ccgateway.pending import pending
from sottovoce.http.ccgateway.router import FAMILY, routes

SERVED: tuple[Interface, ...] = tuple(
    interface
    for module in (onlineagent, agentevent, voicecall, qualitycontrol, agentgroup, calldata)
    for interface in module.INTERFACES
)

__all__ = ["FAMILY", "SERVED", "AgentIds", "Gateway", "GatewaySettings", "gateway_routes"]


def gateway_routes(gateway: Gateway) -> list[BaseRoute]:
    """The family's routes, in the order in which they must be tried."""
    return routes((*SERVED, *pending()), gateway)
