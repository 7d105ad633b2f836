"""RTP headers (RFC 3550 5.1), parsed and built for a batch of packets at once.

A batch is a uint8 array [k, width], one packet to a row, with its lengths [k].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sottovoce.media.spans import spans

HEADER = 12
"""Bytes of a header without CSRCs and extension."""
COMFORT_NOISE = 13
"""Payload type of RFC 3389 at 8 kHz."""

Batch = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_LAYOUT = np.dtype(
    [("flags", "u1"), ("type", "u1"), ("sequence", ">u2"), ("timestamp", ">u4"), ("ssrc", ">u4")]
)


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of a batch, all arrays [k]. Rows that are not `valid` hold anything but lies about size:
    `start` + `size` never passes the end of the row."""

    valid: Flags
    """Version 2, whole header, extension and padding within the packet."""
    payload_type: npt.NDArray[np.uint8]
    marker: Flags
    sequence: Ints
    timestamp: Ints
    ssrc: Ints
    start: Ints
    """Offset of the payload in the row."""
    size: Ints
    """Bytes of payload, without padding; may be 0."""


def parse(packets: Batch, lengths: npt.NDArray[np.int64]) -> Headers:
    """Parse the headers of `packets` [k, width >= 12]; nothing that they say is believed unchecked."""
    width = packets.shape[1]
    lengths = np.minimum(lengths, width)
    head = np.ascontiguousarray(packets[:, :HEADER]).view(_LAYOUT)[:, 0]
    flags = head["flags"]
    kind = head["type"]
    valid = (flags >> 6 == 2) & (lengths >= HEADER)
    # RFC 5761 4: these "payload types" are RTCP's packet types 192-223 with the marker bit cut off.
    payload_type = np.bitwise_and(kind, 0x7F, dtype=np.uint8)
    valid &= (payload_type < 64) | (payload_type > 95)
    start = np.full(len(head), HEADER, np.int64)
    size = lengths - HEADER
    if (unusual := np.flatnonzero(flags & 0x3F)).size:
        _unusual(packets, lengths, flags, unusual, valid, start, size)
    size[~valid] = 0
    return Headers(
        valid,
        payload_type,
        kind >= 0x80,
        head["sequence"].astype(np.int64),
        head["timestamp"].astype(np.int64),
        head["ssrc"].astype(np.int64),
        start,
        size,
    )


def _unusual(
    packets: Batch,
    lengths: npt.NDArray[np.int64],
    flags: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.intp],
    valid: Flags,
    start: Ints,
    size: Ints,
) -> None:
    """Rows with CSRCs, an extension or padding: correct `valid`, `start` and `size` in place."""
    flag = flags[rows]
    end = lengths[rows]
    begin = HEADER + 4 * (flag & 0x0F).astype(np.int64)
    extended = (flag & 0x10) != 0
    good = begin + 4 * extended <= end
    words_at = np.where(extended & good, begin + 2, 0)
    words = packets[rows, words_at].astype(np.int64) << 8 | packets[rows, words_at + 1]
    begin += np.where(extended & good, 4 + 4 * words, 0)
    good &= begin <= end
    padded = (flag & 0x20) != 0
    padding = np.where(padded, packets[rows, np.maximum(end, 1) - 1].astype(np.int64), 0)
    good &= ~padded | (padding > 0)
    good &= begin + padding <= end
    valid[rows] &= good
    start[rows] = np.where(good, begin, 0)
    size[rows] = np.where(good, end - begin - padding, 0)


def payloads(packets: Batch, rows: npt.NDArray[np.intp], start: Ints, size: int) -> Batch:
    """Payloads [len(rows), size] of some rows of a C-contiguous batch, each with `size` bytes at `start`."""
    whole = spans(packets.reshape(-1), size)[rows * packets.shape[1] + start]
    found: Batch = whole.view(np.uint8).reshape(len(rows), size)
    return found


def build(
    into: Batch,
    *,
    payload_type: npt.NDArray[np.integer] | int,
    marker: Flags | bool,
    sequence: Ints,
    timestamp: Ints,
    ssrc: Ints,
) -> None:
    """Write headers into the rows of `into` [k, width >= 12]; numbers are taken modulo their field."""
    head = np.empty(len(into), _LAYOUT)
    head["flags"] = 0x80
    head["type"] = payload_type | (np.asarray(marker).astype(np.uint8) << 7)
    head["sequence"] = sequence & 0xFFFF
    head["timestamp"] = timestamp & 0xFFFFFFFF
    head["ssrc"] = ssrc
    into[:, :HEADER] = head.view(np.uint8).reshape(len(into), HEADER)


def packet(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, *, marker: bool = False
) -> bytes:
    """One packet by itself, for what is sent seldom."""
    return (
        bytes((0x80, (0x80 if marker else 0) | payload_type))
        + (sequence & 0xFFFF).to_bytes(2, "big")
        + (timestamp & 0xFFFFFFFF).to_bytes(4, "big")
        + (ssrc & 0xFFFFFFFF).to_bytes(4, "big")
        + payload
    )
