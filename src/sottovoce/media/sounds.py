"""What is played to legs: music and ringback made here, silence, WAV files; each leg at its own position."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import FRAME, RATE, Samples
from sottovoce.errors import Code, Refused
from sottovoce.media import wav

RINGBACK_HZ, RINGBACK_ON_S, RINGBACK_OFF_S = 425, 1, 4
"""ITU-T E.180's recommended tone and one of its cadences."""
KEPT_SAMPLES = 32 << 20
"""Of files held in memory though nobody plays them, the least used dropped first: 64 MB."""
REST_S = 0.001
"""While a file is read, after each second of it: whoever reads shares the interpreter with the beat."""
SEVERAL_S = 16
# A pentatonic line; every partial stands 25 Hz or more from the tones that parties are told apart by.
_NOTES = (261.63, 329.63, 392.0, 523.25, 392.0, 293.66, 349.23, 587.33)
_LINE = (0, 2, 3, 7, 1, 4, 5, 6, 0, 5, 2, 7, 3, 1, 6, 4)


def music() -> Samples:
    """Sixteen seconds of slow chimes at about -24 dBov, which join their own beginning."""
    total = np.zeros(SEVERAL_S * RATE)
    length = 2 * RATE
    moment = np.arange(length) / RATE
    swell = np.hanning(length + 1)[:length]
    for beat, note in enumerate(_LINE):
        chime = swell * np.sin(2.0 * np.pi * _NOTES[note] * moment)
        at = (np.arange(length) + beat * RATE) % total.size
        total[at] += 3300.0 * chime
    return np.rint(total).astype(np.int16)


def ringback() -> Samples:
    """One ring and its pause."""
    wave = np.zeros((RINGBACK_ON_S + RINGBACK_OFF_S) * RATE)
    on = RINGBACK_ON_S * RATE
    wave[:on] = 3000.0 * np.sin(2.0 * np.pi * RINGBACK_HZ * np.arange(on) / RATE)
    return np.rint(wave).astype(np.int16)


def silence() -> Samples:
    """A second of digital silence: 8000 samples, int16."""
    return np.zeros(RATE, np.int16)


BUILT_IN = {"music": music, "ringback": ringback, "silence": silence}
"""Sounds that are made, not read."""


class Shelf:
    """The sounds by name, files read once and kept while in use or among the last. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Of `_kept`, which readers of sounds and of recordings change at the same time."""
        self._made: dict[str, Samples] = {}
        self._kept: OrderedDict[str, Samples] = OrderedDict()

    def samples(self, name: str) -> Samples:
        """The sound's samples, one at least. BAD_PARAMETER when the file cannot be played.

        Reading a file takes as long as the disk does: never within a tick."""
        if name in BUILT_IN:
            if name not in self._made:
                self._made[name] = BUILT_IN[name]()
            return self._made[name]
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        try:
            samples = wav.read(Path(name), REST_S)
        except (OSError, ValueError) as failure:
            raise Refused(Code.BAD_PARAMETER, f"cannot play {name}: {failure}") from failure
        if samples.size == 0:
            samples = np.zeros(1, np.int16)
        with self._lock:
            self._kept[name] = samples
            while self._kept and sum(kept.size for kept in self._kept.values()) > KEPT_SAMPLES:
                self._kept.popitem(last=False)
        return samples


class Players:
    """What is being played, to which slots, from where."""

    def __init__(self, capacity: int) -> None:
        self._tape: dict[int, _Tape] = {}
        self._at = np.zeros(capacity, np.int64)
        self._left = np.zeros(capacity, np.int64)
        self._halted: set[int] = set()
        self._by_tape: list[tuple[npt.NDArray[np.intp], _Tape]] | None = None

    def start(self, slot: int, samples: Samples, *, loop: bool, at: int = 0) -> None:
        """Play from a sample on, for ever or once."""
        playing = (tape for tape in self._tape.values() if tape.samples is samples and tape.loop == loop)
        self._tape[slot] = next(playing, None) or _Tape(samples, loop)
        self._at[slot] = 0
        self._left[slot] = np.iinfo(np.int64).max if loop else samples.size
        self._halted.discard(slot)
        self._by_tape = None
        self.move(slot, at)

    def move(self, slot: int, by: int) -> None:
        """Go on so many samples later (or earlier), within the sound; a loop turns round."""
        tape = self._tape.get(slot)
        if tape is None:
            return
        size = tape.samples.size
        if tape.loop:
            self._at[slot] = (self._at[slot] + by) % size
        else:
            at = min(max(0, size - int(self._left[slot]) + by), size)
            self._at[slot], self._left[slot] = at, size - at

    def halt(self, slot: int, on: bool) -> bool:
        """Stay where it is, or go on; False where nothing is played."""
        if slot not in self._tape:
            return False
        (self._halted.add if on else self._halted.discard)(slot)
        self._by_tape = None
        return True

    def stop(self, slot: int) -> None:
        """Play nothing to this slot."""
        if self._tape.pop(slot, None) is not None:
            self._by_tape = None
        self._halted.discard(slot)
        self._at[slot] = self._left[slot] = 0

    def frames(self, out: Samples) -> list[int]:
        """The next frame of every sound into its slot's row of `out`; returns the slots whose sound ends."""
        if not self._tape:
            return []
        if self._by_tape is None:
            groups: dict[int, list[int]] = {}
            for slot, tape in self._tape.items():
                if slot not in self._halted:
                    groups.setdefault(id(tape), []).append(slot)
            self._by_tape = [(np.array(slots, np.intp), self._tape[slots[0]]) for slots in groups.values()]
        ended: list[int] = []
        for who, tape in self._by_tape:
            out[who] = tape.frames(self._at[who])
            self._at[who] = (self._at[who] + FRAME) % tape.samples.size
            self._left[who] -= FRAME
            ended += who[self._left[who] <= 0].tolist()
        return ended


class _Tape:
    """Samples of which a frame can be taken anywhere. A long one is not copied: that would take a tick."""

    def __init__(self, samples: Samples, loop: bool) -> None:
        self.samples = samples
        self.loop = loop
        whole = samples
        if loop or samples.size < FRAME:
            more = np.resize(samples, FRAME) if loop else np.zeros(FRAME, np.int16)
            whole = np.concatenate([samples, more])
        self._windows: Samples = np.lib.stride_tricks.sliding_window_view(whole, FRAME)

    def frames(self, at: npt.NDArray[np.int64]) -> Samples:
        """The frames [k, 160] from these samples on; beyond the end is silence."""
        last = len(self._windows) - 1
        found: Samples = self._windows[np.minimum(at, last)]
        for one in np.flatnonzero(at > last):
            rest = self.samples[at[one] :]
            found[one] = 0
            found[one, : rest.size] = rest
        return found
