"""Who is signed in: the password check, the lock-out after wrong ones, and the Guids of every session."""

from __future__ import annotations

from sottovoce.clock import Clock
from sottovoce.domain.directory import NO_PASSWORD, AgentId
from sottovoce.domain.journal import kept_guid
from sottovoce.errors import Code, Refused
from sottovoce.live.building import Building
from sottovoce.live.guids import Guids, new_guid
from sottovoce.live.ports import Passwords
from sottovoce.live.presence import RenewGuid, SignInAgent
from sottovoce.live.views import SignedIn, SignIn

LOCK_AFTER = 10
"""Wrong passwords in a row that lock an agent's sign-in: enough for a forgetful agent, too few to guess."""
LOCK_S = 300.0
"""How long the lock lasts; a longer one would let anybody keep an agent from work."""


class Sessions:
    """Sign-in, and what a client shows from then on. Every method may raise `Refused`."""

    def __init__(
        self,
        building: Building,
        guids: Guids,
        *,
        passwords: Passwords,
        clock: Clock,
        empty_passwords: bool = False,
    ) -> None:
        self._building, self._guids = building, guids
        self._empty_passwords = empty_passwords
        self._passwords, self._clock = passwords, clock
        self._signing: set[AgentId] = set()
        self._failures: dict[AgentId, tuple[int, float]] = {}

    async def sign_in(self, agent: AgentId, wish: SignIn, *, force: bool = False) -> SignedIn:
        """Sign in. SIGN_IN_RUNNING, WRONG_CREDENTIALS, ACCOUNT_LOCKED, and as `presence.SignInAgent`.
        `force` takes over a running session."""
        if agent in self._signing:
            raise Refused(Code.SIGN_IN_RUNNING, "an earlier sign-in is not answered yet")
        self._signing.add(agent)
        try:
            await self._check_password(agent, wish.password)
            driver, guid = self._building.of(agent), new_guid()
            await driver.ask(
                SignInAgent(agent, wish, kept_guid(guid), force),
                then=lambda: self._guids.open(agent, kept_guid(guid), self._clock.monotonic()),
            )
        finally:
            self._signing.discard(agent)
        seat = driver.floor.state.seat(agent)
        return SignedIn(agent, driver.vdn, guid, seat.signed_in_at, seat.profile.name)

    def authenticate(self, agent: AgentId, guid: str) -> None:
        """Raise NOT_SIGNED_IN unless `guid` is the agent's. Counts as a sign of life for a supervision."""
        driver = self._building.of(agent)
        driver.floor.state.seat(agent)
        if self._guids.check(agent, guid, self._clock.monotonic()):
            driver.tell(RenewGuid(agent, kept_guid(guid)))
        driver.alive(agent, session=False)

    def heartbeat(self, agent: AgentId) -> str | None:
        """A sign of life; a new Guid to hand out when authentication is dynamic and one is due."""
        self._building.of(agent).alive(agent, session=True)
        return self.fresh_guid(agent)

    def fresh_guid(self, agent: AgentId) -> str | None:
        """What a poll's answer carries as its new Guid, if any (dynamic authentication only)."""
        return self._guids.due(agent, self._clock.monotonic())

    async def renew_guid(self, agent: AgentId) -> str:
        """A new Guid at once; the old one is valid until the new is first used, and a grace period more."""
        self._building.of(agent).floor.state.seat(agent)
        return self._guids.renew(agent, self._clock.monotonic())

    def restore(self, agent: AgentId, kept: str) -> None:
        """A session that a crash left goes on, with the Guid of this digest."""
        self._guids.open(agent, kept, self._clock.monotonic())

    def forget(self, agent: AgentId) -> None:
        """The agent is configured no more."""
        self._guids.close(agent)
        self._failures.pop(agent, None)

    async def _check_password(self, agent: AgentId, password: str) -> None:
        failures, until = self._failures.get(agent, (0, 0.0))
        now = self._clock.monotonic()
        if failures >= LOCK_AFTER and now < until:
            raise Refused(Code.ACCOUNT_LOCKED, "too many wrong passwords")
        stored = None
        if self._building.knows(agent):
            profile = self._building.of(agent).floor.state.profile.agents.get(agent)
            stored = profile.password_hash if profile is not None else None
        without = stored == NO_PASSWORD
        if without and not password and self._empty_passwords:
            return
        if await self._passwords.verify(None if without else stored, password):
            self._failures.pop(agent, None)
            return
        if stored is not None:
            count = failures + 1 if now < until or not failures else 1
            self._failures[agent] = (count, now + LOCK_S)
        raise Refused(Code.WRONG_CREDENTIALS, "wrong agent or password")
