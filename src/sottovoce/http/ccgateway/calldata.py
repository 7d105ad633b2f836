"""calldata: what is known of the caller's calls (cc-gateway.md 3.12)."""

from __future__ import annotations

from pydantic import Field

from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.gateway import Answer, Caller, Interfaces
from sottovoce.http.ccgateway.snapshot import encode_call
from sottovoce.http.ccgateway.words import Form

INTERFACES = Interfaces("calldata", message="success")
serves = INTERFACES.serves


class CallInfo(Form):
    """Whether a call that is over is left out."""

    without_last: bool = Field(False, alias="isNoContainLastCall")


@serves("GET", "/callinfo", CallInfo)
async def call_info(caller: Caller, form: CallInfo) -> Answer:
    """The caller's call, or the last one."""
    call = caller.desk.call_info(caller.agent, include_last=not form.without_last)
    if call is None:
        raise Refused(Code.NOT_FOUND, "no call")
    return Answer(encode_call(call))


@serves("GET", "/allcallid", Form)
async def all_call_ids(caller: Caller, form: Form) -> Answer:
    """The ids of the caller's calls."""
    return Answer(list(caller.desk.call_ids(caller.agent)))
