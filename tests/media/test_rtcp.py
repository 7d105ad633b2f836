from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.media import rtcp
from sottovoce.media.rtcp import ReportBlock, RtcpError, SenderInfo

WORD = st.integers(0, 0xFFFFFFFF)
BLOCK = st.builds(
    ReportBlock, WORD, st.integers(0, 255), st.integers(-(1 << 23), (1 << 23) - 1), WORD, WORD, WORD, WORD
)
SENDER = st.builds(SenderInfo, st.integers(0, (1 << 64) - 1), WORD, WORD, WORD)


@given(WORD, st.binary(max_size=255), st.none() | SENDER, st.lists(BLOCK, max_size=3))
def test_reports_parse_back(
    ssrc: int, cname: bytes, sender: SenderInfo | None, blocks: list[ReportBlock]
) -> None:
    data = rtcp.build(ssrc, cname, sender, tuple(blocks))
    assert len(data) % 4 == 0
    (report,) = rtcp.parse(data)
    assert (report.ssrc, report.sender, report.blocks) == (ssrc, sender, tuple(blocks))


@given(st.binary(max_size=200), st.integers(200, 207), st.integers(0, 31))
def test_hostile_bytes_raise_nothing_else(data: bytes, kind: int, count: int) -> None:
    for hostile in (data, bytes((0x80 | count, kind)) + data, bytes((0xA0 | count, kind, 0, 1)) + data):
        with contextlib.suppress(RtcpError):
            rtcp.parse(hostile)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\xc9\x00\x01\x00\x00\x00",
        b"\x80\xca\x00\x01\x00\x00\x00\x01",  # begins with SDES
        b"\x81\xc9\x00\x01\x00\x00\x00\x01",  # a block is counted, none is there
        b"\x80\xc9\xff\xff\x00\x00\x00\x01",  # 256 KB promised
        b"\x80\xc9\x00\x01\x00\x00\x00\x01\x40\xca\x00\x00",  # version 1 behind it
        b"\x80\xc9\x00\x01\x00\x00\x00\x01\xa0\xca\x00\x01\x00\x00\x00\x09",  # padding of 9
        b"\x80\xc9\x00\x01\x00\x00\x00\x01" * 200,
    ],
)
def test_malformed_compounds_are_refused(data: bytes) -> None:
    with pytest.raises(RtcpError):
        rtcp.parse(data)


def test_what_is_not_understood_is_stepped_over() -> None:
    report = rtcp.build(7, b"me", None, ())
    goodbye = b"\x81\xcb\x00\x01\x00\x00\x00\x07"
    application = b"\x80\xcc\x00\x03" + bytes(12)
    assert [found.ssrc for found in rtcp.parse(report + application + goodbye)] == [7]


def test_round_trip_is_what_is_left_after_the_far_sides_delay() -> None:
    sent = rtcp.middle(rtcp.ntp(1_000_000.0))
    block = ReportBlock(1, 0, 0, 0, 0, sent, 2 * 65536)
    assert rtcp.round_trip_s(block, rtcp.ntp(1_000_002.080)) == pytest.approx(0.080, abs=0.001)


def test_impossible_round_trips_are_none() -> None:
    now = rtcp.ntp(1_000_000.0)
    assert rtcp.round_trip_s(ReportBlock(1, 0, 0, 0, 0, 0, 0), now) is None
    assert rtcp.round_trip_s(ReportBlock(1, 0, 0, 0, 0, rtcp.middle(now), 65536), now) is None
    assert rtcp.round_trip_s(ReportBlock(1, 0, 0, 0, 0, rtcp.middle(now) - 300 * 65536, 0), now) is None
    assert rtcp.round_trip_s(ReportBlock(1, 0, 0, 0, 0, rtcp.middle(now), 1), now) == 0.0
