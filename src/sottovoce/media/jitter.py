"""The jitter buffers of all slots: one bank of arrays, samples in by timestamp, 20 ms out per tick.

A slot's ring holds decoded samples at their timestamp modulo the ring; what was not received is
marked by a value that G.711 cannot decode to. A packet's *lead* is how many samples lie between
what is read next and its first sample when it arrives: 0 is just in time. Reading begins a target
lead behind the first packet of a talkspurt, and the target follows the measured jitter (40 ms at
least, 60 on an ordinary network). A mean lead far from the target is corrected by dropping or
inserting one pitch period; a talkspurt after silence begins afresh, so no delay outlives a pause.

Methods that take `slots` want each slot once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import FRAME, RATE, Samples
from sottovoce.media import concealment
from sottovoce.media.concealment import FADED_AFTER
from sottovoce.media.spans import Spans, items, rows, spans

RING = 4096
"""Samples a ring holds (512 ms)."""
MISSING = -32768
"""Marks a sample that was not received."""
LONGEST = 480
"""Samples of the longest packet (60 ms)."""
TARGET_LEAST, TARGET_MOST = 320.0, 1280.0
"""Bounds of the target lead: 40 and 160 ms."""
TOO_LONG, TOO_SHORT = 240.0, -150.0
"""How far the mean lead may stray from the target before it is corrected; packets that pass a tick's edge
move it by 160, which must leave it above 0."""
AIM_TICKS = 4
"""Ticks between looks at the jitter."""
NEAR = 100.0
"""How close a correction brings it."""
LEAD_MOST = 2400
"""A packet further ahead (300 ms) begins afresh instead of being waited for."""
STALE = -4000
"""A packet in sequence but this far behind (0.5 s) begins afresh: its clock was reset."""
SILENT_S = 0.09
"""After so long without a packet of its source, a slot follows another."""
DROPOUT, MISORDER = 3000, 100
"""Sequence numbers ahead and behind that are still the same stream (RFC 3550 A.1)."""

_FRONT = LONGEST
_BACK = 800
_WIDTH = _FRONT + RING + _BACK
# Reads pass the ring's end by less than this; its beginning is repeated there.
_MIRRORED = FRAME + concealment.LONGEST
assert _MIRRORED + LONGEST <= _BACK

_NOTHING = np.full((1, LONGEST), MISSING, np.int16)

Ints = npt.NDArray[np.int64]
Slots = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class JitterBank:
    """The jitter buffers of `capacity` slots, and the counts of what happened to their packets."""

    def __init__(self, capacity: int) -> None:
        def ints() -> Ints:
            return np.zeros(capacity, np.int64)

        self._samples = np.full(capacity * _WIDTH, MISSING, np.int16)
        self._frames = spans(self._samples, FRAME)
        self.synced = np.zeros(capacity, np.bool_)
        self.comfort = np.zeros(capacity, np.bool_)
        """The far side said that it is silent (RFC 3389): nothing is missing."""
        self.ssrc = ints()
        self.highest = ints()
        """Extended highest sequence number."""
        self._first = ints()
        self._received_before = ints()
        """What `received` was when the stream began."""
        self._seen = np.zeros(capacity, np.uint64)
        self._lost_before = ints()
        self._newcomer = np.full(capacity, -1, np.int64)
        self._newcomer_next = ints()
        self._last = ints()
        self._arrival = np.zeros(capacity)
        self._read = ints()
        self._end = ints()
        self._run = np.full(capacity, FADED_AFTER, np.int64)
        self.jitter = np.zeros(capacity)
        """Interarrival jitter in samples (RFC 3550 6.4.1)."""
        self.lead = np.zeros(capacity)
        """Mean lead of arriving packets, in samples."""
        self.target = np.full(capacity, TARGET_LEAST)
        self._boost = np.zeros(capacity)
        self._correcting = np.zeros(capacity, np.bool_)
        self.received = ints()
        self.late = ints()
        self.duplicated = ints()
        self.reordered = ints()
        self.dropped = ints()
        self.concealed = ints()
        self._ticks = 0
        self._before = (0, 0, 0)
        self._most_lost = 0

    def totals(self) -> tuple[int, int, int]:
        """Packets received, lost and late, of all legs there were; none ever becomes less."""
        now = (int(self.received.sum()), int(self.lost().sum()), int(self.late.sum()))
        received, lost, late = (a + b for a, b in zip(self._before, now, strict=True))
        self._most_lost = max(self._most_lost, lost)
        return received, self._most_lost, late

    def reset(self, slot: int) -> None:
        """Zero a slot: nothing of its last leg is left."""
        gone = (int(self.received[slot]), int(self.lost()[slot]), int(self.late[slot]))
        received, lost, late = (a + b for a, b in zip(self._before, gone, strict=True))
        self._before = received, lost, late
        for held in vars(self).values():
            if isinstance(held, np.ndarray) and held.shape == self.synced.shape:
                held[slot] = 0
        self._newcomer[slot] = -1
        self._run[slot] = FADED_AFTER
        self.target[slot] = TARGET_LEAST
        self._clear_ring(np.array([slot]))

    def lost(self) -> Ints:
        """Packets [capacity] that never came, or not yet: one out of order counts until it is there."""
        expected = np.where(self.synced, self.highest - self._first + 1, 0)
        unique = self.received - self._received_before
        lost: Ints = np.maximum(self._lost_before + expected - unique, 0)
        return lost

    # -- packets in ------------------------------------------------------------------------------

    def place(
        self,
        slots: Slots,
        sequence: Ints,
        timestamp: Ints,
        ssrc: Ints,
        size: Ints,
        now: Floats,
    ) -> tuple[Flags, Flags, Ints]:
        """Judge one packet for each of `slots`; `size` is its samples, 0 for what is not audio.

        Returns which are of the stream (neither duplicate nor foreign), which of these have audio
        to `write`, and their timestamps, extended.
        """
        known = self.synced[slots] & (self.ssrc[slots] == ssrc)
        step = ((sequence - self.highest[slots] + 0x8000) & 0xFFFF) - 0x8000
        forward = known & (step > 0) & (step <= DROPOUT)
        good = forward
        if not forward.all():
            fresh = ~self.synced[slots]
            behind = known & (step <= 0) & (step > -MISORDER)
            good = forward | fresh | self._behind(slots, step, behind)
            strange = np.flatnonzero(~(good | behind))
            renewed = self._strange(slots[strange], sequence[strange], ssrc[strange], now[strange])
            good[strange[renewed]] = fresh[strange[renewed]] = True
            if fresh.any():
                self._begin(slots[fresh], sequence[fresh], timestamp[fresh], ssrc[fresh])
        else:
            fresh = ~forward
        ahead = _which(forward)
        self._advance(slots[ahead], step[ahead])
        self.received[slots[_which(good)]] += 1

        last = self._last[slots]
        stamps = last + (((timestamp - last + 0x80000000) & 0xFFFFFFFF) - 0x80000000)
        self._last[slots[ahead]] = stamps[ahead]
        audio = good & (size > 0)
        self.comfort[slots[_which(audio)]] = False
        written = self._time(slots, stamps, size, now, audio, forward | fresh, fresh, last)
        return good, written, stamps

    def _behind(self, slots: Slots, step: Ints, behind: Flags) -> Flags:
        """Of the packets behind the highest: those not seen before."""
        back = np.clip(-step, 0, 63).astype(np.uint64)
        bit = np.uint64(1) << back
        seen = (self._seen[slots] & bit) != 0
        seen |= step <= -64
        new: Flags = behind & ~seen
        self._seen[slots[new]] |= bit[new]
        self.reordered[slots[new]] += 1
        self.duplicated[slots[behind & seen]] += 1
        return new

    def _strange(self, slots: Slots, sequence: Ints, ssrc: Ints, now: Floats) -> Flags:
        """Of the packets from another source or with a far sequence number: those that are at least the
        second in a row, with which the stream begins anew; another source's only once the known one has
        fallen silent, lest two that are mixed up take turns. The rest is dropped (RFC 3550 A.1)."""
        renewed: Flags = (self._newcomer[slots] == ssrc) & (self._newcomer_next[slots] == sequence)
        renewed &= (self.ssrc[slots] == ssrc) | (now - self._arrival[slots] >= SILENT_S)
        self._newcomer[slots] = np.where(renewed, -1, ssrc)
        self._newcomer_next[slots] = (sequence + 1) & 0xFFFF
        self.dropped[slots[~renewed]] += 1
        return renewed

    def _begin(self, slots: Slots, sequence: Ints, timestamp: Ints, ssrc: Ints) -> None:
        self._lost_before[slots] = self.lost()[slots]
        self._received_before[slots] = self.received[slots]
        self.synced[slots] = True
        self.ssrc[slots] = ssrc
        self.highest[slots] = self._first[slots] = sequence
        self._seen[slots] = 1
        self._last[slots] = timestamp

    def _advance(self, slots: Slots, step: Ints) -> None:
        self.highest[slots] += step
        shifted = self._seen[slots] << np.minimum(step, 63).astype(np.uint64)
        self._seen[slots] = np.where(step < 64, shifted, 0) | np.uint64(1)

    def _time(
        self,
        slots: Slots,
        stamps: Ints,
        size: Ints,
        now: Floats,
        audio: Flags,
        ahead: Flags,
        fresh: Flags,
        last: Ints,
    ) -> Flags:
        """Keep the clocks: jitter, lead, late packets, new beginnings. Returns what shall be written."""
        lead = stamps - self._read[slots]
        starved = (self._run[slots] >= FADED_AFTER) & (self._end[slots] <= self._read[slots])
        astray = (lead > LEAD_MOST) | (lead < STALE)
        ahead &= audio
        anew = ahead & (fresh | starved | astray)
        steady = _which(ahead & ~anew)
        who = slots[steady]
        apart = (now[steady] - self._arrival[who]) * RATE - (stamps[steady] - last[steady])
        self.jitter[who] += (np.minimum(np.abs(apart), float(RATE)) - self.jitter[who]) / 16.0
        arrived = _which(ahead)
        self._arrival[slots[arrived]] = now[arrived]
        if anew.any():
            who = slots[anew]
            self._clear_ring(slots[anew & ~starved])
            self.lead[who] = np.rint(self.target[who])
            self._read[who] = stamps[anew] - self.lead[who].astype(np.int64)
            self._end[who] = stamps[anew]
            lead[anew] = self.lead[who].astype(np.int64)
        late = audio & (lead < 0)
        if late.any():
            who = slots[late]
            self.late[who] += 1
            self._boost[who] = np.minimum(self._boost[who] + 80.0, 640.0)
        written: Flags = audio & (lead + size > 0) & (lead <= LEAD_MOST)
        counted = _which(audio & ~(astray & ~anew))
        who = slots[counted]
        self.lead[who] += (lead[counted] - self.lead[who]) / 16.0
        placed = _which(written)
        who = slots[placed]
        self._end[who] = np.maximum(self._end[who], stamps[placed] + size[placed])
        return written

    def write(self, slots: Slots, stamps: Ints, samples: Samples) -> None:
        """Put samples [k, n] of placed packets at their `stamps` [k]; what is already past stays out."""
        self._put(slots, stamps, samples)
        partly = stamps < self._read[slots]
        if partly.any():
            who = slots[partly]
            self._put(who, self._read[who] - LONGEST, _NOTHING)

    def _spans(self, size: int) -> Spans:
        return self._frames if size == FRAME else spans(self._samples, size)

    def _put(self, slots: Slots, stamps: Ints, samples: Samples) -> None:
        """Put samples [k, n], or the same [1, n] for all, at these stamps."""
        at = stamps & (RING - 1)
        self._copy(slots * _WIDTH + (_FRONT + at), at, samples)

    def _copy(self, index: Slots, at: Ints, samples: Samples) -> None:
        """The same for known places: `at` in the rings, `index` in all samples."""
        size = samples.shape[1]
        block = items(samples)
        into = self._spans(size)
        into[index] = block
        for edge, by in (at > RING - size, -RING), (at < _MIRRORED, RING):
            repeated = np.flatnonzero(edge)
            if repeated.size:
                into[index[repeated] + by] = block[repeated] if len(block) > 1 else block

    def _clear_ring(self, slots: Slots) -> None:
        self._samples.reshape(-1, _WIDTH)[slots] = MISSING

    # -- frames out ------------------------------------------------------------------------------

    def read(self, out: Samples, before: Samples, earlier: Samples) -> None:
        """The next frame of slots 0..n-1 into `out` [n, 160]; `earlier`, `before` are the two before it."""
        count = len(out)
        self._ticks += 1
        if self._ticks % AIM_TICKS == 0:
            self._aim(count)
        read = self._read[:count]
        at = read & (RING - 1)
        index = np.arange(_FRONT, _FRONT + count * _WIDTH, _WIDTH) + at
        items(out)[:] = self._frames[index]
        gaps = out.min(axis=1) == MISSING
        taken = self._stretch(out, before, earlier, gaps)
        self._copy(index, at, _NOTHING[:, :FRAME])
        read += FRAME
        if taken is not None:
            self._settle(*taken)
        self._mend(out, before, earlier, gaps)

    def _aim(self, count: int) -> None:
        """Let the targets follow the jitter, and what late packets taught fade in half a minute."""
        boost = self._boost[:count]
        np.maximum(boost - 0.5 * AIM_TICKS, 0.0, out=boost)
        np.clip(3.0 * self.jitter[:count] + boost, TARGET_LEAST, TARGET_MOST, out=self.target[:count])

    def _stretch(
        self, out: Samples, before: Samples, earlier: Samples, gaps: Flags
    ) -> tuple[Slots, Ints, Samples] | None:
        """Drop or insert a pitch period where the mean lead is far from its target; every fourth tick."""
        count = len(out)
        excess = self.lead[:count] - self.target[:count]
        correcting = self._correcting[:count]
        far = (excess > TOO_LONG) | (excess < TOO_SHORT) | (correcting & (np.abs(excess) > NEAR))
        correcting[:] = far
        if not far.any():
            return None
        far &= ~gaps & self.synced[:count] & (self._run[:count] == 0)
        slots = np.flatnonzero(far)
        slots = slots[(slots + self._ticks) % 4 == 0]
        if not slots.size:
            return None
        history = np.concatenate([earlier[slots], before[slots]], axis=1)
        lags = concealment.pitch(history)
        dropping = excess[slots] > 0
        at = self._read[slots] & (RING - 1)
        later = rows(self._frames[slots * _WIDTH + _FRONT + at + lags], out)
        flow = np.concatenate([before[slots], out[slots]], axis=1)
        sooner = np.take_along_axis(flow, FRAME - lags[:, None] + np.arange(FRAME)[None, :], axis=1)
        other = np.where(dropping[:, None], later, sooner)
        whole = ~dropping | (later.min(axis=1) != MISSING)
        slots, lags, dropping, other = slots[whole], lags[whole], dropping[whole], other[whole]
        unread = out[slots]
        out[slots] = concealment.crossfaded(unread, other)
        return slots, np.where(dropping, lags, -lags), unread

    def _settle(self, slots: Slots, moved: Ints, unread: Samples) -> None:
        """After a stretch: clear what was dropped, put back what is to be read again."""
        dropped = moved > 0
        who, far = slots[dropped], moved[dropped]
        for lag in np.unique(far):
            same = far == lag
            self._put(who[same], self._read[who[same]], _NOTHING[:, :lag])
        again, back = slots[~dropped], -moved[~dropped]
        kept = unread[~dropped]
        for lag in np.unique(back):
            same = back == lag
            self._put(again[same], self._read[again[same]] - lag, kept[same][:, FRAME - lag :])
        self._read[slots] += moved
        self.lead[slots] -= moved

    def _mend(self, out: Samples, before: Samples, earlier: Samples, gaps: Flags) -> None:
        """Fill what is missing, and join what follows a gap to it."""
        count = len(out)
        run = self._run[:count]
        if not (gaps.any() or run.any()):
            return
        quiet = gaps & ((run >= FADED_AFTER) | ~self.synced[:count] | self.comfort[:count])
        back = np.flatnonzero((run > 0) & ~gaps)
        lacking = np.flatnonzero(gaps & ~quiet)
        if lacking.size:
            history = np.concatenate([earlier[lacking], before[lacking]], axis=1)
            filler = concealment.extension(history, concealment.pitch(history), FRAME)
            filler = concealment.faded(filler, run[lacking])
            frames = out[lacking]
            out[lacking] = np.where(frames == MISSING, filler, frames)
            self.concealed[lacking] += 1
            run[lacking] = np.where(frames[:, -1] == MISSING, run[lacking] + 1, 0)
        if quiet.any():
            silent = np.flatnonzero(quiet)
            frames = out[silent]
            run[silent] = np.where(frames[:, -1] == MISSING, FADED_AFTER, 0)
            frames[frames == MISSING] = 0
            out[silent] = frames
        if back.size:
            history = np.concatenate([earlier[back], before[back]], axis=1)
            tail = concealment.extension(history, concealment.pitch(history), concealment.JOIN)
            out[back] = concealment.joined(out[back], concealment.faded(tail, run[back]))
            run[back] = 0


def _which(flags: Flags) -> Flags | slice:
    """An index for the rows that are set: all of them, nearly always, and then without a copy."""
    return slice(None) if flags.all() else flags
