"""Whatever happens, in whatever order: what must hold on every floor.

A machine does random things to a floor and performs its effects as doors and media would, late and out of
step. After each step: nobody hears whom they must not, no leg is lost sight of, refused commands change
nothing, and the events told to an agent lead from the former picture to the present one.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.live.picture import Picture
from tests.vdns import CALLS, INSPECTS, vdn

from sottovoce.clock import ManualClock, moment
from sottovoce.domain import access
from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.calls import CallDirection
from sottovoce.domain.directory import AgentId, Right, VdnId, VdnProfile
from sottovoce.domain.legs import LegId, RecordingResult, ReleaseCause
from sottovoce.domain.lines import LegAnswered, LegGone, LegHeld, LegOffered, LegResumed, LegRinging
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Refused
from sottovoce.live import conversing, hearing
from sottovoce.live import effects as fx
from sottovoce.live.availability import ChangeState, ChooseSkills, ForceState
from sottovoce.live.conferring import Disconnect, LeaveCall, Merge, Reject
from sottovoce.live.consulting import CallInner, Consult
from sottovoce.live.floor import Floor
from sottovoce.live.handling import Answer, CallOut, Hold, Mute, Release, ReleasePhone, TakeBack
from sottovoce.live.hearing import RecordingClosed, RecordingRefused
from sottovoce.live.linkage import HangUpPhone
from sottovoce.live.presence import GONE, CloseFloor, ProfileRead, SignInAgent, SignOfLife, SignOutAgent
from sottovoce.live.requesting import RequestCall, SayNumber
from sottovoce.live.state import Call, LiveSettings
from sottovoce.live.supervising import ChangeMode, DropCall, Intercept, StopSupervision, Supervise
from sottovoce.live.transferring import CancelTransfer, HandOver, How, PickUp
from sottovoce.live.turns import Turns
from sottovoce.live.views import SignIn
from sottovoce.media.engine import LegProven, LegsLost, LegTimedOut

AGENTS = [AgentId(n) for n in (101, 102, 300, 301)]
INSPECTORS = AGENTS[2:]


def profile(*, without: frozenset[AgentId] = frozenset(), powerless=frozenset(), mutual=True) -> VdnProfile:
    calls = CALLS | {Right.PICK_UP}
    both = calls | INSPECTS
    agents = {agent: both if agent in set(INSPECTORS) - powerless else calls for agent in AGENTS}
    made = vdn(
        1,
        agents,
        queues={1: "sales"},
        codes={"800": (1, False), "801": (1, True)},
        outbound=("0",),
        mutual=mutual,
        all_serve=True,
    )
    return replace(made, agents={agent: one for agent, one in made.agents.items() if agent not in without})


class FloorMachine(RuleBasedStateMachine):
    """A floor between doors and media that take their time."""

    def __init__(self) -> None:
        super().__init__()
        self.floor = Floor(profile(), LiveSettings(Path("/r")), itertools.count(1))
        self.turns = Turns(VdnId(1))
        self.clock = ManualClock()
        self.coming: deque[object] = deque()
        self.open: set[LegId] = set()
        self.ringing: set[LegId] = set()
        self.leaving: set[LegId] = set()
        self.hears: dict[LegId, frozenset[LegId]] = {}
        self.music: set[LegId] = set()
        self.recording: set[object] = set()
        self.timers: set[object] = set()
        self.pictures: dict[AgentId, Picture] = {}
        self.offers = itertools.count(1)

    # Doing

    def give(self, given: object, *, may_refuse: bool = False) -> None:
        self.clock.advance(0.01)
        now = moment(self.clock)
        before = self.footprint()
        try:
            if may_refuse:
                self.floor.intent(given, now)
                assert self.footprint() == before
            wanted = self.floor.handle(given, now)
        except Refused:
            assert may_refuse, given
            assert self.footprint() == before
            return
        for effect in wanted:
            self.perform(effect)
        for _ in self.turns.told(given, wanted, self.floor.state):
            pass

    def footprint(self) -> list[object]:
        floor = self.floor.state
        return [
            *(
                (s.agent, s.standing, s.leg, s.leg_up, [*map(id, s.calls)], id(s.inspecting))
                for s in floor.seats.values()
            ),
            *((s.agent, [(i.inspector.agent, i.mode) for i in s.inspectors]) for s in floor.seats.values()),
            *(
                (c.call, c.state, [(p.seat.agent, p.alerting, p.held_at, p.muted) for p in c.parts])
                for c in floor.calls.values()
            ),
        ]

    def perform(self, effect: fx.Effect) -> None:
        match effect:
            case fx.Ring(leg, _, _):
                self.open.add(leg)
                self.ringing.add(leg)
            case fx.Accept(leg):
                self.coming.append(LegAnswered(leg))
            case fx.HangUp(leg, cause):
                if leg in self.open and leg not in self.leaving:
                    self.leaving.add(leg)
                    self.coming.append(LegGone(leg, cause))
                self.hears.pop(leg, None)
                self.hears = {k: v - {leg} for k, v in self.hears.items()}
            case fx.Apply(routing):
                alive = self.open - self.leaving
                self.hears |= {
                    leg: frozenset(v for v in voices if v in alive)
                    for leg, voices in routing.hears.items()
                    if leg in alive
                }
            case fx.Play(leg, sound) if sound is None or sound.loop:
                (self.music.add if sound else self.music.discard)(leg)
            case fx.StartRecording(recording):
                assert recording.recording not in self.recording
                self.recording.add(recording.recording)
            case fx.StopRecording(recording):
                self.recording.remove(recording)
                self.coming.append(RecordingClosed(recording, RecordingResult(recording, Path("/r"), 1)))
            case fx.Arm(timer, _):
                self.timers.add(timer)
            case fx.Disarm(timer):
                self.timers.discard(timer)
            case fx.OpenFeed(agent):
                seat = self.floor.state.seats.get(agent)
                known = self.pictures.get(agent)
                if known is None or seat is None:
                    self.pictures[agent] = Picture(AgentState.SIGNED_OUT)
                    self.fresh(agent)
            case fx.Emit(event):
                if event.agent in self.pictures:
                    self.pictures[event.agent].learn(event)
            case fx.CloseFeed(agent):
                self.pictures.pop(agent, None)

    def fresh(self, agent: AgentId) -> None:
        seat = self.floor.state.seats.get(agent)
        if seat is not None:
            picture = self.pictures[agent]
            picture.inspectors = {s.inspector.agent for s in seat.inspectors if not s.reaching}

    # What may happen

    @initialize(others=st.sets(st.sampled_from(AGENTS)), keep=st.booleans())
    def some_are_at_work(self, others, keep):
        for agent in sorted({AGENTS[0], AGENTS[2]} | others):
            self.sign_in(agent, keep, True, True)
        self.call_in("800")
        self.everything_settles()

    @rule(agent=st.sampled_from(AGENTS), keep=st.booleans(), auto=st.booleans(), idle=st.booleans())
    def sign_in(self, agent, keep, auto, idle):
        wish = SignIn("", "", auto, idle, not keep)
        self.give(SignInAgent(agent, wish, "g"), may_refuse=True)
        self.give(ChooseSkills(agent, (), every=True), may_refuse=True)

    @rule(agent=st.sampled_from(AGENTS), force=st.booleans())
    def sign_out(self, agent, force):
        self.give(SignOutAgent(agent, force), may_refuse=True)

    @rule(called=st.sampled_from(["800", "801", "999"]))
    def call_in(self, called):
        leg = LegId(f"in{next(self.offers)}")
        self.open.add(leg)
        self.give(LegOffered(leg, VdnId(1), "555", called))

    @rule(agent=st.sampled_from(AGENTS))
    def call_out(self, agent):
        self.give(CallOut(agent, "0123"), may_refuse=True)

    @rule(agent=st.sampled_from(AGENTS), other=st.sampled_from([*AGENTS, 1]), consult=st.booleans())
    def call_another(self, agent, other, consult):
        kind = Consult if consult else CallInner
        self.give(kind(agent, other, queue=other == 1), may_refuse=True)

    @rule(agent=st.sampled_from(AGENTS), other=st.sampled_from([*AGENTS, 1]), settle=st.booleans())
    def ask_another_in(self, agent, other, settle):
        self.give(Consult(agent, other, queue=other == 1, joins=True), may_refuse=True)
        if settle:
            self.everything_settles()

    @rule(
        agent=st.sampled_from(AGENTS),
        to=st.sampled_from([*AGENTS, 1, "0123", "0124"]),
        how=st.sampled_from(How),
        settle=st.booleans(),
    )
    def hand_over(self, agent, to, how, settle):
        self.give(HandOver(agent, to, how, queue=to == 1), may_refuse=True)
        if settle:
            self.everything_settles()

    @rule(to=st.sampled_from([*AGENTS, 1, "0123"]), how=st.sampled_from(How), settle=st.booleans())
    def whoever_talks_hands_over(self, to, how, settle):
        for agent in sorted(self.floor.state.seats):
            self.hand_over(agent, to, how, settle)

    @rule(agent=st.sampled_from(AGENTS))
    def cancel_transfers(self, agent):
        self.give(CancelTransfer(agent), may_refuse=True)

    @rule(agent=st.sampled_from(AGENTS))
    def request_what_waits(self, agent):
        for waiting in self.floor.state.queues.waiting():
            self.give(RequestCall(agent, waiting.call), may_refuse=True)

    @rule(agent=st.sampled_from(AGENTS))
    def say_the_number(self, agent):
        self.give(SayNumber(agent, Path("/r/agent.wav")), may_refuse=True)

    @rule(agent=st.sampled_from(AGENTS))
    def put_the_phone_down(self, agent):
        self.give(HangUpPhone(agent), may_refuse=True)

    @rule(agent=st.sampled_from(AGENTS), other=st.sampled_from(AGENTS))
    def pick_up_or_put_down(self, agent, other):
        self.give(PickUp(agent, other) if other != agent else ReleasePhone(agent), may_refuse=True)

    @rule(stays=st.booleans(), settle=st.booleans())
    def merge_what_is_held(self, stays, settle):
        for seat in list(self.floor.state.seats.values()):
            for call in seat.waiting:
                self.give(Merge(seat.agent, call.call, stays), may_refuse=True)
        if settle:
            self.everything_settles()

    @rule(consult=st.booleans(), data=st.data())
    def whoever_talks_makes_another_call(self, consult, data):
        for seat in list(self.floor.state.seats.values()):
            if seat.call is not None and seat.call.talking:
                self.give(Hold(seat.agent), may_refuse=True)
                other = data.draw(st.sampled_from(AGENTS))
                asked = Consult(seat.agent, other) if consult else CallOut(seat.agent, "0124")
                self.give(asked, may_refuse=True)
        self.everything_settles()

    @rule(agent=st.sampled_from(AGENTS), data=st.data())
    def leave_one(self, agent, data):
        calls = self.floor.state.seats[agent].calls if agent in self.floor.state.seats else []
        if calls:
            self.give(LeaveCall(agent, data.draw(st.sampled_from([c.call for c in calls]))), may_refuse=True)

    @rule(agent=st.sampled_from(AGENTS), number=st.sampled_from(["101", "102", "300", "555", "0123", "0124"]))
    def disconnect(self, agent, number):
        self.give(Disconnect(agent, number), may_refuse=True)

    @rule(agent=st.sampled_from(AGENTS), kind=st.sampled_from([Answer, Hold, TakeBack, Release, Reject]))
    def handle_call(self, agent, kind):
        self.give(kind(agent), may_refuse=True)

    @rule(kind=st.sampled_from([Answer, Hold, TakeBack]), settle=st.booleans())
    def handle_all_calls(self, kind, settle):
        for seat in list(self.floor.state.seats.values()):
            if seat.call is not None:
                self.give(kind(seat.agent), may_refuse=True)
        if settle:
            self.everything_settles()

    @rule(agent=st.sampled_from(AGENTS), on=st.booleans())
    def mute(self, agent, on):
        self.give(Mute(agent, on), may_refuse=True)

    @rule(
        agent=st.sampled_from(AGENTS),
        trigger=st.sampled_from(
            [
                Trigger.SAY_BUSY,
                Trigger.CANCEL_BUSY,
                Trigger.SAY_IDLE,
                Trigger.REST,
                Trigger.CANCEL_REST,
                Trigger.WORK,
                Trigger.CANCEL_WORK,
            ]
        ),
    )
    def change_state(self, agent, trigger):
        self.give(ChangeState(agent, trigger, 201, 60, prolong=True), may_refuse=True)

    @rule(
        by=st.sampled_from(INSPECTORS),
        agent=st.sampled_from(AGENTS),
        trigger=st.sampled_from([Trigger.FORCE_BUSY, Trigger.FORCE_IDLE, Trigger.FORCE_REST]),
    )
    def force(self, by, agent, trigger):
        self.give(ForceState(by, agent, trigger, 1, 60), may_refuse=True)

    @rule(
        by=st.sampled_from(INSPECTORS),
        agent=st.sampled_from(AGENTS),
        mode=st.sampled_from(Mode),
        at_once=st.booleans(),
    )
    def supervise(self, by, agent, mode, at_once):
        self.give(Supervise(by, agent, mode), may_refuse=True)
        if at_once:
            self.everything_settles()

    @rule(by=st.sampled_from(INSPECTORS), mode=st.sampled_from(Mode))
    def supervise_whoever_talks(self, by, mode):
        for seat in list(self.floor.state.seats.values()):
            if seat.call is not None and seat.call.talking:
                self.supervise(by, seat.agent, mode, True)

    @rule(by=st.sampled_from(INSPECTORS), mode=st.sampled_from([*Mode, None]))
    def change_mode(self, by, mode):
        self.give(ChangeMode(by, None, mode), may_refuse=True)

    @rule(by=st.sampled_from(INSPECTORS), whisper=st.booleans())
    def stop(self, by, whisper):
        self.give(StopSupervision(by, None, whisper), may_refuse=True)

    @rule(by=st.sampled_from(INSPECTORS), agent=st.sampled_from(AGENTS))
    def intercept(self, by, agent):
        self.give(Intercept(by, agent), may_refuse=True)

    @rule(settle=st.booleans())
    def intercept_what_is_supervised(self, settle):
        for seat in list(self.floor.state.seats.values()):
            if seat.inspecting is not None:
                self.give(Intercept(seat.agent, seat.inspecting.target.agent), may_refuse=True)
        if settle:
            self.everything_settles()

    @precondition(lambda self: self.floor.state.calls)
    @rule(by=st.sampled_from(INSPECTORS), data=st.data())
    def drop(self, by, data):
        self.give(DropCall(by, data.draw(st.sampled_from(sorted(self.floor.state.calls)))), may_refuse=True)

    @precondition(lambda self: self.coming)
    @rule()
    def next_comes(self):
        given = self.coming.popleft()
        if isinstance(given, LegGone):
            self.open.discard(given.leg)
            self.leaving.discard(given.leg)
            self.ringing.discard(given.leg)
            self.music.discard(given.leg)
        self.give(given)

    @rule()
    def everything_settles(self):
        for _ in range(3):
            while self.coming:
                self.next_comes()
            for leg in sorted(self.ringing - self.leaving):
                if leg in self.ringing - self.leaving:
                    self.ringing.discard(leg)
                    self.give(LegAnswered(leg))

    @precondition(lambda self: self.ringing - self.leaving)
    @rule(data=st.data(), answers=st.booleans())
    def far_side_rings_or_lifts(self, data, answers):
        leg = data.draw(st.sampled_from(sorted(self.ringing - self.leaving)))
        if answers:
            self.ringing.discard(leg)
        self.give(LegAnswered(leg) if answers else LegRinging(leg))

    @precondition(lambda self: self.open - self.leaving)
    @rule(data=st.data(), cause=st.sampled_from([ReleaseCause.NORMAL, ReleaseCause.BUSY]))
    def far_side_hangs_up(self, data, cause):
        leg = data.draw(st.sampled_from(sorted(self.open - self.leaving)))
        self.leaving.add(leg)
        self.hears.pop(leg, None)
        self.hears = {k: v - {leg} for k, v in self.hears.items()}
        self.open.discard(leg)
        self.leaving.discard(leg)
        self.ringing.discard(leg)
        self.music.discard(leg)
        self.give(LegGone(leg, cause))

    @precondition(lambda self: self.open - self.leaving)
    @rule(data=st.data(), kind=st.sampled_from([LegHeld, LegResumed, LegTimedOut, LegProven, LegsLost]))
    def something_happens_to_a_leg(self, data, kind):
        leg = data.draw(st.sampled_from(sorted(self.open - self.leaving)))
        self.give(kind(frozenset({leg})) if kind is LegsLost else kind(leg))

    @precondition(lambda self: self.recording)
    @rule(data=st.data())
    def a_recording_fails(self, data):
        recording = data.draw(st.sampled_from(sorted(self.recording)))
        self.give(RecordingRefused(recording, "full"))
        self.recording.discard(recording)

    @precondition(lambda self: self.timers)
    @rule(data=st.data())
    def a_timer_runs_out(self, data):
        timer = data.draw(st.sampled_from(sorted(self.timers, key=repr)))
        self.timers.discard(timer)
        self.give(timer)

    @rule(
        without=st.frozensets(st.sampled_from(AGENTS), max_size=2),
        powerless=st.frozensets(st.sampled_from(INSPECTORS), max_size=1),
        mutual=st.booleans(),
    )
    def the_directory_changes(self, without, powerless, mutual):
        self.give(ProfileRead(profile(without=without, powerless=powerless, mutual=mutual)))

    @rule(agent=st.sampled_from(AGENTS))
    def a_client_polls_again(self, agent):
        if agent in self.floor.state.lapsing:
            self.give(SignOfLife(agent))

    # What must hold

    @invariant()
    def what_runs_is_permitted(self):
        floor = self.floor.state
        for seat in floor.seats.values():
            if seat.lapsed:
                assert seat.state.engaged, "only a call puts a sign-out off"
                assert seat.inspecting is None or seat.lapsed != GONE
                continue
            assert seat.profile is floor.profile.agents[seat.agent]
            if seat.inspecting is not None:
                access.inspected(floor.profile, seat.profile, seat.inspecting.target.agent)

    @invariant()
    def the_engine_does_what_the_state_says(self):
        wanted: dict[LegId, frozenset[LegId]] = {}
        floor = self.floor.state
        tables = [hearing.table(seat) for seat in floor.seats.values()]
        for table in tables + [conversing.of_call(call).table for call in floor.calls.values()]:
            for leg, voices in table.hears.items():
                assert wanted.setdefault(leg, voices) == voices
        assert {k: v for k, v in wanted.items() if v} == {k: v for k, v in self.hears.items() if v}

    @invariant()
    def no_customer_hears_an_inspector_who_does_not_insert(self):
        floor = self.floor.state
        customers = {one.leg for call in floor.calls.values() for one in call.customers}
        for seat in floor.seats.values():
            supervision = seat.inspecting
            if supervision is None or seat.leg is None:
                continue
            for listener, voices in self.hears.items():
                if seat.leg not in voices:
                    continue
                assert supervision.mode is not Mode.LISTEN
                assert not supervision.reaching
                if supervision.mode is Mode.WHISPER:
                    assert listener == supervision.target.leg
                if listener in customers:
                    assert supervision.mode is Mode.INSERT
                    assert listener in {one.leg for one in supervision.target.call.customers}

    @invariant()
    def a_held_or_waiting_customer_hears_nobody(self):
        for call in self.floor.state.calls.values():
            for customer in call.customers:
                if not call.talking or not customer.up or hearing.on_hold(call):
                    assert not self.hears.get(customer.leg)
                    if call.talking and customer.up:
                        assert customer.leg in self.music
                elif call.talking:
                    assert customer.leg not in self.music
                    assert self.hears.get(customer.leg) or any(part.muted for part in call.parts)

    @invariant()
    def no_leg_is_lost_sight_of(self):
        floor = self.floor.state
        assert set(floor.legs) <= self.open
        for leg in self.open - set(floor.legs):
            assert leg in self.leaving
        for leg, owner in floor.legs.items():
            assert owner.outside(leg) if isinstance(owner, Call) else owner.leg == leg

    @invariant()
    def calls_and_seats_agree(self):
        floor = self.floor.state
        for seat in floor.seats.values():
            for call in seat.calls:
                assert call.part(seat).seat is seat
                assert floor.calls[call.call] is call
            if seat.state.engaged:
                assert (seat.call is None) is (seat.inspecting is not None)
            if seat.inspecting is not None:
                assert seat.inspecting in seat.inspecting.target.inspectors
            for supervision in seat.inspectors:
                assert supervision.inspector.inspecting is supervision
        parts = [(call, part) for call in floor.calls.values() for part in call.parts]
        assert all(call in part.seat.calls for call, part in parts)
        segments = [part.segment for _, part in parts if part.segment is not None]
        assert {one.recording for one in segments if one.failure is None} == self.recording
        for call, part in parts:
            kept = isinstance(call.direction, CallDirection)
            assert (part.segment is not None) is (call.talking and not part.alerting and kept)

    @invariant()
    def the_log_tells_each_turn(self):
        floor = self.floor.state
        assert set(self.turns.calls) == set(floor.calls)
        leading = [s.inspecting for s in floor.seats.values() if s.inspecting is not None]
        assert self.turns.modes == {s.inspector.agent: s.mode for s in leading if not s.reaching}

    @invariant()
    def events_lead_from_picture_to_picture(self):
        for agent, seat in self.floor.state.seats.items():
            picture = self.pictures[agent]
            assert picture.state is seat.state
            assert picture.phone is seat.leg_up
            assert picture.inspectors == {s.inspector.agent for s in seat.inspectors if not s.reaching}
            if seat.state in (AgentState.ANSWERING, AgentState.TALKING):
                told = [(call, call.part(seat)) for call in seat.calls if call.part(seat).presented]
                assert picture.calls == {call.call: part.held_at is not None for call, part in told}

    def teardown(self):
        self.give(CloseFloor())
        while self.coming:
            self.next_comes()
        assert self.open == set()
        assert self.recording == set()
        assert self.floor.state.closing == {}
        assert self.floor.state.calls == {}
        assert all(not voices for voices in self.hears.values())


TestFloorMachine = FloorMachine.TestCase
TestFloorMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
