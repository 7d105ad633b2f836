"""The thin whole: sign in, an inbound call, whisper on and off."""

from __future__ import annotations

from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId
from sottovoce.domain.supervision import Mode
from sottovoce.live.handling import Release

A, I = AgentId(101), AgentId(300)  # noqa: E741


async def test_a_whisper_reaches_the_agent_never_the_customer_and_stops_when_told(stage):
    await stage.sign_in(101, 300)
    await stage.call_in("555")
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    assert stage.hears() == {
        "555": {"1101"},
        "1101": {"555", "1300"},
        "1300": {"555", "1101"},
    }
    await stage.desk.stop(I, A, whisper=True)
    await stage.quiet()
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}
    assert stage.state(101) is AgentState.TALKING
    assert stage.state(300) is AgentState.IDLE


async def test_the_events_of_an_inbound_call_and_a_whisper(stage):
    await stage.sign_in(101, 300)
    assert await stage.names(101) == ["InService", "AgentReady"]
    await stage.call_in("555")
    assert await stage.names(101) == [
        "AgentPreoccupied",
        "CallAssigned",
        "PhoneAlerting",
        "PhoneOffHook",
        "CallAutoAnswered",
        "CustomerAlerting",
        "CallTalking",
        "RecordingStarted",
    ]
    await stage.forget(300)
    await stage.desk.supervise(I, A, Mode.WHISPER)
    assert await stage.names(300) == ["AgentPreoccupied", "PhoneAlerting", "PhoneOffHook"]
    assert await stage.names(101) == ["SupervisionStarted"]
    await stage.desk.stop(I, None, whisper=True)
    assert await stage.names(300) == ["PhoneReleased", "AgentReady"]
    assert await stage.names(101) == ["SupervisionEnded"]
    await stage.desk.ask(Release(A))
    assert await stage.names(101) == [
        "CallReleased",
        "CustomerReleased",
        "PhoneReleased",
        "AgentReady",
        "RecordingDone",
    ]
