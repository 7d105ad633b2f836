"""What a floor has only so much of: inspectors on one agent, callers who wait."""

from __future__ import annotations

import pytest

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code, Refused
from sottovoce.live.acd import MAX_QUEUED
from sottovoce.live.supervising import MAX_INSPECTORS

A = AgentId(101)


async def test_one_inspector_too_many_is_refused_and_the_others_stay(new_stage):
    first, last = AgentId(300), AgentId(300 + MAX_INSPECTORS)
    stage = new_stage(inspectors=MAX_INSPECTORS + 1)
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101, *range(first, last + 1))
    await stage.call_in("555")
    for inspector in range(first, last):
        await stage.desk.supervise(AgentId(inspector), A, Mode.LISTEN)
    await stage.quiet()
    before = stage.hears()
    with pytest.raises(Refused) as refusal:
        await stage.desk.supervise(last, A, Mode.LISTEN)
    assert refusal.value.code is Code.MEDIA_EXHAUSTED
    await stage.quiet()
    assert stage.hears() == before
    await stage.desk.stop(first, A)
    await stage.desk.supervise(last, A, Mode.LISTEN)
    await stage.quiet()
    assert stage.hears()[str(1000 + last)] == {"555", "1101"}
    await stage.desk.close()
    await stage.tasks.close()


def test_sixteen_inspectors_and_more_fit():
    assert MAX_INSPECTORS >= 16


async def test_a_caller_for_whom_there_is_no_room_is_turned_away(stage):
    callers = [stage.lines.phone(str(5000 + n)) for n in range(MAX_QUEUED)]
    for caller in callers:
        stage.lines.call_in(VdnId(1), caller, "801")
    await stage.quiet()
    one_too_many = await stage.call_in("556")
    assert one_too_many.leg is None
    assert stage.hears() == {caller.number: {"♪"} for caller in callers}
    callers[0].hang_up()
    next_one = await stage.call_in("557")
    assert next_one.leg is not None
