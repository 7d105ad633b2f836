"""The desk's use cases about calls."""

from __future__ import annotations

from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.errors import Code, Refused
from sottovoce.live import pictures
from sottovoce.live.commands import Answer, CallOut, DialOn, Hold, Mute, Release, TakeBack
from sottovoce.live.front import Front
from sottovoce.live.views import CallView


class CallDesk(Front):
    """What an agent does with his calls."""

    async def call_out(
        self, agent: AgentId, called: str, caller: str = "", skill: SkillId | None = None
    ) -> str:
        """Place a call; its id. BAD_NUMBER, NUMBER_NOT_ALLOWED, NO_RIGHT, WRONG_AGENT_STATE."""
        await self._ask(agent, CallOut(agent, called, caller, skill))
        call = self._seat(agent).call
        if call is None:
            raise Refused(Code.UNAVAILABLE, "the call failed at once")
        return call.call

    async def answer(self, agent: AgentId, call: str | None = None) -> None:
        """Take the ringing call. NOTHING_TO_ANSWER (also before the phone is lifted)."""
        await self._ask(agent, Answer(agent, call))

    async def hold(self, agent: AgentId) -> None:
        """The customer hears music and nobody else. NO_CALL, WRONG_CALL_STATE."""
        await self._ask(agent, Hold(agent))

    async def take_back(self, agent: AgentId, call: str | None = None) -> None:
        """End the hold. NO_HELD_CALL."""
        await self._ask(agent, TakeBack(agent, call))

    async def release(self, agent: AgentId) -> None:
        """End the call. NO_CALL."""
        await self._ask(agent, Release(agent))

    async def mute(self, agent: AgentId) -> None:
        """The agent is heard by nobody. NO_CALL, WRONG_CALL_STATE when muted already."""
        await self._ask(agent, Mute(agent, True))

    async def unmute(self, agent: AgentId) -> None:
        """Heard again. NO_CALL, WRONG_CALL_STATE when not muted."""
        await self._ask(agent, Mute(agent, False))

    async def send_digits(self, agent: AgentId, digits: str) -> None:
        """RFC 4733 digits to the customer: 1-24 of 0-9 * #. BAD_PARAMETER, NO_CALL."""
        await self._ask(agent, DialOn(agent, digits))

    def call_info(self, agent: AgentId, *, include_last: bool = True) -> CallView | None:
        """The agent's call, or (with `include_last`) the last one."""
        floor = self._floor(agent)
        seat = floor.seat(agent)
        shown = seat.call or (seat.last_call if include_last else None)
        return pictures.call(floor, shown) if shown is not None else None

    def call_ids(self, agent: AgentId) -> tuple[str, ...]:
        """The ids of the agent's calls."""
        return pictures.call_ids(self._seat(agent))
