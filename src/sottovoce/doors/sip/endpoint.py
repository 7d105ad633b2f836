"""One user agent on real sockets, driven by the event loop. The door and our phones are built on it."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import structlog

from sottovoce.clock import Clock
from sottovoce.config import Advertised, SipSettings
from sottovoce.domain.legs import LegAddress
from sottovoce.doors.sip.admission import Networks
from sottovoce.doors.sip.events import Bound, CallOffered, Event
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.limits import SourceLimits
from sottovoce.doors.sip.message import Request, Response, SipParseError
from sottovoce.doors.sip.transport import IDLE, MAX_CONNECTIONS, SipTransport
from sottovoce.doors.sip.ua import UserAgent
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)
T = TypeVar("T")

_ANYWHERE = Networks(("0.0.0.0", "::"))  # noqa: S104 - recognised, nothing binds to it
"""What a socket is bound to that receives at all addresses of the machine."""


class SystemEntropy:
    """Tokens from the operating system."""

    def token(self) -> str:
        """80 random bits as hexadecimal digits."""
        return secrets.token_hex(10)

    def fraction(self) -> float:
        """A number in [0, 1): for back-offs, not for secrets."""
        return random.random()


class Endpoint:
    """A SIP endpoint. `on_event` is called in the loop for every event, and may ask for more by `act`."""

    def __init__(
        self,
        settings: SipSettings,
        clock: Clock,
        tasks: Tasks,
        on_event: Callable[[Event], None],
        *,
        advertised: Sequence[Advertised] = (),
        limits: SourceLimits | None = None,
        max_connections: int = MAX_CONNECTIONS,
        idle: float = IDLE,
    ) -> None:
        self.ua = UserAgent(
            settings,
            entropy=SystemEntropy(),
            addresses=self.address_towards,
            limits=limits,
            now=clock.monotonic(),
        )
        self._clock = clock
        self._on_event = on_event
        self._advertised = [(Networks((entry.network,)), entry.address) for entry in advertised]
        self._transport = SipTransport(
            clock,
            tasks,
            on_datagram=self._on_datagram,
            on_message=self._on_message,
            on_failed=self._on_failed,
            max_connections=max_connections,
            idle=idle,
        )
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._busy = False
        self._stopped = False
        self._settled: asyncio.Event | None = None

    async def start(self, host: str, port: int) -> None:
        """Bind; port 0 takes a free one, the same for UDP and TCP. Raises OSError."""
        await self._transport.start(host, port)

    async def settle(self, patience: float) -> None:
        """Wait until every request of ours is answered, `patience` seconds at most (before `stop`)."""
        settled = self._settled = asyncio.Event()
        self._pump()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await settled.wait()
        self._settled = None

    async def stop(self) -> None:
        """Close the sockets. Calls are not ended: hang them up first."""
        self._stopped = True
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        await self._transport.stop()

    @property
    def host(self) -> str:
        """The address bound."""
        return self._transport.host

    @property
    def port(self) -> int:
        """The port bound, UDP and TCP."""
        return self._transport.port

    def act(self, action: Callable[[UserAgent], T]) -> T:
        """Do something with the user agent at the present time, and send what comes of it."""
        self.ua.timers.advance(self._clock.monotonic())
        result = action(self.ua)
        self._pump()
        return result

    def media_address(self, remote: str, bound: LegAddress) -> LegAddress:
        """The address for SDP of media that is received at `bound`, whose host may be any (0.0.0.0)."""
        host = self._advertised_to(remote)
        if host is None and bound.host in _ANYWHERE:
            host = self._transport.local_host(remote)
        return LegAddress(host or bound.host, bound.port)

    def _advertised_to(self, remote: str) -> str | None:
        return next((host for network, host in self._advertised if remote in network), None)

    def address_towards(self, hop: Hop) -> tuple[str, int]:
        """Our host (as advertised, else as routed) and port, as seen by the far side of `hop`."""
        host = self._advertised_to(hop.host) or self._transport.local_host(hop.host)
        return host, self._transport.port

    def addresses(self) -> dict[Transport, tuple[str, int]]:
        """Where it listens."""
        return {transport: (self.host, self.port) for transport in Transport}

    @property
    def connections(self) -> int:
        """TCP connections that stand."""
        return self._transport.connections

    def know(self, knows: Callable[[str], bool]) -> None:
        """Say which hosts strangers make room for, when all connections are taken."""
        self._transport.knows = knows

    def sweep(self) -> int:
        """Close idle connections and those of strangers; how many."""
        return self._transport.sweep()

    def _on_datagram(self, data: bytes, source: Hop) -> None:
        self._guarded(lambda now: self.ua.receive(data, source, now), source)

    def _on_message(self, message: Request | Response | SipParseError, source: Hop) -> None:
        self._guarded(lambda now: self.ua.receive_message(message, source, now), source)

    def _on_failed(self, key: str) -> None:
        asyncio.get_running_loop().call_soon(lambda: self.act(lambda ua: ua.transactions.send_failed(key)))

    def _guarded(self, receive: Callable[[float], None], source: Hop) -> None:
        """One message that we fail to understand must not end the others' calls."""
        try:
            receive(self._clock.monotonic())
        except Exception:
            log.exception("sip message failed", source=str(source))
        self._pump()

    def _pump(self) -> None:
        """Send what waits, tell what happened, and set the alarm for the next timer."""
        if self._busy:
            return
        self._busy = True
        try:
            while True:
                out, events = self.ua.take()
                if not out and not events:
                    break
                for message in out:
                    self._transport.send(message)
                for event in events:
                    self._note_proof(event)
                    try:
                        self._on_event(event)
                    except Exception:
                        log.exception("sip event failed", sip_event=type(event).__name__)
        finally:
            self._busy = False
        if self._settled is not None and not self.ua.transactions.waiting:
            self._settled.set()
        self._set_alarm()

    def _note_proof(self, event: Event) -> None:
        """Let a connection stay that brought a call or registration which was let in."""
        match event:
            case CallOffered(call):
                self._transport.prove(self.ua.offer(call).invite.source.flow)
            case Bound(_, binding):
                self._transport.prove(binding.source.flow)

    def _set_alarm(self) -> None:
        deadline = self.ua.timers.deadline
        if self._stopped or deadline is None or (self._alarm is not None and self._alarm_at <= deadline):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = deadline
        delay = max(0.0, deadline - self._clock.monotonic())
        self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self.act(lambda ua: None)
