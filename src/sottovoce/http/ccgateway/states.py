"""The numbers that clients know agents' states, calls and supervisions by [0581, 0582, 0542]."""

from __future__ import annotations

from collections.abc import Mapping

from sottovoce.domain.agents import AgentState
from sottovoce.domain.calls import CallDirection, CallState, InnerKind
from sottovoce.domain.supervision import Mode
from sottovoce.live.views import Snapshot

GATEWAY: Mapping[AgentState, int] = {
    AgentState.SIGNED_OUT: 2,
    AgentState.BUSY: 3,
    AgentState.IDLE: 4,
    AgentState.WRAP_UP: 5,
    AgentState.PREOCCUPIED: 7,
    AgentState.ANSWERING: 7,
    AgentState.TALKING: 7,
    AgentState.REST: 8,
}
PRE_REST = 9
"""Rest was asked for during a call."""

CTI: Mapping[AgentState, int] = {
    AgentState.SIGNED_OUT: 0,
    AgentState.IDLE: 1,
    AgentState.PREOCCUPIED: 2,
    AgentState.ANSWERING: 4,
    AgentState.TALKING: 5,
    AgentState.WRAP_UP: 6,
    AgentState.BUSY: 7,
    AgentState.REST: 8,
}

_DISPLAY: Mapping[AgentState, int] = {
    AgentState.SIGNED_OUT: 255,
    AgentState.IDLE: 1,
    AgentState.WRAP_UP: 2,
    AgentState.REST: 3,
    AgentState.BUSY: 4,
    AgentState.PREOCCUPIED: 7,
    AgentState.ANSWERING: 8,
    AgentState.TALKING: 9,
}
_DISPLAY_INSPECTING: Mapping[Mode, int] = {Mode.INSERT: 15, Mode.LISTEN: 16, Mode.WHISPER: 17}
_DISPLAY_PLAYBACK, _DISPLAY_OUTBOUND, _DISPLAY_HOLD, _DISPLAY_MUTE = 5, 6, 11, 12

FEATURE: Mapping[CallDirection | InnerKind, int] = {
    CallDirection.INBOUND: 0,
    InnerKind.PLAIN: 6,
    CallDirection.OUTBOUND: 7,
    InnerKind.CONSULT: 51,
    InnerKind.THREE_PARTY: 52,
}

QC_TYPE: Mapping[Mode, int] = {Mode.LISTEN: 8, Mode.INSERT: 9, Mode.WHISPER: 20172}
"""20172 and 20173 both mean whisper; what tells them apart was not found."""

WATCHED: Mapping[AgentState, str] = {
    AgentState.IDLE: "QC_AgentState_Idle",
    AgentState.BUSY: "QC_AgentState_Busy",
    AgentState.WRAP_UP: "QC_AgentState_Work",
    AgentState.REST: "QC_AgentState_Rest",
    AgentState.PREOCCUPIED: "QC_AgentState_WaitAlerting",
    AgentState.ANSWERING: "QC_AgentState_WaitAnswer",
    AgentState.TALKING: "QC_AgentState_Active",
}
"""`subtype` of QC_AgentState_Notify: one client knows the names [Java], what they mean is inferred."""

SIGN_IN: Mapping[int, AgentState] = {3: AgentState.BUSY, 4: AgentState.IDLE, 5: AgentState.WRAP_UP}
SWITCH: Mapping[int, Mode] = {0: Mode.LISTEN, 1: Mode.INSERT, 2: Mode.WHISPER}

VOICE = 1
"""mediaAbility."""
ORDINARY_CALL = 5
"""mediaType of an ordinary audio call."""


def gateway_state(state: AgentState, pending: AgentState | None) -> int:
    """`agentState` and `status`."""
    if state.engaged and pending is AgentState.REST:
        return PRE_REST
    return GATEWAY[state]


def display_state(snapshot: Snapshot) -> int:
    """`state` of syncagentinfo."""
    if snapshot.inspecting is not None and not snapshot.inspecting.reaching:
        return _DISPLAY_INSPECTING[snapshot.inspecting.mode]
    if snapshot.playing:
        return _DISPLAY_PLAYBACK
    call = snapshot.call
    if call is not None and call.state is CallState.HELD:
        return _DISPLAY_HOLD
    if call is not None and call.state is CallState.DIALLING:
        return _DISPLAY_OUTBOUND
    if call is not None and call.muted and snapshot.agent.state is AgentState.TALKING:
        return _DISPLAY_MUTE
    return _DISPLAY[snapshot.agent.state]
