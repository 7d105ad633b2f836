from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.media.talkers import Talker, samples_of

from sottovoce.domain.audio import Samples
from sottovoce.domain.legs import (
    Codec,
    LegDirection,
    LegId,
    Recording,
    RecordingId,
    RemoteMedia,
    Routing,
    Sound,
)
from sottovoce.errors import Code, Refused
from sottovoce.media import rtcp, rtp
from sottovoce.media.engine import EchoHeard, EngineEvent, LegTimedOut
from sottovoce.media.mixer import Mixer
from sottovoce.media.rows import MOST_SOURCES
from sottovoce.phones.tones import SILENT_BELOW_DBOV, TONES, levels, rms_level

C, A, Q = (LegId(name) for name in "cai")
C_HZ, A_HZ, I_HZ, X_HZ = TONES[:4]
PLAIN = {C: frozenset({A}), A: frozenset({C}), Q: frozenset({C, A})}
WHISPER = {C: frozenset({A}), A: frozenset({C, Q}), Q: frozenset({C, A})}
REMOTE = RemoteMedia("h", 1, Codec.PCMU, dtmf_payload_type=101)


class Blocks:
    """A sink that joins what it gets."""

    def __init__(self) -> None:
        self.audio: dict[LegId | None, list[Samples]] = {}

    def begin(self, recording: Recording) -> None:
        self.audio[None] = []

    def begin_track(self, recording: RecordingId, leg: LegId, path: Path, silent_frames: int) -> None:
        self.audio[leg] = [np.zeros(silent_frames, np.int16)]

    def write(self, recording: RecordingId, leg: LegId | None, block: Samples) -> None:
        self.audio[leg].append(block)

    def end(self, recording: RecordingId, frames: int) -> None:
        pass


USUAL = {"timeout_s": 30.0, "hold_limit_s": 7200.0}


class Stage:
    """A mixer, talkers on its legs, and all that it sent."""

    def __init__(self, capacity: int = 6, **limits: float) -> None:
        self.sink = Blocks()
        self.mixer = Mixer(
            capacity, sink=self.sink, seed=42, **{"timeout_s": 30.0, "hold_limit_s": 7200.0, **limits}
        )
        self.talkers: dict[LegId, Talker | None] = {}
        self.sent: dict[LegId, list[bytes]] = {}
        self.events: list[EngineEvent] = []
        self.rtcp: list[tuple[int, bytes]] = []
        self.now = 0.0

    def enter(self, leg: LegId, talker: Talker | None, remote: RemoteMedia = REMOTE) -> int:
        slot = self.mixer.open(leg)
        self.mixer.set_remote(slot, remote)
        self.talkers[leg] = talker
        self.sent[leg] = []
        return slot

    def leave(self, leg: LegId) -> None:
        del self.talkers[leg]
        self.mixer.close(self.slot(leg))

    def slot(self, leg: LegId) -> int:
        slot = self.mixer.slot_of(leg)
        assert slot is not None
        return slot

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            self.now += 0.02
            packets = [(self.slot(leg), who.packet()) for leg, who in self.talkers.items() if who is not None]
            rows = np.zeros((len(packets), 600), np.uint8)
            for row, (_, data) in zip(rows, packets, strict=True):
                row[: len(data)] = np.frombuffer(data, np.uint8)
            slots = np.array([slot for slot, _ in packets], np.intp)
            lengths = np.array([len(data) for _, data in packets], np.int32)
            self.mixer.receive(slots, rows, lengths, self.now)
            out = self.mixer.tick(self.now)
            for slot, row, length in zip(out.slots.tolist(), out.packets, out.lengths, strict=True):
                leg = self.mixer.leg_of(slot)
                assert leg is not None
                self.sent[leg].append(row[:length].tobytes())
            self.events += out.events
            self.rtcp += out.rtcp

    def heard(self, leg: LegId, last: int = 0) -> Samples:
        return np.concatenate([samples_of(data) for data in self.sent[leg][-last:]])


def test_the_whisper_does_not_change_one_byte_that_the_customer_gets() -> None:
    """Decision 20, the first proof: whole packets, headers too, over whisper, stop and whisper again."""
    got = []
    for whisper in (False, True):
        stage = Stage()
        for leg, talker in ((C, Talker(0, ssrc=1)), (A, Talker(0, ssrc=2)), (Q, Talker(0, ssrc=3))):
            stage.enter(leg, talker, REMOTE if leg != C else RemoteMedia("h", 1, Codec.PCMA, ptime_ms=30))
        for mode in (PLAIN, WHISPER, PLAIN, WHISPER):
            routing = mode if whisper else PLAIN
            stage.mixer.apply(Routing(routing, frozenset({Q}), RecordingId("r"), frozenset({C, A})))
            stage.run(60)
        got.append(stage)
    without, with_whisper = got
    assert without.sent[C] == with_whisper.sent[C]
    assert len(without.sent[C]) == 160
    assert without.sent[Q] == with_whisper.sent[Q]
    # And the whisper was there: the agent got something else exactly while it lasted.
    differs = [one != other for one, other in zip(without.sent[A], with_whisper.sent[A], strict=True)]
    assert differs == [False] * 60 + [True] * 60 + [False] * 60 + [True] * 60


def test_a_change_of_the_table_is_heard_in_the_next_packet() -> None:
    stage = Stage()
    for leg, hz in ((C, C_HZ), (A, A_HZ), (Q, I_HZ)):
        stage.enter(leg, Talker(hz, ssrc=hz))
    stage.mixer.apply(Routing(PLAIN))
    stage.run(20)
    stage.mixer.apply(Routing(WHISPER))
    stage.run(1)
    assert rms_level(stage.heard(A, 1)) > rms_level(stage.heard(C, 1)) + 2.0


def test_a_slot_tells_its_next_leg_nothing() -> None:
    """A call ends, the next begins on the same slots: no sample, key, figure or sequence number is left."""
    stage = Stage(capacity=3)
    for leg, hz in ((C, C_HZ), (A, A_HZ), (Q, I_HZ)):
        stage.enter(leg, Talker(hz, ssrc=hz))
    stage.mixer.start_recording(Recording(RecordingId("r"), Path("r.wav"), C, A))
    stage.mixer.apply(Routing(WHISPER, frozenset({Q}), RecordingId("r"), frozenset({C, A, Q})))
    stage.run(30)
    stage.mixer.send_digits(stage.slot(A), "123456")
    stage.mixer.play(stage.slot(C), Sound("music"))
    stage.run(3)
    slots = [stage.slot(leg) for leg in (C, A, Q)]
    for leg in (C, A, Q):
        stage.leave(leg)
    stage.run(1)
    following = [LegId(name) for name in "xyz"]
    assert [stage.enter(leg, None) for leg in following] == slots
    everyone = frozenset(following)
    stage.mixer.apply(Routing({leg: everyone for leg in following}))
    stage.run(60)
    for leg in following:
        assert not stage.heard(leg).any()
        assert {data[1] & 0x7F for data in stage.sent[leg]} == {0}
        figures = stage.mixer.figures(stage.slot(leg))
        assert (figures.received, figures.sent, figures.lost, figures.concealed) == (0, 60, 0, 0)
        assert figures.level_in_dbov == figures.level_out_dbov == -127.0
    assert {data[8:12] for leg in following for data in stage.sent[leg]}.isdisjoint(
        {data[8:12] for leg in (C, A, Q) for data in stage.sent[leg]}
    )
    assert not any(isinstance(event, LegTimedOut) for event in stage.events)


def test_one_leg_of_a_call_ends_and_a_stranger_takes_its_slot() -> None:
    stage = Stage()
    for leg, hz in ((C, C_HZ), (A, A_HZ), (Q, I_HZ)):
        stage.enter(leg, Talker(hz, ssrc=hz))
    stage.mixer.apply(Routing(WHISPER, frozenset({Q})))
    stage.run(30)
    slot = stage.slot(Q)
    stage.leave(Q)
    assert stage.enter(LegId("x"), Talker(X_HZ, ssrc=4)) == slot
    stage.run(80)
    assert levels(stage.heard(A, 50)).heard == {C_HZ}
    assert levels(stage.heard(C, 50)).heard == {A_HZ}
    assert not stage.heard(LegId("x")).any()


def test_without_control_inspectors_neither_hear_nor_are_heard_nor_recorded() -> None:
    stage = Stage()
    for leg, hz in ((C, C_HZ), (A, A_HZ), (Q, I_HZ)):
        stage.enter(leg, Talker(hz, ssrc=hz))
    stage.mixer.start_recording(Recording(RecordingId("r"), Path("r.wav"), C, A))
    stage.mixer.apply(Routing(WHISPER, frozenset({Q}), RecordingId("r"), frozenset({C, A, Q})))
    stage.run(60)
    stage.mixer.silence_inspectors()
    stage.run(60)
    assert levels(stage.heard(A, 50)).heard == {C_HZ}
    assert levels(stage.heard(C, 50)).heard == {A_HZ}
    assert not stage.heard(Q, 50).any()
    stage.mixer.stop_recording(RecordingId("r"))
    assert np.concatenate(stage.sink.audio[Q])[: 160 * 50].any()
    assert not np.concatenate(stage.sink.audio[Q])[160 * 60 :].any()
    assert np.concatenate(stage.sink.audio[None])[160 * 60 :].any(axis=0).all()


def test_nothing_is_sent_or_heard_before_the_remote_is_set() -> None:
    stage = Stage()
    stage.mixer.open(C)
    stage.enter(A, Talker())
    stage.mixer.apply(Routing({A: frozenset({C}), C: frozenset({A})}))
    stage.sent[C] = []
    stage.run(20)
    assert stage.sent[C] == []
    stage.mixer.set_remote(stage.slot(C), REMOTE)
    stage.run(1)
    assert len(stage.sent[C]) == 1
    assert rms_level(stage.heard(C)) > SILENT_BELOW_DBOV


def test_each_leg_has_its_own_codec_and_ptime() -> None:
    stage = Stage()
    stage.enter(C, Talker(C_HZ, codec=Codec.PCMA, ptime_ms=20), RemoteMedia("h", 1, Codec.PCMA, ptime_ms=60))
    stage.enter(A, Talker(A_HZ, ssrc=2), RemoteMedia("h", 1, Codec.PCMU, ptime_ms=10))
    stage.mixer.apply(Routing(PLAIN))
    stage.run(120)
    assert ({len(data) for data in stage.sent[C]}, len(stage.sent[C])) == ({492}, 40)
    assert ({len(data) for data in stage.sent[A]}, len(stage.sent[A])) == ({92}, 240)
    assert levels(stage.heard(C)[-8000:]).heard == {A_HZ}
    assert levels(stage.heard(A)[-8000:]).heard == {C_HZ}


def test_keys_are_played_as_tones_where_events_were_not_negotiated() -> None:
    stage = Stage()
    stage.enter(C, None, RemoteMedia("h", 1, Codec.PCMU))
    stage.mixer.send_digits(stage.slot(C), "5")
    stage.run(30)
    audio = stage.heard(C)
    assert rms_level(audio[:800]) > -20.0
    assert not audio[160 * 11 :].any()
    for digits in ("", "x", "1" * 65):
        with pytest.raises(Refused):
            stage.mixer.send_digits(stage.slot(C), digits)


def test_a_sound_played_once_falls_silent_by_itself() -> None:
    stage = Stage()
    stage.enter(C, None)
    stage.mixer.play(stage.slot(C), Sound("ringback", loop=False))
    stage.run(300)
    assert rms_level(stage.heard(C)[:8000]) > -30.0
    assert not stage.heard(C)[8000:].any()
    stage.mixer.play(stage.slot(C), Sound("ringback"))
    stage.run(270)
    assert rms_level(stage.heard(C, 20)) > -30.0
    stage.mixer.play(stage.slot(C), None)
    stage.run(2)
    assert not stage.heard(C, 1).any()


def test_a_silent_leg_times_out_once_and_is_watched_again_when_heard() -> None:
    stage = Stage(timeout_s=2.0)
    stage.enter(C, Talker())
    stage.enter(A, None)
    stage.run(90)
    assert stage.events == []
    stage.run(60)
    assert stage.events == [LegTimedOut(A)]
    stage.run(200)
    assert stage.events == [LegTimedOut(A)]
    stage.talkers[A] = Talker(ssrc=5)
    stage.run(50)
    stage.talkers[A] = None
    stage.run(150)
    assert stage.events == [LegTimedOut(A), LegTimedOut(A)]


def test_rtcp_keeps_a_silent_leg_alive() -> None:
    stage = Stage(timeout_s=2.0)
    slot = stage.enter(C, None)
    for _ in range(10):
        stage.run(50)
        stage.mixer.receive_rtcp(slot, rtcp.build(1, b"x", None, ()), stage.now)
    assert stage.events == []
    stage.mixer.receive_rtcp(slot, b"nonsense", stage.now)
    assert stage.mixer.figures(slot).dropped == 1
    stage.run(150)
    assert stage.events == [LegTimedOut(C)]


@pytest.mark.parametrize("direction", [LegDirection.RECVONLY, LegDirection.INACTIVE])
def test_who_is_not_obliged_to_send_has_the_long_limit(direction: LegDirection) -> None:
    stage = Stage(timeout_s=1.0, hold_limit_s=6.0)
    stage.enter(C, None, RemoteMedia("h", 1, Codec.PCMU, direction=direction))
    stage.run(250)
    assert stage.events == []
    stage.run(100)
    assert stage.events == [LegTimedOut(C)]


def test_taking_back_from_hold_begins_the_time_out_anew() -> None:
    stage = Stage(timeout_s=2.0)
    slot = stage.enter(C, None, RemoteMedia("h", 1, Codec.PCMU, direction=LegDirection.INACTIVE))
    stage.run(500)
    stage.mixer.set_remote(slot, REMOTE)
    stage.run(90)
    assert stage.events == []
    stage.run(60)
    assert stage.events == [LegTimedOut(C)]


def test_a_leg_without_a_remote_never_times_out() -> None:
    stage = Stage(timeout_s=1.0, hold_limit_s=1.0)
    stage.mixer.open(C)
    stage.run(200)
    assert stage.events == []


def noise(seed: int, count: int) -> Samples:
    return np.random.default_rng(seed).normal(0, 3000, count).astype(np.int16)


class Recorded(Talker):
    """A talker with a voice given sample by sample."""

    def __init__(self, voice: Samples, ssrc: int) -> None:
        super().__init__(ssrc=ssrc)
        self._voice = voice

    def voice(self) -> Samples:
        return self._voice[self.at : self.at + self.size]


@pytest.mark.parametrize("mode", ["whisper", "insert", "whisper without echo"])
def test_a_whisper_that_comes_back_is_told(mode: str) -> None:
    """Decision 20: told while it is a leak; an insert is heard by all anyway."""
    whisper = noise(1, 160 * 500)
    own = noise(2, 160 * 500)
    back = np.concatenate([np.zeros(1200, np.int16), whisper])[: len(whisper)]
    echo = 0.0 if mode == "whisper without echo" else 0.5
    stage = Stage()
    stage.enter(C, Talker(0, ssrc=1))
    stage.enter(A, Recorded((0.5 * own + echo * back).astype(np.int16), 2))
    stage.enter(Q, Recorded(whisper, 3))
    table = dict(WHISPER)
    if mode == "insert":
        table[C] = frozenset({A, Q})
    stage.mixer.apply(Routing(table, frozenset({Q})))
    stage.run(450)
    assert stage.events == ([EchoHeard(A, Q)] if mode == "whisper" else [])


def test_reports_are_sent_at_most_every_five_seconds() -> None:
    stage = Stage()
    slot = stage.enter(C, Talker())
    stage.run(1000)
    assert [who for who, _ in stage.rtcp] == [slot] * 4
    report = rtcp.parse(stage.rtcp[-1][1])[0]
    assert report.sender is not None
    assert report.blocks[0].ssrc == 0x1234


def test_hostile_packets_leave_the_call_untouched() -> None:
    """The same call with and without a storm of garbage on both legs: the same bytes out."""
    got = []
    for storm in (False, True):
        stage, chance = Stage(), np.random.default_rng(9)
        replayed, old = Talker(C_HZ, ssrc=C_HZ), list[bytes]()
        for leg, hz in ((C, C_HZ), (A, A_HZ)):
            stage.enter(leg, Talker(hz, ssrc=hz))
        stage.mixer.apply(Routing(PLAIN))
        for number in range(80):
            stage.run(1)
            if storm:
                rows = chance.integers(0, 256, (12, 2048)).astype(np.uint8)
                rows[:4, 0] = 0x80
                rows[:4, 1] = (0, 8, 13, 101)
                lengths = chance.integers(0, 2048, 12).astype(np.int32)
                stage.mixer.receive(chance.integers(0, 2, 12), rows, lengths, stage.now)
                # An old packet of the customer's again.
                old.append(replayed.packet())
                data = np.frombuffer(old[number // 2], np.uint8)[None, :]
                stage.mixer.receive(np.array([0]), data, np.array([172], np.int32), stage.now)
        got.append(stage)
    calm, stormy = got
    assert calm.sent == stormy.sent
    assert stormy.mixer.figures(0).dropped > 100


def test_rows_and_slots_are_checked() -> None:
    mixer = Mixer(40, sink=Blocks(), seed=1, **USUAL)
    legs = [LegId(str(number)) for number in range(40)]
    for leg in legs:
        mixer.open(leg)
    with pytest.raises(Refused) as refusal:
        mixer.open(LegId("more"))
    assert refusal.value.code is Code.MEDIA_EXHAUSTED
    with pytest.raises(Refused) as refusal:
        mixer.apply(Routing({legs[1]: frozenset({legs[2]}), legs[0]: frozenset(legs[1 : MOST_SOURCES + 2])}))
    assert refusal.value.code is Code.BAD_PARAMETER
    assert mixer.hears(1) == frozenset()
    mixer.apply(Routing({legs[0]: frozenset(legs[1 : MOST_SOURCES + 1])}))
    assert mixer.hears(0) == frozenset(legs[1 : MOST_SOURCES + 1])
    mixer.close(0)
    with pytest.raises(Refused) as refusal:
        mixer.open(legs[1])
    assert refusal.value.code is Code.BAD_PARAMETER
    for slot in (0, -1, 40):
        for verb in (mixer.close, mixer.figures, lambda slot: mixer.set_remote(slot, REMOTE)):
            with pytest.raises(Refused) as refusal:
                verb(slot)
            assert refusal.value.code is Code.NOT_FOUND


def test_sixteen_listeners_and_their_talk_to_one_agent_fit() -> None:
    stage = Stage(capacity=20)
    for leg, hz in ((C, C_HZ), (A, A_HZ)):
        stage.enter(leg, Talker(hz, ssrc=hz))
    coaches = [LegId(f"i{number}") for number in range(16)]
    for number, leg in enumerate(coaches):
        stage.enter(leg, Talker(I_HZ, ssrc=number + 5, level_dbov=-40.0))
    table = {C: frozenset({A}), A: frozenset({C, *coaches})}
    table |= dict.fromkeys(coaches, frozenset({C, A}))
    stage.mixer.apply(Routing(table, frozenset(coaches)))
    stage.run(90)
    heard = levels(stage.heard(A, 50))
    assert heard.heard == {C_HZ, I_HZ}
    assert heard.levels[I_HZ] == pytest.approx(-40.0 + 24.1, abs=0.5)
    assert all(levels(stage.heard(leg, 50)).heard == {C_HZ, A_HZ} for leg in coaches)
    assert levels(stage.heard(C, 50)).heard == {A_HZ}


def test_dropped_packets_of_the_sockets_owner_are_counted() -> None:
    stage = Stage()
    slot = stage.enter(C, None)
    stage.mixer.count_dropped(np.array([slot, slot]))
    assert stage.mixer.figures(slot).dropped == 2


def test_packets_of_a_batch_stand_in_rows_of_one_array() -> None:
    stage = Stage()
    for leg in (C, A):
        stage.enter(leg, Talker())
    out = stage.mixer.tick(1.0)
    assert out.packets.strides == (out.packets.shape[1], 1)
    headers = rtp.parse(out.packets, out.lengths.astype(np.int64))
    assert headers.valid.all()
    assert out.slots.tolist() == [0, 1]
