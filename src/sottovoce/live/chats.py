"""A text chat between two agents, and who is asked into it."""

from __future__ import annotations

from dataclasses import dataclass

from sottovoce.domain.chats import ChatState
from sottovoce.domain.directory import AgentId


@dataclass(slots=True, eq=False)
class Chat:
    """A text chat (`live/chatting.py`)."""

    chat: str
    caller: AgentId
    called: AgentId
    asked: AgentId | None
    """Who may answer now."""
    asked_by: AgentId
    """By whom that was asked last."""
    state: ChatState = ChatState.RINGING

    @property
    def members(self) -> tuple[AgentId, ...]:
        """Who is in it: before the first answer, who began it."""
        return (self.caller,) if self.state is ChatState.RINGING else (self.caller, self.called)

    def other(self, agent: AgentId) -> AgentId:
        """The one with whom that one writes."""
        return self.called if agent == self.caller else self.caller

    def take_over(self) -> None:
        """Who was asked is in it now, in the place of who handed it on."""
        assert self.asked is not None
        if self.asked != self.called:
            self.caller, self.called = self.other(self.asked_by), self.asked
        self.asked = None
