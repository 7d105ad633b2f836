"""voicecall: placing, answering, holding, muting and releasing the caller's calls (cc-gateway.md 3.11)."""

from __future__ import annotations

from pydantic import Field

from sottovoce.domain.directory import SkillId
from sottovoce.http.ccgateway.gateway import Answer, Caller, Interfaces
from sottovoce.http.ccgateway.words import MOST_CALL_DATA, Form, Number, Text
from sottovoce.live import handling

INTERFACES = Interfaces("voicecall", message="success")
serves = INTERFACES.serves
asks = INTERFACES.asks

_DIGITS = r"^[0-9*#]{1,24}$"


class CallOut(Form):
    """Whom to call [1232]."""

    in_body = True

    called: Text = Field(max_length=24)
    caller: Text = Field("", max_length=24)
    skillid: Number | None = Field(None, ge=0, le=2**31 - 1)
    callappdata: Text = Field("", max_length=MOST_CALL_DATA)
    mediaability: Number = Field(0, ge=0, le=2)


class WhichCall(Form):
    """A call of the caller; without it the one that fits."""

    callid: Text | None = Field(None, max_length=64)


class Digits(Form):
    """What to dial during the call."""

    number: Text = Field(pattern=_DIGITS)


# Take the ringing call [1234].
asks("PUT", "/answer", WhichCall, lambda by, form: handling.Answer(by, form.callid))
# Music for the customer [1239].
asks("POST", "/hold", Form, lambda by, form: handling.Hold(by))
# Take the held call back [1241].
asks("POST", "/gethold", WhichCall, lambda by, form: handling.TakeBack(by, form.callid))
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
