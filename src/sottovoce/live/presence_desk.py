"""The desk's use cases about being at work: sign-in, Guids, events, states, and looking at others."""

from __future__ import annotations

from collections.abc import Sequence

from sottovoce.domain import access
from sottovoce.domain.agents import Trigger
from sottovoce.domain.directory import AgentId, Skill, SkillId
from sottovoce.errors import Code, Refused
from sottovoce.live import pictures
from sottovoce.live.commands import ChangeState, ChooseSkills, RenewGuid, SetHabit, SignInAgent, SignOutAgent
from sottovoce.live.front import Front
from sottovoce.live.sessions import new_guid
from sottovoce.live.views import AgentStatus, AgentView, QueuedEvent, SignedIn, SignIn, Snapshot

OWN_REASONS = range(200, 251)
"""An agent's own reasons to be busy (CC-Gateway page 1211)."""


class PresenceDesk(Front):
    """What every agent asks for himself."""

    # Sign-in and session

    async def sign_in(self, agent: AgentId, wish: SignIn, *, force: bool = False) -> SignedIn:
        """Sign in. WRONG_CREDENTIALS, ALREADY_SIGNED_IN, SIGN_IN_RUNNING, ACCOUNT_LOCKED, BAD_PHONE,
        PHONE_NOT_ALLOWED, BAD_SIGN_IN, UNAVAILABLE. `force` takes over a running session."""
        if agent in self._signing:
            raise Refused(Code.SIGN_IN_RUNNING, "an earlier sign-in is not answered yet")
        self._signing.add(agent)
        try:
            await self._check_password(agent, wish.password)
            driver, guid = self._building.of(agent), new_guid()
            await driver.ask(
                SignInAgent(agent, wish, guid, force),
                then=lambda: self._sessions.open(agent, guid, self._clock.monotonic()),
            )
        finally:
            self._signing.discard(agent)
        seat = driver.floor.state.seat(agent)
        return SignedIn(agent, driver.vdn, guid, seat.signed_in_at, seat.profile.name)

    def authenticate(self, agent: AgentId, guid: str) -> None:
        """Raise NOT_SIGNED_IN unless `guid` is the agent's. Counts as a sign of life for his supervision."""
        driver = self._building.of(agent)
        driver.floor.state.seat(agent)
        if self._sessions.check(agent, guid, self._clock.monotonic()):
            driver.tell(RenewGuid(agent, guid))
        driver.alive(agent, session=False)

    async def sign_out(self, agent: AgentId, *, force: bool = False, reason: str = "signed out") -> None:
        """Sign out. AGENT_BUSY_IN_CALL while in a call, unless `force`, which releases the call."""
        await self._ask(agent, SignOutAgent(agent, force, reason))

    async def reset_skills(self, agent: AgentId, *, every: bool, skills: Sequence[SkillId] = ()) -> None:
        """Sign in to all configured queues, or to the configured ones among `skills`."""
        await self._ask(agent, ChooseSkills(agent, tuple(skills), every))

    async def set_auto_idle(self, agent: AgentId, on: bool) -> None:
        """Idle after a call, or wrap-up."""
        await self._ask(agent, SetHabit(agent, auto_idle=on))

    async def set_auto_answer(self, agent: AgentId, on: bool) -> None:
        """Talk as soon as the phone is lifted, or wait for `answer`."""
        await self._ask(agent, SetHabit(agent, auto_answer=on))

    def heartbeat(self, agent: AgentId) -> str | None:
        """A sign of life; a new Guid to hand out when authentication is dynamic and one is due."""
        self._building.of(agent).alive(agent, session=True)
        return self.fresh_guid(agent)

    def fresh_guid(self, agent: AgentId) -> str | None:
        """What a poll's answer carries as its new Guid, if any (dynamic authentication only)."""
        return self._sessions.due(agent, self._clock.monotonic())

    async def renew_guid(self, agent: AgentId) -> str:
        """A new Guid at once; the old one stays valid until the new is first used, and 60 s more."""
        self._seat(agent)
        return self._sessions.renew(agent, self._clock.monotonic())

    # Events

    async def next_event(self, agent: AgentId, wait_s: float) -> QueuedEvent | None:
        """The event at the head of the queue, waiting for one up to `wait_s`; it is not removed.

        A second poll of the same agent ends this one at once with None. Cancelling takes nothing.
        """
        driver = self._building.of(agent)
        driver.alive(agent, session=True)
        try:
            return await self._feed.next(agent, wait_s)
        finally:
            driver.alive(agent, session=True)

    def event_delivered(self, agent: AgentId, event_id: int) -> None:
        """The answer with that event is written: it leaves the queue."""
        self._feed.delivered(agent, event_id)

    def event_returned(self, agent: AgentId, event_id: int) -> None:
        """The answer could not be written: the event stays at the head for the next poll."""
        self._feed.returned(agent, event_id)

    async def snapshot(self, agent: AgentId) -> Snapshot:
        """The picture of now; empties the event queue (syncagentinfo)."""
        driver = self._building.of(agent)
        await driver.settled()
        floor = driver.floor.state
        seat = floor.seat(agent)
        floor.now = self._clock.now()
        return pictures.snapshot(floor, seat, self._feed.empty(agent))

    # Agent states

    async def set_busy(self, agent: AgentId, reason: int = 0, *, prolong: bool = False) -> None:
        """Busy now, or after the call. WRONG_AGENT_STATE when busy already without `prolong`."""
        if reason not in (0, *OWN_REASONS):
            raise Refused(Code.BAD_PARAMETER, "a busy reason is 0 or 200-250")
        await self._ask(agent, ChangeState(agent, Trigger.SAY_BUSY, reason, prolong=prolong))

    async def cancel_busy(self, agent: AgentId) -> None:
        """From busy to idle. WRONG_AGENT_STATE."""
        await self._ask(agent, ChangeState(agent, Trigger.CANCEL_BUSY))

    async def set_idle(self, agent: AgentId) -> None:
        """Idle from busy, rest or wrap-up; during a call, forget what was pending."""
        await self._ask(agent, ChangeState(agent, Trigger.SAY_IDLE))

    async def start_rest(
        self, agent: AgentId, seconds: int, cause: int = 0, *, prolong: bool = False
    ) -> None:
        """Rest now, or after the call. WRONG_AGENT_STATE when resting already without `prolong`."""
        check_rest(seconds, cause)
        await self._ask(agent, ChangeState(agent, Trigger.REST, cause, seconds, prolong))

    async def cancel_rest(self, agent: AgentId) -> None:
        """From rest to idle. WRONG_AGENT_STATE."""
        await self._ask(agent, ChangeState(agent, Trigger.CANCEL_REST))

    async def start_work(self, agent: AgentId) -> None:
        """Wrap-up now, or after the call."""
        await self._ask(agent, ChangeState(agent, Trigger.WORK))

    async def cancel_work(self, agent: AgentId) -> None:
        """From wrap-up to idle. WRONG_AGENT_STATE."""
        await self._ask(agent, ChangeState(agent, Trigger.CANCEL_WORK))

    def status(self, agent: AgentId) -> AgentStatus:
        """The agent's state in short."""
        return pictures.status(self._seat(agent))

    def skills(self, agent: AgentId) -> tuple[Skill, ...]:
        """The queues that the agent is signed in to."""
        floor = self._floor(agent)
        return pictures.skills(floor, floor.seat(agent).skills)

    # Looking

    def agent(self, caller: AgentId, target: AgentId) -> AgentView:
        """One agent of the caller's VDN. TARGET_UNKNOWN."""
        floor = self._floor(caller)
        profile = floor.profile.agents.get(target)
        if profile is None:
            raise Refused(Code.TARGET_UNKNOWN, f"no agent {target} in this VDN")
        return pictures.agent(floor, profile)

    def online_agents(self, caller: AgentId) -> tuple[AgentView, ...]:
        """The signed-in agents of the caller's VDN, by work number."""
        floor = self._floor(caller)
        seats = sorted(floor.seats.items())
        return tuple(pictures.agent(floor, seat.profile) for _, seat in seats)

    def all_agents(self, caller: AgentId) -> tuple[AgentView, ...]:
        """All agents of the caller's VDN, by work number."""
        floor = self._floor(caller)
        return tuple(pictures.agent(floor, one) for _, one in sorted(floor.profile.agents.items()))

    def is_inspector(self, caller: AgentId) -> bool:
        """Whether the caller has the inspection right."""
        return access.is_inspector(self._seat(caller).profile)

    async def _check_password(self, agent: AgentId, password: str) -> None:
        failures, until = self._failures.get(agent, (0, 0.0))
        now = self._clock.monotonic()
        if self._settings.lock_after and failures >= self._settings.lock_after and now < until:
            raise Refused(Code.ACCOUNT_LOCKED, "too many wrong passwords")
        stored = None
        if self._building.knows(agent):
            profile = self._building.of(agent).floor.state.profile.agents.get(agent)
            stored = profile.password_hash if profile is not None else None
        if await self._passwords.verify(stored, password):
            self._failures.pop(agent, None)
            return
        if stored is not None:
            count = failures + 1 if now < until or not failures else 1
            self._failures[agent] = (count, now + self._settings.lock_s)
        raise Refused(Code.WRONG_CREDENTIALS, "wrong agent or password")


def check_rest(seconds: int, cause: int) -> None:
    if not 1 <= seconds <= 86399 or not 0 <= cause <= 255:
        raise Refused(Code.BAD_PARAMETER, "a rest lasts 1-86399 s, its cause is 0-255")
