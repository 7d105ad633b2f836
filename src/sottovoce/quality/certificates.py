"""Certificates of samples: checked where they are kept, exported to a file, and checked there alone.

A check in the database covers the seed, its commitment in the audit, the audit's chain, the frame, the draw
made again, and the task's items. A file holds certificate, frame and the two audit rows, whose hashes
can be compared with what is known of the audit elsewhere (`sottovoce audit verify`).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.domain.frames import BadFrame, Frame
from sottovoce.domain.people import SERVER, ReviewId
from sottovoce.domain.sampling import Certificate
from sottovoce.domain.verifying import differing, untrue
from sottovoce.errors import Code, Refused
from sottovoce.plain import Unreadable, from_plain, to_plain
from sottovoce.quality.sampling import COMMITTED, DRAWN, sha256_of
from sottovoce.storage import audit
from sottovoce.storage.database import transaction
from sottovoce.storage.review import draws
from sottovoce.storage.review.draws import Draw
from sottovoce.storage.work import Work

FORMAT = "sottovoce-certificate-1"
AuditRow = Mapping[str, Any]


class BadFile(ValueError):
    """The file is no exported certificate; the text says why."""


@dataclass(frozen=True, slots=True)
class DrawCheck:
    """What a check found."""

    certificate: Certificate
    differences: Sequence[str]
    """One sentence each; none: all is as it should be."""
    facts: Sequence[str] = field(default=())
    """What was checked, for people."""

    @property
    def passed(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class _Kept:
    """All that is kept of the sample that a task has."""

    draw: Draw
    certificate: Certificate
    frame: bytes
    others: Sequence[Draw]
    """Earlier and later draws of the task."""
    items: Sequence[int]
    rows: Sequence[AuditRow]


async def verify(engine: AsyncEngine, task: ReviewId) -> DrawCheck:
    """Repeat the draw of a task from what is kept. Refused(NOT_FOUND): no such task, or it has no draw."""
    kept = await _kept(engine, task)
    chain = await audit.verify(engine, kept.draw.vdn)
    certificate = kept.certificate
    found = []
    if chain.broken:
        found.append(f"the audit of VDN {chain.vdn} is broken at row {chain.broken}: {chain.why}")
    if kept.draw.seed.hex() != certificate.seed:
        found.append("the seed kept with the draw is another than the certificate's")
    if kept.draw.committed_at != certificate.committed_at:
        found.append("the draw says another time of the commitment than the certificate")
    if (certificate.vdn, certificate.task, certificate.draw) != (kept.draw.vdn, task, kept.draw.draw):
        found.append("the certificate is of another task or draw")
    found += _unaudited(certificate, kept.rows)
    found += await asyncio.to_thread(_repeat, certificate, kept.frame)
    found += differing(kept.items, certificate.drawn, "an item of the task", "in the certificate")
    facts = [*_facts(certificate, len(kept.frame)), *(_other(draw) for draw in kept.others)]
    if not found:
        facts += [
            f"the task's {len(kept.items)} items are the drawn contacts, in their order",
            f"the audit of VDN {chain.vdn} is whole, {chain.head.number} rows: row"
            f" {_number(kept.rows, COMMITTED)} has the commitment, row {_number(kept.rows, DRAWN)} the draw",
        ]
    return DrawCheck(certificate, found, facts)


async def export(engine: AsyncEngine, task: ReviewId) -> str:
    """A file that can be checked without any database. Refused(NOT_FOUND)."""
    kept = await _kept(engine, task)
    return json.dumps(
        {
            "format": FORMAT,
            "certificate": to_plain(kept.certificate),
            "audit": [_written(row) for row in kept.rows],
            "frame": base64.b64encode(kept.frame).decode(),
        },
        indent=1,
        ensure_ascii=False,
    )


def verify_file(text: str) -> DrawCheck:
    """Repeat the draw of an exported certificate. BadFile."""
    try:
        file = json.loads(text)
        if file["format"] != FORMAT:
            raise BadFile(f"its format is {file['format']!r}, not {FORMAT!r}")
        certificate = from_plain(Certificate, file["certificate"])
        packed = base64.b64decode(file["frame"], validate=True)
        rows = [_read(row) for row in file["audit"]]
        found = [
            f"row {row['number']} of the audit does not have its hash"
            for row in rows
            if audit.hash_of(row["previous"], row) != row["hash"]
        ]
        found += _unaudited(certificate, rows)
        found += _repeat(certificate, packed)
    except BadFile:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as failure:
        raise BadFile(f"it is no exported certificate: {type(failure).__name__} {failure}") from failure
    facts = [
        *_facts(certificate, len(packed)),
        *(
            f"row {row['number']} of the audit of VDN {row['vdn']}, {row['action']}: {row['hash'].hex()}"
            for row in rows
        ),
    ]
    return DrawCheck(certificate, found, facts)


def _repeat(certificate: Certificate, packed: bytes) -> list[str]:
    try:
        frame = Frame.unpack(packed)
    except BadFrame as failure:
        return [f"the frame cannot be read: {failure}"]
    return untrue(certificate, frame)


def _unaudited(certificate: Certificate, rows: Sequence[AuditRow]) -> list[str]:
    """What the audit does not say as the certificate does."""
    found = []
    by_action = {row["action"]: row for row in rows}
    committed, drawn = by_action.get(COMMITTED), by_action.get(DRAWN)
    if len(rows) > len(by_action):
        found.append("the audit has a step of this draw twice")
    for row in rows:
        subject = (row["vdn"], row["target"], row["detail"].get("draw"))
        if subject != (certificate.vdn, certificate.task, certificate.draw):
            found.append(f"row {row['number']} of the audit is about another draw")
    if committed is None:
        found.append("the audit has no commitment to the seed")
    elif committed["detail"].get("seed_sha256") != certificate.commitment:
        found.append(f"the audit's commitment is {committed['detail'].get('seed_sha256')}")
    elif committed["at"] != certificate.committed_at:
        found.append(f"the audit has the commitment at {committed['at']}")
    if drawn is None:
        found.append("the audit has no row of the draw")
        return found
    for name, digest in (
        ("frame_sha256", certificate.frame.sha256),
        ("certificate_sha256", sha256_of(certificate)),
    ):
        if drawn["detail"].get(name) != digest:
            found.append(f"the audit's {name} is {drawn['detail'].get(name)}, it should be {digest}")
    if committed is not None and committed["number"] >= drawn["number"]:
        found.append("the seed was committed after the draw")
    return found


def _facts(certificate: Certificate, packed: int) -> list[str]:
    passed = len(certificate.passed_over)
    return [
        f"VDN {certificate.vdn}, task {certificate.task}, draw {certificate.draw}, {certificate.algorithm}",
        f"seed committed {certificate.committed_at:%Y-%m-%d %H:%M:%S} UTC as {certificate.commitment},"
        f" drawn {certificate.drawn_at:%Y-%m-%d %H:%M:%S} UTC",
        f"frame of {certificate.frame.size} contacts, SHA-256 {certificate.frame.sha256},"
        f" kept in {packed} bytes",
        f"{len(certificate.drawn)} of {certificate.wanted} drawn, {passed} passed over"
        + (f" ({_reasons(certificate)})" if passed else ""),
    ]


def _reasons(certificate: Certificate) -> str:
    return ", ".join(sorted({one.reason for one in certificate.passed_over}))


def _other(draw: Draw) -> str:
    if draw.drawn_at is None:
        return f"draw {draw.draw} was committed at {draw.committed_at:%Y-%m-%d %H:%M:%S} UTC and never drawn"
    return f"draw {draw.draw} was drawn at {draw.drawn_at:%Y-%m-%d %H:%M:%S} UTC and is no longer the task's"


def _number(rows: Sequence[AuditRow], action: str) -> int | None:
    return next((row["number"] for row in rows if row["action"] == action), None)


async def _kept(engine: AsyncEngine, task: ReviewId) -> _Kept:
    async with transaction(engine, snapshot=True) as connection:
        vdn = await draws.tenant_of(connection, task)
        if vdn is None:
            raise Refused(Code.NOT_FOUND, f"there is no draw for a task {task}")
        work = Work(connection, vdn, datetime.now(UTC), SERVER)
        made, used = await draws.of_task(work, task)
        if used is None:
            raise Refused(Code.NOT_FOUND, f"task {task} was never made; {_other(made[-1])}")
        draw = next((one for one in made if one.draw == used), None)
        if draw is None or draw.frame is None or draw.certificate is None:
            raise Refused(Code.NOT_FOUND, f"task {task} has draw {used}, of which nothing is kept")
        try:
            certificate = from_plain(Certificate, draw.certificate)
        except Unreadable as failure:
            raise Refused(
                Code.WRONG_STATE, f"the certificate of draw {used} is damaged: {failure}"
            ) from failure
        return _Kept(
            draw,
            certificate,
            draw.frame,
            [one for one in made if one.draw != used],
            await draws.items_of(work, task),
            await draws.audited(work, task, used),
        )


def _written(row: AuditRow) -> dict[str, Any]:
    return {
        **row,
        "at": row["at"].isoformat(timespec="microseconds"),
        "actor": str(row["actor"]),
        "previous": bytes(row["previous"]).hex(),
        "hash": bytes(row["hash"]).hex(),
    }


def _read(row: Mapping[str, Any]) -> AuditRow:
    return {
        **row,
        "at": datetime.fromisoformat(row["at"]),
        "actor": int(row["actor"]),
        "previous": bytes.fromhex(row["previous"]),
        "hash": bytes.fromhex(row["hash"]),
    }
