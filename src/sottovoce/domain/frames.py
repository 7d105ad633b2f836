"""The frame of a sample: every contact that qualified, frozen.

Contact numbers are ascending and mostly close together, so that a frame packs to about 0.3 to 2 bytes a
contact: a thousandth of that where it has no gaps.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Contacts = NDArray[np.int64]
"""Contact numbers, ascending, none twice."""

WHOLE = 0
"""The only stratum of a frame that is not split by agent."""

LARGEST_FRAME = 100_000_000
"""Contacts. Their numbers, 8 bytes each, then just fit one value of a query, whose bound is 1 GB; a packed
frame of them takes a fifth of that."""

_MAGIC = b"SVFRAME1"
_HEAD = struct.Struct("<QB")
_WIDTHS = tuple(np.dtype(kind) for kind in ("<u1", "<u2", "<u4", "<i8"))
_PIECE = 1 << 24
"""Bytes."""
_STRIDE = 1 << 16
"""Contacts; half a megabyte of them stays in a core's cache."""


class BadFrame(ValueError):
    """The bytes are no packed frame; the text says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Contacts by stratum: an agent's work number, or WHOLE alone. Strata ascend, none is empty."""

    strata: Mapping[int, Contacts]

    @classmethod
    def of(cls, strata: Mapping[int, Contacts]) -> Frame:
        """A frame of contacts in any order. BadFrame if one is there twice, or there are too many."""
        ordered = {
            stratum: np.ascontiguousarray(_ascending(strata[stratum]), dtype=np.int64)
            for stratum in sorted(strata)
            if len(strata[stratum])
        }
        frame = cls(MappingProxyType(ordered))
        if frame.size > LARGEST_FRAME:
            raise BadFrame(f"{frame.size} contacts qualify; a frame holds {LARGEST_FRAME}")
        return frame

    @property
    def size(self) -> int:
        """How many contacts qualified."""
        return sum(len(contacts) for contacts in self.strata.values())

    @property
    def bounds(self) -> tuple[int, int]:
        """The lowest and the highest of the contacts. ValueError where there are none."""
        strata = self.strata.values()
        return min(int(some[0]) for some in strata), max(int(some[-1]) for some in strata)

    def sha256(self) -> str:
        """The hash, hexadecimal, of the frame's canonical form.

        That is, for each stratum in ascending order: its number (the work number; 0 where the frame is
        not split), how many contacts it has, and the contacts ascending; all as 8 bytes, little-endian.
        """
        digest = hashlib.sha256()
        for stratum, contacts in self.strata.items():
            digest.update(struct.pack("<qq", stratum, len(contacts)))
            digest.update(contacts.astype("<i8", copy=False).data)
        return digest.hexdigest()

    def pack(self) -> bytes:
        """The frame as bytes: zlib over strata, counts, first contacts, and the steps between contacts."""
        largest = max(
            (int(steps.max()) for contacts in self.strata.values() for steps in _steps(contacts)), default=0
        )
        width = next(place for place, kind in enumerate(_WIDTHS) if largest >> 8 * kind.itemsize == 0)
        # Run lengths and Huffman codes alone: steps repeat or are noise, and longer matches only cost time.
        deflating = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
        heads = np.array(
            [[stratum, len(contacts), int(contacts[0])] for stratum, contacts in self.strata.items()],
            dtype="<i8",
        )
        parts = [_MAGIC, _HEAD.pack(len(self.strata), width), deflating.compress(heads.tobytes())]
        for contacts in self.strata.values():
            parts += [deflating.compress(steps.astype(_WIDTHS[width]).data) for steps in _steps(contacts)]
        parts.append(deflating.flush())
        return b"".join(parts)

    @classmethod
    def unpack(cls, packed: bytes) -> Frame:
        """The frame that `pack` made these bytes of. BadFrame."""
        start = len(_MAGIC) + _HEAD.size
        if packed[: len(_MAGIC)] != _MAGIC or len(packed) < start:
            raise BadFrame("this is no frame")
        count, width = _HEAD.unpack_from(packed, len(_MAGIC))
        if width >= len(_WIDTHS) or count > LARGEST_FRAME:
            raise BadFrame("the frame's head is damaged")
        reading = _Inflating(packed[start:])
        heads = np.frombuffer(reading.take(count * 24), dtype="<i8").reshape(count, 3)
        if count and (heads[:, 1].min() < 1 or heads[:, 1].sum() > LARGEST_FRAME):
            raise BadFrame("the frame's counts are damaged")
        kind = _WIDTHS[width]
        strata: dict[int, Contacts] = {}
        for stratum, length, first in heads.tolist():
            steps = np.frombuffer(reading.take((length - 1) * kind.itemsize), dtype=kind)
            contacts = np.empty(length, dtype=np.int64)
            contacts[0] = first
            np.cumsum(steps, dtype=np.int64, out=contacts[1:])
            contacts[1:] += first
            strata[stratum] = contacts
        reading.end()
        frame = cls.of(strata)
        if list(frame.strata) != [stratum for stratum, _, _ in heads.tolist()]:
            raise BadFrame("the frame's strata are damaged")
        return frame


def _ascending(contacts: Contacts) -> Contacts:
    if _ascends(contacts):
        return contacts
    low = int(contacts.min())
    span = int(contacts.max()) - low + 1
    if span <= 32 * len(contacts):  # counting is ten times as fast as sorting
        there = np.zeros(span, dtype=np.bool_)
        for start in range(0, len(contacts), _STRIDE):
            there[contacts[start : start + _STRIDE] - low] = True
        ordered = np.flatnonzero(there).astype(np.int64, copy=False)
        ordered += low
    else:
        ordered = np.sort(contacts)
    if len(ordered) != len(contacts) or not _ascends(ordered):
        raise BadFrame("a contact is in the frame twice")
    return ordered


def _ascends(contacts: Contacts) -> bool:
    """Whether each is greater than the one before; finds out quickly that one is not."""
    return all(bool((steps > 0).all()) for steps in _steps(contacts))


def _steps(contacts: Contacts) -> Iterator[NDArray[np.int64]]:
    """The differences from each contact to the next, piece by piece."""
    for start in range(0, len(contacts) - 1, _STRIDE):
        yield np.diff(contacts[start : start + _STRIDE + 1])


class _Inflating:
    """Takes so many bytes at a time out of compressed ones. BadFrame where they are not there."""

    def __init__(self, packed: bytes) -> None:
        self._inflate = zlib.decompressobj()
        self._packed = packed

    def take(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            try:
                part = self._inflate.decompress(self._packed, min(count, _PIECE))
            except zlib.error as failure:
                raise BadFrame("the frame's bytes are damaged") from failure
            self._packed = self._inflate.unconsumed_tail
            if not part:
                raise BadFrame("the frame's end is missing")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def end(self) -> None:
        try:
            rest = self._inflate.decompress(self._packed, 1)
        except zlib.error as failure:
            raise BadFrame("the frame's bytes are damaged") from failure
        if rest or not self._inflate.eof or self._inflate.unused_data:
            raise BadFrame("the frame has more than it should")
