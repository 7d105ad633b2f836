"""agentgroup: what an inspector's screen shows of the VDN's agents (cc-gateway.md 3.9)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sottovoce.http.ccgateway.gateway import Answer, Caller, Interfaces
from sottovoce.http.ccgateway.onlineagent import VOICE_ONLY, encode_skill
from sottovoce.http.ccgateway.snapshot import optional_ms
from sottovoce.http.ccgateway.states import CTI, gateway_state
from sottovoce.http.ccgateway.words import Form, Whose
from sottovoce.live.views import AgentView

INTERFACES = Interfaces("agentgroup", message="success")
serves = INTERFACES.serves


def encode_agent(agent: AgentView, now: datetime) -> dict[str, object]:
    """An agent [1026]. `currentstatetime` in s, `logindate` in ms; `status` is a text of digits, since one
    client compares it strictly with texts and the others take both."""
    return {
        "workno": str(agent.agent),
        "name": agent.name,
        "status": str(gateway_state(agent.state, agent.pending)),
        "ctiStatus": CTI[agent.state],
        "groupid": agent.group,
        "groupname": "",
        "skilllist": [encode_skill(skill) for skill in agent.skills],
        "callids": list(agent.calls),
        "mediatype": VOICE_ONLY,
        "vdnid": agent.vdn,
        "phonenumber": agent.phone,
        "currentstatetime": 0 if agent.since is None else int((now - agent.since).total_seconds()),
        "logindate": optional_ms(agent.signed_in_at),
    }


def _listed(caller: Caller, agents: Iterable[AgentView]) -> Answer:
    now = caller.gateway.clock.now()
    return Answer([encode_agent(agent, now) for agent in agents])


@serves("GET", "/agentbyworkno/{workno}", Whose)
async def agent_by_work_number(caller: Caller, form: Whose) -> Answer:
    """One agent of the caller's VDN [1026]."""
    view = caller.desk.agent(caller.agent, form.target)
    return Answer(encode_agent(view, caller.gateway.clock.now()))


@serves("GET", "/iscensor", Form)
async def is_censor(caller: Caller, form: Form) -> Answer:
    """Whether the caller may inspect."""
    return Answer(caller.desk.is_inspector(caller.agent))


@serves("GET", "/onlineagentonvdn", Form)
async def online_agents(caller: Caller, form: Form) -> Answer:
    """The signed-in agents of the caller's VDN."""
    return _listed(caller, caller.desk.online_agents(caller.agent))


@serves("GET", "/allagentstatus", Form)
async def all_agents(caller: Caller, form: Form) -> Answer:
    """All agents of the caller's VDN, signed in or not."""
    return _listed(caller, caller.desk.all_agents(caller.agent))
