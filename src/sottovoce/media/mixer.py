"""The mixer: all legs of one worker, from RTP packets to RTP packets, sans-IO.

A leg has a slot, a small integer. The owner of the sockets calls, in one thread:
`receive` with packets already attributed to slots (best once per tick, with all there are: a
call costs some 100 µs before its first packet), `receive_rtcp`, and every 20 ms `tick`.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import FRAME, RATE, Samples
from sottovoce.domain.legs import (
    LegFigures,
    LegId,
    Recording,
    RecordingId,
    RecordingResult,
    RemoteMedia,
    Routing,
    Sound,
)
from sottovoce.errors import Code, Refused
from sottovoce.media import dtmf, rtcp
from sottovoce.media.echo import EchoWatch
from sottovoce.media.engine import DigitPressed, EchoHeard, EngineEvent, LegTimedOut, SoundEnded
from sottovoce.media.jitter import JitterBank
from sottovoce.media.levels import Meters
from sottovoce.media.outgoing import Senders
from sottovoce.media.reception import Reception
from sottovoce.media.reports import Reports
from sottovoce.media.rows import MOST_SOURCES, Rows
from sottovoce.media.sounds import Players, Shelf
from sottovoce.media.tracks import Tracks, TrackSink

_PER_MS = RATE // 1000
_CHECK_TICKS = 25


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a tick wants sent and told. The arrays are views, good until the next tick."""

    slots: npt.NDArray[np.intp]
    """[m] whose packet it is; a slot occurs twice when its ptime is 10 ms."""
    packets: npt.NDArray[np.uint8]
    """[m, N] RTP packets, row by row; rows are contiguous, N bytes apart."""
    lengths: npt.NDArray[np.int32]
    """[m] bytes of each packet."""
    rtcp: list[tuple[int, bytes]] = field(default_factory=list)
    """(slot, compound packet) for the RTCP address of its far side."""
    events: list[EngineEvent] = field(default_factory=list)


class Mixer:
    """All legs of one worker. Not thread-safe; nothing in it asks the time, and only `play` reads a file.

    `seed` gives SSRCs, first sequence numbers and timestamps: hand in 128 random bits.
    `wall_s` is what must be added to `now` to get seconds since 1970 (for RTCP's NTP times).
    Ask `shelf.samples(name)` in a thread first where a file's disk may be slow.
    """

    def __init__(
        self,
        capacity: int,
        *,
        sink: TrackSink,
        seed: int,
        timeout_s: float,
        hold_limit_s: float,
        wall_s: float = 0.0,
    ) -> None:
        self.capacity = capacity
        self._timeout_s, self._hold_limit_s = timeout_s, hold_limit_s
        self.shelf = Shelf()
        self._free = list(range(capacity))
        self._legs: list[LegId | None] = [None] * capacity
        self._slots: dict[LegId, int] = {}
        self._used = 0
        self._inspectors: set[int] = set()
        self._remotes: dict[int, RemoteMedia] = {}
        self._buffers = JitterBank(capacity)
        self._senders = Senders(capacity, seed)
        self._reception = Reception(capacity, self._buffers)
        self._rows = Rows(capacity)
        self._players = Players(capacity)
        self._ending: list[int] = []
        self._playing: dict[int, tuple[Sound, Samples]] = {}
        """What `play` was asked for, by slot, until it is over; and its own samples."""
        self._announcing: set[int] = set()
        """Slots that hear what comes before their sound."""
        self._tracks = Tracks(capacity, sink, self.slot_of, silence=2 * capacity)
        self._reports = Reports(capacity, self._senders, self._buffers, wall_s)
        self._echo = EchoWatch()
        self._heard_in, self._heard_out = Meters(capacity), Meters(capacity)
        # This tick's frames and those of the two before: voices, sounds, silence.
        self._frames = [np.zeros((2 * capacity + 1, FRAME), np.int16) for _ in range(3)]
        self._mixed = np.zeros((capacity, FRAME), np.int16)
        self._obliged = np.zeros(capacity, np.bool_)
        self._watched = np.zeros(capacity, np.bool_)
        self._ticks = 0
        self._now = 0.0
        self._routed = False

    # -- legs ------------------------------------------------------------------------------------

    def open(self, leg: LegId) -> int:
        """Give a leg a slot, zeroed. Refused(MEDIA_EXHAUSTED) when full, BAD_PARAMETER when already open."""
        if leg in self._slots:
            raise Refused(Code.BAD_PARAMETER, f"leg {leg} is open")
        if not self._free:
            raise Refused(Code.MEDIA_EXHAUSTED, f"all {self.capacity} legs are in use")
        slot = heapq.heappop(self._free)
        self._legs[slot] = leg
        self._slots[leg] = slot
        self._used = max(self._used, slot + 1)
        self._senders.open(slot)
        self._tracks.leg_changed(leg)
        return slot

    def close(self, slot: int) -> LegFigures:
        """End a leg: out of every row, its sound, digits and buffer gone. NOT_FOUND when not open."""
        figures = self.figures(slot)
        leg = self._legs[slot]
        assert leg is not None
        del self._slots[leg]
        self._legs[slot] = None
        self._remotes.pop(slot, None)
        self._inspectors.discard(slot)
        self._rows.without([slot])
        self._stop(slot)
        self._echo.forget(slot)
        for frames in self._frames:
            frames[slot] = frames[self.capacity + slot] = 0
        self._mixed[slot] = 0
        self._obliged[slot] = self._watched[slot] = False
        self._buffers.reset(slot)
        self._senders.close(slot)
        self._reception.reset(slot)
        self._reports.reset(slot)
        self._heard_in.reset(slot)
        self._heard_out.reset(slot)
        self._tracks.leg_changed(leg)
        self._routed = True
        heapq.heappush(self._free, slot)
        while self._used and self._legs[self._used - 1] is None:
            self._used -= 1
        return figures

    def slot_of(self, leg: LegId) -> int | None:
        """The open leg's slot."""
        return self._slots.get(leg)

    def leg_of(self, slot: int) -> LegId | None:
        """Who has this slot now."""
        return self._legs[slot]

    def set_remote(self, slot: int, remote: RemoteMedia) -> None:
        """What the far side takes and may do. Before it, nothing is sent and nothing heard. NOT_FOUND."""
        self._known(slot)
        self._remotes[slot] = remote
        self._senders.set_remote(slot, remote)
        self._reception.set_remote(slot, remote)
        self._reports.begin(slot, self._now)
        self._obliged[slot] = remote.direction.sends
        self._watched[slot] = True

    # -- who hears whom --------------------------------------------------------------------------

    def apply(self, routing: Routing) -> None:
        """Make the table true from the next tick on; legs that are not open are passed over.

        BAD_PARAMETER, and nothing done, for a row of more than 32 open legs."""
        rows = {
            slot: {found for source in heard if (found := self._slots.get(source)) is not None}
            for listener, heard in routing.hears.items()
            if (slot := self._slots.get(listener)) is not None
        }
        if any(len(row) > MOST_SOURCES for row in rows.values()):
            raise Refused(Code.BAD_PARAMETER, f"a leg hears {MOST_SOURCES} others at most")
        for slot, row in rows.items():
            self._rows.set(slot, row)
            self._inspectors.discard(slot)
        self._inspectors |= {slot for leg in routing.inspectors if (slot := self._slots.get(leg)) is not None}
        if routing.recording is not None:
            self._tracks.allow(routing.recording, routing.recorded)
        self._tracks.rows_changed()
        self._routed = True

    def hears(self, slot: int) -> frozenset[LegId]:
        """The legs that a slot hears now."""
        return frozenset(leg for source in self._rows.hears(slot) if (leg := self._legs[source]) is not None)

    def silence_inspectors(self) -> None:
        """Nobody hears an inspector and no inspector hears anybody, until the next `apply`.

        For the worker that lost its control socket."""
        slots = sorted(self._inspectors)
        self._rows.without(slots)
        self._tracks.forbid(frozenset(leg for slot in slots if (leg := self._legs[slot]) is not None))
        self._routed = True

    def play(
        self, slot: int, sound: Sound | None, at_ms: int = 0, samples: Sequence[Samples] | None = None
    ) -> None:
        """Mix a sound into what this leg hears, in the place of the one before. `samples` are those of its
        names, where they were read already. BAD_PARAMETER when a file of it cannot be played."""
        self._known(slot)
        if sound is None:
            self._stop(slot)
            return
        if samples is None:
            samples = [self.shelf.samples(name) for name in sound.names]
        if sound.before:
            self._start(slot, np.concatenate(samples[:-1]), loop=False)
            self._announcing.add(slot)
        else:
            self._start(slot, samples[-1], loop=sound.loop, at=at_ms * _PER_MS)
        self._playing[slot] = sound, samples[-1]

    def move_sound(self, slot: int, by_ms: int) -> None:
        """Go on later or earlier in what is played, within its ends; an announcement before it stays."""
        self._known(slot)
        if slot not in self._announcing:
            self._players.move(slot, by_ms * _PER_MS)
            self._ending = [other for other in self._ending if other != slot or by_ms >= 0]

    def halt_sound(self, slot: int, on: bool) -> None:
        """Let what is played stand still, or go on."""
        self._known(slot)
        if self._players.halt(slot, on):
            self._rows.set_sound(slot, not on)

    def _stop(self, slot: int) -> None:
        self._players.stop(slot)
        self._rows.set_sound(slot, False)
        self._announcing.discard(slot)
        self._playing.pop(slot, None)

    def _start(self, slot: int, samples: Samples, *, loop: bool, at: int = 0) -> None:
        self._players.start(slot, samples, loop=loop, at=at)
        self._rows.set_sound(slot, True)
        self._announcing.discard(slot)
        self._playing.pop(slot, None)
        self._ending = [other for other in self._ending if other != slot]

    def _go_on(self, slot: int) -> SoundEnded | None:
        """What a slot heard is over: what comes after it, or the end of it all."""
        sound, samples = self._playing.get(slot, (None, None))
        if sound is not None and samples is not None and slot in self._announcing:
            self._start(slot, samples, loop=sound.loop)
            self._playing[slot] = sound, samples
            return None
        self._stop(slot)
        leg = self._legs[slot]
        return SoundEnded(leg, sound.name) if sound is not None and leg is not None else None

    def send_digits(self, slot: int, digits: str) -> None:
        """Queue RFC 4733 events, or play the keys as tones to a far side that did not negotiate events.

        BAD_PARAMETER for anything but 0-9 * # A-D, or too many."""
        self._known(slot)
        if not self._senders.add_keys(slot, digits):
            self._start(slot, dtmf.tones(digits), loop=False)

    # -- recordings and figures ------------------------------------------------------------------

    def start_recording(self, recording: Recording) -> None:
        """Arm a recording. BAD_PARAMETER when that id is taken, MEDIA_EXHAUSTED when there are too many."""
        self._tracks.start(recording)

    def stop_recording(self, recording: RecordingId, failure: str | None = None) -> RecordingResult:
        """Hand the rest to the sink and say what was recorded. NOT_FOUND.

        `frames` counts what went to the sink; a writer that failed knows better."""
        return self._tracks.stop(recording, failure)

    def figures(self, slot: int) -> LegFigures:
        """What the leg went through so far. NOT_FOUND."""
        self._known(slot)
        buffers = self._buffers
        return LegFigures(
            received=int(buffers.received[slot]),
            sent=int(self._senders.packets[slot]),
            lost=int(buffers.lost()[slot]),
            concealed=int(buffers.concealed[slot]),
            late=int(buffers.late[slot]),
            dropped=int(buffers.dropped[slot]),
            jitter_ms=float(buffers.jitter[slot]) / 8.0,
            buffer_ms=float(buffers.lead[slot]) / 8.0,
            round_trip_ms=self._reports.round_trip_ms(slot),
            remote_lost_fraction=self._reports.remote_lost_fraction(slot),
            level_in_dbov=self._heard_in.level(slot),
            level_out_dbov=self._heard_out.level(slot),
            duplicated=int(buffers.duplicated[slot]),
            reordered=int(buffers.reordered[slot]),
        )

    def packets(self) -> tuple[int, int, int]:
        """Packets received, lost and late, of all legs since the start."""
        return self._buffers.totals()

    def count_dropped(self, slots: npt.NDArray[np.intp]) -> None:
        """Count packets that the owner of the sockets dropped before they came here."""
        np.add.at(self._buffers.dropped, slots, 1)

    def _known(self, slot: int) -> None:
        if not 0 <= slot < self.capacity or self._legs[slot] is None:
            raise Refused(Code.NOT_FOUND, f"no leg on slot {slot}")

    # -- packets and ticks -----------------------------------------------------------------------

    def receive(
        self,
        slots: npt.NDArray[np.intp],
        packets: npt.NDArray[np.uint8],
        lengths: npt.NDArray[np.int32],
        now: float | npt.NDArray[np.float64],
    ) -> None:
        """Take RTP packets [k, width] of `lengths` [k] bytes for `slots` [k], in order of arrival.

        `now` is when they arrived (seconds, one for all or one for each). Whatever is wrong with
        them is counted and dropped. The array is read during the call only."""
        self._reception.receive(slots, packets, lengths, now)

    def receive_rtcp(self, slot: int, data: bytes, now: float) -> None:
        """Take an RTCP compound packet; a malformed one is counted and dropped."""
        if slot not in self._remotes:
            return
        try:
            self._reports.receive(slot, data, now)
        except rtcp.RtcpError:
            self._buffers.dropped[slot] += 1
        else:
            self._reception.heard[slot] = now

    def tick(self, now: float) -> Outgoing:
        """Mix the next 20 ms of every leg."""
        self._now = now
        self._ticks += 1
        self._frames = [self._frames[-1], *self._frames[:-1]]
        frames, before, earlier = self._frames
        used = self._used
        if used:
            self._buffers.read(frames[:used], before[:used], earlier[:used])
        over = [ended for slot in self._ending if (ended := self._go_on(slot)) is not None]
        self._ending = self._players.frames(frames[self.capacity : -1])
        self._rows.sum(frames, self._mixed)
        self._tracks.tick(frames, self._hear_each_other)
        slots, packets, lengths = self._senders.tick(self._mixed)
        if self._ticks % 2:
            self._heard_in.measure(frames[:used])
        else:
            self._heard_out.measure(self._mixed[:used])
        return Outgoing(slots, packets, lengths, self._reports.due(now), [*over, *self._events(frames, now)])

    def _hear_each_other(self, one: int, other: int) -> bool:
        return other in self._rows.hears(one) and one in self._rows.hears(other)

    def _events(self, frames: Samples, now: float) -> list[EngineEvent]:
        events: list[EngineEvent] = []
        for slot, digit in self._reception.keys(now):
            if (leg := self._legs[slot]) is not None:
                events.append(DigitPressed(leg, digit))
        if self._routed:
            self._routed = False
            self._echo.watch(self._whispers())
        if (pair := self._echo.tick(frames, now)) is not None:
            agent, inspector = (self._legs[slot] for slot in pair)
            if agent is not None and inspector is not None:
                events.append(EchoHeard(agent, inspector))
        if self._ticks % _CHECK_TICKS == 0:
            events += self._timed_out(now)
        return events

    def _whispers(self) -> set[tuple[int, int]]:
        """Pairs (agent, inspector): the agent hears the inspector, another who hears the agent does not."""
        if not self._inspectors:
            return set()
        listeners, sources = self._rows.pairs()
        inspecting = np.zeros(self.capacity, np.bool_)
        inspecting[list(self._inspectors)] = True
        heard_by = np.zeros((self.capacity, self.capacity), np.bool_)
        heard_by[sources, listeners] = True
        whispers = inspecting[sources] & ~inspecting[listeners]
        agents, inspectors = listeners[whispers], sources[whispers]
        leaking = (heard_by[agents] & ~heard_by[inspectors] & ~inspecting).any(axis=1)
        return set(zip(agents[leaking].tolist(), inspectors[leaking].tolist(), strict=True))

    def _timed_out(self, now: float) -> list[EngineEvent]:
        """Legs silent for too long; each is told once, until it is heard again."""
        heard = self._reception.heard
        unset = np.isnan(heard)
        heard[unset] = now
        limit = np.where(self._obliged, self._timeout_s, self._hold_limit_s)
        over = self._watched & (now - heard > limit) & ~self._reception.told
        self._reception.told = (now - heard > limit) & self._watched
        return [LegTimedOut(leg) for slot in np.flatnonzero(over) if (leg := self._legs[slot]) is not None]
