"""A media worker: the process that hears and speaks. `python -m sottovoce.media.process CONTROL SETUP`.

One thread, no event loop of asyncio: it waits for the control socket until the next of the absolute
20 ms deadlines, then reads every waiting packet, ticks the mixer and writes every packet. Threads of
its own write recordings. It takes orders from its control socket alone; when that is lost, all
inspectors fall silent at once, legs end within 2 s, recordings are closed, and the process exits.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import secrets
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import structlog

from sottovoce import logs
from sottovoce.domain.audio import Samples
from sottovoce.domain.legs import LegAddress, LegFigures, LegId, RecordingId, RecordingResult, Sound
from sottovoce.errors import Code, Refused
from sottovoce.media.beat import Beat
from sottovoce.media.control import VOCABULARY, Message, ReadTicks, Setup, TickFigures
from sottovoce.media.engine import (
    Apply,
    CloseLeg,
    EngineEvent,
    HaltSound,
    LegProven,
    MoveSound,
    OpenLeg,
    Play,
    ReadFigures,
    RecordingStopped,
    SendDigits,
    SetRemote,
    StartRecording,
    StopRecording,
)
from sottovoce.media.lane import Lane
from sottovoce.media.mixer import Mixer
from sottovoce.media.sockets import Sockets
from sottovoce.media.sounds import BUILT_IN
from sottovoce.media.writer import Closed, Failed, RecordingWriter
from sottovoce.plain import from_plain
from sottovoce.processes.protocol import (
    ControlAnswer,
    ControlCall,
    ControlError,
    ControlRefusal,
    Framer,
    Leave,
    Request,
)

log = structlog.get_logger("sottovoce.media.process")  # which runs as __main__

GRACE_S = 1.0
"""How long customer and agent still hear each other when nobody is in control any more."""
MOST_UNREAD = 8 << 20
"""Bytes the other end may leave unread before it counts as gone."""
_READ_BYTES = 1 << 13
_GC_TICKS = 500
_PRIORITY = -10
_LAST_READ_S = 0.5


class Worker:
    """Mixer, sockets and recorder under one beat, obeying one control socket."""

    def __init__(self, control: socket.socket, setup: Setup) -> None:
        control.setblocking(False)
        self._control = control
        self._framer = Framer(VOCABULARY)
        self._unsent = bytearray()
        self._writer = RecordingWriter()
        self._sockets = Sockets(setup.legs, setup.host, setup.ports)
        self._mixer = Mixer(
            setup.legs,
            sink=self._writer,
            seed=secrets.randbits(128),
            timeout_s=setup.timeout_s,
            hold_limit_s=setup.hold_limit_s,
            wall_s=time.time() - monotonic(),
        )
        self._open: dict[LegId, int] = {}
        self._recordings: set[RecordingId] = set()
        self._stopping: dict[RecordingId, tuple[int | None, RecordingResult]] = {}
        self._fetching = Lane("sound reader")
        self._fetching_once = Lane("recording reader")
        """Apart: a long recording makes no customer wait for music."""
        self._awaited: dict[LegId, int] = {}
        self._fetched: deque[tuple[int, Play, list[Samples] | Refused]] = deque()
        self._ends_at: float | None = None
        self._leaving: int | None = None
        self._doing: dict[type[Request[Any]], Callable[[Any], Any]] = {
            OpenLeg: self._open_leg,
            SetRemote: self._set_remote,
            CloseLeg: self._close_leg,
            Apply: lambda request: self._mixer.apply(request.routing),
            Play: self._play,
            MoveSound: self._move_sound,
            HaltSound: self._halt_sound,
            SendDigits: self._send_digits,
            StartRecording: self._start_recording,
            ReadFigures: lambda request: self._mixer.figures(self._slot(request.leg)),
            ReadTicks: self._figures,
        }
        """What is answered at once; a stop, a sound's file and the end take their time."""
        for name in BUILT_IN:
            self._mixer.shelf.samples(name)
        self._beat = Beat(monotonic())

    def run(self) -> None:
        """Serve until told to leave or nobody is in control."""
        self._say(ControlAnswer(0, None))
        while self._ends_at is None or monotonic() < self._ends_at:
            self._wait()
            for deadline in self._beat.due(monotonic()):
                self._tick(deadline)
        self._end()

    # The beat

    def _tick(self, deadline: float) -> None:
        begun = monotonic()
        sockets, mixer = self._sockets, self._mixer
        rtp, rtcp = sockets.wait_sets()
        count = sockets.receive(rtp)
        received = attributed = monotonic()
        if count:
            drained = sockets.attribute(count, begun, time.time())
            attributed = monotonic()
            if len(drained.refused):
                mixer.count_dropped(drained.refused)
            for proof in drained.proofs:
                leg = mixer.leg_of(proof.slot)
                if proof.first and leg is not None:
                    self._say(LegProven(leg))
            if len(drained.slots):
                mixer.receive(drained.slots, drained.packets, drained.lengths, drained.arrivals)
        for slot, report in sockets.receive_rtcp(rtcp):
            mixer.receive_rtcp(slot, report, begun)
        taken_in = monotonic()
        out = mixer.tick(begun)
        mixed = monotonic()
        if len(out.slots):
            sockets.send(out.slots, out.packets, out.lengths)
        sent = monotonic()
        for slot, report in out.rtcp:
            sockets.send_rtcp(slot, report)
        for event in out.events:
            self._say(event)
        self._writer.flush()
        self._hear_writer()
        self._play_fetched()
        self._beat.served(deadline, begun, (received, attributed, taken_in, mixed, sent))
        if self._beat.ticks % _GC_TICKS == 0:
            gc.collect(0)

    def _wait(self) -> None:
        """Serve the control socket until the next deadline, and once even when that has passed."""
        while True:
            left = self._beat.deadline - monotonic()
            if self._ends_at is not None:
                time.sleep(max(0.0, left))
                return
            writing = [self._control] if self._unsent else []
            readable, writable, _ = select.select([self._control], writing, [], max(0.0, left))
            if writable:
                self._send_rest()
            if readable:
                self._read()
            if left <= 0 or not (readable or writable):
                return

    # Control

    def _read(self) -> None:
        try:
            data = self._control.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        try:
            if not data:
                raise ControlError("the control socket was closed")
            for message in self._framer.feed(data):
                if not isinstance(message, ControlCall):
                    raise ControlError("only calls are taken here")
                self._answer(message)
        except ControlError as failure:
            self._lose_control(str(failure))

    def _answer(self, call: ControlCall) -> None:
        try:
            if isinstance(call.request, StopRecording):
                self._stop_recording(call.id, call.request.recording)
            elif isinstance(call.request, Play) and _is_file(call.request.sound):
                self._fetch(call.id, call.request)
            elif isinstance(call.request, Leave):
                self._leaving = call.id
                self._ends_at = monotonic()
            else:
                self._say(ControlAnswer(call.id, self._doing[type(call.request)](call.request)))
        except Refused as refused:
            self._say(ControlRefusal(call.id, refused.code, refused.why))

    def _set_remote(self, request: SetRemote) -> None:
        slot = self._slot(request.leg)
        self._sockets.set_remote(slot, request.remote)
        self._mixer.set_remote(slot, request.remote)

    def _close_leg(self, request: CloseLeg) -> LegFigures:
        slot = self._slot(request.leg)
        del self._open[request.leg]
        self._awaited.pop(request.leg, None)
        self._sockets.close(slot, monotonic())
        return self._mixer.close(slot)

    def _play(self, request: Play) -> None:
        self._awaited.pop(request.leg, None)
        if request.leg in self._open:
            self._mixer.play(self._open[request.leg], request.sound, request.at_ms)

    def _move_sound(self, request: MoveSound) -> None:
        if request.leg in self._open:
            self._mixer.move_sound(self._open[request.leg], request.by_ms)

    def _halt_sound(self, request: HaltSound) -> None:
        if request.leg in self._open:
            self._mixer.halt_sound(self._open[request.leg], request.on)

    def _send_digits(self, request: SendDigits) -> None:
        if request.leg in self._open:
            self._mixer.send_digits(self._open[request.leg], request.digits)

    def _start_recording(self, request: StartRecording) -> None:
        self._mixer.start_recording(request.recording)
        self._recordings.add(request.recording.recording)

    def _fetch(self, number: int, play: Play) -> None:
        """Have a sound's file read by a thread; it is played when that is done, unless overtaken."""
        if play.leg not in self._open or play.sound is None:
            self._say(ControlAnswer(number, None))
            return
        names = play.sound.names
        self._awaited[play.leg] = number

        def read() -> None:
            found: list[Samples] | Refused
            try:
                found = [self._mixer.shelf.samples(name) for name in names]
            except Refused as refused:
                found = refused
            self._fetched.append((number, play, found))

        lane = self._fetching if play.sound.loop else self._fetching_once
        lane.put(read)
        lane.wake()

    def _play_fetched(self) -> None:
        while self._fetched:
            number, play, found = self._fetched.popleft()
            if isinstance(found, Refused):
                self._say(ControlRefusal(number, found.code, found.why))
                continue
            if self._awaited.get(play.leg) == number:
                del self._awaited[play.leg]
                self._mixer.play(self._open[play.leg], play.sound, play.at_ms, found)
            self._say(ControlAnswer(number, None))

    def _slot(self, leg: LegId) -> int:
        slot = self._open.get(leg)
        if slot is None:
            raise Refused(Code.NOT_FOUND, "no such leg")
        return slot

    def _open_leg(self, request: OpenLeg) -> LegAddress:
        slot = self._mixer.open(request.leg)
        try:
            address = self._sockets.open(slot, monotonic())
        except Refused:
            self._mixer.close(slot)
            raise
        self._open[request.leg] = slot
        return address

    def _figures(self, request: ReadTicks) -> TickFigures:
        beat, sockets = self._beat, self._sockets
        heard, lost, late = self._mixer.packets()
        figures = TickFigures(
            legs=len(self._open),
            ports=len(sockets.pool.ports),
            ticks=beat.ticks,
            work_p50_ms=beat.work_ms(50),
            work_p99_ms=beat.work_ms(99),
            work_most_ms=beat.most_ms,
            late_p99_ms=beat.late_ms(99),
            overruns=beat.overruns,
            skipped=beat.skipped,
            received=sockets.received,
            sent=sockets.sent,
            dropped=sockets.pool.dropped,
            cpu_s=time.process_time(),
            receive_ms=beat.stage_ms("receive"),
            attribute_ms=beat.stage_ms("attribute"),
            take_in_ms=beat.stage_ms("take_in"),
            mix_ms=beat.stage_ms("mix"),
            send_ms=beat.stage_ms("send"),
            classes=tuple(beat.classes),
            work_s=beat.work_s,
            heard=heard,
            lost=lost,
            late=late,
        )
        if request.reset:
            beat.reset()
        return figures

    def _say(self, message: EngineEvent | Message) -> None:
        if self._ends_at is not None and not isinstance(message, ControlAnswer):
            return
        self._unsent += VOCABULARY.encode(message)
        self._send_rest()
        if len(self._unsent) > MOST_UNREAD:
            self._lose_control("the other end does not read")

    def _send_rest(self) -> None:
        try:
            sent = self._control.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as failure:
            self._lose_control(str(failure))
            return
        del self._unsent[:sent]

    def _lose_control(self, why: str) -> None:
        self._unsent.clear()
        if self._ends_at is None:
            log.error("media worker lost its control socket", why=why, legs=len(self._open))
            self._mixer.silence_inspectors()
            self._ends_at = monotonic() + GRACE_S

    def leave_soon(self) -> None:
        """End at the next tick, as if told to."""
        self._ends_at = monotonic()

    # Recordings

    def _stop_recording(self, number: int | None, recording: RecordingId, failure: str | None = None) -> None:
        """Have a recording's files closed; what it holds is said when they are."""
        begun = self._writer.has_begun(recording)
        result = self._mixer.stop_recording(recording, failure)
        self._recordings.discard(recording)
        if begun:
            self._stopping[recording] = (number, result)
            self._writer.flush()
        elif number is not None:  # customer and agent never heard each other: there is no file
            self._say(ControlAnswer(number, result))

    def _hear_writer(self) -> None:
        for report in self._writer.reports():
            match report:
                case Failed(recording, reason):
                    if recording in self._recordings:
                        self._stop_recording(None, recording, reason)
                case Closed(recording, frames, failure):
                    number, result = self._stopping.pop(recording)
                    failure = failure or result.failure
                    result = replace(result, frames=frames, failure=failure)
                    if number is not None:
                        self._say(ControlAnswer(number, result))
                    else:
                        self._say(RecordingStopped(result))

    # The end

    def _end(self) -> None:
        for slot in self._open.values():
            self._sockets.close(slot, monotonic())
        for recording in tuple(self._recordings):
            with contextlib.suppress(Refused):
                self._stop_recording(None, recording)
        if not self._writer.close():
            log.error("media worker could not close its recordings in time")
        self._hear_writer()
        if self._leaving is not None:
            self._say(ControlAnswer(self._leaving, None))
        self._fetching.join(_LAST_READ_S)
        self._fetching_once.join(_LAST_READ_S)
        self._sockets.shut()
        self._control.close()


def _is_file(sound: Sound | None) -> bool:
    return sound is not None and not BUILT_IN.keys() >= set(sound.names)


def main(arguments: list[str] | None = None) -> int:
    """The process's begin and end; 0.

    The arguments are the number of an open socket, or a path to connect to, and a `Setup` as JSON.
    """
    control, setup = sys.argv[1:] if arguments is None else arguments
    told = from_plain(Setup, json.loads(setup))
    file = Path(told.log_file) if told.log_file else None
    logs.configure(told.log_level, told.log_format, file=file, always={"worker": told.name})
    worker = Worker(_control_socket(control), told)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: worker.leave_soon())
    _come_first()
    gc.collect()
    gc.freeze()
    gc.disable()
    worker.run()
    return 0


def _come_first() -> None:
    """Let the tick go before other work of the machine, where that is allowed (root, CAP_SYS_NICE)."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)  # on Linux the calling thread alone, which is meant
        if os.getsid(0) == os.getpid():
            # With autogrouping (sched(7)) a nice value counts within a session only; this is the session's.
            Path("/proc/self/autogroup").write_text(str(_PRIORITY))


def _control_socket(where: str) -> socket.socket:
    if where.isdecimal():
        # The lowest free number: select() takes none beyond 1023.
        control = socket.socket(fileno=os.dup(int(where)))
        os.close(int(where))
        return control
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.connect(where)
    return control


if __name__ == "__main__":
    sys.exit(main())
