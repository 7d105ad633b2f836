from __future__ import annotations

import numpy as np
import pytest

from sottovoce.domain.legs import Codec, RemoteMedia
from sottovoce.media import rtcp
from sottovoce.media.jitter import JitterBank
from sottovoce.media.outgoing import Senders
from sottovoce.media.reports import PER_TICK, Reports


def reporting(capacity: int = 2) -> tuple[Reports, Senders, JitterBank]:
    senders, buffers = Senders(capacity, seed=3), JitterBank(capacity)
    for slot in range(capacity):
        senders.open(slot)
        senders.set_remote(slot, RemoteMedia("h", 1, Codec.PCMU))
    return Reports(capacity, senders, buffers, 1_700_000_000.0), senders, buffers


def feed(buffers: JitterBank, sequences: range) -> None:
    for sequence in sequences:
        row = np.array([sequence])
        buffers.place(
            np.array([0]), row, row * 160, np.array([77]), np.array([160]), np.array([sequence / 50])
        )


def test_a_leg_reports_every_five_seconds_what_it_sent_and_got() -> None:
    reports, senders, buffers = reporting()
    reports.begin(0, 0.0)
    senders.tick(np.zeros((2, 160), np.int16))
    feed(buffers, range(0, 10))
    feed(buffers, range(15, 20))
    sent = [(tick / 50, slot, data) for tick in range(600) for slot, data in reports.due(tick / 50)]
    assert [slot for _, slot, _ in sent] == [0, 0]
    assert sent[1][0] - sent[0][0] == pytest.approx(5.0, abs=0.021)
    (first,), (second,) = (rtcp.parse(data) for _, _, data in sent)
    assert first.sender is not None
    assert (first.sender.packets, first.sender.octets) == (1, 160)
    block = first.blocks[0]
    assert (block.ssrc, block.lost, block.fraction_lost, block.highest) == (77, 5, 256 * 5 // 20, 19)
    assert second.sender is None  # nothing was sent since: a receiver's report
    assert second.blocks[0].fraction_lost == 0


def test_round_trip_and_remote_loss_come_from_the_far_sides_report() -> None:
    reports, senders, _ = reporting()
    ours = int(senders.ssrc[0])
    reports.receive(0, rtcp.build(5, b"x", rtcp.SenderInfo(rtcp.ntp(99.0), 0, 0, 0), ()), 10.0)
    assert reports.round_trip_ms(0) is None
    quoted = rtcp.middle(rtcp.ntp(1_700_000_010.0))
    block = rtcp.ReportBlock(ours, 64, 3, 0, 0, quoted, 65536)
    foreign = rtcp.ReportBlock(ours ^ 1, 255, 3, 0, 0, quoted, 0)
    reports.receive(0, rtcp.build(5, b"x", None, (foreign, block)), 11.040)
    assert reports.round_trip_ms(0) == pytest.approx(40.0, abs=0.5)
    assert reports.remote_lost_fraction(0) == 0.25


def test_a_report_quotes_the_far_sides_last_one() -> None:
    reports, _, buffers = reporting()
    reports.begin(0, 0.0)
    feed(buffers, range(3))
    theirs = rtcp.ntp(1_700_000_123.5)
    reports.receive(0, rtcp.build(77, b"x", rtcp.SenderInfo(theirs, 0, 0, 0), ()), 4.0)
    ((_, data),) = reports.due(6.0)
    block = rtcp.parse(data)[0].blocks[0]
    assert (block.last_sender_report, block.delay) == (rtcp.middle(theirs), 2 * 65536)


def test_a_tick_builds_few_and_a_closed_leg_none() -> None:
    reports, _, _ = reporting(PER_TICK + 10)
    for slot in range(PER_TICK + 10):
        reports.begin(slot, 0.0)
    reports.reset(3)
    first, second, third = (reports.due(100.0) for _ in range(3))
    assert (len(first), len(second), len(third)) == (PER_TICK, 9, 0)
    assert 3 not in {slot for slot, _ in first + second}
