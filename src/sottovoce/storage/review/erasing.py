"""Erasing of contacts as rows: what is due, what keeps it, and the tombstones that stay.

The row of an erased contact stays, too, with what other rows and certificates of draws lean on; all else
of it is taken away. Files are removed after the commit: until then the tombstone names them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as insert_into
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.appeals import AppealState
from sottovoce.domain.contacts import Analysis, Contact, Inspection, Origin
from sottovoce.domain.directory import VdnId
from sottovoce.domain.retention import HEARD, Erasable, Erasure, LegalHold, Periods
from sottovoce.domain.reviews import OPEN_ITEMS, TaskState
from sottovoce.plain import to_plain
from sottovoce.storage.rows import all_of, value_of
from sottovoce.storage.tables import (
    calls,
    contact_corrections,
    contact_holds,
    contact_sources,
    contacts,
    erasures,
    playbacks,
    quality_item_hits,
    quality_item_steps,
    quality_items,
    review_items,
    review_tasks,
    revisions,
    rule_results,
    scores,
    segments,
    vdns,
)
from sottovoce.storage.work import Work

_ROW = contacts.c
_OVER = [state.value for state in (TaskState.FINISHED, TaskState.TERMINATED, TaskState.DELETED)]
_OPEN = [state.value for state in OPEN_ITEMS]
_HELD = sa.exists().where(contact_holds.c.vdn == _ROW.vdn, contact_holds.c.contact == _ROW.contact)
_OPEN_ITEMS = (
    sa.select(review_items.c.task)
    .join(
        review_tasks,
        (review_tasks.c.vdn == review_items.c.vdn) & (review_tasks.c.task == review_items.c.task),
    )
    .where(review_items.c.state.in_(_OPEN), review_tasks.c.state.not_in(_OVER))
)
_OPEN_APPEALS = sa.select(quality_items.c.quality_item).where(
    quality_items.c.state != AppealState.COMPLETED.value
)
_REVIEWED = sa.or_(
    _OPEN_ITEMS.where(review_items.c.vdn == _ROW.vdn, review_items.c.contact == _ROW.contact)
    .correlate(contacts)
    .exists(),
    _OPEN_APPEALS.where(quality_items.c.vdn == _ROW.vdn, quality_items.c.contact == _ROW.contact)
    .correlate(contacts)
    .exists(),
)
_THERE = {
    Erasable.RECORDING: sa.or_(_ROW.recording.is_not(None), _ROW.tracks != sa.text("'{}'::jsonb")),
    Erasable.TRANSCRIPT: _ROW.transcript.is_not(None),
    Erasable.CONTACT: _ROW.status != int(Inspection.ERASED),
}


STAYS = frozenset(
    [
        *(
            "vdn",
            "began_at",
            "contact",
            "uuid",
            "source",
            "interaction",
            "ended_at",
            "duration_ms",
            "direction",
        ),
        *("agent", "skill", "ended_by", "reason", "uploaded_at", "recording_sha256"),
        *("tracks_sha256", "arrival", "recording_failure"),
    ]
)
"""The columns of an erased contact that stay; a new one of a contact or a call is put there, or emptied."""
CALL_STAYS = frozenset(["vdn", "call", "began_at", "ended_at", "direction", "skill", "reason"])
OF_CALL: dict[str, Any] = {"caller": "", "called": "", "data": ""}
"""What is left of the live half's row of a call."""


async def tenants(connection: AsyncConnection) -> list[VdnId]:
    """All tenants of the database."""
    found = await connection.execute(sa.select(vdns.c.vdn).order_by(vdns.c.vdn))
    return [VdnId(vdn) for vdn in found.scalars()]


async def periods(work: Work) -> Periods:
    """How long the tenant keeps what."""
    query = sa.select(
        vdns.c.keep_recordings_days, vdns.c.keep_transcripts_days, vdns.c.keep_contacts_days
    ).where(vdns.c.vdn == work.vdn)
    return Periods(*(await work.connection.execute(query)).one())


async def due(work: Work, kind: Erasable, before: datetime, *, limit: int) -> list[Contact]:
    """The first contacts that began before then, have such a thing, and nothing keeps; held till the end."""
    query = (
        sa.select(contacts)
        .where(*_over(work, kind, before), ~_HELD, ~_REVIEWED)
        .order_by(_ROW.began_at, _ROW.contact)
        .limit(limit)
        .with_for_update(key_share=True)
    )
    return all_of(Contact, (await work.connection.execute(query)).mappings())


async def counted(work: Work, kind: Erasable, before: datetime) -> tuple[int, int, int]:
    """How many would go, how many a hold keeps, and how many an open review."""
    held, reviewed = sa.case((_HELD, 1)), sa.case((~_HELD & _REVIEWED, 1))
    query = sa.select(sa.func.count(), sa.func.count(held), sa.func.count(reviewed)).where(
        *_over(work, kind, before)
    )
    total, by_hold, by_review = (await work.connection.execute(query)).one()
    return total - by_hold - by_review, by_hold, by_review


def _over(work: Work, kind: Erasable, before: datetime) -> list[sa.ColumnElement[bool]]:
    return [_ROW.vdn == work.vdn, _ROW.began_at < before, _THERE[kind]]


async def keeping(work: Work, contact: int) -> list[str]:
    """What keeps a contact from being erased, in words."""
    held = await hold_of(work, contact)
    tasks = _OPEN_ITEMS.where(review_items.c.vdn == work.vdn, review_items.c.contact == contact)
    appeals = _OPEN_APPEALS.where(quality_items.c.vdn == work.vdn, quality_items.c.contact == contact)
    return [
        *([f"it is held: {held.why}"] if held is not None else []),
        *(f"review task {task} is open" for task in await _scalars(work, tasks)),
        *(f"quality item {item} is open" for item in await _scalars(work, appeals)),
    ]


async def _scalars(work: Work, query: sa.Select[Any]) -> list[Any]:
    return list((await work.connection.execute(query)).scalars())


async def hold(work: Work, contact: int, why: str) -> None:
    """Keep a contact from being erased; another reason takes the place of the one before."""
    values = {"why": why, "at": work.at}
    made = insert_into(contact_holds).values(vdn=work.vdn, contact=contact, **values)
    await work.connection.execute(made.on_conflict_do_update(index_elements=["vdn", "contact"], set_=values))


async def release(work: Work, contact: int) -> bool:
    """End a hold; whether there was one."""
    of = (contact_holds.c.vdn == work.vdn, contact_holds.c.contact == contact)
    return bool((await work.connection.execute(sa.delete(contact_holds).where(*of))).rowcount)


async def hold_of(work: Work, contact: int) -> LegalHold | None:
    """What holds a contact."""
    query = sa.select(contact_holds).where(
        contact_holds.c.vdn == work.vdn, contact_holds.c.contact == contact
    )
    row = (await work.connection.execute(query)).mappings().first()
    return None if row is None else value_of(LegalHold, row)


async def holds(work: Work) -> list[LegalHold]:
    """All of the tenant's, the oldest first."""
    query = sa.select(contact_holds).where(contact_holds.c.vdn == work.vdn).order_by(contact_holds.c.at)
    return all_of(LegalHold, (await work.connection.execute(query)).mappings())


async def erase(work: Work, found: Sequence[Contact], kind: Erasable, why: str) -> None:
    """Take away what those contacts, which the caller holds, have of that kind; each with its tombstone."""
    if not found:
        return
    numbers = [contact.contact for contact in found]
    if kind is Erasable.CONTACT:
        await _forget(work, found, numbers)
    if kind is not Erasable.TRANSCRIPT:
        live = [contact.call for contact in found if contact.source is Origin.LIVE]
        gone: dict[str, Any] = {"recording": None, "tracks": {}}
        if kind is Erasable.CONTACT:
            gone |= {"supervisions": [], "pauses": [], "parties": {}}
        await work.connection.execute(
            sa.update(segments)
            .where(segments.c.vdn == work.vdn, segments.c.call.in_(live), segments.c.ended_at.is_not(None))
            .where(
                sa.tuple_(segments.c.call, segments.c.agent).in_(
                    [(one.call, one.agent) for one in found if one.agent is not None]
                )
            )
            .values(gone)
        )
    of = (_ROW.vdn == work.vdn, sa.tuple_(_ROW.began_at, _ROW.contact).in_(_keys(found)))
    await work.connection.execute(sa.update(contacts).where(*of).values(left_of(work, kind)))
    for contact in found:
        files = [] if kind is Erasable.TRANSCRIPT else [contact.recording, *contact.tracks.values()]
        await work.connection.execute(
            sa.insert(erasures).values(
                vdn=work.vdn, contact=contact.contact, kind=kind.value, uuid=contact.uuid, at=work.at,
                user=work.user, why=why, files=sorted({file for file in files if file}),
            )
        )  # fmt: skip
        work.audit(
            kind.erased,
            str(contact.uuid),
            contact=contact.contact,
            began_at=contact.began_at.isoformat(),
            sha256=contact.recording_sha256 or "",
            why=why,
        )


def _keys(found: Sequence[Contact]) -> list[tuple[datetime, int]]:
    return [(contact.began_at, contact.contact) for contact in found]


def left_of(work: Work, kind: Erasable) -> dict[str, Any]:
    """What the rows say from now on."""
    unheard = _ROW.analysed_at.is_(None)
    if kind is Erasable.TRANSCRIPT:
        return {"transcript": sa.null()}
    sound: dict[str, Any] = {
        "recording": None,
        "tracks": {},
        "analysed_at": sa.func.coalesce(_ROW.analysed_at, work.at),
    }
    if kind is Erasable.RECORDING:
        failure = sa.literal(to_plain(Analysis(failure=HEARD)), _ROW.analysis.type)
        return sound | {
            "status": sa.case((unheard, int(Inspection.BAD_RECORDING)), else_=_ROW.status),
            "analysis": sa.case((unheard, failure), else_=_ROW.analysis),
        }
    return sound | {
        "status": int(Inspection.ERASED),
        "call": "",
        "caller": "",
        "called": "",
        "file_name": "",
        "call_data": "",
        "parties": {},
        "supervisions": [],
        "pauses": [],
        "analysis": {},
        "transcript": sa.null(),
        "machine_score": None,
    }


async def _forget(work: Work, found: Sequence[Contact], numbers: list[int]) -> None:
    """Remove what other tables know of those contacts."""
    about = sa.literal(numbers, sa.ARRAY(sa.BigInteger))
    items = sa.select(quality_items.c.quality_item).where(
        quality_items.c.vdn == work.vdn, quality_items.c.contact == sa.any_(about)
    )
    results = sa.select(rule_results.c.result).where(
        rule_results.c.vdn == work.vdn, rule_results.c.contact == sa.any_(about)
    )
    for table, column, which in (
        (quality_item_hits, quality_item_hits.c.quality_item, items),
        (quality_item_hits, quality_item_hits.c.result, results),
        (quality_item_steps, quality_item_steps.c.quality_item, items),
        (quality_items, quality_items.c.quality_item, items),
        (revisions, revisions.c.result, results),
        (rule_results, rule_results.c.result, results),
    ):
        await work.connection.execute(sa.delete(table).where(table.c.vdn == work.vdn, column.in_(which)))
    for table in (scores, contact_corrections, contact_holds):
        await work.connection.execute(
            sa.delete(table).where(table.c.vdn == work.vdn, table.c.contact == sa.any_(about))
        )
    heard = [contact.uuid for contact in found]
    await work.connection.execute(
        sa.delete(playbacks).where(playbacks.c.vdn == work.vdn, playbacks.c.contact.in_(heard))
    )
    imported = [contact.contact for contact in found if contact.source is Origin.IMPORT]
    await work.connection.execute(
        sa.update(contact_sources)
        .where(contact_sources.c.vdn == work.vdn, contact_sources.c.contact.in_(imported))
        .values(reference=sa.literal("erased ") + sa.cast(contact_sources.c.contact, sa.Text))
    )
    live = [contact.call for contact in found if contact.source is Origin.LIVE]
    await work.connection.execute(
        sa.update(calls)
        .where(calls.c.vdn == work.vdn, calls.c.call.in_(live), calls.c.ended_at.is_not(None))
        .values(OF_CALL)
    )


async def left(work: Work, *, limit: int) -> list[tuple[int, Erasable, list[str]]]:
    """Tombstones whose files are not removed yet: contact, kind, files."""
    query = (
        sa.select(erasures.c.contact, erasures.c.kind, erasures.c.files)
        .where(erasures.c.vdn == work.vdn, erasures.c.files != sa.text("'[]'::jsonb"))
        .limit(limit)
    )
    rows = (await work.connection.execute(query)).all()
    return [(contact, Erasable(kind), files) for contact, kind, files in rows]


async def removed(work: Work, contact: int, kind: Erasable) -> None:
    """Put down that the files of a tombstone are gone."""
    of = (erasures.c.vdn == work.vdn, erasures.c.contact == contact, erasures.c.kind == kind.value)
    await work.connection.execute(sa.update(erasures).where(*of).values(files=[]))


async def tombstones(work: Work, numbers: Sequence[int]) -> dict[int, list[Erasure]]:
    """What was erased of these contacts, the oldest first."""
    query = (
        sa.select(erasures)
        .where(erasures.c.vdn == work.vdn, erasures.c.contact.in_(list(numbers)))
        .order_by(erasures.c.at)
    )
    found: dict[int, list[Erasure]] = {}
    for one in all_of(Erasure, (await work.connection.execute(query)).mappings()):
        found.setdefault(one.contact, []).append(one)
    return found


async def days(work: Work, *, limit: int) -> list[tuple[datetime, Erasable, int]]:
    """On which days (UTC) how much of each kind was erased, the last day first."""
    day = sa.func.date_trunc("day", erasures.c.at, "UTC").label("day")
    query = (
        sa.select(day, erasures.c.kind, sa.func.count())
        .where(erasures.c.vdn == work.vdn)
        .group_by(day, erasures.c.kind)
        .order_by(day.desc(), erasures.c.kind)
        .limit(limit)
    )
    return [(at, Erasable(kind), number) for at, kind, number in (await work.connection.execute(query)).all()]
