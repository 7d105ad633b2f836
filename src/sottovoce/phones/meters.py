"""How loud each known talker is in what a phone heard, by comparing it with what each said.

For speech, where tones cannot tell who is who: the phones of a demo or a test know what they
send, so a talker's share in a second of audio is found by correlation, whatever the delay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import RATE
from sottovoce.phones import tones
from sottovoce.phones.tones import Samples

QUIET_BELOW_DBOV = -50.0
"""A talker softer than this over the window said nothing that could be found."""
HEARD_FROM_GAIN = 0.5
"""A share of at least half of what was said is heard; unrelated speech stays well under it."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of one talker is in what a listener heard."""

    gain: float
    """What arrived of it, 1.0 being all; 0.0 while the talker is quiet."""
    said_dbov: float
    delay_ms: float
    talking: bool
    """Whether there was anything to hear, whatever the delay."""

    @property
    def heard(self) -> bool:
        """Whether the talker spoke and at least half of it arrived."""
        return self.talking and self.gain >= HEARD_FROM_GAIN

    @property
    def heard_dbov(self) -> float:
        """The level at which this talker arrived, -127 if not at all."""
        if not self.heard:
            return tones.SILENCE_DBOV
        return self.said_dbov + 20.0 * float(np.log10(self.gain))


def shares(heard: Samples, said: Mapping[str, Samples]) -> dict[str, Share]:
    """Each talker's share in `heard`.

    `said[name]` ends when `heard` ends and is longer by the largest delay to look for. All
    talkers found are fitted together, so that one loud voice does not hide in another's share.
    """
    size = heard.size
    target = heard.astype(np.float64)
    found: dict[str, tuple[npt.NDArray[np.float64], float, float]] = {}
    for name, voice in said.items():
        aligned, delay = _align(target, voice.astype(np.float64))
        level = tones.rms_level(np.rint(aligned).astype(np.int16))
        found[name] = (aligned, level, 1000.0 * delay / RATE)
    # What was said at the window's edges may or may not have arrived in it: only the rest proves anything.
    core = {name: voice[voice.size - size : size] for name, voice in said.items()}
    talking = [name for name, sure in core.items() if tones.rms_level(sure) >= QUIET_BELOW_DBOV]
    gains = dict.fromkeys(said, 0.0)
    if talking:
        basis = np.stack([found[name][0] for name in talking], axis=1)
        fit = np.linalg.lstsq(basis, target, rcond=None)[0]
        gains.update({name: float(gain) for name, gain in zip(talking, fit, strict=True)})
    return {name: Share(gains[name], *found[name][1:], name in talking) for name in said}


def _align(
    target: npt.NDArray[np.float64], voice: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], int]:
    """The piece of `voice` that fits `target` best, and by how many samples it was delayed."""
    size, room = target.size, voice.size - target.size
    if not 0 <= room < size:
        raise ValueError("what was said must be longer than what was heard, and shorter than twice that")
    length = 1 << (voice.size + size - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(voice, length) * np.conj(np.fft.rfft(target, length)), length)
    energy = np.concatenate([[0.0], np.cumsum(np.square(voice))])
    pieces = energy[size : size + room + 1] - energy[: room + 1]
    lag = int(np.argmax(product[: room + 1] / np.sqrt(pieces + 1.0)))
    return voice[lag : lag + size], room - lag
