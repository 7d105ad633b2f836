from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.media.talkers import Talker, samples_of

from sottovoce.domain.audio import Samples
from sottovoce.domain.legs import Codec, LegDirection, RemoteMedia
from sottovoce.media import rtp
from sottovoce.media.jitter import JitterBank
from sottovoce.media.reception import ROUNDS, Reception


class Ears:
    """Slots that packets are handed to, and what comes out of their buffers."""

    def __init__(self, capacity: int = 2, remote: RemoteMedia | None = None) -> None:
        self.buffers = JitterBank(capacity)
        self.reception = Reception(capacity, self.buffers)
        for slot in range(capacity):
            self.reception.set_remote(slot, remote or RemoteMedia("h", 1, Codec.PCMU, dtmf_payload_type=101))
        self._frames = [np.zeros((capacity, 160), np.int16) for _ in range(3)]
        self.now = 0.0

    def take(self, *packets: tuple[int, bytes], width: int = 600) -> None:
        rows = np.full((len(packets), width), 0x55, np.uint8)
        for row, (_, data) in zip(rows, packets, strict=True):
            row[: len(data)] = np.frombuffer(data[:width], np.uint8)
        slots = np.array([slot for slot, _ in packets], np.intp)
        lengths = np.array([len(data) for _, data in packets], np.int32)
        self.reception.receive(slots, rows, lengths, self.now)

    def tick(self) -> Samples:
        self.now += 0.02
        self._frames = [self._frames[-1], *self._frames[:-1]]
        self.buffers.read(*self._frames)
        return self._frames[0].copy()


def test_both_laws_are_decoded_by_each_packets_type() -> None:
    ears = Ears()
    talkers = [Talker(641, codec=Codec.PCMU), Talker(983, codec=Codec.PCMA, ssrc=9)]
    sent: list[list[Samples]] = [[], []]
    heard = []
    for _ in range(10):
        packets = [talker.packet() for talker in talkers]
        for slot, data in enumerate(packets):
            sent[slot].append(samples_of(data))
        ears.take((0, packets[0]), (1, packets[1]))
        heard.append(ears.tick())
    for slot in (0, 1):
        assert np.array_equal(
            np.concatenate([frame[slot] for frame in heard[3:]]), np.concatenate(sent[slot][1:8])
        )


def test_several_packets_of_one_slot_in_a_batch_are_taken_in_order() -> None:
    ears, talker = Ears(), Talker(ptime_ms=10)
    sent = []
    heard = []
    for _ in range(12):
        packets = [talker.packet() for _ in range(2)]
        sent += [samples_of(data) for data in packets]
        ears.take(*((1, data) for data in packets))
        heard.append(ears.tick()[1])
    assert np.array_equal(np.concatenate(heard)[480:], np.concatenate(sent)[160 : 160 * 10])


def test_packets_of_different_lengths_in_one_batch_are_all_heard() -> None:
    ears, long, short = Ears(), Talker(641), Talker(983, ptime_ms=10, ssrc=9)
    sent: list[list[Samples]] = [[], []]
    heard = []
    for _ in range(12):
        packets = [(0, long.packet()), (1, short.packet()), (1, short.packet())]
        for slot, data in packets:
            sent[slot].append(samples_of(data))
        ears.take(*packets)
        heard.append(ears.tick())
    for slot in (0, 1):
        voice = np.concatenate([frame[slot] for frame in heard])
        assert np.array_equal(voice[480:], np.concatenate(sent[slot])[160 : 160 * 10])


def test_csrcs_extensions_and_padding_change_nothing_in_the_audio() -> None:
    ears, talker = Ears(), Talker()
    heard, sent = [], []
    for number in range(10):
        data = talker.packet()
        sent.append(samples_of(data))
        first, rest, body = data[0], data[1:12], data[12:]
        if number % 2:
            data = bytes([first | 0x12]) + rest + bytes(8) + b"\xbe\xde\0\1" + bytes(4) + body
        elif number % 3:
            data = bytes([first | 0x20]) + rest + body + b"\0\0\0\4"
        ears.take((0, data))
        heard.append(ears.tick()[0])
    assert np.array_equal(np.concatenate(heard[3:]), np.concatenate(sent[1:8]))
    assert ears.buffers.dropped[0] == 0


def test_what_was_not_negotiated_is_dropped_and_counted() -> None:
    ears = Ears()
    foreign = [rtp.packet(kind, 1, 1, 1, bytes(160)) for kind in (3, 9, 18, 96, 102, 127)]
    odd = [rtp.packet(0, 1, 1, 1, bytes(size)) for size in (0, 3, 161, 488)]
    ears.take(*((0, data) for data in foreign + odd))
    assert ears.buffers.dropped.tolist() == [10, 0]
    assert not ears.buffers.synced.any()
    assert np.isnan(ears.reception.heard).all()


@pytest.mark.parametrize("direction", [LegDirection.RECVONLY, LegDirection.INACTIVE])
def test_who_may_not_send_is_not_heard(direction: LegDirection) -> None:
    ears = Ears(remote=RemoteMedia("h", 1, Codec.PCMU, direction=direction))
    ears.take((0, Talker().packet()))
    assert (ears.buffers.dropped[0], ears.buffers.received[0]) == (1, 0)


def test_a_leg_without_a_remote_is_not_heard() -> None:
    buffers = JitterBank(1)
    reception = Reception(1, buffers)
    rows = np.frombuffer(Talker().packet(), np.uint8)[None, :]
    reception.receive(np.array([0]), rows, np.array([172], np.int32), 0.0)
    assert buffers.dropped[0] == 1


def test_a_flood_of_one_slot_costs_bounded_rounds_and_spares_the_others() -> None:
    ears, flood, calm = Ears(), Talker(), Talker(983, ssrc=5)
    ears.take(*((0, flood.packet()) for _ in range(200)), (1, calm.packet()))
    assert ears.buffers.received.tolist() == [ROUNDS, 1]
    assert ears.buffers.dropped.tolist() == [200 - ROUNDS, 0]


def test_keys_and_comfort_noise_are_no_losses() -> None:
    ears, talker = Ears(), Talker()
    pressed = []
    for _ in range(5):
        ears.take((0, talker.packet()))
        ears.tick()
    start = talker.timestamp
    for tick in range(5):
        ears.take((0, talker.key("7", tick, start & 0xFFFFFFFF, end=tick == 4)))
        talker.pause()
        ears.tick()
        pressed += ears.reception.keys(ears.now)
    ears.take((0, rtp.packet(13, talker.sequence, talker.timestamp, talker.ssrc, b"\x40")))
    talker.sequence += 1
    for _ in range(5):
        frame = ears.tick()
        talker.pause()
    assert not frame.any()
    for _ in range(5):
        ears.take((0, talker.packet()))
        frame = ears.tick()
    assert frame.any()
    assert pressed == [(0, "7")]
    assert ears.buffers.lost()[0] == 0
    assert ears.buffers.received[0] == 16


def test_a_slot_that_is_reset_takes_nothing_until_its_next_remote() -> None:
    ears, talker = Ears(), Talker()
    ears.take((0, talker.packet()), (0, talker.key("1", 0, 5)), (0, talker.key("2", 0, 4000)))
    ears.reception.reset(0)
    ears.buffers.reset(0)
    ears.take((0, talker.packet()))
    assert ears.reception.keys(10.0) == []
    assert ears.buffers.received[0] == 0


HOSTILE = st.one_of(
    st.binary(max_size=600),
    st.builds(
        lambda first, kind, rest: bytes([first, kind]) + rest,
        st.integers(0x80, 0xBF),
        st.sampled_from([0, 8, 13, 101, 0x80, 0x88]),
        st.binary(min_size=10, max_size=500),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), HOSTILE), min_size=1, max_size=30), st.integers(100, 2048))
def test_hostile_packets_raise_nothing_and_are_all_counted(
    batch: list[tuple[int, bytes]], width: int
) -> None:
    ears = Ears()
    ears.take(*batch, width=width)
    for _ in range(3):
        ears.tick()
        ears.reception.keys(ears.now)
    buffers = ears.buffers
    counted = buffers.received + buffers.dropped + buffers.duplicated
    assert counted.tolist() == [sum(slot == one for slot, _ in batch) for one in (0, 1)]


def test_nothing_is_taken_from_an_empty_batch() -> None:
    ears = Ears()
    ears.reception.receive(np.zeros(0, np.intp), np.zeros((0, 2048), np.uint8), np.zeros(0, np.int32), 0.0)
    assert not ears.buffers.received.any()
