"""Tones through calls with several parties: consult, three-party, conference, two customers; each of them
while the agent, or the agent consulted, is supervised in every mode. What is heard is the whole of it: every
phone's set of tones, and none besides."""

from __future__ import annotations

import wave

import numpy as np
import pytest
from tests.audio.test_matrix_inprocess import (  # noqa: F401
    AGENT,
    COLLEAGUE,
    INSPECTOR,
    TONES,
    TWO,
    room,
    samples_of,
    tone_level,
)

from sottovoce.domain.supervision import Mode
from sottovoce.live.conferring import Disconnect, LeaveCall, Merge
from sottovoce.live.consulting import CallInner, Consult
from sottovoce.live.handling import CallOut, Hold, Mute, Release, TakeBack
from sottovoce.live.requesting import SayNumber
from sottovoce.live.supervising import ChangeMode, Intercept
from sottovoce.live.transferring import CancelTransfer, HandOver, How

C, A, B, I, D = "555", "1101", "1102", "1300", "0777"  # noqa: E741
LISTEN, WHISPER, INSERT = Mode


def table(text: str) -> dict[str, set[str]]:
    """`C:A A:CI` as what each phone hears; M is music."""
    names = {"C": C, "A": A, "B": B, "I": I, "D": D, "M": "♪"}
    rows = dict(row.split(":") for row in text.split())
    return {names[who]: {names[heard] for heard in voices if heard != "-"} for who, voices in rows.items()}


async def walk_modes(room, target, rows):  # noqa: F811
    """Supervise `target` in every mode, and hear what `rows` say: mode to table."""
    await room.desk.supervise(INSPECTOR, target, LISTEN)
    assert await room.heard() == table(rows[LISTEN])
    for mode in (WHISPER, INSERT):
        await room.desk.ask(ChangeMode(INSPECTOR, None, mode))
        assert await room.heard() == table(rows[mode]), mode
    await room.desk.stop(INSPECTOR, target)


async def consulted(room):  # noqa: F811
    call = room.desk.call_ids(AGENT)[0]
    await room.desk.call_out(Consult(AGENT, COLLEAGUE))
    await room.quiet()
    return call


async def test_a_consult_supervised_on_either_side(room):  # noqa: F811
    await consulted(room)
    assert await room.heard() == table("C:M A:B B:A")
    await walk_modes(
        room,
        AGENT,
        {LISTEN: "C:M A:B B:A I:AB", WHISPER: "C:M A:BI B:A I:AB", INSERT: "C:M A:BI B:AI I:AB"},
    )
    await walk_modes(
        room,
        COLLEAGUE,
        {LISTEN: "C:M A:B B:A I:AB", WHISPER: "C:M A:B B:AI I:AB", INSERT: "C:M A:BI B:AI I:AB"},
    )
    await room.desk.ask(Mute(AGENT, True))
    assert await room.heard() == table("C:M A:B B:-")
    await room.desk.ask(Release(AGENT))
    await room.desk.ask(TakeBack(AGENT))
    assert await room.heard() == TWO


async def test_whoever_is_consulted_goes_away_and_the_customer_stays(room):  # noqa: F811
    await room.desk.supervise(INSPECTOR, COLLEAGUE, WHISPER)
    await consulted(room)
    assert await room.heard() == table("C:M A:B B:AI I:AB")
    room.lines.phones[B].hang_up()
    assert await room.heard() == table("C:M A:- I:-")
    room.lines.phones[I].hang_up()
    await room.desk.ask(TakeBack(AGENT))
    assert await room.heard() == TWO


async def test_a_consult_becomes_a_conference_and_the_agent_leaves(room):  # noqa: F811
    call = await consulted(room)
    await room.desk.supervise(INSPECTOR, AGENT, INSERT)
    assert await room.heard() == table("C:M A:BI B:AI I:AB")
    await room.desk.ask(Merge(AGENT, call, True))
    assert await room.heard() == table("C:AB A:BC B:AC I:ABC"), "newcomers meet no inserted inspector"
    await room.desk.stop(INSPECTOR, AGENT)
    await walk_modes(
        room,
        AGENT,
        {
            LISTEN: "C:AB A:BC B:AC I:ABC",
            WHISPER: "C:AB A:BCI B:AC I:ABC",
            INSERT: "C:ABI A:BCI B:ACI I:ABC",
        },
    )
    await room.desk.ask(Mute(AGENT, True))
    assert await room.heard() == table("C:B A:BC B:C")
    await room.desk.supervise(INSPECTOR, AGENT, INSERT)
    await room.desk.ask(Release(AGENT))
    assert await room.heard() == table("C:B B:C I:-"), "the inspector stays with the agent who left"
    await room.desk.stop(INSPECTOR, AGENT)
    await room.desk.supervise(INSPECTOR, COLLEAGUE, WHISPER)
    assert await room.heard() == table("C:B B:CI I:BC")


async def test_the_customer_is_connected_with_who_was_consulted(room):  # noqa: F811
    call = await consulted(room)
    await room.desk.supervise(INSPECTOR, COLLEAGUE, WHISPER)
    await room.desk.ask(Merge(AGENT, call, False))
    assert await room.heard() == table("C:B B:CI I:BC")


async def test_another_is_asked_into_the_talk(room):  # noqa: F811
    room.lines.phones[B].ready = False
    await room.desk.supervise(INSPECTOR, AGENT, WHISPER)
    await room.desk.call_out(Consult(AGENT, COLLEAGUE, joins=True))
    assert await room.heard() == table("C:A A:CI I:AC B:-"), "the talk goes on while the other is rung"
    room.lines.phones[B].lift()
    assert await room.heard() == table("C:AB A:BCI B:AC I:ABC")
    await room.desk.ask(Disconnect(AGENT, str(COLLEAGUE)))
    assert await room.heard() == table("C:A A:CI I:AC")


@pytest.mark.parametrize("mode", Mode)
async def test_a_second_customer_while_the_first_is_held(room, mode):  # noqa: F811
    first = room.desk.call_ids(AGENT)[0]
    await room.desk.ask(Hold(AGENT))
    second = await room.desk.call_out(CallOut(AGENT, D))
    await room.quiet()
    assert await room.heard() == table("C:M A:D D:A")
    await room.desk.supervise(INSPECTOR, AGENT, mode)
    agent, other = "D" + "I" * (mode is not LISTEN), "A" + "I" * (mode is INSERT)
    assert await room.heard() == table(f"C:M A:{agent} D:{other} I:AD")
    await room.desk.ask(Hold(AGENT))
    await room.desk.ask(TakeBack(AGENT, first))
    assert await room.heard() == table(f"C:A A:C{'I' * (mode is WHISPER)} D:M I:AC"), "insert fell back"
    await room.desk.ask(Hold(AGENT))
    await room.desk.ask(TakeBack(AGENT, second))
    await room.desk.ask(Merge(AGENT, first, True))
    assert await room.heard() == table(f"C:AD A:CD{'I' * (mode is WHISPER)} D:AC I:ACD")
    await room.desk.ask(ChangeMode(INSPECTOR, None, INSERT))
    assert await room.heard() == table("C:ADI A:CDI D:ACI I:ACD")
    room.lines.phones[D].hang_up()
    assert await room.heard() == table("C:AI A:CI I:AC")


@pytest.mark.parametrize("joins", [False, True])
async def test_a_lease_that_runs_out_silences_the_inspector(room, joins):  # noqa: F811
    await room.desk.call_out(Consult(AGENT, COLLEAGUE, joins=joins))
    await room.quiet()
    await room.desk.supervise(INSPECTOR, AGENT, INSERT)
    spoken = "C:ABI A:BCI B:ACI I:ABC" if joins else "C:M A:BI B:AI I:AB"
    assert await room.heard() == table(spoken)
    room.clock.advance(31)
    await room.desk.run_due()
    await room.quiet()
    assert await room.heard() == table("C:AB A:BC B:AC" if joins else "C:M A:B B:A")


async def test_two_customers_without_an_agent(room):  # noqa: F811
    first = room.desk.call_ids(AGENT)[0]
    await room.desk.ask(Hold(AGENT))
    await room.desk.call_out(CallOut(AGENT, D))
    await room.quiet()
    await room.desk.supervise(INSPECTOR, AGENT, INSERT)
    await room.desk.ask(Merge(AGENT, first, False))
    assert await room.heard() == table("C:D D:C I:-")
    room.lines.phones[C].hang_up()
    await room.quiet()
    assert room.lines.phones[D].leg is None


async def test_agents_among_themselves_hold_each_other(room):  # noqa: F811
    await room.desk.ask(Release(AGENT))
    await room.desk.call_out(CallInner(AGENT, COLLEAGUE))
    await room.desk.supervise(INSPECTOR, AGENT, WHISPER)
    assert await room.heard() == table("A:BI B:A I:AB")
    await room.desk.ask(Hold(AGENT))
    assert await room.heard() == table("A:I B:M I:A")
    await room.desk.ask(TakeBack(AGENT))
    assert await room.heard() == table("A:BI B:A I:AB")
    await room.desk.ask(LeaveCall(COLLEAGUE, room.desk.call_ids(COLLEAGUE)[0]))
    assert await room.heard() == table("I:-")


async def test_an_intercept_out_of_a_consult(room):  # noqa: F811
    await consulted(room)
    await room.desk.supervise(INSPECTOR, AGENT, WHISPER)
    await room.desk.ask(Intercept(INSPECTOR, AGENT))
    assert await room.heard() == table("C:I I:C A:B B:A"), "the consult stays the agents'"


async def test_an_intercept_out_of_a_conference(room):  # noqa: F811
    await room.desk.ask(Mute(AGENT, True))
    await room.desk.call_out(Consult(AGENT, COLLEAGUE, joins=True))
    await room.desk.supervise(INSPECTOR, AGENT, WHISPER)
    assert await room.heard() == table("C:B A:BCI B:C I:BC")
    await room.desk.ask(Intercept(INSPECTOR, AGENT))
    assert await room.heard() == table("C:BI B:CI I:BC")


@pytest.mark.parametrize("mode", Mode)
async def test_a_transfer_that_is_under_way_and_done(room, mode):  # noqa: F811
    room.lines.phones[B].ready = False
    await room.desk.supervise(INSPECTOR, AGENT, mode)
    await room.desk.ask(HandOver(AGENT, COLLEAGUE, How.ANSWERED))
    spoken = "-" if mode is LISTEN else "I"
    assert await room.heard() == table(f"C:M A:{spoken} B:- I:A")
    room.lines.phones[B].lift()
    assert await room.heard() == table("C:B B:C I:-"), "nobody hears the inspector, who stays with the agent"
    await room.desk.stop(INSPECTOR, AGENT)
    await room.desk.supervise(INSPECTOR, COLLEAGUE, mode)
    rows = {LISTEN: "C:B B:C I:BC", WHISPER: "C:B B:CI I:BC", INSERT: "C:BI B:CI I:BC"}
    assert await room.heard() == table(rows[mode])


async def test_a_blind_transfer_and_one_that_comes_to_nothing(room):  # noqa: F811
    room.lines.phones[B].ready = False
    await room.desk.ask(HandOver(AGENT, COLLEAGUE, How.BLIND))
    assert await room.heard() == table("C:M B:-")
    room.lines.phones[B].hang_up()
    assert await room.heard() == TWO, "the agent has the customer again"
    await room.desk.supervise(INSPECTOR, AGENT, WHISPER)
    room.lines.phones[D].ready = False
    await room.desk.ask(HandOver(AGENT, D, How.ANSWERED))
    assert await room.heard() == table("C:M A:I D:- I:A")
    await room.desk.ask(CancelTransfer(AGENT))
    assert await room.heard() == table("C:A A:CI I:AC")


async def test_a_number_outside_is_asked_in_and_stays_with_the_customer(room):  # noqa: F811
    await room.desk.supervise(INSPECTOR, AGENT, WHISPER)
    await room.desk.ask(HandOver(AGENT, D, How.JOINED))
    assert await room.heard() == table("C:AD A:CDI D:AC I:ACD")
    await room.desk.ask(Release(AGENT))
    assert await room.heard() == table("C:D D:C I:-")


async def test_the_agents_number_is_heard_by_all_once_and_is_on_no_recording(room, tmp_path):  # noqa: F811
    sound = tmp_path / "101.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        said = 6000 * np.sin(2 * np.pi * 2100 * np.arange(2 * 8000) / 8000)
        file.writeframes(said.astype("<i2").tobytes())
    await room.desk.supervise(INSPECTOR, AGENT, WHISPER)
    await room.desk.ask(SayNumber(AGENT, sound))
    assert await room.heard() == table("C:AM A:CIM I:ACM")
    assert await room.heard() == table("C:A A:CI I:AC"), "once"
    await room.desk.ask(Release(AGENT))
    await room.quiet()
    for path in tmp_path.rglob("*-101-1*.wav"):
        for track in samples_of(path)[:8000].T:
            assert tone_level(track, 2100) < -60


async def test_another_customer_is_on_a_track_of_each_agent_s_recording(room, tmp_path):  # noqa: F811
    """The first customer's channel stays theirs alone."""
    await room.desk.ask(HandOver(AGENT, D, How.JOINED))
    await room.hum(100)
    await room.desk.supervise(INSPECTOR, AGENT, WHISPER)
    await room.desk.ask(Mute(AGENT, True))
    await room.hum(100)
    await room.desk.ask(Release(AGENT))
    await room.quiet()
    found = {path.name: samples_of(path) for path in tmp_path.rglob("*.wav")}
    [stereo] = [samples for samples in found.values() if samples.shape[1] == 2]
    tracks = [samples for samples in found.values() if samples.shape[1] == 1]
    assert {len(samples) for samples in found.values()} == {len(stereo)}, "all of one length"

    def tones(samples, at: int) -> set[str]:
        window = samples[at : at + 8000]
        return {who for who, hertz in TONES.items() if tone_level(window, hertz) > -40}

    assert [tones(stereo[:, one], 6000) for one in (0, 1)] == [{C}, {A}]
    assert [tones(stereo[:, one], 24000) for one in (0, 1)] == [{C}, set()], "muted"
    assert sorted([tones(track[:, 0], 6000), tones(track[:, 0], 24000)] for track in tracks) == sorted(
        [[{D}, {D}], [set(), {I}]]
    )


async def test_each_agent_who_talked_with_the_customer_has_a_recording(room, tmp_path):  # noqa: F811
    await room.hum(100)
    await room.desk.call_out(Consult(AGENT, COLLEAGUE, joins=True))
    await room.hum(100)
    await room.desk.supervise(INSPECTOR, COLLEAGUE, WHISPER)
    await room.hum(100)
    await room.desk.ask(Release(AGENT))
    await room.hum(100)
    await room.desk.ask(Release(COLLEAGUE))
    await room.quiet()
    found = {path.name.partition("-")[2].partition("-")[2]: path for path in tmp_path.rglob("*.wav")}
    first, second = samples_of(found["101-1.wav"]), samples_of(found["102-2.wav"])
    assert len(found) == 3, "and the inspector's track, with the colleague's"

    def tones(samples) -> set[str]:
        return {who for who, hertz in TONES.items() if tone_level(samples[-8000:], hertz) > -40}

    assert [tones(first[:, 0]), tones(first[:, 1])] == [{C}, {A}]
    assert [tones(second[:, 0]), tones(second[:, 1])] == [{C}, {B}]
