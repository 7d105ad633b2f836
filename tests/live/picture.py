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
    call: str | None = None
    held: bool = False
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
                self.state, self.call, self.held = AgentState.ANSWERING, call, False
            case events.CallTalking(call=call):
                self.state, self.call, self.held = AgentState.TALKING, call, False
            case events.CallHeld():
                self.held = True
            case events.CallReleased() | events.CallNotAnswered() | events.CallOutFailed():
                self.call, self.held = None, False
            case events.PhoneOffHook():
                self.phone = True
            case events.PhoneReleased():
                self.phone = False
            case events.SupervisionStarted(inspector=inspector):
                self.inspectors.add(inspector)
            case events.SupervisionEnded(inspector=inspector):
                self.inspectors.discard(inspector)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Picture:
        """A fresh one; whether the phone is lifted is in no snapshot."""
        call = snapshot.call
        return cls(
            snapshot.agent.state,
            None if call is None else call.call,
            call is not None and call.held_at is not None,
            inspectors={one.inspector for one in snapshot.inspected_by},
        )
