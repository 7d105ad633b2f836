"""voicecall: placing, answering, holding, muting and releasing the caller's calls (cc-gateway.md 3.11)."""

from __future__ import annotations

from pydantic import Field

from sottovoce.domain.directory import SkillId
from sottovoce.http.ccgateway.gateway import Answer, Caller, Interfaces
from sottovoce.http.ccgateway.words import Form, Number, Text
from sottovoce.live import handling

INTERFACES = Interfaces("voicecall")
serves = INTERFACES.serves

_DIGITS = r"^[0-9*#]{1,24}$"


class CallOut(Form):
    """Whom to call [1232]."""

    in_body = True

    called: Text = Field(max_length=24)
    caller: Text = Field("", max_length=24)
    skillid: Number | None = Field(None, ge=0, le=2**31 - 1)
    callappdata: Text = Field("", max_length=16 * 1024)
    mediaability: Number = Field(0, ge=0, le=2)


@serves("PUT", "/callout", CallOut, message="success")
async def callout(caller: Caller, form: CallOut) -> Answer:
    """Place a call; the answer is its id [1232]."""
    skill = None if form.skillid is None else SkillId(form.skillid)
    return Answer(await caller.desk.call_out(handling.CallOut(caller.agent, form.called, form.caller, skill)))


class WhichCall(Form):
    """A call of the caller; without it the one that fits."""

    callid: Text | None = Field(None, max_length=64)


@serves("PUT", "/answer", WhichCall, message="success")
async def answer(caller: Caller, form: WhichCall) -> None:
    """Take the ringing call [1234]."""
    await caller.desk.ask(handling.Answer(caller.agent, form.callid))


@serves("POST", "/hold", Form, message="success")
async def hold(caller: Caller, form: Form) -> None:
    """Music for the customer [1239]."""
    await caller.desk.ask(handling.Hold(caller.agent))


@serves("POST", "/gethold", WhichCall, message="success")
async def get_hold(caller: Caller, form: WhichCall) -> None:
    """Take the held call back [1241]."""
    await caller.desk.ask(handling.TakeBack(caller.agent, form.callid))


@serves("POST", "/beginmute", Form, message="success")
async def begin_mute(caller: Caller, form: Form) -> None:
    """Nobody hears the agent [1237]."""
    await caller.desk.ask(handling.Mute(caller.agent, True))


@serves("POST", "/endmute", Form, message="success")
async def end_mute(caller: Caller, form: Form) -> None:
    """The agent is heard again [1238]."""
    await caller.desk.ask(handling.Mute(caller.agent, False))


class Digits(Form):
    """What to dial during the call."""

    number: Text = Field(pattern=_DIGITS)


@serves("POST", "/seconddial/{number}", Digits, message="success")
async def second_dial(caller: Caller, form: Digits) -> None:
    """Send digits; `#` comes URL-escaped."""
    await caller.desk.ask(handling.DialOn(caller.agent, form.number))


@serves("POST", "/seconddialex", Digits, message="success")
async def second_dial_ex(caller: Caller, form: Digits) -> None:
    """Send digits named in the query [1244]."""
    await caller.desk.ask(handling.DialOn(caller.agent, form.number))


@serves("DELETE", "/release", Form, message="success")
async def release(caller: Caller, form: Form) -> None:
    """End the call [1247]."""
    await caller.desk.ask(handling.Release(caller.agent))


@serves("DELETE", "", Form, message="success")
async def release_ex(caller: Caller, form: Form) -> None:
    """End the call, as old clients ask for it [1247]."""
    await caller.desk.ask(handling.Release(caller.agent))
