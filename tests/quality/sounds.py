"""WAVs for the tests of recordings: real speech (the demo's lines), tones, any coding and rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from sottovoce.demo.voices import SPEECH

RATE = 8000
Samples = npt.NDArray[np.float32]


def line(name: str) -> Samples:
    """A line of the demo, without the silence around it."""
    samples, rate = soundfile.read(SPEECH / f"{name}.wav", dtype="float32")
    assert rate == RATE
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return np.asarray(samples[loud[0] : loud[-1] + 1], np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def tone(seconds: float, hertz: float = 440.0) -> Samples:
    return np.asarray(0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE), np.float32)


def stereo(customer: Samples, agent: Samples) -> Samples:
    """Both on one length."""
    length = max(len(customer), len(agent))
    both = np.zeros((length, 2), np.float32)
    both[: len(customer), 0], both[: len(agent), 1] = customer, agent
    return both


def write(path: Path, samples: Samples, coding: str = "PCM_16", rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=coding, format="WAV")
    return path
