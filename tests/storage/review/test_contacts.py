"""Contacts: made once of each talk, in whatever order its facts come; found, and never by another tenant."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.storage.works import work_of

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.contacts import (
    Analysis,
    Contact,
    Ender,
    Inspection,
    Interaction,
    Origin,
    RecordingPause,
    Search,
    Sentence,
    Span,
    Speaker,
    SupervisionSpan,
    Voice,
)
from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.domain.journal import (
    AuditEntry,
    CallDataSet,
    Change,
    ContactBegan,
    ContactEnded,
    RecordingChanged,
    SegmentBegan,
    SegmentEnded,
)
from sottovoce.domain.supervision import Mode
from sottovoce.storage import audit
from sottovoce.storage.database import connect
from sottovoce.storage.live import changes
from sottovoce.storage.live.journal import PostgresStore
from sottovoce.storage.review import contacts
from sottovoce.storage.tables import calls
from sottovoce.storage.tables import contacts as rows

NOW = datetime(2026, 11, 30, 23, 59, 50, tzinfo=UTC)
ONE, TWO = VdnId(1), VdnId(2)
ANN, IDA = AgentId(101), AgentId(102)
EVERYTHING = Search()


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def began(call: str = "1-1") -> ContactBegan:
    return ContactBegan(call, ONE, NOW, CallDirection.INBOUND, "555", "4000", SkillId(1))


def ended(call: str = "1-1", reason: str = "customer: normal", seconds: float = 90) -> ContactEnded:
    return ContactEnded(call, ONE, at(seconds), reason)


def talk(
    agent: AgentId = ANN, begin: float = 5, end: float = 90, call: str = "1-1", **more: object
) -> SegmentEnded:
    path = f"/r/1/2026/11/30/{call}-{agent}-1.wav"
    return SegmentEnded(call, ONE, agent, at(begin), at(end), path, **more)  # type: ignore[arg-type]


async def happens(engine: AsyncEngine, *told: Change) -> None:
    async with engine.begin() as connection:
        await changes.apply(connection, ONE, told)


async def goes_sideways(engine: AsyncEngine, call: str) -> None:
    """A row that no version of the program can read."""
    async with engine.begin() as connection:
        await connection.execute(sa.update(calls).where(calls.c.call == call).values(direction="sideways"))


async def kept(engine: AsyncEngine, search: Search = EVERYTHING, vdn: VdnId = ONE) -> list[Contact]:
    async with engine.begin() as connection:
        total, found = await contacts.page(work_of(connection, vdn), search, offset=0, limit=100)
    assert total == len(found)
    return sorted(found, key=lambda contact: contact.contact)


async def jobs(engine: AsyncEngine) -> list[dict[str, int]]:
    async with engine.begin() as connection:
        found = await connection.execute(
            sa.text("SELECT args FROM procrastinate.procrastinate_jobs WHERE task_name = 'analyse_contact'")
        )
        return list(found.scalars())


def a_contact(**columns: object) -> Contact:
    made = Contact(
        contact=0, uuid=uuid4(), vdn=ONE, call="x", source=Origin.IMPORT, interaction=Interaction.VOICE,
        began_at=NOW, ended_at=at(60), duration_ms=60_000, direction=CallDirection.OUTBOUND, caller="1",
        called="2", agent=ANN, skill=None, ended_by=Ender.SYSTEM, reason="", file_name="x.wav",
        recording="x.wav",
        uploaded_at=at(100),
    )  # fmt: skip
    return dataclasses.replace(made, **columns)  # type: ignore[arg-type]


async def finished(engine: AsyncEngine) -> list[AuditEntry]:
    """What the audit says of recordings."""
    return [entry for entry in await audit.read(engine, ONE) if entry.action == "recording.finished"]


async def insert(engine: AsyncEngine, **columns: object) -> Contact:
    made = a_contact(**columns)
    async with engine.begin() as connection:
        number = await contacts.insert(connection, str(made.uuid), made)
    assert number is not None
    return dataclasses.replace(made, contact=number)


async def test_a_finished_call_is_a_contact(two_vdns: AsyncEngine) -> None:
    span = SupervisionSpan(IDA, Mode.WHISPER, at(10), at(20))
    tracks = {"102": "/r/1.102.wav", "party 1": "/r/1.leg.wav"}
    parties = {"party 1": "0777"}
    digest = "ab" * 32
    await happens(
        two_vdns, began(), talk(tracks=tracks, supervisions=(span,), recording_sha256=digest, parties=parties)
    )
    await happens(two_vdns, CallDataSet("1-1", ONE, "order 7"))
    assert await kept(two_vdns) == []
    await happens(two_vdns, ended())
    [contact] = await kept(two_vdns)
    assert contact == Contact(
        contact=contact.contact, uuid=contact.uuid, vdn=ONE, call="1-1", source=Origin.LIVE,
        interaction=Interaction.VOICE, began_at=at(5), ended_at=at(90), duration_ms=85_000,
        direction=CallDirection.INBOUND, caller="555", called="4000", agent=ANN, skill=SkillId(1),
        ended_by=Ender.CUSTOMER, reason="customer: normal", file_name="1-1-101-1.wav",
        recording="/r/1/2026/11/30/1-1-101-1.wav", uploaded_at=at(90), tracks=tracks, supervisions=(span,),
        recording_sha256=digest, call_data="order 7", parties=parties,
    )  # fmt: skip
    assert await jobs(two_vdns) == [{"vdn": 1, "contact": contact.contact}]
    [entry] = await finished(two_vdns)
    assert (entry.at, int(entry.actor), entry.target) == (at(90), 0, str(contact.uuid))
    assert entry.detail == {
        "contact": contact.contact,
        "began_at": at(5).isoformat(),
        "duration_s": 85,
        "agent": 101,
        "sha256": digest,
    }


async def test_a_contact_says_that_its_recording_is_cut(two_vdns: AsyncEngine) -> None:
    await happens(two_vdns, began("1"), talk(call="1", failure="No space left on device"), ended("1"))
    await happens(two_vdns, began("2"), talk(call="2"), ended("2"))
    missing = dataclasses.replace(talk(call="3", failure="No space left on device"), recording=None)
    await happens(two_vdns, began("3"), missing, ended("3"))
    first, second, third = await kept(two_vdns)
    assert (first.recording_failure, second.recording_failure) == ("No space left on device", None)
    assert (third.recording_failure, third.analysis.failure) == (None, "No space left on device")


async def test_digests_of_tracks_are_in_the_contact_and_in_the_audit(two_vdns: AsyncEngine) -> None:
    tracks, digests = {"102": "/r/1.102.wav"}, {"102": "cd" * 32}
    talked = talk(tracks=tracks, recording_sha256="ab" * 32, tracks_sha256=digests)
    await happens(two_vdns, began(), talked, ended())
    [contact] = await kept(two_vdns)
    assert contact.tracks_sha256 == digests
    [entry] = await finished(two_vdns)
    assert entry.detail["tracks_sha256"] == json.dumps(digests)


async def test_a_call_that_nobody_took(two_vdns: AsyncEngine) -> None:
    await happens(two_vdns, began(), ended(reason="customer: cancelled", seconds=7))
    [contact] = await kept(two_vdns)
    assert (contact.agent, contact.recording, contact.duration_s) == (None, None, 7)
    assert contact.status is Inspection.BAD_RECORDING
    assert contact.analysis.failure == "there is no recording"
    assert await jobs(two_vdns) == []


async def test_facts_in_any_order_and_twice(two_vdns: AsyncEngine) -> None:
    """A talk after the call's end, the same changes again, and one batch of all: one contact each."""
    first = talk(ANN, 5, 40, recording_sha256="a")
    second = talk(IDA, 40, 90, recording_sha256="b")
    await happens(two_vdns, began(), first, ended(reason="agent: released"))
    await happens(two_vdns, second)
    await happens(two_vdns, began(), first, second, ended())
    found = await kept(two_vdns)
    assert [entry.target for entry in await finished(two_vdns)] == [str(contact.uuid) for contact in found]
    assert [(contact.agent, contact.ended_by, contact.reason) for contact in found] == [
        (ANN, Ender.SYSTEM, "taken over"),
        (IDA, Ender.AGENT, "agent: released"),
    ]


async def test_a_change_that_cannot_be_written_takes_no_contact_with_it(two_vdns: AsyncEngine) -> None:
    bad = ContactBegan("1-2", ONE, NOW, CallDirection.INBOUND, "1", "2", SkillId(2**40))
    drop, foreign = (AuditEntry(vdn, NOW, IDA, "call.drop", "1-1") for vdn in (ONE, TWO))
    async with two_vdns.begin() as connection:
        told = [foreign, drop, began(), bad, talk(recording_sha256="a"), ended()]
        refused = await changes.apply_each(connection, ONE, told)
    assert refused == [bad, foreign]
    entries = await audit.read(two_vdns, ONE)
    assert [entry.action for entry in entries] == [
        "directory.import",
        "sampling.chain",
        "recording.finished",
        "call.drop",
    ]
    assert [contact.agent for contact in await kept(two_vdns)] == [ANN]


async def test_a_talk_that_a_crash_ended(two_vdns: AsyncEngine, tmp_path: Path) -> None:
    """Whose talk it was, and where its recording is, are known although nothing told its end."""
    store = PostgresStore(
        two_vdns,
        node="a",
        address="",
        spool_folder=tmp_path,
        lease_seconds=15.0,
        commit_timeout=3.0,
        spool_limit=1 << 20,
    )
    await store.open(ONE)
    store.append(ONE, [began(), SegmentBegan("1-1", ONE, ANN, at(5), "/r/1.wav"), began("1-2")])
    await store.commit(ONE, [])
    await store.restore(ONE)
    await store.restore(ONE)
    await store.close()
    found = await kept(two_vdns)
    assert [(contact.call, contact.agent, contact.recording) for contact in found] == [
        ("1-1", ANN, "/r/1.wav"),
        ("1-2", None, None),
    ]
    assert {contact.reason for contact in found} == {"interrupted"}
    assert {contact.ended_by for contact in found} == {Ender.SYSTEM}
    assert found[0].ended_at >= found[0].began_at
    assert len(await jobs(two_vdns)) == 1


async def test_pauses_of_a_recording_outlive_a_crash(two_vdns: AsyncEngine, tmp_path: Path) -> None:
    """One that lasted then lasts until the talk's end; a talk that an agent had recorded keeps its file."""
    over, lasting = RecordingPause(ANN, at(5), at(6)), RecordingPause(ANN, at(8))
    store = PostgresStore(
        two_vdns,
        node="a",
        address="",
        spool_folder=tmp_path,
        lease_seconds=15.0,
        commit_timeout=3.0,
        spool_limit=1 << 20,
    )
    await store.open(ONE)
    store.append(ONE, [began(), SegmentBegan("1-1", ONE, ANN, at(5))])
    for pauses in ((over,), (over, lasting)):
        store.append(ONE, [RecordingChanged("1-1", ONE, ANN, at(5), "1.wav", pauses)])
    await store.commit(ONE, [])
    await store.restore(ONE)
    late = RecordingChanged("1-1", ONE, ANN, at(5), None, ())
    store.append(ONE, [late])
    await store.commit(ONE, [])
    await store.close()
    [found] = await kept(two_vdns)
    assert (found.recording, found.reason) == ("1.wav", "interrupted")
    first, second = found.pauses
    assert (first, second.by, second.began_at) == (over, ANN, at(8))
    assert second.ended_at is not None
    assert second.ended_at >= second.began_at
    assert found.unrecorded[0] == Span(0, 1000)


async def test_pauses_of_a_talk_are_the_contact_s(two_vdns: AsyncEngine) -> None:
    """A newcomer to a call that is paused has a pause before its begin is told."""
    pause = RecordingPause(IDA, at(5), at(7))
    changed = RecordingChanged("1-1", ONE, ANN, at(5), "1.wav", (dataclasses.replace(pause, ended_at=None),))
    told = changed, SegmentBegan("1-1", ONE, ANN, at(5), "1.wav"), talk(pauses=(pause,))
    await happens(two_vdns, began(), *told, ended())
    [found] = await kept(two_vdns)
    assert list(found.pauses) == [pause]


async def test_a_call_that_cannot_become_a_contact_keeps_no_server_from_starting(
    two_vdns: AsyncEngine, tmp_path: Path
) -> None:
    store = PostgresStore(
        two_vdns,
        node="a",
        address="",
        spool_folder=tmp_path,
        lease_seconds=15.0,
        commit_timeout=3.0,
        spool_limit=1 << 20,
    )
    await store.open(ONE)
    store.append(ONE, [began("1-1"), began("1-2"), talk(ANN, 5, 6), began("1-3")])
    await store.commit(ONE, [])
    await goes_sideways(two_vdns, "1-2")
    assert (await store.restore(ONE)).open_contacts == ["1-1", "1-2", "1-3"]
    await store.commit(ONE, [began("1-4")])
    await goes_sideways(two_vdns, "1-4")
    store.append(ONE, [ended("1-4"), began("1-5"), ended("1-5")])
    await store.commit(ONE, [])
    await store.close()
    assert [(contact.call, contact.reason) for contact in await kept(two_vdns)] == [
        ("1-1", "interrupted"),
        ("1-3", "interrupted"),
        ("1-5", "customer: normal"),
    ]


async def test_two_that_write_the_same_source(two_vdns: AsyncEngine, postgres_dsn: str) -> None:
    """In a month that has no partition yet: one makes it, one writes the contact."""
    other = connect(postgres_dsn, connections=4)
    made = a_contact(began_at=datetime(2031, 1, 31, 23, 59, tzinfo=UTC))

    async def write(engine: AsyncEngine) -> int | None:
        async with engine.begin() as connection:
            return await contacts.insert(connection, "same", made)

    written = await asyncio.gather(*(write(engine) for engine in (two_vdns, other, two_vdns, other)))
    await other.dispose()
    assert len([number for number in written if number is not None]) == 1
    assert len(await kept(two_vdns)) == 1


async def test_a_month_is_made_while_others_read_and_write(two_vdns: AsyncEngine, postgres_dsn: str) -> None:
    """A reader who holds the table and a writer who has written must not be waited for."""
    other = connect(postgres_dsn)
    await insert(two_vdns)
    async with other.connect() as reader:
        await reader.execute(sa.select(rows))
        await contacts.insert(reader, "open", a_contact())
        async with two_vdns.begin() as connection:
            await connection.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
            await contacts.insert(connection, "new", a_contact(began_at=datetime(2027, 6, 1, tzinfo=UTC)))
        await reader.rollback()
    await other.dispose()
    assert len(await kept(two_vdns)) == 2


async def test_months_meet_without_a_gap(two_vdns: AsyncEngine) -> None:
    moments = [
        datetime(2027, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2028, 1, 1, tzinfo=UTC),
        datetime(2028, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2028, 3, 1, tzinfo=UTC),
    ]
    for moment in moments:
        await insert(two_vdns, began_at=moment)
    assert [contact.began_at for contact in await kept(two_vdns)] == moments
    async with two_vdns.begin() as connection:
        names = await connection.execute(
            sa.text("SELECT tableoid::regclass::text FROM contacts ORDER BY began_at")
        )
        assert list(names.scalars()) == [
            "contacts_2027_12", "contacts_2028_01", "contacts_2028_02", "contacts_2028_03",
        ]  # fmt: skip


async def test_what_is_kept_is_what_was_given(two_vdns: AsyncEngine) -> None:
    made = await insert(
        two_vdns,
        reason="nul\0 and \ud800",
        transcript=(Sentence("Grüß Gott", Speaker.AGENT, 0.5, 1.25), Sentence("Hm", None, 2.0, 2.1)),
        analysis=Analysis(60.0, Voice(0.5, 30.0, 4.5), Voice(0.25, 45.0, 9.0), silence_s=15.0),
        analysed_at=at(200),
        status=Inspection.SUCCESS,
        agent=None,
        recording=None,
    )
    async with two_vdns.begin() as connection:
        found = await contacts.find(work_of(connection, ONE), made.contact)
        assert found == dataclasses.replace(made, reason="nul\ufffd and \ufffd")
        assert await contacts.by_uuid(work_of(connection, ONE), made.uuid) == found
        assert await contacts.many(work_of(connection, ONE), [made.contact, 10**15]) == {made.contact: found}
        assert await contacts.many(work_of(connection, ONE), []) == {}


async def test_another_tenant_finds_nothing(two_vdns: AsyncEngine) -> None:
    made = await insert(two_vdns)
    async with two_vdns.begin() as connection:
        assert await contacts.find(work_of(connection, TWO), made.contact) is None
        assert await contacts.by_uuid(work_of(connection, TWO), made.uuid) is None
        assert await contacts.many(work_of(connection, TWO), [made.contact]) == {}
        assert await contacts.staff(work_of(connection, TWO), [made]) == {}
        assert await contacts.staff(work_of(connection, ONE), [made]) == {ANN: (None, "Ann")}
    assert await kept(two_vdns, vdn=TWO) == []


SEARCHES = [
    (Search(), "abcd"),
    (Search(interactions=frozenset([Interaction.TEXT])), "d"),
    (Search(statuses=frozenset([Inspection.SUCCESS, Inspection.BAD_RECORDING])), "bc"),
    (Search(agents=frozenset([IDA])), "c"),
    (Search(agents=frozenset()), ""),
    (Search(agent_name="AN"), "ab"),
    (Search(agent_name="%"), ""),
    (Search(began_from=NOW, began_to=NOW), "ab"),
    (Search(uploaded_from=at(101), uploaded_to=at(200)), "b"),
    (Search(duration_from_s=60), "abcd"),
    (Search(duration_from_s=61), ""),
    (Search(duration_to_s=61), "abcd"),
    (Search(duration_to_s=60), "acd"),
    (Search(keyword="KETTLE"), "d"),
    (Search(keyword="k_ttle"), ""),
    (Search(keyword="side"), ""),
]


async def test_a_search(two_vdns: AsyncEngine) -> None:
    await insert(two_vdns, call="a")
    await insert(two_vdns, call="b", status=Inspection.SUCCESS, duration_ms=60_300, uploaded_at=at(150))
    await insert(two_vdns, call="c", status=Inspection.BAD_RECORDING, agent=IDA, began_at=at(99))
    await insert(
        two_vdns,
        call="d",
        interaction=Interaction.TEXT,
        agent=None,
        began_at=at(-99),
        transcript=(Sentence("My Kettle", Speaker.CUSTOMER, 0, 1),),
    )
    for search, found in SEARCHES:
        assert "".join(contact.call for contact in await kept(two_vdns, search)) == found, search


async def test_pages_hold_each_contact_once(two_vdns: AsyncEngine) -> None:
    made = [await insert(two_vdns, uploaded_at=at(n // 2)) for n in range(7)]
    seen: list[UUID] = []
    async with two_vdns.begin() as connection:
        for offset in (0, 3, 6, 9):
            total, found = await contacts.page(work_of(connection, ONE), EVERYTHING, offset=offset, limit=3)
            assert total == 7
            seen += [contact.uuid for contact in found]
    assert seen == [contact.uuid for contact in reversed(made)]
