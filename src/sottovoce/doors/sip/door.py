"""The SIP door: telephone legs for the floor. Implements `live.ports.Lines` over one endpoint.

A leg's media is opened before anything about it is said and closed before LegGone; what concerns its
media happens in order, one step after the other, in a queue of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from sottovoce.clock import Clock
from sottovoce.domain.directory import VdnId
from sottovoce.domain.legs import LegAddress, LegId, ReleaseCause, RemoteMedia
from sottovoce.domain.lines import (
    Destination,
    LegAnswered,
    LegGone,
    LegHeld,
    LegOffered,
    LegResumed,
    LegRinging,
    LegSaved,
    LineEvent,
    Side,
)
from sottovoce.doors.sip import events
from sottovoce.doors.sip.admission import Authenticator, Guard, Networks
from sottovoce.doors.sip.called import Called
from sottovoce.doors.sip.calling import OutgoingCall
from sottovoce.doors.sip.dialog import NoDialog
from sottovoce.doors.sip.digest import NonceKeeper
from sottovoce.doors.sip.endpoint import Endpoint, SystemEntropy
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.legs import Line
from sottovoce.doors.sip.limits import SourceLimits
from sottovoce.doors.sip.ports import Account, Directory
from sottovoce.doors.sip.registering import RegisterWith
from sottovoce.doors.sip.registrar import Binding, Registrar
from sottovoce.doors.sip.session import Session
from sottovoce.doors.sip.settings import SipSettings, Trunk
from sottovoce.doors.sip.ua import UserAgent
from sottovoce.doors.sip.uri import escape_user
from sottovoce.errors import Code, Refused
from sottovoce.media.engine import EngineEvent, LegsLost, MediaEngine
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

LAST_WORDS = 1.0
"""Seconds that `stop` waits for the answers to its BYEs."""


@dataclass(frozen=True, slots=True)
class Target:
    """One way to ring somebody."""

    uri: str
    hop: Hop
    account: Account | None = None
    nat: bool = False
    trunk: Trunk | None = None
    proxied: bool = False


class SipDoor:
    """Legs over SIP. Nothing here waits; outcomes are line events."""

    def __init__(
        self,
        engine: MediaEngine,
        directory: Directory,
        settings: SipSettings,
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._tasks = tasks
        self._listeners: list[Callable[[LineEvent], None]] = []
        self._lines: dict[LegId, Line] = {}
        self._nat = Networks(settings.nat_networks)
        self._owed: dict[LegId, Mapping[str, object]] = {}
        self._started = False
        limits = SourceLimits(
            settings.requests_per_second, settings.request_burst, failures=settings.failed_logins
        )
        nonces = NonceKeeper(secrets.token_bytes(32))
        authenticator = Authenticator(
            settings.ua.domain,
            directory,
            nonces,
            SystemEntropy(),
            limits,
            settings.digest_algorithms,
            on_blocked=lambda host: log.warning("too many wrong passwords, not listened to", host=host),
        )
        self._endpoint = Endpoint(
            settings.ua,
            clock,
            tasks,
            self._on_event,
            advertised=settings.advertised,
            limits=limits,
            max_connections=settings.max_connections,
            idle=settings.idle_connection,
            first_message=settings.first_message,
        )
        ua = self._endpoint.ua
        self._registrar = Registrar(settings, authenticator, ua.timers, ua.emit)
        guard = Guard(settings, directory, authenticator, self._registrar)
        ua.registrar = self._registrar
        ua.doorman = guard
        ua.trusted = lambda source: guard.trunk_of(source) is not None
        engine.subscribe(self._on_media)

    async def start(self) -> None:
        """Bind the sockets, register with the trunks that want it, and say the BYEs that are owed."""
        await self._endpoint.start(self._settings.host, self._settings.port)
        self._started = True
        log.info("sip listens", host=self._endpoint.host, port=self._endpoint.port)
        for trunk in self._settings.trunks:
            if trunk.register and trunk.account is not None:
                address = f"sip:{trunk.account.username}@{trunk.domain or trunk.host}"
                wanted = RegisterWith(address, trunk.hop, trunk.account)
                self._endpoint.act(partial(UserAgent.register, wanted=wanted))
        owed, self._owed = self._owed, {}
        self.recover(owed)

    async def stop(self) -> None:
        """Say BYE to all legs, close their media, wait a moment for the answers, close the sockets."""
        try:
            for leg in list(self._lines):
                self.hang_up(leg)
            for line in list(self._lines.values()):
                await line.settled()
            await self._endpoint.settle(LAST_WORDS)
        finally:
            self._started = False
            await self._endpoint.stop()

    @property
    def addresses(self) -> Mapping[Transport, tuple[str, int]]:
        """Where it listens."""
        return self._endpoint.addresses()

    def contacts(self, username: str) -> list[Binding]:
        """Where a phone is registered now, newest first."""
        return self._registrar.of_user(username)

    # --- live.ports.Lines

    def subscribe(self, listener: Callable[[LineEvent], None]) -> None:
        """Call `listener` in the event loop for every line event."""
        self._listeners.append(listener)

    def ring(self, leg: LegId, vdn: VdnId, to: Destination, caller: str) -> None:
        """Place a call; LegRinging?, then LegAnswered or LegGone follow."""
        if leg in self._lines:
            raise ValueError(f"leg {leg} is there already")
        line = self._lines[leg] = Line(leg, vdn, self._tasks, self._stuck)
        line.announced = True
        line.caller = caller
        line.targets = self._targets(vdn, to)
        if not line.targets:
            self._finish(line, ReleaseCause.UNREACHABLE)
            return
        line.then(lambda: self._open(line))
        line.then(lambda: self._dial(line))

    def announce(self, leg: LegId, *, early_media: bool) -> None:
        """Answer an offer provisionally: 180, or 183 with media."""
        session = self._session_of(leg)
        if isinstance(session, Called):
            self._endpoint.act(lambda ua: session.early() if early_media else session.ring())

    def accept(self, leg: LegId) -> None:
        """Answer an offer; LegAnswered follows."""
        session = self._session_of(leg)
        if isinstance(session, Called):
            self._endpoint.act(lambda ua: session.accept())

    def hang_up(self, leg: LegId, cause: ReleaseCause = ReleaseCause.NORMAL) -> None:
        """Refuse an offer, cancel a ringing, or end a talking leg; LegGone follows."""
        line = self._lines.get(leg)
        if line is None or line.ending:
            return
        session = line.session
        line.targets = []
        if session is None:
            self._finish(line, cause)
        else:
            self._endpoint.act(lambda ua: session.hang_up(cause))

    def recover(self, dialogs: Mapping[LegId, Mapping[str, object]]) -> None:
        """After a crash: say BYE to each of these once (when started)."""
        if not self._started:
            self._owed.update(dialogs)
            return
        for leg, saved in dialogs.items():
            account = self._account_of(saved)
            try:
                self._endpoint.act(partial(UserAgent.bye, saved=saved, account=account))
            except (NoDialog, ValueError) as error:
                log.warning("dialog not recovered", leg=leg, error=str(error))
            else:
                log.info("dialog ended after restart", leg=leg)

    # --- a leg's life

    async def _open(self, line: Line) -> None:
        """Open the leg's media, or end it."""
        if line.ending:
            return
        try:
            line.media_open = True
            line.address = await self._engine.open_leg(line.leg, str(line.vdn))
        except Refused as refused:
            line.media_open = False
            exhausted = refused.code is Code.MEDIA_EXHAUSTED
            cause = ReleaseCause.OVERLOAD if exhausted else ReleaseCause.WORKER_LOST
            log.warning("no media for leg", leg=line.leg, reason=refused.code.value)
            session = line.session
            if session is not None:
                self._endpoint.act(lambda ua: session.hang_up(cause))
            else:
                self._finish(line, cause)

    def _stuck(self, leg: LegId) -> None:
        """A step of a leg failed for a reason of ours, or the engine did not answer."""
        self.hang_up(leg, ReleaseCause.WORKER_LOST)

    async def _dial(self, line: Line) -> None:
        """Ring the next target."""
        if line.ending or line.address is None or not line.targets:
            return
        target = line.targets.pop(0)
        trunk, domain = target.trunk, self._settings.ua.domain
        user = (trunk.from_user if trunk else "") or line.caller or "anonymous"
        call = OutgoingCall(
            to=target.uri,
            hop=target.hop,
            local=self._advertised(target.hop.host, line.address),
            from_uri=f"sip:{escape_user(user)}@{(trunk.from_domain if trunk else '') or domain}",
            from_name=line.caller if user != line.caller else "",
            account=target.account,
            label=line.leg,
            nat=target.nat,
        )
        line.trunk, line.proxied = trunk.name if trunk else "", target.proxied
        self._endpoint.act(lambda ua: line.take(ua.invite(call)))

    def _offered(self, session: Called) -> None:
        vdn = session.admitted.vdn
        if vdn is None:
            session.refuse(404)
            return
        leg = LegId(f"sip-{secrets.token_hex(8)}")
        session.label = leg
        line = self._lines[leg] = Line(leg, vdn, self._tasks, self._stuck)
        line.trunk = session.admitted.trunk
        session.account = next((t.account for t in self._settings.trunks if t.name == line.trunk), None)
        line.take(session)
        line.then(lambda: self._open(line))
        line.then(lambda: self._place(line, session))

    async def _place(self, line: Line, session: Called) -> None:
        """Tell the floor about an offer whose media is open."""
        if line.ending or line.address is None:
            return
        local = self._advertised(session.invite.source.host, line.address)
        self._endpoint.act(lambda ua: session.place(local))
        if line.ending or session.ended:
            return
        line.announced = True
        account = session.admitted.account
        self._tell(LegOffered(line.leg, line.vdn, session.caller, session.called, account))

    def _finish(self, line: Line, cause: ReleaseCause) -> None:
        """The leg is over: close its media, say LegGone, both once."""
        if line.ending:
            return
        line.ending = True
        line.then(lambda: self._close(line, cause))

    async def _close(self, line: Line, cause: ReleaseCause) -> None:
        try:
            if line.media_open:
                line.media_open = False
                await self._engine.close_leg(line.leg)
        except Refused as refused:
            log.info("media was gone already", leg=line.leg, reason=refused.code.value)
        finally:
            self._lines.pop(line.leg, None)
            if line.announced:
                self._tell(LegGone(line.leg, cause))

    # --- what the user agent says

    def _on_event(self, event: events.Event) -> None:
        match event:
            case events.CallOffered(session=session):
                assert isinstance(session, Called)
                self._offered(session)
            case events.Bound(username=username, binding=binding):
                log.info("phone registered", account=username, contact=binding.contact)
            case events.Unbound(username=username, contact=contact):
                log.info("phone unregistered", account=username, contact=contact)
            case events.Registered() | events.Unregistered():
                registration = event.registration
                log.info(
                    "registration changed",
                    address=registration.wanted.address,
                    registered=registration.registered,
                )
            case events.RegistrationFailed(registration=registration, status=status):
                log.warning("registration failed", address=registration.wanted.address, status=status)
            case _:
                line = self._lines.get(LegId(event.session.label))
                if line is not None and line.session is event.session and not line.ending:
                    self._on_call_event(line, event)

    def _on_call_event(self, line: Line, event: events.Event) -> None:
        match event:
            case events.CallProgressed():
                if not line.rang:
                    line.rang = True
                    self._tell(LegRinging(line.leg))
            case events.MediaAgreed(remote=remote):
                line.then(lambda: self._set_remote(line, remote))
            case events.CallAnswered():
                line.then(lambda: self._say(line, LegAnswered(line.leg)))
            case events.CallHeld():
                line.then(lambda: self._say(line, LegHeld(line.leg)))
            case events.CallResumed():
                line.then(lambda: self._say(line, LegResumed(line.leg)))
            case events.DialogChanged(dialog=dialog):
                self._tell(LegSaved(line.leg, {**dialog, "trunk": line.trunk, "proxied": line.proxied}))
            case events.CallEnded(cause=cause, status=status, by_far_side=by_far_side):
                log.info("leg ended", leg=line.leg, cause=cause.value, status=status, far_side=by_far_side)
                if cause is ReleaseCause.UNREACHABLE and line.targets:
                    line.session = None
                    line.then(lambda: self._dial(line))
                else:
                    self._finish(line, cause)

    async def _set_remote(self, line: Line, remote: RemoteMedia) -> None:
        if line.ending or remote == line.remote:
            return
        line.remote = remote
        try:
            await self._engine.set_remote(line.leg, remote)
        except Refused as refused:
            log.warning("media lost", leg=line.leg, reason=refused.code.value)
            self.hang_up(line.leg, ReleaseCause.WORKER_LOST)

    async def _say(self, line: Line, event: LineEvent) -> None:
        if not line.ending:
            self._tell(event)

    def _tell(self, event: LineEvent) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("line event failed", line_event=type(event).__name__)

    def _on_media(self, event: EngineEvent) -> None:
        if isinstance(event, LegsLost):
            for leg in event.legs & self._lines.keys():
                self._lines[leg].media_open = False
                self.hang_up(leg, ReleaseCause.WORKER_LOST)

    # --- addresses

    def _session_of(self, leg: LegId) -> Session | None:
        line = self._lines.get(leg)
        return line.session if line is not None and not line.ending else None

    def _targets(self, vdn: VdnId, to: Destination) -> list[Target]:
        """The ways to ring `to`, best first."""
        settings, user = self._settings, escape_user(to.number)
        if to.side is Side.PHONE:
            bound = self._registrar.of_number(vdn, to.number)
            if bound:
                return [Target(b.contact, b.hop, nat=b.behind_nat) for b in bound]
            proxy = settings.outbound_proxy
            if proxy is None:
                return []
            return [Target(f"sip:{user}@{settings.ua.domain}", proxy.hop, proxy.account, proxied=True)]
        found = []
        for trunk in settings.trunks[:1]:
            uri = f"sip:{user}@{trunk.domain or trunk.host}"
            if not trunk.domain and trunk.port != 5060:
                uri += f":{trunk.port}"
            found.append(Target(uri, trunk.hop, trunk.account, trunk.host in self._nat, trunk))
        return found

    def _account_of(self, saved: Mapping[str, object]) -> Account | None:
        """What answers challenges in a dialog that LegSaved described."""
        if saved.get("proxied"):
            proxy = self._settings.outbound_proxy
            return proxy.account if proxy is not None else None
        return next((t.account for t in self._settings.trunks if t.name == saved.get("trunk")), None)

    def _advertised(self, remote: str, local: LegAddress) -> LegAddress:
        """The engine's address as `remote` should see it in SDP."""
        return LegAddress(self._endpoint.media_host(remote, local.host), local.port)
