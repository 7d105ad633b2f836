"""A SIP phone: registers, calls, rings, answers, holds, presses keys, hangs up, and hears.

async with Phone("agent", lambda: Tone(557)) as phone:
    await phone.register("127.0.0.1", 5060, Account("8001", "secret"))
    call = await phone.next_call()
    await call.talking()
    print((await phone.hear()).hearing.heard)
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from types import TracebackType
from typing import Self

import structlog

from sottovoce.clock import Clock, SystemClock
from sottovoce.config import SipSettings
from sottovoce.domain.legs import ReleaseCause
from sottovoce.doors.sip.called import Called
from sottovoce.doors.sip.calling import OutgoingCall
from sottovoce.doors.sip.endpoint import Endpoint
from sottovoce.doors.sip.events import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallKey,
    CallOffered,
    CallProgressed,
    CallResumed,
    Event,
    MediaAgreed,
    Registered,
    RegistrationFailed,
    Unregistered,
)
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.registering import RegisterWith, Registration
from sottovoce.doors.sip.session import Session
from sottovoce.phones import tones
from sottovoce.phones.media import PhoneMedia, Second, nothing_heard
from sottovoce.phones.sources import Quiet, Source
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

PATIENCE_S = 10.0
"""How long a phone waits for something that must come, unless told otherwise."""


class CallState(StrEnum):
    """How far a phone's call is."""

    CALLING = "calling"
    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"


class NotRegistered(Exception):
    """The registrar refused, or said nothing."""


class PhoneCall:
    """One call of a phone."""

    def __init__(self, phone: Phone, media: PhoneMedia, *, incoming: bool) -> None:
        self.phone = phone
        self.media = media
        self.incoming = incoming
        self.state = CallState.RINGING if incoming else CallState.CALLING
        self.cause: ReleaseCause | None = None
        self.status: int | None = None
        """The SIP status that ended it, if one did."""
        self.held_by_far_side = False
        self.session: Session | None = None
        self._answered = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def caller(self) -> str:
        """The number that calls, empty before there is a session."""
        return self.session.caller if self.session is not None else ""

    @property
    def called(self) -> str:
        """The number that is called, empty before there is a session."""
        return self.session.called if self.session is not None else ""

    async def talking(self, timeout: float = PATIENCE_S) -> PhoneCall:
        """Wait until it stands; TimeoutError if it does not, ConnectionError if it ended first."""
        async with asyncio.timeout(timeout):
            await self._answered.wait()
        if self.state is CallState.ENDED:
            raise ConnectionError(f"{self.phone.name}: the call ended: {self.cause} {self.status or ''}")
        return self

    async def ended(self, timeout: float = PATIENCE_S) -> ReleaseCause:
        """Wait until the call is over; why it ended. TimeoutError after `timeout` s."""
        async with asyncio.timeout(timeout):
            await self._ended.wait()
        assert self.cause is not None
        return self.cause

    def answer(self) -> None:
        """Lift the phone; nothing to do for a call of our own."""
        self.phone.act(self, lambda session: session.accept() if isinstance(session, Called) else None)

    def refuse(self, status: int = 486) -> None:
        """Refuse a call that rings, with that SIP status (486 busy here)."""
        self.phone.act(self, lambda session: session.refuse(status) if isinstance(session, Called) else None)

    def hang_up(self) -> None:
        """End the call, in whatever state it is."""
        self.phone.act(self, lambda session: session.hang_up())

    def hold(self) -> None:
        """Put the far side on hold by re-INVITE; digital silence is sent meanwhile."""
        self.media.holding = True
        self.phone.act(self, lambda session: session.hold())

    def resume(self) -> None:
        """Take the far side back after `hold`."""
        self.media.holding = False
        self.phone.act(self, lambda session: session.resume())

    def press(self, digits: str) -> None:
        """Send these keys (0-9 * # A-D) as RFC 4733 events, one after the other."""
        self.media.press(digits)

    def note_talking(self) -> None:
        """The phone tells its call that it stands."""
        if self.state is not CallState.ENDED:
            self.state = CallState.TALKING
        self._answered.set()

    def note_ended(self, cause: ReleaseCause, status: int | None) -> None:
        """The phone tells its call that it is over, and by which SIP status."""
        self.state, self.cause, self.status = CallState.ENDED, cause, status
        self._answered.set()
        self._ended.set()


class Phone:
    """A phone with any number of calls. `say` is what each call's microphone carries.

    With `auto_answer` a call is answered `answer_after_s` after it rang; without it the owner
    does it. `busy` refuses calls with 486. With `early_media` it speaks while it rings (183).
    """

    def __init__(
        self,
        name: str,
        say: Callable[[], Source] = Quiet,
        *,
        auto_answer: bool = True,
        answer_after_s: float = 0.0,
        early_media: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self.auto_answer = auto_answer
        self.answer_after_s = answer_after_s
        self.early_media = early_media
        self.busy = False
        self.calls: list[PhoneCall] = []
        """Those that have not ended, oldest first."""
        self.host = ""
        self.port = 0
        self._say = say
        self._clock = clock or SystemClock()
        self._tasks = Tasks()
        self._by_key: dict[CallKey, PhoneCall] = {}
        self._came: deque[PhoneCall] = deque(maxlen=64)
        self._coming = asyncio.Event()
        self._registration: Registration | None = None
        self._registered: asyncio.Future[int] | None = None
        self._domain = ""
        self._registrar: Hop | None = None
        self._account: Account | None = None
        self._endpoint = Endpoint(
            SipSettings(domain=name, session_expires=0),
            self._clock,
            self._tasks,
            self._happened,
        )
        self._endpoint.ua.product = "Sottovoce phone"

    # -- life

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind; OSError if that is not possible."""
        await self._endpoint.start(host, port)
        self.host = host
        self.port = self._endpoint.port

    async def stop(self) -> None:
        """Hang up, remove the registration and close everything."""
        for call in list(self.calls):
            call.hang_up()
        if self._registration is not None and self._registration.registered:
            gone = self._registered = asyncio.get_running_loop().create_future()
            registration = self._registration
            self._endpoint.act(lambda ua: registration.remove())
            try:
                await asyncio.wait_for(gone, 1.0)
            except (TimeoutError, NotRegistered):
                log.info("the registrar did not confirm the end", phone=self.name)
        elif self.calls or self._by_key:
            await asyncio.sleep(0.1)  # let the BYEs be answered
        await self.vanish()

    async def vanish(self) -> None:
        """Close everything without a word, as a phone that lost its network."""
        await self._endpoint.stop()
        for call in [*self.calls, *self._by_key.values()]:
            await call.media.close()
            if call.state is not CallState.ENDED:
                call.note_ended(ReleaseCause.UNREACHABLE, None)
        self.calls.clear()
        self._by_key.clear()
        self._registration = None
        await self._tasks.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    # -- signalling

    async def register(
        self,
        host: str,
        port: int,
        account: Account,
        *,
        domain: str = "",
        transport: Transport = Transport.UDP,
    ) -> None:
        """Register and keep it refreshed; NotRegistered if it is refused or not answered."""
        self._registrar = Hop(transport, host, port)
        self._account = account
        self._domain = domain or f"{host}:{port}"
        done = self._registered = asyncio.get_running_loop().create_future()
        wanted = RegisterWith(f"sip:{account.username}@{self._domain}", self._registrar, account)
        self._registration = self._endpoint.act(lambda ua: ua.register(wanted))
        await asyncio.wait_for(done, 40.0)

    async def call(
        self,
        number: str,
        *,
        via: Hop | None = None,
        from_number: str = "",
        domain: str = "",
        account: Account | None = None,
    ) -> PhoneCall:
        """Place a call through the registrar, or `via` another hop, where `account` answers a challenge;
        it is answered by `talking`."""
        hop = via or self._registrar
        if hop is None:
            raise NotRegistered(f"{self.name} is not registered and was told no way out")
        call = PhoneCall(self, self._media(), incoming=False)
        local = self._endpoint.media_address(hop.host, await call.media.open(self.host))
        where = domain or self._domain or f"{hop.host}:{hop.port}"
        user = from_number or (self._account.username if self._account else self.name)
        wanted = OutgoingCall(
            to=f"sip:{number}@{where}",
            hop=hop,
            local=local,
            from_uri=f"sip:{user}@{where}",
            account=self._account if via is None else account,
        )
        self._endpoint.act(lambda ua: self._take(call, ua.invite(wanted)))
        return call

    async def next_call(self, timeout: float = PATIENCE_S) -> PhoneCall:
        """The oldest call that came in, was not taken yet and has not ended, waiting for one."""
        async with asyncio.timeout(timeout):
            while True:
                while self._came:
                    call = self._came.popleft()
                    if call.state is not CallState.ENDED:
                        return call
                self._coming.clear()
                await self._coming.wait()

    def act(self, call: PhoneCall, action: Callable[[Session], object]) -> None:
        """Do something with a call's session, unless it has ended."""
        session = call.session
        if session is not None and call.state is not CallState.ENDED:
            self._endpoint.act(lambda ua: action(session))

    # -- audio

    @property
    def talking(self) -> PhoneCall | None:
        """The newest call that stands."""
        standing = [call for call in self.calls if call.state is CallState.TALKING]
        return standing[-1] if standing else None

    def say(self, source: Callable[[], Source]) -> None:
        """Change what the microphone carries, in running calls too."""
        self._say = source
        for call in self.calls:
            call.media.source = source()

    async def hear(
        self, *, settle_s: float = 0.0, patience_s: float = 0.0, among: Sequence[int] = tones.TONES
    ) -> Second:
        """One second of the call that stands, as `PhoneMedia.hear`; silence when none does."""
        if settle_s:
            await asyncio.sleep(settle_s)
        call = self.talking
        if call is None:
            return nothing_heard(among)
        return await call.media.hear(patience_s=patience_s, among=among)

    # -- what the endpoint says

    def _media(self) -> PhoneMedia:
        return PhoneMedia(self._say(), clock=self._clock)

    def _happened(self, event: Event) -> None:
        match event:
            case Registered(_, expires):
                self._settle_registration(expires)
            case RegistrationFailed(_, status):
                self._settle_registration(NotRegistered(f"{self.name}: REGISTER was answered {status}"))
            case Unregistered():
                self._settle_registration(0)
            case CallOffered(key):
                self._be_rung(self._endpoint.ua.offer(key))
            case MediaAgreed() | CallProgressed() | CallAnswered() | CallHeld() | CallResumed() | CallEnded():
                if (call := self._by_key.get(event.call)) is not None:
                    self._call_happened(call, event)

    def _call_happened(self, call: PhoneCall, event: Event) -> None:
        match event:
            case MediaAgreed(_, remote):
                call.media.set_remote(remote)
            case CallProgressed():
                call.state = CallState.RINGING
            case CallAnswered():
                call.note_talking()
            case CallHeld() | CallResumed():
                call.held_by_far_side = isinstance(event, CallHeld)
            case CallEnded(key, cause, status):
                del self._by_key[key]
                self._close(call, cause, status)

    def _settle_registration(self, outcome: int | NotRegistered) -> None:
        waiting, self._registered = self._registered, None
        if waiting is None or waiting.done():
            return
        if isinstance(outcome, NotRegistered):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)

    def _take(self, call: PhoneCall, session: Session) -> None:
        call.session = session
        self._by_key[session.key] = call
        self.calls.append(call)

    def _be_rung(self, session: Called) -> None:
        """Refuse a call when busy, else ring."""
        if self.busy:
            self._endpoint.act(lambda ua: session.refuse(486))
            return
        call = PhoneCall(self, self._media(), incoming=True)
        self._take(call, session)
        self._tasks.spawn(self._ring(call), name=f"{self.name}: ring")

    async def _ring(self, call: PhoneCall) -> None:
        offer = call.session
        assert isinstance(offer, Called)
        remote = offer.negotiation.signalling_host or self.host
        local = self._endpoint.media_address(remote, await call.media.open(self.host))
        if call.state is CallState.ENDED:
            await call.media.close()
            return
        self.act(call, lambda _: offer.place(local))
        self.act(call, lambda _: offer.early() if self.early_media else offer.ring())
        self._came.append(call)
        self._coming.set()
        if self.auto_answer:
            await asyncio.sleep(self.answer_after_s)
            call.answer()

    def _close(self, call: PhoneCall, cause: ReleaseCause, status: int | None) -> None:
        call.note_ended(cause, status)
        if call in self.calls:
            self.calls.remove(call)
        self._tasks.spawn(call.media.close(), name=f"{self.name}: close media")
