"""What the audit says of scores, revisions, recordings and erasures, compared with the rows that there are.

A row that says something else than the audit is named, one that the audit has and the tables lack, and one
that came in past the audit. Rows older than digests (`domain.audit_chain`) may lack their line in the audit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from sottovoce.domain.audit_chain import VERSION
from sottovoce.domain.contacts import Inspection
from sottovoce.domain.retention import Erasable
from sottovoce.domain.scoring import By
from sottovoce.storage.review.contacts import RECORDED
from sottovoce.storage.tables import audit, contacts, erasures, revisions, scores
from sottovoce.storage.work import Work

MOST = 20
"""So many contradictions of a kind are named."""
REVISED = "result.revise"


def scored(by: By) -> str:
    """What the audit calls it that a score was given."""
    return f"score.{by.value}"


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """A recording whose digest is known."""

    contact: int
    recording: str
    sha256: str
    inspector: str = ""
    """Whose track it is; empty: the recording of the talk."""


async def contradictions(work: Work) -> list[str]:
    """What differs, one sentence each. Each statement reads all of a kind: hand in a snapshot."""
    since = await _since(work)
    return [
        *await _differing(work, _scores(work, since), _of_score),
        *await _differing(work, _revisions(work, since), _of_revision),
        *await _differing(work, _recordings(work, since), _of_recording),
        *await _differing(work, _unheard(work), _of_sound),
        *await _differing(work, _erasures(work), _of_erasure),
        *await _differing(work, _hidden(work), _of_hidden),
    ]


async def counts(work: Work) -> dict[str, int]:
    """How many scores, revisions, recordings (with a digest) and erasures `contradictions` looked at."""
    found = {}
    looked_at = ("scores", scores), ("revisions", revisions), ("recordings", contacts), ("erasures", erasures)
    for name, table in looked_at:
        query = sa.select(sa.func.count()).select_from(table).where(table.c.vdn == work.vdn)
        if table is contacts:
            query = query.where(contacts.c.recording_sha256.is_not(None))
        found[name] = (await work.connection.execute(query)).scalar_one()
    return found


async def recordings(work: Work) -> AsyncIterator[KeptRecording]:
    """The tenant's recordings whose digest is known, with inspectors' tracks, the oldest first."""
    after = 0
    while True:
        query = (
            sa.select(
                contacts.c.contact,
                contacts.c.recording,
                contacts.c.recording_sha256,
                contacts.c.tracks,
                contacts.c.tracks_sha256,
            )
            .where(
                contacts.c.vdn == work.vdn,
                contacts.c.contact > after,
                contacts.c.recording.is_not(None),
                contacts.c.recording_sha256.is_not(None),
            )
            .order_by(contacts.c.contact)
            .limit(1000)
        )
        rows = (await work.connection.execute(query)).all()
        for row in rows:
            yield KeptRecording(row.contact, row.recording, row.recording_sha256)
            for inspector, sha256 in row.tracks_sha256.items():
                yield KeptRecording(row.contact, row.tracks.get(inspector, ""), sha256, inspector)
        if not rows:
            return
        after = rows[-1].contact


async def _since(work: Work) -> Any:
    """The moment from which on everything has its line in the audit; None: nothing has."""
    query = sa.select(sa.func.min(audit.c.at)).where(audit.c.vdn == work.vdn, audit.c.version == VERSION)
    return (await work.connection.execute(query)).scalar_one()


async def _differing(work: Work, query: sa.Select[Any], tell: Callable[[sa.RowMapping], str]) -> list[str]:
    rows = (await work.connection.execute(query.limit(MOST + 1))).mappings().all()
    told = [tell(row) for row in rows[:MOST]]
    return [*told, "… and more of that kind"] if len(rows) > MOST else told


def _said(work: Work, *actions: str) -> sa.Subquery:
    return (
        sa.select(audit.c.number, audit.c.actor, audit.c.action, audit.c.target, audit.c.detail)
        .where(audit.c.vdn == work.vdn, audit.c.action.in_(actions))
        .subquery("said")
    )


def _compared(
    said: sa.Subquery,
    there: sa.Subquery,
    same: sa.ColumnElement[bool],
    since: Any,
    at: sa.ColumnElement[Any],
    *differs: sa.ColumnElement[bool],
    excused: sa.ColumnElement[bool] | None = None,
) -> sa.Select[Any]:
    """Both sides where they do not agree, or one of them is missing; on `there` not where it is excused."""
    gone = there.c.vdn.is_(None) if excused is None else sa.and_(there.c.vdn.is_(None), ~excused)
    unsaid = sa.and_(said.c.number.is_(None), at >= sa.literal(since, sa.DateTime(timezone=True)))
    return (
        sa.select(said, *(column.label(f"there_{column.name}") for column in there.c))
        .select_from(said.outerjoin(there, same, full=True))
        .where(sa.or_(unsaid, gone, *differs))
        .order_by(said.c.number)
    )


def _text(said: sa.Subquery, name: str) -> sa.ColumnElement[str]:
    text: sa.ColumnElement[str] = said.c.detail[name].as_string()
    return text


def _scores(work: Work, since: Any) -> sa.Select[Any]:
    said = _said(work, *map(scored, By))
    there = sa.select(scores).where(scores.c.vdn == work.vdn).subquery("there")
    same = sa.and_(
        said.c.target == sa.cast(there.c.contact, sa.Text),
        said.c.action == sa.literal("score.") + there.c.by,
        _text(said, "scenario") == there.c.scenario,
        _text(said, "version") == sa.cast(there.c.version, sa.Text),
    )
    differs = sa.cast(_text(said, "score"), sa.Numeric) != there.c.score
    excused = said.c.target.in_(_erased(work))
    return _compared(said, there, same, since, there.c.at, differs, excused=excused)


def _revisions(work: Work, since: Any) -> sa.Select[Any]:
    said = _said(work, REVISED)
    there = sa.select(revisions).where(revisions.c.vdn == work.vdn).subquery("there")
    same = sa.and_(
        said.c.target == there.c.result,
        _text(said, "version") == sa.cast(there.c.version, sa.Text),
    )
    return _compared(
        said,
        there,
        same,
        since,
        there.c.at,
        (_text(said, "kept") == "true") != (there.c.revise == 1),
        sa.cast(said.c.actor, sa.Text) != sa.cast(there.c.user, sa.Text),
        _text(said, "remark") != there.c.remark,
        (_text(said, "draft") == "true") != there.c.draft.is_not(None),
        excused=_text(said, "contact").in_(_erased(work)),
    )


def _recordings(work: Work, since: Any) -> sa.Select[Any]:
    said = _said(work, RECORDED)
    there = (
        sa.select(
            contacts.c.vdn,
            contacts.c.contact,
            contacts.c.uuid,
            contacts.c.uploaded_at,
            contacts.c.recording_sha256,
            contacts.c.tracks_sha256,
        )
        .where(contacts.c.vdn == work.vdn, contacts.c.recording_sha256.is_not(None))
        .subquery("there")
    )
    same = said.c.target == sa.cast(there.c.uuid, sa.Text)
    return _compared(
        said,
        there,
        same,
        since,
        there.c.uploaded_at,
        _text(said, "sha256") != there.c.recording_sha256,
        sa.cast(sa.func.coalesce(_text(said, "tracks_sha256"), "{}"), JSONB) != there.c.tracks_sha256,
        _text(said, "contact") != sa.cast(there.c.contact, sa.Text),
    )


def _erased(work: Work) -> sa.Select[Any]:
    """The numbers of the contacts that were erased, as the audit has them."""
    number = audit.c.detail["contact"].as_string()
    return sa.select(number).where(audit.c.vdn == work.vdn, audit.c.action == Erasable.CONTACT.erased)


def _unheard(work: Work) -> sa.Select[Any]:
    """Contacts that have lost their recording, though nothing on record erased it."""
    on_record = sa.select(audit.c.target).where(
        audit.c.vdn == work.vdn,
        audit.c.action.in_([Erasable.CONTACT.erased, Erasable.RECORDING.erased]),
    )
    return sa.select(contacts.c.contact).where(
        contacts.c.vdn == work.vdn,
        contacts.c.recording.is_(None),
        contacts.c.recording_sha256.is_not(None),
        sa.cast(contacts.c.uuid, sa.Text).not_in(on_record),
    )


def _erasures(work: Work) -> sa.Select[Any]:
    """Tombstones without their row in the audit, and rows without their tombstone."""
    said = _said(work, *(kind.erased for kind in Erasable))
    there = sa.select(erasures).where(erasures.c.vdn == work.vdn).subquery("there")
    same = sa.and_(
        said.c.target == sa.cast(there.c.uuid, sa.Text),
        said.c.action == there.c.kind + sa.literal(".erase"),
    )
    return _compared(
        said,
        there,
        same,
        datetime.min.replace(tzinfo=UTC),
        there.c.at,
        _text(said, "contact") != sa.cast(there.c.contact, sa.Text),
        _text(said, "why") != there.c.why,
    )


def _hidden(work: Work) -> sa.Select[Any]:
    """Contacts that are made out to be erased without a tombstone, or have one and are there."""
    stone = sa.exists().where(
        erasures.c.vdn == contacts.c.vdn,
        erasures.c.contact == contacts.c.contact,
        erasures.c.kind == Erasable.CONTACT.value,
    )
    erased = contacts.c.status == int(Inspection.ERASED)
    return sa.select(contacts.c.contact, stone.label("stone")).where(
        contacts.c.vdn == work.vdn, erased != stone
    )


def _of_sound(row: sa.RowMapping) -> str:
    return f"the recording of contact {row['contact']} is gone, and nothing on record erased it"


def _of_erasure(row: sa.RowMapping) -> str:
    if row["number"] is None:
        return f"the erasure of contact {row['there_contact']}, {row['there_kind']}, came in past the audit"
    what = f"the tombstone of contact {row['detail']['contact']}, {row['action'].removesuffix('.erase')},"
    now = "is gone" if row["there_vdn"] is None else "says something else"
    return f"{what} {now}; it is row {row['number']} of the audit"


def _of_hidden(row: sa.RowMapping) -> str:
    if row["stone"]:
        return f"contact {row['contact']} was erased, and is there all the same"
    return f"contact {row['contact']} is made out to be erased, and nothing on record erased it"


def _of_score(row: sa.RowMapping) -> str:
    if row["number"] is None:
        return (
            f"the score of contact {row['there_contact']} in scenario {row['there_scenario']},"
            f" {row['there_by']}, version {row['there_version']}, came in past the audit"
        )
    detail, by = row["detail"], row["action"].removeprefix("score.")
    what = (
        f"the score of contact {row['target']} in scenario {detail['scenario']}, {by},"
        f" version {detail['version']},"
    )
    now = "is gone" if row["there_vdn"] is None else f"is {row['there_score']}"
    return f"{what} {now}; row {row['number']} of the audit gave {detail['score']}"


def _of_revision(row: sa.RowMapping) -> str:
    if row["number"] is None:
        return f"the revision {row['there_version']} of result {row['there_result']} came in past the audit"
    what = f"the revision {row['detail']['version']} of result {row['target']}"
    if row["there_vdn"] is None:
        return f"{what} is gone; it is row {row['number']} of the audit"
    return f"{what} is another than row {row['number']} of the audit says"


def _of_recording(row: sa.RowMapping) -> str:
    if row["number"] is None:
        return f"the recording's SHA-256 of contact {row['there_contact']} came in past the audit"
    if row["there_vdn"] is None:
        return (
            f"the contact {row['target']} is gone or has no SHA-256; it is row {row['number']} of the audit"
        )
    return (
        f"the recording's SHA-256 of contact {row['there_contact']} is another than row {row['number']}"
        " of the audit says"
    )
