"""The one form that audio has inside: 8 kHz, one channel, int16, in frames of 20 ms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE = 8000
"""Samples a second; also the RTP clock of every codec here."""
FRAME = 160
"""Samples in one frame: the mixer's tick."""
FRAME_S = FRAME / RATE

Samples = npt.NDArray[np.int16]
Codes = npt.NDArray[np.uint8]
"""Encoded, one byte a sample."""
