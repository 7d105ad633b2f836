"""kill -9 of the server in the middle of a supervised call, and what a restart mends."""

from __future__ import annotations

import re
import signal
import wave
from pathlib import Path

import pytest
from tests.e2e.served import ACCESS_CODE, SECRET, Served, at_work, serving

from sottovoce.client.ccgateway import Failed
from sottovoce.doors.sip.hops import Transport
from sottovoce.doors.sip.ports import Account
from sottovoce.phones.phone import Phone
from sottovoce.phones.sources import Tone
from sottovoce.phones.tones import TONES

CUSTOMER, AGENT = TONES[:2]
pytestmark = pytest.mark.timeout(400)  # each starts a server two or three times


async def ended_call(phone: Phone) -> None:
    """The phone's calls were ended by a BYE."""
    for call in list(phone.calls):
        await call.ended(40)


async def heard(phone: Phone) -> set[int]:
    return set((await phone.hear(settle_s=0.5, patience_s=10)).hearing.heard)


def recordings(served: Served) -> list[Path]:
    return sorted((served.folder / "data" / "recordings").rglob("*.wav"))


@pytest.mark.timeout(300)
async def test_after_kill_9_calls_get_their_bye_and_sessions_come_back() -> None:
    async with (
        serving() as served,
        at_work(served, agent=lambda: Tone(AGENT), customer=lambda: Tone(CUSTOMER)) as floor,
    ):
        ann, ian, customer = floor.ann, floor.ian, floor.customer
        async with ann.polling():
            await floor.talk()
            await ian.whisper(101)
            await ann.next_event("AgentOther_BeQcStart")
            for _ in range(2):  # a recording that is long enough to be heard
                assert await heard(customer) == {AGENT}
            await ann.ask("POST", "/recordplay/101/pauserecord")
            await ann.ask("PUT", "/calldata/101/setcalldataex", body={"calldata": "order 7, ☎"})

        await served.stop(signal.SIGKILL)
        assert customer.talking is not None, "a phone cannot know that the server died"
        await served.start()

        await ended_call(customer)
        await ended_call(floor.agent)
        assert (await ann.ask("GET", "/onlineagent/101/agentstatus")).result["agentState"] == 4
        assert [agent["workno"] for agent in await ian.all_agents() if agent["status"] != "2"] == [
            "101",
            "102",
        ]
        with pytest.raises(Failed) as refused:
            await ian.stop_whisper(101)
        assert refused.value.retcode == "900-004", "supervisions never come back"

        stereo = [path for path in recordings(served) if path.stem.endswith("-101-1")]
        assert len(stereo) == 1
        with wave.open(str(stereo[0])) as recording:
            assert recording.getnchannels() == 2
            assert recording.getnframes() > 4000, "what had been written is readable"
        shown = await served.command("contacts", "show", "1", "--vdn", "1")
        assert re.search("call_data +order 7, ☎", shown)
        assert re.search("paused_ms +[0-9]+-[0-9]+ by 101", shown), "nobody takes it for silence"
        async with ann.polling():
            await ann.ask("PUT", "/recordplay/101/play", body={"voicepath": stereo[0].stem})
            await ann.next_event("AgentMediaEvent_Play_Succ")
            assert await heard(floor.agent) == {AGENT, CUSTOMER}
            await ann.ask("DELETE", "/recordplay/101/stopplay")
            await ann.next_event("AgentMediaEvent_StopPlayDone")
        assert await served.stop() == 0
        assert "VDN 1: PASS" in await served.verified_audit()


async def test_after_kill_9_of_a_consult_or_a_conference_nobody_is_left_hanging() -> None:
    """All legs get their BYE; each agent who talked with the customer has a contact, and nobody else."""
    talked, kept = [], set[Path]()
    async with (
        serving() as served,
        at_work(served, agent=lambda: Tone(AGENT), customer=lambda: Tone(CUSTOMER)) as floor,
    ):
        ann, ian = floor.ann, floor.ian
        for consult, talks in ((1, ["101-1"]), (2, ["101-1", "102-2"])):
            async with floor.polling():
                await floor.talk()
                await ann.ask("POST", "/voicecall/101/innerhelp", body={"dstaddress": "102", "mode": consult})
                await ian.next_event("AgentEvent_Talking")
                assert await heard(floor.inspector) == ({AGENT, CUSTOMER} if consult == 2 else {AGENT})
            await served.stop(signal.SIGKILL)
            await served.start()
            for phone in (floor.customer, floor.agent, floor.inspector):
                await ended_call(phone)
            for agent in (ann, ian):
                status = await agent.ask("GET", f"/onlineagent/{agent.agent}/agentstatus")
                assert status.result["agentState"] == 4
            made = [path for path in recordings(served) if path not in kept]
            assert ["-".join(path.stem.split("-")[2:]) for path in made] == talks
            kept.update(made)
            talked += [talk[:3] for talk in talks]
            listed = await served.command("contacts", "list", "--vdn", "1")
            assert sorted(re.findall(r"\b(101|102)\b", listed)) == sorted(talked)


async def test_after_a_restart_a_call_is_heard_before_any_phone_registers_anew() -> None:
    """One phone is registered over UDP, one over TCP; neither notices that the server was away, and again."""
    tones = {"agent": lambda: Tone(AGENT), "customer": lambda: Tone(CUSTOMER)}
    async with serving() as served, at_work(served, transport=Transport.TCP, **tones) as floor:
        for times, end in enumerate((signal.SIGKILL, signal.SIGTERM), start=1):
            await served.stop(end)
            await served.start()
            assert served.log.read_text().count("registrations taken up") == times
            async with floor.ann.polling():
                call = await floor.talk()
                assert await heard(floor.customer) == {AGENT}
                assert await heard(floor.agent) == {CUSTOMER}
                await floor.ian.listen(101)
                await floor.ann.next_event("AgentOther_BeQcStart")
                assert await heard(floor.inspector) == {AGENT, CUSTOMER}
                call.hang_up()
                await floor.ann.next_event("AgentEvent_Customer_Release")


async def test_a_stop_ends_calls_and_leaves_nothing_running() -> None:
    """The first of them is a call of a phone without a registration, which calls with its password."""
    async with serving() as served, at_work(served) as floor, Phone("8103") as phone:
        call = await phone.call(ACCESS_CODE, via=served.hop, account=Account("8103", SECRET))
        await call.talking()
        await (await floor.agent.next_call()).talking()
        async with floor.ann.polling():
            await floor.ann.next_event("AgentEvent_Talking")
            call.hang_up()
            await floor.ann.next_event("AgentEvent_Customer_Release")
            await floor.talk()
        assert await served.stop() == 0
        await ended_call(floor.customer)
        assert not [path for path in (served.folder / "data").rglob("*.part")]
        await served.start()
        assert (await floor.ann.ask("GET", "/onlineagent/101/agentstatus")).result["agentState"] == 4
