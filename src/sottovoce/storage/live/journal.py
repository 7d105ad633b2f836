"""The store that floors write to: `live.ports.Store` on PostgreSQL.

Each VDN that this node owns has a journal: what is appended is numbered, put into the spool on
disk at once, and written to the database in batches; what is committed is written together with
whatever still waits, in one transaction. Every transaction begins with the lease's fence, and
records what it wrote by number, so that nothing is written twice or by a former owner.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce.domain.directory import VdnId, VdnProfile
from sottovoce.domain.figures import KEPT
from sottovoce.domain.journal import Change, PhoneSaved, Restored, Spooled
from sottovoce.errors import Code, Refused
from sottovoce.storage.database import DatabaseAway, is_away, reason, transaction
from sottovoce.storage.live import calls, directory, registrations, sessions, supervisions, waits
from sottovoce.storage.live import changes as tables_of_changes
from sottovoce.storage.live.spool import Record, Spool
from sottovoce.storage.own import lease
from sottovoce.storage.own.lease import Lease, StaleOwner
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

GATHER = 0.05
"""Seconds for which appended changes gather into one batch."""
_BATCH = 500
_STUCK_S = 3.0
"""After so long without being written, what waits tells that the database is away, whatever it says."""
_TOLD = 20
"""Calls that a log line names at most."""
_RETRY = (0.25, 2.0)
"""Seconds between tries while the database is away: first, longest."""


class PostgresStore:
    """What survives, of all VDNs that this node owns. `open` each before use, `close` at the end.

    `on_lost` is called in the event loop when another node has taken a VDN over: its floor must end;
    `on_keeping` when what begins in a VDN can be kept no longer (False), and when it can again.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        node: str,
        address: str,
        spool_folder: Path,
        lease_seconds: float,
        commit_timeout: float,
        spool_limit: int,
        recordings: Path | None = None,
        on_lost: Callable[[VdnId], None] | None = None,
        on_keeping: Callable[[VdnId, bool], None] | None = None,
    ) -> None:
        self._engine = engine
        self._node = node
        self._address = address
        self._folder = spool_folder
        self._lease_seconds = lease_seconds
        self._commit_timeout = commit_timeout
        self._spool_limit = spool_limit
        self._recordings = recordings
        self._on_lost = on_lost
        self._on_keeping = on_keeping
        self._tasks = Tasks()
        self._journals: dict[VdnId, VdnJournal] = {}

    async def open(self, vdn: VdnId) -> None:
        """Take the VDN's lease and replay what a crash left in the spool.

        Raises LeaseTaken while another node owns it, Refused(NOT_FOUND), Refused(UNAVAILABLE).
        """
        if vdn in self._journals:
            return
        journal = VdnJournal(self._engine, Spool(self._folder / f"vdn-{vdn}.jsonl", self._spool_limit))
        try:
            await journal.open(vdn, self._node, self._address, self._lease_seconds)
        except DatabaseAway as failure:
            raise Refused(Code.UNAVAILABLE, f"the database is away: {failure}") from failure
        first = not self._journals
        self._journals[vdn] = journal
        self._tasks.spawn(self._write(journal), name=f"journal of VDN {vdn}")
        if first:
            self._tasks.spawn(self._renew(), name="leases")

    async def close(self) -> None:
        """Write what waits, if the database is there, and let the leases go."""
        await self._tasks.close()
        for journal in self._journals.values():
            with contextlib.suppress(DatabaseAway, StaleOwner, TimeoutError):
                async with asyncio.timeout(self._commit_timeout):
                    await journal.flush()
                    await journal.release()
            await journal.close()
        self._journals.clear()

    def spooled(self) -> tuple[Spooled, ...]:
        """What waits for the database, of each VDN in their order."""
        return tuple(journal.spooled() for _, journal in sorted(self._journals.items()))

    def waiting(self, vdn: VdnId) -> int:
        """How many changes are not in the database yet."""
        return len(self._owned(vdn).waiting)

    async def profile(self, vdn: VdnId) -> VdnProfile:
        """The VDN as configured now. Raises Refused(NOT_FOUND), Refused(UNAVAILABLE)."""
        try:
            return await directory.profile(self._engine, vdn)
        except DatabaseAway as failure:
            raise Refused(Code.UNAVAILABLE, f"the database is away: {failure}") from failure

    async def restore(self, vdn: VdnId) -> Restored:
        """Sessions, dialogs and contacts that a crash left open; once, after `open`.

        The contacts are given their end and reason here. Raises Refused(UNAVAILABLE).
        """
        try:
            return await self._owned(vdn).restore(self._recordings)
        except (DatabaseAway, StaleOwner) as failure:
            raise Refused(Code.UNAVAILABLE, str(failure)) from failure

    async def phones(self, vdn: VdnId, now: datetime) -> list[PhoneSaved]:
        """Where the VDN's phones are registered still; after `open`. Raises Refused(UNAVAILABLE)."""
        try:
            return await self._owned(vdn).phones(now)
        except (DatabaseAway, StaleOwner) as failure:
            raise Refused(Code.UNAVAILABLE, str(failure)) from failure

    async def commit(self, vdn: VdnId, changes: Sequence[Change]) -> None:
        """Write all of these in one transaction, or raise Refused(UNAVAILABLE): none is written."""
        journal = self._owned(vdn)
        try:
            await journal.commit(changes, self._commit_timeout)
        except StaleOwner as failure:
            self._lost(journal)
            raise Refused(Code.UNAVAILABLE, str(failure)) from failure
        except (DatabaseAway, TimeoutError) as failure:
            raise Refused(Code.UNAVAILABLE, f"the database is away: {failure}") from failure
        except (DBAPIError, ValueError) as failure:
            log.error("a commit was refused", vdn=vdn, reason=reason(failure))
            raise Refused(Code.UNAVAILABLE, "the database refused the change") from failure

    def append(self, vdn: VdnId, changes: Sequence[Change]) -> None:
        """Write these soon, in order (within 100 ms; spooled while the database is away). Never waits."""
        journal = self._owned(vdn)
        journal.append(changes)
        self._judge(journal)

    def _owned(self, vdn: VdnId) -> VdnJournal:
        journal = self._journals.get(vdn)
        if journal is None:
            raise Refused(Code.UNAVAILABLE, f"this node does not own VDN {vdn}")
        return journal

    async def _write(self, journal: VdnJournal) -> None:
        """Write batches for as long as the VDN is owned."""
        pause = _RETRY[0]
        while not journal.lost:
            await journal.appended.wait()
            await asyncio.sleep(GATHER)
            try:
                await journal.flush()
                pause = _RETRY[0]
                if journal.away:
                    log.info("database is back, spool written", vdn=journal.vdn)
                journal.away = False
                self._judge(journal)
            except StaleOwner:
                self._lost(journal)
            except DatabaseAway as failure:
                if not journal.away:
                    log.error("database is away, spooling", vdn=journal.vdn, reason=str(failure))
                journal.away = True
                self._judge(journal)
                await asyncio.sleep(pause)
                pause = min(_RETRY[1], pause * 2)

    async def _renew(self) -> None:
        """Renew the leases three times in their length."""
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            for journal in list(self._journals.values()):
                if journal.lost:
                    continue
                journal.mend()
                try:
                    async with asyncio.timeout(self._lease_seconds / 3):
                        await journal.renew(self._lease_seconds)
                    journal.away = journal.away and bool(journal.waiting)
                except StaleOwner:
                    self._lost(journal)
                except (DatabaseAway, TimeoutError) as failure:
                    journal.away = True
                    journal.try_disk()
                    log.warning("lease not renewed", vdn=journal.vdn, reason=str(failure) or "no answer")
                self._judge(journal)

    def _judge(self, journal: VdnJournal) -> None:
        """Say it when what begins can be kept no longer, or again."""
        keeps = journal.can_keep
        if keeps is journal.keeps:
            return
        journal.keeps = keeps
        if keeps:
            log.info("new calls can be kept again", vdn=journal.vdn)
        else:
            log.error(
                "new calls are refused: the database is away, and the spool has no room",
                vdn=journal.vdn,
                spool="the disk fails" if journal.spooled().failed else "nearly full",
            )
        if self._on_keeping is not None:
            self._on_keeping(journal.vdn, keeps)

    def _lost(self, journal: VdnJournal) -> None:
        if journal.lost:
            return
        journal.lose()
        log.error("another node owns the VDN now", vdn=journal.vdn)
        if self._on_lost is not None:
            self._on_lost(journal.vdn)


class VdnJournal:
    """One VDN's journal on the node that owns it."""

    def __init__(self, engine: AsyncEngine, spool: Spool) -> None:
        self._engine = engine
        self._spool = spool
        self._turn = asyncio.Lock()
        self._lease = Lease(VdnId(0), 0, 0, 0, None)
        self._number = 0
        self._waiting_size = 0
        self._dropped = 0
        self._doubtful = 0
        """Number of a commit that was given up without knowing whether it is recorded."""
        self._tasks = Tasks()
        self.vdn = VdnId(0)
        self.waiting: deque[Record] = deque()
        """Appended and not in the database yet, oldest first."""
        self.appended = asyncio.Event()
        self.lost = False
        self.away = False
        """The database did not answer when it was last written to."""
        self.keeps = True
        """What was said last of `can_keep`."""
        self._waits_since = 0.0

    async def open(self, vdn: VdnId, node: str, address: str, seconds: float) -> None:
        """Take the lease and replay the spool, in one transaction."""
        self.vdn = vdn
        left = self._spool.read()
        async with transaction(self._engine) as connection:
            held = await lease.acquire(connection, vdn, node, address, seconds)
            ours = [record for record in left if record.epoch >= held.held_since]
            missing = [record for record in ours if record.number > held.position]
            if missing:
                await tables_of_changes.apply_each(connection, vdn, [record.change for record in missing])
                await lease.advance(connection, vdn, missing[-1].number)
        self._lease = held
        self._number = max([held.position, *(record.number for record in missing)])
        if len(ours) < len(left):
            self._spool.set_aside("another node has owned the VDN since")
        self._spool.confirm((), 0)
        if missing:
            log.warning("replayed the spool of a former process", vdn=vdn, changes=len(missing))

    async def restore(self, recordings: Path | None) -> Restored:
        """What is open. Ends interrupted contacts, those of which only a recording tells included, and in the
        audit the supervisions that were running."""
        async with transaction(self._engine) as connection:
            await lease.fence(connection, self.vdn, self._lease.epoch)
            if recordings is not None:
                for talk in await calls.recorded_only(connection, self.vdn, recordings):
                    await calls.segment_began(connection, talk)
            interrupted = await calls.end_interrupted(connection, self.vdn, self._lease.last_alive)
            await tables_of_changes.become_contacts_each(connection, self.vdn, interrupted)
            await waits.end_interrupted(connection, self.vdn, self._lease.last_alive)
            await supervisions.close_left(connection, self.vdn, self._lease.last_alive)
            return Restored(
                await sessions.open_sessions(connection, self.vdn),
                await sessions.open_dialogs(connection, self.vdn),
                interrupted,
                await sessions.sources(connection, self.vdn),
                await waits.since(connection, self.vdn, datetime.now(UTC) - KEPT),
            )

    async def phones(self, now: datetime) -> list[PhoneSaved]:
        """The phones whose registration has not run out."""
        async with transaction(self._engine) as connection:
            await lease.fence(connection, self.vdn, self._lease.epoch)
            return await registrations.left(connection, self.vdn, now)

    def append(self, changes: Sequence[Change]) -> None:
        """Number, spool and queue `changes`."""
        if self.lost:
            return
        for change in changes:
            record = self._spool.write(self._next(), self._lease.epoch, change)
            if record is None:
                self._drop(change)
                continue
            if not self.waiting:
                self._waits_since = asyncio.get_running_loop().time()
            self.waiting.append(record)
            self._waiting_size += record.size
        self.appended.set()

    async def flush(self) -> None:
        """Write what waits. Raises DatabaseAway, StaleOwner."""
        async with self._turn:
            while self.waiting:
                await self._write_batch()
            self.appended.clear()

    async def commit(self, changes: Sequence[Change], seconds: float) -> None:
        """Write what was appended before, then `changes`, in one transaction.

        Raises DatabaseAway, StaleOwner, or TimeoutError after `seconds`, whatever hangs: an attempt that
        gets no answer is given up and cancelled beside.
        """
        work = self._tasks.spawn(self._commit(changes), name="commit")
        await asyncio.wait([work], timeout=seconds)
        if not work.done():
            work.cancel()
            raise TimeoutError(f"no answer within {seconds:g} s")
        failure = work.result()
        if failure is not None:
            raise failure

    async def _commit(self, changes: Sequence[Change]) -> Exception | None:
        """The commit itself; what it failed with."""
        batch: list[Record] = []
        number = 0
        async with self._turn:
            try:
                while len(self.waiting) > _BATCH:
                    await self._write_batch()
                batch = list(self.waiting)
                number = self._next()
                await self._write(number, batch, changes)
            except DatabaseAway as failure:
                arrived = await self._has_arrived(number)
                if not arrived:
                    self._doubtful = number if arrived is None else 0
                    return failure
            except asyncio.CancelledError:
                self._doubtful = number
                raise
            except Exception as failure:
                return failure
            self._written(len(batch))
        return None

    async def renew(self, seconds: float) -> None:
        """Hold the lease for `seconds` from now."""
        async with transaction(self._engine) as connection:
            await lease.renew(connection, self.vdn, self._lease.epoch, seconds)

    async def release(self) -> None:
        """Let the lease go."""
        async with transaction(self._engine) as connection:
            await lease.release(connection, self.vdn, self._lease.epoch)

    def mend(self) -> None:
        """Put on the disk what it had no room for."""
        self._spool.mend(self.waiting)

    def try_disk(self) -> None:
        """Find out whether the disk has room before a call comes."""
        self._spool.probe()

    def spooled(self) -> Spooled:
        """What waits for the database."""
        return Spooled(
            self.vdn,
            len(self.waiting),
            self._waiting_size,
            self._spool.limit,
            self._dropped,
            self._spool.failing,
            self.keeps,
        )

    @property
    def can_keep(self) -> bool:
        """Whether what begins now would be written sooner or later."""
        now = asyncio.get_running_loop().time()
        away = self.away or (bool(self.waiting) and now - self._waits_since > _STUCK_S)
        return not (away and self._spool.strained)

    def lose(self) -> None:
        """Another node owns the VDN: nothing of ours may be written any more."""
        self.lost = True
        if self.waiting:
            self._spool.set_aside("another node owns the VDN now")
        self.waiting.clear()
        self._waiting_size = 0

    async def close(self) -> None:
        """Give up what still runs and close the spool; what waits stays in it, unless the disk failed."""
        await self._tasks.close()
        if self.waiting and self._spool.incomplete:
            calls_of = {call for one in self.waiting if (call := getattr(one.change, "call", None))}
            log.error(
                "changes are lost: neither database nor disk took them",
                vdn=self.vdn,
                changes=len(self.waiting),
                calls=sorted(calls_of)[:_TOLD],
                of_calls=len(calls_of),
            )
        self._spool.close()

    def _next(self) -> int:
        self._number += 1
        return self._number

    async def _write_batch(self) -> None:
        batch = list(itertools.islice(self.waiting, _BATCH))
        await self._write(batch[-1].number, batch, ())
        self._written(len(batch))

    async def _write(self, number: int, batch: Sequence[Record], committed: Sequence[Change]) -> None:
        """One transaction with all of these, up to `number`, less what is already there."""
        try:
            async with transaction(self._engine) as connection:
                appended = await self._not_there(connection, batch)
                await tables_of_changes.apply(connection, self.vdn, [*appended, *committed])
                await lease.advance(connection, self.vdn, number)
        except (DBAPIError, ValueError, TypeError) as failure:
            if is_away(failure) or not batch:
                raise
            async with transaction(self._engine) as connection:
                appended = await self._not_there(connection, batch)
                await tables_of_changes.apply_each(connection, self.vdn, appended)
                await tables_of_changes.apply(connection, self.vdn, committed)
                await lease.advance(connection, self.vdn, number)

    async def _not_there(self, connection: AsyncConnection, batch: Sequence[Record]) -> list[Change]:
        position = await lease.fence(connection, self.vdn, self._lease.epoch)
        if self._doubtful:
            if position >= self._doubtful:
                log.warning("a commit refused for want of an answer is recorded after all", vdn=self.vdn)
            self._doubtful = 0
        return [record.change for record in batch if record.number > position]

    async def _has_arrived(self, number: int) -> bool | None:
        """Whether a commit without an answer is recorded (the row's lock waits for that); None: unknown."""
        if not number:
            return False
        try:
            async with asyncio.timeout(1.0), transaction(self._engine) as connection:
                return await lease.fence(connection, self.vdn, self._lease.epoch) >= number
        except (DatabaseAway, StaleOwner, TimeoutError):
            return None

    def _written(self, count: int) -> None:
        self._waits_since = asyncio.get_running_loop().time()
        for _ in range(count):
            self._waiting_size -= self.waiting.popleft().size
        self._spool.confirm(self.waiting, self._waiting_size)

    def _drop(self, change: Change) -> None:
        self._dropped += 1
        if self._dropped == 1 or self._dropped % 1000 == 0:
            log.error(
                "spool is full, changes are lost",
                vdn=self.vdn,
                change=type(change).__name__,
                call=getattr(change, "call", None),
                lost=self._dropped,
            )
