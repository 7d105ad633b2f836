"""What is played where a packet is missing: the last pitch period again, fading to silence in 60 ms.

After ITU-T G.711 Appendix I in spirit: the period is found by correlation, the extension is
faded, and a frame that follows it is cross-faded in. All functions work on rows at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import Samples

HISTORY = 320
"""Samples of the past that the functions want: 40 ms."""
FADED_AFTER = 3
"""Frames after which an extension is silence."""
SHORTEST, LONGEST = 40, 120
"""Pitch periods looked for: 5-15 ms, 200-66 Hz; higher voices match at a multiple."""
JOIN = 40
"""Samples of the cross-fade back to what was received."""
_TEMPLATE = 120
# Gain at the start and end of each frame of an extension, relative to the frame before it,
# which is its history and already faded.
_FROM = np.array([1.0, 1.0, 1.0, 0.0], np.float32)
_TO = np.array([0.7, 0.5, 0.0, 0.0], np.float32)
_RAMP = np.linspace(0.0, 1.0, JOIN, endpoint=False, dtype=np.float32)

Lags = npt.NDArray[np.int64]


def pitch(history: Samples) -> Lags:
    """The lag [m] in samples at which each row of `history` [m, 320] repeats itself best."""
    past = history.astype(np.float32)
    template = past[:, -_TEMPLATE:]
    windows = np.lib.stride_tricks.sliding_window_view(past, _TEMPLATE, axis=1)
    # Window w begins at w; the template begins at 200, so the lag is 200 - w.
    begin = HISTORY - _TEMPLATE
    candidates = windows[:, begin - LONGEST : begin - SHORTEST + 1]
    match = np.matmul(candidates, template[:, :, None])[:, :, 0]
    energy = np.cumsum(np.square(past), axis=1)
    at = np.arange(begin - LONGEST, begin - SHORTEST + 1)
    inside = energy[:, at + _TEMPLATE - 1] - energy[:, at] + np.square(past[:, at])
    likeness = match / np.sqrt(np.maximum(inside, 1.0))
    best: Lags = LONGEST - likeness.argmax(axis=1)
    return best


def extension(history: Samples, lags: Lags, length: int) -> Samples:
    """`length` samples [m, length] after the end of `history` [m, 320]: its last `lags` again and again."""
    steps = np.arange(length)[None, :] % lags[:, None]
    extended: Samples = np.take_along_axis(history, HISTORY - lags[:, None] + steps, axis=1)
    return extended


def faded(extended: Samples, run: npt.NDArray[np.int64]) -> Samples:
    """An extension with the gain of the `run`-th missing frame in a row (0 for the first)."""
    step = np.minimum(run, FADED_AFTER)
    length = extended.shape[1]
    slope = (np.arange(length, dtype=np.float32) / length)[None, :]
    gain = _FROM[step][:, None] + (_TO - _FROM)[step][:, None] * slope
    quieter: Samples = (extended * gain).astype(np.int16)
    return quieter


def joined(frames: Samples, extended: Samples) -> Samples:
    """`frames` [m, 160] whose first 5 ms come in over `extended` [m, >= 40], which goes out."""
    mixed = frames.copy()
    mixed[:, :JOIN] = frames[:, :JOIN] * _RAMP + extended[:, :JOIN] * (1.0 - _RAMP)
    return mixed


def crossfaded(out_going: Samples, in_coming: Samples) -> Samples:
    """From the one to the other over the whole frame, for dropping or inserting a period."""
    length = out_going.shape[1]
    weight = np.arange(length, dtype=np.float32) / length
    mixed: Samples = (out_going * (1.0 - weight) + in_coming * weight).astype(np.int16)
    return mixed
