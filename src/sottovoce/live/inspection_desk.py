"""The desk's use cases of inspectors: supervision, forced states, drops."""

from __future__ import annotations

from collections.abc import Sequence

from sottovoce.domain.agents import Trigger
from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code, Refused
from sottovoce.live.commands import (
    ChangeMode,
    ChangeState,
    ChooseSkills,
    DropCall,
    Intercept,
    SignOutAgent,
    StopSupervision,
    Supervise,
)
from sottovoce.live.front import Front
from sottovoce.live.presence_desk import check_rest


class InspectionDesk(Front):
    """What an inspector does to others."""

    async def supervise(self, inspector: AgentId, target: AgentId, mode: Mode) -> None:
        """Begin. NO_RIGHT, TARGET_IS_SELF, TARGET_UNKNOWN, TARGET_NOT_SIGNED_IN, WRONG_AGENT_STATE
        (the inspector is not idle), WRONG_SUPERVISION_STATE (supervises already), MEDIA_EXHAUSTED (too many
        inspectors on the agent), UNAVAILABLE."""
        if inspector in self._starting:
            raise Refused(Code.WRONG_SUPERVISION_STATE, "one supervision at a time")
        self._starting[inspector] = (target, mode)
        try:
            await self._ask_in_turn(inspector, Supervise(inspector, target, mode))
        finally:
            del self._starting[inspector]

    async def toggle(self, inspector: AgentId, target: AgentId) -> None:
        """Listen to insert and back. NOT_SUPERVISED, WRONG_SUPERVISION_STATE, TARGET_IS_SELF, NO_RIGHT,
        UNAVAILABLE."""
        await self._ask_in_turn(inspector, ChangeMode(inspector, target, None))

    async def change_mode(self, inspector: AgentId, target: AgentId | None, mode: Mode) -> None:
        """Change to `mode`; None is the agent supervised now. NOT_SUPERVISED, TARGET_IS_SELF, NO_RIGHT,
        UNAVAILABLE; back to listen never waits for the store."""
        await self._ask_in_turn(inspector, ChangeMode(inspector, target, mode))

    async def stop(self, inspector: AgentId, target: AgentId | None, *, whisper: bool = False) -> None:
        """End the supervision; with `whisper` only one that whispers. NOT_SUPERVISED,
        WRONG_SUPERVISION_STATE, TARGET_IS_SELF; NO_RIGHT only where nothing runs. Waits for no store."""
        starting = self._starting.get(inspector)
        floor = self._floor(inspector)
        if starting is not None and floor.seat(inspector).inspecting is None:
            if target not in (None, starting[0]):
                raise Refused(Code.NOT_SUPERVISED, f"agent {target} is not supervised")
            self._last_turn[inspector] = next(self._turn)
            return
        await self._ask_in_turn(inspector, StopSupervision(inspector, target, whisper))

    async def intercept(self, inspector: AgentId, target: AgentId, call: str | None = None) -> None:
        """Take the call over. NOT_SUPERVISED, WRONG_SUPERVISION_STATE, TARGET_IS_SELF, NO_CALL, NO_RIGHT,
        UNAVAILABLE."""
        await self._ask_in_turn(inspector, Intercept(inspector, target, call))

    async def force_busy(self, inspector: AgentId, target: AgentId) -> None:
        """Busy now or after the call, reason 3. NO_RIGHT, TARGET_IS_SELF, TARGET_UNKNOWN,
        TARGET_NOT_SIGNED_IN, UNAVAILABLE."""
        await self._ask(inspector, ChangeState(target, Trigger.FORCE_BUSY, by=inspector))

    async def force_idle(self, inspector: AgentId, target: AgentId) -> None:
        """Idle; during a call, what was pending is forgotten. Refusals as `force_busy`."""
        await self._ask(inspector, ChangeState(target, Trigger.FORCE_IDLE, by=inspector))

    async def force_rest(self, inspector: AgentId, target: AgentId, seconds: int, cause: int) -> None:
        """Rest now or after the call. Refusals as `force_busy`."""
        check_rest(seconds, cause)
        await self._ask(inspector, ChangeState(target, Trigger.FORCE_REST, cause, seconds, by=inspector))

    async def force_sign_out(self, inspector: AgentId, target: AgentId) -> None:
        """Sign the target out, whatever he does; his call is released. Refusals as `force_busy`."""
        reason = f"forced by {inspector}"
        await self._ask(inspector, SignOutAgent(target, True, reason, by=inspector, told=True))

    async def drop_call(self, inspector: AgentId, call: str) -> None:
        """End a call of the inspector's VDN. NO_RIGHT, NO_CALL, UNAVAILABLE."""
        await self._ask(inspector, DropCall(inspector, call))

    async def adjust_skills(self, inspector: AgentId, target: AgentId, skills: Sequence[SkillId]) -> None:
        """Sign the target in to exactly these queues of the VDN. BAD_PARAMETER for an unknown queue,
        else refusals as `force_busy`."""
        await self._ask(inspector, ChooseSkills(target, tuple(skills), by=inspector))
