"""The pictures of calls and agents that several interfaces answer, in the wire's spelling.

Field names are those of [1226], [1026] and [C#e]; where no page gives a field's type, the ledger marks it
as inferred.
"""

from __future__ import annotations

from datetime import datetime

from sottovoce.domain.agents import AgentState
from sottovoce.http.ccgateway.events import milliseconds
from sottovoce.http.ccgateway.states import FEATURE, ORDINARY_CALL, VOICE, display_state, gateway_state
from sottovoce.live.views import CallView, Snapshot

_NO_COMMAND = 0
_NO_TRUNK = 65535
"""As the page's example has it where no trunk is named."""


def optional_ms(at: datetime | None) -> int:
    """Milliseconds since the epoch; 0 for what has not happened."""
    return 0 if at is None else milliseconds(at)


def encode_listed(call: CallView) -> dict[str, object]:
    """A call in short, as holdlistex lists it [1272]."""
    return {
        "callfeature": FEATURE[call.direction],
        "callid": call.call,
        "caller": call.caller,
        "called": call.called,
        "callskill": call.skill_name,
    }


def encode_held(call: CallView) -> dict[str, object]:
    """A call as holdlist lists it [1264]."""
    return {
        **encode_listed(call),
        "callskillid": call.skill or 0,
        "orgicallednum": call.called,
        "calldata": call.data,
        "begintime": milliseconds(call.began_at),
        "endtime": optional_ms(call.ended_at),
    }


def encode_call(call: CallView, now: datetime) -> dict[str, object]:
    """A call's information, as callinfo answers it [1261, 1266, 1271]. `logontimes` in s."""
    lasted = (call.ended_at or now) - call.began_at
    return {
        **encode_held(call),
        "userPriority": 0,
        "trunkNo": _NO_TRUNK,
        "logontimes": max(0, int(lasted.total_seconds())),
        "mediaType": ORDINARY_CALL,
        "mediaAbility": VOICE,
    }


def encode_snapshot(snapshot: Snapshot) -> dict[str, object]:
    """`callinfo` and `agentStateInfo` of syncagentinfo [1226]."""
    call, agent = snapshot.call, snapshot.agent
    inspecting = snapshot.inspecting
    held = call is not None and call.held_at is not None
    return {
        "callinfo": {} if call is None else encode_call(call, snapshot.at),
        "agentStateInfo": {
            "workNo": str(agent.agent),
            "state": display_state(snapshot),
            "lastState": gateway_state(agent.state, agent.pending),
            "agentStateBeginTime": optional_ms(agent.since),
            "currentTime": milliseconds(snapshot.at),
            "preBusy": agent.pending is AgentState.BUSY,
            "preRest": agent.pending is AgentState.REST,
            "qcWorkNo": "" if inspecting is None else str(inspecting.target),
            "callFeature": -1 if call is None else FEATURE[call.direction],
            "talkingCallfeature": -1 if call is None else FEATURE[call.direction],
            "callData": "" if call is None else call.data,
            "curCallId": "" if call is None else call.call,
            "mainCallId": "" if call is None else call.call,
            "holdCallId": call.call if call is not None and held else "",
            "callerNo": "" if call is None else call.caller,
            "calledNo": "" if call is None else call.called,
            "partner": "",
            "beginTalkingTime": 0 if call is None else optional_ms(call.talked_at),
            "beginHoldTime": 0 if call is None else optional_ms(call.held_at),
            "secondTalkingTime": 0,
            "firsttalkingFlag": call is not None and call.talked_at is not None,
            "releaseFlag": call is not None and call.ended_at is not None,
            "recordID": (call.recording or "") if call is not None else "",
            "curCommand": _NO_COMMAND,
            "cmdBeginTime": 0,
        },
    }
