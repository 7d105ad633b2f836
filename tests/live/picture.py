"""What an agent's client can know from a snapshot and the events after it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId
from sottovoce.live.views import Snapshot


@dataclass
class Picture:
    """What an agent's client knows from events alone."""

    state: AgentState
    calls: dict[str, bool] = field(default_factory=dict)
    """Those that ring or talk, and whether each is held; the last is the one that the agent acts in."""
    phone: bool = False
    inspectors: set[AgentId] = field(default_factory=set)

    def learn(self, event: events.AgentEvent) -> None:
        match event:
            case events.AgentReady():
                self.state = AgentState.IDLE
            case events.AgentPreoccupied():
                self.state = AgentState.PREOCCUPIED
            case events.AgentWorking() | events.AgentSetWork():
                self.state = AgentState.WRAP_UP
            case events.AgentSetBusy():
                self.state = AgentState.BUSY
            case events.AgentSetRest():
                self.state = AgentState.REST
            case events.AgentBusyCancelled() | events.AgentRestCancelled() | events.AgentWorkCancelled():
                if not self.state.engaged:
                    self.state = AgentState.IDLE
            case events.CallRinging(call=call):
                self.state = AgentState.ANSWERING
                self.acts_in(call)
            case events.CallTalking(call=call):
                self.state = AgentState.TALKING
                self.acts_in(call)
            case events.Conferred(call=call):
                self.acts_in(call)
            case events.CallHeld(call=call):
                self.calls[call] = True
            case events.CustomerReleased(call=call) if call != self.call:
                self.calls.pop(call, None)
            case events.CallReleased(call=call) | events.CallNotAnswered(call=call):
                self.calls.pop(call, None)
            case events.PhoneOffHook():
                self.phone = True
            case events.PhoneReleased():
                self.phone = False
            case events.SupervisionStarted(inspector=inspector):
                self.inspectors.add(inspector)
            case events.SupervisionEnded(inspector=inspector):
                self.inspectors.discard(inspector)

    def acts_in(self, call: str) -> None:
        """That call is the one that the agent acts in."""
        self.calls.pop(call, None)
        self.calls[call] = False

    @property
    def call(self) -> str | None:
        """The call that the agent acts in."""
        return next(reversed(self.calls), None)

    @property
    def held(self) -> bool:
        """Whether it is held."""
        return bool(self.calls) and self.calls[next(reversed(self.calls))]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Picture:
        """A fresh one; whether the phone is lifted is in no snapshot."""
        call = snapshot.call
        return cls(
            snapshot.agent.state,
            {} if call is None else {call.call: call.held_at is not None},
            inspectors={one.inspector for one in snapshot.inspected_by},
        )
