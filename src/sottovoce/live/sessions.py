"""Who is signed in: the password check, which many wrong ones close, and the Guids of every session."""

from __future__ import annotations

import structlog

from sottovoce.clock import Clock
from sottovoce.domain.directory import NO_PASSWORD, AgentId
from sottovoce.domain.journal import kept_guid
from sottovoce.errors import Code, Refused
from sottovoce.line_of_tries import LineOfTries
from sottovoce.live.attempts import Attempts
from sottovoce.live.building import Building
from sottovoce.live.guids import Guids, new_guid
from sottovoce.live.ports import Passwords
from sottovoce.live.presence import RenewGuid, SignInAgent
from sottovoce.live.views import SignedIn, SignIn

log = structlog.get_logger(__name__)


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
        self._attempts, self._line = Attempts(), LineOfTries()

    async def sign_in(self, agent: AgentId, wish: SignIn, *, force: bool = False) -> SignedIn:
        """Sign in. SIGN_IN_RUNNING, WRONG_CREDENTIALS, ACCOUNT_LOCKED, and as `presence.SignInAgent`.
        `force` takes over a running session."""
        await self._check_password(agent, wish)
        if agent in self._signing:
            raise Refused(Code.SIGN_IN_RUNNING, "an earlier sign-in is not answered yet")
        self._signing.add(agent)
        try:
            driver, guid = self._building.of(agent), new_guid()
            await driver.ask(
                SignInAgent(agent, wish, kept_guid(guid), force),
                then=lambda: self._guids.open(agent, kept_guid(guid), self._clock.monotonic()),
            )
        finally:
            self._signing.discard(agent)
        self._attempts.know(agent, wish.source, wish.phone)
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

    def know(self, agent: AgentId, source: str, phone: str) -> None:
        """The agent signed in from there, and named that phone, before this start."""
        self._attempts.know(agent, source, phone)

    def forget(self, agent: AgentId) -> None:
        """The agent is configured no more."""
        self._guids.close(agent)
        self._attempts.forget(agent)

    async def _check_password(self, agent: AgentId, wish: SignIn) -> None:
        """WRONG_CREDENTIALS, of who does not exist as well; ACCOUNT_LOCKED, UNAVAILABLE without a look."""
        source, stored = wish.source, self._stored(agent)
        if stored == NO_PASSWORD:
            if self._empty_passwords and not wish.password:
                return
            stored = None
        try:
            self._attempts.check(agent, source, self._clock.monotonic(), wish.phone)
            known = self._attempts.knows(agent, source)
            who = (source, agent, self._attempts.desk(agent, source, wish.phone)) if known else source
            async with self._line.turn(who, known=known):
                self._attempts.check(agent, source, self._clock.monotonic(), wish.phone)
                right = await self._passwords.verify(stored, wish.password)
        except Refused as refused:
            told = {"source": source, "agent": agent, "code": refused.code.value, "why": refused.why}
            log.warning("sign-ins refused", **told, per=source)
            raise
        if not right:
            self._attempts.wrong(agent, source, self._clock.monotonic(), wish.phone)
            raise Refused(Code.WRONG_CREDENTIALS, "wrong agent or password")

    def _stored(self, agent: AgentId) -> str | None:
        if not self._building.knows(agent):
            return None
        profile = self._building.of(agent).floor.state.profile.agents.get(agent)
        return profile.password_hash if profile is not None else None
