"""agentgroup: what screens show of agents and groups, and what the caller may (cc-gateway.md 3.9)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import Field

from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentGroup, Right, SkillId, VdnProfile
from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.events import milliseconds
from sottovoce.http.ccgateway.gateway import Answer, Caller, Interfaces
from sottovoce.http.ccgateway.onlineagent import VOICE_ONLY, encode_skill
from sottovoce.http.ccgateway.snapshot import optional_ms
from sottovoce.http.ccgateway.states import CTI, ORDINARY_CALL, gateway_state
from sottovoce.http.ccgateway.words import AgentNumber, Form, MediaTypes, Number, Queue, Whose
from sottovoce.live.views import AgentView

INTERFACES = Interfaces("agentgroup", message="success")
serves = INTERFACES.serves

_PROBES = {
    "iscallout": Right.CALL_OUT,
    "iscensor": Right.INSPECT,
    "ismonitor": Right.MONITOR,
    "isspymonitor": Right.MONITOR,
    "isreportmanager": Right.REPORT,
    "issystem": Right.ADMINISTER,
    "ispickup": Right.PICK_UP,
}


class InState(Form):
    """The state asked about, as `status` has it."""

    status: Number = Field(ge=0, le=99)


class OfGroup(Form):
    """The group asked about."""

    group: Number = Field(alias="groupid", ge=0, le=2**31 - 1)


class OfQueue(Queue):
    """Which of a queue's agents, and how many of them: both are given, or neither counts [1025]."""

    in_body = True

    limit: Number | None = Field(None, alias="agentLimit", ge=1, le=500)
    states: tuple[Number, ...] | None = Field(None, alias="agentStatus", max_length=20)


class OfMedia(Form):
    """The kinds of media that a queue has to be of; none given are all [0417]."""

    media: MediaTypes = Field((), alias="mediaTypes")

    @property
    def wants_voice(self) -> bool:
        """Whether our queues are among them, which are all for voice."""
        return not self.media or ORDINARY_CALL in self.media


class ByNumbers(Form):
    """The agents asked about."""

    in_body = True

    agents: tuple[AgentNumber, ...] = Field(alias="agentlist", max_length=1000)


def status(agent: AgentView) -> int:
    """The number of an agent's state."""
    return gateway_state(agent.state, agent.pending)


def encode_agent(agent: AgentView, now: datetime) -> dict[str, object]:
    """An agent [1026]. `currentstatetime` in s, `logindate` in ms; `status` is a text of digits, since one
    client compares it strictly with texts and the others take both."""
    return {
        "workno": str(agent.agent),
        "name": agent.name,
        "status": str(status(agent)),
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


def encode_agents(caller: Caller, agents: Iterable[AgentView]) -> list[dict[str, object]]:
    """Several agents."""
    now = caller.gateway.clock.now()
    return [encode_agent(agent, now) for agent in agents]


@serves("GET", "/agentbyworkno/{workno}", Whose)
async def agent_by_work_number(caller: Caller, form: Whose) -> Answer:
    """One agent of the caller's VDN [1026]."""
    view = caller.desk.agent(caller.agent, form.target)
    return Answer(encode_agent(view, caller.gateway.clock.now()))


@serves("GET", "/onlineagentonvdn", Form)
async def online_agents(caller: Caller, form: Form) -> Answer:
    """The signed-in agents of the caller's VDN."""
    return Answer(encode_agents(caller, caller.desk.online_agents(caller.agent)))


@serves("GET", "/allagentstatus", Form)
@serves("GET", "/alllocalagentstatus", Form)
@serves("GET", "/queryagentstatus", Form)
@serves("GET", "/queryagentstatusandskill", Form)
async def all_agents(caller: Caller, form: Form) -> Answer:
    """All agents of the caller's VDN, signed in or not."""
    return Answer(encode_agents(caller, caller.desk.all_agents(caller.agent)))


@serves("GET", "/agentlistbystatus", InState)
async def agents_in_a_state(caller: Caller, form: InState) -> Answer:
    """The agents of the caller's VDN in a state."""
    agents = caller.desk.all_agents(caller.agent)
    return Answer(encode_agents(caller, (agent for agent in agents if status(agent) == form.status)))


@serves("GET", "/idleagent", Form)
async def idle_agents(caller: Caller, form: Form) -> Answer:
    """Who is idle in the caller's VDN, in short."""
    agents = caller.desk.online_agents(caller.agent)
    return Answer(
        [
            {"workno": str(agent.agent), "name": agent.name}
            for agent in agents
            if agent.state is AgentState.IDLE
        ]
    )


@serves("POST", "/agentinfonoskills", ByNumbers)
async def agents_without_skills(caller: Caller, form: ByNumbers) -> Answer:
    """These agents, as far as the caller's VDN has them, without their queues."""
    agents = (agent for agent in caller.desk.all_agents(caller.agent) if agent.agent in form.agents)
    return Answer(
        [
            {name: value for name, value in agent.items() if name != "skilllist"}
            for agent in encode_agents(caller, agents)
        ]
    )


@serves("GET", "/agentwasnameonvdn", Form)
async def names(caller: Caller, form: Form) -> Answer:
    """All agents of the caller's VDN: work numbers to names. A client reads it by its keys [Java]."""
    return Answer({str(agent.agent): agent.name for agent in caller.desk.all_agents(caller.agent)})


@serves("GET", "/loggedinagentphoneonvdn", Form)
async def phones(caller: Caller, form: Form) -> Answer:
    """The phones of those who are signed in."""
    agents = caller.desk.online_agents(caller.agent)
    return Answer([{"workno": str(agent.agent), "phonenumber": agent.phone} for agent in agents])


@serves("GET", "/agentrestinfo", Form)
async def rests(caller: Caller, form: Form) -> Answer:
    """Who rests, and how many will after their call; as the monitoring interfaces name it [0596]."""
    resting = caller.desk.resting(caller.agent)
    agents = caller.desk.online_agents(caller.agent)
    return Answer(
        {
            "onRestAgentNum": len(resting),
            "waitRestAgentNum": sum(agent.pending is AgentState.REST for agent in agents),
            "details": [
                {
                    "agentId": rest.agent,
                    "name": rest.name,
                    "vdnId": caller.desk.profile(caller.agent).vdn,
                    "beginTime": milliseconds(rest.since),
                    "applyRestLength": rest.seconds,
                }
                for rest in resting
            ],
        }
    )


# Of skill queues


def _signed_in_to(caller: Caller, skill: SkillId) -> list[AgentView]:
    """Who is signed in to a queue. Raises Refused(NOT_FOUND)."""
    _must_exist(caller.desk.profile(caller.agent), skill)
    agents = caller.desk.online_agents(caller.agent)
    return [agent for agent in agents if any(one.skill == skill for one in agent.skills)]


def _must_exist(vdn: VdnProfile, skill: SkillId) -> None:
    if skill not in vdn.skills:
        raise Refused(Code.NOT_FOUND, f"no skill queue {skill} in this VDN")


@serves("GET", "/agentbyskill/{skillid}", OfQueue)
async def agents_in_a_queue(caller: Caller, form: OfQueue) -> Answer:
    """The agents who are signed in to a queue and take its calls [1025]."""
    agents = [agent for agent in _signed_in_to(caller, form.skill) if agent.takes_calls]
    if form.limit is not None and form.states is not None:
        agents = [agent for agent in agents if status(agent) in form.states][: form.limit]
    return Answer(encode_agents(caller, agents))


@serves("GET", "/agentidsbyskill/{skillid}", Queue)
async def numbers_in_a_queue(caller: Caller, form: Queue) -> Answer:
    """The work numbers of those who are signed in to a queue."""
    return Answer([str(agent.agent) for agent in _signed_in_to(caller, form.skill)])


@serves("GET", "/agentbyconfigedskill/{skillid}", Queue)
async def agents_configured_for_a_queue(caller: Caller, form: Queue) -> Answer:
    """The agents who may sign in to a queue."""
    vdn = caller.desk.profile(caller.agent)
    _must_exist(vdn, form.skill)
    agents = caller.desk.all_agents(caller.agent)
    return Answer(
        encode_agents(caller, (agent for agent in agents if form.skill in vdn.agents[agent.agent].skills))
    )


@serves("GET", "/allonlineagents", Form)
async def online_agents_by_queue(caller: Caller, form: Form) -> Answer:
    """The queues of the caller's VDN, each with those who are signed in to it [1027]."""
    return Answer(
        [
            {
                "skillMediaType": ORDINARY_CALL,
                "skillId": skill,
                "agent": encode_agents(caller, _signed_in_to(caller, skill)),
            }
            for skill in sorted(caller.desk.profile(caller.agent).skills)
        ]
    )


@serves("GET", "/agentbylist", OfMedia)
async def agents_in_queues(caller: Caller, form: OfMedia) -> Answer:
    """The agents who are signed in to a queue and take its calls [0417]."""
    agents = caller.desk.online_agents(caller.agent) if form.wants_voice else ()
    return Answer(encode_agents(caller, (agent for agent in agents if agent.skills and agent.takes_calls)))


# Of groups


def _in_group(caller: Caller, group: int) -> Answer:
    agents = [agent for agent in caller.desk.all_agents(caller.agent) if agent.group == group]
    if not agents:
        raise Refused(Code.NOT_FOUND, f"nobody is in group {group}")
    return Answer(encode_agents(caller, agents))


@serves("GET", "/agentongroup", Form)
async def agents_of_the_callers_group(caller: Caller, form: Form) -> Answer:
    """The agents of the caller's group, signed in or not."""
    return _in_group(caller, caller.desk.agent(caller.agent, caller.agent).group)


@serves("GET", "/agentongroupex", OfGroup)
async def agents_of_a_group(caller: Caller, form: OfGroup) -> Answer:
    """The agents of a group, signed in or not."""
    return _in_group(caller, form.group)


def _encode_group(vdn: VdnProfile, group: AgentGroup) -> dict[str, object]:
    """A group. `monitorno` and `monitorname` are of the agent who leads it, empty where nobody does."""
    leader = vdn.agents.get(group.leader) if group.leader is not None else None
    return {
        "name": group.name,
        "id": group.group,
        "monitorno": "" if leader is None else str(leader.agent),
        "monitorname": "" if leader is None else leader.name,
    }


@serves("GET", "/groupbyagent/{workno}", Whose)
async def group_of_an_agent(caller: Caller, form: Whose) -> Answer:
    """The group of an agent, where it has a name."""
    number = caller.desk.agent(caller.agent, form.target).group
    vdn = caller.desk.profile(caller.agent)
    for group in vdn.agent_groups:
        if group.group == number:
            return Answer(_encode_group(vdn, group))
    raise Refused(Code.NOT_FOUND, f"group {number} has no name")


@serves("GET", "/grouponvdn", Form)
async def groups(caller: Caller, form: Form) -> Answer:
    """The groups of the caller's VDN that have names."""
    vdn = caller.desk.profile(caller.agent)
    return Answer([_encode_group(vdn, group) for group in vdn.agent_groups])


@serves("GET", "/restreason", Form)
async def rest_causes(caller: Caller, form: Form) -> Answer:
    """Why agents of the caller's VDN may rest, in words."""
    causes = caller.desk.profile(caller.agent).rest_causes
    return Answer([{"restReasonId": one.cause, "restReason": one.name} for one in causes])


# What the caller may


def _probe(tail: str, right: Right) -> None:
    async def may(caller: Caller, form: Form) -> Answer:
        """Whether the caller has a right."""
        return Answer(right in caller.desk.rights(caller.agent))

    serves("GET", f"/{tail}", Form)(may)


for _tail, _right in _PROBES.items():
    _probe(_tail, _right)
