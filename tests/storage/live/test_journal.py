"""The journal: committed, appended, spooled, replayed; a stale owner refused; tenants apart."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs
from tests.full_disk import file_size_limit

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.domain.journal import (
    AuditEntry,
    CallDataSet,
    ContactBegan,
    ContactEnded,
    DialogEnded,
    DialogSaved,
    PasswordChanged,
    SegmentEnded,
    SessionEnded,
    SessionSaved,
    SignedInFrom,
    WaitBegan,
    WaitEnded,
    kept_guid,
)
from sottovoce.domain.legs import LegId
from sottovoce.domain.queueing import Outcome
from sottovoce.errors import Code, Refused
from sottovoce.storage import audit
from sottovoce.storage.database import connect, transaction
from sottovoce.storage.live import calls, directory, waits
from sottovoce.storage.live.journal import PostgresStore
from sottovoce.storage.own.lease import LeaseTaken
from sottovoce.storage.tables import calls as kept_calls
from sottovoce.storage.tables import sessions, sign_ins

NOW = datetime(2026, 11, 22, 4, 5, 6, 789012, tzinfo=UTC)
ONE, TWO = VdnId(1), VdnId(2)
ANN, IDA = AgentId(101), AgentId(102)


def session(agent: AgentId = ANN, vdn: VdnId = ONE, guid: str = "guid-1") -> SessionSaved:
    return SessionSaved(
        agent, vdn, kept_guid(guid), "8001", NOW, (SkillId(1), SkillId(2)), {"autoanswer": True, "status": 4}
    )


def began(call: str, vdn: VdnId = ONE, at: datetime = NOW) -> ContactBegan:
    return ContactBegan(call, vdn, at, CallDirection.INBOUND, "+49301234", "4000", SkillId(1))


def ended(call: str, vdn: VdnId = ONE, at: datetime = NOW + timedelta(minutes=3)) -> ContactEnded:
    return ContactEnded(call, vdn, at, "customer")


def talk(call: str) -> SegmentEnded:
    return SegmentEnded(
        call, ONE, ANN, NOW, NOW + timedelta(minutes=2), "/r/1.wav", {"102": "/r/1.102.wav"}, "disk full"
    )


def whisper(vdn: VdnId = ONE) -> AuditEntry:
    return AuditEntry(vdn, NOW, IDA, "supervise.whisper", "101", {"call": "1-1", "again": False, "n": 3})


KILLED_AFTER_APPENDING = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from sottovoce.domain.calls import CallDirection
from sottovoce.domain.journal import ContactBegan, ContactEnded
from sottovoce.storage.database import connect
from sottovoce.storage.live.journal import PostgresStore
from sottovoce.domain.calls import CallDirection
async def main():
    store = PostgresStore(connect(sys.argv[1]), node="a", address="", spool_folder=Path(sys.argv[2]),
                          lease_seconds=15.0, commit_timeout=3.0, spool_limit=64 << 20)
    await store.open(1)
    at = datetime(2026, 11, 22, tzinfo=UTC)
    for n in range(50):
        began = ContactBegan(f"1-{n}", 1, at, CallDirection.INBOUND, "1", "2")
        store.append(1, [began, ContactEnded(f"1-{n}", 1, at, "customer")])
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


class Nodes:
    """Stores on one database, closed at the end."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self._dsn = dsn
        self._folder = folder
        self._made: list[tuple[PostgresStore, AsyncEngine]] = []

    def store(self, node: str = "a", **options: object) -> PostgresStore:
        engine = connect(self._dsn, connections=3)
        made = PostgresStore(
            engine,
            node=node,
            address=f"http://{node}:8043",
            spool_folder=self._folder / node,
            **{"lease_seconds": 15.0, "commit_timeout": 10.0, "spool_limit": 64 << 20, **options},  # type: ignore[arg-type]
        )
        self._made.append((made, engine))
        return made

    async def crash(self, store: PostgresStore) -> None:
        """End a store as kill -9 does: nothing is flushed, no lease is let go."""
        engine = next(engine for made, engine in self._made if made is store)
        await store._tasks.close()
        for journal in store._journals.values():
            await journal.close()
        self._made.remove((store, engine))
        await engine.dispose()

    def spool(self, node: str = "a") -> Path:
        return self._folder / node / "vdn-1.jsonl"

    async def close(self) -> None:
        for store, engine in self._made:
            await store.close()
            await engine.dispose()


@pytest.fixture
async def nodes(two_vdns: AsyncEngine, postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Nodes]:
    made = Nodes(postgres_dsn, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def store(nodes: Nodes) -> PostgresStore:
    store = nodes.store()
    await store.open(ONE)
    await store.open(TWO)
    return store


async def until(done: Callable[[], bool]) -> None:
    """Wait for something that happens elsewhere; the test's time limit ends it."""
    while not done():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)


async def written(store: PostgresStore) -> None:
    await until(lambda: store.waiting(ONE) == 0)


async def finished(engine: AsyncEngine, vdn: VdnId) -> list[calls.KeptCall]:
    """The VDN's calls that are over, by their end."""
    async with engine.connect() as connection:
        ids = (await connection.execute(sa.select(kept_calls.c.call))).scalars().all()
        found = await calls.ended_ones(connection, vdn, ids)
    return sorted(found, key=lambda call: (call.ended_at, call.call))


class Outage:
    """The database refuses connections, and ends those there are."""

    def __init__(self, dsn: str, server: str) -> None:
        self._server = server
        self._name = str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"])

    def __enter__(self) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS false')
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self._name]
            )

    def __exit__(self, *_: object) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS true')


@pytest.fixture
def outage(postgres_dsn: str, postgres_server: str) -> Outage:
    return Outage(postgres_dsn, postgres_server)


async def test_a_commit_is_there_with_its_audit_row(store: PostgresStore, two_vdns: AsyncEngine) -> None:
    await store.commit(ONE, [session(), whisper()])
    assert (await audit.read(two_vdns, ONE, after=2)) == [whisper()]
    assert (await store.restore(ONE)).sessions == [session()]


async def test_a_supervision_that_a_crash_cut_off_ends_in_the_audit(
    nodes: Nodes, two_vdns: AsyncEngine
) -> None:
    """Once, with whoever takes the VDN over; one that ended before, or was refused, does not end again."""

    def row(actor: AgentId, action: str) -> AuditEntry:
        return AuditEntry(ONE, NOW, actor, action, "101" if actor == IDA else "102")

    store = nodes.store()
    await store.open(ONE)
    await store.commit(ONE, [row(IDA, "supervise.listen"), row(ANN, "supervise.insert")])
    store.append(ONE, [row(ANN, "supervise.stop"), row(IDA, "supervise.whisper")])
    store.append(ONE, [row(IDA, "supervise.insert"), row(IDA, "supervise.insert.refused")])
    store.append(ONE, [row(ANN, "supervise.listen"), row(ANN, "supervise.listen.refused")])
    await written(store)
    await nodes.crash(store)
    again = nodes.store()
    await again.open(ONE)
    before = len(await audit.read(two_vdns, ONE))
    for _ in range(2):
        await again.restore(ONE)
    [end] = await audit.read(two_vdns, ONE, after=before)
    assert (end.actor, end.action, end.target) == (IDA, "supervise.stop", "101")
    assert (end.detail["mode"], end.detail["reason"]) == ("whisper", "server died")


async def test_where_agents_signed_in_from_is_kept_by_tenant_and_the_latest_alone(
    store: PostgresStore,
) -> None:
    now = datetime.now(UTC)

    def signed_in(agent: AgentId, source: str, days_ago: float, phone: str = "") -> SignedInFrom:
        return SignedInFrom(agent, ONE, source, now - timedelta(days=days_ago), phone)

    await store.commit(ONE, [signed_in(ANN, "192.0.2.1", 91), signed_in(IDA, "2001:db8::/64", 91)])
    await store.commit(ONE, [signed_in(IDA, "2001:db8::/64", 89), signed_in(ANN, "192.0.2.2", 2, "8001")])
    assert (await store.restore(ONE)).sources == [
        signed_in(IDA, "2001:db8::/64", 89),
        signed_in(ANN, "192.0.2.2", 2, "8001"),
    ]
    await store.commit(ONE, [signed_in(ANN, f"198.51.100.{n}", 1) for n in range(16)])
    kept = [one.source for one in (await store.restore(ONE)).sources if one.agent == ANN]
    assert kept == [f"198.51.100.{n}" for n in range(16)]
    assert (await store.restore(TWO)).sources == []


async def test_a_guid_of_an_old_spool_is_hashed_when_it_is_kept(
    store: PostgresStore, two_vdns: AsyncEngine
) -> None:
    old = SessionSaved(ANN, ONE, "0f3c.AgentGateway1", "8001", NOW)
    store.append(ONE, [old])
    await written(store)
    [found] = (await store.restore(ONE)).sessions
    assert found.guid == hashlib.sha256(b"0f3c.AgentGateway1").hexdigest()


async def test_a_commit_writes_what_was_appended_before_it_first(store: PostgresStore) -> None:
    store.append(ONE, [session(guid="old")])
    await store.commit(ONE, [SessionEnded(ANN, ONE, NOW, "logout")])
    assert store.waiting(ONE) == 0
    assert (await store.restore(ONE)).sessions == []


async def test_a_commit_is_all_or_nothing(store: PostgresStore) -> None:
    with pytest.raises(Refused) as refused:
        await store.commit(ONE, [session(), session(vdn=TWO)])
    assert refused.value.code is Code.UNAVAILABLE
    assert (await store.restore(ONE)).sessions == []


async def test_appended_changes_are_written_in_order(store: PostgresStore) -> None:
    store.append(ONE, [session(guid=f"guid-{n}") for n in range(700)])
    store.append(ONE, [DialogSaved(LegId("l1"), ONE, {"call_id": "x", "cseq": 1})])
    store.append(ONE, [DialogSaved(LegId("l1"), ONE, {"call_id": "x", "cseq": 2, "routes": ["<sip:a;lr>"]})])
    store.append(ONE, [DialogSaved(LegId("l2"), ONE, {}), DialogEnded(LegId("l2"), ONE)])
    await written(store)
    restored = await store.restore(ONE)
    assert [found.guid for found in restored.sessions] == [kept_guid("guid-699")]
    assert restored.dialogs == {LegId("l1"): {"call_id": "x", "cseq": 2, "routes": ["<sip:a;lr>"]}}


async def test_contacts_and_segments(store: PostgresStore, two_vdns: AsyncEngine) -> None:
    store.append(ONE, [began("1-1"), talk("1-1"), ended("1-1"), began("1-2")])
    await written(store)
    found = await finished(two_vdns, ONE)
    assert [(contact.call, contact.reason) for contact in found] == [("1-1", "customer")]
    assert found[0].segments == (talk("1-1"),)
    assert found[0].skill == SkillId(1)


async def test_call_data_as_last_set(store: PostgresStore, two_vdns: AsyncEngine) -> None:
    """Of that VDN's call alone; of a call that nobody knows nothing is made."""
    store.append(ONE, [began("1-1"), CallDataSet("1-1", ONE, "first"), CallDataSet("1-1", ONE, "1\0")])
    store.append(ONE, [CallDataSet("1-9", ONE, "nobody's"), ended("1-1"), began("1-2"), ended("1-2")])
    store.append(TWO, [CallDataSet("1-1", TWO, "foreign")])
    await written(store)
    assert [(call.call, call.data) for call in await finished(two_vdns, ONE)] == [
        ("1-1", "1\ufffd"),
        ("1-2", ""),
    ]


async def test_a_password_is_kept_and_its_vdn_read_anew(store: PostgresStore, two_vdns: AsyncEngine) -> None:
    """Of that VDN's agent alone."""
    before = (await directory.profile(two_vdns, ONE)).agents[ANN]
    revision = await directory.revision(two_vdns)
    await store.commit(ONE, [PasswordChanged(ANN, ONE, "another", NOW)])
    await store.commit(TWO, [PasswordChanged(ANN, TWO, "foreign", NOW)])
    kept = (await directory.profile(two_vdns, ONE)).agents[ANN]
    assert kept == before.with_password("another", NOW)
    assert await directory.revision(two_vdns) > revision


async def test_a_session_that_is_saved_after_the_end_of_the_one_before_goes_on(
    store: PostgresStore, two_vdns: AsyncEngine
) -> None:
    await store.commit(ONE, [session()])
    store.append(ONE, [SessionEnded(ANN, ONE, NOW, "signed in elsewhere"), session()])
    await written(store)
    assert len((await store.restore(ONE)).sessions) == 1
    async with two_vdns.connect() as connection:
        [row] = (await connection.execute(sa.select(sign_ins))).mappings()
    assert (row["signed_out_at"], row["reason"]) == (None, None)


async def test_sign_ins_are_kept_with_their_end(store: PostgresStore, two_vdns: AsyncEngine) -> None:
    await store.commit(ONE, [session()])
    store.append(ONE, [session(guid="renewed"), SessionEnded(ANN, ONE, NOW + timedelta(hours=1), "silent")])
    await written(store)
    async with two_vdns.connect() as connection:
        rows = (await connection.execute(sa.select(sign_ins))).mappings().all()
    assert [(row["agent"], row["signed_out_at"] - row["signed_in_at"], row["reason"]) for row in rows] == [
        (101, timedelta(hours=1), "silent")
    ]


async def test_after_a_crash_sessions_return_and_contacts_get_an_end(
    nodes: Nodes, two_vdns: AsyncEngine
) -> None:
    first = nodes.store()
    await first.open(ONE)
    await first.commit(ONE, [session()])
    later = datetime.now(UTC) + timedelta(hours=1)
    first.append(
        ONE, [began("1-1"), talk("1-1"), began("1-2", at=later), DialogSaved(LegId("l1"), ONE, {"n": 1})]
    )
    waited = WaitEnded("1-1", ONE, SkillId(1), NOW, NOW + timedelta(seconds=9), Outcome.ANSWERED, ANN)
    first.append(
        ONE, [WaitBegan("1-1", ONE, SkillId(1), NOW), waited, WaitBegan("1-2", ONE, SkillId(2), later)]
    )
    await nodes.crash(first)
    second = nodes.store()
    await second.open(ONE)
    restored = await second.restore(ONE)
    assert restored.sessions == [session()]
    assert restored.dialogs == {LegId("l1"): {"n": 1}}
    assert restored.open_contacts == ["1-1", "1-2"]
    assert (await second.restore(ONE)).open_contacts == []
    found = await finished(two_vdns, ONE)
    assert [(contact.call, contact.reason) for contact in found] == [
        ("1-1", "interrupted"),
        ("1-2", "interrupted"),
    ]
    assert found[0].ended_at > NOW
    assert found[1].ended_at == later, "never before its begin"
    async with transaction(two_vdns) as connection:
        cut_off = WaitEnded("1-2", ONE, SkillId(2), later, later, Outcome.INTERRUPTED)
        assert await waits.since(connection, ONE, NOW) == [waited, cut_off]


async def test_kill_9_loses_nothing_that_was_appended(
    nodes: Nodes, two_vdns: AsyncEngine, postgres_dsn: str
) -> None:
    program = [sys.executable, "-c", KILLED_AFTER_APPENDING, postgres_dsn, str(nodes.spool().parent)]
    done = await asyncio.create_subprocess_exec(*program)
    assert await done.wait() == -9
    store = nodes.store()
    await store.open(ONE)
    found = await finished(two_vdns, ONE)
    assert len(found) == 50
    assert {contact.reason for contact in found} == {"customer"}
    assert nodes.spool().stat().st_size == 0


async def test_while_the_database_is_away(nodes: Nodes, outage: Outage, two_vdns: AsyncEngine) -> None:
    store = nodes.store()
    await store.open(ONE)
    with outage:
        with pytest.raises(Refused) as refused:
            await store.commit(ONE, [session()])
        assert refused.value.code is Code.UNAVAILABLE
        with pytest.raises(Refused):
            await store.profile(ONE)
        store.append(ONE, [began("1-1"), ended("1-1")])
        store.append(ONE, [session(IDA, guid="appended"), whisper()])
        assert store.waiting(ONE) == 4
        assert len(nodes.spool().read_text().splitlines()) == 4
    await written(store)
    await until(lambda: nodes.spool().stat().st_size == 0)
    assert [found.guid for found in (await store.restore(ONE)).sessions] == [kept_guid("appended")]
    found = await finished(two_vdns, ONE)
    assert [contact.call for contact in found] == ["1-1"]
    await store.commit(ONE, [session()])


async def test_a_crash_while_the_database_is_away(
    nodes: Nodes, outage: Outage, two_vdns: AsyncEngine
) -> None:
    first = nodes.store()
    await first.open(ONE)
    store = nodes.store()
    with outage:
        first.append(ONE, [began("1-1"), ended("1-1"), whisper()])
        await nodes.crash(first)
        with pytest.raises(Refused) as refused:
            await store.open(ONE)
        assert refused.value.code is Code.UNAVAILABLE
    await store.open(ONE)
    found = await finished(two_vdns, ONE)
    assert [contact.call for contact in found] == ["1-1"]
    await nodes.crash(store)
    third = nodes.store()
    await third.open(ONE)
    assert len(await audit.read(two_vdns, ONE, after=2)) == 1, "nothing is replayed twice"


async def test_a_replay_that_was_written_before_is_not_written_twice(
    nodes: Nodes, two_vdns: AsyncEngine
) -> None:
    first = nodes.store()
    await first.open(ONE)
    first.append(ONE, [whisper()])
    kept = nodes.spool().read_bytes()
    await written(first)
    await until(lambda: nodes.spool().stat().st_size == 0)
    await nodes.crash(first)
    nodes.spool().write_bytes(kept)
    second = nodes.store()
    await second.open(ONE)
    second.append(ONE, [whisper()])
    await written(second)
    assert len(await audit.read(two_vdns, ONE, after=2)) == 2


async def test_another_node_waits_for_the_lease_and_the_former_owner_is_refused(
    nodes: Nodes, two_vdns: AsyncEngine
) -> None:
    lost: list[VdnId] = []
    former = nodes.store("a", lease_seconds=3600, on_lost=lost.append)
    await former.open(ONE)
    other = nodes.store("b")
    with pytest.raises(LeaseTaken) as taken:
        await other.open(ONE)
    assert taken.value.address == "http://a:8043"
    async with two_vdns.begin() as connection:
        await connection.execute(sa.text("UPDATE leases SET expires_at = now()"))
    await other.open(ONE)
    with pytest.raises(Refused) as refused:
        await former.commit(ONE, [session(guid="stale")])
    assert refused.value.code is Code.UNAVAILABLE
    assert lost == [ONE]
    former.append(ONE, [session(guid="stale")])
    await other.commit(ONE, [session(guid="new")])
    assert [found.guid for found in (await other.restore(ONE)).sessions] == [kept_guid("new")]


async def test_what_a_stale_owner_appended_is_set_aside(nodes: Nodes, two_vdns: AsyncEngine) -> None:
    lost: list[VdnId] = []
    former = nodes.store("a", on_lost=lost.append)
    await former.open(ONE)
    async with two_vdns.begin() as connection:
        await connection.execute(
            sa.text("UPDATE leases SET epoch = epoch + 1, node = 'b', held_since = epoch + 1")
        )
    former.append(ONE, [began("1-1")])
    await until(lambda: bool(lost))
    assert len(list(nodes.spool().parent.glob("*.aside-*"))) == 1
    async with two_vdns.connect() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM calls"))).scalar_one() == 0


async def test_a_spool_from_before_another_owner_is_set_aside(nodes: Nodes, two_vdns: AsyncEngine) -> None:
    first = nodes.store("a", lease_seconds=3)
    await first.open(ONE)
    first.append(ONE, [began("1-1")])
    await nodes.crash(first)
    async with two_vdns.begin() as connection:
        await connection.execute(sa.text("UPDATE leases SET expires_at = now()"))
    other = nodes.store("b")
    await other.open(ONE)
    await other.close()
    again = nodes.store("a")
    await again.open(ONE)
    assert (await again.restore(ONE)).open_contacts == []
    assert len(list(nodes.spool().parent.glob("*.aside-*"))) == 1


async def test_closing_writes_what_waits_and_lets_the_lease_go(nodes: Nodes, two_vdns: AsyncEngine) -> None:
    store = nodes.store("a")
    await store.open(ONE)
    store.append(ONE, [session()])
    await store.close()
    other = nodes.store("b")
    await other.open(ONE)
    assert (await other.restore(ONE)).sessions == [session()]


async def test_the_spool_is_bounded(nodes: Nodes, outage: Outage) -> None:
    store = nodes.store(spool_limit=2000)
    await store.open(ONE)
    with outage:
        store.append(ONE, [began(f"1-{n}") for n in range(1000)])
        assert nodes.spool().stat().st_size <= 2000
        kept = store.waiting(ONE)
        assert 0 < kept < 20
    await written(store)
    assert len((await store.restore(ONE)).open_contacts) == kept


async def test_a_disk_that_fails_stops_nothing(nodes: Nodes) -> None:
    nodes.spool().parent.mkdir(parents=True)
    nodes.spool().symlink_to("/proc/no/such/place")
    store = nodes.store()
    await store.open(ONE)
    store.append(ONE, [began("1-1")])
    await written(store)
    assert (await store.restore(ONE)).open_contacts == ["1-1"]


async def test_what_no_disk_holds_is_said_and_kept_when_there_is_room(nodes: Nodes, outage: Outage) -> None:
    said: list[tuple[VdnId, bool]] = []
    store = nodes.store(on_keeping=lambda *told: said.append(told), lease_seconds=3.0)
    await store.open(ONE)
    with outage:
        with capture_logs() as logs, file_size_limit(300):  # standard output may be a file, too
            store.append(ONE, [began("1-1")])
            await until(lambda: nodes.spool().stat().st_size > 0)
            assert said == [], "the disk has room"
            store.append(ONE, [began("1-2"), began("1-3")])
            await until(lambda: said == [(ONE, False)])
            (spooled,) = store.spooled()
            assert (spooled.failed, spooled.keeps) == (True, False)
            assert len(nodes.spool().read_text().splitlines()) == 1
        assert [line["spool"] for line in logs if "refused" in line["event"]] == ["the disk fails"]
        await until(lambda: said == [(ONE, False), (ONE, True)])
        assert not store.spooled()[0].failed
        assert len(nodes.spool().read_text().splitlines()) == 3
        await nodes.crash(store)
    again = nodes.store()
    await again.open(ONE)
    assert (await again.restore(ONE)).open_contacts == ["1-1", "1-2", "1-3"]


async def test_a_full_disk_is_found_before_the_first_call_of_an_outage(nodes: Nodes, outage: Outage) -> None:
    said: list[tuple[VdnId, bool]] = []
    store = nodes.store(on_keeping=lambda *told: said.append(told), lease_seconds=3.0)
    await store.open(ONE)
    with outage:
        with capture_logs(), file_size_limit(10):  # standard output may be a file, too
            await until(lambda: said == [(ONE, False)])
            assert store.spooled()[0].failed
        await until(lambda: said == [(ONE, False), (ONE, True)])
        assert nodes.spool().stat().st_size == 0, "to try it leaves nothing"


async def test_a_call_that_comes_before_the_outage_is_known_is_kept_in_memory(
    nodes: Nodes, outage: Outage
) -> None:
    """Neither database nor disk takes it, and nobody knew: it is on record as soon as one of them is back."""
    said: list[tuple[VdnId, bool]] = []
    store = nodes.store(on_keeping=lambda *told: said.append(told))
    await store.open(ONE)
    with capture_logs(), file_size_limit(10):
        with outage:
            assert store.spooled()[0].keeps
            store.append(ONE, [began("1-1")])
            await until(lambda: said == [(ONE, False)])
            store.append(ONE, [ended("1-1")])
            assert (store.waiting(ONE), nodes.spool().stat().st_size) == (2, 0)
        await until(lambda: said == [(ONE, False), (ONE, True)])
        assert store.waiting(ONE) == 0
    assert (await store.restore(ONE)).open_contacts == []


async def test_a_full_disk_beside_a_database_that_is_there_refuses_nothing(nodes: Nodes) -> None:
    said: list[tuple[VdnId, bool]] = []
    store = nodes.store(on_keeping=lambda *told: said.append(told))
    await store.open(ONE)
    with file_size_limit(10), capture_logs() as logs:
        for number in range(5):
            store.append(ONE, [began(f"1-{number}")])
            await written(store)
    assert said == []
    assert [line["event"] for line in logs] == ["the spool cannot be used"], "once"
    assert len((await store.restore(ONE)).open_contacts) == 5


async def test_calls_that_are_lost_at_the_end_are_named(nodes: Nodes, outage: Outage) -> None:
    store = nodes.store(commit_timeout=0.5)
    await store.open(ONE)
    with outage, file_size_limit(10), capture_logs() as logs:
        store.append(ONE, [began("1-1"), ended("1-1"), began("1-2")])
        await store.close()
    [lost] = [line for line in logs if line["event"].startswith("changes are lost")]
    assert (lost["changes"], lost["calls"], lost["log_level"]) == (3, ["1-1", "1-2"], "error")


async def test_the_last_quarter_of_the_spool_is_for_what_runs(nodes: Nodes, outage: Outage) -> None:
    said: list[tuple[VdnId, bool]] = []
    store = nodes.store(spool_limit=4000, on_keeping=lambda *told: said.append(told))
    await store.open(ONE)
    with outage:
        number = 0
        while not said:
            number += 1
            store.append(ONE, [began(f"1-{number}")])
            await asyncio.sleep(0.1)
        assert said == [(ONE, False)]
        assert 3000 < nodes.spool().stat().st_size < 4000
        store.append(ONE, [ended("1-1"), ended("1-2")])
        assert store.spooled()[0].lost == 0
    await until(lambda: said == [(ONE, False), (ONE, True)])


async def test_one_change_that_cannot_be_written_holds_nothing_up(store: PostgresStore) -> None:
    far = ContactBegan("1-2", ONE, NOW, CallDirection.INBOUND, "1", "2", SkillId(2**40))
    store.append(ONE, [began("1-1"), far, began("1-3")])
    await written(store)
    assert (await store.restore(ONE)).open_contacts == ["1-1", "1-3"]


@pytest.mark.parametrize("hostile", ["\0", "a\0b", "\ud800", "😀", "'; DROP TABLE agents; --", "\r\n\x1b[2J"])
async def test_hostile_texts_are_kept_as_far_as_postgresql_can(store: PostgresStore, hostile: str) -> None:
    name = SessionSaved(ANN, ONE, hostile, hostile, NOW, (), {hostile: hostile})
    await store.commit(ONE, [name, AuditEntry(ONE, NOW, IDA, hostile, hostile, {hostile: hostile})])
    store.append(ONE, [DialogSaved(LegId(hostile), ONE, {hostile: [hostile, {hostile: None}]})])
    await written(store)
    assert len((await store.restore(ONE)).sessions) == 1
    assert len((await store.restore(ONE)).dialogs) == 1


async def test_tenants_never_see_each_other(store: PostgresStore, two_vdns: AsyncEngine) -> None:
    await store.commit(ONE, [session(), whisper()])
    store.append(ONE, [began("1-1"), DialogSaved(LegId("l1"), ONE, {}), began("1-2"), ended("1-2")])
    await written(store)
    restored = await store.restore(TWO)
    assert (restored.sessions, restored.dialogs, restored.open_contacts) == ([], {}, [])
    assert [entry.vdn for entry in await audit.read(two_vdns, TWO)] == [TWO, TWO]
    assert await finished(two_vdns, TWO) == []
    assert not set((await store.profile(ONE)).agents) & set((await store.profile(TWO)).agents)
    await store.commit(TWO, [SessionEnded(ANN, TWO, NOW, "another tenant's")])
    store.append(TWO, [DialogEnded(LegId("l1"), TWO), ended("1-1", TWO)])
    await until(lambda: store.waiting(TWO) == 0)
    restored = await store.restore(ONE)
    assert (len(restored.sessions), len(restored.dialogs), restored.open_contacts) == (1, 1, ["1-1"])


async def test_a_vdn_that_is_not_ours_or_not_there(nodes: Nodes) -> None:
    store = nodes.store()
    with pytest.raises(Refused) as refused:
        await store.open(VdnId(77))
    assert refused.value.code is Code.NOT_FOUND
    for call in (store.restore(ONE), store.commit(ONE, [session()])):
        with pytest.raises(Refused) as refused:
            await call
        assert refused.value.code is Code.UNAVAILABLE


async def test_a_commit_during_which_the_connection_breaks(
    nodes: Nodes, postgres_server: str, postgres_dsn: str, two_vdns: AsyncEngine
) -> None:
    """It waits behind a lock when its backend is ended: refused, and nothing of it is there."""
    store = nodes.store()
    await store.open(ONE)
    name = str(psycopg.conninfo.conninfo_to_dict(postgres_dsn)["dbname"])
    with psycopg.connect(postgres_dsn) as holder:
        holder.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        commit = asyncio.gather(store.commit(ONE, [session()]), return_exceptions=True)
        with psycopg.connect(postgres_server, autocommit=True) as killer:
            waiting = "FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
            await until(lambda: killer.execute(f"SELECT 1 {waiting}", [name]).fetchone() is not None)
            killer.execute(f"SELECT pg_terminate_backend(pid) {waiting}", [name])
        (outcome,) = await commit
    assert isinstance(outcome, Refused)
    async with two_vdns.connect() as connection:
        assert (await connection.execute(sa.select(sessions))).all() == []


def test_the_spool_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    from sottovoce.storage.live.spool import Spool

    spool = Spool(tmp_path / "spool" / "vdn-1.jsonl", 10_000)
    spool.write(1, 1, session())
    assert os.stat(tmp_path / "spool").st_mode & 0o077 == 0
    assert os.stat(tmp_path / "spool" / "vdn-1.jsonl").st_mode & 0o077 == 0
    spool.close()


def test_a_torn_spool_gives_what_is_whole(tmp_path: Path) -> None:
    from sottovoce.storage.live.spool import Spool

    path = tmp_path / "vdn-1.jsonl"
    spool = Spool(path, 10_000)
    for number in (1, 2, 3):
        spool.write(number, 7, began(f"1-{number}"))
    spool.close()
    whole = path.read_bytes()
    for cut in (1, 20, len(whole) // 3 - 1):
        path.write_bytes(whole[:-cut])
        assert [record.number for record in Spool(path, 10_000).read()] == [1, 2]
    path.write_bytes(whole[: len(whole) // 2] + b"\0" * 100 + b"\n" + json.dumps({"n": 1}).encode() + b"\n")
    assert [record.number for record in Spool(path, 10_000).read()] == [1]
    assert path.with_suffix(".aside-1").exists()


def test_a_long_spool_is_written_anew_when_little_waits(tmp_path: Path) -> None:
    from sottovoce.storage.live.spool import Spool

    path = tmp_path / "vdn-1.jsonl"
    spool = Spool(path, 64 << 20)
    records = [spool.write(number, 1, began("x" * 1000)) for number in range(5000)]
    waiting = [record for record in records[-3:] if record is not None]
    spool.confirm(waiting, sum(record.size for record in waiting))
    later = spool.write(5000, 1, began("y"))
    assert later is not None
    assert [record.number for record in Spool(path, 64 << 20).read()] == [4997, 4998, 4999, 5000]
    spool.confirm((), 0)
    assert path.stat().st_size == 0
    spool.close()
