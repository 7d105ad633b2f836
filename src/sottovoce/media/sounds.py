"""What is played to legs: music and ringback made here, silence, WAV files; each leg at its own position."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import FRAME, RATE, Samples
from sottovoce.errors import Code, Refused
from sottovoce.media import wav

RINGBACK_HZ, RINGBACK_ON_S, RINGBACK_OFF_S = 425, 1, 4
"""ITU-T E.180's recommended tone and one of its cadences."""
KEPT_FILES = 32
"""Files held in memory, the least used dropped first."""
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
    """The sounds by name, files read once and kept while in use or among the last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Samples] = OrderedDict()

    def samples(self, name: str) -> Samples:
        """The sound's samples, one at least. BAD_PARAMETER when the file cannot be played.

        Reading a file takes as long as the disk does: ask once, outside a tick, before it is played."""
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        if name in BUILT_IN:
            samples = BUILT_IN[name]()
        else:
            try:
                samples = wav.read(Path(name))
            except (OSError, ValueError) as failure:
                raise Refused(Code.BAD_PARAMETER, f"cannot play {name}: {failure}") from failure
        if samples.size == 0:
            samples = np.zeros(1, np.int16)
        self._kept[name] = samples
        while len(self._kept) > KEPT_FILES:
            self._kept.popitem(last=False)
        return samples


class Players:
    """What is being played, to which slots, from where."""

    def __init__(self, capacity: int) -> None:
        self._tape: dict[int, _Tape] = {}
        self._at = np.zeros(capacity, np.int64)
        self._left = np.zeros(capacity, np.int64)
        self._by_tape: list[tuple[npt.NDArray[np.intp], Samples]] | None = None

    def start(self, slot: int, samples: Samples, *, loop: bool) -> None:
        """Play from the beginning, for ever or once."""
        playing = (tape for tape in self._tape.values() if tape.samples is samples and tape.loop == loop)
        self._tape[slot] = next(playing, None) or _Tape(samples, loop)
        self._at[slot] = 0
        self._left[slot] = np.iinfo(np.int64).max if loop else samples.size
        self._by_tape = None

    def stop(self, slot: int) -> None:
        """Play nothing to this slot."""
        if self._tape.pop(slot, None) is not None:
            self._by_tape = None
        self._at[slot] = self._left[slot] = 0

    def frames(self, out: Samples) -> list[int]:
        """The next frame of every sound into its slot's row of `out`; returns the slots whose sound ends."""
        if not self._tape:
            return []
        if self._by_tape is None:
            groups: dict[int, list[int]] = {}
            for slot, tape in self._tape.items():
                groups.setdefault(id(tape), []).append(slot)
            self._by_tape = [
                (np.array(slots, np.intp), self._tape[slots[0]].windows) for slots in groups.values()
            ]
        ended: list[int] = []
        for who, windows in self._by_tape:
            out[who] = windows[self._at[who]]
            self._at[who] = (self._at[who] + FRAME) % (len(windows) - 1)
            self._left[who] -= FRAME
            ended += who[self._left[who] <= 0].tolist()
        return ended


class _Tape:
    """Samples with a frame more at the end, so that a frame can be taken anywhere."""

    def __init__(self, samples: Samples, loop: bool) -> None:
        self.samples = samples
        self.loop = loop
        more = np.resize(samples, FRAME) if loop else np.zeros(FRAME, np.int16)
        self.windows: Samples = np.lib.stride_tricks.sliding_window_view(
            np.concatenate([samples, more]), FRAME
        )
