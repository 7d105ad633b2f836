from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.domain.audio import FRAME
from sottovoce.media.jitter import LONGEST, RING, JitterBank

TICK_S = 0.02
TARGET = 320


@dataclass(frozen=True)
class Packet:
    sequence: int
    timestamp: int
    samples: np.ndarray
    ssrc: int = 7


class Listener:
    """One slot, or several with the same fate, driven by hand."""

    def __init__(self, slots: Iterable[int] = (0,), capacity: int = 1) -> None:
        self.bank = JitterBank(capacity)
        self.slots = np.array(list(slots))
        self._frames = [np.zeros((capacity, FRAME), np.int16) for _ in range(3)]
        self.heard: list[np.ndarray] = []
        self.now = 0.0

    def take(self, packet: Packet, at: float | None = None) -> bool:
        def row(value: int) -> np.ndarray:
            return np.full(len(self.slots), value, np.int64)

        size = len(packet.samples)
        now = np.full(len(self.slots), self.now if at is None else at)
        good, written, stamps = self.bank.place(
            self.slots,
            row(packet.sequence & 0xFFFF),
            row(packet.timestamp & 0xFFFFFFFF),
            row(packet.ssrc),
            row(size),
            now,
        )
        if written.any():
            samples = np.tile(packet.samples, (int(written.sum()), 1))
            self.bank.write(self.slots[written], stamps[written], samples)
        return bool(good[0])

    def tick(self) -> np.ndarray:
        self.now += TICK_S
        self._frames = [self._frames[-1], *self._frames[:-1]]
        self.bank.read(*self._frames)
        frame = self._frames[0][self.slots[0]].copy()
        self.heard.append(frame)
        return frame

    @property
    def audio(self) -> np.ndarray:
        return np.concatenate(self.heard)


def voice(samples: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-8000, 8000, samples).astype(np.int16)


def packets(
    audio: np.ndarray, size: int = 160, sequence: int = 65533, timestamp: int = 2**32 - 700
) -> list[Packet]:
    return [
        Packet(sequence + at // size, timestamp + at, audio[at : at + size])
        for at in range(0, len(audio) - size + 1, size)
    ]


def found_at(heard: np.ndarray, part: np.ndarray) -> int | None:
    """Where `part` begins in what was heard."""
    windows = np.lib.stride_tricks.sliding_window_view(heard, len(part))
    where = np.flatnonzero((windows == part).all(axis=1))
    return int(where[0]) if where.size else None


@pytest.mark.parametrize("size", [80, 160, 240, 320, 400, 480, 88])
def test_any_ptime_comes_out_whole_and_in_time(size: int) -> None:
    audio = voice(size * 40)
    listener = Listener()
    waiting = packets(audio, size)
    sent = 0
    for tick in range(len(audio) // 160 + 10):
        while sent < len(waiting) and (sent + 1) * size <= (tick + 1) * 160:
            assert listener.take(waiting[sent])
            sent += 1
        listener.tick()
    # The first 5 ms are faded in; the rest is untouched, 40 to 60 ms after its arrival.
    start = found_at(listener.audio, audio[40:2000])
    assert start is not None
    first_arrival = (size - 1) // 160 * 160 if size > 160 else 0
    assert TARGET <= start - 40 - first_arrival <= TARGET + 160
    assert found_at(listener.audio, audio[40 : len(audio) - 160]) == start
    assert listener.bank.lost()[0] == listener.bank.late[0] == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=5, max_size=15), st.sets(st.integers(0, 59), max_size=8))
def test_reordered_and_duplicated_packets_within_the_target_change_nothing(
    some: list[int], doubled: set[int]
) -> None:
    delays = [delay for one in some for delay in (0, 0, 0, one)]  # more of them would move the mean
    audio = voice(160 * len(delays))
    waiting = packets(audio)
    arrivals: dict[int, list[int]] = {}
    for index, delay in enumerate(delays):
        arrivals.setdefault(index + (delay if index else 0), []).insert(0, index)
    listener = Listener()
    for tick in range(len(delays) + 2):
        for index in arrivals.get(tick, []):
            assert listener.take(waiting[index], at=index * TICK_S)
            if index in doubled:
                assert not listener.take(waiting[index], at=index * TICK_S)
        listener.tick()
    assert found_at(listener.audio, audio[40:]) is not None
    assert listener.bank.received[0] == len(delays)
    assert listener.bank.duplicated[0] == len(doubled & set(range(len(delays))))
    assert listener.bank.lost()[0] == listener.bank.late[0] == listener.bank.concealed[0] == 0


def test_the_totals_of_all_legs_outlive_them_and_never_become_less() -> None:
    listener = Listener()
    wave = np.ones(160 * 10, np.int16)
    late = None
    for index, packet in enumerate(packets(wave)):
        if index == 5:
            late = packet
            continue
        listener.take(packet)
    assert listener.bank.totals() == (9, 1, 0)
    assert late is not None
    listener.take(late)
    assert listener.bank.lost()[0] == 0
    assert listener.bank.totals() == (10, 1, 0), "one out of order was missing for a while"
    listener.bank.reset(0)
    assert listener.bank.totals() == (10, 1, 0)
    listener.take(next(iter(packets(wave))))
    assert listener.bank.totals() == (11, 1, 0)


def test_a_lost_packet_is_counted_and_concealed_and_what_follows_is_in_its_place() -> None:
    wave = (8000 * np.sin(2 * np.pi * 203 * np.arange(160 * 30) / 8000)).astype(np.int16)
    listener = Listener()
    for index, packet in enumerate(packets(wave)):
        if index != 12:
            listener.take(packet)
        listener.tick()
    assert listener.bank.lost()[0] == listener.bank.concealed[0] == 1
    start = found_at(listener.audio, wave[400:1900])
    assert start is not None
    begin = start - 400 + 160 * 12
    gap, real = listener.audio[begin : begin + 160].astype(int), wave[160 * 12 : 160 * 13].astype(int)
    # A steady tone goes on at first as if nothing had been lost.
    assert np.abs(gap[:40] - real[:40]).max() < 1500
    assert np.array_equal(listener.audio[begin + 200 : begin + 1280], wave[160 * 13 + 40 : 160 * 20])


def test_concealment_fades_to_silence_and_a_pause_is_not_mended_for_ever() -> None:
    listener = Listener()
    for packet in packets(voice(160 * 10)):
        listener.take(packet)
        listener.tick()
    for _ in range(10):
        listener.tick()
    assert not listener.audio[-160 * 4 :].any()
    assert listener.bank.concealed[0] == 3


def test_comfort_noise_is_comfort_silence() -> None:
    listener = Listener()
    stream = packets(voice(160 * 10))
    for packet in stream:
        listener.take(packet)
        listener.tick()
    last = stream[-1]
    assert listener.take(Packet(last.sequence + 1, last.timestamp + 160, np.zeros(0, np.int16)))
    listener.bank.comfort[0] = True
    for _ in range(5):
        listener.tick()
    assert listener.bank.concealed[0] == listener.bank.lost()[0] == 0
    assert not listener.audio[-160 * 2 :].any()


@pytest.mark.parametrize(
    ("pause", "frozen"),
    [(1, False), (4, False), (9, False), (37, False), (250, False), (6, True), (37, True), (250, True)],
)
def test_no_delay_outlives_a_pause(pause: int, frozen: bool) -> None:
    audio = voice(160 * 20)
    stream = packets(audio, timestamp=1000)
    listener = Listener()
    gap = 0
    for turn in range(12):
        for packet in stream:
            shifted = Packet(
                packet.sequence + 20 * turn, packet.timestamp + 3200 * turn + gap, packet.samples
            )
            listener.take(shifted)
            listener.tick()
        for _ in range(pause + turn % 3):
            listener.tick()
            gap += 0 if frozen else 160
    ends = [at for at in range(len(listener.heard)) if np.array_equal(listener.heard[at], audio[-160:])]
    assert len(ends) == 12
    # Twenty packets, then the pause: the last frame of each turn comes two ticks after its packet.
    due, tick = [], 0
    for turn in range(12):
        due.append(tick + 19 + 2)
        tick += 20 + pause + turn % 3
    assert ends == due
    assert listener.bank.lead[0] == TARGET
    assert listener.bank.lost()[0] == 0


def test_a_stall_is_caught_up_with() -> None:
    wave = (8000 * np.sin(2 * np.pi * 250 * np.arange(160 * 400) / 8000)).astype(np.int16)
    stream = packets(wave)
    listener = Listener()
    for packet in stream[:50]:
        listener.take(packet)
        listener.tick()
    for _ in range(9):
        listener.tick()
    for packet in stream[50:59]:
        listener.take(packet)
    leads = []
    for packet in stream[59:]:
        listener.take(packet)
        listener.tick()
        leads.append(listener.bank.lead[0])
    assert max(leads) > 1000
    assert abs(leads[-1] - listener.bank.target[0]) <= 120
    # Dropping whole periods of a tone leaves the tone.
    spectrum = np.abs(np.fft.rfft(listener.audio[-8000:].astype(float) * np.hanning(8000)))
    assert int(spectrum.argmax()) == 250


@pytest.mark.parametrize("ppm", [-2000, 2000])
def test_a_clock_that_runs_off_is_followed(ppm: int) -> None:
    size = 160
    wave = (8000 * np.sin(2 * np.pi * 250 * np.arange(size * 6000) / 8000)).astype(np.int16)
    listener = Listener()
    sent, stream = 0, packets(wave)
    for tick in range(5000):
        while sent <= tick * (1 + ppm * 1e-6):
            listener.take(stream[sent])
            sent += 1
        listener.tick()
    assert abs(listener.bank.lead[0] - listener.bank.target[0]) <= 400
    assert listener.bank.concealed[0] == listener.bank.late[0] == 0
    assert np.abs(listener.heard[-1]).max() > 6000


def test_the_target_follows_the_jitter_and_comes_back() -> None:
    chance = random.Random(5)
    stream = packets(voice(160 * 2600))
    listener = Listener()
    arrivals: dict[int, list[int]] = {}
    for index in range(len(stream)):
        delay = chance.uniform(0, 0.06) if index < 600 else 0.0
        arrivals.setdefault(int((index * TICK_S + delay) / TICK_S), []).append(index)
    targets = []
    concealed = []
    for tick in range(len(stream)):
        for index in sorted(arrivals.get(tick, [])):
            listener.take(stream[index])
        listener.tick()
        targets.append(listener.bank.target[0])
        concealed.append(int(listener.bank.concealed[0]))
    assert max(targets[:600]) > TARGET
    assert targets[-1] == TARGET
    assert abs(listener.bank.lead[0] - TARGET) <= 240
    assert concealed[600] - concealed[300] <= 15  # of 300: it has learnt to wait
    assert listener.bank.lost()[0] == 0


def test_a_late_packet_is_counted_and_not_played_later() -> None:
    stream = packets(voice(160 * 60))
    listener = Listener()
    for index, packet in enumerate(stream):
        if index != 20:
            listener.take(packet)
        if index == 30:
            assert listener.take(stream[20])
        listener.tick()
    assert listener.bank.late[0] == listener.bank.reordered[0] == 1
    assert listener.bank.lost()[0] == 0
    assert found_at(listener.audio, stream[20].samples[40:]) is None


def test_the_part_of_a_late_packet_that_is_past_is_never_heard() -> None:
    """Not even one ring later, where a packet is missing at the same place of it."""
    ring = RING // FRAME
    stream = packets(voice(160 * 80))
    tardy = voice(LONGEST, seed=9)
    listener = Listener()
    for index, packet in enumerate(stream):
        if index == 23:  # 60 ms for the places 20, 21 and 22, of which the first is past
            assert listener.take(Packet(stream[20].sequence, stream[20].timestamp, tardy))
        if index not in (20, 21, 22, 20 + ring, 21 + ring):
            listener.take(packet)
        listener.tick()
    assert listener.bank.late[0] == 1
    assert found_at(listener.audio, tardy[200:300]) is not None
    assert found_at(listener.audio, tardy[40:100]) is None
    assert found_at(listener.audio, tardy[100:160]) is None


def test_the_jitter_is_that_of_rfc_3550() -> None:
    """6.4.1: J += (|D| - J) / 16, with D in timestamp units."""
    listener = Listener()
    stream = packets(voice(160 * 6))
    expected = 0.0
    for packet, delay, apart in zip(stream, (0, 0, 0.01, 0.01, 0, 0), (None, 0, 80, 0, 80, 0), strict=True):
        listener.take(packet, at=listener.now + delay)
        if apart is not None:
            expected += (apart - expected) / 16
        assert listener.bank.jitter[0] == pytest.approx(expected)
        listener.tick()


class Two:
    """Two slots that are stretched in the same tick, with tones whose periods differ.

    Each must hear what it would hear in a bank of its own."""

    def __init__(self) -> None:
        self.together = Listener(slots=[0, 4], capacity=5)
        self.bank = self.together.bank
        self.alone = [Listener(), Listener()]
        self.tones = [tone(203), tone(250)]
        self.sent = 0

    def send(self, *, late: int = 0) -> None:
        """The next packet of both, or one that was left out, that many before it."""
        at = self.sent - late
        for slot, single, wave in zip((0, 4), self.alone, self.tones, strict=True):
            packet = Packet(at, at * 160, wave[at * 160 : at * 160 + 160])
            self.together.slots = np.array([slot])
            assert self.together.take(packet)
            assert single.take(packet)
        self.sent += not late

    def tick(self) -> np.ndarray:
        """The frame of each of the two."""
        self.together.tick()
        for single in self.alone:
            single.tick()
        heard = self.together._frames[0][[0, 4]]
        assert np.array_equal(heard, np.stack([single.heard[-1] for single in self.alone]))
        return heard


def tone(hertz: int, seconds: int = 8) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(8000 * seconds) / 8000)).astype(np.int16)


def test_what_was_dropped_to_catch_up_is_never_heard() -> None:
    """Of two at once, each with its own period: nothing sounds once both have ended."""
    both = Two()
    for _ in range(50):
        both.send()
        both.tick()
    for _ in range(9):
        both.tick()
    for _ in range(9):
        both.send()
    longest = both.bank.lead[[0, 4]].copy()
    for _ in range(25):
        both.send()
        both.tick()
        longest = np.maximum(longest, both.bank.lead[[0, 4]])
    assert (both.bank.lead[[0, 4]] < longest).all(), "both drop"
    for _ in range(12):  # what is waiting, and its fading
        both.tick()
    assert not any(both.tick().any() for _ in range(2 * RING // FRAME))


def test_what_is_repeated_to_wait_longer_joins_without_a_click() -> None:
    """Of two at once, each with its own period: the tones go on, and nothing else sounds."""
    both = Two()
    for _ in range(50):
        both.send()
        both.tick()
    for _ in range(8):  # late packets: it learns to wait longer
        both.sent += 1
        both.tick()
        for _ in range(4):
            both.send()
            both.tick()
        both.send(late=5)
    heard = []
    for _ in range(150):
        both.send()
        heard.append(both.tick())
    assert (both.bank.lead[[0, 4]] > TARGET + 100).all()
    spectra = np.abs(np.fft.rfft(np.concatenate(heard, axis=1)[:, -8000:] * np.hanning(8000)))
    assert spectra.argmax(axis=1).tolist() == [203, 250]


def test_another_ssrc_takes_over_when_the_known_one_is_silent() -> None:
    listener = Listener()
    for packet in packets(voice(160 * 10)):
        listener.take(packet)
        listener.tick()
    other = packets(voice(160 * 10, seed=2), sequence=100, timestamp=99)
    other = [Packet(packet.sequence, packet.timestamp, packet.samples, ssrc=8) for packet in other]
    taken = []
    for packet in other:
        taken.append(listener.take(packet))
        listener.tick()
    assert taken == [False] * 4 + [True] * 6
    assert listener.bank.dropped[0] == 4
    assert listener.bank.lost()[0] == 0
    assert found_at(listener.audio, np.concatenate([p.samples for p in other[4:-3]])[40:]) is not None


def test_two_sources_at_once_do_not_take_turns() -> None:
    audio = voice(160 * 40)
    listener = Listener()
    others = packets(voice(160 * 40, seed=2), sequence=100, timestamp=99)
    for packet, other in zip(packets(audio), others, strict=True):
        assert listener.take(packet)
        assert not listener.take(Packet(other.sequence, other.timestamp, other.samples, ssrc=8))
        listener.tick()
    assert found_at(listener.audio, audio[40 : 160 * 37]) is not None


def test_a_stray_packet_of_another_source_changes_nothing() -> None:
    audio = voice(160 * 30)
    listener = Listener()
    for index, packet in enumerate(packets(audio)):
        listener.take(packet)
        if index % 3 == 0:
            assert not listener.take(Packet(index * 7, index, voice(160, seed=3), ssrc=99))
        listener.tick()
    assert found_at(listener.audio, audio[40 : 160 * 26]) is not None


@pytest.mark.parametrize(("sequence", "timestamp"), [(20000, 5), (0, 2**31), (65000, 2**32 - 1)])
def test_a_sequence_that_begins_anew_is_followed(sequence: int, timestamp: int) -> None:
    listener = Listener()
    for packet in packets(voice(160 * 10), sequence=40000, timestamp=12345):
        listener.take(packet)
        listener.tick()
    audio = voice(160 * 20, seed=4)
    for packet in packets(audio, sequence=sequence, timestamp=timestamp):
        listener.take(packet)
        listener.tick()
    assert found_at(listener.audio, audio[200 : 160 * 16]) is not None
    assert listener.bank.lost()[0] == 0


def test_a_timestamp_that_jumps_in_sequence_is_followed() -> None:
    audio = voice(160 * 40)
    listener = Listener()
    for packet in packets(audio, timestamp=0):
        jump = 1_000_000 if packet.timestamp >= 160 * 20 else 0
        listener.take(Packet(packet.sequence, packet.timestamp + jump, packet.samples))
        listener.tick()
    assert found_at(listener.audio, audio[160 * 20 + 40 : 160 * 36]) is not None
    assert listener.bank.lead[0] == TARGET


def test_a_slot_that_is_reset_holds_nothing_of_its_last_leg() -> None:
    listener = Listener()
    for packet in packets(voice(160 * 10)):
        listener.take(packet)
    listener.bank.reset(0)
    fresh = JitterBank(1)
    for name, held in vars(fresh).items():
        if isinstance(held, np.ndarray):
            assert np.array_equal(held, vars(listener.bank)[name]), name
    assert not listener.tick().any()


EVENT = st.tuples(
    st.integers(0, 2),  # slot
    st.one_of(st.integers(-3, 3), st.integers(0, 65535)),  # step of the sequence number
    st.one_of(st.integers(-400, 800), st.integers(0, 2**32 - 1)),  # step of the timestamp
    st.sampled_from([7, 7, 7, 8]),  # ssrc
    st.sampled_from([0, 8, 80, 160, 480]),  # samples
    st.booleans(),  # tick first
)


@settings(max_examples=80, deadline=None)
@given(st.lists(EVENT, max_size=60))
def test_slots_do_not_touch_each_other_whatever_comes(
    events: list[tuple[int, int, int, int, int, bool]],
) -> None:
    """A bank of three legs does what three banks of one do, and only sound samples come out.

    They are four slots apart: a slot's turn to be stretched comes every fourth tick."""
    together = Listener(slots=[0], capacity=9)
    alone = [Listener() for _ in range(3)]
    sequence, timestamp = [10] * 3, [1000] * 3
    for number, (slot, step, stride, ssrc, size, tick) in enumerate(events):
        if tick:
            together.tick()
            for single in alone:
                single.tick()
        sequence[slot] += step
        timestamp[slot] += stride
        packet = Packet(sequence[slot], timestamp[slot], voice(size, seed=number), ssrc)
        together.slots = np.array([4 * slot])
        assert together.take(packet) == alone[slot].take(packet)
    for _ in range(3):
        together.tick()
        for slot, single in enumerate(alone):
            assert np.array_equal(together._frames[0][4 * slot], single.tick())
    for slot, single in enumerate(alone):
        for name, held in vars(single.bank).items():
            if isinstance(held, np.ndarray) and held.size == 1:
                assert held[0] == vars(together.bank)[name][4 * slot], name


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=150), st.integers(0, 65535))
def test_counts_are_those_of_a_set_of_numbers(indices: list[int], start: int) -> None:
    """Received, lost and duplicated as one would count them by hand, near enough in order."""
    order = sorted(indices, key=lambda index: (index // 8, -index))
    listener = Listener()
    seen: set[int] = set()
    duplicates = 0
    for index in order:
        first = not seen
        if index in seen:
            duplicates += 1
        elif not first and index < min(seen):
            continue  # before the first packet: the RFC's count begins with it
        taken = listener.take(Packet(start + index, 160 * index, voice(160)))
        assert taken == (index not in seen)
        seen.add(index)
    assert listener.bank.received[0] == len(seen)
    assert listener.bank.duplicated[0] == duplicates
    assert listener.bank.lost()[0] == max(seen) - min(seen) + 1 - len(seen)


def test_timestamps_are_extended_to_the_sample() -> None:
    bank = JitterBank(1)
    begin = 2**32 - 161

    def extended(sequence: int, timestamp: int) -> int:
        rows = (np.array([value], np.int64) for value in (sequence, timestamp & 0xFFFFFFFF, 7, 160))
        return int(bank.place(np.array([0]), *rows, np.array([0.0]))[2][0])

    stamps = [extended(9 + place, begin + 161 * place) for place in range(4)]
    assert stamps == [begin, begin + 161, begin + 322, begin + 483]
    assert extended(10, begin + 161) == begin + 161
