"""Contacts as rows: kept once for each of their sources, found by number, by UUID, or by a search."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as insert_into
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.contacts import (
    INTERRUPTED,
    SHOWN,
    Analysis,
    Contact,
    Inspection,
    Interaction,
    Origin,
    Search,
)
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.domain.people import SERVER, UserId
from sottovoce.plain import natural, to_plain
from sottovoce.storage.database import locking
from sottovoce.storage.records import fit, fitted
from sottovoce.storage.review import jobs
from sottovoce.storage.rows import Where, all_of, between, milliseconds, value_of
from sottovoce.storage.tables import agents, contact_sources, contacts, rule_results, users
from sottovoce.storage.tables.contacts import contact_numbers
from sottovoce.storage.work import Work

ANALYSE = "analyse_contact"
"""The job that hears a contact's recording (`quality.contacts.analyse`)."""
_NAME = sa.func.coalesce(users.c.name, agents.c.name)
_CALLED = sa.select(agents.c.agent, users.c.user, _NAME.label("name")).outerjoin_from(
    agents, users, (users.c.agent == agents.c.agent) & (users.c.vdn == agents.c.vdn)
)
RECORDED = "recording.finished"
"""What the audit calls it that a contact's recording is whole, with its digest and whose talk it is."""
_LEFT = contacts.c.status != Inspection.ERASED
_TWO_DAYS = timedelta(days=2)
_MONTH = sa.text("SELECT contacts_month(:at)")


async def find(work: Work, contact: int, *, lock: bool = False) -> Contact | None:
    """The tenant's contact of that number; None: unknown, erased, or another tenant's.

    With `lock`, nobody else's until the transaction ends.
    """
    if lock:
        of = (contacts.c.vdn == work.vdn, contacts.c.contact == contact)
        await locking(work.connection, sa.select(contacts.c.contact).where(*of).with_for_update())
    found = (await many(work, [contact])).get(contact)
    return None if found is None or found.status is Inspection.ERASED else found


async def by_uuid(work: Work, uuid: UUID) -> Contact | None:
    """The tenant's contact of that UUID; None: unknown, erased, or another tenant's."""
    query = sa.select(contacts).where(contacts.c.vdn == work.vdn, contacts.c.uuid == uuid, _LEFT)
    row = (await work.connection.execute(query)).mappings().first()
    return None if row is None else value_of(Contact, row)


async def of_recording(work: Work, agent: AgentId, since: datetime, ending: str) -> Contact | None:
    """The tenant's contact of that agent, begun within two days, whose recording's path ends so."""
    row = contacts.c
    talks = (row.vdn == work.vdn, row.agent == agent, *between(row.began_at, since, since + _TWO_DAYS))
    query = sa.select(contacts).where(*talks, row.recording.endswith(ending, autoescape=True), _LEFT)
    found = (await work.connection.execute(query)).mappings().first()
    return None if found is None else value_of(Contact, found)


async def called(work: Work, text: str) -> Contact | None:
    """The tenant's contact that a number or a UUID names; None: it names none."""
    number = natural(text, 18)
    try:
        return await by_uuid(work, UUID(text)) if number is None else await find(work, number)
    except ValueError:
        return None


async def many(work: Work, numbers: Sequence[int]) -> dict[int, Contact]:
    """Those of these contacts that are the tenant's, by number; of erased ones what is left."""
    if not numbers:
        return {}
    wanted = sa.literal(list(numbers), sa.ARRAY(sa.BigInteger))
    query = sa.select(contacts).where(contacts.c.vdn == work.vdn, contacts.c.contact == sa.any_(wanted))
    found = all_of(Contact, (await work.connection.execute(query)).mappings())
    return {contact.contact: contact for contact in found}


async def insert(connection: AsyncConnection, reference: str, contact: Contact) -> int | None:
    """Keep a contact under what it came from; its number. None: that source has its contact already.

    `contact.contact` is not looked at. The month's partition is made if it is not there yet.
    """
    kept = {"vdn": int(contact.vdn), "reference": fit(reference), "began_at": contact.began_at}
    claim = (
        insert_into(contact_sources)
        .values(**kept, contact=contact_numbers.next_value())
        .on_conflict_do_nothing()
        .returning(contact_sources.c.contact)
    )
    number = (await connection.execute(claim)).scalar_one_or_none()
    if number is None:
        return None
    await connection.execute(_MONTH, {"at": contact.began_at})
    await connection.execute(sa.insert(contacts).values(_row(contact, number)))
    return int(number)


async def keep(connection: AsyncConnection, reference: str, contact: Contact) -> int | None:
    """`insert`, and have its recording analysed if it waits for that."""
    number = await insert(connection, reference, contact)
    if number is not None and contact.status is Inspection.WAITING:
        await jobs.defer(connection, ANALYSE, {"vdn": int(contact.vdn), "contact": number})
    return number


def recorded(contact: Contact, number: int, at: datetime) -> AuditEntry:
    """The audit's row on a contact's finished recording. No other may lie under the contact later."""
    detail: dict[str, str | int | bool] = {
        "contact": number,
        "began_at": contact.began_at.isoformat(),
        "duration_s": contact.duration_s,
        "sha256": contact.recording_sha256 or "",
    }
    if contact.agent is not None:
        detail["agent"] = int(contact.agent)
    if contact.tracks_sha256:
        detail["tracks_sha256"] = json.dumps(dict(contact.tracks_sha256), sort_keys=True)
    return AuditEntry(contact.vdn, at, AgentId(int(SERVER)), RECORDED, str(contact.uuid), detail)


async def digested(work: Work, contact: Contact, sha256: str, tracks: Mapping[str, str]) -> None:
    """Record the digests of a recording and its `tracks`, by inspector, that was whole before anybody had
    taken them; the first ones stay."""
    done = await work.connection.execute(
        sa.update(contacts)
        .where(
            contacts.c.vdn == work.vdn,
            contacts.c.began_at == contact.began_at,
            contacts.c.contact == contact.contact,
            contacts.c.recording_sha256.is_(None),
            contacts.c.recording.is_not(None),
        )
        .values(recording_sha256=sha256, tracks_sha256=dict(tracks))
    )
    if done.rowcount:
        whole = replace(contact, recording_sha256=sha256, tracks_sha256=tracks)
        work.add(recorded(whole, contact.contact, work.at))


async def analysed(
    connection: AsyncConnection,
    contact: Contact,
    status: Inspection,
    analysis: Analysis,
    at: datetime | None,
) -> None:
    """Record how far the inspection by machine is, and what it found; `at` when it is over.

    One whose recording is of no use is inspected all the same where it has results. What a crash ended was
    as long as its recording: nothing else counted until then.
    """
    about = (rule_results.c.vdn == contacts.c.vdn) & (rule_results.c.contact == contacts.c.contact)
    found = sa.exists().where(about, ~rule_results.c.entered)
    kept = sa.case((found, int(Inspection.SUCCESS)), else_=int(status))
    length: dict[str, Any] = {}
    if contact.source is Origin.LIVE and contact.reason == INTERRUPTED and analysis.duration_s:
        heard = timedelta(seconds=analysis.duration_s)
        length = {"duration_ms": heard // timedelta(milliseconds=1), "ended_at": contact.began_at + heard}
    await connection.execute(
        sa.update(contacts)
        .where(
            contacts.c.vdn == int(contact.vdn),
            contacts.c.began_at == contact.began_at,
            contacts.c.contact == contact.contact,
        )
        .values(
            **length, status=int(status) if at is None else kept, analysis=_kept(analysis), analysed_at=at
        )
    )


async def page(work: Work, search: Search, *, offset: int, limit: int) -> tuple[int, list[Contact]]:
    """How many contacts the search finds, and `limit` of them from `offset` on, the last uploaded first."""
    found = _found(work.vdn, search)
    total = (await work.connection.execute(sa.select(sa.func.count()).where(*found))).scalar_one()
    if not limit or offset >= total:
        return total, []
    order = (contacts.c.uploaded_at.desc(), contacts.c.contact.desc())
    wanted = (
        sa.select(contacts.c.began_at, contacts.c.contact)
        .where(*found)
        .order_by(*order)
        .offset(offset)
        .limit(limit)
        .subquery()
    )
    # What is asked for mostly stands in the index: only the page's rows are fetched.
    query = (
        sa.select(contacts)
        .join(
            wanted,
            (contacts.c.began_at == wanted.c.began_at) & (contacts.c.contact == wanted.c.contact),
        )
        .where(contacts.c.vdn == work.vdn)
        .order_by(*order)
    )
    return total, all_of(Contact, (await work.connection.execute(query)).mappings())


async def following(work: Work, search: Search, after: Contact | None, *, limit: int) -> list[Contact]:
    """The next contacts that the search finds, the oldest first; None: the first ones."""
    order = (contacts.c.began_at, contacts.c.contact)
    query = sa.select(contacts).where(*_found(work.vdn, search)).order_by(*order).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(*order) > (after.began_at, after.contact))
    return all_of(Contact, (await work.connection.execute(query)).mappings())


async def staff(work: Work, found: Sequence[Contact]) -> dict[AgentId, tuple[UserId | None, str]]:
    """The agents of these contacts: their users, and the users' names or else the agents' own."""
    wanted = sorted({contact.agent for contact in found if contact.agent is not None})
    query = _CALLED.where(agents.c.vdn == work.vdn, agents.c.agent.in_(wanted))
    rows = (await work.connection.execute(query)).all() if wanted else []
    return {AgentId(row.agent): (row.user and UserId(row.user), row.name) for row in rows}


def _found(vdn: VdnId, search: Search) -> list[Where]:
    row = contacts.c
    found = [
        row.vdn == int(vdn),
        *between(row.began_at, search.began_from, search.began_to),
        *between(row.uploaded_at, search.uploaded_from, search.uploaded_to),
        *between(row.duration_ms, milliseconds(search.duration_from_s), milliseconds(search.duration_to_s)),
    ]
    if search.interactions != frozenset(Interaction):
        found.append(row.interaction.in_(sorted(search.interactions)))
    if search.statuses != SHOWN:
        found.append(row.status.in_(sorted(search.statuses)))
    else:
        found.append(row.status != Inspection.ERASED)
    if search.agents is not None:
        found.append(row.agent.in_(sorted(search.agents)))
    if search.agent_name:
        found.append(row.agent.in_(_named(vdn, search.agent_name)))
    if search.keyword:
        said = sa.func.jsonb_array_elements(row.transcript).table_valued("value").alias("said")
        text = sa.func.lower(said.c.value.op("->>")("text"))
        found.append(row.transcript.is_not(None))
        found.append(
            sa.exists(
                sa.select(1).select_from(said).where(text.contains(search.keyword.lower(), autoescape=True))
            )
        )
    return found


def _named(vdn: VdnId, name: str) -> sa.Select[Any]:
    """The work numbers of agents with `name` in what they are called (see `staff`)."""
    return _CALLED.with_only_columns(agents.c.agent).where(
        agents.c.vdn == int(vdn), _NAME.icontains(name, autoescape=True)
    )


def _kept(analysis: Analysis) -> dict[str, Any]:
    kept: dict[str, Any] = fit(to_plain(analysis)) if analysis != Analysis() else {}
    return kept


def _row(contact: Contact, number: int) -> dict[str, Any]:
    transcript = contact.transcript
    return fitted(
        contact,
        contact=number,
        supervisions=to_plain(contact.supervisions),
        pauses=to_plain(contact.pauses),
        analysis=_kept(contact.analysis),
        transcript=sa.null() if transcript is None else to_plain(transcript),
    )
