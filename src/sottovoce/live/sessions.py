"""Who is signed in: the password check, which many wrong ones close, and the Guids of every session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import structlog

from sottovoce.clock import Clock
from sottovoce.config import AgentSettings
from sottovoce.domain.directory import NO_PASSWORD, AgentId
from sottovoce.domain.journal import kept_guid
from sottovoce.errors import Code, Refused
from sottovoce.line_of_tries import LineOfTries
from sottovoce.live.attempts import Attempts
from sottovoce.live.building import Building
from sottovoce.live.guids import Guids, new_guid
from sottovoce.live.passwords import ChangePassword, check_new, refuse_former
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
        settings: AgentSettings,
    ) -> None:
        self._building, self._guids = building, guids
        self._settings = settings
        self._passwords, self._clock = passwords, clock
        self._signing: set[AgentId] = set()
        self._changing: set[AgentId] = set()
        self._attempts, self._line = Attempts(), LineOfTries()

    async def sign_in(
        self,
        agent: AgentId,
        wish: SignIn,
        *,
        force: bool = False,
        push: Callable[[], str] | None = None,
    ) -> SignedIn:
        """Sign in. SIGN_IN_RUNNING, WRONG_CREDENTIALS, ACCOUNT_LOCKED, CREDENTIALS_EXPIRED, and as
        `presence.SignInAgent`. `force` takes over a running session; `push` says where events are pushed to,
        or refuses it: asked once the password is right, for strangers need not learn where."""
        await self._check_password(agent, wish.source, wish.password, wish.phone)
        left = self._password_lasts(agent)
        if left is not None and left <= timedelta():
            raise Refused(Code.CREDENTIALS_EXPIRED, "the password is too old; it can be changed all the same")
        if push is not None:
            wish = replace(wish, push=push())
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
        return SignedIn(agent, driver.vdn, guid, seat.signed_in_at, seat.profile.name, left)

    async def change_password(self, agent: AgentId, old: str, new: str, source: str) -> None:
        """Give an agent who knows the old password a new one, signed in or not; tried as often as a sign-in.
        WRONG_CREDENTIALS, ACCOUNT_LOCKED, CREDENTIALS_REFUSED, SIGN_IN_RUNNING, UNAVAILABLE."""
        stored = await self._check_password(agent, source, old)
        if agent in self._changing:
            raise Refused(Code.SIGN_IN_RUNNING, "an earlier change is not answered yet")
        self._changing.add(agent)
        try:
            driver = self._building.of(agent)
            profile = driver.floor.state.profile.agents.get(agent)
            if profile is None or stored == NO_PASSWORD:
                raise Refused(Code.CREDENTIALS_REFUSED, "this agent has no password", field="new")
            check_new(new, agent, self._settings)
            former = profile.former_passwords[: self._settings.password_history]
            known = self._attempts.knows(agent, source)
            who = (source, agent, False) if known else source
            async with self._line.turn(who, known=known):
                for one in (stored, *filter(None, former)):
                    if await self._passwords.verify(one, new):
                        raise refuse_former()
                hashed = await self._passwords.hash(new)
            await driver.ask(ChangePassword(agent, hashed, stored))
        finally:
            self._changing.discard(agent)

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

    def _password_lasts(self, agent: AgentId) -> timedelta | None:
        """How much longer the agent's password lets them in; None for ever."""
        profile = self._building.of(agent).floor.state.profile.agents.get(agent)
        if not self._settings.password_days or profile is None or profile.password_set_at is None:
            return None
        if profile.password_hash == NO_PASSWORD:
            return None
        return profile.password_set_at + timedelta(days=self._settings.password_days) - self._clock.now()

    async def _check_password(self, agent: AgentId, source: str, password: str, phone: str = "") -> str:
        """What is kept of the password that is right. WRONG_CREDENTIALS, of who does not exist as well;
        ACCOUNT_LOCKED, UNAVAILABLE without a look."""
        stored = self._stored(agent)
        if stored == NO_PASSWORD:
            if self._settings.empty_passwords and not password:
                return stored
            stored = None
        try:
            self._attempts.check(agent, source, self._clock.monotonic(), phone)
            known = self._attempts.knows(agent, source)
            who = (source, agent, self._attempts.desk(agent, source, phone)) if known else source
            async with self._line.turn(who, known=known):
                self._attempts.check(agent, source, self._clock.monotonic(), phone)
                right = await self._passwords.verify(stored, password)
        except Refused as refused:
            told = {"source": source, "agent": agent, "code": refused.code.value, "why": refused.why}
            log.warning("sign-ins refused", **told, per=source)
            raise
        if stored is None or not right:
            self._attempts.wrong(agent, source, self._clock.monotonic(), phone)
            raise Refused(Code.WRONG_CREDENTIALS, "wrong agent or password")
        return stored

    def _stored(self, agent: AgentId) -> str | None:
        if not self._building.knows(agent):
            return None
        profile = self._building.of(agent).floor.state.profile.agents.get(agent)
        return profile.password_hash if profile is not None else None
