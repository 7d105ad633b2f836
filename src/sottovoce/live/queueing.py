"""Waiting in a queue: how it begins, goes on while agents are rung, and ends. `waiting` does what is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.directory import AgentId, QueueRules, SkillId
from sottovoce.domain.journal import WaitBegan, WaitEnded
from sottovoce.domain.queueing import Outcome, next_due
from sottovoce.live.acd import Wait
from sottovoce.live.effects import Arm, Disarm, WaitGoesOn
from sottovoce.live.state import Call, FloorState

MOST_WAYS_OUT = 5
"""From queue to queue. Seed files do not lead in a circle; who moves calls by hand can."""
_PLAIN = QueueRules()
_LATELY = timedelta(minutes=15)
"""And the rest of the quarter of an hour in which that was."""


def rules(floor: FloorState, skill: SkillId) -> QueueRules:
    """The rules of a queue; the plain ones where it is configured no more."""
    known = floor.profile.skills.get(skill)
    return known.rules if known is not None else _PLAIN


def has_room(floor: FloorState, skill: SkillId) -> bool:
    """Whether one more call can wait there."""
    longest = rules(floor, skill).longest
    return not floor.queues.full and (longest is None or floor.queues.length(skill) < longest)


def takes(floor: FloorState, skill: SkillId) -> bool:
    """Whether a caller can be helped: there is room, here or where the way out leads, or a last word."""
    for _ in range(MOST_WAYS_OUT):
        out = rules(floor, skill).way_out
        if has_room(floor, skill) or out.number or out.announcement:
            return not floor.queues.full
        if out.skill is None:
            return False
        skill = out.skill
    return False


def enter(floor: FloorState, call: Call) -> None:
    """The call waits in its queue: anew, or on, at its old place, after nobody took it."""
    assert call.skill is not None
    if call.wait is None or call.wait.skill != call.skill:
        over(floor, call, Outcome.MOVED)
        room = has_room(floor, call.skill)
        call.wait = Wait(call.skill, floor.moment, floor.now_in(call), no_room=not room)
        if isinstance(call.direction, CallDirection):
            floor.journal(WaitBegan(call.call, floor.profile.vdn, call.skill, call.wait.at))
    if not call.wait.no_room:
        came_s = call.began.steady_s - call.head_start_s
        call.place = floor.queues.enter(call.call, call.skill, came_s, call.place)
        for one in rules(floor, call.skill).overflow:
            if one.after_s <= call.wait.looked_s:
                floor.queues.overflow(call.call, one.skill)
    arm(floor, call)


def arm(floor: FloorState, call: Call) -> None:
    """Be called when something is due next."""
    assert call.wait is not None
    waited_s = floor.since(call.wait.began).total_seconds()
    due_s = waited_s if call.wait.no_room else next_due(rules(floor, call.wait.skill), call.wait.looked_s)
    call.wait.armed = due_s is not None
    if due_s is not None:
        floor.do(Arm(WaitGoesOn(call.call), max(0.0, due_s - waited_s)))


def leave(floor: FloorState, call: Call) -> None:
    """Nobody else is to get the call: an agent is rung for it, or the wait is over."""
    floor.queues.leave(call.call)
    if call.wait is not None and call.wait.armed:
        call.wait.armed = False
        floor.do(Disarm(WaitGoesOn(call.call)))


def over(floor: FloorState, call: Call, outcome: Outcome, agent: AgentId | None = None) -> None:
    """The wait is over, if there was one."""
    leave(floor, call)
    wait, call.wait = call.wait, None
    if wait is not None and isinstance(call.direction, CallDirection):
        now = floor.now_in(call)
        ended = WaitEnded(call.call, floor.profile.vdn, wait.skill, wait.at, now, outcome, agent)
        floor.journal(ended)
        count(floor, ended)


def count(floor: FloorState, ended: WaitEnded) -> None:
    """A wait is in the figures from now on."""
    floor.history.count(ended.skill, ended.began_at, ended.at, ended.outcome, rules(floor, ended.skill))


def today(floor: FloorState) -> datetime:
    """When the VDN's day began."""
    here = floor.now.astimezone(ZoneInfo(floor.profile.time_zone))
    return here.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def expected_s(floor: FloorState, skill: SkillId) -> float | None:
    """How long who came lately waited until an agent answered; None where none did."""
    lately = floor.history.since(floor.now - _LATELY).get(skill)
    return lately.average_s if lately is not None else None
