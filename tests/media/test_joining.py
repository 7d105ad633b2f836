"""A VDN on two workers: processes of their own, real UDP on loopback, tones in and tones out."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.media.test_workers import LISTEN, TALK, WHISPER, Floor, R, channels, floor_of, names_on, until
from tests.media.tone_phones import ABSENT, TonePhone

from sottovoce.domain.legs import LegId, Recording
from sottovoce.errors import Code, Refused
from sottovoce.media.engine import (
    CloseLeg,
    LegProven,
    LegsLost,
    LegTimedOut,
    OpenLeg,
    RecordingStopped,
    StartRecording,
    StopRecording,
)

HOLD = {"customer": set[str](), "agent": {"inspector"}, "inspector": {"agent"}}


async def call_across(floor: Floor) -> dict[str, TonePhone]:
    """The agent on the one worker, customer and inspector on the other, as the one is full."""
    names = ("agent", "second", "stranger", "customer", "inspector")
    phones = {name: await floor.phone(name) for name in names}
    assert [ticks.legs for ticks in (await floor.engine.ticks()).values()] == [3, 2]
    return phones


async def legs(floor: Floor) -> list[int]:
    return [ticks.legs for ticks in (await floor.engine.ticks()).values()]


async def legs_are(floor: Floor, *wanted: int) -> None:
    """Wait until the workers have so many legs, joins among them."""
    while await legs(floor) != list(wanted):
        pass


def only_of_phones(floor: Floor) -> bool:
    """Whether no event speaks of a join."""
    return not any("join" in str(event) for event in floor.events)


async def test_who_hears_whom_across_workers_is_what_the_table_says() -> None:
    async with floor_of(workers=2, legs_per_worker=3) as floor:
        phones = await call_across(floor)
        bystanders = {"second": {"stranger"}, "stranger": {"second"}}
        tables: list[dict[str, set[str]]] = [TALK, LISTEN, WHISPER, LISTEN, HOLD, WHISPER, TALK]
        for table in tables:
            rows = {**{name: set[str]() for name in phones}, **bystanders, **table}
            await floor.route(rows)
            for name, phone in phones.items():
                await phone.hears(*rows[name])
                phone.forget()
            for name, phone in phones.items():
                await phone.hears(*rows[name])
                for unheard in phones.keys() - rows[name]:
                    assert phone.loudest[unheard] < ABSENT, (table, name, unheard)
        assert await legs(floor) == [5, 4]
        await floor.route({name: set() for name in phones})
        await legs_are(floor, 3, 2)
        assert only_of_phones(floor)


async def test_a_recording_across_workers_has_everyone_on_a_track(tmp_path: Path) -> None:
    async with floor_of(workers=2, legs_per_worker=3) as floor:
        phones = await call_across(floor)
        customer, agent, inspector = (phones[name] for name in ("customer", "agent", "inspector"))
        await floor.engine.ask(StartRecording(Recording(R, tmp_path / "call.wav", customer.leg, agent.leg)))
        await floor.route(LISTEN, recorded={"customer", "agent"})
        await inspector.hears("customer", "agent")
        await agent.hears("customer")
        await floor.route(WHISPER, recorded={"customer", "agent", "inspector"})
        await agent.hears("customer", "inspector")
        await floor.route(HOLD, recorded={"agent"})
        await agent.hears("inspector")
        await floor.route(LISTEN, recorded={"customer", "agent"})
        await agent.hears("customer")
        result = await floor.engine.ask(StopRecording(R))
        assert result.failure is None
        assert set(result.tracks) == {inspector.leg}
        assert result.tracks[inspector.leg] == tmp_path / "call.inspector.wav"
        both, coach = channels(result.path), channels(result.tracks[inspector.leg])
        assert len(both) == len(coach) == result.frames > 0
        assert [names for names in names_on(both[:, 0]) if names] == [{"customer"}, {"customer"}]
        assert [names for names in names_on(both[:, 1]) if names] == [{"agent"}]
        assert [names for names in names_on(coach[:, 0]) if names] == [{"inspector"}]
        for phone in phones.values():
            await floor.engine.ask(CloseLeg(phone.leg))
        await legs_are(floor, 0, 0)


async def test_a_worker_that_dies_takes_its_joins_along_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with floor_of(workers=2, legs_per_worker=3) as floor:
        phones = await call_across(floor)
        customer, agent, inspector = (phones[name] for name in ("customer", "agent", "inspector"))
        await floor.engine.ask(StartRecording(Recording(R, tmp_path / "call.wav", customer.leg, agent.leg)))
        await floor.route({**WHISPER, "second": {"agent"}}, recorded={"customer", "agent"})
        await agent.hears("customer", "inspector")
        await customer.hears("agent")
        os.kill(floor.engine.pids[1], signal.SIGKILL)
        lost = await floor.told(lambda event: isinstance(event, LegsLost))
        assert lost == LegsLost(frozenset({customer.leg, inspector.leg}))
        await agent.hears()
        await phones["second"].hears("agent")
        result = await floor.engine.ask(StopRecording(R))
        assert result.failure is None
        assert names_on(channels(result.path)[:, 0])[-1] == set()
        await until(lambda: floor.engine.up == 2)
        await legs_are(floor, 3, 0)
        for phone in (customer, inspector):
            floor.phones.remove(phone)
            phone.hang_up()
        again = await floor.phone("customer")
        await floor.route(TALK)
        await again.hears("agent")
        await agent.hears("customer")
        assert only_of_phones(floor)


async def test_a_recording_whose_worker_dies_is_repaired(tmp_path: Path) -> None:
    async with floor_of(workers=2, legs_per_worker=3) as floor:
        phones = await call_across(floor)
        customer, agent, inspector = (phones[name] for name in ("customer", "agent", "inspector"))
        await floor.engine.ask(StartRecording(Recording(R, tmp_path / "call.wav", customer.leg, agent.leg)))
        await floor.route(WHISPER, recorded={"customer", "agent", "inspector"})
        await until(lambda: len([part for part in tmp_path.glob("*.part") if part.stat().st_size > 4000]) > 1)
        os.kill(floor.engine.pids[0], signal.SIGKILL)
        stopped = await floor.told(lambda event: isinstance(event, RecordingStopped))
        assert isinstance(stopped, RecordingStopped)
        assert set(stopped.result.tracks) == {inspector.leg}
        assert len(channels(tmp_path / "call.wav")) == stopped.result.frames > 0
        await customer.hears()
        await until(lambda: floor.engine.up == 2)
        await legs_are(floor, 0, 2)


async def test_a_join_that_finds_no_room_is_silence_and_no_failure() -> None:
    async with floor_of(workers=2, legs_per_worker=1) as floor:
        # Room for two joins' legs on each worker; other groups' joins may have taken it.
        agent, customer = await floor.phone("agent"), await floor.phone("customer")
        await floor.route({"customer": {"agent"}})
        await customer.hears("agent")
        connection = floor.engine._workers[0].connection
        await connection.call(OpenLeg(LegId("filler"), ""))
        await floor.route(TALK)
        await agent.hears()
        await customer.hears("agent")
        await floor.route({"customer": set()})  # makes room, and the other is tried again
        await agent.hears("customer")
        await customer.hears()
        assert only_of_phones(floor)


async def test_all_workers_full_refuse_a_leg() -> None:
    async with floor_of(workers=2, legs_per_worker=1) as floor:
        for name in ("a", "b"):
            await floor.engine.ask(OpenLeg(LegId(name), "vdn"))
        with pytest.raises(Refused) as refused:
            await floor.engine.ask(OpenLeg(LegId("c"), "vdn"))
        assert refused.value.code is Code.MEDIA_EXHAUSTED
        await floor.engine.ask(CloseLeg(LegId("a")))
        await floor.engine.ask(OpenLeg(LegId("c"), "vdn"))
        assert await legs(floor) == [1, 1]


async def test_media_time_out_concerns_phones_alone() -> None:
    async with floor_of(workers=2, legs_per_worker=1, timeout=0.5, hold_limit=0.8) as floor:
        agent, customer = await floor.phone("agent"), await floor.phone("customer")
        await floor.route({"customer": {"agent"}})
        await customer.hears("agent")
        agent.talks = False
        timed_out = await floor.told(lambda event: isinstance(event, LegTimedOut))
        assert timed_out == LegTimedOut(agent.leg)
        customer.forget()
        await customer.hears()
        assert {type(event) for event in floor.events} == {LegProven, LegTimedOut}
        assert only_of_phones(floor)
