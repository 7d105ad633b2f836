"""Performs what the floor of one VDN wants: in order, one writer, timers by the clock.

Line and engine events and commands go in; the floor's effects go out to the engine, the lines, the store
and the feed. Effects of one VDN are performed strictly one after the other, so that a later table never
overtakes an earlier one. Closing a recording alone is not waited for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path

import structlog

from sottovoce.clock import Clock, moment
from sottovoce.deadlines import Deadlines
from sottovoce.digests import file_sha256
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry, SessionEnded, SessionSaved
from sottovoce.domain.legs import LegId, ReleaseCause, Sound
from sottovoce.errors import Code, Refused
from sottovoce.live import effects as fx
from sottovoce.live.feed import Feed
from sottovoce.live.floor import Floor, Input
from sottovoce.live.hearing import RecordingClosed, RecordingRefused
from sottovoce.live.inputs import Command
from sottovoce.live.playing import PlaybackBegan
from sottovoce.live.ports import Lines, Store
from sottovoce.live.presence import CloseFloor, SignOfLife
from sottovoce.live.turns import Turns
from sottovoce.media.engine import (
    Apply,
    HaltSound,
    MediaEngine,
    MoveSound,
    Play,
    Request,
    ResultT,
    SendDigits,
    SoundEnded,
    StartRecording,
    StopRecording,
)
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

ENGINE_WAIT_S = 2.0
"""An engine that does not answer for so long is taken for lost."""
CLOSE_WAIT_S = 15.0
"""The same for the files of a recording, written or played; nothing else waits for them."""

Done = asyncio.Future[None]


class Driver:
    """One floor at work. `rings` is told of every leg that the floor opens."""

    def __init__(
        self,
        floor: Floor,
        *,
        engine: MediaEngine,
        lines: Lines,
        store: Store,
        feed: Feed,
        clock: Clock,
        tasks: Tasks,
        rings: Callable[[LegId], None],
    ) -> None:
        self.floor = floor
        self.timers: Deadlines[fx.Timer] = Deadlines()
        self._engine, self._lines, self._store, self._feed = engine, lines, store, feed
        self._clock, self._tasks = clock, tasks
        self._rings = rings
        self._turns = Turns(self.vdn)
        self._work: deque[tuple[list[fx.Effect], Done]] = deque()
        self._given = asyncio.Event()
        self._rearmed = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()
        self._running: list[asyncio.Task[None]] = []

    @property
    def vdn(self) -> VdnId:
        """The VDN whose floor this is."""
        return self.floor.state.profile.vdn

    def start(self) -> None:
        """Begin to perform effects and to watch the clock."""
        self._running = [
            self._tasks.spawn(self._perform_all(), name=f"floor {self.vdn}"),
            self._tasks.spawn(self._watch(), name=f"timers {self.vdn}"),
        ]

    async def stop(self) -> None:
        """End the floor's calls, perform what is left, close recordings; then end. Once is enough."""
        if not self._running:
            return
        self.tell(CloseFloor())
        await self.closed()
        running, self._running = self._running, []
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def tell(self, given: Input) -> None:
        """Something happened outside: never refused, never waits."""
        try:
            self.perform(self._handled(given))
        except Refused as refusal:
            kind = type(given).__name__  # and not its values: a key that was pressed is nobody's business
            log.error("event refused", vdn=self.vdn, given=kind, code=refusal.code.value, detail=refusal.why)
        except Exception:  # told by doors and media, whose loops must go on
            log.exception("event failed", vdn=self.vdn, given=type(given).__name__)

    def _handled(self, given: Input) -> list[fx.Effect]:
        """Make a transition, and have the log tell it."""
        wanted = self.floor.handle(given, moment(self._clock))
        self._turns.note(given, wanted, self.floor.state)
        return wanted

    async def ask(
        self,
        command: Command,
        *,
        still: Callable[[], bool] = lambda: True,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Handle a command: commit first what must be, then take effect, then wait until it is performed.

        `still` is asked after the commit: False when a later command overtook this one. `then` is called
        in the moment in which the command takes effect.
        """
        if not self._running:
            raise Refused(Code.UNAVAILABLE, "this floor does not run")
        now = moment(self._clock)
        first = self.floor.intent(command, now)
        if first:
            await self._store.commit(self.vdn, first)
        try:
            if not still():
                raise Refused(Code.WRONG_SUPERVISION_STATE, "overtaken by a later command")
            wanted = self._handled(command)
        except Refused as refusal:
            for change in first:
                if isinstance(change, AuditEntry):
                    action, why = f"{change.action}.refused", {"code": refusal.code.value}
                    entry = AuditEntry(self.vdn, now.at, change.actor, action, change.target, why)
                    self._store.append(self.vdn, [entry])
                elif isinstance(change, SessionSaved) and change.agent not in self.floor.state.seats:
                    self._store.append(self.vdn, [SessionEnded(change.agent, self.vdn, now.at, "refused")])
            raise
        then()
        await self.perform(wanted)

    def perform(self, wanted: list[fx.Effect]) -> Done:
        """Queue effects; the future is done when the last is performed. A stopped floor performs none."""
        done: Done = asyncio.get_running_loop().create_future()
        if self._running:
            self._work.append((wanted, done))
            self._given.set()
        else:
            done.set_result(None)
        return done

    async def settled(self) -> None:
        """Wait until everything queued so far is performed."""
        await self.perform([])

    async def closed(self) -> None:
        """The same, and until the recordings stopped by then are closed and told."""
        await self.settled()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self.settled()

    def run_due(self) -> None:
        """Tell the floor of the timers that have run out; a hanging poll is a sign of life."""
        now = self._clock.monotonic()
        for timer in list(self.timers.due(now)):
            settings = self.floor.state.settings
            match timer:
                case fx.SessionSilent(agent) if self._feed.polling(agent):
                    self.timers.arm(timer, now + settings.agents.sign_out_after)
                case fx.LeaseEnds(agent) if self._feed.polling(agent):
                    self.timers.arm(timer, now + self.floor.state.lease_s(agent))
                case _:
                    self.tell(timer)

    def alive(self, agent: AgentId, *, session: bool) -> None:
        """A sign of life: for the lease of a supervision; for the session too if a poll or handshake."""
        settings, now = self.floor.state.settings, self._clock.monotonic()
        lease, silent = fx.LeaseEnds(agent), fx.SessionSilent(agent)
        if self.timers.armed(lease):
            self.timers.arm(lease, now + self.floor.state.lease_s(agent))
        if session and self.timers.armed(silent):
            self.timers.arm(silent, now + settings.agents.sign_out_after)
        elif session and agent in self.floor.state.lapsing:
            self.tell(SignOfLife(agent))

    async def _watch(self) -> None:
        while True:
            self._rearmed.clear()
            first = self.timers.next
            wait = None if first is None else max(0.01, first - self._clock.monotonic())
            try:
                async with asyncio.timeout(wait):
                    await self._rearmed.wait()
            except TimeoutError:
                self.run_due()

    async def _perform_all(self) -> None:
        while True:
            await self._given.wait()
            self._given.clear()
            while self._work:
                wanted, done = self._work.popleft()
                for effect in wanted:
                    try:
                        await self._perform(effect)
                    except Refused as refusal:
                        told = {"effect": type(effect).__name__, "leg": getattr(effect, "leg", None)}
                        log.warning("effect refused", vdn=self.vdn, **told, code=refusal.code.value)
                    except Exception:  # one effect's fault must not stop the floor: the rest is performed
                        log.exception("effect failed", vdn=self.vdn, effect=type(effect).__name__)
                if not done.done():
                    done.set_result(None)

    async def _perform(self, effect: fx.Effect) -> None:
        match effect:
            case fx.Emit(event):
                self._feed.offer(event, self._clock.now())
            case Apply(routing):
                if not await self._engine_does(effect):
                    for leg in sorted(routing.inspectors):
                        self._lines.hang_up(leg, ReleaseCause.FAILED)
            case Play(leg, sound) if sound is not None:
                if not await self._engine_does(effect):
                    await self._play_instead(leg, sound)
            case Play() | MoveSound() | HaltSound() | SendDigits():
                await self._engine_does(effect)
            case fx.PlayBack(leg):
                self._tasks.spawn(self._play_back(effect), name=f"play back to {leg}")
            case StartRecording():
                await self._record(effect)
            case StopRecording(recording):
                task = self._tasks.spawn(self._close(effect), name=f"close {recording}")
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
            case fx.Ring(leg, to, caller):
                self._rings(leg)
                self._lines.ring(leg, self.vdn, to, caller)
            case fx.Announce(leg, early_media):
                self._lines.announce(leg, early_media=early_media)
            case fx.Accept(leg):
                self._lines.accept(leg)
            case fx.HangUp(leg, cause):
                self._lines.hang_up(leg, cause)
            case fx.Append(changes):
                self._store.append(self.vdn, changes)
            case fx.Arm(timer, seconds):
                self.timers.arm(timer, self._clock.monotonic() + seconds)
                self._rearmed.set()
            case fx.Disarm(timer):
                self.timers.disarm(timer)
            case fx.OpenFeed(agent, push):
                self._feed.open(agent, push)
            case fx.RedirectFeed(agent, push):
                self._feed.redirect(agent, push)
            case fx.CloseFeed(agent):
                self._feed.close(agent)

    async def _engine_does(self, request: Request[None]) -> bool:
        """Wait for the engine; False when it did not answer or is away."""
        try:
            async with asyncio.timeout(ENGINE_WAIT_S):
                await self._engine.ask(request)
        except TimeoutError:
            log.error("engine does not answer", vdn=self.vdn)
            return False
        except Refused as refusal:
            log.warning("engine refused", vdn=self.vdn, code=refusal.code.value, detail=refusal.why)
            return False
        return True

    async def _play_instead(self, leg: LegId, sound: Sound) -> None:
        """A sound cannot be played: the settings' music in the place of music, silence in that of words."""
        plain = Sound(self.floor.state.settings.media.music)
        if not sound.loop:
            self.tell(SoundEnded(leg, sound.name))
        elif sound != plain:
            await self._engine_does(Play(leg, plain))

    async def _record(self, request: StartRecording) -> None:
        _, failure = await self._answer(request, ENGINE_WAIT_S)
        if failure is not None:
            self.tell(RecordingRefused(request.recording.recording, failure))

    async def _play_back(self, effect: fx.PlayBack) -> None:
        sound = Sound(str(effect.path), loop=False)
        _, failure = await self._answer(Play(effect.leg, sound, effect.at_ms), CLOSE_WAIT_S)
        if failure is None:
            self.tell(PlaybackBegan(effect.leg))
        else:
            log.warning("recording not played", vdn=self.vdn, reason=failure)
            self.tell(SoundEnded(effect.leg, sound.name))

    async def _close(self, request: StopRecording) -> None:
        result, failure = await self._answer(request, CLOSE_WAIT_S)
        digest, tracks = None, {}
        if result is not None:
            digest, failure = await self._digest(result.path), result.failure
            tracks = {leg: await self._digest(path) for leg, path in result.tracks.items()}
        known = {leg: sha256 for leg, sha256 in tracks.items() if sha256 is not None}
        self.tell(RecordingClosed(request.recording, result, failure, digest, known))

    async def _digest(self, path: Path) -> str | None:
        """The SHA-256 of a closed recording; None where nothing was written or it cannot be read."""
        try:
            return await asyncio.to_thread(file_sha256, path)
        except FileNotFoundError:
            return None
        except OSError as failure:
            log.error("recording without its SHA-256", path=str(path), reason=failure.strerror)
            return None

    async def _answer(self, request: Request[ResultT], wait_s: float) -> tuple[ResultT | None, str | None]:
        """What the engine answers; else None, and why."""
        try:
            async with asyncio.timeout(wait_s):
                return await self._engine.ask(request), None
        except Refused as refusal:
            return None, refusal.why or refusal.code.value
        except TimeoutError:
            return None, "the engine does not answer"
