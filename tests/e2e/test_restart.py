"""kill -9 of the server in the middle of a supervised call, and what a restart mends."""

from __future__ import annotations

import re
import signal
import wave
from pathlib import Path

import pytest
from tests.e2e.served import ACCESS_CODE, SECRET, Served, gateway, outside, registered, serving

from sottovoce.client.ccgateway import Failed
from sottovoce.doors.sip.hops import Transport
from sottovoce.doors.sip.ports import Account
from sottovoce.phones.phone import Phone
from sottovoce.phones.sources import Tone
from sottovoce.phones.tones import TONES

CUSTOMER, AGENT = TONES[:2]


async def ended_call(phone: Phone) -> None:
    """The phone's call was ended by a BYE."""
    if phone.calls:
        await phone.calls[0].ended(40)


async def heard(phone: Phone) -> set[int]:
    return set((await phone.hear(settle_s=0.5, patience_s=10)).hearing.heard)


def recordings(served: Served) -> list[Path]:
    return sorted((served.folder / "data" / "recordings").rglob("*.wav"))


@pytest.mark.timeout(300)
async def test_after_kill_9_calls_get_their_bye_and_sessions_come_back() -> None:
    async with (
        serving() as served,
        gateway(served) as client,
        registered(served, "8101", say=lambda: Tone(AGENT)) as agent_phone,
        registered(served, "8102"),
        outside(say=lambda: Tone(CUSTOMER)) as customer,
    ):
        ann, ian = client.agent(101), client.agent(102)
        await ann.sign_in(SECRET, "8101")
        await ian.sign_in(SECRET, "8102")
        async with ann.polling():
            call = await customer.call(ACCESS_CODE, via=served.hop)
            await call.talking()
            await ann.next_event("AgentEvent_Talking")
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
        await ended_call(agent_phone)
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
            assert await heard(agent_phone) == {AGENT, CUSTOMER}
            await ann.ask("DELETE", "/recordplay/101/stopplay")
            await ann.next_event("AgentMediaEvent_StopPlayDone")
        assert await served.stop() == 0
        assert "VDN 1: PASS" in await served.verified_audit()


@pytest.mark.parametrize("consult", [1, 2])
async def test_after_kill_9_of_a_consult_or_a_conference_nobody_is_left_hanging(consult: int) -> None:
    """All legs get their BYE; each agent who talked with the customer has a contact, and nobody else."""
    async with (
        serving() as served,
        gateway(served) as client,
        registered(served, "8101", say=lambda: Tone(AGENT)) as agent_phone,
        registered(served, "8102") as colleague_phone,
        outside(say=lambda: Tone(CUSTOMER)) as customer,
    ):
        ann, ian = client.agent(101), client.agent(102)
        await ann.sign_in(SECRET, "8101")
        await ian.sign_in(SECRET, "8102")
        async with ann.polling(), ian.polling():
            call = await customer.call(ACCESS_CODE, via=served.hop)
            await call.talking()
            await ann.next_event("AgentEvent_Talking")
            await ann.ask("POST", "/voicecall/101/innerhelp", body={"dstaddress": "102", "mode": consult})
            await ian.next_event("AgentEvent_Talking")
            assert await heard(colleague_phone) == ({AGENT, CUSTOMER} if consult == 2 else {AGENT})
        await served.stop(signal.SIGKILL)
        await served.start()
        for phone in (customer, agent_phone, colleague_phone):
            await ended_call(phone)
        for agent in (ann, ian):
            status = await agent.ask("GET", f"/onlineagent/{agent.agent}/agentstatus")
            assert status.result["agentState"] == 4
        talks = ["101-1", "102-2"][:consult]
        assert ["-".join(path.stem.split("-")[2:]) for path in recordings(served)] == talks
        listed = await served.command("contacts", "list", "--vdn", "1")
        assert sorted(re.findall(r"\b(101|102)\b", listed)) == [talk[:3] for talk in talks]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_after_a_restart_a_call_is_heard_before_any_phone_registers_anew(end: signal.Signals) -> None:
    """One phone is registered over UDP, one over TCP; neither notices that the server was away."""
    async with (
        serving() as served,
        gateway(served) as client,
        registered(served, "8101", say=lambda: Tone(AGENT)) as agent_phone,
        registered(served, "8102", Transport.TCP) as inspector_phone,
        outside(say=lambda: Tone(CUSTOMER)) as customer,
    ):
        ann, ian = client.agent(101), client.agent(102)
        await ann.sign_in(SECRET, "8101")
        await ian.sign_in(SECRET, "8102")
        await served.stop(end)
        await served.start()
        assert "registrations taken up" in served.log.read_text()
        async with ann.polling():
            call = await customer.call(ACCESS_CODE, via=served.hop)
            await call.talking()
            await ann.next_event("AgentEvent_Talking")
            assert await heard(customer) == {AGENT}
            assert await heard(agent_phone) == {CUSTOMER}
            await ian.listen(101)
            await ann.next_event("AgentOther_BeQcStart")
            assert await heard(inspector_phone) == {AGENT, CUSTOMER}


async def test_a_phone_without_a_registration_calls_with_its_password() -> None:
    async with (
        serving() as served,
        gateway(served) as client,
        registered(served, "8101") as agent_phone,
        Phone("8103") as phone,
    ):
        ann = client.agent(101)
        await ann.sign_in(SECRET, "8101")
        call = await phone.call(ACCESS_CODE, via=served.hop, account=Account("8103", SECRET))
        await call.talking()
        await (await agent_phone.next_call()).talking()


async def test_a_stop_ends_calls_and_leaves_nothing_running() -> None:
    async with (
        serving() as served,
        gateway(served) as client,
        registered(served, "8101"),
        outside() as customer,
    ):
        ann = client.agent(101)
        await ann.sign_in(SECRET, "8101")
        call = await customer.call(ACCESS_CODE, via=served.hop)
        await call.talking()
        assert await served.stop() == 0
        await ended_call(customer)
        assert not [path for path in (served.folder / "data").rglob("*.part")]
        await served.start()
        assert (await ann.ask("GET", "/onlineagent/101/agentstatus")).result["agentState"] == 4
