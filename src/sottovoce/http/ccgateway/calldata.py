"""calldata: what is known of calls, and what clients keep with them (cc-gateway.md 3.12)."""

from __future__ import annotations

import base64
import binascii

from pydantic import Field

from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.gateway import Answer, Caller, Interfaces
from sottovoce.http.ccgateway.snapshot import encode_call, encode_held, encode_listed
from sottovoce.http.ccgateway.words import MOST_CALL_DATA, AgentNumber, Form, Queue, Text, Whose
from sottovoce.http.family.form import clean
from sottovoce.live.call_data import SetCallData
from sottovoce.live.views import CallView
from sottovoce.live.waiting import AssignWaiting

INTERFACES = Interfaces("calldata")
serves = INTERFACES.serves
asks = INTERFACES.asks

_LONGEST_ID = 64
_MOST_IN_BASE64 = -(-MOST_CALL_DATA // 3) * 4


class CallInfo(Form):
    """Whether a call that is over is left out."""

    without_last: bool = Field(False, alias="isNoContainLastCall")


class Which(Form):
    """The call asked about."""

    call: Text = Field(alias="callid", max_length=_LONGEST_ID)


class AppData(Form):
    """Of which call, and whether in Base64: `true` in any case; all else is false [1262]."""

    encoded: Text = Field("false", alias="isEncodeResult")
    call: Text | None = Field(None, alias="callId", max_length=_LONGEST_ID)


class NewData(Form):
    """What is kept with a call, by default the one that the caller acts in; nothing takes it away."""

    data: Text = Field("", alias="calldata", max_length=MOST_CALL_DATA)
    call: Text | None = Field(None, alias="callid", max_length=_LONGEST_ID)


class NewDataEx(NewData):
    """The same, perhaps in Base64 [1263]."""

    in_body = True

    data: Text = Field("", alias="calldata", max_length=_MOST_IN_BASE64)
    encoded: bool = Field(False, alias="isDataEncoded")

    def text(self) -> str:
        """What is meant. Raises Refused(BAD_PARAMETER)."""
        if not self.encoded:
            return self.data
        try:
            return clean(base64.b64decode("".join(self.data.split()), validate=True).decode())
        except (binascii.Error, ValueError):
            raise Refused(Code.BAD_PARAMETER, "must be UTF-8 in Base64", field="data") from None


# Keep a text with a call; QuickAgent sends it in the query.
asks("PUT", "", NewData, lambda by, form: SetCallData(by, form.data, form.call))
# The same with the text in the body [1263].
asks("PUT", "/setcalldataex", NewDataEx, lambda by, form: SetCallData(by, form.text(), form.call))


@serves("GET", "/appdata", AppData)
async def app_data(caller: Caller, form: AppData) -> Answer:
    """What is kept with a call of the caller's [1262]."""
    data = next((one.data for one in caller.desk.calls(caller.agent) if form.call in (None, one.call)), None)
    if data is None:
        raise Refused(Code.NO_CALL, "no such call")
    return Answer(base64.b64encode(data.encode()).decode() if form.encoded.lower() == "true" else data)


def _informed(caller: Caller, call: CallView | None) -> Answer:
    if call is None:
        raise Refused(Code.NOT_FOUND, "no call")
    return Answer(encode_call(call, caller.gateway.clock.now()))


@serves("GET", "/callinfo", CallInfo)
async def call_info(caller: Caller, form: CallInfo) -> Answer:
    """The caller's call, or the last one [1261]."""
    return _informed(caller, caller.desk.call_info(caller.agent, include_last=not form.without_last))


@serves("GET", "/callinfobeforeanswer", Form)
async def call_info_before_answer(caller: Caller, form: Form) -> Answer:
    """The call that the caller's phone rings for or that waits for `answer` [1265]; answered at once by the
    server, it may be talking already."""
    return _informed(caller, caller.desk.call_info(caller.agent, include_last=False))


@serves("GET", "/callinfobycallid/{callid}", Which)
async def call_info_by_id(caller: Caller, form: Which) -> Answer:
    """A call by its id [1266]."""
    return _informed(caller, caller.desk.call(caller.agent, form.call))


@serves("GET", "/allcallid", Form)
async def all_call_ids(caller: Caller, form: Form) -> Answer:
    """The ids of the caller's calls."""
    return Answer(list(caller.desk.call_ids(caller.agent)))


@serves("GET", "/allcallinfoEx/{workno}", Whose)
async def call_ids_of(caller: Caller, form: Whose) -> Answer:
    """The ids of an agent's calls [1267]."""
    return Answer([call.call for call in caller.desk.calls(caller.agent, form.target)])


@serves("GET", "/allcallinfo/{workno}", Whose)
async def calls_of(caller: Caller, form: Whose) -> Answer:
    """An agent's calls."""
    now = caller.gateway.clock.now()
    return Answer([encode_call(call, now) for call in caller.desk.calls(caller.agent, form.target)])


@serves("GET", "/allcallinfoinvdn", Form)
async def calls_of_the_vdn(caller: Caller, form: Form) -> Answer:
    """All calls of the VDN."""
    now = caller.gateway.clock.now()
    return Answer([encode_call(call, now) for call in caller.desk.all_calls(caller.agent)])


@serves("GET", "/waitcallinfo/{skillid}", Queue)
async def waiting_calls(caller: Caller, form: Queue) -> Answer:
    """The calls that wait in a queue, the oldest first [1271]."""
    now = caller.gateway.clock.now()
    waiting = caller.desk.waiting_calls(caller.agent, form.skill)
    return Answer([encode_call(call, now) for call in waiting])


class Assigned(Queue):
    """A waiting call, and the queue that it goes to."""

    in_body = True

    call: Text = Field(alias="callid", max_length=_LONGEST_ID)


# Move a call that waits in a queue of the caller's into another [0432].
asks("PUT", "/assignuserinqueue", Assigned, lambda by, form: AssignWaiting(by, form.call, form.skill))


def _held(caller: Caller, target: AgentNumber | None = None) -> list[CallView]:
    return [call for call in caller.desk.calls(caller.agent, target) if call.held_at is not None]


@serves("GET", "/holdlist", Form)
async def held_calls(caller: Caller, form: Form) -> Answer:
    """The calls that the caller holds [1264]."""
    held = _held(caller)
    if not held:
        raise Refused(Code.NO_HELD_CALL, "no call is held")
    return Answer([encode_held(call) for call in held])


@serves("GET", "/holdlistex/{workno}", Whose)
async def held_calls_of(caller: Caller, form: Whose) -> Answer:
    """The calls that an agent holds [1272]."""
    held = _held(caller, form.target)
    if not held:
        raise Refused(Code.NO_HELD_CALL, "no call is held")
    return Answer([encode_listed(call) for call in held])


@serves("GET", "/agentholdnum/{workno}", Whose)
async def number_held(caller: Caller, form: Whose) -> Answer:
    """How many calls an agent holds."""
    return Answer(len(_held(caller, form.target)))


@serves("GET", "/callnums", Form)
async def number_of_calls(caller: Caller, form: Form) -> Answer:
    """How many calls the caller has."""
    return Answer(len(caller.desk.calls(caller.agent)))


@serves("GET", "/isprocesscall", Form)
async def is_in_a_call(caller: Caller, form: Form) -> Answer:
    """Whether the caller has a call."""
    return Answer(bool(caller.desk.calls(caller.agent)))


@serves("GET", "/remotenumbers", Form)
async def remote_numbers(caller: Caller, form: Form) -> Answer:
    """The numbers of those whom the caller talks with or holds."""
    return Answer([number for call in caller.desk.calls(caller.agent) for number in call.others])
