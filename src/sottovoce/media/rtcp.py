"""RTCP (RFC 3550 6): sender and receiver reports, built and parsed, and the figures they yield.

Only SR and RR are understood; SDES is sent with a CNAME as 6.5.1 demands; BYE, APP and feedback
are stepped over. A compound packet is bounded by its length fields; nothing in it is believed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION = 200, 201, 202
NTP_EPOCH_S = 2208988800
"""Seconds from 1900 to 1970."""
MAX_PACKET = 1500
"""Bytes; longer compounds are refused."""


class RtcpError(ValueError):
    """Not a compound of RTCP packets."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says about one stream (RFC 3550 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Of 256, since the report before."""
    lost: int
    """Since the beginning; negative with duplicates."""
    highest: int
    """Extended highest sequence number."""
    jitter: int
    """In timestamp units (1/8 ms)."""
    last_sender_report: int
    """Middle 32 bits of the NTP time of the last SR heard, or 0."""
    delay: int
    """Since that SR, in 1/65536 s."""


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What a sender says about its stream."""

    ntp: int
    """64 bits: seconds since 1900 and their fraction."""
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class RtcpReport:
    """One SR or RR."""

    ssrc: int
    sender: SenderInfo | None
    blocks: tuple[ReportBlock, ...]


def parse(data: bytes) -> list[RtcpReport]:
    """The reports of a compound packet; RtcpError if it is none (RFC 3550 A.2's checks)."""
    if not 8 <= len(data) <= MAX_PACKET:
        raise RtcpError("length")
    if data[1] not in (SENDER_REPORT, RECEIVER_REPORT):
        raise RtcpError("a compound begins with a report")
    reports: list[RtcpReport] = []
    at = 0
    while at < len(data):
        if len(data) - at < 4 or data[at] >> 6 != 2:
            raise RtcpError("header")
        size = 4 * (int.from_bytes(data[at + 2 : at + 4], "big") + 1)
        if at + size > len(data):
            raise RtcpError("a packet passes the end")
        padded = data[at] & 0x20
        if padded and (at + size != len(data) or not 0 < data[at + size - 1] <= size - 4):
            raise RtcpError("padding")
        if data[at + 1] in (SENDER_REPORT, RECEIVER_REPORT):
            reports.append(_report(data[at : at + size]))
        at += size
    return reports


def _report(data: bytes) -> RtcpReport:
    count = data[0] & 0x1F
    is_sender = data[1] == SENDER_REPORT
    at = 28 if is_sender else 8
    if len(data) < at + 24 * count:
        raise RtcpError("fewer blocks than counted")
    sender = SenderInfo(*struct.unpack_from(">QIII", data, 8)) if is_sender else None
    blocks = []
    for index in range(count):
        ssrc, loss, highest, jitter, last, delay = struct.unpack_from(">IIIIII", data, at + 24 * index)
        lost = loss & 0xFFFFFF
        blocks.append(ReportBlock(ssrc, loss >> 24, lost - (lost >> 23 << 24), highest, jitter, last, delay))
    return RtcpReport(int.from_bytes(data[4:8], "big"), sender, tuple(blocks))


def build(ssrc: int, cname: bytes, sender: SenderInfo | None, blocks: tuple[ReportBlock, ...]) -> bytes:
    """A compound of one SR (or RR, without `sender`) and an SDES with `cname` (up to 255 bytes)."""
    body = struct.pack(">I", ssrc)
    if sender is not None:
        body += struct.pack(
            ">QIII",
            sender.ntp,
            sender.timestamp & 0xFFFFFFFF,
            sender.packets & 0xFFFFFFFF,
            sender.octets & 0xFFFFFFFF,
        )
    for block in blocks:
        lost = max(-(1 << 23), min(block.lost, (1 << 23) - 1)) & 0xFFFFFF
        body += struct.pack(
            ">IIIIII",
            block.ssrc,
            block.fraction_lost << 24 | lost,
            block.highest & 0xFFFFFFFF,
            block.jitter & 0xFFFFFFFF,
            block.last_sender_report,
            block.delay & 0xFFFFFFFF,
        )
    kind = RECEIVER_REPORT if sender is None else SENDER_REPORT
    item = struct.pack(">IBB", ssrc, 1, len(cname)) + cname
    item += bytes(4 - len(item) % 4)
    return (
        struct.pack(">BBH", 0x80 | len(blocks), kind, len(body) // 4)
        + body
        + struct.pack(">BBH", 0x81, DESCRIPTION, len(item) // 4)
        + item
    )


def ntp(seconds_since_1970: float) -> int:
    """The 64-bit NTP time."""
    return int((seconds_since_1970 + NTP_EPOCH_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def middle(ntp_time: int) -> int:
    """The 32 bits of an NTP time that reports quote."""
    return ntp_time >> 16 & 0xFFFFFFFF


def round_trip_s(block: ReportBlock, arrived_ntp: int) -> float | None:
    """Round trip by RFC 3550 6.4.1, or None where the block quotes no SR or an impossible one."""
    if block.last_sender_report == 0:
        return None
    elapsed = (middle(arrived_ntp) - block.last_sender_report - block.delay) & 0xFFFFFFFF
    if elapsed & 0x80000000:  # below zero by the clocks' grain: as good as none
        return 0.0 if elapsed > 0xFFFFF000 else None
    return elapsed / 65536 if elapsed < 60 * 65536 else None
