"""G.711 A-law (ITU-T G.711)."""

from __future__ import annotations

import numpy as np

from sottovoce.domain.audio import Codes, Samples

SILENCE = 0xD5
"""The code of digital silence: A-law has no zero, its smallest sample is 8."""


def decoded() -> Samples:
    """The sample of each of the 256 codes."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (code & 0x70) >> 4
    mantissa = (code & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def encoded() -> Codes:
    """The code of each sample, indexed by the sample's two's complement bits."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    negative = sample < 0
    magnitude = np.where(negative, ~sample, sample) >> 4
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    exponent = np.where(magnitude >= 16, exponent + 1, 0)
    mantissa = np.where(exponent == 0, magnitude, magnitude >> np.maximum(exponent - 1, 0)) & 0x0F
    codes: Codes = ((np.where(negative, 0, 0x80) | (exponent << 4) | mantissa) ^ 0x55).astype(np.uint8)
    return codes
