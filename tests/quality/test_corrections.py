"""Corrections of imported contacts: what is changed, what stays on record, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.quality.disputes import appeal, inspected, state_of, step, violated, waiting
from tests.quality.reviewing import CONDITIONS
from tests.quality.sounds import silence, stereo, tone, write
from tests.quality.standing import DIRECTOR, NOW, ONE, TABLE_LEADER, TWO, Standing

from sottovoce.domain.appeals import AppealStep
from sottovoce.domain.calls import CallDirection
from sottovoce.domain.contacts import Inspection
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER
from sottovoce.domain.reviews import TaskOrder
from sottovoce.errors import Code, Refused
from sottovoce.quality import contacts as heard
from sottovoce.quality import corrections, sampling, tasks
from sottovoce.quality.corrections import Corrected
from sottovoce.storage import audit
from sottovoce.storage.review import contacts as contact_rows
from sottovoce.storage.review import results as stored_results
from sottovoce.storage.tables import contact_corrections, contact_sources, contacts

WHY = "wrong in the list"


async def imported(standing: Standing, **columns: Any) -> int:
    """An imported contact under its source."""
    contact = await standing.contact(None, **{"source": "import", **columns})
    row = {
        "vdn": 1,
        "reference": f"import/{contact}",
        "contact": contact,
        "began_at": NOW - timedelta(days=1),
    }
    async with standing.engine.begin() as connection:
        await connection.execute(sa.insert(contact_sources).values(row))
    return contact


async def correct(
    standing: Standing, contact: int, vdn: VdnId = ONE, why: str = WHY, **given: str
) -> Corrected:
    async with standing.office.work(vdn, SERVER) as work:
        return await corrections.correct(work, contact, given, why)


async def rows(standing: Standing, table: sa.Table) -> list[dict[str, Any]]:
    async with standing.engine.begin() as connection:
        return [dict(row) for row in (await connection.execute(sa.select(table))).mappings()]


async def test_each_correction_is_a_version_on_record(standing: Standing) -> None:
    contact = await imported(standing)
    first = await correct(standing, contact, agent="101", direction="Outbound", caller="")
    second = await correct(standing, contact, began_at="2026-01-15T10:00:00Z", agent="102")
    assert (first.version, second.version) == (1, 2)
    [row] = await rows(standing, contacts)
    began_at = datetime(2026, 1, 15, 10, tzinfo=UTC)
    assert (row["agent"], row["direction"], row["caller"]) == (102, CallDirection.OUTBOUND, "")
    assert (row["began_at"], row["ended_at"]) == (began_at, began_at + timedelta(seconds=60))
    [source] = await rows(standing, contact_sources)
    assert source["began_at"] == began_at
    kept = [
        (one["version"], one["before"], one["after"]) for one in await rows(standing, contact_corrections)
    ]
    assert kept[0] == (
        1,
        {"agent": "", "caller": "555", "direction": "inbound"},
        {"agent": 101, "caller": "", "direction": "outbound"},
    )
    assert kept[1][1]["agent"] == 101
    assert kept[1][2] == {"agent": 102, "began_at": "2026-01-15T10:00:00.000000+00:00"}
    entries = [one for one in await audit.read(standing.engine, ONE) if one.action == "contact.correct"]
    assert [(one.detail["version"], one.detail["agent_was"], one.detail["agent_is"]) for one in entries] == [
        (1, "", 101),
        (2, 101, 102),
    ]
    assert {one.detail["why"] for one in entries} == {WHY}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"agent": "201"}, "has no agent"),
        ({"skill": "9"}, "has no skill queue"),
        ({"direction": "sideways"}, "must be one of inbound, outbound"),
        ({"ended_by": ""}, "must be one of agent"),
        ({"began_at": ""}, "is no time"),
        ({"caller": "5" * 65}, "longer than 64"),
        ({"caller": "555"}, "says already"),
        ({}, "says already"),
        ({"caller": "556", "why": " "}, "needs its reason"),
    ],
)
async def test_what_makes_no_sense_changes_nothing(
    standing: Standing, given: dict[str, str], why: str
) -> None:
    contact = await imported(standing)
    before = await rows(standing, contacts)
    with pytest.raises(Refused, match=why) as refused:
        await correct(standing, contact, **given)
    assert refused.value.code is Code.BAD_PARAMETER
    assert await rows(standing, contacts) == before
    assert await rows(standing, contact_corrections) == []


async def test_what_is_sampled_live_or_foreign_is_left_alone(standing: Standing) -> None:
    live, contact = await standing.contact(), await imported(standing)
    for number, vdn, code in (
        (live, ONE, Code.WRONG_STATE),
        (contact, TWO, Code.NOT_FOUND),
        (999, ONE, Code.NOT_FOUND),
    ):
        with pytest.raises(Refused) as refused:
            await correct(standing, number, vdn, caller="556")
        assert refused.value.code is code
    await inspected(standing, contact)
    for given in ({"agent": "101"}, {"began_at": "2026-01-15T10:00:00Z"}):
        with pytest.raises(Refused, match="a review task has it") as refused:
            await correct(standing, contact, **given)
        assert refused.value.code is Code.WRONG_STATE
    assert (await correct(standing, contact, caller="556")).version == 1


async def test_the_agent_stays_while_an_appeal_is_open(standing: Standing) -> None:
    """Whoever appealed is owed an answer; the call's other facts can be corrected meanwhile."""
    contact = await imported(standing)
    await correct(standing, contact, agent="101")
    item = await appeal(standing, contact, await violated(standing, contact))
    with pytest.raises(Refused, match=f"the appeal {item} about it is open") as refused:
        await correct(standing, contact, agent="102")
    assert refused.value.code is Code.WRONG_STATE
    await correct(standing, contact, caller="556", began_at="2026-01-15T10:00:00Z")
    await step(standing, item, TABLE_LEADER, AppealStep.BACK)
    await correct(standing, contact, agent="102")
    assert (await state_of(standing, item)).agent == 101, "what was decided stays on record"
    with pytest.raises(Refused, match="no such call of the caller's"):
        await appeal(standing, contact, await violated(standing, contact))


async def meanwhile(
    standing: Standing, contact: int, task: Coroutine[Any, Any, Any], **given: str
) -> asyncio.Task[Any]:
    """Start that while a correction holds the contact, and commit the correction once it waits."""
    async with standing.office.work(ONE, SERVER) as work:
        await corrections.correct(work, contact, given, WHY)
        started = asyncio.create_task(task)
        while not started.done() and not await waiting(standing):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return started


async def test_an_appeal_filed_while_the_agent_is_corrected_is_nobody_s(standing: Standing) -> None:
    contact = await imported(standing)
    await correct(standing, contact, agent="101")
    results = await violated(standing, contact)
    filed = await meanwhile(standing, contact, appeal(standing, contact, results), agent="102")
    with pytest.raises(Refused, match="no such call of the caller's"):
        await filed


async def test_whoever_waits_for_a_contact_that_goes_to_another_month_finds_it_there(
    standing: Standing,
) -> None:
    contact = await imported(standing)
    begins = [datetime(2026, month, 15, 10, tzinfo=UTC) for month in (1, 2)]

    async def held() -> datetime:
        async with standing.office.work(ONE, SERVER) as work:
            return (await stored_results.locked(work, [contact]))[contact].began_at

    async def found() -> datetime:
        async with standing.office.work(ONE, SERVER) as work:
            there = await contact_rows.find(work, contact, lock=True)
        assert there is not None
        return there.began_at

    for wait, begin in zip((held, found), begins, strict=True):
        assert await (await meanwhile(standing, contact, wait(), began_at=begin.isoformat())) == begin


async def test_a_doubtful_time_is_warned_of(standing: Standing) -> None:
    async with standing.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE vdns SET time_zone = 'Europe/Berlin'"))
    contact = await imported(standing)
    done = await correct(standing, contact, began_at="2025-03-30 02:30")
    assert "did not exist" in done.warnings[0]


async def test_a_correction_while_its_recording_is_heard_loses_nothing(standing: Standing) -> None:
    contact = await imported(standing)
    write(standing.office.recordings / "call-1.wav", stereo(tone(120), silence(1)))
    hearing = asyncio.create_task(heard.analyse(standing.office, ONE, contact))
    while (await rows(standing, contacts))[0]["recording_sha256"] is None:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await correct(standing, contact, began_at="2026-01-15T10:00:00Z")
    await hearing
    [row] = await rows(standing, contacts)
    assert (row["status"], row["analysed_at"]) == (Inspection.SUCCESS, NOW)


async def test_what_a_draw_under_way_has_is_not_corrected(standing: Standing) -> None:
    contact = await imported(standing)
    await correct(standing, contact, agent="101")
    task, draw = await sampling.begin(standing.office, ONE, DIRECTOR)
    order = TaskOrder("Drawn", CONDITIONS)
    async with standing.office.work(ONE, DIRECTOR) as work:
        await tasks.make(work, standing.office, task=task, draw=draw, order=order, created_by=DIRECTOR)
        correcting = asyncio.create_task(correct(standing, contact, agent="102"))
        while not correcting.done() and not await waiting(standing):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    with pytest.raises(Refused, match="a review task has it"):
        await correcting
