"""The numbers of states (cc-gateway.md 3.10): every word of the domain has one, as the table prints it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sottovoce.domain.agents import AgentState
from sottovoce.domain.calls import CallDirection, CallState, InnerKind
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.supervision import Mode
from sottovoce.http.ccgateway.states import (
    CTI,
    FEATURE,
    GATEWAY,
    QC_TYPE,
    SIGN_IN,
    SWITCH,
    display_state,
    gateway_state,
)
from sottovoce.live.views import AgentView, CallView, Snapshot, SupervisionView

T = datetime(2026, 1, 1, tzinfo=UTC)
PRINTED = {0: {9}, 2: {0}, 3: {7}, 4: {1}, 5: {6}, 7: {2, 3, 4, 5}, 8: {8}}
"""Gateway value to the CTI values that it stands for [0581]."""


def test_tables_are_total() -> None:
    assert GATEWAY.keys() == CTI.keys() == set(AgentState)
    assert QC_TYPE.keys() == set(SWITCH.values()) == set(Mode)
    assert FEATURE.keys() == {*CallDirection, *InnerKind}


def test_gateway_and_cti_numbers_agree_as_printed() -> None:
    for state in AgentState:
        assert CTI[state] in PRINTED[GATEWAY[state]], state
    assert all(GATEWAY[state] == number for number, state in SIGN_IN.items())


def test_a_rest_asked_for_during_a_call_is_pre_rest() -> None:
    assert gateway_state(AgentState.TALKING, AgentState.REST) == 9
    assert gateway_state(AgentState.TALKING, AgentState.BUSY) == 7
    assert gateway_state(AgentState.REST, None) == 8


def _picture(
    state: AgentState,
    call: CallState | None = None,
    *,
    muted: bool = False,
    mode: Mode | None = None,
    reaching: bool = False,
) -> Snapshot:
    agent = AgentView(AgentId(101), VdnId(1), "Ann", 0, state, None, T, (), "1101", T, ())
    shown = call and CallView(
        "1-1", CallDirection.INBOUND, call, "555", "801", None, "", T, T, None, None, muted, None
    )
    supervision = mode and SupervisionView(AgentId(101), AgentId(102), mode, reaching, T)
    return Snapshot(T, agent, 0, shown, supervision, (), 0)


@pytest.mark.parametrize(
    ("picture", "number"),
    [
        (_picture(AgentState.IDLE), 1),
        (_picture(AgentState.WRAP_UP), 2),
        (_picture(AgentState.REST), 3),
        (_picture(AgentState.BUSY), 4),
        (_picture(AgentState.PREOCCUPIED, CallState.DIALLING), 6),
        (_picture(AgentState.PREOCCUPIED), 7),
        (_picture(AgentState.ANSWERING, CallState.ALERTING), 8),
        (_picture(AgentState.TALKING, CallState.TALKING), 9),
        (_picture(AgentState.TALKING, CallState.HELD), 11),
        (_picture(AgentState.TALKING, CallState.TALKING, muted=True), 12),
        (_picture(AgentState.PREOCCUPIED, mode=Mode.INSERT), 15),
        (_picture(AgentState.PREOCCUPIED, mode=Mode.LISTEN), 16),
        (_picture(AgentState.PREOCCUPIED, mode=Mode.WHISPER), 17),
        (_picture(AgentState.PREOCCUPIED, mode=Mode.WHISPER, reaching=True), 7),
        (_picture(AgentState.SIGNED_OUT), 255),
    ],
)
def test_display_states(picture: Snapshot, number: int) -> None:
    assert display_state(picture) == number
