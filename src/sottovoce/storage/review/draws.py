"""Draws of samples: when they were begun, frozen frames, certificates, and what they are drawn from."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.directory import VdnId
from sottovoce.domain.frames import WHOLE, Contacts
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.reviews import ItemState
from sottovoce.domain.sampling import (
    LARGEST_PAST,
    AnyCertificate,
    Arrivals,
    Certificate,
    Conditions,
    DrawnCall,
    EarlierDraw,
    ShuffledCertificate,
)
from sottovoce.plain import from_plain
from sottovoce.storage.database import STATEMENT_TIMEOUT, DatabaseAway, reason, transaction, unpooled
from sottovoce.storage.rows import all_of, milliseconds, value_of
from sottovoce.storage.tables import audit, contacts, review_items, review_tasks, sampling_draws
from sottovoce.storage.tables.contacts import INSPECTABLE
from sottovoce.storage.work import Work

LONGEST_S = 300
"""Seconds that one statement may take: with nothing in memory, a sample of ten million is a long read."""
_FRAME_SETTINGS = {
    "jit": "off",  # compiling for every month costs more than it gains
    "max_parallel_workers_per_gather": "0",  # they would hand 80 MB over in pieces of 64 kB
    "work_mem": "256MB",  # by agent, ten million contacts are 80 MB in the hash table
}
_INDEX_ONLY = {"enable_bitmapscan": "off"}
"""A bitmap of any other index means the rows themselves, which lie anywhere on the disk."""
_LANES = 4
"""Connections that read a large frame together, each its range of contacts."""
_LARGE = 200_000
"""Contact numbers from the first to the last; below, one connection is as fast."""
_LONG = _INDEX_ONLY | {"statement_timeout": f"{LONGEST_S}s"}
_USUAL = {"enable_bitmapscan": "on", "statement_timeout": f"{STATEMENT_TIMEOUT}s"}
_WITH_TASKS = sampling_draws.outerjoin(
    review_tasks,
    (review_tasks.c.vdn == sampling_draws.c.vdn) & (review_tasks.c.task == sampling_draws.c.task),
)
_FATE = sa.case(
    (review_tasks.c.task.is_(None), None),
    (review_tasks.c.draw == sampling_draws.c.draw, review_tasks.c.state),
    else_="redrawn",
)
_LOCK = 7310205
"""Space of the advisory locks of tenants whose fresh contacts are being drawn."""
_FACTS = 7310207
"""Space of those whose contacts are being drawn, or corrected."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw as it is kept. `frame` and `certificate` are None while it is only begun."""

    vdn: VdnId
    draw: int
    task: ReviewId
    seed: bytes | None
    """Of version 1."""
    maker: UserId | None
    """Who had it drawn; None: before this was kept."""
    block: int | None
    """The last one when it was begun; None: there was none."""
    committed_at: datetime
    """When it was begun."""
    drawn_at: datetime | None
    frame: bytes | None
    certificate: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What has to be known of a contact whose turn it is."""

    contact: int
    began_at: datetime
    agent: int
    recording: str | None
    """A text contact may have none."""


async def begin(work: Work, task: ReviewId, maker: UserId, block: int | None) -> int:
    """Put down that somebody begins a draw, before it is made; the draw's number."""
    row = sa.insert(sampling_draws).values(
        vdn=work.vdn, task=task, maker=maker, block=block, committed_at=work.at
    )
    return int((await work.connection.execute(row.returning(sampling_draws.c.draw))).scalar_one())


async def find(work: Work, draw: int, *, lock: bool = False) -> Draw | None:
    """A draw of the tenant; with `lock`, nobody else's until the transaction ends."""
    query = sa.select(sampling_draws).where(sampling_draws.c.vdn == work.vdn, sampling_draws.c.draw == draw)
    if lock:
        query = query.with_for_update()
    row = (await work.connection.execute(query)).mappings().first()
    return None if row is None else value_of(Draw, row)


async def certificate(work: Work, draw: int) -> AnyCertificate | None:
    """The certificate of a draw of the tenant; None where there is none. Unreadable."""
    query = sa.select(sampling_draws.c.certificate).where(
        sampling_draws.c.vdn == work.vdn, sampling_draws.c.draw == draw
    )
    found = (await work.connection.execute(query)).scalar_one_or_none()
    return None if found is None else read_certificate(found)


def read_certificate(kept: Mapping[str, Any]) -> AnyCertificate:
    """A certificate of any version from its plain form. Unreadable."""
    old = isinstance(kept, Mapping) and kept.get("version") == 1
    return from_plain(ShuffledCertificate, kept) if old else from_plain(Certificate, kept)


async def keep(
    work: Work, draw: int, frame: bytes, certificate: Mapping[str, Any], first: int, last: int
) -> None:
    """Keep what a draw was made from (contacts from `first` to `last`), and what it gave."""
    await work.connection.execute(
        sa.update(sampling_draws)
        .where(sampling_draws.c.vdn == work.vdn, sampling_draws.c.draw == draw)
        .values(
            drawn_at=work.at,
            frame=frame,
            certificate=certificate,
            first_contact=first,
            last_contact=last,
        )
    )


async def fates(
    work: Work, maker: UserId, interaction: Interaction, first: int, last: int, but: int
) -> tuple[int, list[EarlierDraw]]:
    """The draws of a maker, `but` one, of contacts from `first` to `last`, and what has become of each.

    How many they are, and the latest LARGEST_PAST of them, the last one first.
    """
    row = sampling_draws.c
    made = row.certificate
    query = (
        sa.select(
            row.draw,
            row.task,
            row.drawn_at,
            made["frame"]["size"].as_integer().label("frame"),
            sa.func.jsonb_array_length(made["drawn"]).label("sample"),
            sa.func.coalesce(_FATE, "no task").label("fate"),
            sa.func.count().over().label("in_all"),
        )
        .select_from(_WITH_TASKS)
        .where(
            row.vdn == work.vdn,
            row.maker == maker,
            row.draw != but,
            row.first_contact <= last,
            row.last_contact >= first,
            made["conditions"]["interaction"].as_integer() == interaction,
        )
        .order_by(row.draw.desc())
        .limit(LARGEST_PAST)
    )
    found = (await work.connection.execute(query)).mappings().all()
    return (found[0]["in_all"] if found else 0), all_of(EarlierDraw, found)


async def frame(
    engine: AsyncEngine,
    work: Work,
    conditions: Conditions,
    calls_from: datetime | None,
    calls_until: datetime | None,
    arrivals: Arrivals | None = None,
    until: int | None = None,
) -> list[dict[int, NDArray[np.int64]]]:
    """All contacts up to `until` that qualify at this moment, by stratum, in parts; whatever `earlier` says.

    The numbers of a large tenant are read in ranges, by connections of their own that share one snapshot of
    the caller's transaction: so all is of one moment. The contacts come as 8 bytes each, big-endian, in
    one value per stratum: as rows of their own, ten million would be a gigabyte of objects.
    """
    # Meanwhile, and while recordings are looked for, the caller's own connection is idle in its transaction.
    await _set(work.connection, {"idle_in_transaction_session_timeout": f"{LONGEST_S}s"})
    low, high = await _range(work, conditions)
    behind = None if until is None else until + 1
    if high - low < _LARGE:
        query = frame_query(work.vdn, conditions, calls_from, calls_until, arrivals, behind=behind)
        return [await _part(work.connection, query)]
    snapshot = (await work.connection.execute(sa.select(sa.func.pg_export_snapshot()))).scalar_one()
    bounds = [low + (high - low) * lane // _LANES for lane in range(1, _LANES)]
    lanes = unpooled(engine)

    async def read(first: int | None, end: int | None) -> dict[int, NDArray[np.int64]]:
        query = frame_query(work.vdn, conditions, calls_from, calls_until, arrivals, first, end)
        async with transaction(lanes, snapshot=True) as lane:
            await lane.execute(sa.text(f"SET TRANSACTION SNAPSHOT '{snapshot}'"))
            return await _part(lane, query)

    return await asyncio.gather(
        *(read(first, end) for first, end in zip([None, *bounds], [*bounds, behind], strict=True))
    )


async def _range(work: Work, conditions: Conditions) -> tuple[int, int]:
    """The first and the last inspectable contact; found at the ends of the index."""
    row = contacts.c
    query = sa.select(sa.func.min(row.contact), sa.func.max(row.contact)).where(
        row.vdn == work.vdn, row.interaction == conditions.interaction, sa.text(INSPECTABLE)
    )
    low, high = (await work.connection.execute(query)).one()
    return low or 0, high or 0


async def _part(connection: AsyncConnection, query: sa.Select[Any]) -> dict[int, NDArray[np.int64]]:
    await _set(connection, _FRAME_SETTINGS | _LONG)
    found = await _binary(connection, query)
    await _set(connection, _USUAL)
    return {stratum: np.frombuffer(numbers, dtype=">i8") for stratum, numbers in found if numbers is not None}


def frame_query(
    vdn: VdnId,
    conditions: Conditions,
    calls_from: datetime | None,
    calls_until: datetime | None,
    arrivals: Arrivals | None = None,
    first: int | None = None,
    behind: int | None = None,
) -> sa.Select[Any]:
    """What `frame` asks, of contacts from `first` to before `behind`: an index-only scan of each month."""
    row = contacts.c
    where = qualifies(vdn, conditions, calls_from, calls_until, arrivals)
    where += [
        fits(bound)
        for bound, fits in ((first, row.contact.__ge__), (behind, row.contact.__lt__))
        if bound is not None
    ]
    stratum = row.agent if conditions.by_agent else sa.literal_column(str(WHOLE))
    query = sa.select(stratum, _packed(row.contact)).where(*where)
    return query.group_by(row.agent) if conditions.by_agent else query


def qualifies(
    vdn: VdnId,
    conditions: Conditions,
    calls_from: datetime | None,
    calls_until: datetime | None,
    arrivals: Arrivals | None,
) -> list[sa.ColumnElement[bool] | sa.TextClause]:
    """Whether a contact qualifies, whatever `earlier` says."""
    row = contacts.c
    where: list[sa.ColumnElement[bool] | sa.TextClause] = [
        row.vdn == vdn,
        row.interaction == conditions.interaction,
        sa.text(INSPECTABLE),
    ]
    if conditions.agents:
        where.append(row.agent == sa.any_(sa.literal(list(conditions.agents), sa.ARRAY(sa.Integer))))
    for bound, fits in (
        (calls_from, row.began_at.__ge__),
        (calls_until, row.began_at.__lt__),
        (conditions.score_from, row.machine_score.__ge__),
        (conditions.score_to, row.machine_score.__le__),
        (milliseconds(conditions.duration_from_s), row.duration_ms.__ge__),
        (milliseconds(conditions.duration_to_s), row.duration_ms.__le__),
    ):
        if bound is not None:
            where.append(fits(bound))
    if arrivals is not None:
        where += [row.arrival > arrivals.after, row.arrival <= arrivals.until]
        if arrivals.begun_after is not None and arrivals.began_from is not None:
            later = row.arrival > arrivals.begun_after
            where.append(later | (row.began_at >= arrivals.began_from))
    return where


async def fresh_alone(work: Work) -> None:
    """Wait for others who draw fresh contacts of the tenant, and have them wait until the end."""
    await work.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, work.vdn)))


async def hold_facts(work: Work, *, alone: bool = False) -> None:
    """Let nobody correct what draws say of contacts until the end; `alone`: nor anybody draw."""
    lock = sa.func.pg_advisory_xact_lock if alone else sa.func.pg_advisory_xact_lock_shared
    await work.connection.execute(sa.select(lock(_FACTS, work.vdn)))


async def sampled_already(work: Work, but: ReviewId) -> Contacts:
    """The contacts that a task of the tenant has, but for the task `but`; ascending.

    What a task released when it ended was never sampled. Waits for other such draws of the tenant, and
    they wait for the end of this transaction: else two at once could both find a contact fresh.
    """
    await fresh_alone(work)
    query = sa.select(_packed(review_items.c.contact)).where(
        review_items.c.vdn == work.vdn,
        review_items.c.task != but,
        review_items.c.state != ItemState.RELEASED.value,
    )
    ((numbers,),) = await _binary(work.connection, query)
    return np.unique(np.frombuffer(numbers or b"", dtype=">i8").astype(np.int64))


async def candidates(work: Work, interaction: Interaction, wanted: Sequence[int]) -> dict[int, Candidate]:
    """What has to be known of those contacts of a frame."""
    await _set(work.connection, _LONG)
    found = (await work.connection.execute(candidates_query(work.vdn, interaction, wanted))).all()
    await _set(work.connection, _USUAL)
    return {contact: Candidate(contact, *known) for contact, *known in found}


def candidates_query(vdn: VdnId, interaction: Interaction, wanted: Sequence[int]) -> sa.Select[Any]:
    """What `candidates` asks: again of the index alone, whose pages the frame has just read.

    The rows of ten thousand contacts would lie on as many pages, each to be fetched from the disk.
    """
    row = contacts.c
    return sa.select(row.contact, row.began_at, row.agent, row.recording).where(
        row.vdn == vdn,
        row.interaction == interaction,
        row.contact == sa.any_(sa.literal(sorted(wanted), sa.ARRAY(sa.BigInteger))),
        sa.text(INSPECTABLE),
    )


async def bindings(
    work: Work, wanted: Sequence[int], began: tuple[datetime, datetime] | None = None
) -> dict[int, tuple[DrawnCall, str | None]]:
    """What shows which calls those contacts are, and their recordings' paths.

    `began`, the earliest and the latest begin where they are known, spares looking into every month.
    """
    row = contacts.c
    query = sa.select(
        row.contact, row.uuid, row.began_at, row.agent, row.recording_sha256, row.recording
    ).where(
        row.vdn == work.vdn,
        row.contact == sa.any_(sa.literal(sorted(wanted), sa.ARRAY(sa.BigInteger))),
        *([row.began_at.between(*began)] if began is not None else []),
    )
    return {
        one.contact: (
            DrawnCall(one.contact, str(one.uuid), one.began_at, one.agent, one.recording_sha256),
            one.recording,
        )
        for one in await work.connection.execute(query)
    }


async def of_task(work: Work, task: ReviewId) -> tuple[list[Draw], int | None]:
    """Every draw made for a task, oldest first, and the one that its items came from (None: no such task)."""
    used = await work.connection.execute(
        sa.select(review_tasks.c.draw).where(review_tasks.c.vdn == work.vdn, review_tasks.c.task == task)
    )
    query = (
        sa.select(sampling_draws)
        .where(sampling_draws.c.vdn == work.vdn, sampling_draws.c.task == task)
        .order_by(sampling_draws.c.draw)
    )
    rows = (await work.connection.execute(query)).mappings().all()
    return all_of(Draw, rows), used.scalar_one_or_none()


async def items_of(work: Work, task: ReviewId) -> list[int]:
    """The contacts of a task's items, by place."""
    query = (
        sa.select(review_items.c.contact)
        .where(review_items.c.vdn == work.vdn, review_items.c.task == task)
        .order_by(review_items.c.place)
    )
    return list((await work.connection.execute(query)).scalars())


async def audited(
    work: Work, task: ReviewId, draw: int, others: Sequence[tuple[str, str]] = ()
) -> list[Mapping[str, Any]]:
    """The whole rows of the audit about a draw, and `others` by action and target, in its order."""
    of_draw = (
        (audit.c.target == task)
        & audit.c.action.startswith("sampling.")
        & (audit.c.detail["draw"].as_string() == str(draw))
    )
    named = sa.tuple_(audit.c.action, audit.c.target).in_(list(others))
    query = sa.select(audit).where(audit.c.vdn == work.vdn, of_draw | named).order_by(audit.c.number)
    return [dict(row) for row in (await work.connection.execute(query)).mappings()]


async def latest(connection: AsyncConnection, vdn: VdnId | None, limit: int) -> list[tuple[Draw, str | None]]:
    """The last draws, of one tenant or (on the command line) of all, newest first; without their frames.

    Each with what became of it: its task's state, or `redrawn`; None where no task was made.
    """
    columns = [column for column in sampling_draws.c if column.name != "frame"]
    query = (
        sa.select(*columns, sa.null().label("frame"), _FATE.label("fate"))
        .select_from(_WITH_TASKS)
        .order_by(sampling_draws.c.draw.desc())
        .limit(limit)
    )
    if vdn is not None:
        query = query.where(sampling_draws.c.vdn == vdn)
    rows = (await connection.execute(query)).mappings().all()
    return [(value_of(Draw, row), row["fate"]) for row in rows]


async def tenant_of(connection: AsyncConnection, task: ReviewId) -> VdnId | None:
    """Whose draws for that task there are; ids of tasks are unique over all tenants."""
    query = sa.select(sampling_draws.c.vdn).where(sampling_draws.c.task == task).limit(1)
    found = (await connection.execute(query)).scalar_one_or_none()
    return None if found is None else VdnId(found)


def _packed(numbers: sa.Column[int]) -> sa.Function[bytes]:
    return sa.func.string_agg(sa.func.int8send(numbers), sa.literal_column("''::bytea"), type_=BYTEA)


async def _set(connection: AsyncConnection, settings: Mapping[str, str]) -> None:
    """Settings until the end of the transaction."""
    await connection.execute(sa.select(*(sa.func.set_config(*pair, True) for pair in settings.items())))


async def _binary(connection: AsyncConnection, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    """The rows in PostgreSQL's binary form: as text, bytes would double and have to be decoded.

    Planned for these very values: a prepared plan would not see which months are asked for.
    """
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)
    made = query.compile(dialect=connection.dialect)
    try:
        async with driver.cursor(binary=True) as cursor:
            await cursor.execute(str(made), made.params, prepare=False)
            return await cursor.fetchall()
    except (psycopg.OperationalError, psycopg.InterfaceError) as failure:
        raise DatabaseAway(reason(failure)) from failure
