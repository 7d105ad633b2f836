"""Waiting in a queue: who is let in, who else may help after a time, and where a call goes at last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.live.refusals import refused
from tests.live.test_calling import contacts

from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.directory import (
    AgentId,
    Announcing,
    Overflow,
    QueueRules,
    SkillId,
    SkillLevel,
    VdnId,
    WayOut,
)
from sottovoce.domain.figures import Figures
from sottovoce.domain.journal import Restored, WaitBegan, WaitEnded
from sottovoce.domain.legs import ReleaseCause
from sottovoce.errors import Code, Refused
from sottovoce.live.availability import ChangeState, ChooseSkills
from sottovoce.live.consulting import CallInner
from sottovoce.live.handling import Release
from sottovoce.live.transferring import HandOver, How
from sottovoce.media.engine import Play, SoundEnded

A, B, C = AgentId(101), AgentId(102), AgentId(103)
SALES, HELP = SkillId(1), SkillId(2)
GOODBYE = "/srv/closed.wav"


async def configure(stage, rules=None, *, levels=None, head_starts=None):
    """Give the queues rules, agents levels of skills, access codes head starts."""
    profile = stage.store.profiles[VdnId(1)]
    skills = {
        skill: replace(one, rules=(rules or {}).get(skill, one.rules))
        for skill, one in profile.skills.items()
    }
    agents = {
        agent: replace(one, levels=tuple(SkillLevel(*pair) for pair in (levels or {}).get(agent, {}).items()))
        for agent, one in profile.agents.items()
    }
    codes = {
        number: replace(one, head_start_s=(head_starts or {}).get(number, 0.0))
        for number, one in profile.access_codes.items()
    }
    stage.store.profiles[VdnId(1)] = replace(profile, skills=skills, agents=agents, access_codes=codes)
    await stage.desk.reload(VdnId(1))


async def serve(stage, agent, *skills):
    await stage.sign_in(agent, skills=False)
    await stage.desk.ask(ChooseSkills(AgentId(agent), skills))
    await stage.quiet()


def waits(stage):
    """What the journal says of waits: queue, seconds, how each ended, who answered."""
    return [
        (
            change.skill,
            round((change.at - change.began_at).total_seconds()),
            change.outcome.value,
            change.agent,
        )
        for change in stage.store.written
        if isinstance(change, WaitEnded)
    ]


async def test_the_best_agent_gets_the_call_and_among_equals_who_is_idle_longest(stage):
    await configure(stage, levels={A: {SALES: 2}})
    await stage.sign_in(101, 102, 103)
    for number, phone in (("555", "1102"), ("556", "1103"), ("557", "1101")):
        await stage.call_in(number)
        assert stage.hears()[number] == {phone}
    assert waits(stage) == [(SALES, 0, "answered", agent) for agent in (B, C, A)]


async def test_a_head_start_lets_a_call_pass(stage):
    await configure(stage, head_starts={"901": 30.0})
    await stage.call_in("555", "801")
    await stage.later(40)
    await stage.call_in("556", "801")
    await stage.later(10)
    await stage.call_in("557", "901")
    for number in ("555", "557"):
        await stage.sign_in(101) if number == "555" else await stage.desk.ask(Release(A))
        await stage.quiet()
        assert stage.hears()[number] == {"1101"}
    assert stage.hears()["556"] == {"♪"}


async def test_after_a_time_agents_of_another_queue_help(stage):
    await configure(stage, {SALES: QueueRules(overflow=(Overflow(30, HELP),))})
    await serve(stage, 102, HELP)
    await stage.call_in("555")
    await stage.later(29)
    assert stage.hears() == {"555": {"♪"}}
    stage.phone(102).ready = False
    await stage.later(1)
    assert stage.state(102) is AgentState.PREOCCUPIED
    await stage.later(20)
    assert stage.state(102) is AgentState.BUSY, "nobody took it"
    await serve(stage, 103, HELP)
    assert stage.hears() == {"555": {"1103"}, "1103": {"555"}}, "it is open to them still"
    assert waits(stage) == [(SALES, 50, "answered", C)]


async def test_who_waited_too_long_goes_to_another_queue_and_keeps_the_place(stage):
    await configure(stage, {SALES: QueueRules(time_out_s=60, way_out=WayOut(HELP))})
    await stage.call_in("555")
    await stage.later(50)
    await stage.call_in("556", "901")
    await stage.later(10)
    assert stage.hears() == {"555": {"♪"}, "556": {"♪"}}
    await serve(stage, 102, HELP)
    assert stage.hears() == {"555": {"1102"}, "1102": {"555"}, "556": {"♪"}}, "who came first goes first"
    assert waits(stage) == [(SALES, 60, "timed_out", None), (HELP, 0, "answered", B)]


async def test_who_waited_too_long_goes_to_a_number_outside(stage):
    await configure(stage, {SALES: QueueRules(time_out_s=60, way_out=WayOut(number="0777"))})
    outside = stage.lines.phone("0777", ready=False)
    await stage.call_in("555")
    await stage.later(60)
    assert stage.hears() == {"555": {"♪"}, "0777": set()}
    await stage.sign_in(101)
    assert stage.state(101) is AgentState.IDLE, "it is no queue's call any more"
    outside.lift()
    await stage.quiet()
    assert stage.hears() == {"555": {"0777"}, "0777": {"555"}}
    outside.hang_up()
    await stage.quiet()
    assert stage.hears() == {}
    assert waits(stage) == [(SALES, 60, "timed_out", None)]


@pytest.mark.parametrize("fails", ["busy", "rings out", "not allowed"])
async def test_a_number_outside_that_does_not_come_ends_the_call(stage, fails):
    number = "9777" if fails == "not allowed" else "0777"
    await configure(stage, {SALES: QueueRules(time_out_s=60, way_out=WayOut(number=number))})
    outside = stage.lines.phone(number, ready=False)
    await stage.call_in("555")
    await stage.later(60)
    if fails == "busy":
        outside.hang_up(ReleaseCause.BUSY)
    elif fails == "rings out":
        await stage.later(60)
    await stage.quiet()
    assert stage.hears() == {}
    assert stage.lines.phones["555"].leg is None


@pytest.mark.parametrize("ends", ["heard", "never told", "hung up"])
@pytest.mark.parametrize("called", ["801", "901"])
async def test_a_last_word_and_the_end(stage, called, ends):
    """`901` has early media: its line is answered first."""
    rules = QueueRules(time_out_s=60, way_out=WayOut(announcement=GOODBYE))
    await configure(stage, {SALES: rules, HELP: rules})
    customer = await stage.call_in("555", called)
    await stage.later(60)
    await stage.quiet()
    assert list(stage.engine.playing.values()) == [GOODBYE]
    leg = customer.leg
    await stage.sign_in(101)
    assert stage.state(101) is AgentState.IDLE
    if ends == "heard":
        stage.engine.tell(SoundEnded(leg, "another"))
        await stage.quiet()
        assert customer.leg is not None
        stage.engine.tell(SoundEnded(leg, GOODBYE))
        await stage.quiet()
    elif ends == "never told":
        await stage.later(60)
    else:
        customer.hang_up()
        await stage.quiet()
    assert customer.leg is None
    assert waits(stage) == [({"801": SALES, "901": HELP}[called], 60, "timed_out", None)]


async def test_without_a_way_out_the_call_ends(stage):
    await configure(stage, {SALES: QueueRules(time_out_s=60)})
    customer = await stage.call_in("555")
    await stage.later(60)
    assert customer.leg is None
    assert contacts(stage) == ["began inbound 555 801", "ended queue: timed out"]


async def test_a_queue_that_is_full(stage):
    """Without a way out the line is not even answered; else it is taken straight away."""
    await configure(stage, {SALES: QueueRules(longest=1)})
    await stage.call_in("555")
    await stage.call_in("556")
    assert list(stage.lines.ends.values()) == [ReleaseCause.OVERLOAD]
    await stage.sign_in(101, skills=False)
    await refused(Code.MEDIA_EXHAUSTED, stage.desk.call_out(CallInner(A, SALES, queue=True)))
    await configure(stage, {SALES: QueueRules(longest=1, way_out=WayOut(HELP))})
    await stage.call_in("557")
    await stage.later(0)
    assert stage.hears() == {"555": {"♪"}, "557": {"♪"}}
    await serve(stage, 102, HELP)
    assert stage.hears()["557"] == {"1102"}
    assert waits(stage) == [(SALES, 0, "no_room", None), (HELP, 0, "answered", B)]
    await configure(stage, {SALES: QueueRules(longest=0, way_out=WayOut(HELP)), HELP: QueueRules(longest=0)})
    await stage.call_in("558")
    assert list(stage.lines.ends.values()) == [ReleaseCause.OVERLOAD] * 2


async def test_ways_out_that_lead_in_a_circle_end(stage):
    """No seed file can; a configuration that changed while calls wait could."""
    out = {SALES: WayOut(HELP), HELP: WayOut(SALES)}
    await configure(stage, {skill: QueueRules(time_out_s=10, way_out=way) for skill, way in out.items()})
    customer = await stage.call_in("555")
    for _ in range(5):
        await stage.later(10)
        assert stage.hears() == {"555": {"♪"}}
    await stage.later(10)
    assert customer.leg is None


async def test_who_hangs_up_while_waiting_or_ringing_abandons(stage):
    customer = await stage.call_in("555")
    await stage.later(3)
    customer.hang_up()
    await stage.quiet()
    stage.phone(101).ready = False
    await stage.sign_in(101)
    customer = await stage.call_in("556")
    await stage.later(8)
    customer.hang_up()
    await stage.quiet()
    assert waits(stage) == [(SALES, 3, "abandoned", None), (SALES, 8, "abandoned", None)]
    assert len([change for change in stage.store.written if isinstance(change, WaitBegan)]) == 2


async def test_a_transfer_keeps_the_place_that_its_arrival_gives_it(stage):
    await stage.sign_in(101, skills=False)
    await stage.desk.ask(ChooseSkills(A, (SALES,)))
    await stage.call_in("555")
    await stage.call_in("556", "901")
    await stage.desk.ask(HandOver(A, HELP, How.BLIND, queue=True))
    await stage.quiet()
    await serve(stage, 102, HELP)
    assert stage.hears()["555"] == {"1102"}, "it came before the other"
    assert stage.hears()["556"] == {"♪"}


async def test_a_transfer_that_waited_too_long_is_the_agent_s_again(stage):
    await configure(stage, {HELP: QueueRules(time_out_s=30, way_out=WayOut(announcement=GOODBYE))})
    await stage.sign_in(101, skills=False)
    await stage.desk.ask(ChooseSkills(A, (SALES,)))
    await stage.call_in("555")
    await stage.desk.ask(HandOver(A, HELP, How.ANSWERED, queue=True))
    await stage.forget(101)
    await stage.later(30)
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}
    assert (await stage.names(101))[:2] == ["ConnectFailed", "TransferEnded"]
    assert waits(stage) == [(SALES, 0, "answered", A), (HELP, 30, "timed_out", None)]


async def test_a_colleague_s_call_to_a_queue_ends_when_it_waited_too_long(stage):
    await configure(stage, {HELP: QueueRules(time_out_s=30, way_out=WayOut(number="0777"))})
    await stage.sign_in(101, skills=False)
    await stage.desk.call_out(CallInner(A, HELP, queue=True))
    await stage.quiet()
    await stage.later(30)
    assert stage.desk.call_ids(A) == ()
    assert waits(stage) == [], "nothing is kept of calls between agents"


async def test_each_queue_has_its_music(stage):
    await configure(stage, {SALES: QueueRules(music="/srv/waltz.wav")})
    await stage.call_in("555")
    await stage.call_in("556", "901")
    assert sorted(stage.engine.playing.values()) == ["/srv/waltz.wav", "music"]


async def test_what_cannot_be_played_costs_nobody_the_music_and_keeps_no_call(stage):
    def unreadable(request):
        if isinstance(request, Play) and request.sound is not None and "/srv" in "".join(request.sound.names):
            raise Refused(Code.BAD_PARAMETER, "cannot play")

    out = WayOut(announcement=GOODBYE)
    await configure(stage, {SALES: QueueRules(music="/srv/waltz.wav", time_out_s=60, way_out=out)})
    stage.engine.fault = unreadable
    customer = await stage.call_in("555")
    assert list(stage.engine.playing.values()) == ["music"]
    await stage.later(60)
    assert customer.leg is None


async def test_who_is_busy_is_given_nothing_whatever_their_level(stage):
    await configure(stage, levels={B: {SALES: 9}})
    await stage.sign_in(101, 102)
    await stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY))
    await stage.call_in("555")
    assert stage.hears()["555"] == {"1102"}


async def test_callers_are_told_their_position_and_the_expected_wait(stage):
    """As far as that is known; in the queue's language, before its music."""
    told = Announcing(first_s=20, every_s=60, wait=True, language="de")
    await configure(stage, {SALES: QueueRules(announcing=told, music="/srv/waltz.wav")})
    sounds = []
    stage.engine.fault = lambda request: sounds.append(request.sound) if isinstance(request, Play) else None

    def said():
        spoken = [sound.before for sound in sounds if sound is not None and sound.before]
        sounds.clear()
        return [" ".join(f"{Path(one).parent.name}/{Path(one).stem}" for one in files) for files in spoken]

    await stage.call_in("554")
    await stage.call_in("555")
    await stage.later(19)
    assert said() == []
    await stage.later(1)
    assert said() == [
        "de/position de/1 de/in-queue",
        "de/position de/2 de/in-queue",
    ]
    await stage.later(59)
    assert said() == []
    await stage.sign_in(101)
    await stage.later(1)
    assert said() == ["de/position de/1 de/in-queue de/wait de/2 de/minutes"], "who was answered waited 79 s"
    await stage.desk.ask(Release(A))
    await stage.quiet()
    await stage.later(600)
    assert said() == [], "nobody waits"
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}


async def test_the_day_s_figures_survive_a_restart(stage, new_stage):
    await stage.sign_in(101)
    await stage.call_in("555")
    await stage.later(9)
    customer = await stage.call_in("556")
    await stage.later(30)
    customer.hang_up()
    await stage.quiet()
    figures = Figures(2, 1, 1, 1, longest_s=30.0)
    [sales, support] = stage.desk.floor_view(VdnId(1)).queues
    assert (sales.today, support.today) == (figures, Figures())
    assert (sales.agents, sales.free) == (1, 0)
    again = new_stage()
    kept = [change for change in stage.store.written if isinstance(change, WaitEnded)]
    again.store.restored[VdnId(1)] = Restored(waits=kept)
    await again.desk.open([VdnId(1)])
    assert again.desk.floor_view(VdnId(1)).queues[0].today == figures
    await again.later(86_400)
    assert again.desk.floor_view(VdnId(1)).queues[0].today == Figures(), "another day"
    await again.desk.close()
    await again.tasks.close()


async def test_a_day_begins_by_the_vdn_s_clock(stage):
    profile = stage.store.profiles[VdnId(1)]
    stage.store.profiles[VdnId(1)] = replace(profile, time_zone="Asia/Tokyo")
    await stage.desk.reload(VdnId(1))
    await stage.sign_in(101)
    await stage.call_in("555")
    local_midnight = 24 - (stage.clock.now().hour + 9) % 24
    await stage.later(local_midnight * 3600 - 60)
    assert stage.desk.floor_view(VdnId(1)).queues[0].today.offered == 1
    await stage.later(120)
    assert stage.desk.floor_view(VdnId(1)).queues[0].today.offered == 0
