from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.errors import Code, Refused
from sottovoce.media import dtmf
from sottovoce.media.dtmf import DIGITS, KeyReader, KeySender


def event(digit: str, duration: int, *, end: bool = False) -> bytes:
    return bytes((DIGITS.index(digit), (0x80 if end else 0) | 10)) + duration.to_bytes(2, "big")


def packets_of(digits: str, start: int = 1000) -> list[tuple[bytes, int]]:
    """(payload, timestamp) as a phone sends them: 100 ms, three ends, 100 ms pause."""
    packets = []
    for index, digit in enumerate(digits):
        stamp = (start + 1600 * index) & 0xFFFFFFFF
        packets += [(event(digit, 160 * (tick + 1)), stamp) for tick in range(4)]
        packets += [(event(digit, 800, end=True), stamp)] * 3
    return packets


def read(packets: list[tuple[bytes, int]]) -> str:
    reader, now, digits = KeyReader(), 0.0, []
    for payload, stamp in packets:
        now += 0.02
        digits += reader.read(payload, stamp, now) + reader.quiet(now)
    return "".join(digits + reader.quiet(now + 1.0))


def test_each_key_is_read_once() -> None:
    assert read(packets_of("0123456789*#ABCD")) == "0123456789*#ABCD"
    assert read(packets_of("1122")) == "1122"


def test_timestamps_may_wrap() -> None:
    assert read(packets_of("4711", start=0xFFFFFFFF - 2000)) == "4711"


@given(
    st.text(DIGITS, min_size=1, max_size=6),
    st.integers(0, 0xFFFFFFFF),
    st.data(),
)
def test_any_loss_that_leaves_one_packet_of_each_key(digits: str, start: int, data: st.DataObject) -> None:
    packets = packets_of(digits, start)
    kept = []
    for index in range(len(digits)):
        mine = packets[7 * index : 7 * index + 7]
        left = data.draw(st.sets(st.integers(0, 6), min_size=1), label="left")
        kept += [packet for at, packet in enumerate(mine) if at in left]
    assert read(kept) == digits


@given(st.text(DIGITS, min_size=1, max_size=4), st.data())
def test_duplicates_and_neighbours_out_of_order(digits: str, data: st.DataObject) -> None:
    packets = packets_of(digits)
    doubled = [packet for packet in packets for _ in range(data.draw(st.integers(1, 2), label="times"))]
    for at in range(0, len(doubled) - 1, 2):
        if data.draw(st.booleans(), label="swap"):
            doubled[at], doubled[at + 1] = doubled[at + 1], doubled[at]
    assert read(doubled) == digits


def test_a_lost_end_is_told_when_the_event_falls_silent() -> None:
    reader = KeyReader()
    assert reader.read(event("5", 160), 1000, 0.0) == []
    assert reader.busy
    assert reader.quiet(0.05) == []
    assert reader.quiet(0.2) == ["5"]
    assert not reader.busy
    assert reader.read(event("5", 800, end=True), 1000, 0.25) == []


def test_a_long_key_in_segments_is_one_key() -> None:
    reader = KeyReader()
    assert reader.read(event("9", 0xFFFF), 1000, 0.0) == []
    assert reader.read(event("9", 160), 1000 + 0xFFFF, 0.02) == []
    assert reader.read(event("9", 800, end=True), 1000 + 0xFFFF, 0.04) == ["9"]


def test_a_clock_that_begins_anew_does_not_silence_the_keys() -> None:
    for start in (0, 1 << 30, 1 << 31, 3 << 30):
        assert read(packets_of("12", start=1 << 31) + packets_of("34", start + 50_000)) == "1234"


def test_the_same_key_twice_with_lost_ends_is_two_keys() -> None:
    reader = KeyReader()
    assert reader.read(event("1", 160), 1000, 0.0) == []
    assert reader.read(event("1", 160), 2600, 0.1) == ["1"]
    assert reader.quiet(1.0) == ["1"]


@given(st.binary(max_size=8), st.integers(0, 0xFFFFFFFF))
def test_nonsense_is_passed_over(payload: bytes, stamp: int) -> None:
    found = KeyReader().read(payload, stamp, 0.0)
    assert all(digit in DIGITS for digit in found)
    assert KeyReader().read(b"\x10\x80\x00\xa0", stamp, 0.0) == []  # event 16, flash


def test_keys_are_sent_as_the_rfc_wants_and_read_back() -> None:
    sender = KeySender()
    sender.add("1#")
    packets = []
    for tick in range(40):
        if (packet := sender.next(5000 + 160 * tick)) is not None:
            packets.append(packet)
    assert sender.done
    assert len(packets) == 2 * 7
    first = [
        (payload[1] >> 7, int.from_bytes(payload[2:], "big"), marker) for payload, _, marker in packets[:7]
    ]
    assert first == [
        (0, 160, True),
        (0, 320, False),
        (0, 480, False),
        (0, 640, False),
        (1, 800, False),
        (1, 800, False),
        (1, 800, False),
    ]
    stamps = [stamp for _, stamp, _ in packets]
    assert set(stamps) == {5000, 5000 + 1600}
    assert read([(payload, stamp) for payload, stamp, _ in packets]) == "1#"


@pytest.mark.parametrize("digits", ["", "E", "1 2", "١", "1" * 65])
def test_what_is_no_key_is_refused(digits: str) -> None:
    with pytest.raises(Refused) as refusal:
        KeySender().add(digits)
    assert refusal.value.code is Code.BAD_PARAMETER


def test_the_queue_is_bounded() -> None:
    sender = KeySender()
    sender.add("1" * 60)
    with pytest.raises(Refused):
        sender.add("12345")


def test_keys_as_tones_have_two_frequencies() -> None:
    wave = dtmf.tones("5")
    spectrum = np.abs(np.fft.rfft(wave[:800].astype(float) * np.hanning(800)))
    peaks = sorted(np.argsort(spectrum)[-2:] * 10)
    assert [abs(peaks[0] - 770) <= 10, abs(peaks[1] - 1336) <= 10] == [True, True]
    assert not wave[800:].any()
