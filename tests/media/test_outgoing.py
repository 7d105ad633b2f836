from __future__ import annotations

import numpy as np
import pytest

from sottovoce.domain.legs import Codec, LegDirection, RemoteMedia
from sottovoce.media import codecs, rtp
from sottovoce.media.dtmf import KeyReader
from sottovoce.media.outgoing import Senders, packet_samples

VOICE = np.random.default_rng(1).integers(-9000, 9000, (4, 160 * 30)).astype(np.int16)


def remote(ptime: int = 20, codec: Codec = Codec.PCMU, **more: object) -> RemoteMedia:
    return RemoteMedia("h", 4000, codec, ptime_ms=ptime, **more)  # type: ignore[arg-type]


class Wire:
    """What a sender puts on the wire."""

    def __init__(self, *remotes: RemoteMedia) -> None:
        self.senders = Senders(4, seed=7)
        self.tick = 0
        for slot, one in enumerate(remotes):
            self.senders.open(slot)
            self.senders.set_remote(slot, one)

    def run(self, ticks: int) -> list[list[bytes]]:
        sent: list[list[bytes]] = [[] for _ in range(4)]
        for _ in range(ticks):
            mixed = np.ascontiguousarray(VOICE[:, 160 * self.tick : 160 * self.tick + 160])
            self.tick += 1
            slots, rows, lengths = self.senders.tick(mixed)
            for slot, row, length in zip(slots, rows, lengths, strict=True):
                sent[slot].append(row[:length].tobytes())
        return sent


def parsed(packets: list[bytes]) -> rtp.Headers:
    rows = np.zeros((len(packets), 512), np.uint8)
    for row, data in zip(rows, packets, strict=True):
        row[: len(data)] = np.frombuffer(data, np.uint8)
    return rtp.parse(rows, np.array([len(data) for data in packets]))


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60])
def test_any_ptime_carries_the_whole_voice(ptime: int, codec: Codec) -> None:
    sent = Wire(remote(ptime, codec)).run(30)[0]
    headers = parsed(sent)
    assert set(headers.payload_type.tolist()) == {codec.value}
    assert set(headers.size.tolist()) == {8 * ptime}
    assert set(np.diff(headers.sequence) & 0xFFFF) == {1}
    assert set(np.diff(headers.timestamp) & 0xFFFFFFFF) == {8 * ptime}
    assert headers.marker.tolist() == [True] + [False] * (len(sent) - 1)
    audio = b"".join(data[12:] for data in sent)
    assert audio == codecs.encode(VOICE[0], codec).tobytes()[: len(audio)]
    assert len(audio) >= 160 * 30 - 8 * ptime


def test_a_foreign_ptime_becomes_a_possible_one() -> None:
    assert [packet_samples(ptime) for ptime in (0, 5, 10, 20, 33, 60, 200, -3)] == [
        80,
        80,
        80,
        160,
        240,
        480,
        480,
        80,
    ]


def test_streams_differ_and_slots_do_not_touch_each_other() -> None:
    several = Wire(remote(20), remote(30, Codec.PCMA), remote(10), remote(60)).run(12)
    heads = [parsed(packets) for packets in several]
    assert len({int(head.ssrc[0]) for head in heads}) == 4
    for slot, packets in enumerate(several):
        codec = Codec(packets[0][1] & 0x7F)
        audio = b"".join(data[12:] for data in packets)
        assert audio == codecs.encode(VOICE[slot], codec).tobytes()[: len(audio)]


@pytest.mark.parametrize("direction", LegDirection)
def test_nothing_is_sent_where_the_far_side_does_not_receive(direction: LegDirection) -> None:
    wire = Wire(remote(direction=direction))
    sent = wire.run(5)[0]
    assert len(sent) == (5 if direction in (LegDirection.SENDRECV, LegDirection.RECVONLY) else 0)


def test_nothing_is_sent_before_the_remote_is_known() -> None:
    senders = Senders(4, seed=1)
    senders.open(0)
    assert not len(senders.tick(np.zeros((4, 160), np.int16))[0])


def test_after_a_hold_the_stream_goes_on_with_a_gap_in_time_only() -> None:
    wire = Wire(remote())
    before = wire.run(3)[0]
    wire.senders.set_remote(0, remote(direction=LegDirection.INACTIVE))
    assert not wire.run(10)[0]
    wire.senders.set_remote(0, remote())
    after = wire.run(3)[0]
    headers = parsed(before + after)
    assert set(np.diff(headers.sequence) & 0xFFFF) == {1}
    assert (np.diff(headers.timestamp) & 0xFFFFFFFF).tolist() == [160, 160, 11 * 160, 160, 160]
    assert headers.marker.tolist() == [True, False, False, True, False, False]
    assert len(set(headers.ssrc.tolist())) == 1


@pytest.mark.parametrize("ptime", [10, 20, 60])
def test_keys_take_the_place_of_the_voice(ptime: int) -> None:
    wire = Wire(remote(ptime, dtmf_payload_type=101))
    before = wire.run(6)[0]
    assert wire.senders.add_keys(0, "3#")
    during = wire.run(20)[0]
    after = wire.run(4)[0]
    headers = parsed(before + during + after)
    kinds = headers.payload_type.tolist()
    assert kinds.count(101) == 14
    assert set(np.diff(headers.sequence) & 0xFFFF) == {1}
    reader, digits = KeyReader(), ""
    keys = [data for data in before + during + after if data[1] & 0x7F == 101]
    for number, data in enumerate(keys):
        digits += "".join(reader.read(data[12:], int.from_bytes(data[4:8], "big"), number * 0.02))
    assert digits == "3#"
    assert [bool(data[1] & 0x80) for data in keys] == ([True] + [False] * 6) * 2
    last_key = len(kinds) - 1 - kinds[::-1].index(101)
    assert headers.marker[last_key + 1]
    stamps = [int(stamp) for stamp, kind in zip(headers.timestamp, kinds, strict=True) if kind != 101]
    first = (stamps[0] - 0) & 0xFFFFFFFF
    # The voice after the keys is in its place in time.
    assert ((stamps[-1] - first) & 0xFFFFFFFF) % 80 == 0
    tail = after[-1]
    at = (stamps[-1] - first) & 0xFFFFFFFF
    assert tail[12:] == codecs.encode(VOICE[0], Codec.PCMU).tobytes()[at : at + 8 * ptime]


def test_no_events_to_who_did_not_negotiate_them() -> None:
    assert not Wire(remote()).senders.add_keys(0, "1")


def test_a_slot_that_was_closed_is_silent_and_begins_anew() -> None:
    wire = Wire(remote(30, dtmf_payload_type=101))
    first = parsed(wire.run(4)[0])
    wire.senders.add_keys(0, "123")
    wire.senders.close(0)
    assert not wire.run(3)[0]
    wire.senders.open(0)
    wire.senders.set_remote(0, remote(30))
    again = wire.run(3)[0]
    assert parsed(again).ssrc[0] != first.ssrc[0]
    begin = 160 * 7
    assert again[0][12:] == codecs.encode(VOICE[0], Codec.PCMU).tobytes()[begin : begin + 240]
