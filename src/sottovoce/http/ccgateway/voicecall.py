"""voicecall: placing, answering, holding and releasing the caller's calls, and consulting others about them
(cc-gateway.md 3.11)."""

from __future__ import annotations

from pydantic import Field

from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.gateway import Answer, Caller, Interfaces
from sottovoce.http.ccgateway.words import MOST_CALL_DATA, AgentNumber, Form, Number, Text
from sottovoce.live import conferring, consulting, handling, linkage, requesting, transferring
from sottovoce.live.transferring import How
from sottovoce.plain import natural

INTERFACES = Interfaces("voicecall", message="success")
serves = INTERFACES.serves
asks = INTERFACES.asks

_DIGITS = r"^[0-9*#]{1,24}$"
_SKILL, _AGENT, _ACCESS_CODE, _OUTSIDE = 1, 2, 4, 5
"""Device types [0583]."""
_HOW = {
    **dict.fromkeys([(_SKILL, 0), (_AGENT, 0), (_ACCESS_CODE, 0), (_OUTSIDE, 1)], How.BLIND),
    **dict.fromkeys([(_SKILL, 2), (_AGENT, 2), (_ACCESS_CODE, 2), (_OUTSIDE, 2)], How.ANSWERED),
    (_OUTSIDE, 3): How.TALKED,
    (_OUTSIDE, 4): How.JOINED,
}
"""Modes of transfer, by device type."""
_TWO_PARTY, _THREE_PARTY = 1, 2
"""Modes of innerhelp."""


class CallOut(Form):
    """Whom to call [1232]."""

    in_body = True

    called: Text = Field(max_length=24)
    caller: Text = Field("", max_length=24)
    skillid: Number | None = Field(None, ge=0, le=2**31 - 1)
    callappdata: Text = Field("", max_length=MOST_CALL_DATA)
    mediaability: Number = Field(0, ge=0, le=2)


class InnerCall(CallOut):
    """Which agent to call [1235], or whoever of which queue [0370]."""


class Help(Form):
    """Whom to consult, and how [1236]."""

    in_body = True

    dstaddress: Text = Field(max_length=24)
    devicetype: Number = Field(_AGENT, ge=_SKILL, le=_AGENT)
    mode: Number = Field(_TWO_PARTY, ge=_TWO_PARTY, le=_THREE_PARTY)
    callappdata: Text = Field("", max_length=MOST_CALL_DATA)
    holdflag: bool = True


class HeldCall(Form):
    """The call that the caller holds."""

    callid: Text = Field(max_length=64)


class HeldCallInBody(HeldCall):
    """The same [1245]."""

    in_body = True

    callappdata: Text = Field("", max_length=MOST_CALL_DATA)


class RejectedCall(Form):
    """The call that rings; without it whichever does [1253]."""

    in_body = True

    callid: Text | None = Field(None, max_length=64)


class PartyNumber(Form):
    """One party of the call by number [1248]."""

    number: Text = Field(pattern=r"^[0-9]{1,24}$")


class TransferredTo(Form):
    """Whom the call goes to, and how [1242]."""

    in_body = True

    devicetype: Number = Field(ge=_SKILL, le=_OUTSIDE)
    address: Text = Field(max_length=24)
    mode: Number = Field(0, ge=0, le=4)
    callappdata: Text = Field("", max_length=MOST_CALL_DATA)
    caller: Text = Field("", max_length=24)
    mediaability: Number = Field(0, ge=0, le=2)
    holdflag: bool = True
    skill: Number | None = Field(None, alias="skillId", ge=0, le=2**31 - 1)


class Colleague(Form):
    """The agent whose call is picked up [1252]."""

    agent: AgentNumber = Field(alias="destWorkNo")


class WaitingCall(HeldCall):
    """A call that waits, and in which queue; the one skill type that is documented [1251]."""

    skilltype: Number = Field(ge=0, le=0)
    skillid: Number | None = Field(None, ge=0, le=2**31 - 1)


class WhichCall(Form):
    """A call of the caller; without it the one that fits."""

    callid: Text | None = Field(None, max_length=64)


class Digits(Form):
    """What to dial during the call."""

    number: Text = Field(pattern=_DIGITS)


# Take the ringing call [1234].
asks("PUT", "/answer", WhichCall, lambda by, form: handling.Answer(by, form.callid))
# Let the call that rings go to another [1253].
asks("POST", "/reject", RejectedCall, lambda by, form: conferring.Reject(by, form.callid))
# Music for the customer [1239].
asks("POST", "/hold", Form, lambda by, form: handling.Hold(by))
# Take the held call back [1241].
asks("POST", "/gethold", WhichCall, lambda by, form: handling.TakeBack(by, form.callid))
# Connect the held call with the current one, and leave both [1240].
asks("POST", "/connecthold/{callid}", HeldCall, lambda by, form: conferring.Merge(by, form.callid, False))
# Make one talk of the held call and the current one [1245].
asks(
    "POST",
    "/confjoin",
    HeldCallInBody,
    lambda by, form: conferring.Merge(by, form.callid, True, form.callappdata),
)
# Take one party out of the call [1248].
asks("POST", "/disconnect/{number}", PartyNumber, lambda by, form: conferring.Disconnect(by, form.number))
# Leave one of the caller's calls [1246].
asks("POST", "/dropcall/{callid}", HeldCall, lambda by, form: conferring.LeaveCall(by, form.callid))
# Take a transfer back [1243].
asks("POST", "/canceltransfer", Form, lambda by, form: transferring.CancelTransfer(by))
# Take the call that rings at a colleague [1252].
asks("PUT", "/snatchpickup", Colleague, lambda by, form: transferring.PickUp(by, form.agent))
# Release the phone that stands between calls.
asks("DELETE", "/releasephone", Form, lambda by, form: handling.ReleasePhone(by))
# Take a certain call that waits [1251].
asks(
    "POST",
    "/requestcall/{callid}/{skilltype}",
    WaitingCall,
    lambda by, form: requesting.RequestCall(by, form.callid, SkillId(form.skillid) if form.skillid else None),
)
# Put the caller's phone down [1255].
asks("POST PUT", "/phonehangup", Form, lambda by, form: linkage.HangUpPhone(by))
# Nobody hears the agent [1237].
asks("POST", "/beginmute", Form, lambda by, form: handling.Mute(by, True))
# The agent is heard again [1238].
asks("POST", "/endmute", Form, lambda by, form: handling.Mute(by, False))
# Send digits; `#` comes URL-escaped.
asks("POST", "/seconddial/{number}", Digits, lambda by, form: handling.DialOn(by, form.number))
# Send digits named in the query [1244].
asks("POST", "/seconddialex", Digits, lambda by, form: handling.DialOn(by, form.number))
# End the call [1247].
asks("DELETE", "/release", Form, lambda by, form: handling.Release(by))
# End the call, as old clients ask for it [1247].
asks("DELETE", "", Form, lambda by, form: handling.Release(by))


@serves("PUT", "/callout", CallOut)
async def callout(caller: Caller, form: CallOut) -> Answer:
    """Place a call; the answer is its id [1232]."""
    skill = SkillId(form.skillid) if form.skillid else None  # QuickAgent sends 0 for none
    asked = handling.CallOut(caller.agent, form.called, form.caller, skill, form.callappdata)
    return Answer(await caller.desk.call_out(asked))


@serves("POST PUT", "/phonepickup", Form)
async def phone_pickup(caller: Caller, form: Form) -> None:
    """Lift the caller's phone, which rings [1254]."""
    await caller.desk.lift_phone(caller.agent)


@serves("POST", "/reportsound", Form)
async def report_sound(caller: Caller, form: Form) -> None:
    """Say the caller's number to the customer; what clients send with it is not known, and not looked at."""
    await caller.desk.say_number(caller.agent)


@serves("PUT", "/callinner", InnerCall)
async def call_inner(caller: Caller, form: InnerCall) -> Answer:
    """Call another agent; the answer is the call's id [1235]."""
    asked = consulting.CallInner(caller.agent, AgentId(_internal(form.called)), data=form.callappdata)
    return Answer(await caller.desk.call_out(asked))


@serves("PUT", "/callinnerskill", InnerCall)
async def call_inner_skill(caller: Caller, form: InnerCall) -> Answer:
    """Call whoever is free first in a queue; the answer is the call's id [0370]."""
    asked = consulting.CallInner(
        caller.agent, SkillId(_internal(form.called)), queue=True, data=form.callappdata
    )
    return Answer(await caller.desk.call_out(asked))


@serves("POST", "/innerhelp", Help)
async def consult(caller: Caller, form: Help) -> Answer:
    """Consult an agent or a queue; the answer is the id of the call in which they talk [1236]."""
    whom, queue = _internal(form.dstaddress), form.devicetype == _SKILL
    joins = form.mode == _THREE_PARTY
    asked = consulting.Consult(
        caller.agent, SkillId(whom) if queue else AgentId(whom), queue, joins, form.callappdata
    )
    return Answer(await caller.desk.call_out(asked))


@serves("POST", "/transfer", TransferredTo)
async def transfer(caller: Caller, form: TransferredTo) -> None:
    """Hand the customer's call over [1242]. IVRs (device type 3) are not served."""
    how = _HOW.get((form.devicetype, form.mode))
    if how is None:
        raise Refused(Code.BAD_PARAMETER, "this mode does not go with this device type", field="mode")
    data, queue = form.callappdata, form.devicetype in (_SKILL, _ACCESS_CODE)
    to: AgentId | SkillId | str = form.address
    if form.devicetype == _ACCESS_CODE:
        code = caller.desk.profile(caller.agent).access_codes.get(form.address)
        if code is None:
            raise Refused(Code.BAD_PARAMETER, "no such access code", field="address")
        to = code.skill
    elif form.devicetype == _SKILL:
        to = SkillId(_internal(form.address))
    elif form.devicetype == _AGENT:
        to = AgentId(_internal(form.address))
    await caller.desk.ask(transferring.HandOver(caller.agent, to, how, queue, form.caller, data))


def _internal(text: str) -> int:
    """A work number, or the number of a queue."""
    number = natural(text, 10)
    if number is None:
        raise Refused(Code.BAD_PARAMETER, "a work number or the number of a queue is wanted")
    return number
