"""What a floor has only so much of: inspectors on one agent, callers who wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code, Refused
from sottovoce.live.state import FloorSettings

A = AgentId(101)


async def test_one_inspector_too_many_is_refused_and_the_others_stay(new_stage):
    stage = new_stage(floor=FloorSettings(recordings=Path("/rec"), max_inspectors=2))
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101, 300, 301, 302)
    await stage.call_in("555")
    for inspector in (300, 301):
        await stage.desk.supervise(AgentId(inspector), A, Mode.LISTEN)
    await stage.quiet()
    before = stage.hears()
    with pytest.raises(Refused) as refusal:
        await stage.desk.supervise(AgentId(302), A, Mode.LISTEN)
    assert refusal.value.code is Code.MEDIA_EXHAUSTED
    await stage.quiet()
    assert stage.hears() == before
    await stage.desk.stop(AgentId(300), A)
    await stage.desk.supervise(AgentId(302), A, Mode.LISTEN)
    await stage.quiet()
    assert stage.hears()["1302"] == {"555", "1101"}
    await stage.desk.close()
    await stage.tasks.close()


async def test_sixteen_inspectors_and_more_fit_by_default():
    assert FloorSettings().max_inspectors >= 16


async def test_a_caller_for_whom_there_is_no_room_is_turned_away(new_stage):
    stage = new_stage(floor=FloorSettings(recordings=Path("/rec"), max_queued=1))
    await stage.desk.open([VdnId(1)])
    first = await stage.call_in("555")
    second = await stage.call_in("556")
    assert second.leg is None
    assert stage.hears() == {"555": {"♪"}}
    first.hang_up()
    third = await stage.call_in("557")
    assert third.leg is not None
    await stage.desk.close()
    await stage.tasks.close()
