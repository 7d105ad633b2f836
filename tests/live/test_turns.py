"""The log of a floor: a line for each turn, with the call, who and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.legs import RecordingResult, ReleaseCause
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Refused
from sottovoce.live.handling import CallOut, DialOn, Hold, Release, TakeBack
from sottovoce.live.presence import SignOutAgent
from sottovoce.live.supervising import ChangeMode, DropCall, Intercept
from sottovoce.live.views import SignIn
from sottovoce.media.engine import DigitPressed, EchoHeard, LegTimedOut, RecordingStopped

A, B, I, J = AgentId(101), AgentId(102), AgentId(300), AgentId(301)  # noqa: E741

Told = list[tuple[object, ...]]


@pytest.fixture
def told() -> Iterator[Told]:
    """What `lines` reads from."""
    with capture_logs() as logs:
        yield logs  # type: ignore[misc]


def lines(told, *keys: str) -> Told:
    """The lines of floors since last asked: event, agent, and the values of `keys`."""
    made = [
        (line["event"], line.get("agent"), *(line[key] for key in keys if key in line))
        for line in told
        if "vdn" in line and line["event"] != "floor opened"
    ]
    told.clear()
    return made


async def test_a_call_from_first_to_last(stage, told):
    customer = await stage.call_in("555")
    assert lines(told, "caller", "called", "skill") == [
        ("call came", None, "555", "801", 1),
        ("call waits", None, 1),
    ]
    await stage.sign_in(101)
    assert lines(told, "skill", "phone") == [
        ("agent signed in", A, "1101"),
        ("call rings", A, 1),
        ("call answered", A),
    ]
    await stage.desk.ask(Hold(A))
    await stage.desk.ask(TakeBack(A))
    stage.phone(101).hold()
    stage.phone(101).resume()
    await stage.quiet()
    assert lines(told, "why") == [
        ("call held", A),
        ("call taken back", A),
        ("call held", A, "phone"),
        ("call taken back", A, "phone"),
    ]
    stage.clock.advance(30)
    customer.hang_up()
    await stage.quiet()
    assert lines(told, "why", "seconds", "talked_s") == [("call ended", A, "customer: normal", 30, 30)]


async def test_each_line_of_a_call_has_its_id(stage, told):
    await stage.sign_in(101, 300)
    await stage.call_in("555")
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    await stage.desk.ask(Release(A))
    await stage.quiet()
    calls = {line["call"] for line in told if str(line["event"]).startswith(("call", "supervision"))}
    assert len(calls) == 1
    assert {line["vdn"] for line in told if "vdn" in line} == {1}


async def test_who_does_not_answer(stage, told):
    stage.phone(101).ready = False
    await stage.sign_in(101)
    await stage.call_in("555")
    lines(told)
    await stage.later(20)
    assert lines(told, "why") == [("call not answered", A, "no_answer")]
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert lines(told, "why", "talked_s") == [("call ended", None, "customer: normal", 0)]


async def test_a_call_out(stage, told):
    stage.lines.phone("0123", rejects=ReleaseCause.BUSY)
    await stage.sign_in(101)
    lines(told)
    await stage.desk.call_out(CallOut(A, "0123"))
    await stage.quiet()
    assert lines(told, "called", "why") == [
        ("call placed", A, "0123"),
        ("call ended", A, "customer: busy"),
    ]


async def test_a_supervision_from_first_to_last(on_call, told):
    await on_call.desk.supervise(I, A, Mode.LISTEN)
    await on_call.quiet()
    await on_call.desk.ask(ChangeMode(I, A, Mode.WHISPER))
    await on_call.desk.ask(ChangeMode(I, A, Mode.WHISPER))
    await on_call.desk.ask(ChangeMode(I, A, Mode.LISTEN))
    await on_call.desk.ask(ChangeMode(I, A, None))
    await on_call.desk.stop(I, None)
    await on_call.quiet()
    assert lines(told, "inspector", "mode", "why") == [
        ("supervision began", A, I, "listen"),
        ("supervision changed", A, I, "whisper"),
        ("supervision changed", A, I, "listen"),
        ("supervision changed", A, I, "insert"),
        ("supervision ended", A, I, "insert", "stopped"),
    ]


async def test_an_inspector_who_inserts_falls_back_when_the_call_ends(on_call, told):
    await on_call.desk.supervise(I, A, Mode.INSERT)
    await on_call.quiet()
    lines(told)
    on_call.lines.phones["555"].hang_up()
    await on_call.quiet()
    assert lines(told, "inspector", "mode") == [
        ("call ended", A),
        ("supervision changed", A, I, "listen"),
    ]


async def test_supervisions_that_end_otherwise(on_call, told):
    await on_call.desk.supervise(I, A, Mode.LISTEN)
    await on_call.desk.supervise(J, A, Mode.LISTEN)
    await on_call.quiet()
    lines(told)
    await on_call.later(30)
    on_call.lines.phones["1301"].hang_up()
    await on_call.quiet()
    ended = [line for line in lines(told, "inspector", "why") if line[0] == "supervision ended"]
    assert ended == [
        ("supervision ended", A, I, "lease ran out"),
        ("supervision ended", A, J, "lease ran out"),
    ]


async def test_a_call_that_is_taken_over_or_dropped(on_call, told):
    await on_call.desk.supervise(I, A, Mode.LISTEN)
    await on_call.quiet()
    lines(told)
    await on_call.desk.ask(Intercept(I, A))
    await on_call.quiet()
    assert lines(told, "inspector", "why") == [
        ("call joined", I),
        ("supervision ended", A, I, "intercepted"),
        ("call left", A),
    ]
    (call,) = on_call.desk.call_ids(I)
    await on_call.desk.ask(DropCall(J, call))
    await on_call.quiet()
    assert lines(told, "why") == [("call ended", I, "dropped by 301")]


@pytest.mark.parametrize("who", ["agent", "customer"])
async def test_a_frozen_phone_is_named_as_the_reason(on_call, told, who):
    frozen = on_call.phone(101) if who == "agent" else on_call.lines.phones["555"]
    leg = frozen.leg
    on_call.engine.tell(LegTimedOut(leg))
    await on_call.quiet()
    why = "agent: media_timeout" if who == "agent" else "media_timeout"
    assert lines(told, "why") == [("call ended", A, why)]
    assert on_call.lines.ends[leg] is ReleaseCause.MEDIA_TIMEOUT


async def test_the_ways_out(stage, told):
    await stage.sign_in(101, 102, 103, 300)
    lines(told)
    await stage.desk.ask(SignOutAgent(A))
    await stage.desk.sessions.sign_in(B, SignIn("secret", "1101"), force=True)
    await stage.desk.sessions.sign_in(B, SignIn("secret", "1101"), force=True)
    for agent in (102, 300):
        stage.desk.sessions.heartbeat(AgentId(agent))
    await stage.quiet()
    assert lines(told, "why", "phone", "force") == [
        ("agent signed out", A, "signed out"),
        ("agent signed out", B, "signed in elsewhere"),
        ("agent signed in", B, "1101", True),
        ("agent signed in", B, "1101", True),
    ]
    await stage.later(stage.settings.agents.sign_out_after)
    assert ("agent signed out", AgentId(103), "no sign of life") in lines(told, "why")


async def test_what_is_refused_is_no_turn(on_call, told):
    with pytest.raises(Refused):
        await on_call.desk.ask(TakeBack(A))
    with pytest.raises(Refused):
        await on_call.desk.supervise(A, I, Mode.LISTEN)
    assert lines(told) == []


async def test_what_somebody_should_look_at_is_a_warning(on_call, told):
    await on_call.desk.supervise(I, A, Mode.WHISPER)
    await on_call.quiet()
    (recording,) = on_call.engine.recordings
    told.clear()
    on_call.engine.tell(EchoHeard(on_call.phone(101).leg, on_call.lines.phones["1300"].leg))
    on_call.engine.tell(RecordingStopped(RecordingResult(recording, Path("/x"), 100, failure="disk full")))
    await on_call.quiet()
    assert {line["log_level"] for line in told if "vdn" in line} == {"warning"}
    assert lines(told, "inspector", "why") == [
        ("echo of a whisper", A, I),
        ("call not recorded", A, "disk full"),
    ]


async def test_no_key_that_was_pressed_is_logged(on_call, told):
    """Customers type their cards' numbers."""
    on_call.engine.tell(DigitPressed(on_call.lines.phones["555"].leg, "7"))
    await on_call.desk.ask(DialOn(A, "98765"))
    await on_call.quiet()
    assert not [line for line in told if "98765" in str(line) or "'7'" in str(line)]


async def test_a_floor_tells_whom_it_found_at_its_start(stage, told):
    await stage.sign_in(101)
    await stage.desk.open([VdnId(1)])
    opened = [line for line in told if line["event"] == "floor opened"]
    assert [(line["vdn"], line["signed_in"], line["cut_off"]) for line in opened] == [(1, [], [])]
