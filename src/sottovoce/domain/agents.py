"""An agent's states, and what may follow what: one table state x trigger, with no empty cell.

A wish that comes during a call (busy, rest, wrap-up) is kept as *pending* and becomes true when the call
is over. The numbers that clients know for these states live in the wire adapter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, IntEnum, StrEnum

from sottovoce.domain.grids import read_grid, words
from sottovoce.errors import Code, Refused


class AgentState(StrEnum):
    """What an agent is doing."""

    SIGNED_OUT = "signed_out"
    IDLE = "idle"
    PREOCCUPIED = "preoccupied"
    """Seized: the phone rings for a call, or the agent inspects another."""
    ANSWERING = "answering"
    """The phone is lifted and the call waits for `answer`."""
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    BUSY = "busy"
    REST = "rest"

    @property
    def engaged(self) -> bool:
        """Whether a call or a supervision holds the agent."""
        return self in (AgentState.PREOCCUPIED, AgentState.ANSWERING, AgentState.TALKING)


class BusyReason(IntEnum):
    """Why an agent is busy (CC-Gateway page 1346); 200 to 250 are the agent's own."""

    NONE = 0
    SELF = 1
    NO_ANSWER = 2
    INSPECTOR = 3
    REST = 4
    PHONE = 5
    REJECTED = 7


class Trigger(StrEnum):
    """What changes an agent's state."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    LAPSE = "lapse"
    """The client gave no sign of life for too long, or the agent is configured no more."""
    SAY_BUSY = "say_busy"
    CANCEL_BUSY = "cancel_busy"
    SAY_IDLE = "say_idle"
    REST = "rest"
    CANCEL_REST = "cancel_rest"
    WORK = "work"
    CANCEL_WORK = "cancel_work"
    FORCE_BUSY = "force_busy"
    FORCE_IDLE = "force_idle"
    FORCE_REST = "force_rest"
    SEIZE = "seize"
    """A call or a supervision takes the agent."""
    LIFT = "lift"
    """The phone is off-hook and `answer` is awaited."""
    TALK = "talk"
    OVER = "over"
    """A call that talked is over."""
    FREED = "freed"
    """The call or supervision that seized the agent is gone without wrap-up."""
    SILENT = "silent"
    """The agent let the call ring, or the phone could not be had."""


class TriggerOutcome(Enum):
    """Outcomes of a trigger that are not simply the next state."""

    REFUSE = "refuse"
    STAY = "stay"
    WAIT = "wait"
    """Comes when no call holds the agent any more: a customer is not cut off for it."""
    LATER = "later"
    """Kept as pending until the call is over."""
    FORGET = "forget"
    """What was pending is forgotten."""
    SETTLE = "settle"
    """The pending state, else wrap-up or idle as the agent's setting says."""
    RETURN = "return"
    """The pending state, else idle."""


_GRID = """
             signed_out  idle         preoccupied  answering  talking  wrap_up      busy         rest
sign_in      idle        refuse       refuse       refuse     refuse   refuse       refuse       refuse
sign_out     refuse      signed_out   signed_out   signed_out signed_out signed_out signed_out   signed_out
lapse        refuse      signed_out   wait         wait       wait     signed_out   signed_out   signed_out
say_busy     refuse      busy         later        later      later    busy         busy         busy
cancel_busy  refuse      refuse       forget       forget     forget   refuse       idle         refuse
say_idle     refuse      stay         forget       forget     forget   idle         idle         idle
rest         refuse      rest         later        later      later    rest         rest         rest
cancel_rest  refuse      refuse       forget       forget     forget   refuse       refuse       idle
work         refuse      wrap_up      later        later      later    stay         wrap_up      refuse
cancel_work  refuse      refuse       forget       forget     forget   idle         refuse       refuse
force_busy   refuse      busy         later        later      later    busy         busy         busy
force_idle   refuse      stay         forget       forget     forget   idle         idle         idle
force_rest   refuse      rest         later        later      later    rest         rest         rest
seize        refuse      preoccupied  refuse       refuse     refuse   preoccupied  preoccupied  preoccupied
lift         refuse      refuse       answering    stay       refuse   refuse       refuse       refuse
talk         refuse      refuse       talking      talking    stay     refuse       refuse       refuse
over         refuse      stay         return       return     settle   stay         stay         stay
freed        refuse      stay         return       return     return   stay         stay         stay
silent       refuse      busy         busy         busy       busy     stay         stay         stay
"""

TABLE: Mapping[tuple[AgentState, Trigger], AgentState | TriggerOutcome] = read_grid(
    _GRID, AgentState, Trigger, {**words(AgentState), **words(TriggerOutcome)}
)

_WISHES: Mapping[Trigger, AgentState] = {
    Trigger.SAY_BUSY: AgentState.BUSY,
    Trigger.FORCE_BUSY: AgentState.BUSY,
    Trigger.REST: AgentState.REST,
    Trigger.FORCE_REST: AgentState.REST,
    Trigger.WORK: AgentState.WRAP_UP,
}
_CANCELS: Mapping[Trigger, AgentState] = {
    Trigger.CANCEL_BUSY: AgentState.BUSY,
    Trigger.CANCEL_REST: AgentState.REST,
    Trigger.CANCEL_WORK: AgentState.WRAP_UP,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an agent stands: the state, what is pending, and why."""

    state: AgentState = AgentState.SIGNED_OUT
    reason: int = 0
    """Why busy (`BusyReason` or 200-250), or the cause of a rest (0-255)."""
    rest_seconds: int = 0
    pending: AgentState | None = None
    pending_reason: int = 0
    pending_rest_seconds: int = 0

    def after(
        self, trigger: Trigger, *, auto_idle: bool = True, reason: int = 0, rest_seconds: int = 0
    ) -> Standing:
        """Where the agent stands after `trigger`; raises Refused(WRONG_AGENT_STATE)."""
        cell = TABLE[self.state, trigger]
        if cell is TriggerOutcome.REFUSE:
            raise Refused(Code.WRONG_AGENT_STATE, f"{trigger} does not go with {self.state}")
        if cell in (TriggerOutcome.STAY, TriggerOutcome.WAIT):
            return self
        if cell is TriggerOutcome.LATER:
            return replace(
                self,
                pending=_WISHES[trigger],
                pending_reason=reason,
                pending_rest_seconds=rest_seconds,
            )
        if cell is TriggerOutcome.FORGET:
            wanted = _CANCELS.get(trigger)
            if wanted is not None and self.pending is not wanted:
                raise Refused(Code.WRONG_AGENT_STATE, f"nothing to cancel: {trigger}")
            return replace(self, pending=None, pending_reason=0, pending_rest_seconds=0)
        if cell in (TriggerOutcome.SETTLE, TriggerOutcome.RETURN):
            rest = AgentState.WRAP_UP if cell is TriggerOutcome.SETTLE and not auto_idle else AgentState.IDLE
            return Standing(self.pending or rest, self.pending_reason, self.pending_rest_seconds)
        assert isinstance(cell, AgentState)
        if trigger is Trigger.SEIZE:
            if self.state in (AgentState.BUSY, AgentState.REST):
                return Standing(
                    cell,
                    pending=self.state,
                    pending_reason=self.reason,
                    pending_rest_seconds=self.rest_seconds,
                )
            return Standing(cell)
        if cell.engaged:
            return replace(self, state=cell, reason=0)
        return Standing(cell, reason, rest_seconds)
