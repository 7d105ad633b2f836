"""A call's life: one table state x trigger with no empty cell.

A call begins between a customer and one agent, or between two agents; an intercept changes the agent, a
transfer hands it on, and others can join it (`docs/decisions/0037-calls-with-parties.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sottovoce.domain.grids import read_grid, words
from sottovoce.errors import Code, Refused


class CallDirection(StrEnum):
    """Who called whom."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class InnerKind(StrEnum):
    """A call between agents, of which nothing is kept; no customer takes part."""

    PLAIN = "plain"
    CONSULT = "consult"
    """An agent asks another while the customer is held."""
    THREE_PARTY = "three_party"
    """The other is asked into the talk with the customer."""


class CallState(StrEnum):
    """Where a call is."""

    ARRIVING = "arriving"
    """Offered; the trunk is being answered or announced."""
    QUEUED = "queued"
    """Waits in a skill queue with music."""
    ALERTING = "alerting"
    """An agent is seized: the phone rings, or `answer` is awaited."""
    DIALLING = "dialling"
    """Outbound: the agent's phone rings, then the customer's."""
    JOINING = "joining"
    """The agent talks as soon as the customer's leg is up (early media)."""
    TALKING = "talking"
    HELD = "held"
    ENDED = "ended"


class CallTrigger(StrEnum):
    """What moves a call on."""

    ENTER = "enter"
    """The customer's leg is up, or announced with early media."""
    ASSIGN = "assign"
    """The queue gives the call to an agent."""
    UNANSWERED = "unanswered"
    """The agent did not take it: back to the head of the queue."""
    JOIN = "join"
    """The agent took it and the customer's leg must still be answered."""
    TALK = "talk"
    HOLD = "hold"
    TAKE_BACK = "take_back"
    INTERCEPT = "intercept"
    HAND_ON = "hand_on"
    """The agent gives the call away without waiting for who takes it."""
    END = "end"


_GRID = """
            arriving      queued        alerting      dialling      joining       talking       held         ended
enter       queued        queued        alerting      dialling      joining       talking       held         no_call
assign      wrong         alerting      wrong         wrong         wrong         wrong         wrong        no_call
unanswered  wrong         wrong         queued        wrong         queued        wrong         wrong        no_call
join        wrong         wrong         joining       wrong         wrong         wrong         wrong        no_call
talk        wrong         wrong         talking       talking       talking       wrong         wrong        no_call
hold        no_call       no_call       no_call       no_call       no_call       held          wrong        no_call
take_back   no_held_call  no_held_call  no_held_call  no_held_call  no_held_call  no_held_call  talking      no_held_call
intercept   no_call       no_call       no_call       no_call       no_call       talking       talking      no_call
hand_on     no_call       no_call       no_call       no_call       no_call       queued        queued       no_call
end         ended         ended         ended         ended         ended         ended         ended        no_call
"""  # noqa: E501 - a grid is read whole

TABLE: Mapping[tuple[CallState, CallTrigger], CallState | Code] = read_grid(
    _GRID,
    CallState,
    CallTrigger,
    {
        **words(CallState),
        "wrong": Code.WRONG_CALL_STATE,
        "no_call": Code.NO_CALL,
        "no_held_call": Code.NO_HELD_CALL,
    },
)


def move(state: CallState, trigger: CallTrigger) -> CallState:
    """The state after `trigger`; raises Refused with the cell's code."""
    cell = TABLE[state, trigger]
    if isinstance(cell, Code):
        raise Refused(cell, f"{trigger} does not go with a call that is {state}")
    return cell
