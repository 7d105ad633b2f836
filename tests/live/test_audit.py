"""Who did what to whom, and when: on record before it happens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.domain.journal import AuditEntry
from sottovoce.domain.supervision import Mode
from sottovoce.live.availability import AdjustSkills, ForceState
from sottovoce.live.presence import ForceSignOut
from sottovoce.live.recording import RecordTalksOf
from sottovoce.live.supervising import ChangeMode, DropCall, Intercept

A, I = AgentId(101), AgentId(300)  # noqa: E741


def entries(changes) -> list[AuditEntry]:
    return [change for change in changes if isinstance(change, AuditEntry)]


async def listening(stage):
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.quiet()


CASES = {
    "supervise.listen": (None, lambda desk: desk.supervise(I, A, Mode.LISTEN)),
    "supervise.whisper": (None, lambda desk: desk.supervise(I, A, Mode.WHISPER)),
    "supervise.insert": (None, lambda desk: desk.supervise(I, A, Mode.INSERT)),
    "supervise.whisper, changed": (listening, lambda desk: desk.ask(ChangeMode(I, A, Mode.WHISPER))),
    "supervise.insert, changed": (listening, lambda desk: desk.ask(ChangeMode(I, A, Mode.INSERT))),
    "supervise.insert, toggled": (listening, lambda desk: desk.ask(ChangeMode(I, A, None))),
    "supervise.intercept": (listening, lambda desk: desk.ask(Intercept(I, A))),
    "force.busy": (None, lambda desk: desk.ask(ForceState(I, A, Trigger.FORCE_BUSY))),
    "force.idle": (None, lambda desk: desk.ask(ForceState(I, A, Trigger.FORCE_IDLE))),
    "force.rest": (None, lambda desk: desk.ask(ForceState(I, A, Trigger.FORCE_REST, seconds=60, cause=9))),
    "force.sign_out": (None, lambda desk: desk.ask(ForceSignOut(I, A))),
    "force.skills": (None, lambda desk: desk.ask(AdjustSkills(I, A, (SkillId(2),)))),
    "recording.ask": (None, lambda desk: desk.ask(RecordTalksOf(I, (A,), True))),
    "call.drop": (None, lambda desk: desk.ask(DropCall(I, desk.call_ids(A)[0]))),
}


@pytest.mark.parametrize("case", CASES)
async def test_whatever_an_inspector_does_is_on_record_before_it_happens(stage, case):
    before, do = CASES[case]
    await stage.sign_in(101, 300)
    await stage.call_in("555")
    call = stage.desk.call_ids(A)[0]
    if before is not None:
        await before(stage)
    known = len(entries(stage.store.committed))
    stage.clock.advance(7)
    await do(stage.desk)
    [entry] = entries(stage.store.committed)[known:]
    action = case.partition(",")[0]
    assert (entry.vdn, entry.actor, entry.action) == (1, I, action)
    assert entry.target == (call if action == "call.drop" else "101")
    assert entry.at == stage.clock.now()


@pytest.mark.parametrize(
    ("how", "reason"),
    [("stopped", "stopped"), ("hung up", "phone: normal"), ("silent", "lease ran out")],
)
async def test_the_end_is_on_record_with_its_reason_and_length(stage, how, reason):
    await stage.sign_in(101, 300)
    await stage.call_in("555")
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    if how == "silent":
        await stage.later(31)
    else:
        stage.clock.advance(5)
        if how == "stopped":
            await stage.desk.stop(I, A, whisper=True)
        else:
            stage.phone(300).hang_up()
    await stage.quiet()
    [entry] = entries(stage.store.appended)
    assert (entry.actor, entry.action, entry.target) == (I, "supervise.stop", "101")
    assert entry.detail == {"mode": "whisper", "reason": reason, "seconds": 31 if how == "silent" else 5}
    assert stage.state(300) is AgentState.IDLE
    assert entry.at <= stage.clock.now() < entry.at + timedelta(seconds=1)
