"""G.711 by look-up (ITU-T G.711): whole arrays at once, PCMU and PCMA.

Codes are uint8, samples int16. Decoding looks two codes up at a time in a table of pairs,
encoding one sample at a time in a table of all 65536; both are exact.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sottovoce.domain.legs import Codec

Samples = npt.NDArray[np.int16]
Codes = npt.NDArray[np.uint8]

SILENCE = {Codec.PCMU: 0xFF, Codec.PCMA: 0xD5}
"""The code of digital silence; PCMA has no zero, its smallest sample is 8."""


def _decode_pcmu() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _decode_pcma() -> Samples:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (code & 0x70) >> 4
    mantissa = (code & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _encode_pcmu() -> Codes:
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    negative = sample < 0
    magnitude = np.minimum(np.where(negative, ~sample, sample) >> 2, 8158) + 33
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 5
    mantissa = (magnitude >> (exponent + 1)) & 0x0F
    codes: Codes = (~(np.where(negative, 0x80, 0) | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return codes


def _encode_pcma() -> Codes:
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    negative = sample < 0
    magnitude = np.where(negative, ~sample, sample) >> 4
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    exponent = np.where(magnitude >= 16, exponent + 1, 0)
    mantissa = np.where(exponent == 0, magnitude, magnitude >> np.maximum(exponent - 1, 0)) & 0x0F
    codes: Codes = ((np.where(negative, 0, 0x80) | (exponent << 4) | mantissa) ^ 0x55).astype(np.uint8)
    return codes


DECODED: dict[Codec, Samples] = {Codec.PCMU: _decode_pcmu(), Codec.PCMA: _decode_pcma()}
"""The sample of each of the 256 codes."""
ENCODED: dict[Codec, Codes] = {Codec.PCMU: _encode_pcmu(), Codec.PCMA: _encode_pcma()}
"""The code of each sample, indexed by the sample's two's complement bits."""


def _pairs(table: Samples) -> npt.NDArray[np.uint32]:
    codes = np.arange(65536, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    return np.ascontiguousarray(table[codes]).view(np.uint32).reshape(-1)


_PAIRS = {codec: _pairs(table) for codec, table in DECODED.items()}


def decode(codes: Codes, codec: Codec) -> Samples:
    """Samples of `codes`, in the same shape."""
    if codes.ndim and codes.shape[-1] % 2 == 0 and codes.flags.c_contiguous:
        return _PAIRS[codec].take(codes.view(np.uint16), mode="wrap").view(np.int16)
    return DECODED[codec].take(codes, mode="wrap")


def encode(samples: Samples, codec: Codec) -> Codes:
    """Codes of `samples`, in the same shape."""
    return ENCODED[codec].take(samples.view(np.uint16), mode="wrap")
