"""onlineagent: sign-in and sign-out, upkeep, queues, the agent's own states (cc-gateway.md 3.1-3.7)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

from pydantic import Field, field_validator

from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.destinations import LONGEST_URL, Push, Way
from sottovoce.domain.directory import LONGEST_PASSWORD, Skill
from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.events import milliseconds
from sottovoce.http.ccgateway.gateway import BARE, Answer, Caller, Interfaces
from sottovoce.http.ccgateway.snapshot import encode_snapshot
from sottovoce.http.ccgateway.states import ORDINARY_CALL, SIGN_IN, gateway_state
from sottovoce.http.ccgateway.words import AgentNumber, Form, Number, SelfRecord, Skills, Text, Whose
from sottovoce.live.availability import ChangeState, ChooseSkills, SetHabit
from sottovoce.live.notes import Audience, SendBulletin, SendNote
from sottovoce.live.presence import BindPhone, RedirectPush, SignOutAgent
from sottovoce.live.recording import RecordOwnTalks
from sottovoce.live.views import SignIn

INTERFACES = Interfaces("onlineagent", message="success")
serves = INTERFACES.serves
asks = INTERFACES.asks

SERVER_NAME = "AgentGateway"
"""`serverName` of a sign-in: which of several gateways answered; there is one, named as the page's."""
VOICE_ONLY = "TFF"
"""mediatype: voice yes, text no, mail no."""
_AGENT_TYPES = (4, 11)
_LONGEST_PHONE = 24
LONGEST_NOTE = 1024


class SignInForm(Form):
    """What sign-in asks for [1202]."""

    in_body = True

    password: Text = Field("", max_length=LONGEST_PASSWORD)
    phonenum: Text = ""
    autoanswer: bool = True
    autoenteridle: bool = True
    releasephone: bool = True
    agenttype: Number = 4
    status: Number = 4
    ip: Text = "127.0.0.1"
    listen_status: bool = Field(False, alias="listenStatus")
    call_back_uri: Text = Field("", alias="callBackUri", max_length=200)
    service_token: Text = Field("", alias="serviceToken", max_length=50)
    push_url: Text = Field("", alias="pushUrl", max_length=LONGEST_URL)

    def push(self) -> Push | None:
        """How events are to be pushed; None for a client that polls: one of two fields alone is none."""
        listed = self.call_back_uri if self.service_token else ""
        if listed and self.push_url:
            raise Refused(Code.BAD_SIGN_IN, "callBackUri or pushUrl, not both")
        if listed:
            return Push(Way.LIST, listed, self.service_token)
        return Push(Way.SINGLE, self.push_url) if self.push_url else None

    def wish(self) -> SignIn:
        """The sign-in that is meant. Raises Refused with the code for the field that is wrong."""
        if self.agenttype not in _AGENT_TYPES:
            raise Refused(Code.BAD_AGENT_TYPE)
        if self.status not in SIGN_IN:
            raise Refused(Code.BAD_SIGN_IN, "status must be 3, 4 or 5")
        if len(self.phonenum) > _LONGEST_PHONE:
            raise Refused(Code.BAD_PHONE)
        try:
            IPv4Address(self.ip)
        except ValueError:
            raise Refused(Code.BAD_IP) from None
        return SignIn(
            password=self.password,
            phone=self.phonenum,
            auto_answer=self.autoanswer,
            auto_idle=self.autoenteridle,
            release_phone=self.releasephone,
            status=SIGN_IN[self.status],
            listen_status=self.listen_status,
        )


class ForcedSignInForm(SignInForm):
    """The same, but the phone's leg stands between calls unless asked otherwise [1203]."""

    releasephone: bool = False


class LogoutReason(Form):
    """Why the agent signs out."""

    reason: Number = Field(ge=1, le=255)


class ResetSkill(Form):
    """Which queues to be in."""

    autoflag: Text
    skillid: Skills = ()
    phonelinkage: Number = Field(0, ge=0, le=1)


class Busy(Form):
    """Why, and whether a busy agent stays so for this reason."""

    reason: Number = 0
    prolong: bool = False

    @field_validator("reason")
    @classmethod
    def _own_or_none(cls, reason: int) -> int:
        if reason != 0 and not 200 <= reason <= 250:
            raise ValueError("must be 0 or 200 to 250")
        return reason


class Rest(Form):
    """How long (s) and why."""

    time: Number = Field(ge=1, le=86_399)
    restcause: Number = Field(ge=0, le=255)
    prolong: bool = False


class AutoIdle(Form):
    """`true` in any case is on; anything else is off [0351]."""

    flag: Text = Field(max_length=5)


class AutoAnswer(Form):
    """`true` in any case is on; anything else is off."""

    flag: Text = Field(alias="isautoanswer", max_length=5)


class TalkRight(Form):
    """1: calls that come in are taken; 0: none is [1223]."""

    flag: Number = Field(ge=0, le=1)


class BoundPhone(Form):
    """A phone of the VDN. No source shows the field; this is its name at sign-in."""

    in_body = True

    number: Text = Field(alias="phonenum")


class Note(Form):
    """A text for one agent."""

    receiver: AgentNumber
    content: Text = Field("", max_length=LONGEST_NOTE)


class NoteToMany(Form):
    """A text for several agents: clients give numbers or texts."""

    in_body = True

    receivers: tuple[AgentNumber, ...] = Field(alias="agentIds", min_length=1, max_length=100)
    content: Text = Field("", max_length=LONGEST_NOTE)


class Bulletin(Form):
    """A text for a group (0) or a skill queue (1), by name; one client sends the number."""

    in_body = True

    kind: Number = Field(alias="targettype", ge=0, le=1)
    name: Text = Field(alias="targetname", max_length=100)
    text: Text = Field("", alias="bulletindata", max_length=900)


class NewPassword(Form):
    """The old password and the new one. In a query they are no secret to whoever keeps addresses."""

    old: Text = Field("", alias="oldpassword", max_length=LONGEST_PASSWORD)
    new: Text = Field(alias="newpassword", max_length=LONGEST_PASSWORD)


class NewPasswordInBody(NewPassword):
    """The same in the body."""

    in_body = True

    old: Text = Field("", alias="oldPassword", max_length=LONGEST_PASSWORD)
    new: Text = Field(alias="newPassword", max_length=LONGEST_PASSWORD)


# Sign out, unless talking or answering [1219].
asks("DELETE", "/logout", Form, lambda by, form: SignOutAgent(by))
# Sign out even while talking; the call is released [1220].
asks("DELETE", "/forcelogout", Form, lambda by, form: SignOutAgent(by, force=True), answer=BARE)
# Sign out even while talking, saying why [1221].
asks(
    "DELETE",
    "/forcelogoutwithreason/{reason}",
    LogoutReason,
    lambda by, form: SignOutAgent(by, force=True, reason=f"reason {form.reason}"),
    answer=BARE,
)
# Sign in to all configured queues, or to those named [1209].
asks(
    "POST",
    "/resetskill/{autoflag}",
    ResetSkill,
    lambda by, form: ChooseSkills(by, every=form.autoflag.lower() == "true", skills=form.skillid),
    answer=BARE,
    message="",
)
# Busy now, or after the call [1211].
asks(
    "POST",
    "/saybusy",
    Busy,
    lambda by, form: ChangeState(by, Trigger.SAY_BUSY, form.reason, prolong=form.prolong),
)
# Stop being busy [1212].
asks("POST", "/cancelbusy", Form, lambda by, form: ChangeState(by, Trigger.CANCEL_BUSY))
# Be idle: ready for calls.
asks("POST", "/sayfree", Form, lambda by, form: ChangeState(by, Trigger.SAY_IDLE))
# Rest now, or after the call; AgentState_SetRest_Success tells when [1213].
asks(
    "POST",
    "/rest/{time}/{restcause}",
    Rest,
    lambda by, form: ChangeState(by, Trigger.REST, form.restcause, form.time, form.prolong),
)
# Stop resting [1214].
asks("POST", "/cancelrest", Form, lambda by, form: ChangeState(by, Trigger.CANCEL_REST))
# Wrap-up now, or after the call.
asks("POST", "/work", Form, lambda by, form: ChangeState(by, Trigger.WORK))
# Stop wrap-up [1216].
asks("POST", "/cancelwork", Form, lambda by, form: ChangeState(by, Trigger.CANCEL_WORK))
# Idle after a call, or wrap-up [0351].
asks(
    "POST",
    "/autoenteridle/{flag}",
    AutoIdle,
    lambda by, form: SetHabit(by, auto_idle=form.flag.lower() == "true"),
)
# Talk as soon as the phone is lifted, or wait for `answer`.
asks(
    "POST",
    "/autoanswer/{isautoanswer}",
    AutoAnswer,
    lambda by, form: SetHabit(by, auto_answer=form.flag.lower() == "true"),
)
# Take calls of one's queues, or none [1223].
asks("POST", "/settalkright", TalkRight, lambda by, form: SetHabit(by, takes_calls=form.flag == 1))
# Record one's talks from the next on.
asks(
    "POST",
    "/setselfrecord/{recordflag}/{recordbeforetalking}",
    SelfRecord,
    lambda by, form: RecordOwnTalks(by, form.on == 1, form.before == 1),
)
# Have a phone, or another one.
asks("POST", "/bindphone", BoundPhone, lambda by, form: BindPhone(by, form.number))
# Send a note to an agent.
asks(
    "POST",
    "/sendnotelet/{receiver:path}",
    Note,
    lambda by, form: SendNote(by, (form.receiver,), form.content),
)
# Send a note to several agents.
asks("POST", "/sendnoteletex", NoteToMany, lambda by, form: SendNote(by, form.receivers, form.content))
# Send a bulletin to a group or a skill queue.
asks(
    "POST",
    "/notifybulletin",
    Bulletin,
    lambda by, form: SendBulletin(by, Audience(form.kind), form.name, form.text),
)


def _pushed_to(caller: Caller, push: Push | None) -> str:
    """Where events are pushed to, sealed. Raises Refused(BAD_SIGN_IN)."""
    if push is None:
        return ""
    if caller.gateway.pusher is None:
        raise Refused(Code.BAD_SIGN_IN, "nothing is pushed here; sign in without it and poll")
    return caller.gateway.pusher.admit(caller.agent, push)


async def _sign_in(
    caller: Caller, form: SignInForm, *, force: bool, phone_optional: bool = False, phoneless: bool = False
) -> Answer:
    wish, push = form.wish(), form.push()
    wish = replace(wish, source=caller.source, phone_optional=phone_optional, phoneless=phoneless)
    session = await caller.desk.sessions.sign_in(
        caller.agent, wish, force=force, push=lambda: _pushed_to(caller, push)
    )
    result = {
        "vdnid": session.vdn,
        "workno": str(session.agent),
        "mediatype": VOICE_ONLY,
        "loginTime": str(milliseconds(session.signed_in_at)),
        "isForceChange": "false",
        "serverName": SERVER_NAME,
        "timeRemaining": "" if session.password_lasts is None else str(min(session.password_lasts.days, 180)),
    }
    return Answer(result, session.guid)


@serves("PUT", "", SignInForm, message="")
async def login(caller: Caller, form: SignInForm) -> Answer:
    """Sign in [1202]."""
    return await _sign_in(caller, form, force=False)


@serves("PUT", "/forcelogin", ForcedSignInForm, message="")
async def force_login(caller: Caller, form: ForcedSignInForm) -> Answer:
    """Sign in and take over a running session [1203]."""
    return await _sign_in(caller, form, force=True)


@serves("PUT", "/loginex", SignInForm, message="")
async def login_ex(caller: Caller, form: SignInForm) -> Answer:
    """Sign in; a phone may be bound later [1224]."""
    return await _sign_in(caller, form, force=False, phone_optional=True)


@serves("PUT", "/forceloginex", ForcedSignInForm, message="")
async def force_login_ex(caller: Caller, form: ForcedSignInForm) -> Answer:
    """The same, taking over a running session."""
    return await _sign_in(caller, form, force=True, phone_optional=True)


@serves("PUT", "/forceloginexwithoutphone", ForcedSignInForm, message="")
async def force_login_without_phone(caller: Caller, form: ForcedSignInForm) -> Answer:
    """The same, without the phone that is configured, too."""
    return await _sign_in(caller, form, force=True, phoneless=True)


async def _change_password(caller: Caller, form: NewPassword) -> None:
    """Another password, for whoever knows the old one: no Guid is asked for, since a password that is too
    old lets nobody in."""
    await caller.desk.sessions.change_password(caller.agent, form.old, form.new, caller.source)


serves("POST", "/modifyaccountpwd", NewPassword)(_change_password)
serves("POST", "/modifyaccountpwdex", NewPasswordInBody)(_change_password)


@serves("GET", "/agentstatus", Form)
async def agent_status(caller: Caller, form: Form) -> Answer:
    """The caller's state [1222]."""
    status = caller.desk.status(caller.agent)
    state = gateway_state(status.state, status.pending)
    return Answer({"agentState": state, "isWorking": status.state is AgentState.WRAP_UP})


def encode_skill(skill: Skill) -> dict[str, object]:
    """A skill queue [1207]."""
    return {"name": skill.name, "id": skill.skill, "mediatype": ORDINARY_CALL}


@serves("GET", "/agentskills", Form)
async def agent_skills(caller: Caller, form: Form) -> Answer:
    """The queues that the caller may sign in to [1206]."""
    skills = caller.desk.configured_skills(caller.agent, caller.agent)
    return Answer([encode_skill(skill) for skill in skills])


@serves("GET", "/agentskillsbyworkno/{workno}", Whose)
async def skills_of_an_agent(caller: Caller, form: Whose) -> Answer:
    """The queues that an agent of the caller's VDN may sign in to [1207]."""
    skills = caller.desk.configured_skills(caller.agent, form.target)
    return Answer([encode_skill(skill) for skill in skills])


@serves("POST PUT", "/handshake", Form)
async def handshake(caller: Caller, form: Form) -> Answer:
    """A sign of life; with dynamic authentication a new Guid may come back in the headers [1204].

    A `service_token` that comes with it is what further pushes bring."""
    pusher, to = caller.gateway.pusher, caller.desk.pushed_to(caller.agent)
    if pusher is not None and to and caller.service_token:
        renewed = pusher.with_token(caller.agent, to, caller.service_token)
        if renewed != to:
            await caller.desk.ask(RedirectPush(caller.agent, renewed))
    guid = caller.desk.sessions.heartbeat(caller.agent)
    return BARE if guid is None else Answer(BARE.result, guid)


@serves("PUT", "/heartbeat", Form)
async def heartbeat(caller: Caller, form: Form) -> Answer:
    """A sign of life of the older push mode, every 60 s."""
    guid = caller.desk.sessions.heartbeat(caller.agent)
    signed_in_at = caller.desk.agent(caller.agent, caller.agent).signed_in_at
    assert signed_in_at is not None, "callers are signed in"
    return Answer({"loginTime": str(milliseconds(signed_in_at))}, guid)


@serves("PUT", "/updateGuid", Form)
async def update_guid(caller: Caller, form: Form) -> Answer:
    """A new Guid at once [1225]."""
    guid = await caller.desk.sessions.renew_guid(caller.agent)
    return Answer({"guid": guid}, guid)


@serves("POST", "/syncagentinfo", Form)
async def sync_agent_info(caller: Caller, form: Form) -> Answer:
    """The picture of now; the event queue is emptied [1226]."""
    return Answer(encode_snapshot(await caller.desk.snapshot(caller.agent)))
