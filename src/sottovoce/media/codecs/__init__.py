"""Codecs by look-up: whole arrays at once. One byte a sample at 8 kHz; `pcmu` and `pcma` are G.711.

Decoding looks two codes up at a time in a table of pairs, encoding one sample at a time in a table of all
65536; both are exact. Used by the mixer's way in and out, and by the phones.

To add one: its member in `domain.legs.Codec` (name and payload type as SDP has them), a module here with
`decoded`, `encoded` and `SILENCE`, and its row in `_TABLES`. One that is no table of bytes at 8 kHz would
change the mixer, too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import Codes, Samples
from sottovoce.domain.legs import Codec
from sottovoce.media.codecs import pcma, pcmu

_TABLES = {Codec.PCMU: pcmu, Codec.PCMA: pcma}
SILENCE: dict[Codec, int] = {codec: tables.SILENCE for codec, tables in _TABLES.items()}
"""The code of digital silence."""
DECODED: dict[Codec, Samples] = {codec: tables.decoded() for codec, tables in _TABLES.items()}
"""The sample of each of the 256 codes."""
ENCODED: dict[Codec, Codes] = {codec: tables.encoded() for codec, tables in _TABLES.items()}
"""The code of each sample, indexed by the sample's two's complement bits."""
PAYLOAD_TYPES = frozenset(codec.value for codec in _TABLES)
"""RTP payload types that are audio here."""


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
