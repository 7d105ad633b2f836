"""agentevent: the long poll (cc-gateway.md 3.8)."""

from __future__ import annotations

from starlette.responses import Response

from sottovoce.http.ccgateway.gateway import Caller, Interfaces
from sottovoce.http.ccgateway.polls import PollAnswer
from sottovoce.http.ccgateway.words import Form

INTERFACES = Interfaces("agentevent")


@INTERFACES.serves("GET", "", Form)
async def agent_event(caller: Caller, form: Form) -> Response:
    """One event, the oldest; nothing after about 10 s. Also the sign of life [1274]."""
    return PollAnswer(caller)
