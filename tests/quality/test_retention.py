"""What is over its time goes, wholly, on record; what is held or under review stays."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from tests.http.ccsqm.test_appraisecall import ALL
from tests.quality.asking import asked
from tests.quality.disputes import disputed_call, inspected
from tests.quality.inspected import bring, contact_row, scenario
from tests.quality.reviewing import put_task
from tests.quality.standing import ANN, DIRECTOR, INSPECTOR, NOW, ONE, TWO, Standing

from sottovoce.digests import file_sha256
from sottovoce.domain.people import SERVER, UserId
from sottovoce.domain.retention import Erasable, Periods
from sottovoce.domain.reviews import TaskOrder, TaskState
from sottovoce.domain.sampling import Conditions, Quantity
from sottovoce.errors import Code, Refused
from sottovoce.quality import audit_check, certificates, contacts, results, retention, tasks
from sottovoce.storage import audit
from sottovoce.storage.review import contacts as rows
from sottovoce.storage.review import corrections, erasing
from sottovoce.storage.tables import (
    calls,
    contact_sources,
    erasures,
    playbacks,
    quality_items,
    segments,
    sign_in_sources,
    vdns,
)
from sottovoce.storage.tables import contacts as contact_columns
from sottovoce.storage.tables.schema import metadata
from sottovoce.storage.work import Work

OLD = NOW - timedelta(days=100)
CALLER, CALLED, REFERENCE, WORDS, FILE, REMARK, DATA = SECRETS = (
    "+4915112345678",
    "+4930998877",
    "invoice of Mx Smith",
    "my card number is",
    "Smith.wav",
    "heard Smith",
    "customer no. 4711",
)


async def keep(standing: Standing, **days: int | None) -> None:
    async with standing.engine.begin() as connection:
        values = {f"keep_{kind}_days": number for kind, number in days.items()}
        await connection.execute(sa.update(vdns).where(vdns.c.vdn == 1).values(values))


async def recorded(standing: Standing, name: str, **columns: Any) -> int:
    """A contact with a recording, a track and a waveform on the disk, and its digest on record."""
    folder = standing.office.recordings
    for path in (folder / f"{name}.wav", folder / f"{name}.301.wav", folder / f"{name}.wav.peaks"):
        path.write_bytes(name.encode() * 100)
    columns = {
        "began_at": OLD,
        "recording": f"{name}.wav",
        "tracks": {"301": f"{name}.301.wav"},
        "caller": CALLER,
        "called": CALLED,
        **columns,
    }
    number = await standing.contact(**columns)
    async with standing.office.work(ONE, UserId("0")) as work:
        found = await rows.find(work, number)
        if found is not None and found.recording is not None:
            names = [found.recording, *found.tracks.values()]
            digests = [await asyncio.to_thread(file_sha256, folder / name) for name in names]
            await rows.digested(work, found, digests[0], dict(zip(found.tracks, digests[1:], strict=True)))
    return number


def on_disk(standing: Standing) -> set[str]:
    return {path.name for path in standing.office.recordings.iterdir() if path.is_file()}


async def said(standing: Standing, *without: str) -> str:
    """All that the database holds, as one text."""
    found = []
    async with standing.engine.begin() as connection:
        for table in metadata.tables:
            if table not in without:
                query = sa.text(f'SELECT t::text FROM "{table}" t')
                found += (await connection.execute(query)).scalars().all()
    return "\n".join(found)


async def differences(standing: Standing) -> list[str]:
    check = await audit_check.check(standing.engine, ONE, audit_check.Elsewhere(), standing.office.recordings)
    return list(check.differences)


async def full_of_secrets(standing: Standing) -> int:
    """An imported contact with all that can be known of one."""
    await scenario(standing)
    said_then = [{"text": WORDS, "side": "customer", "began_s": 0.0, "ended_s": 1.0}]
    moment = OLD.isoformat()
    number = await recorded(
        standing,
        FILE.removesuffix(".wav"),
        source="import",
        call=REFERENCE,
        file_name=FILE,
        call_data=DATA,
        parties={"party 1": CALLED},
        transcript=said_then,
        supervisions=[{"inspector": 301, "mode": "listen", "began_at": moment, "ended_at": moment}],
    )
    uuid = (await contact_row(standing, number))["uuid"]
    async with standing.engine.begin() as connection:
        source = {"vdn": 1, "reference": REFERENCE, "contact": number, "began_at": OLD}
        await connection.execute(insert(contact_sources).values(source))
        await connection.execute(
            sa.insert(playbacks).values(
                vdn=1, playback=uuid, user=DIRECTOR, contact=uuid, track="talk", purpose=REFERENCE, at=NOW
            )
        )
    await bring(standing, {"contact": number, "rule": "r1", "points": 20, "revise_id": "a"})
    async with standing.office.work(ONE, INSPECTOR) as work:
        await results.revise(work, result="a", kept=True, remark=REMARK, contact=number, kind=None)
        before = await rows.find(work, number)
        assert before is not None
        await corrections.keep(work, before, replace(before, caller="555"), ["caller"], "wrong number")
    return number


async def test_what_was_erased_can_be_read_nowhere(standing: Standing) -> None:
    number = await full_of_secrets(standing)
    before = await said(standing)
    assert all(secret in before for secret in SECRETS)
    assert await differences(standing) == []
    await retention.erase(standing.office, ONE, number, "asked for")
    after = await said(standing, "audit")
    assert [secret for secret in SECRETS if secret in after] == []
    assert on_disk(standing) == set()
    kept = await said(standing)
    assert CALLER not in kept, "no number in the audit"
    row = await contact_row(standing, number)
    assert (row["began_at"], row["agent"], row["duration_ms"]) == (OLD, 101, 60_000)
    assert row["recording_sha256"] is not None
    assert await differences(standing) == [], "on record, so nothing is missing"
    last = (await audit.read(standing.engine, ONE, after=0, limit=1000))[-1]
    assert (last.action, last.target) == ("contact.erase", str(row["uuid"]))
    assert last.detail["why"] == "asked for"
    assert last.detail["sha256"] == row["recording_sha256"]


def test_every_column_of_a_contact_is_emptied_or_said_to_stay() -> None:
    work = Work(None, ONE, NOW, SERVER)  # type: ignore[arg-type]
    assert {*erasing.left_of(work, Erasable.CONTACT), *erasing.STAYS} == set(contact_columns.c.keys())
    assert {*erasing.OF_CALL, *erasing.CALL_STAYS} == set(calls.c.keys())


async def test_an_erased_contact_is_found_by_nobody(standing: Standing) -> None:
    number = await full_of_secrets(standing)
    uuid = str((await contact_row(standing, number))["uuid"])
    there = await standing.call("appraisecall/details", ALL)
    assert uuid in str(there.body)
    await retention.erase(standing.office, ONE, number, "asked for")
    gone = await standing.call("appraisecall/details", ALL)
    assert (gone.ok, gone.body["paging"]["total"]) == (True, 0)
    assert not (await standing.call("appraisecall/detail", {"call_uuid": uuid})).ok
    assert (await bring(standing, {"contact": number, "rule": "r2", "revise_id": "b"})).landed == 0
    assert await contacts.analyse(standing.office, ONE, number) is None
    for act in (retention.erase, retention.hold):
        with pytest.raises(Refused) as refused:
            await act(standing.office, ONE, number, "again")
        assert refused.value.code is Code.NOT_FOUND


async def test_kinds_go_by_their_own_periods(standing: Standing) -> None:
    chat = [{"text": "hello", "side": "agent", "began_s": 0.0, "ended_s": 1.0}]
    whole = await recorded(standing, "whole", began_at=NOW - timedelta(days=400))
    heard = await recorded(standing, "heard", began_at=NOW - timedelta(days=91))
    text = await recorded(standing, "text", began_at=NOW - timedelta(days=31), transcript=chat)
    fresh = await recorded(standing, "fresh", began_at=NOW - timedelta(days=29))
    foreign = await standing.contact(201, vdn=TWO, began_at=OLD)
    assert (await retention.run(standing.office, ONE)).erased == {}, "nothing is erased by itself at first"
    await keep(standing, recordings=90, transcripts=30, contacts=365)
    would = await retention.run(standing.office, ONE, dry_run=True)
    assert would.erased == {Erasable.CONTACT: 1, Erasable.RECORDING: 2, Erasable.TRANSCRIPT: 1}
    assert "whole.wav" in on_disk(standing)
    done = await retention.run(standing.office, ONE)
    assert done.periods == Periods(90, 30, 365)
    assert done.erased == {Erasable.CONTACT: 1, Erasable.RECORDING: 1, Erasable.TRANSCRIPT: 1}
    assert done.files == 4
    assert {"heard.wav", "whole.wav"} & on_disk(standing) == set()
    assert {"fresh.wav", "text.wav"} <= on_disk(standing)
    states = [(await contact_row(standing, one))["status"] for one in (whole, heard, text, fresh, foreign)]
    assert states == [-1, 40, 0, 0, 0]
    row = await contact_row(standing, heard)
    assert (row["caller"], row["recording"]) == (CALLER, None)
    assert (await contact_row(standing, text))["transcript"] is None
    assert await differences(standing) == []
    again = await retention.run(standing.office, ONE)
    assert set(again.erased.values()) == {0}


async def test_a_live_call_is_forgotten_by_the_live_half_too(standing: Standing) -> None:
    number = await recorded(standing, "live", call="1-1")
    call = {"vdn": 1, "call": "1-1", "began_at": OLD, "direction": "inbound", "caller": CALLER}
    talk = {"vdn": 1, "call": "1-1", "agent": 101, "began_at": OLD, "recording": "live.wav"}
    async with standing.engine.begin() as connection:
        await connection.execute(sa.insert(calls).values(**call, called=CALLED, data=DATA, ended_at=NOW))
        await connection.execute(sa.insert(segments).values(**talk, ended_at=NOW))
    await retention.erase(standing.office, ONE, number, "asked for")
    found = await said(standing)
    assert CALLER not in found
    assert DATA not in found
    assert "live.wav" not in found


async def test_where_agents_signed_in_from_is_forgotten_after_90_days(standing: Standing) -> None:
    rows = [
        {"vdn": int(vdn), "agent": 101, "source": f"192.0.2.{days}", "at": NOW - timedelta(days=days)}
        for vdn in (ONE, TWO)
        for days in (1, 89, 91, 200)
    ]
    async with standing.engine.begin() as connection:
        await connection.execute(insert(sign_in_sources), rows)
    assert (await retention.run(standing.office, ONE, dry_run=True)).sources == 0
    assert (await retention.run(standing.office, ONE)).sources == 2
    left = sa.select(sign_in_sources.c.vdn, sign_in_sources.c.source).order_by(*sign_in_sources.primary_key)
    async with standing.engine.begin() as connection:
        found = [tuple(row) for row in await connection.execute(left)]
    assert found == [(1, "192.0.2.1"), (1, "192.0.2.89")] + [(2, f"192.0.2.{n}") for n in (1, 200, 89, 91)]


async def test_what_is_held_or_under_review_stays_until_that_is_over(standing: Standing) -> None:
    await keep(standing, contacts=30)
    held, waiting, appealed = [await recorded(standing, name) for name in ("held", "waiting", "appealed")]
    await retention.hold(standing.office, ONE, held, "lawsuit")
    async with standing.engine.begin() as connection:
        made = await put_task(connection, TaskState.ASSIGNED, [waiting])
    appeal = {
        "vdn": 1, "quality_item": "1700000000000000001", "kind": "appeal", "contact": appealed, "agent": 101,
        "initiator": ANN, "reason": "unfair", "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    async with standing.engine.begin() as connection:
        await connection.execute(sa.insert(quality_items).values(**appeal, state="reviewing"))
    done = await retention.run(standing.office, ONE)
    assert (done.erased, done.held, done.reviewed) == ({Erasable.CONTACT: 0}, 1, 2)
    for number, why in ((held, "it is held: lawsuit"), (waiting, made.task), (appealed, "quality item 17")):
        with pytest.raises(Refused, match=why):
            await retention.erase(standing.office, ONE, number, "asked for")
    async with standing.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE review_tasks SET state = 'terminated'"))
        await connection.execute(sa.update(quality_items).values(state="completed"))
    await retention.release(standing.office, ONE, held, "it is over")
    assert (await retention.run(standing.office, ONE)).erased == {Erasable.CONTACT: 3}
    actions = [one.action for one in await audit.read(standing.engine, ONE, limit=1000)]
    assert [one for one in actions if one.startswith("contact.")] == (
        ["contact.hold", "contact.release"] + ["contact.erase"] * 3
    )
    with pytest.raises(Refused, match="is not held"):
        await retention.release(standing.office, ONE, held, "again")
    with pytest.raises(Refused, match="give a reason"):
        await retention.erase(standing.office, ONE, held, "  ")


async def test_appeals_and_findings_of_a_contact_go_with_it(standing: Standing) -> None:
    number, _ = await disputed_call(standing, began_at=OLD)
    await inspected(standing, number)
    await retention.erase(standing.office, ONE, number, "asked for")
    async with standing.engine.begin() as connection:
        for table in ("rule_results", "revisions", "scores", "quality_items"):
            query = sa.text(f"SELECT count(*) FROM {table}")
            assert (await connection.execute(query)).scalar_one() == 0
    assert await differences(standing) == []


async def test_a_draw_is_verified_and_names_what_was_erased(standing: Standing) -> None:
    for number in range(8):
        await recorded(standing, f"call-{number}")
    order = TaskOrder("Checked", Conditions(Quantity.CALLS, 4))
    task = await asked(tasks.create, standing.office, await standing.caller(DIRECTOR), order)
    drawn = (await certificates.verify(standing.engine, task)).certificate.contacts
    exported = await certificates.export(standing.engine, task)
    async with standing.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE review_tasks SET state = 'terminated'"))
    await retention.erase(standing.office, ONE, drawn[0], "asked for")
    await keep(standing, recordings=30)
    await retention.run(standing.office, ONE)
    verdict = await certificates.verify(standing.engine, task, standing.office.recordings)
    assert verdict.passed, verdict.differences
    facts = "\n".join(verdict.facts)
    assert f"contact {drawn[0]} was erased" in facts
    assert f"contact {drawn[1]}'s recording was erased" in facts
    assert certificates.verify_file(exported).passed
    async with standing.engine.begin() as connection:
        await connection.execute(sa.text(f"DELETE FROM contacts WHERE contact = {drawn[2]}"))
    assert not (await certificates.verify(standing.engine, task)).passed, "gone without a tombstone"


async def test_a_status_that_nobody_shows_cannot_be_asked_for(standing: Standing) -> None:
    answer = await standing.call("appraisecall/details", {**ALL, "status": [-1]})
    assert not answer.ok


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE contacts SET recording = NULL WHERE contact = {there}", "is gone, and nothing on record"),
        ("UPDATE contacts SET status = -1 WHERE contact = {there}", "is made out to be erased"),
        ("UPDATE contacts SET status = 2 WHERE contact = {gone}", "was erased, and is there all the same"),
        ("DELETE FROM erasures", "the tombstone of contact {gone}, contact, is gone"),
        ("UPDATE erasures SET why = 'x'", "the tombstone of contact {gone}, contact, says something else"),
        (
            'INSERT INTO erasures SELECT vdn, {there}, kind, gen_random_uuid(), at, "user", why, files'
            " FROM erasures",
            "the erasure of contact {there}, contact, came in past the audit",
        ),
    ],
)
async def test_what_is_missing_without_a_tombstone_is_named(
    standing: Standing, statement: str, why: str
) -> None:
    there, gone = await recorded(standing, "there"), await recorded(standing, "gone")
    await retention.erase(standing.office, ONE, gone, "asked for")
    assert await differences(standing) == []
    async with standing.engine.begin() as connection:
        await connection.execute(sa.text(statement.format(there=there, gone=gone)))
    found = await differences(standing)
    assert any(why.format(there=there, gone=gone) in one for one in found), found


async def test_files_left_by_a_crash_go_with_the_next_run(standing: Standing) -> None:
    number = await recorded(standing, "left")
    async with standing.office.work(ONE, UserId("0")) as work:  # and dies before it removes the files
        found = await rows.find(work, number, lock=True)
        assert found is not None
        await erasing.erase(work, [found], Erasable.CONTACT, "asked for")
    assert on_disk(standing) == {"left.wav", "left.301.wav", "left.wav.peaks"}
    assert (await retention.run(standing.office, ONE)).files == 2
    assert on_disk(standing) == set()
    async with standing.engine.begin() as connection:
        assert (await connection.execute(sa.select(erasures.c.files))).scalars().all() == [[]]


async def test_a_file_that_cannot_be_removed_keeps_no_other(standing: Standing) -> None:
    await keep(standing, contacts=30)
    stuck, _ = await recorded(standing, "stuck"), await recorded(standing, "other")
    path = standing.office.recordings / "stuck.wav"
    path.unlink()
    path.mkdir()
    await recorded(standing, "fresh", began_at=NOW)
    assert (await retention.run(standing.office, ONE)).files >= 2
    assert on_disk(standing) == {"fresh.wav", "fresh.301.wav", "fresh.wav.peaks"}
    path.rmdir()
    await retention.run(standing.office, ONE)
    async with standing.engine.begin() as connection:
        query = sa.select(erasures.c.files).where(erasures.c.contact == stuck)
        assert (await connection.execute(query)).scalar_one() == []


async def test_a_folder_that_is_not_mounted_is_waited_for(standing: Standing, tmp_path: Path) -> None:
    number = await recorded(standing, "away")
    away = replace(standing.office, recordings=tmp_path / "mount")
    await retention.erase(away, ONE, number, "asked for")
    (tmp_path / "mount").mkdir()
    assert await retention.sweep(away, ONE) == 0
    assert await retention.sweep(standing.office, ONE) == 2, "now it is there"


async def test_an_analysis_under_way_says_nothing_of_what_was_erased(standing: Standing) -> None:
    number = await recorded(standing, "analysed")
    async with standing.office.work(ONE, UserId("0")) as work:
        found = await rows.find(work, number)
        assert found is not None
    await keep(standing, recordings=30)
    await retention.run(standing.office, ONE)
    after = await contacts.analyse(standing.office, ONE, number)
    assert after is not None
    assert after.analysis.failure == "the recording was erased"


async def test_kill_9_in_the_middle_leaves_each_contact_whole_or_gone(
    standing: Standing, postgres_dsn: str, tmp_path: Path
) -> None:
    await keep(standing, contacts=30)
    made = [await recorded(standing, f"many-{number}") for number in range(250)]
    config = tmp_path / "sottovoce.toml"
    config.write_text(
        f'data = "{tmp_path / "data"}"\n[database]\ndsn = "{postgres_dsn}"\n'
        f'[recordings]\nfolder = "{standing.office.recordings}"\n'
    )
    command = (sys.executable, "-m", "sottovoce", "retention", "run", "--config", str(config))
    process = await asyncio.create_subprocess_exec(*command)
    async with asyncio.timeout(100):
        while len(on_disk(standing)) > 600:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert await differences(standing) == []
    again = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    await again.communicate()
    assert again.returncode == 0
    assert not {name for name in on_disk(standing) if name.startswith("many-")}
    assert {(await contact_row(standing, one))["status"] for one in made[::50]} == {-1}
    assert await differences(standing) == []
