"""queuedevice: skill queues, who waits in them, and the numbers that lead to them (cc-gateway.md 3.12)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import Field

from sottovoce.domain.directory import Skill, WayOut
from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.gateway import Answer, Caller, Interfaces
from sottovoce.http.ccgateway.onlineagent import encode_skill
from sottovoce.http.ccgateway.states import ORDINARY_CALL
from sottovoce.http.ccgateway.words import Form, Number, Queue, Skills, Whose
from sottovoce.live.views import QueueView
from sottovoce.plain import natural

INTERFACES = Interfaces("queuedevice", message="success")
serves = INTERFACES.serves

_REAL = 1
_NO_SERVICE_TYPE = 0
_RELEASED, _HANDED_ON = 0, 2
_TO_SKILL, _TO_NUMBER = 1, 5


class Vdn(Form):
    """The VDN asked about; only the caller's own is shown."""

    vdn: Number = Field(alias="vdnid", ge=1, le=512)


def _waiting(caller: Caller, skills: Iterable[Skill]) -> Answer:
    return Answer(sum(len(caller.desk.waiting_calls(caller.agent, one.skill)) for one in skills))


@serves("GET", "/waitnum", Form)
async def waiting_in_configured_queues(caller: Caller, form: Form) -> Answer:
    """How many calls wait in the queues that the caller may sign in to [1019]."""
    return _waiting(caller, caller.desk.configured_skills(caller.agent, caller.agent))


@serves("GET", "/waitnumbyagent", Form)
async def waiting_for_the_caller(caller: Caller, form: Form) -> Answer:
    """How many calls wait in the queues that the caller is signed in to [1020]."""
    return _waiting(caller, caller.desk.agent(caller.agent, caller.agent).skills)


@serves("GET", "/skillwaitnum/{skillid}", Queue)
async def waiting_in_a_queue(caller: Caller, form: Queue) -> Answer:
    """How many calls wait in a queue of the caller's VDN [1022]."""
    return Answer(len(caller.desk.waiting_calls(caller.agent, form.skill)))


def _queues(skills: Iterable[Skill]) -> Answer:
    """Skill queues; a refusal where there is none."""
    listed = [{**encode_skill(skill), "serviceType": _NO_SERVICE_TYPE, "realFlag": _REAL} for skill in skills]
    if not listed:
        raise Refused(Code.NOT_FOUND, "no skill queue")
    return Answer(listed)


@serves("GET", "/agentvdnskill", Form)
async def queues_of_the_callers_vdn(caller: Caller, form: Form) -> Answer:
    """The skill queues of the caller's VDN [1021]."""
    return _queues(caller.desk.profile(caller.agent).skills.values())


@serves("GET", "/vdnskill/{vdnid}", Vdn)
async def queues_of_a_vdn(caller: Caller, form: Vdn) -> Answer:
    """The skill queues of a VDN, which must be the caller's."""
    profile = caller.desk.profile(caller.agent)
    return _queues(profile.skills.values() if profile.vdn == form.vdn else ())


@serves("GET", "/agentskill/{workno}", Whose)
async def queues_of_an_agent(caller: Caller, form: Whose) -> Answer:
    """The queues that an agent is signed in to."""
    agent = caller.desk.agent(caller.agent, form.target)
    return _queues(agent.skills if agent.signed_in_at is not None else ())


@serves("GET", "/innoinfo", Form)
async def access_codes(caller: Caller, form: Form) -> Answer:
    """The numbers that lead to the queues of the caller's VDN, each described by its queue's name. `id` is
    the number's place in this list: numbers have no ids of their own here."""
    profile = caller.desk.profile(caller.agent)
    listed = [
        {
            "description": profile.skills[code.skill].name if code.skill in profile.skills else "",
            "id": place,
            "inno": code.number,
            "vdnid": profile.vdn,
            "mediatype": ORDINARY_CALL,
        }
        for place, code in enumerate(sorted(profile.access_codes.values(), key=lambda code: code.number), 1)
    ]
    if not listed:
        raise Refused(Code.NOT_FOUND, "no access code")
    return Answer(listed)


class Several(Form):
    """The queues asked about, 100 at most."""

    in_body = True

    skills: Skills = Field(max_length=100)


@serves("POST", "/queryacdstat", Several)
async def how_queues_stand(caller: Caller, form: Several) -> Answer:
    """Who waits in these queues of the caller's VDN, and who could help [1023]."""
    profile, now = caller.desk.profile(caller.agent), caller.gateway.clock.now()
    numbers = {code.skill: number for number, code in sorted(profile.access_codes.items(), reverse=True)}
    shown = {one.skill: one for one in caller.desk.queues(caller.agent)}
    listed = [
        _state(shown[skill], profile.skills[skill].rules.way_out, numbers.get(skill, ""), now)
        for skill in dict.fromkeys(form.skills)
        if skill in shown
    ]
    if not listed:
        raise Refused(Code.NOT_FOUND, "no such skill queue")
    return Answer(listed)


def _state(queue: QueueView, out: WayOut, number: str, now: datetime) -> dict[str, object]:
    device, to = _TO_SKILL if out.skill is not None else _TO_NUMBER, out.skill or natural(out.number) or 0
    handed_on = out.skill is not None or bool(out.number)
    return {
        "pilotNbr": number,
        "deviceNo": queue.skill,
        "queueSize": queue.waiting,
        "queueTime": int((now - queue.since).total_seconds()) if queue.since is not None else 0,
        "loadFactor": 0,
        "estWaitTime": 0,
        "loggedOnAgents": queue.agents,
        "availAgents": queue.free,
        "transferFlg": _HANDED_ON if handed_on else _RELEASED,
        "transferDeviceType": device if handed_on else 0,
        "transferDeviceNo": to,
        "skillDescrip": queue.name,
    }


@serves("GET", "/ivrinfo", Form)
async def ivrs(caller: Caller, form: Form) -> Answer:
    """The IVRs of the caller's VDN [1024]: there is none here."""
    raise Refused(Code.NOT_FOUND, "no IVR")
