"""What a phone says, in frames of 20 ms: 160 samples, int16, 8 kHz."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sottovoce.domain.audio import FRAME, RATE
from sottovoce.phones import tones
from sottovoce.phones.tones import Samples


class Source(Protocol):
    """Something that says one frame after the other, for ever."""

    def frame(self) -> Samples:
        """The next 160 samples of what is said."""
        ...


class Quiet:
    """A source that says nothing: digital silence."""

    def frame(self) -> Samples:
        """160 zeros."""
        return np.zeros(FRAME, dtype=np.int16)


class Tone:
    """A steady tone of whole Hz; its frames join without a step."""

    def __init__(self, hz: int, *, level_dbov: float = tones.SENT_DBOV) -> None:
        self.hz = hz
        self.level_dbov = level_dbov
        self._next = 0

    def frame(self) -> Samples:
        """The next 160 samples of the tone."""
        said = tones.tone(self.hz, FRAME, start=self._next, level_dbov=self.level_dbov)
        self._next = (self._next + FRAME) % RATE
        return said


class Speech:
    """A recording, again and again with `pause_s` of silence after each time; `begin_s` of silence first."""

    def __init__(self, samples: Samples, *, pause_s: float = 0.8, begin_s: float = 0.0) -> None:
        pause = np.zeros(round(pause_s * RATE), dtype=np.int16)
        whole = np.concatenate([samples.astype(np.int16), pause])
        missing = -whole.size % FRAME or (FRAME if whole.size == 0 else 0)
        self._frames = np.concatenate([whole, np.zeros(missing, dtype=np.int16)]).reshape(-1, FRAME)
        self._wait = round(begin_s * RATE / FRAME)
        self._next = 0

    def frame(self) -> Samples:
        """The next 160 samples of the recording or of its pause."""
        if self._wait > 0:
            self._wait -= 1
            return np.zeros(FRAME, dtype=np.int16)
        said: Samples = self._frames[self._next]
        self._next = (self._next + 1) % len(self._frames)
        return said


class Babble:
    """Something as unsteady and as dark as speech, the same for the same `seed`: -20 dBov, no pauses."""

    def __init__(self, seed: int, *, seconds: int = 8) -> None:
        chance = np.random.default_rng(seed)
        noise = chance.standard_normal(seconds * RATE + 12)
        dark = np.convolve(noise, np.hanning(14)[1:-1], "valid")[: seconds * RATE]
        loudness = np.repeat(chance.uniform(0.15, 1.0, seconds * 10), RATE // 10)
        voice = dark * loudness
        voice *= 3276.8 / np.sqrt(np.mean(np.square(voice)))
        self._frames = np.clip(np.rint(voice), -32000, 32000).astype(np.int16).reshape(-1, FRAME)
        self._next = 0

    def frame(self) -> Samples:
        """The next 160 samples; they begin again after `seconds`."""
        said: Samples = self._frames[self._next]
        self._next = (self._next + 1) % len(self._frames)
        return said


class Mixed:
    """Several sources at once, clipped: for example a voice with its loudspeaker's echo in it."""

    def __init__(self, *sources: Source) -> None:
        self._sources = sources

    def frame(self) -> Samples:
        """The sum of the next 160 samples of all sources, clipped."""
        total = np.zeros(FRAME, dtype=np.int32)
        for source in self._sources:
            total += source.frame()
        return np.clip(total, -32768, 32767).astype(np.int16)
