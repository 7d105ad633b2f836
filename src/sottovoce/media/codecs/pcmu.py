"""G.711 mu-law (ITU-T G.711)."""

from __future__ import annotations

import numpy as np

from sottovoce.domain.audio import Codes, Samples

SILENCE = 0xFF
"""The code of digital silence."""


def decoded() -> Samples:
    """The sample of each of the 256 codes."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def encoded() -> Codes:
    """The code of each sample, indexed by the sample's two's complement bits."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    negative = sample < 0
    magnitude = np.minimum(np.where(negative, ~sample, sample) >> 2, 8158) + 33
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 5
    mantissa = (magnitude >> (exponent + 1)) & 0x0F
    codes: Codes = (~(np.where(negative, 0x80, 0) | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return codes
