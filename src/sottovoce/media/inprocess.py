"""The engine without processes and sockets: the same mixer on a manual clock, for fast tests.

Nothing happens by itself. A test hands RTP packets to a leg (`feed`), lets time pass
(`step`), and reads what was sent to a leg (`sent`).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from soundfile import SoundFile

from sottovoce.config import MediaSettings
from sottovoce.domain.audio import FRAME_S, RATE, Samples
from sottovoce.domain.legs import (
    LegAddress,
    LegFigures,
    LegId,
    Recording,
    RecordingId,
)
from sottovoce.errors import Code, Refused
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
    Request,
    ResultT,
    SendDigits,
    SetRemote,
    StartRecording,
    StopRecording,
)
from sottovoce.media.mixer import Mixer

PROVEN_AFTER = 3
"""Good packets after which a leg counts as proven here; sources are not looked at."""


class FileSink:
    """Recordings written at once, in the caller's thread."""

    def __init__(self) -> None:
        self._files: dict[tuple[RecordingId, LegId | None], SoundFile] = {}

    def begin(self, recording: Recording) -> None:
        """Open the stereo WAV."""
        self._files[recording.recording, None] = _new(recording.path, 2)
        self.write(recording.recording, None, np.zeros((recording.silent_frames, 2), np.int16))

    def begin_track(self, recording: RecordingId, leg: LegId, path: Path, silent_frames: int) -> None:
        """Open an inspector's WAV and pad it."""
        self._files[recording, leg] = _new(path, 1)
        self.write(recording, leg, np.zeros(silent_frames, np.int16))

    def write(self, recording: RecordingId, leg: LegId | None, block: Samples) -> None:
        """Append a block of frames to the recording's files."""
        self._files[recording, leg].write(block)

    def end(self, recording: RecordingId, frames: int) -> None:
        """Close the recording's files, whole from now on."""
        for key in [key for key in self._files if key[0] == recording]:
            self._files.pop(key).close()


def _new(path: Path, channels: int) -> SoundFile:
    return SoundFile(path, "x", RATE, channels, "PCM_16", format="WAV")


class InProcessEngine:
    """`media.engine.MediaEngine` on a clock that moves only in `step`."""

    def __init__(self, capacity: int = 64, *, seed: int = 1, settings: MediaSettings | None = None) -> None:
        self.now = 0.0
        """Seconds since the engine was made."""
        limits = settings or MediaSettings()
        self.mixer = Mixer(
            capacity,
            sink=FileSink(),
            seed=seed,
            timeout_s=limits.timeout,
            hold_limit_s=limits.hold_limit,
        )
        self._ports = count(20000, 2)
        self._listeners: list[Callable[[EngineEvent], None]] = []
        self._waiting: list[tuple[int, bytes]] = []
        self._sent: dict[LegId, list[bytes]] = {}
        self._unproven: set[LegId] = set()
        self._doing: dict[type[Request[Any]], Callable[[Any], Any]] = {
            OpenLeg: self._open_leg,
            SetRemote: lambda request: self.mixer.set_remote(self._slot(request.leg), request.remote),
            CloseLeg: self._close_leg,
            Apply: lambda request: self.mixer.apply(request.routing),
            Play: self._play,
            MoveSound: self._move_sound,
            HaltSound: self._halt_sound,
            SendDigits: self._send_digits,
            StartRecording: lambda request: self.mixer.start_recording(request.recording),
            StopRecording: lambda request: self.mixer.stop_recording(request.recording),
            ReadFigures: lambda request: self.mixer.figures(self._slot(request.leg)),
        }

    # -- the port --------------------------------------------------------------------------------

    async def ask(self, request: Request[ResultT]) -> ResultT:
        """Do it at once; the mixer hears of it with its next tick."""
        result: ResultT = self._doing[type(request)](request)
        return result

    def _open_leg(self, request: OpenLeg) -> LegAddress:
        self.mixer.open(request.leg)
        self._sent[request.leg] = []
        self._unproven.add(request.leg)
        return LegAddress("127.0.0.1", next(self._ports))

    def _close_leg(self, request: CloseLeg) -> LegFigures:
        slot = self.mixer.slot_of(request.leg)
        if slot is None:
            return LegFigures()
        self._waiting = [waiting for waiting in self._waiting if waiting[0] != slot]
        self._unproven.discard(request.leg)
        return self.mixer.close(slot)

    def _play(self, request: Play) -> None:
        if (slot := self.mixer.slot_of(request.leg)) is not None:
            self.mixer.play(slot, request.sound, request.at_ms)

    def _move_sound(self, request: MoveSound) -> None:
        if (slot := self.mixer.slot_of(request.leg)) is not None:
            self.mixer.move_sound(slot, request.by_ms)

    def _halt_sound(self, request: HaltSound) -> None:
        if (slot := self.mixer.slot_of(request.leg)) is not None:
            self.mixer.halt_sound(slot, request.on)

    def _send_digits(self, request: SendDigits) -> None:
        if (slot := self.mixer.slot_of(request.leg)) is not None:
            self.mixer.send_digits(slot, request.digits)

    def subscribe(self, listener: Callable[[EngineEvent], None]) -> None:
        """Call `listener` within `step` for every event from now on."""
        self._listeners.append(listener)

    # -- what a network would do -----------------------------------------------------------------

    def feed(self, leg: LegId, packet: bytes) -> None:
        """An RTP packet arrives for this leg before the next tick; in the order of the calls."""
        self._waiting.append((self._slot(leg), packet))

    def step(self, ticks: int = 1) -> None:
        """Let ticks of 20 ms pass."""
        for _ in range(ticks):
            self.now += FRAME_S
            self._receive()
            outgoing = self.mixer.tick(self.now)
            for slot, row, length in zip(
                outgoing.slots.tolist(), outgoing.packets, outgoing.lengths.tolist(), strict=True
            ):
                if (leg := self.mixer.leg_of(slot)) is not None:
                    self._sent[leg].append(row[:length].tobytes())
            for event in [*self._proven(), *outgoing.events]:
                for listener in self._listeners:
                    listener(event)

    def sent(self, leg: LegId) -> list[bytes]:
        """The RTP packets sent to a leg since it was last asked, also after its end."""
        packets = self._sent.get(leg, [])
        self._sent[leg] = []
        return packets

    def _receive(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        packets = np.zeros((len(waiting), 2048), np.uint8)
        for row, (_, packet) in zip(packets, waiting, strict=True):
            part = packet[:2048]
            row[: len(part)] = np.frombuffer(part, np.uint8)
        slots = np.array([slot for slot, _ in waiting], np.intp)
        lengths = np.array([min(len(packet), 2048) for _, packet in waiting], np.int32)
        self.mixer.receive(slots, packets, lengths, self.now)

    def _proven(self) -> list[EngineEvent]:
        proven = [
            leg
            for leg in self._unproven
            if (slot := self.mixer.slot_of(leg)) is not None
            and self.mixer.figures(slot).received >= PROVEN_AFTER
        ]
        self._unproven -= set(proven)
        return [LegProven(leg) for leg in sorted(proven)]

    def _slot(self, leg: LegId) -> int:
        slot = self.mixer.slot_of(leg)
        if slot is None:
            raise Refused(Code.NOT_FOUND, f"no leg {leg}")
        return slot
