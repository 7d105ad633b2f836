"""What every media engine must do. A test module makes it true for its engine:

    class TestMyEngine(EngineContract):
        @pytest.fixture
        async def studio(self, tmp_path): ...

A studio is an engine with phones that speak their tones into it and remember what they hear,
in real time on real sockets or on a manual clock.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
import soundfile

from sottovoce.domain.audio import RATE, Samples
from sottovoce.domain.legs import (
    Codec,
    LegDirection,
    LegId,
    Recording,
    RecordingId,
    Routing,
    Sound,
)
from sottovoce.errors import Code, Refused
from sottovoce.media.engine import (
    Apply,
    CloseLeg,
    DigitPressed,
    EngineEvent,
    HaltSound,
    LegProven,
    MediaEngine,
    MoveSound,
    Play,
    ReadFigures,
    SendDigits,
    SoundEnded,
    StartRecording,
    StopRecording,
)
from sottovoce.phones.tones import (
    SENT_DBOV,
    SILENT_BELOW_DBOV,
    TONES,
    WINDOW,
    amplitude,
    levels,
    rms_level,
    tone,
)

CUSTOMER, AGENT, INSPECTOR, SECOND = (LegId(name) for name in ("customer", "agent", "inspector", "second"))
PARTIES = (CUSTOMER, AGENT, INSPECTOR, SECOND)
VOICE = dict(zip(PARTIES, TONES, strict=False))
CALL = RecordingId("call")
SETTLE_S = 0.4
WINDOW_S = 1.0
ANNOUNCED = TONES[4:6]
"""Tones of announcements (Hz), which no party speaks."""
SAID_S = 0.5


class Studio(Protocol):
    """An engine and its phones."""

    engine: MediaEngine
    events: list[EngineEvent]
    folder: Path

    async def phone(
        self,
        leg: LegId,
        *,
        codec: Codec = Codec.PCMU,
        ptime_ms: int = 20,
        dtmf_payload_type: int | None = 101,
        direction: LegDirection = LegDirection.SENDRECV,
        tone: int | None = None,
    ) -> None:
        """Open the leg and set its remote; the phone sends its tone (VOICE) in 20 ms packets from now on."""
        ...

    async def redirect(self, leg: LegId, direction: LegDirection) -> None:
        """Set the same remote with another direction."""
        ...

    def press(self, leg: LegId, digits: str) -> None:
        """The phone sends these keys."""
        ...

    def quiet(self, leg: LegId) -> None:
        """The phone sends nothing from now on."""
        ...

    async def listen(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def heard(self, leg: LegId) -> Samples:
        """All audio that the phone got, in order of its packets' timestamps."""
        ...

    def keys(self, leg: LegId) -> str:
        """The keys that the phone got as events."""
        ...


def table(**hears: str) -> dict[LegId, frozenset[LegId]]:
    return {
        LegId(listener): frozenset(LegId(name) for name in row.split()) for listener, row in hears.items()
    }


TWO = table(customer="agent", agent="customer")
LISTEN = table(customer="agent", agent="customer", inspector="customer agent")
WHISPER = table(customer="agent", agent="customer inspector", inspector="customer agent")
INSERT = table(customer="agent inspector", agent="customer inspector", inspector="customer agent")
HOLD = table(customer="", agent="inspector", inspector="agent")
MUTE = table(customer="", agent="customer inspector", inspector="customer")
INTERCEPT = table(customer="inspector", agent="", inspector="customer")
STOPPED = table(customer="agent", agent="customer", inspector="")
TWO_INSPECTORS = table(
    customer="agent",
    agent="customer inspector second",
    inspector="customer agent",
    second="customer agent",
)
APART = table(customer="agent", agent="customer", inspector="second", second="inspector")


def spoken(path: Path, hertz: int) -> str:
    """A file in which that tone speaks; its name."""
    soundfile.write(path, tone(hertz, round(SAID_S * RATE)), RATE, "PCM_16")
    return str(path)


def said_at(heard: Samples, hertz: int) -> int:
    """The first 100 ms in which that tone is heard, counted from the beginning; -1: never."""
    blocks = heard[: heard.size // 800 * 800].reshape(-1, 800)
    found = np.abs(blocks @ np.exp(-2j * np.pi * hertz * np.arange(800) / RATE)) / 400.0
    return next((at for at, peak in enumerate(found) if peak > amplitude(SENT_DBOV) / 2), -1)


async def hear(studio: Studio, legs: Iterable[LegId] = PARTIES) -> dict[LegId, set[LegId]]:
    """Whom each phone hears for a second from soon on: by tones, an unclear one counting as heard."""
    await studio.listen(SETTLE_S + WINDOW_S)
    return {
        leg: {party for party in PARTIES if VOICE[party] in levels(studio.heard(leg)[-WINDOW:]).heard}
        for leg in legs
    }


def channels(path: Path) -> Samples:
    """Samples of a WAV, [n, channels]."""
    with wave.open(str(path)) as file:
        assert file.getframerate() == 8000
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())


class EngineContract:
    """The suite."""

    async def test_who_hears_whom_is_what_the_table_says(self, studio: Studio) -> None:
        for leg in PARTIES:
            await studio.phone(leg, codec=Codec.PCMA if leg == AGENT else Codec.PCMU)
        modes = [TWO, LISTEN, WHISPER, INSERT, HOLD, MUTE, INTERCEPT, STOPPED, TWO_INSPECTORS, APART]
        for mode in modes:
            # Rows not named stay as they were, so each mode names all.
            rows = {leg: mode.get(leg, frozenset()) for leg in PARTIES}
            await studio.engine.ask(Apply(Routing(rows, frozenset({INSPECTOR, SECOND}))))
            assert await hear(studio) == {leg: set(row) for leg, row in rows.items()}, mode

    async def test_applying_twice_is_applying_once_and_other_rows_stay(self, studio: Studio) -> None:
        for leg in PARTIES:
            await studio.phone(leg)
        await studio.engine.ask(Apply(Routing(WHISPER)))
        await studio.engine.ask(Apply(Routing(WHISPER)))
        await studio.engine.ask(Apply(Routing(table(second="agent"))))
        assert await hear(studio) == {
            CUSTOMER: {AGENT},
            AGENT: {CUSTOMER, INSPECTOR},
            INSPECTOR: {CUSTOMER, AGENT},
            SECOND: {AGENT},
        }

    async def test_a_closed_leg_is_heard_by_nobody_and_its_successor_inherits_nothing(
        self, studio: Studio
    ) -> None:
        for leg in (CUSTOMER, AGENT, INSPECTOR):
            await studio.phone(leg)
        await studio.engine.ask(Apply(Routing(WHISPER, frozenset({INSPECTOR}))))
        await studio.listen(0.5)
        figures = await studio.engine.ask(CloseLeg(INSPECTOR))
        assert figures.received > 10
        await studio.phone(SECOND)
        assert await hear(studio, (CUSTOMER, AGENT, SECOND)) == {
            CUSTOMER: {AGENT},
            AGENT: {CUSTOMER},
            SECOND: set(),
        }
        assert rms_level(studio.heard(SECOND)) < SILENT_BELOW_DBOV

    async def test_nothing_is_sent_to_who_may_not_receive(self, studio: Studio) -> None:
        await studio.phone(CUSTOMER)
        await studio.phone(AGENT)
        await studio.engine.ask(Apply(Routing(TWO)))
        await studio.listen(0.5)
        await studio.redirect(CUSTOMER, LegDirection.INACTIVE)
        await studio.listen(0.1)
        count = len(studio.heard(CUSTOMER))
        await studio.listen(0.5)
        assert len(studio.heard(CUSTOMER)) == count > 0
        await studio.redirect(CUSTOMER, LegDirection.SENDRECV)
        assert await hear(studio, (CUSTOMER, AGENT)) == {CUSTOMER: {AGENT}, AGENT: {CUSTOMER}}

    async def test_music_is_heard_by_its_leg_alone_and_stops(self, studio: Studio) -> None:
        await studio.phone(CUSTOMER)
        await studio.phone(AGENT)
        await studio.engine.ask(Apply(Routing(table(customer="", agent=""))))
        await studio.engine.ask(Play(CUSTOMER, Sound("music")))
        assert await hear(studio, (CUSTOMER, AGENT)) == {CUSTOMER: set(), AGENT: set()}
        assert rms_level(studio.heard(CUSTOMER)[-WINDOW:]) > -40.0
        assert rms_level(studio.heard(AGENT)[-WINDOW:]) < SILENT_BELOW_DBOV
        await studio.engine.ask(Play(CUSTOMER, None))
        await hear(studio, (CUSTOMER,))
        assert rms_level(studio.heard(CUSTOMER)[-WINDOW:]) < SILENT_BELOW_DBOV

    async def test_a_file_that_cannot_be_played_is_refused(self, studio: Studio) -> None:
        await studio.phone(CUSTOMER)
        with pytest.raises(Refused) as refusal:
            await studio.engine.ask(Play(CUSTOMER, Sound(str(studio.folder / "none.wav"))))
        assert refusal.value.code is Code.BAD_PARAMETER

    async def test_announcements_come_before_the_music_and_are_heard_by_their_leg_alone(
        self, studio: Studio
    ) -> None:
        await studio.phone(CUSTOMER)
        await studio.phone(AGENT)
        await studio.engine.ask(Apply(Routing(table(customer="", agent=""))))
        one, other = (spoken(studio.folder / f"{hertz}.wav", hertz) for hertz in ANNOUNCED)
        await studio.engine.ask(Play(CUSTOMER, Sound("music", before=(one, other))))
        await studio.listen(2 * SAID_S + 2 * SETTLE_S)
        heard = studio.heard(CUSTOMER)
        when = {hertz: said_at(heard, hertz) for hertz in ANNOUNCED}
        assert 0 <= when[ANNOUNCED[0]] < when[ANNOUNCED[1]], "each once, in order"
        assert rms_level(heard[-WINDOW // 4 :]) > -40.0, "then the music"
        assert rms_level(studio.heard(AGENT)[-WINDOW:]) < SILENT_BELOW_DBOV
        await studio.engine.ask(Play(CUSTOMER, Sound(other, loop=False, before=(one,))))
        await studio.engine.ask(Play(AGENT, Sound(one, loop=False)))
        await studio.engine.ask(Play(AGENT, None))
        await studio.listen(2 * SAID_S + 2 * SETTLE_S)
        assert [event for event in studio.events if isinstance(event, SoundEnded)] == [
            SoundEnded(CUSTOMER, other)
        ], "what was stopped is not told, nor what goes on"
        assert rms_level(studio.heard(CUSTOMER)[-WINDOW // 4 :]) < SILENT_BELOW_DBOV
        with pytest.raises(Refused) as refusal:
            await studio.engine.ask(Play(CUSTOMER, Sound("music", before=(str(studio.folder / "none.wav"),))))
        assert refusal.value.code is Code.BAD_PARAMETER

    async def test_a_recording_is_played_from_anywhere_halted_and_moved(self, studio: Studio) -> None:
        """Two channels, 9 s: a tone on the left, then one on the right."""
        await studio.phone(AGENT)
        engine, early, late = studio.engine, *ANNOUNCED
        path = studio.folder / "talk.wav"
        both = np.zeros((2, 2, 36_000), np.int16)
        for half, hertz in enumerate(ANNOUNCED):
            both[half, half] = tone(hertz, 36_000)
        soundfile.write(path, np.concatenate([both[0].T, both[1].T]), 8000, "PCM_16")

        async def heard() -> frozenset[int]:
            await studio.listen(SETTLE_S + WINDOW_S)
            return levels(studio.heard(AGENT)[-WINDOW:]).heard & {early, late}

        await engine.ask(Play(AGENT, Sound(str(path), loop=False), 4500))
        assert await heard() == {late}
        await engine.ask(MoveSound(AGENT, -60_000))
        assert await heard() == {early}
        await engine.ask(HaltSound(AGENT, True))
        await studio.listen(SETTLE_S + WINDOW_S)
        assert rms_level(studio.heard(AGENT)[-WINDOW:]) < SILENT_BELOW_DBOV
        await engine.ask(MoveSound(AGENT, 4000))
        await engine.ask(HaltSound(AGENT, False))
        assert await heard() == {late}
        assert not [event for event in studio.events if isinstance(event, SoundEnded)]
        await engine.ask(MoveSound(AGENT, 60_000))
        await studio.listen(SETTLE_S)
        assert [event for event in studio.events if isinstance(event, SoundEnded)] == [
            SoundEnded(AGENT, str(path))
        ]
        for request in (MoveSound(AGENT, 1), HaltSound(AGENT, True), MoveSound(SECOND, 1)):
            await engine.ask(request)  # nothing is played there

    async def test_keys_go_in_and_out(self, studio: Studio) -> None:
        await studio.phone(CUSTOMER)
        await studio.phone(AGENT)
        await studio.listen(0.3)
        studio.press(CUSTOMER, "42#")
        await studio.engine.ask(SendDigits(AGENT, "0*D"))
        await studio.listen(1.5)
        assert [event for event in studio.events if isinstance(event, DigitPressed)] == [
            DigitPressed(CUSTOMER, digit) for digit in "42#"
        ]
        assert studio.keys(AGENT) == "0*D"
        assert studio.keys(CUSTOMER) == ""
        with pytest.raises(Refused) as refusal:
            await studio.engine.ask(SendDigits(AGENT, "12x"))
        assert refusal.value.code is Code.BAD_PARAMETER

    async def test_a_leg_is_proven_once(self, studio: Studio) -> None:
        await studio.phone(CUSTOMER)
        await studio.listen(0.6)
        assert [event for event in studio.events if isinstance(event, LegProven)] == [LegProven(CUSTOMER)]

    async def test_unknown_legs_are_passed_over_or_refused(self, studio: Studio) -> None:
        engine, nobody = studio.engine, LegId("nobody")
        await studio.phone(CUSTOMER)
        await engine.ask(Apply(Routing(table(nobody="customer", customer="nobody"), frozenset({nobody}))))
        await engine.ask(Play(nobody, Sound("music")))
        await engine.ask(SendDigits(nobody, "1"))
        assert (await engine.ask(CloseLeg(nobody))).received == 0
        for refused in (engine.ask(ReadFigures(nobody)), engine.ask(StopRecording(RecordingId("none")))):
            with pytest.raises(Refused) as refusal:
                await refused
            assert refusal.value.code is Code.NOT_FOUND
        await engine.ask(CloseLeg(CUSTOMER))
        assert (await engine.ask(CloseLeg(CUSTOMER))).received == 0
        with pytest.raises(Refused) as refusal:
            await studio.redirect(CUSTOMER, LegDirection.SENDRECV)
        assert refusal.value.code is Code.NOT_FOUND

    async def test_figures_tell_what_the_leg_went_through(self, studio: Studio) -> None:
        await studio.phone(CUSTOMER)
        await studio.phone(AGENT)
        await studio.engine.ask(Apply(Routing(table(customer="agent", agent=""))))
        await studio.listen(1.5)
        figures = await studio.engine.ask(ReadFigures(CUSTOMER))
        assert figures.received >= 20
        assert figures.sent >= 20
        assert 10.0 < figures.buffer_ms < 200.0
        assert figures.level_in_dbov == pytest.approx(-15.0, abs=2.0)
        assert figures.level_out_dbov == pytest.approx(-15.0, abs=2.0)
        # Digital silence; PCMA's is a step above it.
        assert (await studio.engine.ask(ReadFigures(AGENT))).level_out_dbov < -80.0

    async def test_a_recording_has_everyone_on_a_track_while_allowed(self, studio: Studio) -> None:
        for leg in (CUSTOMER, AGENT, INSPECTOR):
            await studio.phone(leg)
        engine = studio.engine
        await engine.ask(StartRecording(Recording(CALL, studio.folder / "call.wav", CUSTOMER, AGENT)))
        inspectors = frozenset({INSPECTOR})
        # Not yet talking: the recording has not begun.
        await engine.ask(
            Apply(Routing(table(customer="", agent=""), inspectors, CALL, frozenset({CUSTOMER, AGENT})))
        )
        await studio.listen(0.5)
        await engine.ask(Apply(Routing(LISTEN, inspectors, CALL, frozenset({CUSTOMER, AGENT}))))
        await studio.listen(1.5)
        await engine.ask(Apply(Routing(WHISPER, inspectors, CALL, frozenset({CUSTOMER, AGENT, INSPECTOR}))))
        await studio.listen(1.5)
        await engine.ask(Apply(Routing(HOLD, inspectors, CALL, frozenset())))
        await studio.listen(1.5)
        await engine.ask(Apply(Routing(STOPPED, inspectors, CALL, frozenset({CUSTOMER, AGENT}))))
        await studio.listen(1.5)
        result = await engine.ask(StopRecording(CALL))

        assert (result.path, result.failure) == (studio.folder / "call.wav", None)
        assert set(result.tracks) == {INSPECTOR}
        assert result.tracks[INSPECTOR] == studio.folder / "call.inspector.wav"
        both, coach = channels(result.path), channels(result.tracks[INSPECTOR])
        assert len(both) == len(coach) == result.frames
        assert 4.5 * 8000 < result.frames < 9 * 8000
        thirds = [0.35, 1.85, 3.35, 4.85]
        expected = [({CUSTOMER}, {AGENT}, set()), ({CUSTOMER}, {AGENT}, {INSPECTOR}), (set(),) * 3]
        expected.append(({CUSTOMER}, {AGENT}, set()))
        for start, sets in zip(thirds, expected, strict=True):
            window = slice(int(start * 8000), int(start * 8000) + WINDOW)
            tracks = (both[window, 0], both[window, 1], coach[window, 0])
            heard = tuple(
                {party for party in PARTIES if VOICE[party] in levels(track).heard} for track in tracks
            )
            assert heard == sets, start
        with pytest.raises(Refused):
            await engine.ask(StopRecording(CALL))

    async def test_a_recording_from_the_middle_of_a_talk_begins_behind_its_silence(
        self, studio: Studio
    ) -> None:
        for leg in (CUSTOMER, AGENT):
            await studio.phone(leg)
        engine = studio.engine
        await engine.ask(Apply(Routing(TWO)))
        path = studio.folder / "call.wav"
        await engine.ask(StartRecording(Recording(CALL, path, CUSTOMER, AGENT, silent_frames=12_345)))
        await engine.ask(Apply(Routing(TWO, recording=CALL, recorded=frozenset({CUSTOMER, AGENT}))))
        await studio.listen(1.7)
        result = await engine.ask(StopRecording(CALL))
        both = channels(path)
        assert len(both) == result.frames
        assert result.frames > 12_345 + WINDOW
        assert not both[:12_345].any()
        for channel, party in enumerate((CUSTOMER, AGENT)):
            assert VOICE[party] in levels(both[-WINDOW:, channel]).heard

    async def test_a_recording_that_never_began_has_no_frames(self, studio: Studio) -> None:
        await studio.phone(CUSTOMER)
        await studio.engine.ask(StartRecording(Recording(CALL, studio.folder / "call.wav", CUSTOMER, AGENT)))
        await studio.listen(0.2)
        result = await studio.engine.ask(StopRecording(CALL))
        assert (result.frames, dict(result.tracks)) == (0, {})
