"""The browser door: pages of a browser as phones of the floor. Implements `live.ports.Lines` for them.

A page connects a phone, once, and keeps its path; then it is rung like any other. A leg's media is opened
before anything about it is said and closed before LegGone, as at the SIP door. Pages call nobody from here:
they place calls by the floor's interfaces, which ring them first.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import ifaddr
import structlog

from sottovoce.config import BrowserSettings, LogSettings
from sottovoce.domain.directory import VdnId
from sottovoce.domain.legs import Codec, LegAddress, LegId, ReleaseCause, RemoteMedia
from sottovoce.domain.lines import Destination, LegAnswered, LegGone, LegRinging, LineEvent, PhoneSeen
from sottovoce.doors.browser.control import (
    BROWSERS,
    Attach,
    ClosePath,
    Detach,
    DoorFigures,
    DoorSetup,
    OpenPath,
    PathConnected,
    PathEvent,
    PathId,
    PathLost,
    ReadPaths,
)
from sottovoce.doors.steps import Steps
from sottovoce.errors import Code, Refused
from sottovoce.media.engine import CloseLeg, EngineEvent, LegsLost, MediaEngine, OpenLeg, SetRemote
from sottovoce.processes.connection import ProcessConnection
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

ANSWER_S = 5.0
START_S = 20.0
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class PageRung:
    """It rings: the page may answer, or has answered by itself."""

    caller: str


@dataclass(frozen=True, slots=True)
class PageFree:
    """What rang or talked is over."""


@dataclass(frozen=True, slots=True)
class PageLost:
    """The page is no phone any more: connect again."""

    why: str


PageEvent = PageRung | PageFree | PageLost


@dataclass(slots=True)
class _Phone:
    """A page that is a phone."""

    path: PathId
    vdn: VdnId
    number: str
    tell: Callable[[PageEvent], None]
    answers: bool
    dtmf_payload_type: int | None = None
    leg: LegId | None = None


@dataclass(slots=True)
class _Leg:
    """A leg that rings or talks at a page."""

    id: LegId
    vdn: VdnId
    phone: _Phone | None
    steps: Steps
    address: LegAddress | None = None
    lifted: bool = False
    talks: bool = False
    ending: bool = False


class BrowserDoor:
    """Legs at pages. Of `Lines` nothing waits; outcomes are line events."""

    def __init__(
        self,
        engine: MediaEngine,
        settings: BrowserSettings,
        tasks: Tasks,
        *,
        log: LogSettings | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._engine, self._settings, self._tasks = engine, settings, tasks
        self._log = log or LogSettings()
        self._process = ProcessConnection(BROWSERS, "browser-door", self._on_path, answer_s=answer_s)
        self._running: list[asyncio.Task[None]] = []
        self._closing = asyncio.Event()
        self._listeners: list[Callable[[LineEvent], None]] = []
        self._by_path: dict[PathId, _Phone] = {}
        self._by_number: dict[tuple[VdnId, str], _Phone] = {}
        self._legs: dict[LegId, _Leg] = {}
        engine.subscribe(self._on_media)

    async def start(self) -> None:
        """Start the process. Refused with UNAVAILABLE if it does not start."""
        up = asyncio.Event()
        setup = DoorSetup(
            self._settings.host,
            self._settings.port,
            tuple(self._settings.addresses) or machine_addresses(),
            self._settings.pages,
            self._settings.half_open,
            self._settings.consent,
            self._log.level.value,
            self._log.format.value,
            str(self._log.file or ""),
        )
        keeping = self._process.keep_up(
            lambda _: setup, started=up.set, lost=self._on_process_lost, closing=self._closing
        )
        self._running = [
            self._tasks.spawn(keeping, name="browser door"),
            self._tasks.spawn(self._process.watch(), name="browser door watch"),
        ]
        try:
            async with asyncio.timeout(START_S):
                await up.wait()
        except TimeoutError:
            await self.stop()
            raise Refused(Code.UNAVAILABLE, "the browser door did not start") from None
        log.info("browsers are listened to", port=(await self.figures()).port, addresses=setup.addresses)

    async def stop(self) -> None:
        """End all legs and paths, and the process."""
        for leg in list(self._legs.values()):
            self.hang_up(leg.id)
            await leg.steps.settled()
        self._closing.set()
        await self._process.leave()
        for task in self._running[1:]:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running = []

    @property
    def is_up(self) -> bool:
        """Whether its process takes calls."""
        return self._process.is_up

    @property
    def pid(self) -> int | None:
        """Its process's id while it runs."""
        return self._process.pid

    async def figures(self) -> DoorFigures:
        """What passes through. UNAVAILABLE while the process is away."""
        return await self._process.call(ReadPaths())

    # Pages

    async def connect(
        self, vdn: VdnId, number: str, sdp: str, tell: Callable[[PageEvent], None], *, answers: bool
    ) -> tuple[PathId, str]:
        """Make a page the phone of that number: its path, and the answer to its offer.

        It takes the place of the number's last page, whose call ends. With `answers` whatever rings is
        answered at once. BAD_PARAMETER with what is wrong with the offer, MEDIA_EXHAUSTED, UNAVAILABLE.
        """
        phone = _Phone(PathId(secrets.token_hex(16)), vdn, number, tell, answers)
        self._by_path[phone.path] = phone
        try:
            answered = await self._process.call(OpenPath(phone.path, sdp))
        except BaseException:
            self._by_path.pop(phone.path, None)
            raise
        phone.dtmf_payload_type = answered.dtmf_payload_type
        return phone.path, answered.sdp

    async def disconnect(self, path: PathId) -> None:
        """The page is no phone any more; its call ends."""
        self._forget(path, "closed")
        try:
            await self._process.call(ClosePath(path))
        except Refused as refused:
            log.info("path was gone already", reason=refused.code.value)

    def is_phone(self, vdn: VdnId, number: str) -> bool:
        """Whether a page is that number's phone now."""
        return (vdn, number) in self._by_number

    def has(self, leg: LegId) -> bool:
        """Whether a leg is of this door."""
        return leg in self._legs

    def busy(self, path: PathId) -> bool:
        """Whether something rings or talks there."""
        phone = self._by_path.get(path)
        return phone is not None and phone.leg is not None

    def lift(self, path: PathId) -> None:
        """The page answers what rings. Nothing happens where nothing does."""
        leg = self._leg_at(path)
        if leg is not None and not leg.lifted:
            self._lift(leg)

    def _lift(self, leg: _Leg) -> None:
        leg.lifted = True
        leg.steps.then(lambda: self._attach(leg))

    def put_down(self, path: PathId) -> None:
        """The page rejects what rings, or ends what talks."""
        leg = self._leg_at(path)
        if leg is not None:
            self._finish(leg, ReleaseCause.NORMAL if leg.talks else ReleaseCause.REJECTED)

    def _leg_at(self, path: PathId) -> _Leg | None:
        phone = self._by_path.get(path)
        leg = self._legs.get(phone.leg) if phone is not None and phone.leg is not None else None
        return leg if leg is not None and not leg.ending else None

    def _forget(self, path: PathId, why: str) -> None:
        phone = self._by_path.pop(path, None)
        if phone is None:
            return
        if self._by_number.get((phone.vdn, phone.number)) is phone:
            del self._by_number[phone.vdn, phone.number]
        log.info("page gone", vdn=phone.vdn, number=phone.number, why=why)
        if phone.leg is not None:
            self._finish(self._legs[phone.leg], ReleaseCause.MEDIA_TIMEOUT)
        phone.tell(PageLost(why))

    # --- live.ports.Lines

    def subscribe(self, listener: Callable[[LineEvent], None]) -> None:
        """Call `listener` in the event loop for every line event."""
        self._listeners.append(listener)

    def ring(self, leg: LegId, vdn: VdnId, to: Destination, caller: str) -> None:
        """Place a call; LegRinging?, then LegAnswered or LegGone follow."""
        if leg in self._legs:
            raise ValueError(f"leg {leg} is there already")
        phone = self._by_number.get((vdn, to.number))
        free = phone if phone is not None and phone.leg is None else None
        made = _Leg(leg, vdn, free, Steps(leg, self._tasks, self._stuck))
        self._legs[leg] = made
        if free is None:
            self._finish(made, ReleaseCause.UNREACHABLE if phone is None else ReleaseCause.BUSY)
            return
        free.leg = leg
        made.steps.then(lambda: self._open(made))
        made.steps.then(lambda: self._announce(made, free, caller))

    def announce(self, leg: LegId, *, early_media: bool) -> None:
        """No page offers a call."""

    def accept(self, leg: LegId) -> None:
        """No page offers a call."""

    def hang_up(self, leg: LegId, cause: ReleaseCause = ReleaseCause.NORMAL) -> None:
        """Cancel a ringing, or end a talking leg; LegGone follows."""
        ended = self._legs.get(leg)
        if ended is not None:
            cancelled = cause is ReleaseCause.NORMAL and not ended.talks
            self._finish(ended, ReleaseCause.CANCELLED if cancelled else cause)

    async def ask_to_lift(self, leg: LegId) -> bool:
        """Have the page that rings answer; pages do."""
        found = self._legs.get(leg)
        if found is None or found.ending or found.lifted:
            return False
        self._lift(found)
        return True

    def recover(self, dialogs: Mapping[LegId, Mapping[str, object]]) -> None:
        """No path outlives the process that had it."""

    # --- a leg's life

    async def _open(self, leg: _Leg) -> None:
        if leg.ending:
            return
        try:
            leg.address = await self._engine.ask(OpenLeg(leg.id, str(leg.vdn)))
        except Refused as refused:
            exhausted = refused.code is Code.MEDIA_EXHAUSTED
            log.warning("no media for leg", leg=leg.id, reason=refused.code.value)
            self._finish(leg, ReleaseCause.OVERLOAD if exhausted else ReleaseCause.WORKER_LOST)

    async def _announce(self, leg: _Leg, phone: _Phone, caller: str) -> None:
        if leg.ending:
            return
        self._tell(LegRinging(leg.id))
        phone.tell(PageRung(caller))
        if phone.answers:
            self.lift(phone.path)

    async def _attach(self, leg: _Leg) -> None:
        """Let the leg's audio pass to the page."""
        phone, address = leg.phone, leg.address
        if leg.ending or phone is None or address is None:
            return
        host = LOOPBACK if address.host == "0.0.0.0" else address.host  # noqa: S104 - where a worker receives
        try:
            here = await self._process.call(Attach(phone.path, LegAddress(host, address.port)))
            remote = RemoteMedia(
                here.host,
                here.port,
                Codec.PCMU,
                dtmf_payload_type=phone.dtmf_payload_type,
                rtcp_port=here.port,
            )
            await self._engine.ask(SetRemote(leg.id, remote))
        except Refused as refused:
            log.warning("page's audio not attached", leg=leg.id, reason=refused.code.value)
            self._finish(leg, ReleaseCause.WORKER_LOST)
            return
        if not leg.ending:
            leg.talks = True
            self._tell(LegAnswered(leg.id))

    def _finish(self, leg: _Leg, cause: ReleaseCause) -> None:
        """The leg is over: no audio passes, its media is closed, LegGone is said, each once."""
        if leg.ending:
            return
        leg.ending = True
        leg.steps.then(lambda: self._close(leg, cause))

    async def _close(self, leg: _Leg, cause: ReleaseCause) -> None:
        phone = leg.phone
        try:
            if leg.address is not None:  # first: a door that hangs keeps no media
                with _gone_already(leg.id):
                    await self._engine.ask(CloseLeg(leg.id))
            if leg.lifted and phone is not None and phone.path in self._by_path:
                with _gone_already(leg.id):
                    await self._process.call(Detach(phone.path))
        finally:
            self._legs.pop(leg.id, None)
            if phone is not None:
                phone.leg = None
                if phone.path in self._by_path:
                    phone.tell(PageFree())
            self._tell(LegGone(leg.id, cause))

    def _stuck(self, leg: LegId) -> None:
        """A step of a leg failed for a reason of ours, or the engine did not answer."""
        self.hang_up(leg, ReleaseCause.WORKER_LOST)

    # --- what others say

    def _on_path(self, event: PathEvent) -> None:
        match event:
            case PathConnected(path):
                phone = self._by_path.get(path)
                if phone is None:
                    return
                before = self._by_number.get((phone.vdn, phone.number))
                self._by_number[phone.vdn, phone.number] = phone
                log.info("page connected", vdn=phone.vdn, number=phone.number, before=before is not None)
                if before is not None:
                    self._tasks.spawn(self.disconnect(before.path), name="page replaced")
                self._tell(PhoneSeen(phone.vdn, phone.number))
            case PathLost(path, why):
                self._forget(path, why)

    def _on_process_lost(self) -> None:
        for path in list(self._by_path):
            self._forget(path, "the browser door was lost")

    def _on_media(self, event: EngineEvent) -> None:
        if isinstance(event, LegsLost):
            for leg in event.legs & self._legs.keys():
                self._legs[leg].address = None
                self.hang_up(leg, ReleaseCause.WORKER_LOST)

    def _tell(self, event: LineEvent) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("line event failed", line_event=type(event).__name__)


@contextlib.contextmanager
def _gone_already(leg: LegId) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        log.info("media was gone already", leg=leg, reason=refused.code.value)


def machine_addresses() -> tuple[str, ...]:
    """The machine's IPv4 addresses, loopback last: where its own browser, and others, may find it."""
    found = {
        address.ip
        for adapter in ifaddr.get_adapters()
        for address in adapter.ips
        if isinstance(address.ip, str) and not address.ip.startswith("127.")
    }
    return (*sorted(found), LOOPBACK)
