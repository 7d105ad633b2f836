from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.media import rtp

WIDTH = 256


@dataclass
class Header:
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def scalar(data: bytes) -> Header | None:
    """RFC 3550 5.1 and A.1, one packet at a time."""
    if len(data) < 12 or data[0] >> 6 != 2:
        return None
    kind = data[1] & 0x7F
    if 64 <= kind <= 95:
        return None
    at, end = 12 + 4 * (data[0] & 15), len(data)
    if data[0] & 0x10:
        if at + 4 > end:
            return None
        at += 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
    if at > end:
        return None
    if data[0] & 0x20:
        if data[-1] == 0 or at + data[-1] > end:
            return None
        end -= data[-1]
    return Header(
        kind,
        data[1] > 127,
        int.from_bytes(data[2:4], "big"),
        int.from_bytes(data[4:8], "big"),
        int.from_bytes(data[8:12], "big"),
        data[at:end],
    )


def batch(packets: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    rows = np.full((len(packets), WIDTH), 0xAA, np.uint8)  # what an earlier packet left behind
    for row, data in zip(rows, packets, strict=True):
        row[: len(data)] = np.frombuffer(data, np.uint8)
    return rows, np.array([len(data) for data in packets], np.int64)


def likely() -> st.SearchStrategy[bytes]:
    first = st.integers(0x80, 0xBF).map(lambda byte: bytes([byte]))
    return st.builds(bytes.__add__, first, st.binary(max_size=120))


@given(st.lists(st.one_of(likely(), st.binary(max_size=WIDTH)), min_size=1, max_size=12))
def test_a_batch_parses_as_its_packets_one_by_one(packets: list[bytes]) -> None:
    rows, lengths = batch(packets)
    found = rtp.parse(rows, lengths)
    for at, data in enumerate(packets):
        header = scalar(data)
        assert bool(found.valid[at]) == (header is not None)
        assert 0 <= found.start[at] <= found.start[at] + found.size[at] <= WIDTH
        if header is None:
            assert found.size[at] == 0
            continue
        start, size = int(found.start[at]), int(found.size[at])
        payload = rtp.payloads(rows, np.array([at]), np.array([start]), size)[0].tobytes() if size else b""
        assert header == Header(
            int(found.payload_type[at]),
            bool(found.marker[at]),
            int(found.sequence[at]),
            int(found.timestamp[at]),
            int(found.ssrc[at]),
            payload,
        )


def test_csrcs_extension_and_padding_are_stepped_over() -> None:
    body = b"\x80" * 40
    data = (
        bytes((0b10110010, 0x80, 0, 7, 0, 0, 0, 9, 0, 0, 0, 1))
        + bytes(8)
        + b"\xbe\xde\x00\x01"
        + bytes(4)
        + body
    ) + b"\x00\x00\x03"
    found = rtp.parse(*batch([data]))
    assert found.valid[0]
    assert rtp.payloads(batch([data])[0], np.array([0]), found.start, int(found.size[0]))[0].tobytes() == body


def test_lies_about_length_are_found_out() -> None:
    head = bytes((0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 1))
    lies = [
        b"\x8f" + head + bytes(40),  # 15 CSRCs, room for 10
        b"\x90" + head + b"\xbe\xde\xff\xff" + bytes(40),  # an extension of 256 KB
        b"\x90" + head,  # an extension of nothing
        b"\xa0" + head + b"\xff",  # padding longer than the packet
        b"\xa0" + head + b"\x00",  # padding of 0
        b"\xa0" + head[:-1],  # too short by one
        b"\x40" + head,  # version 1
        b"\x80\xc8" + head[1:],  # RTCP
        b"",
    ]
    assert not rtp.parse(*batch(lies)).valid.any()


@given(
    st.lists(
        st.tuples(
            st.integers(0, 63),
            st.booleans(),
            st.integers(0, 1 << 20),
            st.integers(0, 1 << 40),
            st.integers(0, (1 << 32) - 1),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_built_headers_parse_back(fields: list[tuple[int, bool, int, int, int]]) -> None:
    kind, marker, sequence, timestamp, ssrc = (np.array(column) for column in zip(*fields, strict=True))
    rows = np.zeros((len(fields), 40), np.uint8)
    rtp.build(rows, payload_type=kind, marker=marker, sequence=sequence, timestamp=timestamp, ssrc=ssrc)
    found = rtp.parse(rows, np.full(len(fields), 40))
    assert found.valid.all()
    assert found.payload_type.tolist() == kind.tolist()
    assert found.marker.tolist() == marker.tolist()
    assert found.sequence.tolist() == (sequence & 0xFFFF).tolist()
    assert found.timestamp.tolist() == (timestamp & 0xFFFFFFFF).tolist()
    assert found.ssrc.tolist() == ssrc.tolist()
    for row, (one_kind, one_marker, one_sequence, one_timestamp, one_ssrc) in zip(rows, fields, strict=True):
        single = rtp.packet(one_kind, one_sequence, one_timestamp, one_ssrc, b"", marker=one_marker)
        assert row[:12].tobytes() == single
