"""Makes what is shipped to be heard, with espeak-ng: `python -m sottovoce.demo.synthesis`.

A developer's tool: the recordings are shipped, nothing of this runs in a demo. They are 8 kHz
mono G.711 (µ-law) WAV, 8 kB a second.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from sottovoce.demo import announced
from sottovoce.demo.announced import VOICES
from sottovoce.demo.voices import LINES, SPEECH, SpokenLine
from sottovoce.domain.audio import FRAME, RATE
from sottovoce.media.engine import SPOKEN

_ACTIVE_RMS = 32768.0 * 10.0 ** (-20.0 / 20.0)


def synthesise(text: str, voice: str, pitch: int, speed: int) -> npt.NDArray[np.int16]:
    """One line, spoken, at 8 kHz and -20 dBov over the parts that speak."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise SystemExit("espeak-ng is not installed (apt-get install espeak-ng)")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line.wav"
        subprocess.run(  # noqa: S603 - fixed program, texts of our own
            [program, "-v", voice, "-p", str(pitch), "-s", str(speed), "-w", str(path), text], check=True
        )
        samples, rate = soundfile.read(path, dtype="int16")
    return _levelled(_resampled(samples.astype(np.float64), rate))


def _resampled(samples: npt.NDArray[np.float64], rate: int) -> npt.NDArray[np.float64]:
    """To 8 kHz with nothing above 3.6 kHz or below 200 Hz, by the spectrum of the whole line."""
    length = round(samples.size * RATE / rate)
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(samples.size, 1.0 / rate)
    spectrum[(frequencies > 3600.0) | (frequencies < 200.0)] = 0.0
    kept = np.zeros(length // 2 + 1, dtype=np.complex128)
    kept[: min(kept.size, spectrum.size)] = spectrum[: kept.size]
    return np.fft.irfft(kept, length) * (length / samples.size)


def _levelled(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME)
    loudness = np.sqrt(np.mean(np.square(frames), axis=1))
    active = loudness[loudness > 0.1 * loudness.max()]
    scaled = samples * (_ACTIVE_RMS / float(np.sqrt(np.mean(np.square(active)))))
    return np.clip(np.rint(scaled), -32000, 32000).astype(np.int16)


def main() -> None:
    """Make the recording of every line: of `voices.LINES` in `speech/`, and of callers' announcements."""
    make(SPEECH, LINES)
    for language in VOICES:
        make(SPOKEN / language, announced.lines(language))


def make(folder: Path, lines: Mapping[str, SpokenLine]) -> None:
    """Make these lines' recordings in a folder."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, line in lines.items():
        samples = synthesise(line.text, line.voice, line.pitch, line.speed)
        print(f"{name:12} {samples.size / RATE:5.1f} s")
        soundfile.write(folder / f"{name}.wav", samples, RATE, "ULAW")


if __name__ == "__main__":
    main()
