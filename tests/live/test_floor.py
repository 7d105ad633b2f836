"""Transcripts: what goes into a floor, and what comes out, line by line.

Lines with `>` are inputs; the others are the effects in their order. Legs are named by their party.
"""

from __future__ import annotations

import ast
import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from tests.vdns import INSPECTS, NO_RIGHT, vdn

from sottovoce.clock import Moment
from sottovoce.config import AgentSettings
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import LegAnswered, LegGone, LegOffered
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Refused
from sottovoce.live import effects as fx
from sottovoce.live import inputs
from sottovoce.live.availability import ChooseSkills
from sottovoce.live.floor import SUBJECTS, Floor, Input
from sottovoce.live.handling import Hold, Release
from sottovoce.live.inputs import Command
from sottovoce.live.presence import SignInAgent, SignOutAgent
from sottovoce.live.state import LiveSettings
from sottovoce.live.supervising import ChangeMode, Intercept, StopSupervision, Supervise
from sottovoce.live.views import SignIn

A, I = AgentId(101), AgentId(300)  # noqa: E741
VDN = vdn(1, {A: NO_RIGHT, I: INSPECTS}, queues={1: "sales"}, codes={"800": (1, False)})
SETTINGS = LiveSettings(Path("/r"), AgentSettings(ring_timeout=20, wrap_up_limit=0))


class Script:
    """A floor whose doings are written down."""

    def __init__(self) -> None:
        self.floor = Floor(VDN, SETTINGS, itertools.count(1))
        self.legs: dict[LegId, str] = {}
        self.lines: list[str] = []

    def give(self, given: object) -> None:
        self.lines.append(f"> {type(given).__name__}")
        for effect in self.floor.handle(given, Moment(datetime(2026, 1, 1, tzinfo=UTC), 0.0)):
            if (line := self.describe(effect)) is not None:
                self.lines.append(line)

    def name(self, leg: LegId) -> str:
        return self.legs.get(leg, leg)

    def leg(self, name: str) -> LegId:
        return next(leg for leg, known in self.legs.items() if known == name)

    def describe(self, effect: fx.Effect) -> str | None:
        match effect:
            case fx.Emit(event):
                return f"tell {event.agent} {type(event).__name__}"
            case fx.Apply(routing):
                rows = sorted(
                    f"{self.name(leg)}:{'+'.join(sorted(map(self.name, voices))) or '-'}"
                    for leg, voices in routing.hears.items()
                )
                tracks = "+".join(sorted(map(self.name, routing.recorded)))
                return f"hears {' '.join(rows)}" + (f" recorded {tracks}" if routing.recording else "")
            case fx.Ring(leg, to, _):
                self.legs[leg] = f"phone{to.number}"
                return f"ring {to.number}"
            case fx.Play(leg, sound):
                return f"play {self.name(leg)} {sound.name if sound else '-'}"
            case fx.HangUp(leg, cause):
                return f"hang up {self.name(leg)} {cause.value}"
            case fx.Accept(leg):
                return f"accept {self.name(leg)}"
            case fx.StartRecording():
                return "record"
            case fx.StopRecording():
                return "stop recording"
            case fx.Append(changes):
                return f"journal {' '.join(type(change).__name__ for change in changes)}"
            case fx.Arm(timer, seconds):
                return f"arm {type(timer).__name__} {seconds:g}"
            case fx.Disarm(timer):
                return f"disarm {type(timer).__name__}"
        return None

    def transcript(self) -> str:
        lines, self.lines = self.lines, []
        return "\n".join(lines)


@pytest.fixture
def script() -> Script:
    made = Script()
    for agent in (A, I):
        made.give(SignInAgent(agent, SignIn("", ""), "guid"))
    made.give(ChooseSkills(A, (), every=True))
    made.transcript()
    return made


def expect(script: Script, text: str) -> None:
    assert script.transcript().splitlines() == [line.strip() for line in text.strip().splitlines()]


def call(script: Script) -> None:
    script.legs[LegId("c")] = "customer"
    script.give(LegOffered(LegId("c"), VdnId(1), "555", "800"))
    script.give(LegAnswered(LegId("c")))
    script.give(LegAnswered(script.leg("phone1101")))


def of_subjects(kind: type) -> set[type]:
    return {
        found
        for module in SUBJECTS
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, kind) and found.__module__ == module.__name__
    }


def test_every_input_has_a_transition():
    kinds = {kind for union in get_args(Input) for kind in (get_args(union) or (union,))}
    assert kinds - {Command} == set(inputs.HAPPENINGS)
    assert of_subjects(Command) == set(inputs.COMMANDS)


# Copied by hand: what is on record before it happens, and what an inspector's next wish overtakes.
WAITING = {
    "SignInAgent",
    "ChangePassword",
    "RecordTalksOf",
    "ForceSignOut",
    "ForceState",
    "AdjustSkills",
    "Supervise",
    "ChangeMode",
    "Intercept",
}
WAITING |= {"DropCall"}
IN_TURN = {"Supervise", "ChangeMode", "StopSupervision", "Intercept"}


def test_every_command_has_its_check_or_never_waits():
    rules = {kind.__name__: rule for kind, rule in inputs.COMMANDS.items()}
    assert {name for name, rule in rules.items() if rule.check is not None} == WAITING
    assert {name for name, rule in rules.items() if rule.in_turn} == IN_TURN


def test_every_command_can_be_asked_for():
    """Some module outside the floor makes each of them: an interface, the desk, or the sessions."""
    source = Path(inputs.__file__).parent.parent
    askers = [
        *(source / "http" / "ccgateway").glob("*.py"),
        source / "live/desk.py",
        source / "live/sessions.py",
    ]
    made = {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for path in askers
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
    }
    assert {kind.__name__ for kind in inputs.COMMANDS} <= made


def test_an_inbound_call(script):
    call(script)
    expect(
        script,
        """
        > LegOffered
        journal ContactBegan
        accept customer
        > LegAnswered
        play customer music
        journal WaitBegan
        tell 101 AgentPreoccupied
        tell 101 CallAssigned
        arm CallUnanswered 20
        ring 1101
        > LegAnswered
        tell 101 PhoneAlerting
        tell 101 PhoneOffHook
        tell 101 CallAutoAnswered
        tell 101 CustomerAlerting
        disarm CallUnanswered
        journal WaitEnded
        record
        play customer -
        hears customer:phone1101 phone1101:customer recorded customer+phone1101
        tell 101 CallTalking
        tell 101 RecordingStarted
        journal SegmentBegan
        """,
    )


def test_a_whisper_on_and_off(script):
    call(script)
    script.transcript()
    script.give(Supervise(I, A, Mode.WHISPER))
    script.give(LegAnswered(script.leg("phone1300")))
    script.give(StopSupervision(I, A, whisper=True))
    expect(
        script,
        """
        > Supervise
        tell 300 AgentPreoccupied
        arm LeaseEnds 30
        arm InspectorUnreached 30
        ring 1300
        > LegAnswered
        tell 300 PhoneAlerting
        tell 300 PhoneOffHook
        disarm InspectorUnreached
        hears customer:phone1101 phone1101:customer+phone1300 phone1300:customer+phone1101 recorded customer+phone1101+phone1300
        tell 101 SupervisionStarted
        > StopSupervision
        disarm LeaseEnds
        hears customer:phone1101 phone1101:customer phone1300:- recorded customer+phone1101
        journal AuditEntry
        hang up phone1300 normal
        tell 300 PhoneReleased
        tell 300 AgentReady
        tell 101 SupervisionEnded
        """,  # noqa: E501 - one effect, one line
    )


def test_three_ways_and_a_hold(script):
    call(script)
    script.give(Supervise(I, A, Mode.LISTEN))
    script.give(LegAnswered(script.leg("phone1300")))
    script.transcript()
    script.give(ChangeMode(I, None, Mode.WHISPER))
    script.give(ChangeMode(I, None, Mode.INSERT))
    script.give(Hold(A))
    expect(
        script,
        """
        > ChangeMode
        hears customer:phone1101 phone1101:customer+phone1300 phone1300:customer+phone1101 recorded customer+phone1101+phone1300
        tell 101 SupervisionStarted
        > ChangeMode
        hears customer:phone1101+phone1300 phone1101:customer+phone1300 phone1300:customer+phone1101 recorded customer+phone1101+phone1300
        tell 101 SupervisionStarted
        > Hold
        hears customer:- phone1101:phone1300 phone1300:phone1101 recorded phone1300
        play customer music
        tell 101 CallHeld
        """,  # noqa: E501 - one effect, one line
    )


def test_an_intercept(script):
    call(script)
    script.give(Supervise(I, A, Mode.LISTEN))
    script.give(LegAnswered(script.leg("phone1300")))
    script.transcript()
    script.give(Intercept(I, A))
    script.give(Release(I))
    expect(
        script,
        """
        > Intercept
        disarm LeaseEnds
        stop recording
        record
        hears customer:phone1300 phone1101:- phone1300:customer recorded customer+phone1300
        tell 300 CallTalking
        tell 300 RecordingStarted
        journal SegmentBegan
        journal AuditEntry
        tell 101 AgentReady
        hang up phone1101 normal
        tell 101 PhoneReleased
        tell 101 CallReleased
        tell 101 CustomerReleased
        tell 101 SupervisionEnded
        > Release
        disarm CallUnanswered
        hears customer:- phone1300:-
        stop recording
        hang up customer normal
        tell 300 CallReleased
        tell 300 CustomerReleased
        hang up phone1300 normal
        tell 300 PhoneReleased
        tell 300 AgentReady
        """,
    )


def test_the_customer_hangs_up_under_a_whisper(script):
    call(script)
    script.give(Supervise(I, A, Mode.WHISPER))
    script.give(LegAnswered(script.leg("phone1300")))
    script.transcript()
    script.give(LegGone(LegId("c"), ReleaseCause.NORMAL))
    expect(
        script,
        """
        > LegGone
        journal DialogEnded
        disarm CallUnanswered
        hears customer:- phone1101:phone1300 phone1300:-
        stop recording
        tell 101 CallReleased
        tell 101 CustomerReleased
        hang up phone1101 normal
        tell 101 PhoneReleased
        tell 101 AgentReady
        """,
    )


def test_cancel_against_200(script):
    """The caller gives up while the 200 is on its way: the late LegAnswered finds nobody."""
    script.legs[LegId("c")] = "customer"
    script.give(LegOffered(LegId("c"), VdnId(1), "555", "800"))
    script.give(LegGone(LegId("c"), ReleaseCause.CANCELLED))
    script.give(LegAnswered(LegId("c")))
    expect(
        script,
        """
        > LegOffered
        journal ContactBegan
        accept customer
        > LegGone
        journal DialogEnded
        disarm CallUnanswered
        journal ContactEnded
        > LegAnswered
        """,
    )


def test_a_refusal_leaves_nothing_behind(script):
    with pytest.raises(Refused):
        script.give(Release(A))
    assert script.floor.state.effects == []
    script.transcript()
    call(script)
    assert "tell 101 CallTalking" in script.transcript()


def test_an_intent_names_what_is_committed_first_and_changes_nothing(script):
    call(script)
    now = Moment(datetime(2026, 1, 1, tzinfo=UTC), 0.0)
    [entry] = script.floor.intent(Supervise(I, A, Mode.WHISPER), now)
    assert (entry.action, entry.actor, entry.target) == ("supervise.whisper", I, "101")
    assert script.floor.state.seats[I].inspecting is None
    assert script.floor.intent(StopSupervision(I, A), now) == ()
    assert script.floor.intent(Release(A), now) == ()


def test_callers_who_are_not_let_in_hear_why(script):
    """An unknown number is rejected; a known one whose queue is full is told of the overload."""
    script.legs[LegId("wrong")] = "wrong"
    script.give(LegOffered(LegId("wrong"), VdnId(1), "555", "999"))
    expect(
        script,
        """
        > LegOffered
        hang up wrong rejected
        """,
    )
    for number in range(5000):
        leg = LegId(f"caller{number}")
        script.give(LegOffered(leg, VdnId(1), "555", "800"))
        if any(line.startswith("hang up") for line in script.lines):
            break
        script.give(LegAnswered(leg))
        script.transcript()
    expect(
        script,
        f"""
        > LegOffered
        hang up caller{number} overload
        """,
    )


def test_an_inspectors_phone_is_lost(script):
    """The phone is gone before anybody may have the inspector back."""
    call(script)
    script.give(Supervise(I, A, Mode.INSERT))
    script.give(LegAnswered(script.leg("phone1300")))
    script.transcript()
    script.give(LegGone(script.leg("phone1300"), ReleaseCause.NORMAL))
    expect(
        script,
        """
        > LegGone
        journal DialogEnded
        tell 300 PhoneReleased
        disarm LeaseEnds
        hears customer:phone1101 phone1101:customer phone1300:- recorded customer+phone1101
        journal AuditEntry
        tell 300 AgentReady
        tell 101 SupervisionEnded
        """,
    )


def test_a_timer_that_comes_too_late_changes_nothing(script):
    """Of a supervision, a call or an agent that is no more; the timers of others go on."""
    call(script)
    script.give(Supervise(I, A, Mode.LISTEN))
    script.give(LegAnswered(script.leg("phone1300")))
    [here] = script.floor.state.calls
    script.transcript()
    late = [fx.InspectorUnreached(I), fx.InspectorUnreached(A), fx.InspectorUnreached(AgentId(999))]
    late += [fx.LeaseEnds(A), fx.LeaseEnds(AgentId(999)), fx.CallUnanswered(here), fx.CallUnanswered("9-9")]
    for timer in late:
        script.give(timer)
    expect(script, "\n".join(f"> {type(timer).__name__}" for timer in late))


def test_an_inspector_signs_out_amid_a_supervision(script):
    """Silence first; their phone is hung up when the supervision is over."""
    call(script)
    script.give(Supervise(I, A, Mode.WHISPER))
    script.give(LegAnswered(script.leg("phone1300")))
    script.transcript()
    script.give(SignOutAgent(I))
    expect(
        script,
        """
        > SignOutAgent
        disarm LeaseEnds
        hears customer:phone1101 phone1101:customer phone1300:- recorded customer+phone1101
        journal AuditEntry
        tell 300 AgentReady
        tell 101 SupervisionEnded
        hang up phone1300 normal
        tell 300 PhoneReleased
        disarm SessionSilent
        journal SessionEnded
        """,
    )
