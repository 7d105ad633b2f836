"""Tones that tell parties apart, and the proof of which of them are in a second of audio.

Audio is int16 at 8 kHz, one channel. Levels are dBov (ITU-T G.100.1): 0 is a full-scale square
wave, so a full-scale sine has -3.01 and digital silence is reported as -127.

A window is one second, so that every whole Hz is the centre of a bin and a tone that is there
leaves nothing in any other tone's bin. G.711 bends what it carries, and the bent products of tones
fall on whole Hz too; `TONES` were searched so that after two codings, as between two phones and a
mixer, one of them leaves less than -85 dBov at any other, two less than -74, three less than -70.
None is near a DTMF frequency, and no two stand a multiple of 50 Hz apart (a repeated 20 ms frame
makes lines at that distance).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import RATE

Samples = npt.NDArray[np.int16]

WINDOW = RATE
"""Samples in the window that a verdict is given on."""
TONES: tuple[int, ...] = (983, 557, 1789, 1241, 1531, 829, 2663, 3201, 3053)
"""Hz, all on bin centres of the window."""
SENT_DBOV = -15.0
"""Level that phones send their tone with: three together do not clip."""
HEARD_FROM_DBOV = -30.0
"""A tone at or above this is heard."""
SILENT_BELOW_DBOV = -60.0
"""A tone below this is not heard; between the two is neither, and always wrong."""
ROUNDING_DBOV = -75.0
"""Levels below this in one bin are G.711's own rounding and count as this when compared."""
STEADY_BELOW_DBOV = -42.0
"""A window whose residue is softer than this is a steady mixture of tones."""
SILENCE_DBOV = -127.0


class ToneVerdict(StrEnum):
    """What a window says about one tone."""

    HEARD = "heard"
    SILENT = "silent"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Hearing:
    """The level of each tone in one window, in dBov."""

    levels: Mapping[int, float]

    def verdict(self, hz: int) -> ToneVerdict:
        """Whether that tone was heard; KeyError if the window was not asked about it."""
        level = self.levels[hz]
        if level >= HEARD_FROM_DBOV:
            return ToneVerdict.HEARD
        return ToneVerdict.SILENT if level < SILENT_BELOW_DBOV else ToneVerdict.UNCLEAR

    @property
    def heard(self) -> frozenset[int]:
        """The tones that are not silent: an unclear one counts as heard, so that no leak hides."""
        return frozenset(hz for hz in self.levels if self.verdict(hz) is not ToneVerdict.SILENT)

    @property
    def unclear(self) -> frozenset[int]:
        """The tones that are neither heard nor silent."""
        return frozenset(hz for hz in self.levels if self.verdict(hz) is ToneVerdict.UNCLEAR)


def amplitude(level_dbov: float) -> float:
    """Peak of a sine of that level, in int16 steps."""
    return float(32768.0 * np.sqrt(2.0) * 10.0 ** (level_dbov / 20.0))


def level_of(peak: float) -> float:
    """Level in dBov of a sine of that peak (int16 steps), never under -127."""
    if peak <= 0.0:
        return SILENCE_DBOV
    return max(SILENCE_DBOV, float(20.0 * np.log10(peak / (32768.0 * np.sqrt(2.0)))))


def rms_level(samples: Samples | npt.NDArray[np.float64]) -> float:
    """Level in dBov of all of `samples`; -127 when there are none."""
    if samples.size == 0:
        return SILENCE_DBOV
    power = float(np.mean(np.square(samples.astype(np.float64))))
    return SILENCE_DBOV if power <= 0.0 else max(SILENCE_DBOV, float(10.0 * np.log10(power / 32768.0**2)))


def tone(hz: float, samples: int, *, start: int = 0, level_dbov: float = SENT_DBOV) -> Samples:
    """`samples` samples of a sine, as if it had run since sample `-start`: pieces join without a step."""
    phase = (np.arange(start, start + samples, dtype=np.int64) * hz) / RATE
    return np.rint(amplitude(level_dbov) * np.sin(2.0 * np.pi * (phase % 1.0))).astype(np.int16)


def levels(window: Samples, tones: Iterable[int] = TONES) -> Hearing:
    """Levels of `tones` in exactly one window of 8000 samples; ValueError for another length.

    The window is weighted (Hann): a bin then sees its two neighbours and nothing of a steady
    tone farther off, even where a tone's frequency is a little off its bin's centre.
    """
    if window.shape != (WINDOW,):
        raise ValueError(f"a window has {WINDOW} samples, this one {window.shape}")
    spectrum = np.abs(np.fft.rfft(window.astype(np.float64) * _HANN))
    return Hearing({hz: level_of(float(spectrum[hz]) * 2.0 / _HANN_SUM) for hz in tones})


def residue(window: Samples, tones: Iterable[int] = TONES) -> float:
    """Level in dBov of everything in one window that is none of `tones`.

    G.711 leaves -53 of one tone and -44 of three. Much more means that the second was disturbed (a
    lost or repeated frame breaks the phase, and a broken tone spreads over all bins) or holds other
    sound: music, speech.
    """
    if window.shape != (WINDOW,):
        raise ValueError(f"a window has {WINDOW} samples, this one {window.shape}")
    spectrum = np.fft.rfft(window.astype(np.float64))
    spectrum[list(tones)] = 0.0
    return rms_level(np.fft.irfft(spectrum, WINDOW))


def block_levels(blocks: npt.NDArray[np.int16], tones: Iterable[int] = TONES) -> npt.NDArray[np.float64]:
    """Levels [blocks, tones] in short blocks [blocks, samples], for saying *when* a tone set in.

    A least-squares fit of all tones at once: in 20 ms their bins overlap. A verdict on who is
    heard is never taken from this.
    """
    asked = tuple(tones)
    count, size = blocks.shape
    if count == 0:
        return np.zeros((0, len(asked)))
    turns = 2.0 * np.pi * np.arange(size)[:, None] * np.asarray(asked, dtype=np.float64)[None, :] / RATE
    basis = np.concatenate([np.cos(turns), np.sin(turns)], axis=1)
    fit = np.linalg.lstsq(basis, blocks.astype(np.float64).T, rcond=None)[0]
    peaks = np.hypot(fit[: len(asked)], fit[len(asked) :]).T
    with np.errstate(divide="ignore"):
        found: npt.NDArray[np.float64] = 20.0 * np.log10(peaks / (32768.0 * np.sqrt(2.0)))
    return np.maximum(found, SILENCE_DBOV)


def rise(before_dbov: float, after_dbov: float) -> float:
    """By how many dB a bin rose, levels under the codec's own rounding counting as that rounding."""
    return max(after_dbov, ROUNDING_DBOV) - max(before_dbov, ROUNDING_DBOV)


_HANN = np.hanning(WINDOW + 1)[:WINDOW]
_HANN_SUM = float(_HANN.sum())
