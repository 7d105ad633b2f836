"""The SIP door: telephone legs for the floor. Implements `live.ports.Lines` over one endpoint.

A leg's media is opened before anything about it is said and closed before LegGone; what concerns its
media happens in order, one step after the other, in a queue of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

import structlog

from sottovoce.clock import Clock
from sottovoce.config import NetworkSettings, SipSettings
from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import PhoneSaved
from sottovoce.domain.legs import LegId, ReleaseCause, RemoteMedia
from sottovoce.domain.lines import (
    Destination,
    LegAnswered,
    LegGone,
    LegHeld,
    LegOffered,
    LegPressed,
    LegResumed,
    LegRinging,
    LegSaved,
    LineEvent,
    LineKind,
    PhoneSeen,
)
from sottovoce.doors.sip import events, lifting
from sottovoce.doors.sip.admission import Authenticator, Guard, Networks
from sottovoce.doors.sip.called import Called
from sottovoce.doors.sip.calling import OutgoingCall
from sottovoce.doors.sip.dialog import NoDialog
from sottovoce.doors.sip.digest import NonceKeeper
from sottovoce.doors.sip.endpoint import Endpoint, SystemEntropy
from sottovoce.doors.sip.far_sides import account_at, hop_to
from sottovoce.doors.sip.hops import Transport
from sottovoce.doors.sip.kept import KeptRegistrations
from sottovoce.doors.sip.legs import SipLeg, Target
from sottovoce.doors.sip.limits import SourceLimits
from sottovoce.doors.sip.ports import Account, Directory, Journal
from sottovoce.doors.sip.registering import RegisterWith
from sottovoce.doors.sip.registrar import Registrar
from sottovoce.doors.sip.session import Session
from sottovoce.doors.sip.ua import UserAgent
from sottovoce.doors.sip.uri import escape_user
from sottovoce.errors import Code, Refused
from sottovoce.media.engine import (
    CloseLeg,
    DigitPressed,
    EngineEvent,
    LegsLost,
    MediaEngine,
    OpenLeg,
    SetRemote,
)
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

LAST_WORDS = 1.0
"""Seconds that `stop` waits for the answers to its BYEs."""


class SipDoor:
    """Legs over SIP. Nothing here waits; outcomes are line events."""

    def __init__(
        self,
        engine: MediaEngine,
        directory: Directory,
        settings: SipSettings,
        network: NetworkSettings,
        clock: Clock,
        tasks: Tasks,
        *,
        journal: Journal | None = None,
    ) -> None:
        """Without a `journal` registrations end with the process."""
        self._engine = engine
        self._settings = settings
        self._tasks = tasks
        self._listeners: list[Callable[[LineEvent], None]] = []
        self._legs: dict[LegId, SipLeg] = {}
        self._by_call: dict[events.CallKey, SipLeg] = {}
        self._nat = Networks(network.nat)
        self._rtp_from_anywhere = Networks(network.rtp_from_anywhere)
        self._registered_with: dict[str, bool] = {}
        """The trunks that we register with, and whether we are."""
        self._owed: dict[LegId, Mapping[str, object]] = {}
        self._started = False
        limits = SourceLimits(
            settings.requests_per_second, settings.request_burst, failures=settings.failed_logins
        )
        nonces = NonceKeeper(secrets.token_bytes(32))
        authenticator = Authenticator(
            settings.domain,
            directory,
            nonces,
            SystemEntropy(),
            limits,
            on_blocked=lambda host: log.warning("too many wrong passwords, not listened to", host=host),
        )
        self._endpoint = Endpoint(
            settings,
            clock,
            tasks,
            self._on_event,
            advertised=network.advertised,
            limits=limits,
        )
        ua = self._endpoint.ua
        self._registrar = Registrar(authenticator, ua.timers, ua.emit, settings, nat=network.nat)
        self._kept = KeptRegistrations(self._registrar, directory, journal, clock)
        guard = Guard(settings.trunks, directory, authenticator, self._registrar, nat=network.nat)
        ua.registrar = self._registrar
        ua.doorman = guard
        ua.trusted = lambda source: guard.trunk_of(source) is not None
        self._guard = guard
        self._endpoint.know(self.knows)
        engine.subscribe(self._on_media)

    async def start(self) -> None:
        """Bind the sockets, register with the trunks that want it, and say the BYEs that are owed."""
        await self._endpoint.start(self._settings.host, self._settings.port)
        self._started = True
        log.info("sip listens", host=self._endpoint.host, port=self._endpoint.port)
        for trunk in self._settings.trunks:
            account = account_at(trunk)
            if trunk.register_here and account is not None:
                address = f"sip:{account.username}@{trunk.domain or trunk.host}"
                wanted = RegisterWith(address, hop_to(trunk), account)
                self._endpoint.act(partial(UserAgent.register, wanted=wanted))
        owed, self._owed = self._owed, {}
        self.recover(owed)

    async def stop(self) -> None:
        """Say BYE to all legs, close their media, wait a moment for the answers, close the sockets."""
        self._endpoint.act(lambda ua: self._registrar.tell())
        try:
            for leg in list(self._legs):
                self.hang_up(leg)
            for sip_leg in list(self._legs.values()):
                await sip_leg.settled()
            await self._endpoint.settle(LAST_WORDS)
        finally:
            self._started = False
            await self._endpoint.stop()

    @property
    def addresses(self) -> Mapping[Transport, tuple[str, int]]:
        """Where it listens."""
        return self._endpoint.addresses()

    def contacts(self, username: str) -> list[events.Binding]:
        """Where a phone is registered now, newest first."""
        return self._registrar.of_user(username)

    def remember(self, phones: Iterable[PhoneSaved]) -> None:
        """Take up the registrations of before a restart that have not run out."""
        self._endpoint.act(lambda ua: self._kept.remember(phones))

    @property
    def registered(self) -> list[tuple[VdnId, str]]:
        """The phones that are registered now, by VDN and number."""
        return self._registrar.numbers()

    @property
    def refusals(self) -> Mapping[tuple[str, int], int]:
        """How often a method (INVITE, REGISTER, other) was answered with a status above 299."""
        return self._endpoint.ua.transactions.refusals

    @property
    def listens(self) -> bool:
        """Whether its sockets are open."""
        return self._started

    def knows(self, host: str) -> bool:
        """Whether that host is a trunk's or a registered phone's."""
        return self._guard.is_trunk(host) or self._registrar.is_phone(host)

    # --- live.ports.Lines

    def subscribe(self, listener: Callable[[LineEvent], None]) -> None:
        """Call `listener` in the event loop for every line event."""
        self._listeners.append(listener)

    def ring(self, leg: LegId, vdn: VdnId, to: Destination, caller: str) -> None:
        """Place a call; LegRinging?, then LegAnswered or LegGone follow."""
        if leg in self._legs:
            raise ValueError(f"leg {leg} is there already")
        sip_leg = self._legs[leg] = SipLeg(leg, vdn, self._tasks, self._stuck)
        sip_leg.announced = True
        sip_leg.caller = caller
        sip_leg.targets = self._targets(vdn, to)
        if not sip_leg.targets:
            self._finish(sip_leg, ReleaseCause.UNREACHABLE)
            return
        sip_leg.then(lambda: self._open(sip_leg))
        sip_leg.then(lambda: self._dial(sip_leg))

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
        sip_leg = self._legs.get(leg)
        if sip_leg is None or sip_leg.ending:
            return
        session = sip_leg.session
        sip_leg.targets = []
        if session is None:
            self._finish(sip_leg, cause)
        else:
            self._endpoint.act(lambda ua: session.hang_up(cause))

    async def ask_to_lift(self, leg: LegId) -> bool:
        """Have the phone that rings lift, by the ways that the settings name, one after the other."""
        sip_leg, ways = self._legs.get(leg), self._settings.phone_pickup
        return sip_leg is not None and await lifting.lift(self._endpoint, sip_leg, ways, self._ring_anew)

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

    async def _open(self, leg: SipLeg) -> None:
        """Open the leg's media, or end it."""
        if leg.ending:
            return
        try:
            leg.media_open = True
            leg.address = await self._engine.ask(OpenLeg(leg.id, str(leg.vdn)))
        except Refused as refused:
            leg.media_open = False
            exhausted = refused.code is Code.MEDIA_EXHAUSTED
            cause = ReleaseCause.OVERLOAD if exhausted else ReleaseCause.WORKER_LOST
            log.warning("no media for leg", leg=leg.id, reason=refused.code.value)
            session = leg.session
            if session is not None:
                self._endpoint.act(lambda ua: session.hang_up(cause))
            else:
                self._finish(leg, cause)

    def _stuck(self, leg: LegId) -> None:
        """A step of a leg failed for a reason of ours, or the engine did not answer."""
        self.hang_up(leg, ReleaseCause.WORKER_LOST)

    async def _ring_anew(self, leg: SipLeg) -> None:
        """Ring the same phone once more, which is to lift by itself."""
        if (session := lifting.ringing(leg)) is not None and leg.target is not None:
            self._by_call.pop(session.key, None)
            leg.session = None
            self._endpoint.act(lambda ua: session.hang_up())
            leg.targets.insert(0, leg.target)
            await self._dial(leg, lifts=True)

    async def _dial(self, leg: SipLeg, *, lifts: bool = False) -> None:
        """Ring the next target."""
        if leg.ending or leg.address is None or not leg.targets:
            return
        target = leg.target = leg.targets.pop(0)
        trunk, domain = target.trunk, self._settings.domain
        user = (trunk.from_user if trunk else "") or leg.caller or "anonymous"
        call = OutgoingCall(
            to=target.uri,
            hop=target.hop,
            local=self._endpoint.media_address(target.hop.host, leg.address),
            from_uri=f"sip:{escape_user(user)}@{(trunk.from_domain if trunk else '') or domain}",
            from_name=leg.caller if user != leg.caller else "",
            account=target.account,
            nat=target.nat,
            routes=target.routes,
            lifts=lifts,
        )
        leg.trunk, leg.proxied = trunk.name if trunk else "", target.proxied
        self._endpoint.act(lambda ua: self._take(leg, ua.invite(call)))

    def _begin_leg(self, session: Called) -> None:
        """Make a call that came in a leg of the VDN it was admitted to, and ask for its media."""
        vdn = session.admitted.vdn
        if vdn is None:
            session.refuse(404)
            return
        name = LegId(f"sip-{secrets.token_hex(8)}")
        leg = self._legs[name] = SipLeg(name, vdn, self._tasks, self._stuck)
        leg.trunk = session.admitted.trunk
        session.account = self._account_of_trunk(leg.trunk)
        self._take(leg, session)
        leg.then(lambda: self._open(leg))
        leg.then(lambda: self._place(leg, session))

    async def _place(self, leg: SipLeg, session: Called) -> None:
        """Tell the floor about an offer whose media is open."""
        if leg.ending or leg.address is None:
            return
        local = self._endpoint.media_address(session.invite.source.host, leg.address)
        self._endpoint.act(lambda ua: session.place(local))
        if leg.ending or session.ended:
            return
        leg.announced = True
        account = session.admitted.account
        self._tell(LegOffered(leg.id, leg.vdn, session.caller, session.called, account))

    def _take(self, leg: SipLeg, session: Session) -> None:
        """Hear of a call as that leg's."""
        leg.session = session
        self._by_call[session.key] = leg

    def _finish(self, leg: SipLeg, cause: ReleaseCause) -> None:
        """The leg is over: close its media, say LegGone, both once."""
        if leg.ending:
            return
        leg.ending = True
        leg.note_lifting(False)
        leg.then(lambda: self._close(leg, cause))

    async def _close(self, leg: SipLeg, cause: ReleaseCause) -> None:
        try:
            if leg.media_open:
                leg.media_open = False
                await self._engine.ask(CloseLeg(leg.id))
        except Refused as refused:
            log.info("media was gone already", leg=leg.id, reason=refused.code.value)
        finally:
            self._legs.pop(leg.id, None)
            if leg.announced:
                self._tell(LegGone(leg.id, cause))

    # --- what the user agent says

    def _on_event(self, event: events.Event) -> None:
        match event:
            case events.CallOffered(call=call):
                self._begin_leg(self._endpoint.ua.offer(call))
            case events.Bound(username=username, binding=binding, before=before):
                if event.moved:
                    was = before.contact if before is not None else None
                    told = {"source": str(binding.source), "contact": binding.contact, "before": was}
                    log.info("phone registered", account=username, **told)
                self._tell(PhoneSeen(binding.vdn, binding.number))
            case events.Unbound(username=username, contact=contact, why=why):
                log.info("phone unregistered", account=username, contact=contact, why=why)
            case events.RequestRefused():
                self._log_refusal(event)
            case events.ContactsChanged():
                self._kept.keep(event)
            case events.Registered(address=address) | events.Unregistered(address=address):
                registered = isinstance(event, events.Registered)
                if self._registered_with.get(address) is not registered:
                    log.info("registration changed", address=address, registered=registered)
                self._registered_with[address] = registered
            case events.RegistrationFailed(address=address, status=status):
                self._registered_with[address] = False
                log.warning("registration failed", address=address, status=status, per=(address, status))
            case _:
                leg = self._by_call.get(event.call)
                if leg is not None and not leg.ending:
                    self._on_call_event(leg, event)
                if isinstance(event, events.CallEnded):
                    self._by_call.pop(event.call, None)

    def _log_refusal(self, refused: events.RequestRefused) -> None:
        """One line for each kind of refusal of a host: who tries many numbers writes no log of them."""
        log.info(
            "call refused" if refused.method == "INVITE" else "registration refused",
            status=refused.status,
            why=refused.why,
            source=str(refused.source),
            caller=refused.caller,
            called=refused.called,
            sip_call=refused.call_id,
            per=(refused.source.host, refused.status, refused.why),
        )

    def _on_call_event(self, leg: SipLeg, event: events.Event) -> None:
        match event:
            case events.CallProgressed():
                if not leg.rang:
                    leg.rang = True
                    self._tell(LegRinging(leg.id))
            case events.MediaAgreed(remote=remote):
                leg.then(lambda: self._set_remote(leg, remote))
            case events.CallAnswered():
                leg.note_lifting(True)
                leg.then(lambda: self._say(leg, LegAnswered(leg.id)))
            case events.CallHeld():
                leg.then(lambda: self._say(leg, LegHeld(leg.id)))
            case events.CallResumed():
                leg.then(lambda: self._say(leg, LegResumed(leg.id)))
            case events.KeyPressed(key=key) if not leg.keys_in_media:
                leg.then(lambda: self._say(leg, LegPressed(leg.id, key)))
            case events.DialogChanged(dialog=dialog):
                self._tell(LegSaved(leg.id, {**dialog, "trunk": leg.trunk, "proxied": leg.proxied}))
            case events.CallEnded(cause=cause, status=status, by_far_side=by_far_side):
                log.info(
                    "leg ended",
                    leg=leg.id,
                    cause=cause.value,
                    status=status,
                    far_side=by_far_side,
                    sip_call=event.call.call_id,
                )
                if cause is ReleaseCause.UNREACHABLE and leg.targets:
                    leg.session = None
                    leg.then(lambda: self._dial(leg))
                else:
                    self._finish(leg, cause)

    async def _set_remote(self, leg: SipLeg, remote: RemoteMedia) -> None:
        remote = replace(remote, anywhere=remote.signalling_host in self._rtp_from_anywhere)
        if leg.ending or remote == leg.remote:
            return
        leg.remote = remote
        try:
            await self._engine.ask(SetRemote(leg.id, remote))
        except Refused as refused:
            log.warning("media lost", leg=leg.id, reason=refused.code.value)
            self.hang_up(leg.id, ReleaseCause.WORKER_LOST)

    async def _say(self, leg: SipLeg, event: LineEvent) -> None:
        if not leg.ending:
            self._tell(event)

    def _tell(self, event: LineEvent) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("line event failed", line_event=type(event).__name__)

    def _on_media(self, event: EngineEvent) -> None:
        if isinstance(event, DigitPressed) and event.leg in self._legs:
            self._legs[event.leg].keys_in_media = True
        if isinstance(event, LegsLost):
            for leg in event.legs & self._legs.keys():
                self._legs[leg].media_open = False
                self.hang_up(leg, ReleaseCause.WORKER_LOST)

    # --- addresses

    def _session_of(self, leg: LegId) -> Session | None:
        sip_leg = self._legs.get(leg)
        return sip_leg.session if sip_leg is not None and not sip_leg.ending else None

    def _targets(self, vdn: VdnId, to: Destination) -> list[Target]:
        """The ways to ring `to`, best first."""
        settings, user = self._settings, escape_user(to.number)
        if to.side is LineKind.PHONE:
            bound = self._registrar.of_number(vdn, to.number)
            if bound:
                return [Target(b.contact, b.hop, nat=b.behind_nat, routes=b.path) for b in bound]
            proxy = settings.outbound_proxy
            if proxy is None:
                return []
            return [Target(f"sip:{user}@{settings.domain}", hop_to(proxy), account_at(proxy), proxied=True)]
        found = []
        for trunk in settings.trunks[:1]:
            uri = f"sip:{user}@{trunk.domain or trunk.host}"
            if not trunk.domain and trunk.port != 5060:
                uri += f":{trunk.port}"
            found.append(Target(uri, hop_to(trunk), account_at(trunk), trunk.host in self._nat, trunk))
        return found

    def _account_of(self, saved: Mapping[str, object]) -> Account | None:
        """What answers challenges in a dialog that LegSaved described."""
        if saved.get("proxied"):
            proxy = self._settings.outbound_proxy
            return account_at(proxy) if proxy is not None else None
        return self._account_of_trunk(saved.get("trunk"))

    def _account_of_trunk(self, name: object) -> Account | None:
        return next((account_at(trunk) for trunk in self._settings.trunks if trunk.name == name), None)
