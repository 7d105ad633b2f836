from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.domain.legs import Codec
from sottovoce.media import codecs
from sottovoce.phones import tones
from sottovoce.phones.ear import KEPT_S, Ear
from sottovoce.phones.sources import Tone
from sottovoce.phones.tones import Samples


def rtp(
    samples: Samples, sequence: int, timestamp: int, *, ssrc: int = 1, codec: Codec = Codec.PCMU
) -> bytes:
    header = struct.pack("!BBHII", 0x80, codec.value, sequence % 2**16, timestamp % 2**32, ssrc)
    return header + codecs.encode(samples, codec).tobytes()


def packets(hz: int, count: int, *, first: int = 0, **others: int) -> list[bytes]:
    voice = Tone(hz)
    return [rtp(voice.frame(), first + n, (first + n) * 160, **others) for n in range(count)]


def fed(stream: list[bytes], ear: Ear | None = None) -> Ear:
    ear = ear or Ear()
    for n, packet in enumerate(stream):
        ear.accept(packet, n * 0.02)
    return ear


@pytest.mark.parametrize("first", [0, 65_520, 26_843_530])
def test_a_stream_is_heard_across_every_wrap(first: int) -> None:
    ear = fed(packets(983, 60, first=first))
    assert ear.end == 60 * 160
    assert tones.levels(ear.last()).heard == {983}
    assert ear.figures.lost == 0


def test_pcma_is_heard_too() -> None:
    voice = Tone(557)
    ear = fed([rtp(voice.frame(), n, n * 160, codec=Codec.PCMA) for n in range(50)])
    assert tones.levels(ear.last()).heard == {557}


def test_losses_reordering_and_duplicates_are_counted_and_laid_where_they_belong() -> None:
    whole = packets(983, 50)
    straight = fed(whole).last()
    shuffled = [*whole[:10], whole[11], whole[10], whole[11], *whole[12:]]
    ear = fed(shuffled)
    assert np.array_equal(ear.last(), straight)
    figures = ear.figures
    assert (figures.lost, figures.reordered, figures.duplicated) == (0, 1, 1)
    holed = fed([*whole[:20], *whole[22:]])
    assert holed.figures.lost == 2
    assert not holed.last()[20 * 160 : 22 * 160].any()
    assert np.array_equal(holed.last()[22 * 160 :], straight[22 * 160 :])


def test_a_new_ssrc_goes_on_where_the_old_one_ended() -> None:
    ear = fed(packets(983, 50))
    fed(packets(557, 50, first=9000, ssrc=2), ear)
    assert ear.end == 100 * 160
    assert tones.levels(ear.window(0)).heard == {983}
    assert tones.levels(ear.window(8000)).heard == {557}
    assert ear.figures.lost == 0


def test_only_the_last_seconds_are_kept() -> None:
    ear = fed(packets(983, (KEPT_S + 2) * 50))
    assert not ear.window(0).any()
    assert tones.levels(ear.last()).heard == {983}


def test_when_a_tone_sets_in_and_ends() -> None:
    voice, other = Tone(983), Tone(557)
    stream = []
    for n in range(60):
        samples = voice.frame().astype(np.int32)
        if 20 <= n < 40:
            samples = samples + other.frame()
        stream.append(rtp(samples.astype(np.int16), n, n * 160))
    ear = fed(stream)
    among = (983, 557, 1789)
    assert ear.changed_at(557, on=True, since=0.1, among=among) == pytest.approx(20 * 0.02)
    assert ear.changed_at(557, on=False, since=20 * 0.02, among=among) == pytest.approx(40 * 0.02)
    assert ear.changed_at(1789, on=True, since=0.0, among=among) is None
    assert ear.changed_at(983, on=True, since=9.0, among=among) is None


def test_a_digit_is_taken_once_however_often_its_end_is_said() -> None:
    ear = Ear(dtmf_payload_type=101)
    sequence = 0
    for timestamp, event in ((0, 5), (1600, 5), (3200, 11), (4800, 77)):
        for flags in (10, 10, 0x8A, 0x8A, 0x8A):
            header = struct.pack("!BBHII", 0x80, 101, sequence, timestamp, 1)
            ear.accept(header + struct.pack("!BBH", event, flags, 800), 0.0)
            sequence += 1
    assert list(ear.digits) == ["5", "5", "#"]
    assert ear.end == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=10))
def test_hostile_packets_are_counted_and_harmless(garbage: list[bytes]) -> None:
    ear = fed(packets(983, 50))
    for packet in garbage:
        ear.accept(packet, 2.0)
    ear.accept(b"\x9f" + bytes(11), 2.0)
    ear.accept(b"\xa0\x00" + bytes(10), 2.0)
    ear.accept(bytes(5000), 2.0)
    assert ear.figures.refused >= 2
    ear.last()
